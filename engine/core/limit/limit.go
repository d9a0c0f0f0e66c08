// Package limit tells who sends more than anybody has reason to. Each sender has
// a token bucket: so many messages at once, and so many a second after that.
//
// The buckets are a fixed table, direct mapped: where two senders fall together
// the newer one begins with a full bucket, so that memory never grows, a flood
// of made-up senders costs one write each, and a mistake is always on the
// generous side. Nobody is refused for what somebody else sent.
package limit

import (
	"math/bits"

	"bootstorm/engine/batch"
)

// Table is the buckets of one kind of sender, with one owner. Make one with New;
// it limits nothing before Set.
type Table struct {
	buckets []bucket
	shift   uint  // 64 - log2 of the length
	period  int64 // ns in which a token comes, 0: no limit
	burst   int64 // tokens of a full bucket
}

// bucket is a sender's.
type bucket struct {
	key uint64
	Bucket
}

// Bucket is one token bucket; the zero value is full. A virtual schedule (ITU-T
// I.371, generic cell rate algorithm) holds level and time in one number.
type Bucket struct {
	next int64 // when the next message is due at the rate, Mono
	told bool  // the limit was reached since the bucket was full last
}

// Take takes one token, of which a full bucket has burst and one comes every
// period ns. ok is false if the bucket is empty; first then tells whether it is
// the first time since it was full.
func (b *Bucket) Take(now, period, burst int64) (ok, first bool) {
	if b.next <= now {
		*b = Bucket{next: now + period}
		return true, false
	}
	if b.next-now <= period*(burst-1) {
		b.next += period
		return true, false
	}
	first, b.told = !b.told, true
	return false, first
}

// New makes a table of at least size buckets.
func New(size int) *Table {
	n := uint(bits.Len(uint(max(size, 2) - 1)))
	t := &Table{buckets: make([]bucket, 1<<n), shift: 64 - n}
	clear(t.buckets) // the first storm finds the pages there
	return t
}

// Set gives the limit: a message every period ns, after the first burst of them.
// A period of 0 is no limit.
func (t *Table) Set(period, burst int64) { t.period, t.burst = period, burst }

// Every is the period of a rate, in messages a second; 0 for a rate of 0.
func Every(rate int64) (period int64) {
	if rate <= 0 {
		return 0
	}
	return max(batch.Second/rate, 1)
}

// Take takes one message out of the bucket of a sender, named by a hash that
// outsiders cannot steer. ok is false if the bucket is empty; first then tells
// whether it is the first time since it was full.
func (t *Table) Take(key uint64, now int64) (ok, first bool) {
	if t.period == 0 {
		return true, false
	}
	b := &t.buckets[key>>t.shift]
	if b.key != key { // another's
		*b = bucket{key: key}
	}
	return b.Bucket.Take(now, t.period, t.burst)
}
