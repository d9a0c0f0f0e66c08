package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// ipxeSpace declares iPXE's option space as its documentation does.
const ipxeSpace = `
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.priority code 1 = signed integer 8;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;
`

const rawOption = "option raw code 175 = string;\n"

// TestDefaultSubOption: a default inside an option goes with what the
// configuration has there, and gives way to it.
func TestDefaultSubOption(t *testing.T) {
	const others = "\x01\x01\x05" // ipxe.priority 5
	for _, c := range []struct {
		name, conf, statements string
		added                  bool
		want                   string
	}{
		{"nothing is known of the option", "", "", true, "\xb0\x01\x01"},
		{"declared and not set", ipxeSpace, "", true, "\xb0\x01\x01"},
		{"others are set", ipxeSpace, "option ipxe.priority 5;", true, others + "\xb0\x01\x01"},
		{"set to the same", ipxeSpace, "option ipxe.no-pxedhcp 1;", false, "\xb0\x01\x01"},
		{"set to something else", ipxeSpace, "option ipxe.no-pxedhcp 0; option ipxe.priority 5;", false, "\x01\x01\x05\xb0\x01\x00"},
		{"set as bytes", rawOption, "option raw 1:1:5;", true, others + "\xb0\x01\x01"},
		{"bytes with padding and an end", rawOption, "option raw 0:1:1:5:ff:7;", true, "\x00" + others + "\xb0\x01\x01"},
		{"bytes that have it", rawOption, "option raw 1:1:5:b0:1:0;", false, others + "\xb0\x01\x00"},
		{"bytes that are cut", rawOption, "option raw 1:9:5;", false, "\x01\x09\x05"},
		{"one byte", rawOption, "option raw 1;", false, "\x01"},
		{"set to nothing", rawOption, "option raw = option root-path;", false, null},
		{"the code belongs to a site option space", "option space local; option local.aa code 175 = text;",
			`site-option-space "local"; option local.aa "x";`, false, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := load(t, c.conf+"subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.200; "+c.statements+" }")
			e := decide(p, newMessage(dhcp.Discover))
			if added := e.DefaultSubOption(175, 176, []byte{1}); added != c.added {
				t.Errorf("added: %v", added)
			}
			got, ok := e.Option(175)
			if !ok {
				got = []byte(null)
			}
			if string(got) != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if e.DefaultSubOption(175, 176, []byte{1}) {
				t.Error("added twice")
			}
		})
	}
}

// TestDefaultSubOptionIsSentIfAskedFor: like any other option.
func TestDefaultSubOptionIsSentIfAskedFor(t *testing.T) {
	p := load(t, "subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.200; }")
	for prl, want := range map[string]string{"\x01\xaf": "\xb0\x01\x01", "\x01\x03": null} {
		e := decide(p, newMessage(dhcp.Discover, option{dhcp.OptParameterList, prl}))
		e.DefaultSubOption(175, 176, []byte{1})
		if got := valueOf(reply(e, dhcp.Offer, 548), 175); got != want {
			t.Errorf("request list % x: sent %q", prl, got)
		}
	}
}

func TestDefaultSubOptionAllocatesNothing(t *testing.T) {
	e := plan.NewEval(load(t, ipxeSpace+"option ipxe.priority 5; subnet 192.168.1.0 netmask 255.255.255.0 { }"))
	req := newMessage(dhcp.Discover).request()
	if n := testing.AllocsPerRun(1, func() {
		for range 1000 {
			e.Begin(req, 0)
			e.Classify()
			e.Decide(-1, -1, 0, 0)
			e.DefaultSubOption(175, 176, []byte{1})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
