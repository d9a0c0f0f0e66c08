package core

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestHoldAgainstQueue compares the ring with a slice over many random pushes
// and pops, so that entries run over its end at every offset.
func TestHoldAgainstQueue(t *testing.T) {
	type entry struct {
		seq   uint64
		link  uint8
		frame []byte
	}
	var queue []entry
	h := newHold(4096)
	rnd := rand.New(rand.NewPCG(1, 2))
	var m batch.Message
	for seq := uint64(1); seq < 20000; seq++ {
		frame := bytes.Repeat([]byte{byte(seq)}, 1+rnd.IntN(batch.HeadCap))
		for !h.fits(len(frame)) {
			e := queue[0]
			queue = queue[1:]
			if h.due(e.seq-1) || !h.due(e.seq) {
				t.Fatalf("entry %d is not due when it should be", e.seq)
			}
			h.pop(&m)
			if m.Link != e.link || !bytes.Equal(m.Head[:m.HeadLen], e.frame) {
				t.Fatalf("entry %d came out changed", e.seq)
			}
		}
		h.push(seq, uint8(seq), false, frame)
		queue = append(queue, entry{seq, uint8(seq), frame})
		if h.n != len(queue) {
			t.Fatalf("%d entries, want %d", h.n, len(queue))
		}
	}
}

func TestSmallestHoldTakesOneFrame(t *testing.T) {
	if h := newHold(1); !h.fits(batch.HeadCap) || h.due(1<<63) {
		t.Error("a ring of no size holds nothing")
	}
}

func TestACKWaitsForItsRecord(t *testing.T) {
	w := newWorld(t, plain)
	w.slow = true
	for n := range byte(3) {
		w.want(machine(n), dhcp.Offer, host(10+n)) // an offer never waits
		if a := w.ask(machine(n).selecting(host(10 + n))); a != nil {
			t.Fatalf("%v left before its record was on disk", a.kind)
		}
	}
	if a := w.ask(machine(0).selecting(host(10))); a != nil { // a retry does not get round it
		t.Fatalf("%v left before its record was on disk", a.kind)
	}
	if len(w.journal) != 3 || w.core.Held() != 4 {
		t.Fatalf("%d records, %d held", len(w.journal), w.core.Held())
	}
	for i, seq := range []uint64{0, 1, 1, 2, 3} {
		more := w.core.Durable(seq, w.tx)
		got := w.drain(nil)
		if more {
			t.Fatal("more with an empty tx")
		}
		switch want := [][]byte{{}, {10}, {}, {11}, {12, 10}}[i]; {
		case len(got) != len(want):
			t.Fatalf("%d ACKs at record %d, want %d", len(got), seq, len(want))
		default:
			for k, a := range got {
				if a.kind != dhcp.Ack || a.yiaddr != host(want[k]) {
					t.Errorf("%v %v at record %d", a.kind, a.yiaddr, seq)
				}
			}
		}
	}
	if a := w.ask(machine(0).selecting(host(10))); a == nil || len(w.journal) != 3 {
		t.Error("a retry after the sync waits, or writes again")
	}
}

func TestDurableStopsWhenTxIsFull(t *testing.T) {
	w := newWorld(t, `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.250; }`)
	w.slow = true
	const n = batch.TxCap + 5
	for i := range byte(n) {
		w.ask(machine(i).rebooting(host(10 + i)))
	}
	if !w.core.Durable(n, w.tx) || w.tx.N != batch.TxCap {
		t.Fatalf("%d in tx", w.tx.N)
	}
	w.drain(nil)
	if w.core.Durable(n, w.tx) || w.tx.N != 5 {
		t.Errorf("%d in tx the second time", w.tx.N)
	}
}

func TestFullHoldLeavesTheClientToRetry(t *testing.T) {
	w := worldOf(t, Config{Plan: buildPlan(t, plain), Links: serverLinks(), HoldBytes: 1})
	w.slow = true
	fit := 0
	for n := range byte(9) {
		w.ask(machine(n))
		w.ask(machine(n).selecting(host(10 + n)))
		if e := w.last(batch.EventFull); e != nil {
			if e.Reason != batch.ReasonHoldFull || e.Addr != host(10+n) {
				t.Errorf("event %+v", e)
			}
			break
		}
		fit++
	}
	if fit < 2 || fit > 5 || len(w.journal) != fit || w.core.Counters().HoldFull != 1 {
		t.Fatalf("%d fit, %d records", fit, len(w.journal))
	}
	w.slow = false
	w.sync(nil)
	w.want(machine(byte(fit)).selecting(host(10+byte(fit))), dhcp.Ack, host(10+byte(fit)))
}

