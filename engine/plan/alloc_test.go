package plan_test

import (
	"os"
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// everything is a configuration that uses each operation, statement and kind of
// space once.
func everything(t testing.TB) *plan.Plan {
	t.Helper()
	text, err := os.ReadFile("testdata/everything.conf")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(text))
}

func everyMessage() []*message {
	full := []option{{dhcp.OptHostName, "Node-1\x00"}, {dhcp.OptClientArch, "\x00\x07"}, {dhcp.OptVendorClass, "PXEClient:Arch:00007"},
		{dhcp.OptUserClass, "\x04iPXE"}, {dhcp.OptRelayAgent, "\x01\x03abc\x02\x02zz"}, {dhcp.OptFQDN, "\x04\x00\x00\x04node\x01x\x03org\x00"}, {dhcp.OptClientID, "id"}}
	return []*message{
		newMessage(dhcp.Discover, full...),
		newMessage(dhcp.Request, append(full, option{dhcp.OptParameterList, "\x01\x03\x06\x0c\x0f\x11\x2b\x42\x43\x51\x77\x7d\xaf\xc8\xc9\xcb\x13\x0e\x29"})...),
		newMessage(dhcp.Inform), newMessage(dhcp.BOOTP), iPXE(),
	}
}

// TestNoAllocation: a decision allocates nothing, whatever it evaluates.
func TestNoAllocation(t *testing.T) {
	for name, p := range map[string]*plan.Plan{"guide": guide(t), "everything": everything(t)} {
		e := plan.NewEval(p)
		messages := everyMessage()
		var w dhcp.Writer
		buf := make([]byte, 548)
		run := func() {
			for _, m := range messages {
				req := m.request()
				if !answer(e, req, &w, buf) {
					t.Fatal("no subnet")
				}
				for code := range 255 {
					e.Option(byte(code))
					e.OriginOfOption(byte(code))
				}
				for i := 0; i < 4; i++ {
					e.Limit(i)
					e.NextLog(i)
				}
				for pool := range p.Pools {
					e.Permitted(int32(pool))
				}
				w.Reset(buf)
				e.WriteOptions(&w, dhcp.Nak)
			}
		}
		if n := testing.AllocsPerRun(1, func() {
			for range 1000 {
				run()
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations in 5000 decisions", name, n)
		}
		if e.Exhausted != 0 {
			t.Errorf("%s: %d limits met", name, e.Exhausted)
		}
	}
}

// TestEverything: the configuration above really reaches what it names.
func TestEverything(t *testing.T) {
	p := everything(t)
	e := plan.NewEval(p)
	m := everyMessage()[1]
	if !decideWith(e, m.request()) {
		t.Fatal("no subnet")
	}
	e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 2, 0x58})
	got := reply(e, dhcp.Offer, 1400)
	for code, want := range map[byte]string{
		200: "a", 41: "\xc0\xa8\x01\x0a", 66: "NODE-1ba\x00", 67: "h-0\x00", 14: "node\x00", 43: "\x01\x01g", 59: "\x00\x00\x01\xf4", 58: null,
		81: "\x04\x00\x00\x02aa\x02bb\x00", 119: "\x01a\x01x\x03org\x00\x01b\xc0\x02\x01c\xc0\x02", 125: "\x00\x00\x00\x63\x02oo\x00\x00\x11\x8b\x03\x01\x01d",
		17: "/g\x00", 12: "h\x00", 201: "\x01\x02un\x02\x02\x00\x07\xaf\x04\x05\x02ex", 203: "\x01\x04\x00\x01w",
	} {
		if v := valueOf(got, code); v != want {
			t.Errorf("option %d is %q, want %q", code, v, want)
		}
	}
	if text, _, _ := e.NextLog(0); string(text) != "node-1 2:0:0:0:c:1" {
		t.Errorf("log %q", text)
	}
}
