package transfer

import (
	"math/bits"

	"bootstorm/proto"
)

// A request costs its sender one small frame, from whatever address it likes; a
// transfer costs a slot, and answers to somebody who may not have asked. So what
// nobody has acknowledged yet is worth little: it is repeated a few times only,
// each address has few of them, and when the table is full the oldest gives way.
// A client that lives acknowledges within a round trip and is then safe, and it
// asks again if its transfer was lost before.
const (
	// mostFresh is how many unacknowledged transfers one address may have: the
	// next takes the place of the oldest.
	mostFresh = 8
	// defaultPerClient is how many transfers one address may have in all. A node
	// has one or two; there may be dozens of nodes behind one address.
	defaultPerClient = 64
	// firstRepeats is how often a first reply is repeated that nobody has
	// acknowledged, by itself: after 0.6, 1.8 and 4.2 s. Every known client
	// repeats its request meanwhile, and each request is answered.
	firstRepeats = 3
)

// guests is which transfers belong to one address, and which of all are not
// acknowledged yet, oldest first. Memory is fixed; chains are by hash.
type guests struct {
	places     []place // by slot
	heads      []int32 // by hash of the address
	head, tail int32   // of the unacknowledged
	shift      uint
	seed       uint64
}

// place is a slot's links in both.
type place struct {
	next, prev int32 // unacknowledged
	fresh      bool
	same       int32 // next with that hash
}

func newGuests(slots int, seed uint64) guests {
	n := uint(bits.Len(uint(2*slots - 1)))
	c := guests{places: make([]place, slots), heads: make([]int32, 1<<n), head: none, tail: none, shift: 64 - n, seed: seed}
	for i := range c.heads {
		c.heads[i] = none
	}
	return c
}

// spread hashes a number; whoever does not know the seed cannot choose the
// result.
func spread(v, seed uint64) uint64 {
	hi, lo := bits.Mul64(v^seed, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func (c *guests) chain(a proto.Addr) *int32 {
	return &c.heads[spread(uint64(a), c.seed)*0x9e3779b97f4a7c15>>c.shift]
}

// enter adds a transfer of an address that is not acknowledged.
func (c *guests) enter(id int32, a proto.Addr) {
	head := c.chain(a)
	c.places[id] = place{next: none, prev: c.tail, fresh: true, same: *head}
	*head = id
	if c.tail == none {
		c.head = id
	} else {
		c.places[c.tail].next = id
	}
	c.tail = id
}

// prove notes that the client has answered.
func (c *guests) prove(id int32) {
	p := &c.places[id]
	if !p.fresh {
		return
	}
	p.fresh = false
	if p.prev == none {
		c.head = p.next
	} else {
		c.places[p.prev].next = p.next
	}
	if p.next == none {
		c.tail = p.prev
	} else {
		c.places[p.next].prev = p.prev
	}
}

// leave takes a transfer out of both.
func (c *guests) leave(id int32, a proto.Addr) {
	c.prove(id)
	for at := c.chain(a); *at != none; at = &c.places[*at].same {
		if *at == id {
			*at = c.places[id].same
			return
		}
	}
}

// makeRoom sees to a slot for one more transfer of an address; ok is false if
// there is none, and the request is to be met with silence.
func (t *Table) makeRoom(a proto.Addr) (ok bool) {
	all, fresh, oldest := 0, 0, none
	for id := *t.guests.chain(a); id != none; id = t.guests.places[id].same {
		if t.slots[id].addr() != a {
			continue
		}
		all++
		if t.guests.places[id].fresh { // the chain is newest first
			fresh++
			oldest = id
		}
	}
	switch {
	case fresh >= mostFresh, all >= t.perClient && fresh > 0:
		t.evict(oldest)
	case all >= t.perClient:
		t.count.Crowded++
		return false
	case len(t.free) > 0:
	case t.guests.head != none:
		t.evict(t.guests.head)
	default:
		t.count.Full++
		return false
	}
	return true
}

// evict ends a transfer that nobody has acknowledged, without a word.
func (t *Table) evict(id int32) {
	t.count.Evicted++
	t.end(id)
}
