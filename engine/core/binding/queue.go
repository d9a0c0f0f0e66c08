package binding

// where names the queue of its pool that a slot stands in.
type where uint8

const (
	inNone      where = iota
	inFresh           // free, and without a tenant: given away first
	inTenants         // free, with a tenant
	inAbandoned       // out of service
	inLoose           // offered, but may be taken back
	queues
)

// link is a slot's place in a queue of its pool.
type link struct {
	next, prev int32
	where      where
}

// in tells whether the slot stands in a queue.
func (l *link) in() bool { return l.where != inNone }

// list is a queue of slots: the head became free longest ago.
type list struct {
	head, tail int32
	n          int32
}

// list returns a queue of the pool that slot i belongs to.
func (t *Table) list(w where, i int32) *list { return &t.pools[t.slots[i].Pool].queues[w] }

// push appends a slot to a queue; it must be in none.
func (t *Table) push(w where, i int32) {
	l := t.list(w, i)
	t.queue[i] = link{next: None, prev: l.tail, where: w}
	if l.tail == None {
		l.head = i
	} else {
		t.queue[l.tail].next = i
	}
	l.tail = i
	l.n++
}

// dequeue takes the slot out of whichever queue of its pool it stands in.
func (t *Table) dequeue(i int32) {
	q := t.queue[i]
	if !q.in() {
		return
	}
	l := t.list(q.where, i)
	if q.prev == None {
		l.head = q.next
	} else {
		t.queue[q.prev].next = q.next
	}
	if q.next == None {
		l.tail = q.prev
	} else {
		t.queue[q.next].prev = q.prev
	}
	t.queue[i] = link{next: None, prev: None}
	l.n--
}

// Oldest returns the address of the pool that is to be given away first: of
// those that have no tenant, else of the others, the one that is free for the
// longest time. Addresses that were never used come first, in ascending order.
func (t *Table) Oldest(pool int32) int32 {
	if i := t.pools[pool].queues[inFresh].head; i != None {
		return i
	}
	return t.pools[pool].queues[inTenants].head
}

// OldestAbandoned returns the address of the pool that was abandoned first.
func (t *Table) OldestAbandoned(pool int32) int32 { return t.pools[pool].queues[inAbandoned].head }

// After returns the free address that is given away after i.
func (t *Table) After(i int32) int32 {
	q := &t.queue[i]
	if q.next == None && q.where == inFresh {
		return t.pools[t.slots[i].Pool].queues[inTenants].head
	}
	return q.next
}

// Before tells whether the free address a is to be given away before b: what has
// no tenant first, then what is free for longer.
func (t *Table) Before(a, b int32) bool {
	if ta, tb := t.Tenanted(a), t.Tenanted(b); ta != tb {
		return tb
	}
	return t.slots[a].Order < t.slots[b].Order
}

// ForBOOTP tells whether a pool has addresses for BOOTP clients.
func (t *Table) ForBOOTP(pool int32) bool { return t.pools[pool].bootp }

// enqueueFree appends the slot to its free queue, as the one that became free
// last; a reserved address is in no queue.
func (t *Table) enqueueFree(i int32) {
	t.order++
	t.slots[i].Order = t.order
	t.queueFree(i)
}

// queueFree appends the slot to its free queue.
func (t *Table) queueFree(i int32) {
	switch {
	case t.slots[i].Flags&Reserved != 0:
	case t.Tenanted(i):
		t.push(inTenants, i)
	default:
		t.push(inFresh, i)
	}
}
