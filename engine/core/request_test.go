package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestRequestTable is the whole of what REQUEST may be answered with, in its
// four states. Machine 1 holds .10, machine 2 is offered .11, .19 is abandoned,
// machine 7 has the fixed address .50, machine 3 has nothing. Rows are named
// after the client's claim.
func TestRequestTable(t *testing.T) {
	foreign := proto.AddrOf(10, 1, 1, 1)
	another := proto.AddrOf(192, 168, 1, 250)
	const base = `host h { hardware ethernet 02:00:00:00:0c:07; fixed-address 192.168.1.50; }
		subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.2.1 10.1.2.9; }`
	for _, c := range []struct {
		name          string
		authoritative bool
		m             msg
		kind          dhcp.Type // 0: silence
		why           batch.Reason
	}{
		{"selecting: own offer", false, machine(2).selecting(host(11)), dhcp.Ack, 0},
		{"selecting: own lease", false, machine(1).selecting(host(10)), dhcp.Ack, 0},
		{"selecting: free, never offered", false, machine(3).selecting(host(15)), dhcp.Ack, 0},
		{"selecting: leased to another", false, machine(3).selecting(host(10)), dhcp.Nak, batch.ReasonTaken},
		{"selecting: offered to another", false, machine(3).selecting(host(11)), dhcp.Nak, batch.ReasonTaken},
		{"selecting: abandoned", false, machine(3).selecting(host(19)), dhcp.Nak, batch.ReasonDuplicateAddress},
		{"selecting: in no range", false, machine(3).selecting(host(99)), 0, batch.ReasonUnknownLease},
		{"selecting: in no range, authoritative", true, machine(3).selecting(host(99)), 0, batch.ReasonUnknownLease},
		{"selecting: foreign", false, machine(3).selecting(foreign), 0, batch.ReasonNotOurAddress},
		{"selecting: foreign, authoritative", true, machine(3).selecting(foreign), dhcp.Nak, batch.ReasonNotOurAddress},
		{"selecting: another server", false, machine(2).of(dhcp.Request).naming(another).asking(host(11)), 0, batch.ReasonOtherServer},
		{"selecting: another server, authoritative", true, machine(1).of(dhcp.Request).naming(another).asking(host(10)), 0, batch.ReasonOtherServer},
		{"selecting: fixed address", false, machine(7).selecting(host(50)), dhcp.Ack, 0},
		{"selecting: not the fixed address", false, machine(7).selecting(host(15)), dhcp.Nak, batch.ReasonNotPermitted},
		{"selecting: another's fixed address", false, machine(3).selecting(host(50)), 0, batch.ReasonUnknownLease},
		{"rebooting: own lease", false, machine(1).rebooting(host(10)), dhcp.Ack, 0},
		{"rebooting: leased to another", false, machine(3).rebooting(host(10)), dhcp.Nak, batch.ReasonTaken},
		{"rebooting: free", false, machine(3).rebooting(host(16)), dhcp.Ack, 0},
		{"rebooting: abandoned", false, machine(3).rebooting(host(19)), 0, batch.ReasonUnknownLease},
		{"rebooting: in no range", true, machine(3).rebooting(host(99)), 0, batch.ReasonUnknownLease},
		{"rebooting: foreign", false, machine(3).rebooting(foreign), 0, batch.ReasonNotOurAddress},
		{"rebooting: foreign, authoritative", true, machine(3).rebooting(foreign), dhcp.Nak, batch.ReasonNotOurAddress},
		{"renewing: own lease", false, machine(1).renewing(host(10)), dhcp.Ack, 0},
		{"renewing: leased to another", false, machine(3).renewing(host(10)), dhcp.Nak, batch.ReasonTaken},
		{"renewing: in no range", true, machine(3).renewing(host(99)), 0, batch.ReasonUnknownLease},
		{"renewing: in no subnet", true, machine(3).renewing(proto.AddrOf(172, 16, 0, 1)), 0, batch.ReasonUnknownLease},
		{"renewing: fixed address", false, machine(7).renewing(host(50)), dhcp.Ack, 0},
		{"rebinding: own lease", false, machine(1).rebinding(host(10)), dhcp.Ack, 0},
		{"rebinding: leased to another", false, machine(3).rebinding(host(10)), dhcp.Nak, batch.ReasonTaken},
		{"no address at all", true, machine(3).of(dhcp.Request).naming(serverAddr), 0, batch.ReasonMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := plain + base
			if c.authoritative {
				conf = "authoritative;" + conf
			}
			w := newWorld(t, conf)
			w.lease(machine(1))
			w.want(machine(2), dhcp.Offer, host(11))
			w.lease(machine(4).asking(host(19)))
			w.ask(machine(4).of(dhcp.Decline).asking(host(19)))
			if c.kind == 0 {
				w.silent(c.m, c.why)
				return
			}
			claim := c.m.ciaddr
			for _, o := range c.m.options {
				if o.code == dhcp.OptRequestedAddr {
					claim = proto.AddrFrom((*[4]byte)(o.v))
				}
			}
			if c.kind == dhcp.Ack {
				w.want(c.m, dhcp.Ack, claim)
				return
			}
			a := w.want(c.m, dhcp.Nak, 0)
			if e := w.last(batch.EventNak); e == nil || e.Reason != c.why {
				t.Errorf("event %+v, want reason %d", e, c.why)
			}
			checkNAK(t, a)
		})
	}
}

