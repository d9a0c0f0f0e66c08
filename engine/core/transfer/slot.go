package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// none is no slot.
const none int32 = -1

// overhead is what stands before the data of a block in an IP packet, bytes.
const overhead = proto.IPv4Len + proto.UDPLen + tftp.HeaderLen

// slot is one transfer. It has no pointers, so the collector never looks at the
// table, and stays below 256 bytes: 16,384 transfers take 4 MiB.
//
// Blocks are counted from 1 in 64 bits; what is on the wire is the number
// modulo 65536, so numbers roll over to 0. A count of n blocks is also the
// number of the last of them.
type slot struct {
	key     uint64 // client address and port, see keyOf; 0 if the slot is free
	request uint64 // hash of the whole request, to know it again

	size  int64 // bytes of the file in the transfer's mode
	total int64 // blocks, the last one short or empty

	acked   int64 // blocks that the client has without a gap
	next    int64 // blocks sent in the present pass
	high    int64 // blocks ever sent
	limit   int64 // blocks that may be sent now
	recover int64 // blocks sent when something was last repeated, -1 at first: see the package comment

	timed   int64 // a block whose round trip is being measured, 0 if none
	timedAt int64 // when it was sent
	sentAt  int64 // when anything was last sent
	heard   int64 // when the client last made sense
	started int64 // when the request came
	srtt    int64 // smoothed round trip, ns, 0 before the first sample (RFC 6298)
	rttvar  int64 // its mean deviation, ns
	rto     int64 // retransmission time, ns

	base cursor // netascii: where block acked+1 begins
	head cursor // netascii: where block next+1 begins

	server  proto.Addr // the address that the client asked
	file    int32      // index in its generation; below 0: Table.own has the file
	repeats uint32     // frames sent more than once
	credit  uint32     // KiB that the node fetched before in this boot
	blksize uint16     // bytes per block
	window  uint16     // blocks per acknowledgement
	mac     proto.MAC  // the client's, or its router's

	link       uint8 // interface
	generation uint8 // index in generations
	timeout    uint8 // negotiated, seconds; 0: none
	flags      flags
	habit      habit
	tries      uint8 // timeouts since the last progress
	part       uint8 // progress is reported when so many of reportParts parts are acknowledged; 255: never
	oackLen    uint8
	oack       [62]byte // the first reply, if the client asked for options: see newOack
}

// flags are the states of a slot.
type flags uint8

const (
	flagOack     flags = 1 << iota // the first reply was an OACK and is not acknowledged
	flagSendOack                   // the OACK is to be sent
	flagAsked                      // the last block was repeated to make the client say where it stands
	flagHurry                      // an ACK may tell of another loss: the timer needs no floor
	flagDoubt                      // blocks were repeated since timed was sent
	flagNetascii
	flagLossy // frames of this transfer were lost: silence probably means another
	flagTail  // after the block that is being repeated, the last one is to be
)

// habit is what is known of a client from its request; see the tables of
// options that clients send in each one's source.
type habit uint8

const (
	habitPlain habit = iota
	// habitUBoot ignores blocks that it has already, so a lost ACK is only
	// cured by the block that follows (U-Boot, net/tftp.c).
	habitUBoot
	// habitIPXE repeats its ACK by itself and takes block 65535, if it comes
	// twice, for one that lies 65,536 blocks ahead (iPXE, src/net/udp/tftp.c).
	habitIPXE
)

// habitOf recognises a client by the options in its request and their order.
func habitOf(r *tftp.Request) habit {
	o := &r.Options
	switch {
	case r.Count > 0 && o[0].Kind == tftp.Timeout:
		return habitUBoot
	case r.Count == 2 && o[0].Kind == tftp.Blksize && o[1].Kind == tftp.Tsize && o[0].Value != 1024: // 1024 is GRUB
		return habitIPXE
	}
	return habitPlain
}

// keyOf joins a client's address and port.
func keyOf(a proto.Addr, port uint16) uint64 { return uint64(a)<<16 | uint64(port) }

func (s *slot) addr() proto.Addr { return proto.Addr(s.key >> 16) }
func (s *slot) port() uint16     { return uint16(s.key) }

// ahead is the last block that the client is ready to take: a window behind
// what it has.
func (s *slot) ahead() int64 { return min(s.acked+int64(s.window), s.total) }

// bytesAcked is how much of the file the client has.
func (s *slot) bytesAcked() int64 { return min(s.acked*int64(s.blksize), s.size) }

// fragile tells whether the block on its way is one that an iPXE must not get
// twice: the last before the numbers roll over, and the one before it. The
// client then repeats its ACK, and that is answered.
func (s *slot) fragile() bool {
	return s.habit == habitIPXE && uint16(s.acked+1) >= 0xfffe
}

// fileOf is the file that a transfer sends.
func (t *Table) fileOf(s *slot) *image.File {
	if s.file < 0 {
		return t.own[^s.file]
	}
	return t.files.list[s.generation].set.File(s.file)
}

// event adds an event about a transfer.
func (t *Table) event(kind batch.EventKind, now int64, s *slot, ev *batch.Events) *batch.Event {
	e := newEvent(kind, now, s.mac, s.link, s.addr(), s.port(), ev)
	copy(e.Name[:], t.fileOf(s).Name)
	return e
}

// newEvent adds an event about a client; XID is its port.
func newEvent(kind batch.EventKind, now int64, mac proto.MAC, link uint8, a proto.Addr, port uint16, ev *batch.Events) *batch.Event {
	e := ev.Add(kind, now)
	e.Link, e.Addr, e.XID = link, a, uint32(port)
	e.HWLen = uint8(len(mac))
	copy(e.HW[:], mac[:])
	return e
}

// end frees a slot: the transfer is over, for whatever reason.
func (t *Table) end(id int32) {
	s := &t.slots[id]
	t.timers.Clear(id)
	t.ready.remove(id)
	t.index.remove(t.slots, id)
	t.guests.leave(id, t.slots[id].addr())
	t.files.release(s.generation)
	if s.file < 0 {
		t.own[id] = nil
	}
	s.key = 0
	t.free = append(t.free, id)
}
