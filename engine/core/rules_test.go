package core

import (
	"bytes"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// rule is one thing that a client needs of a DHCP server, as read from the
// clients' source or seen in captures of real boots.
type rule struct {
	name string
	conf string // "": the guide's
	run  func(t *testing.T, w *world)
}

func runRules(t *testing.T, rules []rule) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.run(t, newWorld(t, or(r.conf, guide))) })
	}
}

// TestRuleServer: what firmware and boot loaders demand of every server.
func TestRuleServer(t *testing.T) {
	runRules(t, []rule{
		{"1 the first OFFER is immediate and usable, each repetition too", "", func(t *testing.T, w *world) {
			for _, at := range []int64{0, 4, 8, 16} { // edk2 asks at 0, 4, 12 and 28 s
				w.pass(at)
				m := machine(1).firmware()
				m.secs = uint16(at)
				w.want(m, dhcp.Offer, host(2))
			}
		}},
		{"2 neither option 60 nor 43 unless the configuration has them", "", func(t *testing.T, w *world) {
			for _, a := range []*answer{w.want(machine(1).firmware(), dhcp.Offer, host(2)),
				w.want(machine(1).firmware().selecting(host(2)), dhcp.Ack, host(2))} {
				if a.options.Has(dhcp.OptVendorClass) || a.options.Has(dhcp.OptVendorSpecific) {
					t.Error("60 or 43 was sent")
				}
			}
		}},
		{"2 options 60 and 43 of the configuration go together", plain + `option vendor-class-identifier "PXEClient";
			option space PXE; option PXE.discovery-control code 6 = unsigned integer 8; option PXE.discovery-control 8;
			vendor-option-space PXE; filename "a";`, func(t *testing.T, w *world) {
			a := w.want(machine(1).firmware(), dhcp.Offer, host(10))
			if a.option(dhcp.OptVendorClass) != "PXEClient" || !bytes.HasPrefix([]byte(a.option(dhcp.OptVendorSpecific)), []byte{6, 1, 8}) {
				t.Errorf("60 %q, 43 % x", a.option(dhcp.OptVendorClass), a.option(dhcp.OptVendorSpecific))
			}
		}},
		{"3 no MTFTP options that nobody assigned", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1).firmware(), dhcp.Offer, host(2)); a.options.Has(dhcp.OptVendorSpecific) {
				t.Errorf("43: % x", a.option(dhcp.OptVendorSpecific))
			}
		}},
		{"4 the ACK repeats everything of the OFFER", "", func(t *testing.T, w *world) {
			for _, m := range []msg{machine(1).firmware(), machine(2).ipxe(), machine(3).system()} {
				o := w.ask(m)
				a := w.ask(m.selecting(o.yiaddr))
				o.raw[dhcp.OptionsOff+2] = byte(dhcp.Ack) // the message type alone may differ
				if !bytes.Equal(o.raw, a.raw) {
					t.Errorf("OFFER % x\nACK   % x", o.raw, a.raw)
				}
			}
		}},
		{"5 no NAK under load: no address", "", func(t *testing.T, w *world) {
			for n := range byte(4) {
				w.lease(machine(n + 1))
			}
			w.silent(machine(9).firmware(), batch.ReasonNoFreeAddress)
		}},
		{"6 no option overload, END always there", "", func(t *testing.T, w *world) {
			for _, m := range []msg{machine(1).firmware(), machine(2), machine(3).ipxe()} {
				if a := w.ask(m); a.options.Has(dhcp.OptOverload) || !endsWithEND(a.raw) {
					t.Error("overload, or no END")
				}
			}
		}},
		{"7 option 175.176 of the configuration reaches iPXE", plain + `option space ipxe;
			option ipxe-encap-opts code 175 = encapsulate ipxe; option ipxe.no-pxedhcp code 176 = unsigned integer 8;
			option ipxe.no-pxedhcp 1;`, func(t *testing.T, w *world) {
			if a := w.want(machine(1).ipxe(), dhcp.Offer, host(10)); !bytes.HasPrefix([]byte(a.option(175)), []byte{176, 1, 1}) {
				t.Errorf("175: % x", a.option(175))
			}
		}},
		{"8 one server port", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1), dhcp.Offer, host(2)); a.packet.SrcPort != 67 {
				t.Errorf("from port %d", a.packet.SrcPort)
			}
		}},
	})
}

