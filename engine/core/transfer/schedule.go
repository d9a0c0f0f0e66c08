package transfer

import (
	"math"
	"math/bits"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// Where the network is the bottleneck, transfers are finished rather than all
// kept crawling: what is ready is sent in the order of what its node has left.
// A thousand nodes then end one after the other from the beginning on, the last
// no later than if all had shared the line, when none ends before the last.
// This file is the one place that decides who is next.

// starving is how long a ready transfer may be passed over, ns; then every other
// message is of one that waits for so long. Not all of them: a crowd that came
// together starves together, and would keep all others waiting. Clients repeat themselves after 0.25 s (iPXE,
// doubling) to 5 s (U-Boot) and give up after 15 s or more, so that what waits
// in vain is a frame now and then, and nobody leaves. A thousand windows of
// edk2 in that time are a quarter of a line of 100 Mbit/s.
const starving = 2 * batch.Second

// urgent is the rank of a frame that does not wait behind data: an OACK.
const urgent = math.MinInt64

// queue is the transfers that have something to send: a list in the order in
// which they became ready, and a heap by rank over the same transfers.
type queue struct {
	head, tail int32
	nodes      []node  // by slot
	heap       []entry // binary, least rank first; its capacity is the number of slots
	fed        bool    // the last one picked was starving
}

// node is a transfer's place in the queue.
type node struct {
	since      int64 // when it became ready, ns
	next, prev int32 // in the list
	at         int32 // index in the heap, none if it is not queued
}

// entry is a place in the heap, with its rank beside it so that a comparison
// looks at one line of memory.
type entry struct {
	rank int64
	id   int32
}

func newQueue(slots int) queue {
	q := queue{head: none, tail: none, nodes: make([]node, slots), heap: make([]entry, 0, slots)}
	for i := range q.nodes {
		q.nodes[i].at = none
	}
	return q
}

// pick takes the transfer out that shall send next, none if nobody waits.
func (q *queue) pick(now int64) int32 {
	id := q.head
	if id == none {
		return none
	}
	q.fed = !q.fed && now-q.nodes[id].since >= starving && !q.urgent()
	if !q.fed {
		id = q.heap[0].id
	}
	q.remove(id)
	return id
}

// urgent tells whether the next one does not wait behind data.
func (q *queue) urgent() bool { return len(q.heap) > 0 && q.heap[0].rank == urgent }

// push adds a transfer that is ready from now on, unless it waits already. Of
// those of equal rank, any may be first.
func (q *queue) push(now int64, id int32, rank int64) {
	n := &q.nodes[id]
	if n.at != none {
		return
	}
	*n = node{since: now, next: none, prev: q.tail}
	if q.tail == none {
		q.head = id
	} else {
		q.nodes[q.tail].next = id
	}
	q.tail = id
	q.heap = append(q.heap, entry{})
	q.up(len(q.heap)-1, entry{rank, id})
}

// waits tells whether a transfer is in the queue.
func (q *queue) waits(id int32) bool { return q.nodes[id].at != none }

// remove takes a transfer out, if it is in.
func (q *queue) remove(id int32) {
	n := &q.nodes[id]
	if n.at == none {
		return
	}
	if n.prev == none {
		q.head = n.next
	} else {
		q.nodes[n.prev].next = n.next
	}
	if n.next == none {
		q.tail = n.prev
	} else {
		q.nodes[n.next].prev = n.prev
	}
	q.leave(int(n.at))
	n.at = none
}

// leave closes the gap at i of the heap with its last entry.
func (q *queue) leave(i int) {
	end := len(q.heap) - 1
	e := q.heap[end]
	q.heap = q.heap[:end]
	switch {
	case i == end:
	case i > 0 && e.rank < q.heap[(i-1)/2].rank:
		q.up(i, e)
	default:
		q.down(i, e)
	}
}

// up puts e at i, or as far above as its rank demands.
func (q *queue) up(i int, e entry) {
	for i > 0 {
		above := (i - 1) / 2
		if q.heap[above].rank <= e.rank {
			break
		}
		q.put(i, q.heap[above])
		i = above
	}
	q.put(i, e)
}

// down puts e at i, or as far below as its rank demands.
func (q *queue) down(i int, e entry) {
	for {
		below := 2*i + 1
		if below >= len(q.heap) {
			break
		}
		if below+1 < len(q.heap) && q.heap[below+1].rank < q.heap[below].rank {
			below++
		}
		if e.rank <= q.heap[below].rank {
			break
		}
		q.put(i, q.heap[below])
		i = below
	}
	q.put(i, e)
}

func (q *queue) put(i int, e entry) {
	q.heap[i] = e
	q.nodes[e.id].at = int32(i)
}

// rank is what a transfer's node has left, in bytes, as far as it is known: the
// rest of the file, less what the node fetched before in this boot. The nodes
// of a site fetch the same files one after the other, so whoever has had more
// has less to come.
func (s *slot) rank() int64 {
	if s.flags&flagSendOack != 0 {
		return urgent
	}
	return s.size - s.acked*int64(s.blksize) - int64(s.credit)<<10
}

// wake makes a transfer ready to send.
func (t *Table) wake(now int64, id int32) { t.ready.push(now, id, t.slots[id].rank()) }

// bootPause is how long after a file the next one belongs to the same boot, ns:
// a loader starts in seconds, and iPXE of 2019 then waits 17 s for its network.
const bootPause = 60 * batch.Second

// past is what nodes fetched lately, by address: direct mapped, so the newest of
// two that fall together is kept. The other only goes without its preference.
type past struct {
	visits []visit
	shift  uint // 64 - log2 of the length
}

// visit is one node's boot so far.
type visit struct {
	at   int64 // when its last file was complete
	addr proto.Addr
	kib  uint32 // of complete files
}

func newPast(slots int) past {
	n := uint(bits.Len(uint(2*slots - 1)))
	return past{visits: make([]visit, 1<<n), shift: 64 - n}
}

func (p *past) visit(a proto.Addr) *visit {
	return &p.visits[uint64(a)*0x9e3779b97f4a7c15>>p.shift]
}

// of returns how many KiB a node has fetched in the boot that it is in.
func (p *past) of(now int64, a proto.Addr) uint32 {
	if v := p.visit(a); v.addr == a && now-v.at < bootPause {
		return v.kib
	}
	return 0
}

// add notes that a node has a whole file.
func (p *past) add(now int64, a proto.Addr, bytes int64) {
	kib := int64(p.of(now, a)) + bytes>>10
	*p.visit(a) = visit{at: now, addr: a, kib: uint32(min(kib, math.MaxUint32))}
}
