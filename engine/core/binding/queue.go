package binding

// link is a slot's place in the queue of its pool.
type link struct {
	next, prev int32
	in         bool
}

// list is a queue of slots: the head became free longest ago.
type list struct {
	head, tail int32
	n          int32
}

// push appends a slot to a queue; it must be in none.
func (t *Table) push(l *list, i int32) {
	t.queue[i] = link{next: None, prev: l.tail, in: true}
	if l.tail == None {
		l.head = i
	} else {
		t.queue[l.tail].next = i
	}
	l.tail = i
	l.n++
}

// cut takes a slot out of a queue, if it is in one.
func (t *Table) cut(l *list, i int32) {
	q := t.queue[i]
	if !q.in {
		return
	}
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

// Oldest returns the address of the pool that is free for the longest time;
// addresses that were never used come first, in ascending order.
func (t *Table) Oldest(pool int32) int32 { return t.pools[pool].free.head }

// OldestAbandoned returns the address of the pool that was abandoned first.
func (t *Table) OldestAbandoned(pool int32) int32 { return t.pools[pool].abandoned.head }

// After returns the next slot of the queue that i stands in.
func (t *Table) After(i int32) int32 { return t.queue[i].next }

// ForBOOTP tells whether a pool has addresses for BOOTP clients.
func (t *Table) ForBOOTP(pool int32) bool { return t.pools[pool].bootp }

// dequeue takes the slot out of whichever queue of its pool it stands in.
func (t *Table) dequeue(i int32) {
	s := &t.slots[i]
	if s.State == abandonedState {
		t.cut(&t.pools[s.Pool].abandoned, i)
	} else {
		t.cut(&t.pools[s.Pool].free, i)
	}
}

// enqueueFree appends the slot to the free queue of its pool, as the one that
// became free last; a reserved address is in no queue.
func (t *Table) enqueueFree(i int32) {
	s := &t.slots[i]
	t.order++
	s.Order = t.order
	if s.Flags&Reserved == 0 {
		t.push(&t.pools[s.Pool].free, i)
	}
}