// TestRuleClientSends: what the clients send, and must be answered to.
func TestRuleClientSends(t *testing.T) {
	runRules(t, []rule{
		{"iPXE: secs are no seconds and never decide", "", func(t *testing.T, w *world) {
			m := machine(1).ipxe()
			m.secs = 0xffff
			w.want(m, dhcp.Offer, host(2))
		}},
		{"edk2: a UUID of zeros is echoed, and identifies nobody", "", func(t *testing.T, w *world) {
			a, b := w.want(machine(1).firmware(), dhcp.Offer, host(2)), w.want(machine(2).firmware(), dhcp.Offer, host(3))
			if len(a.option(dhcp.OptClientUUID)) != 17 || len(b.option(dhcp.OptClientUUID)) != 17 {
				t.Error("97 is not echoed")
			}
		}},
		{"GRUB, Raspberry Pi: machines share a transaction identifier", "", func(t *testing.T, w *world) {
			a, b := machine(1), machine(2)
			a.xid, b.xid = 7, 7
			oa, ob := w.want(a, dhcp.Offer, host(2)), w.want(b, dhcp.Offer, host(3))
			if *oa.h.CHAddr() == *ob.h.CHAddr() {
				t.Error("both offers are for one machine")
			}
			w.want(b.selecting(host(2)), dhcp.Nak, 0) // it took the other's offer: never share
			w.want(a.selecting(host(2)), dhcp.Ack, host(2))
		}},
		{"iPXE 2019: the same transaction identifier on every boot", "", func(t *testing.T, w *world) {
			m := machine(1).ipxe()
			for range 5 {
				if a := w.lease(m); a != host(2) {
					t.Errorf("got %v", a)
				}
				w.pass(3)
			}
		}},
		{"U-Boot, GRUB: no parameter list, and the boot file is in the header", "", func(t *testing.T, w *world) {
			a := w.want(machine(1).with(dhcp.OptClientArch, 0, 7), dhcp.Offer, host(2))
			if a.file() != "ipxe.efi" || a.h.SIAddr() != serverAddr || !a.options.Has(dhcp.OptRouters) {
				t.Error("file, siaddr or the options that are always sent are missing")
			}
		}},
		{"Linux ip=: BOOTP without DHCP options gets no lease by accident", "", func(t *testing.T, w *world) {
			w.silent(machine(2).of(dhcp.BOOTP), batch.ReasonNotPermitted)
		}},
		{"HTTP boot: the class identifier begins with HTTPClient", plain + `if substring(option vendor-class-identifier, 0, 10) = "HTTPClient"
			{ option vendor-class-identifier "HTTPClient"; filename "http://192.168.1.1/a.efi"; }`, func(t *testing.T, w *world) {
			m := machine(1).with(dhcp.OptVendorClass, []byte("HTTPClient:Arch:00016:UNDI:003001")...).with(dhcp.OptParameterList, 60, 67)
			if a := w.want(m, dhcp.Offer, host(10)); a.option(dhcp.OptVendorClass) != "HTTPClient" || a.file() != "http://192.168.1.1/a.efi" {
				t.Errorf("60 %q, file %q", a.option(dhcp.OptVendorClass), a.file())
			}
		}},
	})
}

