package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

func TestInform(t *testing.T) {
	const conf = "authoritative; option domain-name \"x\"; default-lease-time 99; option dhcp-renewal-time 10; option dhcp-rebinding-time 20;" + plain
	relay := host(200)
	at := func(ciaddr, src proto.Addr) msg {
		m := machine(1).of(dhcp.Inform)
		m.ciaddr, m.src = ciaddr, src
		return m
	}
	relayed := func(m msg) msg { c := m.ciaddr; m = m.relayed(relay); m.ciaddr = c; return m }
	for _, c := range []struct {
		name  string
		m     msg
		mac   proto.MAC
		addr  proto.Addr
		port  uint16
		bcast bool
	}{
		{"address in ciaddr", at(host(77), host(77)), mac(1), host(77), 68, false},
		{"address only in the IP header", at(0, host(77)), mac(1), host(77), 68, false},
		{"through a relay with ciaddr", relayed(at(host(77), 0)), relayMAC, host(77), 68, false},
		{"through a relay without", relayed(at(0, 0)), relayMAC, relay, 67, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, conf)
			a := w.want(c.m, dhcp.Ack, 0)
			if p := &a.packet; p.DstMAC != c.mac || p.Dst != c.addr || p.DstPort != c.port || a.h.CIAddr() != c.m.ciaddr {
				t.Errorf("to %v %v port %d", p.DstMAC, p.Dst, p.DstPort)
			}
			if a.options.Has(dhcp.OptLeaseTime) || a.options.Has(dhcp.OptRenewalTime) || a.options.Has(dhcp.OptRebindingTime) || a.option(15) != "x" || !a.options.Has(dhcp.OptServerID) || !a.options.Has(dhcp.OptSubnetMask) {
				t.Errorf("options %v", codes(a.raw))
			}
			if (a.h.Flags()&dhcp.FlagBcast != 0) != c.bcast {
				t.Errorf("flags %x", a.h.Flags())
			}
			if len(w.journal) != 0 {
				t.Error("a record was written")
			}
		})
	}
	w := newWorld(t, conf)
	w.silent(at(0, 0), batch.ReasonMalformed)
	w.silent(relayed(machine(1).of(dhcp.Inform)).relayed(proto.AddrOf(9, 9, 9, 9)), batch.ReasonNoSubnet)
}

func TestBOOTP(t *testing.T) {
	const conf = `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 {
		pool { range dynamic-bootp 192.168.1.10 192.168.1.11; } range 192.168.1.20 192.168.1.29; filename "b"; }
		host h { hardware ethernet 02:00:00:00:0c:07; fixed-address 192.168.1.50; option host-name "seven"; }`
	w := newWorld(t, conf)
	bootp := func(n byte) msg { return machine(n).of(dhcp.BOOTP) }
	a := w.want(bootp(7), dhcp.BOOTP, host(50))
	if a.options.Has(dhcp.OptMessageType) || a.option(dhcp.OptHostName) != "seven" || a.file() != "b" || a.h.SIAddr() != serverAddr {
		t.Errorf("reply with options %v, file %q, siaddr %v", codes(a.raw), a.file(), a.h.SIAddr())
	}
	if a.packet.DstMAC != mac(7) || a.packet.DstPort != 68 || len(a.raw) != 300 {
		t.Errorf("to %v, %d bytes", a.packet.DstMAC, len(a.raw))
	}
	w.want(bootp(1), dhcp.BOOTP, host(10))
	if r := w.journal[0]; r.Ends != batch.Forever || r.State != batch.LeaseActive || r.Addr != host(10) {
		t.Errorf("record %+v", r)
	}
	w.want(bootp(1), dhcp.BOOTP, host(10))
	if len(w.journal) != 1 {
		t.Error("the repetition wrote another record")
	}
	w.leap(1 << 30)
	w.want(bootp(2), dhcp.BOOTP, host(11))
	w.silent(bootp(3), batch.ReasonNoFreeAddress)
	old := bootp(1)
	old.bare = true
	if a := w.want(old, dhcp.BOOTP, host(10)); len(a.raw) != 300 || string(a.raw[236:240]) != "\x00\x00\x00\x00" {
		t.Errorf("plain BOOTP got % x", a.raw[236:])
	}
	w = newWorld(t, conf+"dynamic-bootp-lease-length 600;")
	w.want(bootp(1), dhcp.BOOTP, host(10))
	if r := w.journal[0]; r.Ends-r.Starts != 600 {
		t.Errorf("a lease of %d s", r.Ends-r.Starts)
	}
	w = newWorld(t, conf+"deny bootp;")
	w.silent(bootp(7), batch.ReasonDenied)
	w = newWorld(t, conf+"always-reply-rfc1048 on;")
	if a := w.want(old, dhcp.BOOTP, host(10)); string(a.raw[236:240]) != "\x63\x82\x53\x63" {
		t.Error("always-reply-rfc1048 has no effect")
	}
}

func TestPXEBootServer(t *testing.T) {
	class := []byte("PXEClient:Arch:00007:UNDI:003016")
	item := []byte{71, 4, 0x80, 0, 0, 0, 255}
	ask := func(n byte, a proto.Addr) msg {
		m := machine(n).of(dhcp.Request).with(dhcp.OptVendorClass, class...).with(dhcp.OptClientArch, 0, 7).
			with(dhcp.OptVendorSpecific, item...).with(dhcp.OptClientUUID, make([]byte, 17)...)
		m.ciaddr, m.src, m.dst, m.dport = a, a, serverAddr, proto.PortPXE
		return m
	}
	w := newWorld(t, guide)
	w.lease(machine(1).firmware())
	a := w.want(ask(1, host(2)), dhcp.Ack, 0)
	if a.packet.SrcPort != proto.PortPXE || a.packet.DstPort != 68 || a.packet.Dst != host(2) || a.packet.DstMAC != mac(1) {
		t.Errorf("to %v %v port %d from %d", a.packet.DstMAC, a.packet.Dst, a.packet.DstPort, a.packet.SrcPort)
	}
	if a.file() != "ipxe.efi" || a.h.SIAddr() != serverAddr || a.h.CIAddr() != host(2) || a.option(dhcp.OptVendorClass) != "PXEClient" ||
		a.option(dhcp.OptVendorSpecific) != string(item) || !a.options.Has(dhcp.OptServerID) || !a.options.Has(dhcp.OptClientUUID) ||
		a.options.Has(dhcp.OptLeaseTime) {
		t.Errorf("file %q, options %v", a.file(), codes(a.raw))
	}
	if len(w.journal) != 1 {
		t.Error("a record was written")
	}
	w.silent(ask(2, host(2)), batch.ReasonUnknownLease)
	w.silent(ask(2, host(5)), batch.ReasonUnknownLease)
	w.silent(ask(1, 0), batch.ReasonMalformed)
	other := machine(1).of(dhcp.Request)
	other.dport, other.ciaddr = proto.PortPXE, host(2)
	w.silent(other, batch.ReasonMalformed)
	w = newWorld(t, plain+`filename "f"; host h { hardware ethernet 02:00:00:00:0c:07; fixed-address 192.168.1.50; }`)
	if a := w.want(ask(7, host(50)), dhcp.Ack, 0); a.file() != "f" {
		t.Errorf("a host with a fixed address gets the file %q", a.file())
	}
}
