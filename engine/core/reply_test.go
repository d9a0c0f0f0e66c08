package core

import (
	"bytes"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

func TestDestinations(t *testing.T) {
	relay := host(200)
	var router = proto.MAC{2, 0, 0, 0, 0, 0xee}
	bcast := func(m msg) msg { m.flags = dhcp.FlagBcast; return m }
	via := func(m msg) msg { m.from = router; return m }
	lent := func(w *world) { w.lease(machine(1)) }
	for _, c := range []struct {
		name   string
		conf   string
		before func(*world)
		m      msg
		mac    proto.MAC
		addr   proto.Addr
		port   uint16
	}{
		{"offer, no flag: straight to the hardware", plain, nil, machine(1), mac(1), host(10), 68},
		{"offer, broadcast flag", plain, nil, bcast(machine(1)), proto.Broadcast, proto.Limited, 68},
		{"offer, always-broadcast", plain + "always-broadcast on;", nil, machine(1), proto.Broadcast, proto.Limited, 68},
		{"offer, through a relay", plain, nil, machine(1).relayed(relay), relayMAC, relay, 67},
		{"offer, relay and broadcast flag", plain, nil, bcast(machine(1)).relayed(relay), relayMAC, relay, 67},
		{"offer, token ring", plain, nil, msg{kind: dhcp.Discover, mac: mac(1), htype: 6}, proto.Broadcast, proto.Limited, 68},
		{"offer, InfiniBand without address", plain, nil, msg{kind: dhcp.Discover, htype: 32, noHW: true}.with(dhcp.OptClientID, 1, 2), proto.Broadcast, proto.Limited, 68},
		{"offer, hardware address of 16 bytes", plain, nil, msg{kind: dhcp.Discover, mac: mac(1), hlen: 16}, proto.Broadcast, proto.Limited, 68},
		{"offer, group as hardware address", plain, nil, msg{kind: dhcp.Discover, mac: proto.MAC{1, 0, 0x5e, 0, 0, 1}, from: mac(1)}, proto.Broadcast, proto.Limited, 68},
		{"offer, from another source port", plain, nil, msg{kind: dhcp.Discover, mac: mac(1), sport: 1068}, mac(1), host(10), 68},
		{"ack, selecting", plain, nil, machine(1).selecting(host(10)), mac(1), host(10), 68},
		{"ack, selecting by broadcast", plain, nil, bcast(machine(1)).selecting(host(10)), proto.Broadcast, proto.Limited, 68},
		{"ack, renewing", plain, lent, machine(1).renewing(host(10)), mac(1), host(10), 68},
		{"ack, renewing through a router", plain, lent, via(machine(1).renewing(host(10))), router, host(10), 68},
		{"ack, rebinding with the broadcast flag", plain, lent, bcast(machine(1)).rebinding(host(10)), proto.Broadcast, proto.Limited, 68},
		{"ack, rebinding through a relay", plain, lent, machine(1).rebinding(host(10)).relayed(relay), relayMAC, relay, 67},
		{"ack, ciaddr and server identifier", plain, lent, machine(1).renewing(host(10)).naming(serverAddr), mac(1), host(10), 68},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			if c.before != nil {
				c.before(w)
			}
			a := w.ask(c.m)
			if a == nil {
				t.Fatalf("no reply: %+v", w.last(batch.EventSilence))
			}
			p := &a.packet
			if p.DstMAC != c.mac || p.Dst != c.addr || p.DstPort != c.port {
				t.Errorf("to %v %v port %d, want %v %v port %d", p.DstMAC, p.Dst, p.DstPort, c.mac, c.addr, c.port)
			}
			if p.SrcMAC != serverMAC || p.Src != serverAddr || p.SrcPort != 67 {
				t.Errorf("from %v %v port %d", p.SrcMAC, p.Src, p.SrcPort)
			}
		})
	}
}

