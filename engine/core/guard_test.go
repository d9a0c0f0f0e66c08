package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// madeUp is a machine that nobody has.
func madeUp(n int) msg {
	m := machine(0)
	m.mac = proto.MAC{0x0e, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0x66}
	return m
}

// checked fails the test if the lease table is not sound.
func (w *world) checked() {
	w.t.Helper()
	if wrong := w.core.table.Check(); wrong != "" {
		w.t.Fatal(wrong)
	}
}

// flood sends DISCOVERs of made-up machines, spread over some milliseconds.
func (w *world) flood(from, n int, millis int64) {
	for i := range n {
		if i%max(n/int(max(millis, 1)), 1) == 0 {
			w.now.Mono += batch.Millisecond
			w.tick()
		}
		w.frame(madeUp(from + i).frame())
	}
}

// Clients that had a lease before boot beside a flood, each with the address
// that it had, and from the first message on.
func TestTenantsBootBesideAFlood(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		nodes      byte
	}{{"pool of exactly the nodes, the guide's", guide, 4}, {"pool with room", plain, 5}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			had := map[byte]proto.Addr{}
			for n := range c.nodes {
				had[n] = w.lease(machine(n + 2))
			}
			w.leap(8000) // all of them over
			for round := range 3 {
				for n := range c.nodes {
					w.flood((round*256+int(n))*2000, 2000, 100)
					w.want(machine(n+2), dhcp.Offer, had[n])
					w.flood((round*256+int(n))*2000+1000, 1000, 5)
					w.want(machine(n+2).selecting(had[n]), dhcp.Ack, had[n])
					w.checked()
				}
				w.leap(8000)
			}
		})
	}
}

// Leases in force are renewed as if there were no flood.
func TestLeasesLastThroughAFlood(t *testing.T) {
	w := newWorld(t, guide)
	a := w.lease(machine(2))
	for i := range 20 {
		w.flood(i*500, 500, 1000)
		w.want(machine(2).renewing(a), dhcp.Ack, a)
		w.want(machine(2), dhcp.Offer, a)
	}
	w.checked()
}