// TestRuleClientChecks: what the clients check before they accept a reply.
func TestRuleClientChecks(t *testing.T) {
	runRules(t, []rule{
		{"iPXE: the ACK has the chosen server and the same address", "", func(t *testing.T, w *world) {
			o := w.want(machine(1).ipxe(), dhcp.Offer, host(2))
			a := w.want(machine(1).ipxe().selecting(host(2)), dhcp.Ack, host(2))
			if o.option(dhcp.OptServerID) != a.option(dhcp.OptServerID) || a.option(dhcp.OptServerID) == "" {
				t.Error("another server identifier")
			}
		}},
		{"iPXE: siaddr is where the file is", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1).ipxe(), dhcp.Offer, host(2)); a.h.SIAddr() != serverAddr || a.file() != "refind.pxe" {
				t.Errorf("siaddr %v, file %q", a.h.SIAddr(), a.file())
			}
		}},
		{"edk2: server identifier, mask and lease time whatever is asked for", "", func(t *testing.T, w *world) {
			a := w.want(machine(1).with(dhcp.OptParameterList, 66), dhcp.Offer, host(2))
			if !a.options.Has(dhcp.OptServerID) || !a.options.Has(dhcp.OptSubnetMask) || !a.options.Has(dhcp.OptLeaseTime) {
				t.Errorf("options %v", codes(a.raw))
			}
		}},
		{"edk2, iPXE: no reply above 1472 bytes", plain + `option domain-name "` + string(bytes.Repeat([]byte{'x'}, 250)) + `";`, func(t *testing.T, w *world) {
			if a := w.want(machine(1).firmware(), dhcp.Offer, host(10)); len(a.raw) > 1472-28 {
				t.Errorf("%d bytes", len(a.raw))
			}
		}},
		{"systemd: its DUID is not what the lease is bound to", "", func(t *testing.T, w *world) {
			if a, b := w.lease(machine(1).firmware()), w.lease(machine(1).system()); a != b {
				t.Errorf("%v and %v", a, b)
			}
		}},
		{"systemd: INIT-REBOOT with an address that is gone gets a NAK at once", "", func(t *testing.T, w *world) {
			w.lease(machine(1))
			w.want(machine(2).system().rebooting(host(2)), dhcp.Nak, 0)
		}},
		{"PXE ROM: padded to 300 bytes", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1), dhcp.Offer, host(2)); len(a.raw) < 300 {
				t.Errorf("%d bytes", len(a.raw))
			}
		}},
		{"Raspberry Pi 4: no padding between the options", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1).firmware(), dhcp.Offer, host(2)); bytes.Contains(codes(a.raw), []byte{dhcp.OptPad}) {
				t.Errorf("options %v", codes(a.raw))
			}
		}},
	})
}

