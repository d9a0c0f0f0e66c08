package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Record is one captured frame.
type Record struct {
	Time   int64  // nanoseconds since 1970-01-01 UTC
	Data   []byte // what was captured, from the Ethernet header on
	Length int    // bytes on the wire, at least len(Data)
}

// Capture is a capture file in memory.
type Capture struct {
	Name       string   // file name without its folder
	Nanosecond bool     // times have nanosecond resolution; else microseconds
	Next       bool     // the file is pcapng
	Warnings   []string // what was wrong with the file but did not stop the reader
	Records    []Record
}

// File identification: the first four bytes, as a little-endian number.
const (
	magicNext   = 0x0a0d0d0a // pcapng section header block
	magicMicro  = 0xa1b2c3d4 // classic pcap, microseconds
	magicNano   = 0xa1b23c4d // classic pcap, nanoseconds
	orderNext   = 0x1a2b3c4d // pcapng byte-order magic, third word of a section header
	classicHead = 24         // bytes of the classic file header
	recordHead  = 16         // bytes before each classic record
	largest     = 1 << 18    // bytes of a frame that libpcap would write (MAXIMUM_SNAPLEN)
)

// ReadFile reads the capture in the named file.
func ReadFile(name string) (*Capture, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.Name = filepath.Base(name)
	return c, nil
}

// Read reads a capture from the bytes of its file. A last record that is not
// complete, as a stopped capture leaves it, is dropped with a warning.
func Read(b []byte) (c *Capture, err error) {
	// The reader of pcapng panics on absurd values, such as a time resolution of
	// zero; for us that is one more damaged file.
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("damaged capture file: %v", p)
		}
	}()
	c = new(Capture)
	if len(b) < 4 {
		return nil, errors.New("not a capture file: shorter than its magic number")
	}
	if b[0] == 0x1f && b[1] == 0x8b {
		return nil, errors.New("a gzip file: unpack it first")
	}
	magic := binary.LittleEndian.Uint32(b)
	if magic == magicNext {
		return c, c.readNext(b)
	}
	order, nano, ok := classicOrder(magic)
	if !ok {
		return nil, fmt.Errorf("not a capture file: it begins with %x", b[:4])
	}
	c.Nanosecond = nano
	return c, c.readClassic(b, order)
}

// classicOrder tells byte order and resolution of a classic file.
func classicOrder(magic uint32) (order binary.ByteOrder, nano, ok bool) {
	var swapped [4]byte
	binary.BigEndian.PutUint32(swapped[:], magic)
	other := binary.LittleEndian.Uint32(swapped[:])
	switch {
	case magic == magicMicro || magic == magicNano:
		return binary.LittleEndian, magic == magicNano, true
	case other == magicMicro || other == magicNano:
		return binary.BigEndian, other == magicNano, true
	}
	return nil, false, false
}

// readClassic reads a classic file: after its header, each record has seconds,
// fraction, captured length (byte 8) and original length, then its bytes.
func (c *Capture) readClassic(b []byte, order binary.ByteOrder) error {
	r, err := pcapgo.NewReader(bytes.NewReader(c.whole(b, classicHead, func(rest []byte) int {
		if len(rest) < recordHead {
			return 0
		}
		return recordHead + int(order.Uint32(rest[8:12]))
	})))
	if err != nil {
		return fmt.Errorf("damaged capture file: %w", err)
	}
	r.SetSnaplen(largest) // some writers state less than they write
	if err := ethernetOnly(r.LinkType()); err != nil {
		return err
	}
	return c.collect(r)
}

// readNext reads a pcapng file: blocks that begin with their type and their
// whole length (byte 4).
func (c *Capture) readNext(b []byte) error {
	if len(b) < 12 {
		return errors.New("damaged capture file: the section header is not complete")
	}
	c.Next, c.Nanosecond = true, true
	var order binary.ByteOrder = binary.LittleEndian
	r, err := pcapgo.NewNgReader(bytes.NewReader(c.whole(b, 0, func(rest []byte) int {
		if len(rest) < 12 {
			return 0
		}
		if binary.LittleEndian.Uint32(rest) == magicNext { // each section says its own order
			order = binary.LittleEndian
			if binary.BigEndian.Uint32(rest[8:]) == orderNext {
				order = binary.BigEndian
			}
		}
		return blockSize(rest, order)
	})), pcapgo.NgReaderOptions{SkipUnknownVersion: true})
	if err != nil {
		return fmt.Errorf("damaged capture file: %w", err)
	}
	if err := c.collect(r); err != nil {
		return err
	}
	return ethernetOnly(r.LinkType())
}

// Types of pcapng blocks that hold a frame, and where their captured length is.
var packetBlocks = map[uint32]int{6: 20, 2: 20} // enhanced packet, and its obsolete form

// blockSize returns the length of a pcapng block, 0 if the frame that it holds
// would be longer than the block: the reader would allocate whatever it says.
func blockSize(b []byte, order binary.ByteOrder) int {
	n := order.Uint32(b[4:8])
	at, packet := packetBlocks[order.Uint32(b)]
	if packet && (len(b) < at+4 || order.Uint32(b[at:]) > n) {
		return 0
	}
	return int(n)
}

// whole returns b up to the last complete record or block; size returns the
// length of the one that rest begins with, 0 if that cannot be told.
func (c *Capture) whole(b []byte, at int, size func(rest []byte) int) []byte {
	for at < len(b) {
		n := size(b[at:])
		if n < 12 || n > len(b)-at {
			c.Warnings = append(c.Warnings, fmt.Sprintf("a record is damaged or not complete: the last %d bytes of the file are ignored", len(b)-at))
			return b[:at]
		}
		at += n
	}
	return b
}

// collect takes all frames of a reader.
func (c *Capture) collect(r gopacket.PacketDataSource) error {
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("damaged capture file: record %d: %w", len(c.Records)+1, err)
		}
		c.Records = append(c.Records, Record{Time: ci.Timestamp.UnixNano(), Data: data, Length: max(ci.Length, len(data))})
	}
}

// ethernetOnly refuses captures without Ethernet headers.
func ethernetOnly(t layers.LinkType) error {
	if t != layers.LinkTypeEthernet {
		return fmt.Errorf("link type %s: only Ethernet is replayed; capture on one interface by name, not on \"any\"", t)
	}
	return nil
}
