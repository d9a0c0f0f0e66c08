package engine

import (
	"testing"

	"bootstorm/engine/batch"
)

func TestNotes(t *testing.T) {
	r := newNotes()
	var e batch.Events
	fillEvents := func(n int, from int64) {
		e.Reset()
		for i := range n {
			e.Add(batch.EventAck, from+int64(i))
		}
	}
	next := int64(0)
	for range 3 * notesCap / 500 { // around the ring
		fillEvents(500, next)
		r.put(&e)
		r.take(func(n *note) {
			if n.At != next {
				t.Fatalf("event %d, want %d", n.At, next)
			}
			next++
		})
	}
	fillEvents(1000, 0)
	for range 10 {
		r.put(&e)
	}
	if got := r.lost.Load(); got != 10000-notesCap {
		t.Errorf("%d lost", got)
	}
	taken := 0
	r.take(func(*note) { taken++ })
	if taken != notesCap || len(r.poke) != 1 {
		t.Errorf("%d taken, %d tokens", taken, len(r.poke))
	}
}

// TestNotesKeepRoom: a flood of messages that cost their senders nothing leaves
// room for what a boot does.
func TestNotesKeepRoom(t *testing.T) {
	r := newNotes()
	var e batch.Events
	for range 20 * notesCap / 1000 { // nobody takes any
		e.Reset()
		for range 500 {
			e.Add(batch.EventDiscover, 1)
			e.Add(batch.EventOffer, 1)
		}
		r.put(&e)
	}
	e.Reset()
	for range 500 {
		e.Add(batch.EventDiscover, 1)
		e.Add(batch.EventAck, 2)
	}
	r.put(&e)
	kinds := map[batch.EventKind]int{}
	r.take(func(n *note) { kinds[n.Kind]++ })
	if kinds[batch.EventAck] != 500 || kinds[batch.EventDiscover]+kinds[batch.EventOffer] != notesCap/2 {
		t.Errorf("%v", kinds)
	}
}

// TestNotesText copies the texts of log statements, and none that lies outside.
func TestNotesText(t *testing.T) {
	r := newNotes()
	var e batch.Events
	e.Used = copy(e.Text[:], "hello world")
	for _, span := range [][2]int64{{6, 5}, {0, 5}, {6, 6}, {-1, 3}, {0, 1 << 31}} {
		v := e.Add(batch.EventLog, 0)
		v.Value, v.Extra = span[0], uint32(span[1])
	}
	r.put(&e)
	want := []string{"world", "hello", "", "", ""}
	r.take(func(n *note) {
		if got := string(n.text[:n.textLen]); got != want[0] {
			t.Errorf("%q, want %q", got, want[0])
		}
		want = want[1:]
	})
}
