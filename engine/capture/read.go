package capture

import (
	"bytes"
	"encoding/binary"

	"bootstorm/proto"
)

// record is a record as it was read. data is the reader's own copy.
type record struct {
	wall     int64 // nanoseconds since 1970
	length   int
	size     int
	segments int
	block    uint16
	link     uint8
	flags    uint8
	data     []byte
}

// records copies what the ring holds, the oldest first.
func (r *Reader) records() (list []record) {
	size := uint64(len(r.mem) - pageLen)
	head := r.head.Load()
	first := uint64(0)
	if head > size {
		first = (head - size + blockLen - 1) / blockLen * blockLen
	}
	wall := r.wall.Load()
	copied := make([]byte, 0, min(head-first, size))
	for at := first; at < head; at += blockLen {
		off := pageLen + at%size
		// Capacity is there: earlier records keep their views.
		start := len(copied)
		copied = append(copied, r.mem[off:off+min(blockLen, head-at)]...)
		if r.reserved.Load() > at+size {
			copied = copied[:start]
			continue // being overwritten
		}
		list = parse(list, copied[start:], at, wall)
	}
	return list
}

// parse takes a block apart that begins at a position. It trusts nothing: a
// record that is not whole ends the block.
func parse(list []record, b []byte, at uint64, wall int64) []record {
	for len(b) >= recordLen && order.Uint64(b) == at+1 {
		r := record{wall: wall + int64(order.Uint64(b[8:])), length: int(order.Uint32(b[16:])), size: int(order.Uint16(b[22:])),
			segments: int(order.Uint16(b[24:])), block: order.Uint16(b[26:]), link: b[28], flags: b[29]}
		n := int(order.Uint16(b[20:]))
		whole := recordLen + (n+7)&^7
		if whole > len(b) || r.segments > 0 && n != proto.HeadersLen {
			break
		}
		r.data = b[recordLen : recordLen+n : recordLen+n]
		list = append(list, r)
		b, at = b[whole:], at+uint64(whole)
	}
	return list
}

// name is the interface of a link.
func (r *Reader) name(link int) string {
	if link >= names {
		return ""
	}
	field := r.mem[atNames+link*nameLen:][:nameLen]
	n := bytes.IndexByte(field, 0)
	if n < 0 {
		n = nameLen
	}
	return string(field[:n])
}

// frames is how many frames a record stands for.
func (r *record) frames() int { return max(1, r.segments) }

// frame builds frame i in buffer: what is kept of it, and how long it was.
func (r *record) frame(buffer []byte, i int) (data []byte, length int) {
	data = append(buffer[:0], r.data...)
	if r.segments > 0 {
		return r.segment(data, i)
	}
	// The checksum of a frame that never left the machine is the pseudo header's;
	// where the frame is whole it can be finished.
	if r.flags&flagUnfinished != 0 && isUDP(data) && len(data) == r.length {
		h := (*[proto.HeadersLen]byte)(data)
		n := int(binary.BigEndian.Uint16(h[38:40])) - proto.UDPLen
		if n >= 0 && proto.HeadersLen+n <= len(data) {
			proto.FinishUDP(h, data[proto.HeadersLen:proto.HeadersLen+n], nil)
		}
	}
	return data, r.length
}

// segment completes frame i of a run. Its UDP checksum is zero, "none" (RFC 768):
// the data that it is about is not here.
func (r *record) segment(data []byte, i int) ([]byte, int) {
	block := max(0, min(r.size, r.length-i*r.size))
	data = append(data, 0, 3) // DATA, RFC 1350 section 5
	data = binary.BigEndian.AppendUint16(data, r.block+uint16(i))
	h := (*[proto.HeadersLen]byte)(data)
	binary.BigEndian.PutUint16(h[18:20], binary.BigEndian.Uint16(h[18:20])+uint16(i))
	proto.SetPayloadLen(h, 4+block)
	return data, proto.HeadersLen + 4 + block
}

// isUDP tells whether a frame has Ethernet, IPv4 and UDP headers where ours do.
func isUDP(b []byte) bool {
	return len(b) >= proto.HeadersLen && isIPv4(b) && b[23] == proto.ProtocolUDP
}

// isIPv4 tells whether an IPv4 header without options follows the Ethernet
// header.
func isIPv4(b []byte) bool {
	return len(b) >= proto.EthernetLen+proto.IPv4Len && binary.BigEndian.Uint16(b[12:]) == proto.EtherTypeIPv4 && b[14] == 0x45
}
