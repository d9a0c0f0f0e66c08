package binding

import (
	"strconv"

	"bootstorm/engine/batch"
)

// Check walks everything that the table links together and returns what is
// wrong, an empty text if nothing is: each free address is in its pool's queue
// and nowhere else, each abandoned one in the other queue, every client is found
// in the indexes that its slot says it is in, once, and every timer runs that
// has to. For tests: it takes as long as the table is large.
func (t *Table) Check() string {
	queued := make([]where, len(t.slots))
	for p := range t.pools {
		for w := range t.pools[p].queues {
			if wrong := t.checkQueue(int32(p), where(w), queued); wrong != "" {
				return wrong
			}
		}
	}
	aside := int32(0)
	for i := range t.slots {
		if wrong := t.checkSlot(int32(i), queued[i]); wrong != "" {
			return "slot " + strconv.Itoa(i) + ": " + wrong
		}
		if t.tenants[i].hw.Len != 0 {
			aside++
		}
	}
	if aside != t.waiting {
		return "the number of tenants set aside is wrong"
	}
	return ""
}

// checkQueue walks a queue and notes its slots.
func (t *Table) checkQueue(p int32, w where, queued []where) string {
	l := &t.pools[p].queues[w]
	n, prev := int32(0), None
	for i := l.head; i != None; prev, i = i, t.queue[i].next {
		if n++; n > t.Len() || t.queue[i].prev != prev || t.slots[i].Pool != p || t.queue[i].where != w || queued[i] != inNone {
			return "queue " + strconv.Itoa(int(w)) + " of pool " + strconv.Itoa(int(p)) + " is broken at slot " + strconv.Itoa(int(i))
		}
		queued[i] = w
	}
	if n != l.n || l.tail != prev {
		return "queue " + strconv.Itoa(int(w)) + " of pool " + strconv.Itoa(int(p)) + " counts wrong"
	}
	return ""
}

// checkSlot checks one slot, which was found in a queue.
func (t *Table) checkSlot(i int32, in where) string {
	s, x := &t.slots[i], &t.texts[i]
	offered := s.Flags&Offered != 0
	ok := in == t.queue[i].where
	switch {
	case s.Flags&Reserved != 0, s.State == activeState:
		ok = ok && in == inNone
	case s.State == abandonedState:
		ok = ok && in == inAbandoned
	case offered:
		ok = ok && (in == inNone || in == inLoose)
	default:
		ok = ok && (in == inFresh || in == inTenants)
	}
	switch {
	case !ok:
		return "in the wrong queue"
	case offered && s.State != freeState:
		return "offered and not free"
	case s.State == activeState && t.tenants[i].hw.Len != 0, s.Flags&Tenant != 0 && t.tenants[i].hw.Len != 0:
		return "two tenants"
	case t.hw.times(t.hashHW(&s.HW), i) != one(s.HW.Len != 0),
		t.host.times(s.Host, i) != one(s.Host != 0),
		t.id.times(t.hashID(x.ClientID[:min(int(x.IDLen), batch.MaxClientID)]), i) != one(s.Flags&HasID != 0),
		t.aside.times(t.tenantKey(&t.tenants[i].hw, t.tenants[i].host), i) != one(t.tenants[i].hw.Len != 0):
		return "not in the indexes as its client says"
	case t.timers.Armed(i) != (offered || s.State != freeState && s.End != Forever):
		return "timer"
	}
	return ""
}

func one(there bool) int {
	if there {
		return 1
	}
	return 0
}

// times counts how often slot i stands in a chain.
func (x *index) times(hash uint64, i int32) (n int) {
	for k := x.first(hash); k != None; k = x.next[k] {
		if k == i {
			n++
		}
	}
	return n
}
