// Package batch holds what passes between the core and whatever drives it: a
// batch of received frames, a batch of messages to send, the lease records that
// must be on disk before an acknowledgement may leave, and events for the
// observer. It is a leaf: AF_PACKET, capture replay and the simulator fill and
// drain the same values.
//
// Vocabulary: a frame is one Ethernet frame. A message is one entry of Tx: a
// single frame, or a run of TFTP DATA frames to one client that differ only in
// block number and data. A batch is what one system call moves.
package batch

import "bootstorm/proto"

// Capacities. All memory is allocated when a batch is made.
const (
	RxCap       = 64   // frames in a receive batch
	TxCap       = 64   // messages in a send batch
	FrameCap    = 2048 // bytes kept of a received frame: larger ones are cut and then dropped by their length fields
	HeadCap     = 1536 // bytes of a single-frame message
	MaxSegments = 64   // DATA frames in one message, and the largest windowsize (RFC 7440) granted
)

// Time is a moment, read once per batch. Timers use Mono; what is written to
// disk uses Wall. A step of the wall clock moves no timer.
type Time struct {
	Mono int64 // nanoseconds since an arbitrary start, never backwards
	Wall int64 // seconds since 1970-01-01 UTC
}

// Nanosecond multiples for Time.Mono.
const (
	Microsecond int64 = 1000
	Millisecond       = 1000 * Microsecond
	Second            = 1000 * Millisecond
)

// Frame is one received frame.
type Frame struct {
	Data     []byte // a view into the driver's buffer, valid until the next receive
	Link     uint8  // index of the interface it came in by
	Checksum bool   // false: the UDP checksum is unfinished (TP_STATUS_CSUMNOTREADY) and must not be verified
}

// Rx is a batch of received frames.
type Rx struct {
	Now    Time
	N      int
	Frames [RxCap]Frame
}

// Message is one entry of a send batch. A single frame has Segments 0 and is
// Head[:HeadLen], complete with all checksums. A run of DATA frames has
// Segments > 0: Head[:proto.HeadersLen] holds the Ethernet, IPv4 and UDP
// headers with the lengths and IP id of its first frame; frame i is
//
//	those headers (lengths its own, IP id + i, checksums complete)
//	Heads[4*i : 4*i+4]                         the TFTP DATA header (RFC 1350 section 5)
//	Data[i*Size : min((i+1)*Size, len(Data))]  the block; the last may be short or empty
//
// Data and Heads are views of immutable shared memory.
type Message struct {
	Head     [HeadCap]byte
	HeadLen  int
	Heads    []byte
	Data     []byte
	Size     uint16
	Segments uint16
	Link     uint8
}

// Tx is a batch of messages to send, in order. A driver that could send only
// the first k calls Sent(k); the rest stays for the next call.
type Tx struct {
	N        int
	Messages [TxCap]*Message
}

// NewTx allocates a batch with all its messages.
func NewTx() *Tx {
	t := new(Tx)
	for i := range t.Messages {
		t.Messages[i] = new(Message)
	}
	return t
}

// Room returns how many messages may still be added.
func (t *Tx) Room() int { return TxCap - t.N }

// Next returns the message to fill in next, or nil when the batch is full. It
// becomes part of the batch with Commit; Segments is zero.
func (t *Tx) Next() *Message {
	if t.N == TxCap {
		return nil
	}
	m := t.Messages[t.N]
	m.Segments, m.Heads, m.Data = 0, nil, nil
	return m
}

// Commit adds the message that Next returned.
func (t *Tx) Commit() { t.N++ }

// Sent removes the first k messages.
func (t *Tx) Sent(k int) {
	if k == 0 {
		return
	}
	for i := k; i < t.N; i++ {
		t.Messages[i-k], t.Messages[i] = t.Messages[i], t.Messages[i-k]
	}
	t.N -= k
}

// Frames returns how many frames the message stands for.
func (m *Message) Frames() int { return max(1, int(m.Segments)) }

// AppendFrame appends frame i of the message to dst, complete with all
// checksums. Drivers that cannot hand a run to the kernel use it, and so do
// tests and captures.
func (m *Message) AppendFrame(dst []byte, i int) []byte {
	if m.Segments == 0 {
		return append(dst, m.Head[:m.HeadLen]...)
	}
	head := (*[proto.HeadersLen]byte)(m.Head[:])
	at := len(dst)
	dst = append(dst, head[:]...)
	dst = append(dst, m.Heads[4*i:4*i+4]...)
	lo := min(i*int(m.Size), len(m.Data))
	hi := min(lo+int(m.Size), len(m.Data))
	dst = append(dst, m.Data[lo:hi]...)
	h := (*[proto.HeadersLen]byte)(dst[at:])
	id := uint16(h[18])<<8 | uint16(h[19])
	id += uint16(i)
	h[18], h[19] = byte(id>>8), byte(id)
	proto.SetPayloadLen(h, len(dst)-at-proto.HeadersLen)
	proto.FinishUDP(h, dst[at+proto.HeadersLen:], nil)
	return dst
}
