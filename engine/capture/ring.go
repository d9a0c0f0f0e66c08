package capture

import (
	"sync/atomic"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// Ring is the writing end. It belongs to one worker, who alone calls Received,
// Sent and Clock; they neither allocate nor wait nor enter the kernel. A nil Ring
// remembers nothing.
type Ring struct {
	mem      []byte         // the ring, without its page
	head     *atomic.Uint64 // in the page, as the others
	reserved *atomic.Uint64
	wall     *atomic.Int64
	page     []byte

	at   uint64 // position of the next record
	end  uint64 // position of the next block
	off  int    // of at in mem
	base int64  // the value of wall
}

// Received remembers a frame that came in.
func (r *Ring) Received(f *batch.Frame, mono int64) {
	if r == nil {
		return
	}
	n := kept(f.Data)
	flags := byte(0)
	if !f.Checksum {
		flags = flagUnfinished
	}
	b := r.record(n, len(f.Data), mono, f.Link, flags)
	copy(b[recordLen:], f.Data[:n])
	r.publish(n)
}

// Sent remembers a message that is handed to an interface.
func (r *Ring) Sent(m *batch.Message, mono int64) {
	switch {
	case r == nil:
	case m.Segments == 0:
		n := kept(m.Head[:m.HeadLen])
		b := r.record(n, m.HeadLen, mono, m.Link, flagSent)
		copy(b[recordLen:], m.Head[:n])
		r.publish(n)
	default:
		b := (*[recordLen + proto.HeadersLen]byte)(r.record(proto.HeadersLen, len(m.Data), mono, m.Link, flagSent))
		first := (*[4]byte)(m.Heads)
		order.PutUint16(b[22:], m.Size)
		order.PutUint16(b[24:], m.Segments)
		order.PutUint16(b[26:], uint16(first[2])<<8|uint16(first[3]))
		copy(b[recordLen:], m.Head[:proto.HeadersLen])
		r.publish(proto.HeadersLen)
	}
}

// Clock tells how the wall clock, in nanoseconds since 1970, stands to Time.Mono.
// A clock that is set corrects the times of all that is remembered.
func (r *Ring) Clock(wall, mono int64) {
	if r == nil {
		return
	}
	// The two are read one after the other and never quite agree.
	if d := wall - mono - r.base; d > batch.Millisecond || d < -batch.Millisecond {
		r.base += d
		r.wall.Store(r.base)
	}
}

// record makes room for n bytes behind a record's header, and fills that in.
func (r *Ring) record(n, length int, mono int64, link, flags byte) []byte {
	need := recordLen + (n+7)&^7
	if r.at+uint64(need) > r.end {
		r.nextBlock()
	}
	b := r.mem[r.off : r.off+need : r.off+need]
	h := (*[recordLen]byte)(b)
	order.PutUint64(h[0:], r.at+1)
	order.PutUint64(h[8:], uint64(mono))
	order.PutUint32(h[16:], uint32(length))
	order.PutUint16(h[20:], uint16(n))
	order.PutUint32(h[22:], 0)
	order.PutUint16(h[26:], 0)
	h[28], h[29] = link, flags
	return b
}

// publish ends the record that record began.
func (r *Ring) publish(n int) {
	need := recordLen + (n+7)&^7
	r.at += uint64(need)
	r.off += need
	r.head.Store(r.at)
}

// nextBlock leaves the rest of the block unused, and says one block ahead what
// will be written.
func (r *Ring) nextBlock() {
	if r.at < r.end {
		order.PutUint64(r.mem[r.off:], 0)
	}
	r.off += int(r.end - r.at)
	if r.off == len(r.mem) {
		r.off = 0
	}
	r.at = r.end
	r.end += blockLen
	r.reserved.Store(r.end + blockLen)
}

// kept is how much of a frame is remembered: nothing of a file, which TFTP DATA
// and the quotations of ICMP hold, and else all that a message can have.
func kept(b []byte) int {
	const (
		data = proto.HeadersLen + 4                                        // TFTP opcode and block number
		icmp = proto.EthernetLen + proto.IPv4Len + proto.ICMPLen + 20 + 12 // the quoted headers and opcode
	)
	if len(b) < data || b[12] != proto.EtherTypeIPv4>>8 || b[13] != 0 || b[14] != 0x45 {
		return min(len(b), wholeLen)
	}
	switch {
	case b[23] == proto.ProtocolICMP:
		return min(len(b), icmp)
	case opcode(b) == opData:
		return data
	}
	return min(len(b), wholeLen)
}

// Operations of TFTP that carry a file (RFC 1350 section 5).
const (
	opData = 3
	opAck  = 4
)

// opcode is the operation of a TFTP packet from or to port 69, 0 if the frame is
// something else.
func opcode(b []byte) byte {
	if len(b) < proto.HeadersLen+4 || b[12] != proto.EtherTypeIPv4>>8 || b[13] != 0 || b[14] != 0x45 || b[23] != proto.ProtocolUDP {
		return 0
	}
	if (b[34] != 0 || b[35] != proto.PortTFTP) && (b[36] != 0 || b[37] != proto.PortTFTP) || b[42] != 0 {
		return 0
	}
	return b[43]
}

// carriesFile tells whether a frame is TFTP DATA or ACK.
func carriesFile(b []byte) bool {
	op := opcode(b)
	return op == opData || op == opAck
}
