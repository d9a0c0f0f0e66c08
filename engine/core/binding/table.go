// Package binding is the lease table: one slot for every pool address of a
// plan, an index by client, a free queue per pool and the timers. It holds no
// pointers that the collector would have to follow slot by slot, is allocated by
// New and never grows. It decides nothing: package core asks it what it knows
// and tells it what happened.
//
// A slot is in one of four situations:
//
//	free       in a free queue of its pool, at the end since it became free: in
//	           that of addresses that were leased before (see tenant.go), or in
//	           the other, which is used up first.
//	           It remembers its last client, who gets it back while it is free.
//	offered    held for a client until End. Still free on disk. In no queue, or
//	           in that of the offers that may be taken back.
//	active     in no queue: leased until End.
//	abandoned  in its pool's queue of abandoned addresses until End, since
//	           somebody uses it that it was not leased to. It remembers nobody.
//
//	Offer: free, abandoned -> offered     Withdraw: offered -> free
//	Bind: any -> active                   Release, Expire: active -> free
//	Abandon: any -> abandoned             Recover: abandoned -> free
//
// A reserved slot, the fixed-address of a host, is the same but for the queues:
// it is in none, so no other client ever gets it.
//
// Inside, time is the monotonic clock in nanoseconds; wall-clock seconds are
// kept beside it only because the journal is written in them. A step of the
// wall clock therefore ends no lease.
package binding

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/wheel"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// MaxSlots is how many pool addresses a table can hold. Ranges beyond it are
// left out; Left tells how many addresses that were.
const MaxSlots = 1 << 20

// None is the index that stands for no slot.
const None int32 = -1

// Flags of a slot.
const (
	Offered  uint8 = 1 << iota // held for the client since an OFFER, until End
	Reserved                   // a fixed-address of the plan: never given to another client
	HasID                      // the client identifier is part of the identity
	Warned                     // a conflict was reported; not again until the lease changes
	Unfit                      // the last OFFER found the lease too old, so the ACK renews it
	Tenant                     // the client had a lease of the address, and nobody after it
)

// Slot is what is known about one pool address. Fields may be read by all, and
// are changed by the methods of Table, but for those that say otherwise.
type Slot struct {
	Host   uint64 // key of the host declaration that the lease belongs to, 0 if it belongs to HW alone
	HW     dhcp.HW
	State  batch.LeaseState // LeaseFree, LeaseActive or LeaseAbandoned
	Flags  uint8
	Client uint8 // the core's client class; not interpreted here

	Range   int32 // index into Plan.Ranges
	Pool    int32
	Network int32

	Start, End int64 // Mono: of the lease, the offer or the abandonment; End is Forever if it has none
	Starts     int64 // wall clock, as written in the journal
	Ends       int64
	CLTT       int64

	Seq   uint64 // of the last record in the journal, 0 if none was written in this run
	Order uint64 // when the address became free, as a count; 0: never used
	Bill  uint64 // class instance that the lease is counted against, 0 if none

	Probed int64 // Mono of the last ARP probe, 0 if none. Written by the core
	Heard  int64 // Mono of the last sign of life from the address, 0 if none. Written by the core
	Asker  Asker // Written by the core
}

// Asker is what is kept of a client's ARP requests for the server.
type Asker struct {
	Asked int64      // Mono of the last one that nothing of the client followed, 0 if none
	Heard int64      // Mono of the last request for a file, 0 if none
	For   proto.Addr // the address of the server that it asked for
	Left  uint8      // how often it may be answered until its next ACK
}

// Forever is the End of a lease without end.
const Forever = int64(batch.Forever)

// Text is the part of a slot that only records and option 82 need: it is kept
// apart so that the index walks little memory.
type Text struct {
	IDLen, HostnameLen, VendorLen, AgentLen uint8

	ClientID [batch.MaxClientID]byte
	Hostname [batch.MaxHostname]byte
	Vendor   [batch.MaxVendor]byte
	Agent    [MaxAgent]byte // relay agent information of the last message that carried it
}

// MaxAgent is how many bytes of relay agent information a lease remembers.
// Longer ones are not remembered at all.
const MaxAgent = 64

