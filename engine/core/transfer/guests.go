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
//
// A known node goes first. What is not acknowledged gives way to a request of the
// same or a higher standing only, those of the lowest standing first; strangers
// have no more than their share of the table, acknowledged or not, so that those
// who acknowledge once and then fall silent cannot take all of it for IdleLimit; and
// who has the address of a known node, but not its hardware, changes nothing of
// the node's transfers: one address may be two senders.

// Standing is what the server knows of a sender.
type Standing uint8

// The standings, lowest first.
const (
	Stranger Standing = iota // nothing
	Routed                   // its address is a known node's, but a router sent the frame
	Known                    // its address and its hardware address are a known node's
	standings
)

// keptShare of the table, as a divisor, is kept from strangers where there may be
// known nodes.
const keptShare = 4

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
// acknowledged yet, by standing, oldest first. Memory is fixed; chains are by hash.
type guests struct {
	places    []place // by slot
	heads     []int32 // by hash of the address
	fresh     [standings]line
	strangers int // transfers of them
	kept      int // slots that they do not get
	shift     uint
	seed      uint64
}

// line is the unacknowledged of one standing.
type line struct{ head, tail int32 }

// place is a slot's links in both.
type place struct {
	next, prev int32 // unacknowledged, of this standing
	same       int32 // next with that hash
	fresh      bool
	standing   Standing
}

func newGuests(slots int, seed uint64) guests {
	n := uint(bits.Len(uint(2*slots - 1)))
	c := guests{places: make([]place, slots), heads: make([]int32, 1<<n), shift: 64 - n, seed: seed}
	for i := range c.fresh {
		c.fresh[i] = line{none, none}
	}
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
func (c *guests) enter(id int32, a proto.Addr, who Standing) {
	head := c.chain(a)
	c.places[id].same = *head
	*head = id
	c.push(id, who)
}

// push puts a transfer behind the unacknowledged of a standing.
func (c *guests) push(id int32, who Standing) {
	l, p := &c.fresh[who], &c.places[id]
	p.next, p.prev, p.fresh, p.standing = none, l.tail, true, who
	if l.tail == none {
		l.head = id
	} else {
		c.places[l.tail].next = id
	}
	l.tail = id
	if who == Stranger {
		c.strangers++
	}
}

// prove notes that the client has answered.
func (c *guests) prove(id int32) {
	p := &c.places[id]
	if !p.fresh {
		return
	}
	p.fresh = false
	l := &c.fresh[p.standing]
	if p.prev == none {
		l.head = p.next
	} else {
		c.places[p.prev].next = p.next
	}
	if p.next == none {
		l.tail = p.prev
	} else {
		c.places[p.next].prev = p.prev
	}
}

// raise gives an unacknowledged transfer the standing of who asks for it again,
// if that is higher.
func (c *guests) raise(id int32, who Standing) {
	p := &c.places[id]
	if !p.fresh || who <= p.standing {
		return
	}
	c.prove(id)
	c.forget(id)
	c.push(id, who)
}

// forget counts a transfer no more among those of its standing.
func (c *guests) forget(id int32) {
	if c.places[id].standing == Stranger {
		c.strangers--
	}
}

// leave takes a transfer out of both.
func (c *guests) leave(id int32, a proto.Addr) {
	c.prove(id)
	c.forget(id)
	for at := c.chain(a); *at != none; at = &c.places[*at].same {
		if *at == id {
			*at = c.places[id].same
			return
		}
	}
}

// makeRoom sees to a slot for one more transfer of an address; ok is false if
// there is none, and the request is to be met with silence.
func (t *Table) makeRoom(a proto.Addr, who Standing) (ok bool) {
	all, fresh, oldest := 0, 0, none
	for id := *t.guests.chain(a); id != none; id = t.guests.places[id].same {
		if t.slots[id].addr() != a || t.guests.places[id].standing != who {
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
	case who == Stranger && t.guests.kept > 0 && t.guests.strangers >= len(t.slots)-t.guests.kept:
		if oldest = t.guests.fresh[Stranger].head; oldest == none {
			t.count.Kept++
			return false
		}
		t.evict(oldest)
	case len(t.free) == 0:
		return t.takeFrom(who)
	}
	return true
}

// takeFrom ends the oldest unacknowledged transfer of the lowest standing that
// gives way to a request of this one.
func (t *Table) takeFrom(who Standing) (ok bool) {
	for less := range who + 1 {
		if id := t.guests.fresh[less].head; id != none {
			if less < who {
				t.count.Yielded++
			}
			t.evict(id)
			return true
		}
	}
	t.count.Full++
	return false
}

// evict ends a transfer that nobody has acknowledged, without a word.
func (t *Table) evict(id int32) {
	t.count.Evicted++
	t.end(id)
}