// A declared host that never had a lease gets an address that the flood was
// offered; one with a fixed address has it anyway.
func TestDeclaredHostsBootBesideAFlood(t *testing.T) {
	w := newWorld(t, guide+`host fixed { hardware ethernet 02:00:00:00:0c:05; fixed-address 192.168.1.9; }`)
	w.flood(0, 5000, 10)
	o := w.ask(machine(1)) // declared in the guide, without an address
	if o == nil || o.kind != dhcp.Offer {
		t.Fatal("no offer to the declared host")
	}
	w.flood(5000, 5000, 10)
	w.want(machine(1).selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	w.want(machine(5), dhcp.Offer, host(9))
	w.want(machine(5).selecting(host(9)), dhcp.Ack, host(9))
	if w.core.count.TakenBack == 0 {
		t.Error("no offer was taken back")
	}
	w.checked()
}

// A stranger waits at most looseHold, not the time of an offer, once the flood
// has ended; its own offer holds as long.
func TestOffersToStrangersAreShortWhenOthersAsk(t *testing.T) {
	w := newWorld(t, guide)
	w.flood(0, 4, 1)
	w.silent(machine(7), batch.ReasonNoFreeAddress)
	w.pass(14)
	w.silent(machine(7), batch.ReasonNoFreeAddress)
	w.pass(1)
	o := w.ask(machine(7))
	if o == nil || o.kind != dhcp.Offer {
		t.Fatal("still no offer after 15 s")
	}
	w.flood(10, 100, 5)
	w.pass(8) // the first REQUEST was lost
	w.want(machine(7).selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	w.checked()
}

// What was never leased is given away first, also after the flood went over it.
func TestStrangersGetTenantsAddressesLast(t *testing.T) {
	w := newWorld(t, plain) // ten addresses
	for n := range byte(3) {
		w.lease(machine(n + 2)) // 10 to 12
	}
	w.leap(50_000)
	w.flood(0, 7, 1)
	w.leap(200) // offered, and free again: all of the other seven
	for i := range 7 {
		if o := w.ask(madeUp(100 + i)); o == nil || o.yiaddr <= host(12) {
			t.Fatalf("offer %d: %+v", i, o)
		}
	}
	if o := w.ask(madeUp(200)); o == nil || o.yiaddr > host(12) {
		t.Error("an eighth stranger gets no address though three are free")
	}
}

// Switched off, offers are held for two minutes, whoever has them.
func TestKnownClientsFirstOff(t *testing.T) {
	w := newWorld(t, "known-clients-first off;"+guide)
	a := w.lease(machine(2))
	w.leap(8000)
	w.flood(0, 5000, 10)
	w.silent(machine(1), batch.ReasonNoFreeAddress)
	w.silent(machine(2), batch.ReasonNoFreeAddress)
	w.leap(130)
	w.want(machine(2), dhcp.Offer, a) // what it had is remembered all the same
}

// One machine that repeats itself without end is answered as often as its rate
// allows, and reported once.
func TestRateLimitOfASender(t *testing.T) {
	w := newWorld(t, plain)
	answered := 0
	for i := range 10_000 {
		if i%10 == 0 {
			w.now.Mono += 10 * batch.Millisecond // 10 s in all
		}
		if w.ask(machine(2)) != nil {
			answered++
		}
	}
	if answered < 64+78 || answered > 64+80 || w.core.count.Excess != uint64(10_000-answered) {
		t.Errorf("%d answered, %d dropped", answered, w.core.count.Excess)
	}
	told := 0
	for i := range w.events {
		if e := &w.events[i]; e.Kind == batch.EventExcess {
			if told++; proto.MAC(e.HW[:6]) != machine(2).mac || e.Value != 8 || e.Extra != 67 {
				t.Errorf("%+v", e)
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if w.ask(machine(3)) == nil {
		t.Error("another machine is not answered")
	}
}

// A whole boot in which everything is lost until the last try stays far below
// the limit: firmware, iPXE, GRUB and the system, one upon the other.
func TestRateLimitLeavesRetriesAlone(t *testing.T) {
	w := newWorld(t, plain)
	at := func(base int64, seconds ...float64) {
		for _, s := range seconds {
			w.now.Mono = base + int64(s*float64(batch.Second))
			w.frame(machine(2).frame())
			w.frame(machine(2).frame()) // and each of them twice, by a bond that duplicates
		}
	}
	start := w.now.Mono
	for range 3 { // without a pause between the stages
		at(start, 0, 4, 12, 28, 32, 40, 56)                   // edk2
		start = w.now.Mono                                    //
		at(start, 0, 1, 3, 7, 7, 7.25, 7.75, 8.75, 10.75, 14) // iPXE
		start = w.now.Mono
		at(start, 0, .4, 1.2, 2.8, 6, 6.4, 7.2, 8.8, 12) // GRUB
		start = w.now.Mono
		at(start, .25, .75, 1.75, 3.75, 7.75, 15.75) // U-Boot
		start = w.now.Mono
	}
	if w.core.count.Excess != 0 {
		t.Errorf("%d of %d messages dropped", w.core.count.Excess, w.core.count.Discover)
	}
}

// Made-up conflicts do not empty a pool, are told once, and cost no known client
// its boot.
func TestMadeUpConflicts(t *testing.T) {
	w := newWorld(t, `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.41; } default-lease-time 600;`) // 32 addresses, ping-check
	had := w.lease(machine(2))
	w.leap(5000)
	for i := range 20_000 {
		w.now.Mono += batch.Millisecond / 10
		w.arp(host(byte(10+i%32)), madeUp(i).mac)
	}
	lost := 0
	for i := range w.core.table.Len() {
		if s := w.core.table.At(i); s.State == batch.LeaseAbandoned || heardLately(s, w.now.Mono) {
			lost++
		}
	}
	if lost > leastDoubts || w.core.count.Doubtful == 0 {
		t.Errorf("%d of 32 addresses are out of service, %d conflicts were not believed", lost, w.core.count.Doubtful)
	}
	told := 0
	for i := range w.events {
		if w.events[i].Kind == batch.EventDoubtful {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if o := w.ask(machine(2)); o == nil || o.kind != dhcp.Offer {
		t.Fatalf("no offer to the client that had %v", had)
	}
	w.checked()
}

// The same against every offer, and with DECLINEs of machines that do not exist.
func TestMadeUpConflictsOfOffersAndDeclines(t *testing.T) {
	w := newWorld(t, guide)
	for n := range byte(4) {
		w.lease(machine(n + 2))
	}
	w.leap(8000)
	for i := range 2000 {
		w.now.Mono += 20 * batch.Millisecond
		if o := w.ask(madeUp(i)); o != nil && o.kind == dhcp.Offer {
			if i%2 == 0 {
				w.arp(o.yiaddr, madeUp(i+50_000).mac)
			} else {
				w.ask(madeUp(i).of(dhcp.Decline).naming(serverAddr).asking(o.yiaddr))
			}
			w.checked()
		}
	}
	if n := w.core.count.Abandoned; n > leastDoubts {
		t.Errorf("%d addresses abandoned", n)
	}
	for n := range byte(4) { // whichever address: some have lost theirs to conflicts that were believed
		o := w.ask(machine(n + 2))
		if o == nil || o.kind != dhcp.Offer {
			t.Fatalf("no offer for node %d: %+v", n, w.last(batch.EventSilence))
		}
		w.want(machine(n+2).selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	}
	w.checked()
}

// A flood of everything: nothing is allocated, and events stay within their batch.
func TestFloodIsFlat(t *testing.T) {
	w := newWorld(t, guide)
	w.flood(0, 60_000, 1000)
	e := w.core.events
	if e.Lost != 0 {
		t.Errorf("%d events lost though they were taken after each frame", e.Lost)
	}
	if n := w.core.count; n.Discover != 60_000 || n.Records != 0 {
		t.Errorf("%d DISCOVERs handled, %d records", n.Discover, n.Records)
	}
	w.checked()
}
