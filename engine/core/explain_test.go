package core

import (
	"bytes"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestExplainIsWhatHappens: for every message Explain shows the very reply that
// Step then makes, and changes nothing.
func TestExplainIsWhatHappens(t *testing.T) {
	w := newWorld(t, guide)
	w.lease(machine(2))
	w.ask(machine(3))
	for _, c := range []struct {
		name string
		m    msg
		why  Why
	}{
		{"existing lease", machine(2), WhyExisting},
		{"existing offer", machine(3), WhyExisting},
		{"longest free", machine(4).firmware(), WhyLongest},
		{"asked for", machine(5).asking(host(5)), WhyRequested},
		{"renewal", machine(2).renewing(host(2)), WhyExisting},
		{"NAK", machine(9).selecting(host(2)), WhyNone},
	} {
		before := *w.core.Counters()
		x := w.core.Explain(c.m.frame(), 0, w.now)
		if *w.core.Counters() != before || w.core.Events().N != 0 || w.core.Leases().N != 0 {
			t.Errorf("%s: explaining left traces", c.name)
		}
		again := w.core.Explain(c.m.frame(), 0, w.now)
		a := w.ask(c.m)
		if a == nil || x.Frame == nil {
			t.Fatalf("%s: no reply", c.name)
		}
		if !bytes.Equal(x.Frame[proto.HeadersLen:], a.raw) || !bytes.Equal(again.Frame[proto.HeadersLen:], a.raw) {
			t.Errorf("%s: explained % x\nsent % x", c.name, x.Frame[proto.HeadersLen:], a.raw)
		}
		if x.Reply != a.kind || x.Why != c.why || x.Type != c.m.kind || x.Subnet != 0 || x.Network != 0 {
			t.Errorf("%s: %+v", c.name, x)
		}
	}
}

func TestExplainSaysWhyNot(t *testing.T) {
	w := newWorld(t, plain+`deny unknown-clients; host k { hardware ethernet 02:00:00:00:0c:01; fixed-address 192.168.1.60; }`)
	x := w.core.Explain(machine(2).firmware().frame(), 0, w.now)
	if x.Frame != nil || x.Reason != batch.ReasonDenied || x.Rule < 0 || x.Client != ClientUEFI {
		t.Errorf("%+v", x)
	}
	if o := w.core.Plan().Origins[x.Rule]; o.Text != "deny unknown-clients;" {
		t.Errorf("the line is %q", o.Text)
	}
	x = w.core.Explain(machine(1).frame(), 0, w.now)
	if x.Why != WhyFixed || x.Addr != host(60) || x.Host != 0 || x.Pool != -1 || x.Seconds != 43200 {
		t.Errorf("%+v", x)
	}
	if at := w.core.Eval().OriginOfOption(dhcp.OptSubnetMask); at < 0 {
		t.Error("the evaluation is not left for its origins")
	}
	for _, c := range []struct {
		frame []byte
		drop  string
	}{
		{[]byte{1, 2, 3}, "drop_short"},
		{arpFrame(host(9), mac(1)), "drop_port"},
		{machine(1).of(99).frame(), "drop_dhcp_type"},
	} {
		if x := w.core.Explain(c.frame, 0, w.now); x.Drop != c.drop {
			t.Errorf("dropped as %q, want %q", x.Drop, c.drop)
		}
	}
	if x := w.core.Explain(leaving(machine(2), 10).frame(), 0, w.now); x.Frame != nil || x.Type != dhcp.Release {
		t.Errorf("%+v", x)
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		m    msg
		want Client
		name string
	}{
		{machine(1), ClientUnknown, "unknown"},
		{machine(1).firmware(), ClientUEFI, "uefi"},
		{machine(1).ipxe(), ClientIPXE, "ipxe"},
		{machine(1).with(175, 1, 1, 1), ClientIPXE, "ipxe"},
		{machine(1).with(dhcp.OptVendorClass, []byte("PXEClient:Arch:00000:UNDI:002001")...).with(dhcp.OptClientArch, 0, 0), ClientPXE, "pxe"},
		{machine(1).with(dhcp.OptVendorClass, []byte("HTTPClient:Arch:00016")...), ClientHTTP, "http"},
		{machine(1).with(dhcp.OptVendorClass, []byte("U-Boot.armv8")...), ClientUBoot, "u-boot"},
		{machine(1).with(dhcp.OptVendorClass, []byte("udhcp 1.35.0")...), ClientUDHCP, "udhcpc"},
		{machine(1).with(dhcp.OptVendorClass, []byte("dhcpcd-9.4.1")...), ClientDHCPCD, "dhcpcd"},
		{machine(1).with(dhcp.OptVendorClass, []byte("MSFT 5.0")...), ClientWindows, "windows"},
	} {
		w := newWorld(t, plain)
		w.lease(c.m)
		if got := w.core.ClientOf(host(10)); got != c.want || got.String() != c.name {
			t.Errorf("recognised as %v, want %v", got, c.want)
		}
		if e := w.last(batch.EventDiscover); Client(e.Value) != c.want {
			t.Errorf("event says %v", Client(e.Value))
		}
	}
	if Client(200).String() != "unknown" {
		t.Error("a client that does not exist has a name")
	}
	if newWorld(t, plain).core.ClientOf(host(99)) != ClientUnknown {
		t.Error("a client of no address is known")
	}
}

func TestLogStatementsBecomeEvents(t *testing.T) {
	w := newWorld(t, plain+`log(info, concat("boot of ", binary-to-ascii(16, 8, ":", substring(hardware, 1, 6))));`)
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0] = batch.Frame{Data: machine(1).frame(), Checksum: true}
	w.core.Step(w.rx, 0, w.tx)
	ev, found := w.core.Events(), ""
	for i := range ev.N {
		if e := &ev.List[i]; e.Kind == batch.EventLog {
			found = string(ev.Text[e.Value : e.Value+int64(e.Extra)])
		}
	}
	if found != "boot of 2:0:0:0:c:1" {
		t.Errorf("log text %q", found)
	}
}

func TestCountersAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	n := 0
	w := newWorld(t, plain)
	w.core.Counters().Each(func(name string, v uint64) {
		if seen[name] || name == "" {
			t.Errorf("name %q", name)
		}
		seen[name] = true
		n++
	})
	if n < 40 {
		t.Errorf("%d counters", n)
	}
	w.core.Pools(func(pool, size, free int32) {
		if pool != 0 || size != 10 || free != 10 {
			t.Errorf("pool %d: %d of %d free", pool, free, size)
		}
	})
}