func TestHeaderIsRepeated(t *testing.T) {
	m := machine(1).relayed(host(200))
	m.xid, m.secs, m.flags, m.hops = 0xdeadbeef, 0x1234, 0x7fff, 17
	a := newWorld(t, plain).want(m, dhcp.Offer, host(10))
	h := a.h
	if h.XID() != m.xid || h.Secs() != m.secs || h.Flags() != m.flags || h.Hops() != 17 || h.HType() != 1 || h.HLen() != 6 ||
		h.GIAddr() != m.giaddr || h.CIAddr() != 0 || *h.CHAddr() != [16]byte{2, 0, 0, 0, 0x0c, 1} {
		t.Errorf("header % x", h[:44])
	}
}

func TestMessageSizes(t *testing.T) {
	long := `option domain-name "` + strings.Repeat("x", 240) + `"; option root-path "` + strings.Repeat("y", 240) +
		`"; option nis-domain "` + strings.Repeat("z", 240) + `"; option tftp-server-name "` + strings.Repeat("t", 240) +
		`"; option merit-dump "` + strings.Repeat("m", 240) + `"; option bootfile-name "` + strings.Repeat("b", 240) + `";`
	for _, c := range []struct {
		name    string
		size    []byte // option 57
		mtu     int
		agent   int
		conf    string
		atMost  int // of the UDP payload
		atLeast int
	}{
		{"small reply is padded", nil, 1500, 0, "", 300, 300},
		{"no size stated", nil, 1500, 0, long, 548, 480},
		{"less than the minimum stated", []byte{1, 0}, 1500, 0, long, 548, 480},
		{"1472, as edk2 and iPXE", []byte{5, 0xc0}, 1500, 0, long, 1444, 1200},
		{"65535", []byte{255, 255}, 1500, 0, long, 1472, 1400},
		{"65535 on a narrow link", []byte{255, 255}, 1000, 0, long, 972, 700},
		{"65535 on a jumbo link", []byte{255, 255}, 9000, 0, long, batch.HeadCap - proto.HeadersLen, 1400},
		{"size of the configuration", nil, 1500, 0, long + "option dhcp-max-message-size 1000;", 972, 700},
		{"relay options come on top", nil, 1500, 200, long, 548 + 202, 480 + 202},
	} {
		t.Run(c.name, func(t *testing.T) {
			links := serverLinks()
			links[0].MTU = c.mtu
			w := worldOf(t, Config{Plan: buildPlan(t, plain+c.conf), Links: links})
			m := machine(1).relayed(host(200))
			if c.size != nil {
				m = m.with(dhcp.OptMaxMessageSize, c.size...)
			}
			if c.agent > 0 {
				m = m.with(dhcp.OptRelayAgent, append([]byte{1, byte(c.agent - 2)}, make([]byte, c.agent-2)...)...)
			}
			a := w.want(m, dhcp.Offer, host(10))
			if len(a.raw) > c.atMost || len(a.raw) < c.atLeast {
				t.Errorf("%d bytes, want %d to %d", len(a.raw), c.atLeast, c.atMost)
			}
			if !endsWithEND(a.raw) {
				t.Error("no END")
			}
			if a.options.Has(dhcp.OptOverload) {
				t.Error("options overload the header")
			}
		})
	}
}

// endsWithEND walks the options as a strict client does.
func endsWithEND(b []byte) bool {
	for b = b[dhcp.OptionsOff:]; len(b) > 0; {
		switch {
		case b[0] == dhcp.OptEnd:
			return true
		case b[0] == dhcp.OptPad:
			b = b[1:]
		case len(b) < 2 || len(b) < 2+int(b[1]):
			return false
		default:
			b = b[2+int(b[1]):]
		}
	}
	return false
}

// codes lists the options of a reply in their order.
func codes(b []byte) (list []byte) {
	for b = b[dhcp.OptionsOff:]; b[0] != dhcp.OptEnd; b = b[2+int(b[1]):] {
		list = append(list, b[0])
	}
	return list
}

