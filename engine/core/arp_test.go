package core

import (
	"math"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

func (w *world) probed() (list []byte) {
	for _, p := range w.probes {
		list = append(list, byte(p.TargetAddr))
	}
	w.probes = nil
	return list
}

func TestFreeAddressesAreProbedAheadOfDemand(t *testing.T) {
	w := newWorld(t, guide)
	w.tick()
	for _, p := range w.probes {
		if p.Op != proto.ARPRequest || p.SenderMAC != serverMAC || p.SenderAddr != serverAddr || p.TargetMAC != (proto.MAC{}) {
			t.Errorf("ARP %+v", p)
		}
	}
	if got := w.probed(); string(got) != "\x02\x03\x04\x05" {
		t.Errorf("probed %v", got)
	}
	w.pass(200)
	if got := w.probed(); len(got) != 0 {
		t.Errorf("probed again %v", got)
	}
	w.want(machine(1), dhcp.Offer, host(2)) // known to be silent: no probe with the offer
	if got := w.probed(); len(got) != 0 {
		t.Errorf("probed with the offer: %v", got)
	}
	w.pass(200)
	if got := w.probed(); string(got) != "\x03\x04\x05\x02" && string(got) != "\x03\x04\x05" {
		t.Errorf("knowledge that grew old was renewed for %v", got)
	}
}

func TestProbesAreFewAtATime(t *testing.T) {
	w := newWorld(t, `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.250; }`)
	w.tick()
	if n := len(w.probed()); n != probeBurst {
		t.Errorf("%d at once", n)
	}
	w.tick()
	if n := len(w.probed()); n != 0 {
		t.Errorf("%d more at the same moment", n)
	}
	if d := w.core.Deadline(); d != w.now.Mono+probeGap {
		t.Errorf("next at %d, want %d", d, w.now.Mono+probeGap)
	}
	for range 20 {
		w.now.Mono += probeGap
		w.tick()
	}
	if n := len(w.probed()); n != probeAhead-probeBurst {
		t.Errorf("%d in all", n+probeBurst)
	}
}

func TestProbeFillsNoMoreThanTx(t *testing.T) {
	w := newWorld(t, guide)
	for w.core.Tick(w.now, w.tx); w.tx.Room() > 0; {
		w.tx.Next().HeadLen = 0
		w.tx.Commit()
	}
	w.now.Mono += probeAgain
	w.core.Tick(w.now, w.tx)
	if d := w.core.Deadline(); d > w.now.Mono+probeGap {
		t.Error("probes that found no room are not tried again")
	}
}

func TestUnprobedAddressIsOfferedAndProbedAtOnce(t *testing.T) {
	w := newWorld(t, guide)
	w.want(machine(1), dhcp.Offer, host(2))
	if got := w.probed(); string(got) != "\x02" {
		t.Fatalf("probed %v", got)
	}
	w.arp(host(2), mac(99)) // in use, and known before the REQUEST
	if e := w.last(batch.EventAbandoned); e == nil || e.Reason != batch.ReasonDuplicateAddress || e.Addr != host(2) {
		t.Fatalf("event %+v", e)
	}
	if e := w.last(batch.EventConflict); e == nil || e.HW[5] != 99 || e.HWLen != 6 {
		t.Fatalf("event %+v", e)
	}
	w.want(machine(1).selecting(host(2)), dhcp.Nak, 0)
	w.want(machine(1), dhcp.Offer, host(3))
	if r := w.journal[0]; r.State != batch.LeaseAbandoned || r.Addr != host(2) {
		t.Errorf("record %+v", r)
	}
}

func TestNoProbes(t *testing.T) {
	for _, c := range []struct{ name, conf string }{
		{"ping-check off", plain},
		{"behind a relay", `subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.2.1 10.1.2.9; }`},
		{"no pools", `subnet 192.168.1.0 netmask 255.255.255.0 { }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			w.tick()
			w.ask(machine(1).relayed(proto.AddrOf(10, 1, 0, 1)))
			if got := w.probed(); len(got) != 0 {
				t.Errorf("probed %v", got)
			}
		})
	}
	w := newWorld(t, `subnet 192.168.1.0 netmask 255.255.255.0 { }`)
	if d := w.core.Deadline(); d != math.MaxInt64 && d != 0 {
		t.Errorf("a core without pools waits for %d", d)
	}
}

// TestARPSeen: what an ARP message from each address means in each state.
func TestARPSeen(t *testing.T) {
	offered := func(w *world) { w.ask(machine(1)) }
	leased := func(w *world) { w.lease(machine(1)) }
	former := func(w *world) { w.lease(machine(1)); w.ask(leaving(machine(1), 2)) }
	nothing := func(*world) {}
	const node = `subnet 192.168.1.0 netmask 255.255.255.240 { range 192.168.1.2 192.168.1.5; }
		host n { hardware ethernet 02:00:00:00:0c:01; hardware ethernet 02:00:00:00:0c:0a; }`
	for _, c := range []struct {
		name      string
		conf      string
		before    func(*world)
		mac       proto.MAC
		conflict  bool
		abandoned bool
		next      proto.Addr // offered to machine 3 then
	}{
		{"free, a stranger", guide, nothing, mac(99), true, false, host(3)},
		{"free, its former client", guide, former, mac(1), false, false, host(3)},
		{"free, not its former client", guide, former, mac(99), true, false, host(3)},
		{"offered, its client", guide, offered, mac(1), false, false, host(3)},
		{"offered, a stranger", guide, offered, mac(99), true, true, host(3)},
		{"leased, its client", guide, leased, mac(1), false, false, host(3)},
		{"leased, a stranger", guide, leased, mac(99), true, false, host(3)},
		{"leased, the other link of the node", node, leased, mac(10), false, false, host(3)},
		{"leased, not a link of the node", node, leased, mac(11), true, false, host(3)},
		{"ourselves", guide, nothing, serverMAC, false, false, host(2)},
		{"a group address", guide, nothing, proto.MAC{1, 0, 0, 0, 0, 1}, false, false, host(2)},
		{"ping-check off, a stranger", "ping-check false;" + `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.2 192.168.1.5; }`,
			nothing, mac(99), false, false, host(2)},
		{"ping-check off, leased, a stranger", "ping-check false;" + `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.2 192.168.1.5; }`,
			leased, mac(99), true, false, host(3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			c.before(w)
			w.events = nil
			w.arp(host(2), c.mac)
			w.arp(host(2), c.mac)
			conflicts, abandoned := 0, w.last(batch.EventAbandoned) != nil
			for _, e := range w.events {
				if e.Kind == batch.EventConflict {
					conflicts++
				}
			}
			if conflicts > 1 || conflicts == 1 != c.conflict || abandoned != c.abandoned {
				t.Errorf("%d conflicts reported, abandoned: %v", conflicts, abandoned)
			}
			w.want(machine(3), dhcp.Offer, c.next)
		})
	}
}

func TestFormerClientGetsBackWhatItUses(t *testing.T) {
	w := newWorld(t, guide)
	w.lease(machine(1))
	w.leap(7200)
	w.arp(host(2), mac(1))
	for n := range byte(3) {
		w.want(machine(n+5), dhcp.Offer, host(n+3))
	}
	w.silent(machine(9), batch.ReasonNoFreeAddress) // .2 is in use, though free
	w.want(machine(8).rebooting(host(2)), dhcp.Nak, 0)
	w.want(machine(1), dhcp.Offer, host(2))
	w.leap(600)
	w.want(machine(9), dhcp.Offer, host(3)) // after a while without a sign of life
}

func TestARPOfNoConcern(t *testing.T) {
	w := newWorld(t, guide)
	w.arp(0, mac(99))       // a probe (RFC 5227)
	w.arp(host(9), mac(99)) // in no pool
	links := append(serverLinks(), plan.Link{Name: "eth1", MAC: mac(77), Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(10, 0, 0, 1), Mask: 0xff000000}}})
	w.core.SetLinks(links)
	w.rx.N = 1
	w.rx.Frames[0] = batch.Frame{Data: arpFrame(host(2), mac(99)), Link: 1, Checksum: true}
	w.core.Step(w.rx, 0, w.tx) // on a link where that network is not
	w.collect()
	if len(w.journal) != 0 || w.last(batch.EventConflict) != nil {
		t.Error("taken for a conflict")
	}
	if w.core.Counters().ARP != 3 {
		t.Errorf("%d ARP messages counted", w.core.Counters().ARP)
	}
}

// TestMachinesThatRunWithoutALease: the journal of another server was not taken
// over, and the four machines of the guide are up. Each gets its own back.
func TestMachinesThatRunWithoutALease(t *testing.T) {
	w := newWorld(t, guide)
	w.tick()
	for n := range byte(4) {
		w.arp(host(5-n), mac(n+1))
	}
	w.silent(machine(9), batch.ReasonNoFreeAddress)
	for n := range byte(4) {
		if a := w.lease(machine(n + 1).firmware()); a != host(5-n) {
			t.Errorf("machine %d got %v, it used %v", n+1, a, host(5-n))
		}
	}
	if w.last(batch.EventAbandoned) != nil {
		t.Error("an address was taken out of service")
	}
}

// TestProxyARP: a router that answers for every address must not empty the pool.
func TestProxyARP(t *testing.T) {
	for _, c := range []struct {
		name string
		conf string
		last byte
	}{
		{"of four", guide, 5},
		{"of a hundred", `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.2 192.168.1.101; }`, 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			router := mac(200)
			for round := range 3 {
				w.pass(300)
				for a := byte(2); a <= c.last; a++ {
					w.arp(host(a), router)
				}
				m := machine(byte(round))
				o := w.ask(m)
				if o == nil || o.kind != dhcp.Offer {
					t.Fatal("no offer")
				}
				w.arp(o.yiaddr, router)
				w.want(m.selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
			}
			if n := w.core.Counters().Conflicts; n == 0 || n > maxClaims+1 {
				t.Errorf("%d conflicts reported", n)
			}
		})
	}
}