// TestRuleLab: what real boots showed.
func TestRuleLab(t *testing.T) {
	runRules(t, []rule{
		{"1 one machine has one lease whatever it identifies itself with", "", func(t *testing.T, w *world) {
			for range 3 { // three machines rebooted exhausted dhcpd's four addresses
				for n := range byte(3) {
					w.lease(machine(n + 1).firmware())
					w.lease(machine(n + 1).ipxe())
				}
				w.pass(60)
			}
			if free := w.core.table.Free(0); free != 1 {
				t.Errorf("%d addresses are free", free)
			}
		}},
		{"2 flags 0: straight to chaddr without ARP; 0x8000: broadcast", "", func(t *testing.T, w *world) {
			if a := w.want(machine(1).ipxe(), dhcp.Offer, host(2)); a.packet.DstMAC != mac(1) || a.packet.Dst != host(2) {
				t.Errorf("to %v %v", a.packet.DstMAC, a.packet.Dst)
			}
			if a := w.want(machine(2).firmware(), dhcp.Offer, host(3)); a.packet.DstMAC != proto.Broadcast || a.packet.Dst != proto.Limited {
				t.Errorf("to %v %v", a.packet.DstMAC, a.packet.Dst)
			}
			for _, p := range w.probes {
				if p.Op != proto.ARPRequest || p.SenderAddr != serverAddr {
					t.Errorf("ARP %+v", p)
				}
			}
		}},
		{"9 an unfinished checksum is accepted, a wrong one counted", "", func(t *testing.T, w *world) {
			f := machine(1).frame()
			f[40] ^= 1
			if a := w.frame(f); len(a) != 0 || w.core.Counters().Bad[proto.DropUDPChecksum] != 1 {
				t.Error("a wrong checksum was accepted, or not counted")
			}
			w.rx.N, w.rx.Now = 1, w.now
			w.rx.Frames[0] = batch.Frame{Data: f}
			w.core.Step(w.rx, 0, w.tx)
			if a := w.collect(); len(a) != 1 {
				t.Error("an unfinished checksum was not accepted")
			}
		}},
		{"10 a DISCOVER repeated during the conflict check is answered", "", func(t *testing.T, w *world) {
			w.want(machine(1), dhcp.Offer, host(2))
			w.want(machine(1), dhcp.Offer, host(2))
		}},
		{"10 the client's own late answer to a probe abandons nothing", "", func(t *testing.T, w *world) {
			w.lease(machine(1))
			w.arp(host(2), mac(1))
			if w.last(batch.EventConflict) != nil || w.last(batch.EventAbandoned) != nil {
				t.Error("taken for a conflict")
			}
		}},
		{"11 user class as text and as RFC 3004 has it", "", func(t *testing.T, w *world) {
			for n, class := range []string{"iPXE", "\x04iPXE"} {
				m := machine(byte(n+1)).with(dhcp.OptClientArch, 0, 7).with(dhcp.OptUserClass, []byte(class)...)
				if a := w.ask(m); a.file() != "refind.pxe" || Recognise(&w.core.options) != ClientIPXE {
					t.Errorf("%q: file %q", class, a.file())
				}
			}
		}},
		{"11 an architecture list or byte breaks nothing", "", func(t *testing.T, w *world) {
			for n, arch := range [][]byte{{0, 7, 0, 9}, {7}, {}, {0, 0, 0, 7}} {
				w.want(machine(byte(n+1)).with(dhcp.OptClientArch, arch...), dhcp.Offer, host(byte(n+2)))
			}
		}},
		{"12 not authoritative: silence to foreign INIT-REBOOT and to INFORM", "", func(t *testing.T, w *world) {
			w.silent(machine(1).rebooting(proto.AddrOf(10, 0, 0, 9)), batch.ReasonNotOurAddress)
			m := machine(1).of(dhcp.Inform)
			m.ciaddr, m.src = host(10), host(10)
			w.silent(m, batch.ReasonUnknownLease)
		}},
		{"12 authoritative: NAK to foreign, silence to unknown inside", "authoritative;" + guide, func(t *testing.T, w *world) {
			w.want(machine(1).rebooting(proto.AddrOf(10, 0, 0, 9)), dhcp.Nak, 0)
			w.silent(machine(1).rebooting(host(9)), batch.ReasonUnknownLease)
		}},
		{"13 unlike dhcpd: another server's client is left alone", "", func(t *testing.T, w *world) {
			w.silent(machine(1).of(dhcp.Request).naming(host(9)).asking(host(4)), batch.ReasonOtherServer)
		}},
		{"13 unlike dhcpd: a DECLINE from another machine has no effect", "", func(t *testing.T, w *world) {
			w.lease(machine(1))
			w.silent(machine(2).of(dhcp.Decline).asking(host(2)), batch.ReasonUnknownLease)
			w.want(machine(1).selecting(host(2)), dhcp.Ack, host(2))
		}},
		{"13 unlike dhcpd: replies are not answered", "", func(t *testing.T, w *world) {
			m := machine(1)
			m.op = dhcp.BootReply
			if w.ask(m) != nil || w.core.Counters().NotBoot != 1 {
				t.Error("answered, or not counted")
			}
		}},
	})
}