func TestStepStopsWhenTxIsFull(t *testing.T) {
	w := newWorld(t, guide)
	w.rx.Now, w.rx.N = w.now, 4
	for i := range w.rx.N {
		w.rx.Frames[i] = batch.Frame{Data: machine(byte(i)).frame(), Checksum: true}
	}
	for w.tx.Room() > 2*frameRoom {
		w.tx.Next().HeadLen = 0
		w.tx.Commit()
	}
	next := w.core.Step(w.rx, 0, w.tx)
	if next == 0 || next == 4 {
		t.Fatalf("stopped at %d", next)
	}
	w.tx.Sent(w.tx.N)
	if next = w.core.Step(w.rx, next, w.tx); next != 4 {
		t.Errorf("stopped again at %d", next)
	}
	if w.core.Counters().Discover != 4 {
		t.Errorf("%d messages handled", w.core.Counters().Discover)
	}
}

// TestJournalThatTakesNothing: requests are left unanswered, everything else
// goes on, and nothing is stuck.
func TestJournalThatTakesNothing(t *testing.T) {
	w := worldOf(t, Config{Links: serverLinks(), Plan: buildPlan(t, `ping-check false;
		subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.1.0 10.0.2.255; }
		subnet 192.168.1.0 netmask 255.255.255.0 { }`)})
	step := func(m msg) {
		w.rx.Now, w.rx.N = w.now, 1
		w.rx.Frames[0] = batch.Frame{Data: m.frame(), Checksum: true}
		if w.core.Step(w.rx, 0, w.tx) != 1 {
			t.Fatal("Step is stuck")
		}
		w.tx.Sent(w.tx.N)
	}
	relay, first := proto.AddrOf(10, 0, 0, 1), proto.AddrOf(10, 0, 1, 0)
	for i := range 300 {
		m := machine(0)
		m.mac[3], m.mac[4] = byte(i>>8), byte(i)
		step(m.rebooting(first + proto.Addr(i)).relayed(relay))
	}
	if n := w.core.Leases().N; n > batch.LeaseCap || n < batch.LeaseCap-recordRoom {
		t.Errorf("%d records in the batch", n)
	}
	if w.core.Counters().NoJournal == 0 {
		t.Error("nothing was refused")
	}
	before := w.core.Counters().Offer
	step(machine(99).relayed(relay))
	if w.core.Counters().Offer != before+1 {
		t.Error("no offers without the journal")
	}
	w.now.Mono += 100_000 * batch.Second
	w.core.Tick(w.now, w.tx)
	if w.core.Counters().Expired != 0 {
		t.Error("leases ended without their record")
	}
	w.collect()
	w.tick()
	w.tick()
	if w.core.Counters().Expired == 0 {
		t.Error("leases do not end when the journal is back")
	}
}

// TestHeldACKIsOvertaken: while the disk lags the lease ends, or changes; the
// acknowledgement that waits must not leave.
func TestHeldACKIsOvertaken(t *testing.T) {
	take := func(n byte) msg { return machine(n).rebooting(host(10)) }
	for _, c := range []struct {
		name string
		then func(w *world)
		want []byte // machines that get an ACK
	}{
		{"nothing happens", func(w *world) {}, []byte{1}},
		{"released", func(w *world) { w.ask(leaving(machine(1), 10)) }, nil},
		{"declined", func(w *world) { w.ask(machine(1).of(dhcp.Decline).asking(host(10))) }, nil},
		{"ended", func(w *world) { w.leap(43200) }, nil},
		{"ended, and another's", func(w *world) { w.leap(43200); w.ask(take(2)) }, []byte{2}},
		{"ended, and its own again", func(w *world) { w.leap(43200); w.ask(take(1)) }, []byte{1}},
		{"given up for another address", func(w *world) { w.ask(machine(1).rebooting(host(12))) }, []byte{1}},
		{"asked again", func(w *world) { w.ask(take(1)) }, []byte{1, 1}},
		{"asked again, with another record", func(w *world) { w.ask(take(1).with(dhcp.OptHostName, 'x')) }, []byte{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain)
			w.slow = true
			w.ask(take(1))
			c.then(w)
			got := w.sync(nil)
			if len(got) != len(c.want) {
				t.Fatalf("%d ACKs, want %d", len(got), len(c.want))
			}
			for k, a := range got {
				if a.h.CHAddr()[5] != c.want[k] {
					t.Errorf("ACK %d is for machine %d", k, a.h.CHAddr()[5])
				}
			}
			if gone := int(w.core.Counters().Ack) - len(got); int(w.core.Counters().Overtaken) != gone {
				t.Errorf("%d counted as overtaken, want %d", w.core.Counters().Overtaken, gone)
			}
		})
	}
}
