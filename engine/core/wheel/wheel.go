// Package wheel holds the timers of one worker: a hierarchical timing wheel
// over a fixed set of timer numbers (Varghese and Lauck, SOSP 1987). All memory
// is allocated by New; no operation allocates, reads a clock or looks at more
// timers than it must.
//
// Time is an argument, in nanoseconds since an arbitrary start. A tick is only
// how timers are grouped: each keeps its exact deadline, so none fires early
// and none waits for the end of its tick.
package wheel

import (
	"math"
	"math/bits"
)

// none ends a list and marks a timer that is not armed.
const none int32 = -1

// node is one timer. Lists are doubly linked by timer number.
type node struct {
	at         int64 // deadline, ns
	next, prev int32
	list       int32 // index into Wheel.heads, none if not armed
}

// Wheel is a set of timers. It has one owner and is not safe for concurrent
// use.
//
// Level 0 has one list per tick, level k one per slots^k ticks. A timer stands
// at the level of the highest digit (base slots) in which its tick differs from
// the cursor's, at that digit: so every list lies ahead of the cursor, the
// lowest level in use holds the earliest timers, and the first list in use
// there is the next to be looked at, however far ahead it is.
type Wheel struct {
	nodes  []node
	heads  []int32  // levels × slots lists, then the list of due timers
	used   []uint64 // a bit per list of heads, set if it is not empty
	tick   int64
	shift  uint // log2 of the slots of a level
	levels int
	cursor uint64 // tick up to which time has passed
	bound  int64  // no armed timer is earlier, the due list aside
	armed  int
}

// New makes a wheel of timers 0 to timers-1, none armed. tick is in
// nanoseconds: timers of one tick share a list, so it should be about the
// finest difference that matters. slots is the number of lists per level,
// rounded up to a power of two of at least 64; with slots ticks ahead a timer
// is moved at most once between arming and firing.
func New(timers int, tick int64, slots int) *Wheel {
	shift := uint(bits.Len(uint(max(slots, 64) - 1)))
	levels := (64 + int(shift) - 1) / int(shift)
	w := &Wheel{
		nodes: make([]node, timers),
		heads: make([]int32, levels<<shift+1),
		used:  make([]uint64, levels<<shift/64),
		tick:  max(tick, 1), shift: shift, levels: levels, bound: math.MaxInt64,
	}
	for i := range w.nodes {
		w.nodes[i].list = none
	}
	for i := range w.heads {
		w.heads[i] = none
	}
	return w
}

// due is the list of timers that Expire has found and not yet returned.
func (w *Wheel) due() int32 { return int32(len(w.heads) - 1) }

// Set arms the timer for the moment at, or moves it there. A moment that has
// passed is due at once.
func (w *Wheel) Set(id int32, at int64) {
	n := &w.nodes[id]
	if n.list == none {
		w.armed++
	} else {
		w.unlink(id)
	}
	n.at = at
	w.bound = min(w.bound, at)
	w.link(id, w.place(at))
}

// Clear disarms the timer, if it is armed.
func (w *Wheel) Clear(id int32) {
	if w.nodes[id].list == none {
		return
	}
	w.unlink(id)
	w.nodes[id].list = none
	w.armed--
}

// Armed tells whether the timer is armed: set, and neither cleared nor
// returned by Expire since.
func (w *Wheel) Armed(id int32) bool { return w.nodes[id].list != none }

// Expire disarms and returns one timer whose deadline is at or before now; ok
// is false if there is none. Timers that are due together come in no
// particular order.
func (w *Wheel) Expire(now int64) (id int32, ok bool) {
	due := w.due()
	if w.heads[due] == none && now >= w.bound {
		w.advance(now)
	}
	id = w.heads[due]
	if id == none {
		return 0, false
	}
	w.Clear(id)
	return id, true
}