func TestRelayOptionsAreEchoedLast(t *testing.T) {
	agent := []byte{1, 3, 'a', 'b', 0, 2, 2, 0xff, 0, 200, 0} // an unknown, empty sub-option at the end
	m := machine(1).with(dhcp.OptRelayAgent, agent...).with(dhcp.OptParameterList, 82, 1, 3).
		with(dhcp.OptClientID, 1, 2, 3).relayed(host(200))
	w := newWorld(t, plain+"option routers 192.168.1.1;")
	for _, a := range []*answer{
		w.want(m, dhcp.Offer, host(10)), w.want(m.selecting(host(10)), dhcp.Ack, host(10)),
	} {
		list := codes(a.raw)
		if list[len(list)-1] != dhcp.OptRelayAgent || bytes.Count(list, []byte{dhcp.OptRelayAgent}) != 1 {
			t.Errorf("options %v", list)
		}
		if a.option(dhcp.OptRelayAgent) != string(agent) {
			t.Errorf("agent options % x", a.option(dhcp.OptRelayAgent))
		}
	}
	w.lease(machine(2))
	nak := w.want(m.selecting(host(11)), dhcp.Nak, 0)
	if list := codes(nak.raw); list[len(list)-1] != dhcp.OptRelayAgent {
		t.Errorf("options of the NAK %v", list)
	}
	// A switch that adds the option and is no relay gets it back, too.
	if a := w.want(machine(3).with(dhcp.OptRelayAgent, agent...), dhcp.Offer, host(12)); a.option(dhcp.OptRelayAgent) != string(agent) {
		t.Error("not echoed without giaddr")
	}
}

func TestRelayOptionsThatLeaveNoRoom(t *testing.T) {
	w := newWorld(t, plain)
	m := machine(1)
	for range 5 {
		m = m.with(dhcp.OptRelayAgent, make([]byte, 250)...)
	}
	if a := w.ask(m); a != nil {
		t.Errorf("a reply of %d bytes", len(a.raw))
	}
	if w.core.Counters().Options != 1 {
		t.Error("not counted")
	}
	if a := w.want(machine(2), dhcp.Offer, host(10)); a == nil {
		t.Error("the address was held for a client that got no offer")
	}
}

func TestIdentifiersAreEchoed(t *testing.T) {
	uuid := append([]byte{0}, bytes.Repeat([]byte{0xab}, 16)...)
	m := machine(1).with(dhcp.OptClientID, 1, 2, 3).with(dhcp.OptClientUUID, uuid...).with(dhcp.OptParameterList, 1, 3)
	w := newWorld(t, plain)
	for _, a := range []*answer{w.want(m, dhcp.Offer, host(10)), w.want(m.selecting(host(10)), dhcp.Ack, host(10))} {
		if a.option(dhcp.OptClientID) != "\x01\x02\x03" || a.option(dhcp.OptClientUUID) != string(uuid) {
			t.Errorf("61: % x, 97: % x", a.option(dhcp.OptClientID), a.option(dhcp.OptClientUUID))
		}
	}
	w.lease(machine(2))
	if a := w.want(m.selecting(host(11)), dhcp.Nak, 0); a.option(dhcp.OptClientID) != "\x01\x02\x03" || a.options.Has(dhcp.OptClientUUID) {
		t.Error("a NAK echoes the client identifier, and nothing else")
	}
	w = newWorld(t, plain+"echo-client-id off;")
	if a := w.want(m, dhcp.Offer, host(10)); a.options.Has(dhcp.OptClientID) {
		t.Error("echoed against echo-client-id")
	}
	if a := newWorld(t, plain).want(machine(3), dhcp.Offer, host(10)); a.options.Has(dhcp.OptClientID) || a.options.Has(dhcp.OptClientUUID) {
		t.Error("echoed what was not sent")
	}
}

