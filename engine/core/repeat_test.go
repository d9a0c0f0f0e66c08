package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto/dhcp"
)

// later lets time pass and returns what Tick sends.
func (w *world) later(ns int64) []*answer {
	w.now.Mono += ns
	return w.tick()
}

// TestLostAnswerIsSentOnceMore: an OFFER and an ACK, each of them once.
func TestLostAnswerIsSentOnceMore(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	node := machine(1).ipxe()
	node.kind = dhcp.Discover
	w.ask(node)
	if d := w.core.Deadline(); d > w.now.Mono+RepeatAfter {
		t.Errorf("wakes up after %d ns", d-w.now.Mono)
	}
	if a := w.later(RepeatAfter - 1); len(a) != 0 {
		t.Error("the OFFER was repeated too early")
	}
	if a := w.later(1); len(a) != 1 || a[0].kind != dhcp.Offer {
		t.Fatalf("the OFFER was not repeated once: %d frames", len(a))
	}
	addr := w.lease(machine(1).ipxe())
	a := w.later(RepeatAfter)
	if len(a) != 1 || a[0].kind != dhcp.Ack || a[0].yiaddr != addr {
		t.Fatalf("the ACK was not repeated once: %d frames", len(a))
	}
	if a := w.later(10 * batch.Second); len(a) != 0 || w.core.Counters().Repeats != 2 {
		t.Errorf("%d frames later, %d repeats", len(a), w.core.Counters().Repeats)
	}
}

// TestNothingIsRepeated to a node that goes on, nor what it must not be sent.
func TestNothingIsRepeated(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		do         func(w *world)
	}{
		{"a node that loads its file", "", func(w *world) {
			w.core.SetFiles(image.Build(0, "", nil))
			w.lease(machine(1).ipxe())
			w.load(rrqFrame(mac(1)))
		}},
		{"a node that asks by ARP", "", func(w *world) { w.arp(w.lease(machine(1).ipxe()), mac(1)) }},
		{"an installed system", "", func(w *world) { w.lease(machine(1)) }},
		{"switched off", "repeat-answers off;", func(w *world) { w.lease(machine(1).ipxe()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ipxeSubnet+c.conf+"}")
			c.do(w)
			if a := w.later(RepeatAfter); len(a) != 0 || w.core.Counters().Repeats != 0 {
				t.Errorf("%d frames, %d repeats", len(a), w.core.Counters().Repeats)
			}
		})
	}
}

// TestAnswerThatNoLongerStandsIsNotRepeated: the address may be another's.
func TestAnswerThatNoLongerStandsIsNotRepeated(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	addr := w.lease(machine(1).ipxe())
	w.core.table.Release(w.core.table.Find(addr), w.now)
	if a := w.later(RepeatAfter); len(a) != 0 {
		t.Errorf("%d frames", len(a))
	}
}

// TestOldestAnswerGivesWay when the ring is full, and is counted.
func TestOldestAnswerGivesWay(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	w.ask(func() msg { m := machine(1).ipxe(); m.kind = dhcp.Discover; return m }())
	r := &w.core.repeats
	frame := append([]byte(nil), r.list[r.oldest%repeatCap].frame[:400]...)
	for i := range repeatCap {
		frame[42+28+4], frame[42+28+5] = byte(i>>8)|0x80, byte(i)
		w.core.watch(frame, 0, 0, false)
	}
	if r.next-r.oldest != repeatCap || w.core.Counters().RepeatsLost != 1 {
		t.Errorf("%d watched, %d gave way", r.next-r.oldest, w.core.Counters().RepeatsLost)
	}
}
