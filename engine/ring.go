package engine

import (
	"sync/atomic"

	"bootstorm/engine/batch"
)

// noteText is how much of the text of a log statement is kept, in bytes.
const noteText = 192

// note is an event with the text that it refers to.
type note struct {
	batch.Event
	text    [noteText]byte
	textLen uint8
}

// notes is a queue of events between the worker and the observer. All memory is
// allocated at start and neither side waits: when it is full, events are counted
// and dropped. Observation never slows service.
type notes struct {
	list []note
	poke chan struct{} // one token: something is there
	lost atomic.Uint64
	head atomic.Uint64 // next to take; written by the observer
	_    [56]byte      // the two sides keep to cache lines of their own
	tail atomic.Uint64 // next free; written by the worker
}

// notesCap is a power of two: about a second of the wildest storm.
const notesCap = 8192

// newNotes allocates the queue.
func newNotes() *notes {
	r := &notes{list: make([]note, notesCap), poke: make(chan struct{}, 1)}
	clear(r.list) // the first storm finds the pages there
	return r
}

// cheap are the events that anybody can cause by a single message. Of a flood of
// them half of the queue is kept free for what a boot leaves behind.
var cheap = [batch.EventKinds]bool{batch.EventDiscover: true, batch.EventOffer: true, batch.EventRequest: true, batch.EventNak: true,
	batch.EventInform: true, batch.EventSilence: true, batch.EventConflict: true, batch.EventTransferStart: true,
	batch.EventTransferError: true, batch.EventNotFound: true, batch.EventRefused: true, batch.EventFull: true}

// put copies a batch of events. Worker only.
func (r *notes) put(e *batch.Events) {
	head, tail := r.head.Load(), r.tail.Load()
	room := int(notesCap - (tail - head))
	n := 0
	// 128 bytes are copied per event; the text only for the one kind that has
	// any.
	for i := range e.List[:e.N] {
		from := &e.List[i]
		if n == room || room-n <= notesCap/2 && cheap[from.Kind] {
			continue
		}
		to := &r.list[(tail+uint64(n))%notesCap]
		n++
		to.Event, to.textLen = *from, 0
		if to.Kind == batch.EventLog {
			to.textLen = uint8(copy(to.text[:], logText(e, from)))
		}
	}
	r.tail.Store(tail + uint64(n))
	if n < e.N {
		r.lost.Add(uint64(e.N - n))
	}
	if head == tail { // the observer may be asleep
		select {
		case r.poke <- struct{}{}:
		default:
		}
	}
}

// logText returns the text of an EventLog, empty if it was cut off.
func logText(e *batch.Events, v *batch.Event) []byte {
	lo, hi := int(v.Value), int(v.Value)+int(v.Extra)
	if lo < 0 || hi < lo || hi > e.Used || e.Used > len(e.Text) {
		return nil
	}
	return e.Text[lo:hi]
}

// take calls f with each waiting event. Observer only.
func (r *notes) take(f func(*note)) {
	for head := r.head.Load(); head != r.tail.Load(); head++ {
		f(&r.list[head%notesCap])
		r.head.Store(head + 1)
	}
}