func TestBootFields(t *testing.T) {
	long := strings.Repeat("d/", 70) + "boot.efi"
	for _, c := range []struct {
		name, conf string
		siaddr     proto.Addr
		file       string
		sname      string
	}{
		{"nothing", "", 0, "", ""},
		{"next-server", "next-server 10.9.8.7;", proto.AddrOf(10, 9, 8, 7), "", ""},
		{"a file that nobody is said to have is here", `filename "a.efi";`, serverAddr, "a.efi", ""},
		{"the same in option 67", `option bootfile-name "a.efi";`, serverAddr, "", ""},
		{"another server by option 66", `filename "a.efi"; option tftp-server-name "10.9.8.7";`, 0, "a.efi", ""},
		{"another server by name", `filename "a.efi"; server-name "there";`, 0, "a.efi", "there"},
		{"next-server wins", `filename "a.efi"; next-server 10.9.8.7; server-name "there";`, proto.AddrOf(10, 9, 8, 7), "a.efi", "there"},
		{"a name that does not fit is not cut", `filename "` + long + `";`, serverAddr, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newWorld(t, plain+c.conf).want(machine(1), dhcp.Offer, host(10))
			if a.h.SIAddr() != c.siaddr || a.file() != c.file || a.sname() != c.sname {
				t.Errorf("siaddr %v, file %q, sname %q", a.h.SIAddr(), a.file(), a.sname())
			}
			if strings.Contains(c.conf, long) && a.option(dhcp.OptBootfileName) != long {
				t.Error("the long name is in no option")
			}
		})
	}
}

func TestSubnetSelectionIsRepeated(t *testing.T) {
	w := newWorld(t, plain+`subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.2.1 10.1.2.9; }`)
	m := machine(1).with(dhcp.OptSubnetSelection, 10, 1, 0, 0)
	if a := w.want(m, dhcp.Offer, proto.AddrOf(10, 1, 2, 1)); a.option(dhcp.OptSubnetSelection) != "\x0a\x01\x00\x00" {
		t.Error("option 118 is missing")
	}
	// The relay's link selection comes first (RFC 3527), and giaddr stays where the reply goes.
	m = machine(2).with(dhcp.OptRelayAgent, 5, 4, 10, 1, 0, 0).relayed(host(200))
	if a := w.want(m, dhcp.Offer, proto.AddrOf(10, 1, 2, 2)); a.packet.Dst != host(200) {
		t.Errorf("reply to %v", a.packet.Dst)
	}
	w.silent(machine(3).with(dhcp.OptSubnetSelection, 10, 9, 0, 0), batch.ReasonNoSubnet)
}

// TestServerAddressOfSeveral: of our addresses on the link the one in the
// client's own subnet answers, and the one that was written to.
func TestServerAddressOfSeveral(t *testing.T) {
	links, second := serverLinks(), proto.AddrOf(10, 1, 0, 7)
	links[0].Addrs = append(links[0].Addrs, plan.LinkAddr{Addr: second, Mask: 0xffff0000})
	w := worldOf(t, Config{Plan: buildPlan(t, `ping-check false; shared-network s {
		subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
		subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.2.1 10.1.2.9; } }`), Links: links})
	from := func(m msg, kind dhcp.Type, a, self proto.Addr) {
		t.Helper()
		got := w.want(m, kind, a)
		if id, _ := got.options.Uint32(dhcp.OptServerID); got.packet.Src != self || proto.Addr(id) != self {
			t.Errorf("%v from %v, server identifier %v", a, got.packet.Src, proto.Addr(id))
		}
	}
	there := proto.AddrOf(10, 1, 2, 1)
	from(machine(1).asking(host(10)), dhcp.Offer, host(10), serverAddr)
	from(machine(2).asking(there), dhcp.Offer, there, second)
	from(machine(2).of(dhcp.Request).asking(there).naming(second), dhcp.Ack, there, second)
	u := machine(1).renewing(host(10))
	u.dst, u.to = second, serverMAC
	w.want(machine(1).selecting(host(10)), dhcp.Ack, host(10))
	from(u, dhcp.Ack, host(10), second)
}