// checkNAK: what RFC 2131 table 3 lets a NAK have, by broadcast.
func checkNAK(t *testing.T, a *answer) {
	t.Helper()
	if a.h.Flags()&dhcp.FlagBcast == 0 || a.h.CIAddr() != 0 || a.h.SIAddr() != 0 || a.file() != "" {
		t.Error("the header of the NAK says too much, or too little")
	}
	if a.packet.DstMAC != proto.Broadcast || a.packet.Dst != proto.Limited || a.packet.DstPort != 68 {
		t.Errorf("NAK to %v %v", a.packet.DstMAC, a.packet.Dst)
	}
	if a.option(dhcp.OptServerID) != "\xc0\xa8\x01\x01" || a.option(dhcp.OptMessage) == "" ||
		a.options.Has(dhcp.OptLeaseTime) || a.options.Has(dhcp.OptSubnetMask) {
		t.Error("the options of the NAK are not those of a NAK")
	}
}

// TestUnknownNetworkRequest: from a relay that no subnet is declared for.
func TestUnknownNetworkRequest(t *testing.T) {
	relay := proto.AddrOf(172, 16, 0, 1)
	w := newWorld(t, plain)
	w.silent(machine(1).rebooting(host(10)).relayed(relay), batch.ReasonNoSubnet)
	w = newWorld(t, "authoritative;"+plain)
	a := w.want(machine(1).rebooting(host(10)).relayed(relay), dhcp.Nak, 0)
	if a.packet.Dst != relay || a.packet.DstPort != 67 || a.packet.DstMAC != relayMAC || a.h.Flags()&dhcp.FlagBcast == 0 {
		t.Errorf("NAK to %v %v port %d", a.packet.DstMAC, a.packet.Dst, a.packet.DstPort)
	}
	w.silent(machine(1).rebooting(proto.AddrOf(9, 9, 9, 9)).relayed(relay), batch.ReasonNoSubnet)
}

func TestOfferIsForgottenWhenAnotherServerIsChosen(t *testing.T) {
	w := newWorld(t, guide)
	for n := range byte(4) {
		w.want(machine(n+2), dhcp.Offer, host(n+2))
	}
	w.silent(machine(9), batch.ReasonNoFreeAddress)
	w.silent(machine(3).of(dhcp.Request).naming(host(14)).asking(host(3)), batch.ReasonOtherServer)
	w.want(machine(9), dhcp.Offer, host(3))
}