// TestProbes are the odd messages of the captures: each row says whether an
// offer comes, and if not, under which name the message is counted.
func TestProbes(t *testing.T) {
	base := machine(1)
	set := func(f func(*msg)) msg { m := machine(1); f(&m); return m }
	for _, c := range []struct {
		name string
		m    msg
		drop string // "": an offer
	}{
		{"no parameter list", base.with(dhcp.OptClientArch, 0, 7), ""},
		{"maximum size 300", base.with(dhcp.OptMaxMessageSize, 1, 44), ""},
		{"options behind pad bytes", set(func(m *msg) { m.tail = []byte{0, 0, 0, 60, 1, 'x', 255} }), ""},
		{"no END", set(func(m *msg) { m.tail = []byte{60, 1, 'x'} }), ""},
		{"option that ends behind the message", set(func(m *msg) { m.tail = []byte{60, 9, 'x'} }), "drop_dhcp_options"},
		{"options in the file field", base.with(dhcp.OptOverload, 1), ""},
		{"hlen 16", set(func(m *msg) { m.hlen = 16 }), ""},
		{"hlen 17", set(func(m *msg) { m.hlen = 17 }), "drop_dhcp_hardware"},
		{"hlen 0, no identifier", set(func(m *msg) { m.noHW = true }), "drop_dhcp_hardware"},
		{"hlen 0, empty identifier", set(func(m *msg) { m.noHW = true }).with(dhcp.OptClientID), "drop_dhcp_hardware"},
		{"hlen 0, identifier", set(func(m *msg) { m.noHW = true }).with(dhcp.OptClientID, 0, 9), ""},
		{"htype 32", set(func(m *msg) { m.htype = 32 }), ""},
		{"op 2", set(func(m *msg) { m.op = 2 }), "drop_dhcp_op"},
		{"op 9", set(func(m *msg) { m.op = 9 }), "drop_dhcp_op"},
		{"type 99", base.of(99), "drop_dhcp_type"},
		{"type of two bytes", set(func(m *msg) { m.tail = []byte{53, 1, 1, 255} }), "drop_dhcp_type"},
		{"LEASEQUERY", base.of(10), "drop_dhcp_type"},
		{"an OFFER", base.of(dhcp.Offer), "drop_dhcp_type"},
		{"requested address of three bytes", base.with(dhcp.OptRequestedAddr, 1, 2, 3), "drop_dhcp_options"},
		{"server identifier of five bytes", base.with(dhcp.OptServerID, 1, 2, 3, 4, 5), "drop_dhcp_options"},
		{"wrong cookie: BOOTP, and no address for it", set(func(m *msg) { m.cookie = 1 }), "silence"},
		{"hops 17", set(func(m *msg) { m.hops = 17 }), ""},
		{"for another host", set(func(m *msg) { m.dst = host(99) }), "drop_port"},
		{"for another station", set(func(m *msg) { m.to = mac(9) }), "drop_port"},
		{"to the directed broadcast", set(func(m *msg) { m.dst = host(255) }), ""},
		{"to a port that is not ours", set(func(m *msg) { m.dport = 68 }), "drop_port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, guide)
			a := w.ask(c.m)
			if c.drop == "" {
				if a == nil || a.kind != dhcp.Offer {
					t.Fatalf("no offer: %+v", w.last(batch.EventSilence))
				}
				return
			}
			if a != nil {
				t.Fatalf("answered %v", a.kind)
			}
			w.core.Counters().Each(func(name string, v uint64) {
				if name == c.drop && v != 1 {
					t.Errorf("%s is %d", name, v)
				}
			})
			if x := w.core.Explain(c.m.frame(), 0, w.now); c.drop != "silence" && x.Drop != c.drop {
				t.Errorf("Explain says %q", x.Drop)
			}
		})
	}
}

func TestShortMessages(t *testing.T) {
	w := newWorld(t, guide)
	payload := machine(1).payload()
	for n := range len(payload) {
		f := machine(1).frame()
		head := (*[proto.HeadersLen]byte)(f)
		proto.SetPayloadLen(head, n)
		proto.FinishUDP(head, payload[:n], nil)
		if a := w.frame(f[:proto.HeadersLen+n]); len(a) > 0 && n < dhcp.OptionsOff+3 {
			t.Fatalf("%d bytes were answered", n)
		}
	}
	if w.core.Counters().Short != dhcp.HeaderLen {
		t.Errorf("%d counted as short", w.core.Counters().Short)
	}
}
