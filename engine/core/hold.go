package core

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// hold is the ring of acknowledgements that wait for their lease record to be
// on disk: frames in the order in which they were made, so that of their
// records too. An entry is
//
//	seq 0..7   len 8..9   link 10   watched 11   frame
//
// and may run over the end of the ring to its start.
type hold struct {
	buf  []byte
	head int // of the oldest entry
	used int
	n    int // entries
}

const holdHeader = 12

// newHold allocates the ring, large enough for one frame at least: else no
// acknowledgement could ever be made.
func newHold(size int) hold {
	h := hold{buf: make([]byte, max(size, holdHeader+batch.HeadCap))}
	clear(h.buf) // the first storm finds the pages there
	return h
}

// fits tells whether a frame of n bytes can be added.
func (h *hold) fits(n int) bool { return len(h.buf)-h.used >= holdHeader+n }

// push adds a frame; the caller has asked fits. watched: it is repeated if nothing
// follows it.
func (h *hold) push(seq uint64, link uint8, watched bool, frame []byte) {
	var head [holdHeader]byte
	binary.LittleEndian.PutUint64(head[0:8], seq)
	binary.LittleEndian.PutUint16(head[8:10], uint16(len(frame)))
	head[10] = link
	if watched {
		head[11] = 1
	}
	h.write(head[:])
	h.write(frame)
	h.n++
}

// write appends b behind the newest byte, round the end if need be.
func (h *hold) write(b []byte) {
	at := h.head + h.used
	if at >= len(h.buf) {
		at -= len(h.buf)
	}
	k := copy(h.buf[at:], b)
	copy(h.buf, b[k:])
	h.used += len(b)
}

// read takes the oldest bytes.
func (h *hold) read(b []byte) {
	k := copy(b, h.buf[h.head:])
	copy(b[k:], h.buf)
	h.head += len(b)
	if h.head >= len(h.buf) {
		h.head -= len(h.buf)
	}
	h.used -= len(b)
}

// due tells whether the oldest frame waits for nothing any more.
func (h *hold) due(durable uint64) bool {
	if h.n == 0 {
		return false
	}
	var seq [8]byte
	k := copy(seq[:], h.buf[h.head:])
	copy(seq[k:], h.buf)
	return binary.LittleEndian.Uint64(seq[:]) <= durable
}

// pop moves the oldest frame into m and returns the record that it waited for,
// and whether it is to be watched.
func (h *hold) pop(m *batch.Message) (seq uint64, watched bool) {
	var head [holdHeader]byte
	h.read(head[:])
	m.HeadLen = int(binary.LittleEndian.Uint16(head[8:10]))
	m.Link = head[10]
	h.read(m.Head[:m.HeadLen])
	h.n--
	return binary.LittleEndian.Uint64(head[0:8]), head[11] != 0
}

// Durable says that the lease records up to seq are on disk, and moves the
// acknowledgements that waited for them into tx. One whose lease has ended or
// changed in the meantime, because the client gave it up, asked again, or the
// disk was stuck for so long, is dropped: the address may be somebody else's, and
// a client that asked again gets the later answer. more: tx is full and there
// are others; call again when it has room.
func (c *Core) Durable(seq uint64, tx *batch.Tx) (more bool) {
	c.durable = max(c.durable, seq)
	c.clock.waiting = false
	for c.hold.due(c.durable) {
		m := tx.Next()
		if m == nil {
			return true
		}
		seq, watched := c.hold.pop(m)
		if !c.stands(seq, m.Head[proto.HeadersLen:m.HeadLen]) {
			c.count.Overtaken++
			continue
		}
		if watched {
			c.watch(m.Head[:m.HeadLen], m.Link, seq, true)
		}
		tx.Commit()
	}
	return false
}

// stands tells whether a reply grants what the newest record of its address
// says.
func (c *Core) stands(seq uint64, payload []byte) bool {
	i := c.table.Find(dhcp.View(payload).YIAddr())
	return i != binding.None && c.table.At(i).Seq == seq && c.table.At(i).State == batch.LeaseActive
}

// Held returns how many acknowledgements wait for the disk.
func (c *Core) Held() int { return c.hold.n }