func TestServerNamedByTheConfigurationOrTheRelay(t *testing.T) {
	const id = "\x0a\x00\x00\x63"
	w := newWorld(t, plain+"option dhcp-server-identifier 10.0.0.99;")
	o := w.want(machine(1), dhcp.Offer, host(10))
	if o.option(dhcp.OptServerID) != id {
		t.Errorf("server identifier %x", o.option(dhcp.OptServerID))
	}
	a := w.want(machine(1).of(dhcp.Request).naming(proto.AddrOf(10, 0, 0, 99)).asking(host(10)), dhcp.Ack, host(10))
	if a.option(dhcp.OptServerID) != id {
		t.Errorf("server identifier of the ACK %x", a.option(dhcp.OptServerID))
	}
	if n := w.want(machine(2).of(dhcp.Request).naming(proto.AddrOf(10, 0, 0, 99)).asking(host(10)), dhcp.Nak, 0); n.option(dhcp.OptServerID) != id {
		t.Errorf("server identifier of the NAK %x", n.option(dhcp.OptServerID))
	}
	w = newWorld(t, plain) // RFC 5107: the relay put its own address there
	r := host(250)
	w.want(machine(1).of(dhcp.Request).naming(r).asking(host(10)).with(dhcp.OptRelayAgent, 11, 4, 192, 168, 1, 250).relayed(r), dhcp.Ack, host(10))
	w.silent(machine(2).of(dhcp.Request).naming(r).asking(host(11)).with(dhcp.OptRelayAgent, 11, 9, 192, 168, 1, 250).relayed(r), batch.ReasonOtherServer)
}

func TestOneMachineOneLease(t *testing.T) {
	w := newWorld(t, plain)
	w.lease(machine(1))
	w.want(machine(1).rebooting(host(15)), dhcp.Ack, host(15)) // as dhcpd, but the other lease ends
	freed := w.journal[len(w.journal)-2]
	if freed.Addr != host(10) || freed.State != batch.LeaseFree || freed.Ends != w.now.Wall {
		t.Errorf("the other lease: %+v", freed)
	}
	w.want(machine(1), dhcp.Offer, host(15))
}

func TestOneLeasePerClientAcrossNetworks(t *testing.T) {
	const conf = `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
		subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.2.1 10.1.2.9; }`
	for _, c := range []struct {
		conf string
		held int
	}{{conf, 2}, {conf + "one-lease-per-client on;", 1}} {
		w := newWorld(t, c.conf)
		w.lease(machine(1))
		w.lease(machine(1).relayed(proto.AddrOf(10, 1, 0, 1)))
		held := 0
		w.core.EachLease(func(l *batch.Lease) {
			if l.State == batch.LeaseActive {
				held++
			}
		})
		if held != c.held {
			t.Errorf("%d leases, want %d", held, c.held)
		}
	}
}

func TestDenyDuplicates(t *testing.T) {
	w := newWorld(t, plain+"ignore-client-uids off; deny duplicates;")
	a := w.lease(machine(1).with(dhcp.OptClientID, 0, 1))
	b := w.lease(machine(1).with(dhcp.OptClientID, 0, 2))
	if a == b {
		t.Fatal("identifiers do not count")
	}
	if i := w.core.table.Find(a); w.core.table.At(i).State != batch.LeaseFree {
		t.Error("the lease of the other identifier is kept")
	}
}

func TestFixedAddressThatIsLeasedToAnother(t *testing.T) {
	w := newWorld(t, plain)
	w.lease(machine(1))
	fresh := New(Config{Plan: buildPlan(t, plain+`host h { hardware ethernet 02:00:00:00:0c:02; fixed-address 192.168.1.10; }`), Links: serverLinks()})
	w.core.Replace(w.now, fresh)
	w.core = fresh
	w.want(machine(2), dhcp.Offer, host(11)) // not while the other has it
	w.want(machine(1).renewing(host(10)), dhcp.Nak, 0)
	w.leap(43200)
	w.want(machine(2), dhcp.Offer, host(10))
	w.want(machine(1), dhcp.Offer, host(12))
}
