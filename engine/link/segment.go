//go:build linux

package link

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

const (
	vnetLen   = 10                             // struct virtio_net_hdr
	headLen   = proto.HeadersLen               // Ethernet, IPv4 and UDP headers
	blockHead = 4                              // TFTP DATA opcode and block number (RFC 1350)
	maxUDP    = 65535 - proto.IPv4Len - headUD // payload of a super-frame
	headUD    = proto.UDPLen

	needsChecksum = 1 // VIRTIO_NET_HDR_F_NEEDS_CSUM
	gsoUDP        = 5 // VIRTIO_NET_HDR_GSO_UDP_L4
)

// putVnet writes a virtio_net_hdr (10 bytes, the host's byte order) that has the
// UDP checksum completed; with segment > 0 it also has the payload cut into
// datagrams of that many bytes.
func putVnet(b *[vnetLen]byte, segment int) {
	b[0], b[1] = needsChecksum, 0
	if segment > 0 {
		b[1] = gsoUDP
	}
	binary.NativeEndian.PutUint16(b[2:], headLen)
	binary.NativeEndian.PutUint16(b[4:], uint16(segment))
	binary.NativeEndian.PutUint16(b[6:], headLen-proto.UDPLen) // where the sum starts
	binary.NativeEndian.PutUint16(b[8:], 6)                    // where it goes: udp.check
}

// putPartialSum writes what the kernel expects in a checksum that it completes:
// the sum of the pseudo header.
func putPartialSum(h *[headLen]byte, payload int) {
	src, dst := proto.AddrFrom((*[4]byte)(h[26:30])), proto.AddrFrom((*[4]byte)(h[30:34]))
	binary.BigEndian.PutUint16(h[40:42], proto.Fold(proto.PseudoSum(src, dst, proto.UDPLen+payload)))
}

// entry is one kernel message that was built: a number of frames of a message.
type entry struct {
	message int32 // index in Tx
	frames  int32
	offload bool // it uses what a lower rung does without
}

// sender is the memory in which kernel messages are built.
type sender struct {
	headers [batch.TxCap]mmsghdr
	entries [batch.TxCap]entry
	heads   [batch.TxCap]head
	vectors []unix.Iovec
	used    int // vectors
	count   int // entries
	done    [batch.TxCap]bool
}

// head is what precedes a kernel message's data: virtio_net_hdr if the rung has
// one, headers, and for a frame of its own the TFTP DATA header.
type head struct {
	vnet  [vnetLen]byte
	frame [headLen]byte
	block [blockHead]byte
	_     [8]byte // keeps heads apart from each other's cache line
}

// maxVectors is how many parts a kernel message has at most: headers, and for
// each segment TFTP header and data.
const maxVectors = 1 + 2*batch.MaxSegments

func (t *sender) init() { t.vectors = make([]unix.Iovec, batch.TxCap*maxVectors) }

// part adds a piece of memory to the entry being built.
func (t *sender) part(p *byte, n int) {
	v := &t.vectors[t.used]
	v.Base = p
	v.SetLen(n)
	t.used++
}

// begin starts an entry; its parts are the vectors from the returned index on.
func (t *sender) begin() (h *head, first int) { return &t.heads[t.count], t.used }

func (t *sender) end(first, message, frames int, offload bool) {
	h := &t.headers[t.count].hdr
	h.Iov = &t.vectors[first]
	h.SetIovlen(t.used - first)
	t.entries[t.count] = entry{message: int32(message), frames: int32(frames), offload: offload}
	t.count++
}

// single builds the entry of a single-frame message, which is complete.
func (t *sender) single(i int, m *batch.Message, r Rung) {
	h, first := t.begin()
	if r.vnet() {
		h.vnet = [vnetLen]byte{} // nothing to be completed, nothing to be cut
		t.part(&h.vnet[0], vnetLen)
	}
	t.part(&m.Head[0], m.HeadLen)
	t.end(first, i, 1, false)
}

// run builds entries for the frames of a run from frame at on, as many as fit,
// and returns the frame to go on with.
func (t *sender) run(i int, m *batch.Message, at int, r Rung) int {
	for at < int(m.Segments) && t.count < batch.TxCap {
		n := 1
		if r == SendSegmented {
			n = min(int(m.Segments)-at, maxUDP/(blockHead+int(m.Size)))
		}
		if n > 1 {
			t.super(i, m, at, n)
		} else {
			n = 1
			t.frame(i, m, at, r)
		}
		at += n
	}
	return at
}

// super builds one super-frame of n frames. Its lengths are the totals.
func (t *sender) super(i int, m *batch.Message, at, n int) {
	h, first := t.begin()
	data := m.Data[min(at*int(m.Size), len(m.Data)):min((at+n)*int(m.Size), len(m.Data))]
	payload := n*blockHead + len(data)
	putVnet(&h.vnet, blockHead+int(m.Size))
	h.copyHeaders(m, at, payload)
	putPartialSum(&h.frame, payload)
	t.part(&h.vnet[0], vnetLen+headLen)
	for k := range n {
		t.part(&m.Heads[blockHead*(at+k)], blockHead)
		if size := min(int(m.Size), len(data)); size > 0 {
			t.part(&data[0], size)
			data = data[size:]
		}
	}
	t.end(first, i, n, true)
}

// frame builds the entry of one frame of a run.
func (t *sender) frame(i int, m *batch.Message, at int, r Rung) {
	h, first := t.begin()
	data := m.Data[min(at*int(m.Size), len(m.Data)):min((at+1)*int(m.Size), len(m.Data))]
	h.copyHeaders(m, at, blockHead+len(data))
	h.block = [blockHead]byte(m.Heads[blockHead*at:])
	if r.vnet() {
		putVnet(&h.vnet, 0)
		putPartialSum(&h.frame, blockHead+len(data))
		t.part(&h.vnet[0], vnetLen+headLen+blockHead)
	} else {
		proto.FinishUDP(&h.frame, h.block[:], data)
		t.part(&h.frame[0], headLen+blockHead)
	}
	if len(data) > 0 {
		t.part(&data[0], len(data))
	}
	t.end(first, i, 1, r.vnet())
}

// copyHeaders makes the headers of frame at, with its IP id and lengths.
func (h *head) copyHeaders(m *batch.Message, at, payload int) {
	h.frame = [headLen]byte(m.Head[:])
	id := binary.BigEndian.Uint16(h.frame[18:20]) + uint16(at)
	binary.BigEndian.PutUint16(h.frame[18:20], id)
	proto.SetPayloadLen(&h.frame, payload)
}

// advance takes the first n frames out of a run.
func advance(m *batch.Message, n int) {
	m.Heads = m.Heads[min(blockHead*n, len(m.Heads)):]
	m.Data = m.Data[min(n*int(m.Size), len(m.Data)):]
	m.Segments -= uint16(n)
	id := binary.BigEndian.Uint16(m.Head[18:20]) + uint16(n)
	binary.BigEndian.PutUint16(m.Head[18:20], id)
}

// The parts of a head are handed to the kernel as one piece.
var _ = [1]struct{}{}[unsafe.Offsetof(head{}.block)-vnetLen-headLen]
