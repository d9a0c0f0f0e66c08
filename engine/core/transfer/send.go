package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// maxRun is the most data and DATA headers in one message, bytes: the kernel
// takes it as one IP datagram and cuts it up.
const maxRun = 65535 - proto.IPv4Len - proto.UDPLen

// A run of DATA headers must be contiguous in package tftp's table.
var _ [tftp.MaxRun - batch.MaxSegments]struct{}

// How much data is handed over at a time, bytes. What waits in tx can no longer
// be overtaken, by DHCP or by a transfer that comes to be nearer to its end, and
// the time it waits looks like the network's. So if the driver does not take
// everything, only so much is kept in tx that it finds something when it has
// room again: 5 ms at 100 Mbit/s.
const (
	burst = 256 << 10
	stock = 64 << 10
)

// Fill runs the timers that are due and then sends what is ready, as far as tx
// has room, but no more than is good: see burst. What does not fit stays ready.
func (t *Table) Fill(now int64, tx *batch.Tx, ev *batch.Events) {
	room := burst
	if left := pending(tx); left > 0 {
		t.blocked = now
		room = stock - left
	}
	for id, ok := t.timers.Expire(now); ok; id, ok = t.timers.Expire(now) {
		t.expire(now, id, ev)
	}
	for tx.Room() > 0 && (room > 0 || t.ready.urgent()) {
		id := t.ready.pick(now)
		if id == none {
			return
		}
		room -= t.serve(now, id, tx, ev)
	}
}

// pending is how many bytes of data wait in tx.
func pending(tx *batch.Tx) (bytes int) {
	for _, m := range tx.Messages[:tx.N] {
		bytes += len(m.Data)
	}
	return bytes
}

// serve sends one message of a transfer and returns the bytes of data in it.
func (t *Table) serve(now int64, id int32, tx *batch.Tx, ev *batch.Events) (bytes int) {
	s := &t.slots[id]
	if int(s.link) >= len(t.links) {
		t.count.LinkGone++
		t.fail(now, id, EndedByTime, ev)
		return 0
	}
	blocks := int64(1)
	switch {
	case s.flags&flagSendOack != 0:
		t.repeatOack(now, id, tx)
		return 0
	case s.flags&flagNetascii != 0:
		t.sendNetascii(s, tx)
	default:
		blocks = t.sendRun(s, tx)
	}
	t.sent(s, blocks)
	s.sentAt = now
	if s.next > s.recover && s.next == s.high { // the last block is new
		s.timed, s.timedAt = s.next, now
		s.flags &^= flagDoubt
	}
	if s.next == s.limit && s.flags&flagTail != 0 {
		s.flags &^= flagTail
		t.rewind(s, s.high-1)
		s.limit = s.high
	}
	if s.next < s.limit {
		t.wake(now, id)
	}
	t.arm(now, id)
	return int(blocks) * int(s.blksize)
}

// sendRun sends blocks of the file as they lie in memory, as many as one
// message takes, and returns their number.
func (t *Table) sendRun(s *slot, tx *batch.Tx) (blocks int64) {
	size := int64(s.blksize)
	blocks = min(s.limit-s.next, batch.MaxSegments)
	if blocks*(size+tftp.HeaderLen) > maxRun {
		blocks = maxRun / (size + tftp.HeaderLen)
	}
	from := s.next * size
	to := min(from+blocks*size, s.size)
	m := tx.Next()
	t.address(m, s, int(blocks), int(tftp.HeaderLen+min(size, to-from)))
	m.Heads = tftp.Heads(uint16(s.next+1), int(blocks))
	m.Data = t.fileOf(s).Data[from:to:to]
	m.Size, m.Segments, m.HeadLen = s.blksize, uint16(blocks), proto.HeadersLen
	tx.Commit()
	t.count.DataBytes += uint64(to - from)
	return blocks
}

// sendNetascii converts and sends one block.
func (t *Table) sendNetascii(s *slot, tx *batch.Tx) {
	const at = proto.HeadersLen + tftp.HeaderLen
	m := tx.Next()
	n, head := netascii(m.Head[at:at+int(s.blksize)], t.fileOf(s).Data, s.head)
	s.head = head
	tftp.PutHeader((*[tftp.HeaderLen]byte)(m.Head[proto.HeadersLen:]), tftp.OpData, uint16(s.next+1))
	t.single(m, s, tftp.HeaderLen+n)
	tx.Commit()
	t.count.DataBytes += uint64(n)
}

// sent notes that blocks were sent.
func (t *Table) sent(s *slot, blocks int64) {
	t.count.DataFrames += uint64(blocks)
	again := min(s.high-s.next, blocks)
	s.next += blocks
	s.high = max(s.high, s.next)
	if again > 0 {
		s.repeats += uint32(again)
		t.count.Resent += uint64(again)
	}
}

// sendOack sends the first reply to a request with options.
func (t *Table) sendOack(now int64, id int32, tx *batch.Tx) {
	s := &t.slots[id]
	m := tx.Next()
	n := copy(m.Head[proto.HeadersLen:], s.oack[:s.oackLen])
	t.single(m, s, n)
	tx.Commit()
	t.count.Oacks++
	s.sentAt = now
	s.flags &^= flagSendOack
	t.arm(now, id)
}

// repeatOack sends it once more. Each copy is answered by an ACK 0, so one that
// comes later may be an echo.
func (t *Table) repeatOack(now int64, id int32, tx *batch.Tx) {
	s := &t.slots[id]
	t.count.Resent++
	s.repeats++
	s.recover = 0
	t.ready.remove(id)
	t.sendOack(now, id, tx)
}

// single completes a message of one frame, whose payload is in place.
func (t *Table) single(m *batch.Message, s *slot, payload int) {
	t.address(m, s, 1, payload)
	end := proto.HeadersLen + payload
	proto.FinishUDP((*[proto.HeadersLen]byte)(m.Head[:]), m.Head[proto.HeadersLen:end], nil)
	m.HeadLen = end
}

// address writes the headers of a message of so many frames, the first of which
// has payload bytes.
func (t *Table) address(m *batch.Message, s *slot, frames, payload int) {
	proto.PutHeaders((*[proto.HeadersLen]byte)(m.Head[:]), t.links[s.link].mac, s.mac, s.server, s.addr(),
		proto.PortTFTP, s.port(), t.nextID(frames), payload)
	m.Link = s.link
}

// nextID returns the IP identification of the first of so many frames.
func (t *Table) nextID(frames int) uint16 {
	id := t.id
	t.id += uint16(frames)
	return id
}
