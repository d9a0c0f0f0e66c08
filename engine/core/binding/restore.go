package binding

import (
	"slices"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

// Restore takes over a record of the journal at start, and tells whether its
// address is in a pool. A lease whose end has passed is free, and remembers its
// client. Settle must follow the last record. Cold.
func (t *Table) Restore(now batch.Time, r *batch.Lease) bool {
	i := t.Find(r.Addr)
	if i == None {
		return false
	}
	s := &t.slots[i]
	t.dequeue(i)
	t.Unbill(i)
	t.timers.Clear(i)
	t.dropAside(i)
	t.forget(i)
	s.State = restored(r.State)
	s.Starts, s.Ends, s.CLTT = r.Starts, r.Ends, r.CLTT
	s.Start, s.End = lifetime(now, r)
	s.Order, s.Seq = 0, 0
	if s.State != abandonedState {
		t.identify(i, &Client{HW: cleanHW(r.HW), ID: idOf(r)}, true)
		t.texts[i].IDLen = r.ClientIDLen // of the whole identifier, though only its beginning is kept
		if r.HW.Len != 0 || r.ClientIDLen != 0 {
			s.Flags |= Tenant // only leases are written
		}
	}
	t.SetHostname(i, r.Hostname[:min(int(r.HostnameLen), batch.MaxHostname)])
	t.SetVendor(i, r.Vendor[:min(int(r.VendorLen), batch.MaxVendor)])
	if s.State != freeState && s.End <= now.Mono { // ended while nobody served
		s.State = freeState
	}
	if s.State == freeState {
		t.enqueueFree(i)
		return true
	}
	if s.State == activeState { // counts from the first message on, whoever that is from
		t.Bill(i, r.Billing)
	}
	if s.State == abandonedState && s.Flags&Reserved == 0 {
		t.push(inAbandoned, i)
	}
	if s.End != Forever {
		t.timers.Set(i, s.End)
	}
	return true
}

// Settle orders the free queues after the last Restore: addresses never used,
// ascending, then the others by the time that their lease ended. Cold.
func (t *Table) Settle() {
	used := make([]int32, 0, len(t.slots))
	for i := range t.slots {
		if s := &t.slots[i]; t.queue[i].in() && s.State == freeState && s.Order != 0 {
			used = append(used, int32(i))
		}
	}
	slices.SortStableFunc(used, func(a, b int32) int {
		switch ea, eb := t.slots[a].Ends, t.slots[b].Ends; {
		case ea < eb:
			return -1
		case ea > eb:
			return 1
		}
		return 0
	})
	for _, i := range used {
		t.dequeue(i)
		t.enqueueFree(i)
	}
}

// What PassOver passes over: an eighth of a pool's fresh addresses, if it has
// some to spare.
const (
	spareFresh = 64
	passedOver = 8192 // at most: more offers are hardly ever under way
)

// PassOver puts the addresses that would be given away first behind the others,
// at a restart. Just these were offered when the process before this one ended,
// offers are on no disk, and the nodes may still ask for them: where they were
// given away meanwhile, a node gets a DHCPNAK, which ends a boot for firmware. Cold.
func (t *Table) PassOver() {
	for p := range t.pools {
		l := &t.pools[p].queues[inFresh]
		if l.n < spareFresh {
			continue
		}
		for range min(l.n/8, passedOver) {
			i := l.head
			t.dequeue(i)
			t.enqueueFree(i)
		}
	}
}

// Adopt takes over what another table, of the plan before a reload, knows:
// leases, offers, abandonments and memories of every address that still is in
// a pool. Order is kept. It allocates nothing.
func (t *Table) Adopt(from *Table) {
	for p := range from.pools {
		for _, l := range &from.pools[p].queues {
			for i := l.head; i != None; i = from.queue[i].next {
				if from.queue[i].where != inFresh || from.slots[i].Order != 0 {
					t.adopt(from, i)
				}
			}
		}
	}
	for i := range from.slots {
		if !from.queue[i].in() {
			t.adopt(from, int32(i))
		}
	}
	t.order = max(t.order, from.order)
}

// adopt copies slot k of another table to where its address is here. What the
// plan decides, pool, network and reservation, is this table's.
func (t *Table) adopt(from *Table, k int32) {
	i := t.Find(from.Addr(k))
	if i == None {
		return
	}
	t.dequeue(i)
	old, s := &from.slots[k], &t.slots[i]
	mine := Slot{Range: s.Range, Pool: s.Pool, Network: s.Network, Flags: s.Flags & Reserved}
	*s = *old
	s.Range, s.Pool, s.Network, s.Bill = mine.Range, mine.Pool, mine.Network, 0
	s.Flags = s.Flags&^Reserved | mine.Flags
	t.texts[i] = from.texts[k]
	if t.tenants[i] = from.tenants[k]; t.tenants[i].hw.Len != 0 {
		t.aside.insert(t.tenantKey(&t.tenants[i].hw, t.tenants[i].host), i)
		t.waiting++
	}
	t.reindex(i)
	t.Bill(i, old.Bill)
	switch {
	case mine.Flags != 0:
	case s.State == abandonedState:
		t.push(inAbandoned, i)
	case from.queue[k].where == inLoose:
		t.push(inLoose, i)
	case s.State == freeState && s.Flags&Offered == 0:
		t.queueFree(i)
	}
	if (s.State != freeState || s.Flags&Offered != 0) && s.End != Forever {
		t.timers.Set(i, s.End)
	}
}

// reindex enters a slot that was copied into the indexes.
func (t *Table) reindex(i int32) {
	s, x := &t.slots[i], &t.texts[i]
	if s.HW.Len != 0 {
		t.hw.insert(t.hashHW(&s.HW), i)
	}
	if s.Host != 0 {
		t.host.insert(s.Host, i)
	}
	if s.Flags&HasID != 0 {
		t.id.insert(t.hashID(x.ClientID[:min(int(x.IDLen), batch.MaxClientID)]), i)
	}
}

// restored reduces the states of dhcpd.leases(5), some of which only failover
// uses, to those that a single server has.
func restored(s batch.LeaseState) batch.LeaseState {
	switch s {
	case batch.LeaseActive, batch.LeaseReserved, batch.LeaseBootp:
		return activeState
	case batch.LeaseAbandoned:
		return abandonedState
	}
	return freeState
}

// lifetime places a record on the monotonic clock. With a wall clock that is
// behind the record a lease has its whole length before it, never more: it ends
// too late rather than too early, but not by decades.
func lifetime(now batch.Time, r *batch.Lease) (start, end int64) {
	start, end = min(monoOf(now, r.Starts), now.Mono), monoOf(now, r.Ends)
	if r.Ends != batch.Forever && r.Starts > now.Wall && r.Ends >= r.Starts {
		end = min(end, monoOf(now, now.Wall+r.Ends-r.Starts))
	}
	return start, end
}

// monoOf converts a wall-clock second to the monotonic clock; what is further
// away than that can tell is Forever.
func monoOf(now batch.Time, wall int64) int64 {
	const far = 1 << 33 // seconds, 272 years
	switch d := wall - now.Wall; {
	case wall == batch.Forever || d > far:
		return Forever
	case d < -far:
		return now.Mono - far*batch.Second
	default:
		return now.Mono + d*batch.Second
	}
}

// cleanHW makes a hardware address that was read from a file comparable.
func cleanHW(h dhcp.HW) dhcp.HW {
	h.Len = min(h.Len, 16)
	clear(h.Addr[h.Len:])
	return h
}

// idOf returns what a record keeps of the client identifier, nil if it has none.
func idOf(r *batch.Lease) []byte {
	if r.ClientIDLen == 0 {
		return nil
	}
	return r.ClientID[:min(int(r.ClientIDLen), batch.MaxClientID)]
}