// Table is the lease table. Make one with New.
type Table struct {
	slots  []Slot
	texts  []Text
	queue  []link // the queue of its pool that the slot stands in
	pools  []pool // by index into Plan.Pools
	ranges []span // by index into Plan.Ranges, so ascending
	hw     index  // by hardware address
	id     index  // by client identifier, if it is part of the identity
	host   index  // by host declaration, if that is the identity
	timers *wheel.Wheel
	order  uint64 // Order of the slot that became free last
	limits limits // leases per class instance
	seed   uint64 // of the hashes: who can choose hardware addresses must not choose chains

	tenants []tenant // set aside, by slot
	aside   index    // of those
	waiting int32    // how many there are
	Left    int64    // addresses of the plan that did not fit
}

// span is one range of the plan: its slots are base to base+last-first.
type span struct {
	first, last proto.Addr
	base        int32
}

type pool struct {
	queues [queues]list
	size   int32
	bootp  bool // has a range for BOOTP clients
}

// New allocates a table for the pool addresses of a plan, all of them free and
// never used. The seed is any number that clients do not know.
func New(p *plan.Plan, seed uint64) *Table {
	t := &Table{seed: seed, pools: make([]pool, len(p.Pools)), ranges: make([]span, len(p.Ranges))}
	n := int64(0)
	for i, r := range p.Ranges {
		size := min(int64(r.Last)-int64(r.First)+1, MaxSlots-n)
		t.Left += int64(r.Last) - int64(r.First) + 1 - size
		t.ranges[i] = span{r.First, r.First + proto.Addr(size) - 1, int32(n)}
		n += size
	}
	t.slots, t.texts, t.queue, t.tenants = make([]Slot, n), make([]Text, n), make([]link, n), make([]tenant, n)
	// Written to once, so that the first storm finds the pages there and does not
	// wait for the kernel to make each of them.
	clear(t.slots)
	clear(t.texts)
	clear(t.queue)
	clear(t.tenants)
	t.hw, t.id, t.host, t.aside = newIndex(n), newIndex(n), newIndex(n), newIndex(n)
	t.timers = wheel.New(int(max(n, 1)), batch.Second, 1024)
	for _, c := range p.Classes {
		if c.LeaseLimit > 0 {
			t.limits = newLimits(n)
			break
		}
	}
	t.fill(p)
	return t
}

// fill makes the slots and puts them into the free queues in ascending order,
// but for those that host declarations have as a fixed address.
func (t *Table) fill(p *plan.Plan) {
	for i := range t.pools {
		for k := range t.pools[i].queues {
			t.pools[i].queues[k] = list{None, None, 0}
		}
	}
	for i, r := range t.ranges {
		for k := int32(0); int64(k) < int64(r.last)-int64(r.first)+1; k++ {
			from := &p.Ranges[i]
			s := &t.slots[r.base+k]
			s.Range, s.Pool, s.Network = int32(i), from.Pool, p.Pools[from.Pool].Network
			t.pools[s.Pool].size++
			t.pools[s.Pool].bootp = t.pools[s.Pool].bootp || from.BOOTP
		}
	}
	for i := range p.Hosts {
		for _, a := range p.Hosts[i].Fixed {
			if k := t.Find(a); k != None {
				t.slots[k].Flags |= Reserved
			}
		}
	}
	for i := range t.slots {
		if t.slots[i].Flags&Reserved == 0 {
			t.push(inFresh, int32(i))
		}
	}
}

// Len returns how many slots there are.
func (t *Table) Len() int32 { return int32(len(t.slots)) }

// At returns a slot; i is not None.
func (t *Table) At(i int32) *Slot { return &t.slots[i] }

// Text returns the further description of a slot.
func (t *Table) Text(i int32) *Text { return &t.texts[i] }

// Addr returns the address of a slot.
func (t *Table) Addr(i int32) proto.Addr {
	r := &t.ranges[t.slots[i].Range]
	return r.first + proto.Addr(i-r.base)
}

// Find returns the slot of an address, None if it is in no pool.
func (t *Table) Find(a proto.Addr) int32 {
	lo, hi := 0, len(t.ranges)
	for lo < hi { // the first range that ends at or behind a
		mid := int(uint(lo+hi) >> 1)
		if t.ranges[mid].last < a {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(t.ranges) || a < t.ranges[lo].first {
		return None
	}
	return t.ranges[lo].base + int32(a-t.ranges[lo].first)
}

// Free returns how many addresses of the pool are neither leased, offered nor
// abandoned.
func (t *Table) Free(pool int32) int32 {
	return t.pools[pool].queues[inFresh].n + t.pools[pool].queues[inTenants].n
}

// Size returns how many addresses the pool has.
func (t *Table) Size(pool int32) int32 { return t.pools[pool].size }
