package core

import (
	"math"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// A lost OFFER or ACK costs firmware 4, 8, 16 s of its own timer, for it asks
// again no sooner. So one that was sent to a node that is booting, and that
// nothing of the node follows for a moment, is sent once more, the same frame:
// edk2 is still collecting offers then, and a second one does no harm.
const (
	// RepeatAfter is for how long nothing must have followed, in ns.
	RepeatAfter = 400 * batch.Millisecond
	// repeatCap is how many answers are watched at a time, 5 MiB of them; beyond,
	// the oldest gives way and is not repeated.
	repeatCap = 1 << 13
	// repeatFrame is the longest frame that is kept. An answer to firmware has 350
	// to 600 bytes.
	repeatFrame = 624
	// repeatSets is how many marks of nodes there are. Of two nodes that share
	// one, the earlier is not repeated to.
	repeatSets = 1 << 16
)

// repeats is a ring of answers in the order in which they left. A node's mark
// holds the number of the last answer to it, and 0 once something of the node
// was heard: only what is still marked is sent again.
type repeats struct {
	now    int64 // Mono of the last call: answers released by the disk bring no time
	oldest uint32
	next   uint32 // number of the next answer; oldest == next: none
	list   *[repeatCap]repeat
	last   *[repeatSets]uint32 // by node: number of its answer
}

// repeat is one answer.
type repeat struct {
	at    int64  // Mono when it is due
	seq   uint64 // an ACK's lease record, as in hold
	node  uint16 // index in last
	len   uint16
	link  uint8
	ack   bool
	frame [repeatFrame]byte
}

// newRepeats allocates the ring. Zero is no number.
func newRepeats() repeats {
	r := repeats{oldest: 1, next: 1, list: new([repeatCap]repeat), last: new([repeatSets]uint32)}
	for i := range r.list { // the first storm finds the pages there
		r.list[i] = repeat{len: 1}
	}
	*r.last = [repeatSets]uint32{}
	return r
}

// chaddr is the Ethernet address of the node that a reply is for.
func chaddr(payload []byte) proto.MAC { return proto.MAC(dhcp.View(payload).CHAddr()[:6]) }

// nodeMark is the index of a node's mark.
func nodeMark(mac proto.MAC) uint16 { return uint16(binding.Hash(mac[:]) >> 32 % repeatSets) }

// heard notes that a node did something after its last answer.
func (r *repeats) heard(mac proto.MAC) {
	r.last[nodeMark(mac)] = 0
	r.trim()
}

// trim drops the oldest answers that are not to be repeated any more, so that
// nobody wakes up for them; a few at a time.
func (r *repeats) trim() {
	for range 8 {
		if r.oldest == r.next || r.marked(r.oldest) {
			return
		}
		r.oldest++
	}
}

// marked tells whether answer n is still to be repeated.
func (r *repeats) marked(n uint32) bool { return r.last[r.list[n%repeatCap].node] == n }

// deadline is when the oldest answer is due.
func (r *repeats) deadline() int64 {
	if r.oldest == r.next {
		return math.MaxInt64
	}
	return r.list[r.oldest%repeatCap].at
}

// watch keeps an answer that has just left. gaveWay: it, or an older one, is
// not going to be repeated for want of room.
func (r *repeats) watch(frame []byte, link uint8, seq uint64, ack bool) (gaveWay bool) {
	if len(frame) > repeatFrame {
		return true
	}
	if r.next-r.oldest == repeatCap {
		gaveWay = r.marked(r.oldest)
		r.oldest++
	}
	if r.next == 0 { // after four thousand million answers
		r.oldest, r.next = 1, 1
		*r.last = [repeatSets]uint32{}
	}
	e := &r.list[r.next%repeatCap]
	e.at, e.seq, e.link, e.ack = r.now+RepeatAfter, seq, link, ack
	e.node = nodeMark(chaddr(frame[proto.HeadersLen:]))
	e.len = uint16(copy(e.frame[:], frame))
	r.last[e.node] = r.next
	r.next++
	return gaveWay
}

// repeatable tells whether the answer to the message in work is sent again if
// nothing follows it: to firmware or iPXE, never to an installed system, and not
// through a relay.
func (c *Core) repeatable(v *verdict) bool {
	m := &c.msg
	switch m.software {
	case ClientIPXE, ClientPXE, ClientUEFI, ClientHTTP:
	default:
		return false
	}
	return (v.do == offer || v.do == ack) && m.giaddr == 0 && m.ciaddr == 0 && m.agent == nil &&
		reachable(&c.request.HW) && c.eval.Bool(plan.RepeatAnswers, true)
}

// watch keeps an answer that has just left for repetition.
func (c *Core) watch(frame []byte, link uint8, seq uint64, ack bool) {
	if c.repeats.watch(frame, link, seq, ack) {
		c.count.RepeatsLost++
	}
}

// repeat sends the answers again that are due and still stand.
func (c *Core) repeat(tx *batch.Tx) {
	r := &c.repeats
	for r.deadline() <= r.now {
		e := &r.list[r.oldest%repeatCap]
		if r.marked(r.oldest) && int(e.link) < len(c.links) && c.holds(e) {
			m := tx.Next()
			if m == nil {
				return
			}
			m.HeadLen = copy(m.Head[:], e.frame[:min(int(e.len), repeatFrame)])
			m.Link = e.link
			tx.Commit()
			c.count.Repeats++
		}
		if r.marked(r.oldest) {
			r.last[e.node] = 0
		}
		r.oldest++
	}
	r.trim()
}

// holds tells whether an answer is still true: an ACK's lease is the one of its
// record, an OFFER's address is still the node's. An address of a host
// declaration is in no table and nobody else's.
func (c *Core) holds(e *repeat) bool {
	payload := e.frame[proto.HeadersLen:]
	i := c.table.Find(dhcp.View(payload).YIAddr())
	switch {
	case i == binding.None:
		return e.seq == 0
	case e.ack:
		return c.stands(e.seq, payload)
	}
	s := c.table.At(i)
	return s.HW.Len == 6 && s.HW.MAC() == chaddr(payload) && (s.Flags&binding.Offered != 0 || s.State == batch.LeaseActive)
}
