package lease

import (
	"sync/atomic"

	"bootstorm/engine/batch"
)

// ring is a queue between one producer, the worker, and one consumer, the
// goroutine that writes. All memory is allocated at start; neither side waits.
type ring struct {
	list []batch.Lease
	mask uint64
	head atomic.Uint64 // next to take; written by the consumer
	_    [56]byte      // the two sides keep to cache lines of their own
	tail atomic.Uint64 // next free; written by the producer
}

// newRing makes a queue of at least n records.
func newRing(n int) *ring {
	size := uint64(batch.LeaseCap)
	for size < uint64(n) {
		size *= 2
	}
	r := &ring{list: make([]batch.Lease, size), mask: size - 1}
	clear(r.list) // the first storm finds the pages there
	return r
}

// put copies all of l, or nothing if there is no room for all. Producer only.
func (r *ring) put(l *batch.Leases) bool {
	tail := r.tail.Load()
	if tail+uint64(l.N)-r.head.Load() > uint64(len(r.list)) {
		return false
	}
	for i := range l.List[:l.N] {
		r.list[(tail+uint64(i))&r.mask] = l.List[i]
	}
	r.tail.Store(tail + uint64(l.N))
	return true
}

// len returns how many records wait.
func (r *ring) len() int { return int(r.tail.Load() - r.head.Load()) }

// at returns waiting record i; it stays valid until drop. Consumer only.
func (r *ring) at(i int) *batch.Lease { return &r.list[(r.head.Load()+uint64(i))&r.mask] }

// drop frees the first n records. Consumer only.
func (r *ring) drop(n int) { r.head.Add(uint64(n)) }
