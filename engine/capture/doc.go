// Package capture remembers the last frames of a worker, received and sent, in
// memory that another process reads without stopping the worker: what a node
// sent has an answer afterwards. File contents are left out: a run of TFTP DATA
// frames is one short record, which is expanded when it is read.
//
// # Layout of the shared memory
//
// A page of 4096 bytes, in the machine's byte order, and then the ring:
//
//	 0  magic, 8 bytes
//	 8  size of the ring in bytes, a multiple of 64 KiB
//	16  head: how many bytes have been written so far, all in all
//	24  reserved: bytes before this one may be written at any moment
//	32  wall clock of Mono 0, nanoseconds since 1970
//	64  names of the interfaces, 16 bytes each, padded with zeros
//
// A position counts bytes since the beginning and only grows; position p lies at
// p modulo the size. The ring is made of blocks of 64 KiB, each of which begins
// with a record, so that a reader finds its way without help. A record begins at
// a multiple of 8:
//
//	 0  its position, plus 1: eight zeros, or another lap's position, end the block
//	 8  Time.Mono
//	16  length of the frame; of a run, the bytes of file data
//	20  bytes kept, from byte 32 on
//	22  of a run: bytes of data in a frame
//	24  of a run: frames, else 0
//	26  of a run: the first block number
//	28  interface
//	29  flags: 1 sent, 2 the UDP checksum is the kernel's to finish
//
// The worker says one block ahead which it will write (reserved), and what it has
// written (head). A reader copies a block and believes the copy if the block has
// not become reserved meanwhile.
package capture

import "encoding/binary"

// Sizes in bytes, offsets in the first page and in a record.
const (
	pageLen   = 4096
	blockLen  = 64 << 10
	recordLen = 32
	wholeLen  = 1536 // more of a frame is not kept; batch.HeadCap
	minBlocks = 4    // two are always being written

	atMagic, atSize, atHead, atReserved, atWall, atNames = 0, 8, 16, 24, 32, 64

	nameLen = 16 // IFNAMSIZ of netdevice(7)
	names   = (pageLen - atNames) / nameLen

	magic = 0x31304152534f4f42 // "BOOSRA01"

	flagSent       = 1
	flagUnfinished = 2
)

// order is the machine's: both ends are on one.
var order = binary.NativeEndian
