package binding

import (
	"math"

	"bootstorm/engine/batch"
)

// Offer holds a free address for the client until a moment of the monotonic
// clock. Nothing of it is written: the address is still free on disk.
func (t *Table) Offer(i int32, c *Client, keepID bool, until int64) {
	s := &t.slots[i]
	t.dequeue(i) // from any queue: an abandoned address may be the last one left
	s.State = freeState
	t.name(i, c, keepID)
	s.Flags |= Offered
	s.End = until
	t.timers.Set(i, until)
}

// Withdraw ends an offer. The address goes to the end of its free queue and
// remembers the client that it was leased to before, else the one it was offered
// to.
func (t *Table) Withdraw(i int32) {
	s := &t.slots[i]
	t.dequeue(i)
	s.Flags &^= Offered | Unfit
	t.timers.Clear(i)
	t.restoreTenant(i)
	t.enqueueFree(i)
}

// Bind leases the address to the client for some seconds from now; 0xffffffff
// is without end. It replaces whatever the slot said before.
func (t *Table) Bind(i int32, c *Client, keepID bool, now batch.Time, seconds uint32) {
	s := &t.slots[i]
	t.dequeue(i)
	t.dropAside(i)
	t.identify(i, c, keepID)
	s.State, s.Order = activeState, 0
	s.Flags = s.Flags&^(Offered|Unfit) | Tenant
	s.Start, s.Starts, s.CLTT = now.Mono, now.Wall, now.Wall
	if seconds == math.MaxUint32 {
		s.End, s.Ends = Forever, batch.Forever
		t.timers.Clear(i)
		return
	}
	s.End, s.Ends = now.Mono+int64(seconds)*batch.Second, now.Wall+int64(seconds)
	t.timers.Set(i, s.End)
}

// Release ends a lease before its time: by the client, or because the server
// gave the client another address. The address remembers the client.
func (t *Table) Release(i int32, now batch.Time) {
	t.slots[i].Ends = now.Wall
	t.Expire(i)
	// The client's word is as good as a silent probe. One sent at once would find
	// the client still taking the address down, and keep it from everybody else.
	t.slots[i].Probed = max(now.Mono, 1)
}

// Expire ends a lease whose time has passed.
func (t *Table) Expire(i int32) {
	s := &t.slots[i]
	t.Unbill(i)
	s.State = freeState
	s.Flags &^= Offered | Unfit | Warned
	s.Probed, s.Heard = 0, 0 // what ARP said was about the client
	t.timers.Clear(i)
	t.enqueueFree(i)
}

// Abandon takes an address out of service for some seconds, since it is used
// by somebody that it is not leased to. It forgets its client, as dhcpd does, but
// not a tenant that was set aside: it was not the tenant who found it in use.
func (t *Table) Abandon(i int32, now batch.Time, seconds int64) {
	s := &t.slots[i]
	t.dequeue(i)
	t.Unbill(i)
	t.forget(i)
	t.wipe(i)
	s.State = abandonedState
	s.Flags &^= Offered | Unfit
	s.Start, s.Starts, s.CLTT = now.Mono, now.Wall, now.Wall
	s.End, s.Ends = now.Mono+seconds*batch.Second, now.Wall+seconds
	s.Probed, s.Heard = 0, 0
	t.timers.Set(i, s.End)
	if s.Flags&Reserved == 0 {
		t.push(inAbandoned, i)
	}
}

// Recover puts an abandoned address back into the free queue.
func (t *Table) Recover(i int32) {
	t.dequeue(i)
	t.timers.Clear(i)
	t.slots[i].State = freeState
	t.restoreTenant(i)
	t.enqueueFree(i)
}

// Defer moves a free address to the end of its queue: it is in use by the
// client that had it before.
func (t *Table) Defer(i int32) {
	t.dequeue(i)
	t.enqueueFree(i)
}

// Remember has a free address remember a client that uses it without a lease,
// so that it is the one who gets it, and moves it to the end of the queue.
func (t *Table) Remember(i int32, c *Client) {
	t.name(i, c, false)
	t.Defer(i)
}

// Disown has a free address forget its client, for the one that it was leased to
// if there is one.
func (t *Table) Disown(i int32) {
	t.forget(i)
	t.wipe(i)
	t.restoreTenant(i)
}

// Due returns a slot whose lease, offer or abandonment has ended. The caller
// then calls Expire, Withdraw or Recover, by its state.
func (t *Table) Due(now int64) (i int32, ok bool) { return t.timers.Expire(now) }

// Next returns a moment before which Due has nothing to return.
func (t *Table) Next() int64 {
	if len(t.slots) == 0 {
		return math.MaxInt64
	}
	return t.timers.Next()
}

// SetHostname keeps what the client calls itself, for the reader of the
// journal, and tells whether that is news. An absent name leaves the old one.
func (t *Table) SetHostname(i int32, name []byte) (changed bool) {
	x := &t.texts[i]
	if name == nil {
		return false
	}
	name = name[:min(len(name), batch.MaxHostname)]
	if string(name) == string(x.Hostname[:x.HostnameLen]) {
		return false
	}
	x.HostnameLen = uint8(copy(x.Hostname[:], name))
	return true
}

// SetVendor keeps the vendor class identifier likewise.
func (t *Table) SetVendor(i int32, vendor []byte) {
	x := &t.texts[i]
	x.VendorLen = uint8(copy(x.Vendor[:], vendor))
}

// SetAgent keeps the relay agent information of a message, for the renewal
// that comes without it.
func (t *Table) SetAgent(i int32, agent []byte) {
	x := &t.texts[i]
	x.AgentLen = 0
	if len(agent) <= MaxAgent {
		x.AgentLen = uint8(copy(x.Agent[:], agent))
	}
}

// Stamp sets the wall-clock times of a slot anew from those that count, after
// the wall clock was set.
func (t *Table) Stamp(i int32, now batch.Time) {
	s := &t.slots[i]
	ends := now.Wall + (s.End-now.Mono)/batch.Second
	s.CLTT += ends - s.Ends
	s.Starts, s.Ends = now.Wall-(now.Mono-s.Start)/batch.Second, ends
}

// Record describes slot i as the journal has it from now on. Seq is left to
// the caller.
func (t *Table) Record(i int32, r *batch.Lease) {
	s, x := &t.slots[i], &t.texts[i]
	r.Addr, r.State, r.HW = t.Addr(i), s.State, s.HW
	r.Starts, r.Ends, r.CLTT = s.Starts, s.Ends, s.CLTT
	r.Seq, r.Billing = s.Seq, s.Bill
	r.ClientIDLen, r.HostnameLen, r.VendorLen = 0, x.HostnameLen, x.VendorLen
	r.Hostname, r.Vendor = x.Hostname, x.Vendor
	if s.Flags&HasID != 0 {
		r.ClientIDLen, r.ClientID = x.IDLen, x.ClientID
	}
}
