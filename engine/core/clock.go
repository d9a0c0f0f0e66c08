package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
)

// Limits of the wall clock's trust, in seconds.
const (
	clockSlack = 2       // the clocks are read in whole seconds and drift apart; more than this is put right
	clockStep  = 60      // a change by more is no drift: somebody has set the clock
	clockFar   = 1 << 33 // 272 years: a record from so far ahead says nothing
)

// stampChunk is how many slots one Tick looks at after the clock was set.
const stampChunk = 4096

// clock is what the core knows about the wall clock, in which records are
// written. Leases end by the monotonic clock alone; but a restart has only what
// the disk says, so the times there must mean the same as those in memory. Two
// things see to that:
//
//   - A clock that is behind the newest lease at start, such as one that stands
//     at 1970 until NTP sets it, is put ahead to that lease. Otherwise the leases
//     written meanwhile would look ended at the next start.
//   - When the clock is set, leases whose end on disk is not their end any more
//     are written again, and until then none is prolonged by word alone.
type clock struct {
	lead    int64 // seconds that the wall clock is put ahead
	base    int64 // wall clock at zero of the monotonic one, as last seen
	cursor  int32 // next slot to compare with its record
	waiting bool  // the slot's record is not on disk yet
	set     bool  // base is valid
}

// start sets the clock before the first lease. newest is the latest moment that
// a lease in force speaks of.
func (k *clock) start(now batch.Time, newest int64) {
	*k = clock{base: now.Wall - now.Mono/batch.Second, set: true}
	if ahead := newest - now.Wall; ahead > clockStep && ahead < clockFar {
		k.lead = ahead
	}
}

// read returns the time to work with, and notices when the clock was set.
func (k *clock) read(now batch.Time) batch.Time {
	base := now.Wall - now.Mono/batch.Second
	if !k.set { // a core without a past
		k.base, k.set = base, true
	}
	if d := base - k.base; d > clockSlack || d < -clockSlack {
		if d > clockStep || d < -clockStep {
			k.lead = 0 // who sets it knows the time
		}
		k.base, k.cursor, k.waiting = base, 0, false
	}
	now.Wall += k.lead
	return now
}

// Lead returns by how many seconds the wall clock is put ahead because the
// newest lease is later than it; 0 if it is believed. Cold.
func (c *Core) Lead() int64 { return c.clock.lead }

// newest finds the latest moment that a lease in force was written at.
func (c *Core) newest(leases []batch.Lease) (latest int64) {
	// What is free says nothing that matters, and an endless lease is never
	// written again: a mistaken time in it would stay for ever.
	for i := range leases {
		l := &leases[i]
		switch l.State {
		case batch.LeaseActive, batch.LeaseReserved, batch.LeaseBootp:
		default:
			continue
		}
		if l.Ends != batch.Forever && c.table.Find(l.Addr) != binding.None {
			latest = max(latest, l.Starts, l.CLTT)
		}
	}
	return latest
}

// drifted returns by how many seconds the times on disk of a lease or an
// abandonment are off, 0 if they will do.
func (c *Core) drifted(i int32, now batch.Time) int64 {
	s := c.table.At(i)
	if s.State == batch.LeaseFree || s.End == binding.Forever {
		return 0
	}
	off := now.Wall + (s.End-now.Mono)/batch.Second - s.Ends
	if off > clockSlack || off < -clockSlack {
		return off
	}
	return 0
}

// stamp writes leases again whose times on disk are off since the clock was set,
// some at a time.
func (c *Core) stamp(now batch.Time) {
	k := &c.clock
	for end := min(k.cursor+stampChunk, c.table.Len()); k.cursor < end && c.journalRoom(); k.cursor++ {
		if c.drifted(k.cursor, now) == 0 {
			continue
		}
		// An acknowledgement may wait for the present record, and leaves only
		// if that is still the newest.
		if k.waiting = c.table.At(k.cursor).Seq > c.durable; k.waiting {
			return
		}
		c.table.Stamp(k.cursor, now)
		c.record(k.cursor)
	}
}

// stamping tells whether stamp can go on at once.
func (c *Core) stamping() bool {
	return c.clock.cursor < c.table.Len() && !c.clock.waiting && c.journalRoom()
}