// Next returns a moment before which no timer is due, math.MaxInt64 if none is
// armed. It may be earlier than the first deadline; an Expire then improves it.
func (w *Wheel) Next() int64 {
	switch {
	case w.armed == 0:
		return math.MaxInt64
	case w.heads[w.due()] != none:
		return math.MinInt64
	}
	return w.bound
}

// place returns the list for a deadline.
func (w *Wheel) place(at int64) int32 {
	t := w.cursor
	if at > 0 {
		t = max(t, uint64(at/w.tick))
	}
	level := uint(0)
	if diff := t ^ w.cursor; diff != 0 {
		level = uint(bits.Len64(diff)-1) / w.shift
	}
	digit := t >> (level * w.shift) & (1<<w.shift - 1)
	return int32(uint64(level)<<w.shift | digit)
}

func (w *Wheel) link(id, list int32) {
	n := &w.nodes[id]
	head := w.heads[list]
	n.list, n.prev, n.next = list, none, head
	if head != none {
		w.nodes[head].prev = id
	}
	w.heads[list] = id
	if list != w.due() {
		w.used[list>>6] |= 1 << (list & 63)
	}
}

func (w *Wheel) unlink(id int32) {
	n := &w.nodes[id]
	if n.next != none {
		w.nodes[n.next].prev = n.prev
	}
	if n.prev != none {
		w.nodes[n.prev].next = n.next
		return
	}
	w.heads[n.list] = n.next
	if n.next == none && n.list != w.due() {
		w.used[n.list>>6] &^= 1 << (n.list & 63)
	}
}

// first finds the list in use that comes next in time and the tick at which it
// starts. ok is false if all are empty.
func (w *Wheel) first() (list int32, start uint64, ok bool) {
	for i, word := range w.used {
		if word == 0 {
			continue
		}
		list = int32(i<<6 + bits.TrailingZeros64(word))
		level := uint(list) >> w.shift
		digit := uint64(list) & (1<<w.shift - 1)
		// The digits above the level's are the cursor's, those below are zero.
		above := w.cursor >> ((level + 1) * w.shift) << ((level + 1) * w.shift)
		return list, above | digit<<(level*w.shift), true
	}
	return 0, 0, false
}

// advance moves the cursor towards now until timers are due or none is left
// before now. It visits only lists that hold timers, so a jump of any length
// costs no more than the timers it passes.
func (w *Wheel) advance(now int64) {
	nowTick := uint64(max(now, 0) / w.tick)
	for w.heads[w.due()] == none {
		list, start, ok := w.first()
		switch {
		case !ok:
			w.cursor, w.bound = max(w.cursor, nowTick), math.MaxInt64
			return
		case start > nowTick:
			w.cursor = max(w.cursor, nowTick)
			w.bound = w.earliest(list, start)
			return
		}
		w.cursor = max(w.cursor, start)
		if !w.spread(list, now) {
			w.bound = w.earliest(list, start)
			return
		}
	}
}

// spread empties a list that the cursor has reached: timers that are due go to
// the due list, others to where they belong now. It reports false if nothing
// moved because all of them are due later in the present tick.
func (w *Wheel) spread(list int32, now int64) (moved bool) {
	for id := w.heads[list]; id != none; {
		next := w.nodes[id].next
		to := w.place(w.nodes[id].at)
		if w.nodes[id].at <= now {
			to = w.due()
		}
		if to != list {
			w.unlink(id)
			w.link(id, to)
			moved = true
		}
		id = next
	}
	return moved
}

// earliest is a lower bound for the deadlines in a list: exact at level 0,
// where the list is short, else the start of the list.
func (w *Wheel) earliest(list int32, start uint64) int64 {
	if list >= 1<<w.shift {
		return int64(start) * w.tick
	}
	at := int64(math.MaxInt64)
	for id := w.heads[list]; id != none; id = w.nodes[id].next {
		at = min(at, w.nodes[id].at)
	}
	return at
}
