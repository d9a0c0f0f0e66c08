package capture

import (
	"bufio"
	"encoding/binary"
	"io"
	"time"
)

// Written says what a capture file holds.
type Written struct {
	Frames      int
	First, Last time.Time // of the frames
}

// WritePCAPNG writes the frames that the filter chooses, the oldest first.
func (r *Reader) WritePCAPNG(w io.Writer, f Filter) error {
	_, err := WritePCAPNG(w, []*Reader{r}, f)
	return err
}

// WritePCAPNG writes the frames of several workers' rings in the order of time.
// The rings are of one daemon: they number interfaces alike.
func WritePCAPNG(w io.Writer, rings []*Reader, f Filter) (sum Written, err error) {
	list := ordered(rings)
	f.complete(list)
	p := &pcapng{w: bufio.NewWriterSize(w, 64<<10)}
	p.section()
	for _, name := range interfaces(rings, list) {
		p.link(name)
	}
	var buffer []byte
	for i := range list {
		r := &list[i]
		if !f.match(r.data) {
			continue
		}
		for k := range r.frames() {
			var length int
			buffer, length = r.frame(buffer, k)
			p.frame(r, buffer, length)
		}
		at := time.Unix(0, r.wall)
		if sum.Frames == 0 {
			sum.First = at
		}
		sum.Last = at
		sum.Frames += r.frames()
	}
	return sum, p.w.Flush()
}

// interfaces lists names up to the highest number in use: a file names every
// interface that its frames refer to, and at least one.
func interfaces(rings []*Reader, list []record) (all []string) {
	highest := 0
	for i := range list {
		highest = max(highest, int(list[i].link))
	}
	for len(rings) > 0 && highest+1 < names && rings[0].name(highest+1) != "" {
		highest++
	}
	for i := range highest + 1 {
		name := ""
		if len(rings) > 0 {
			name = rings[0].name(i)
		}
		all = append(all, name)
	}
	return all
}

// pcapng writes a capture file: pcapng, draft-ietf-opsawg-pcapng, sections 4.1
// to 4.3. gopacket's writer leaves out the direction of a frame. Errors of the
// writer show when it is flushed.
type pcapng struct {
	w *bufio.Writer
	b []byte // the block in the making
}

// Numbers of blocks and options.
const (
	blockSection, blockInterface, blockPacket = 0x0a0d0d0a, 1, 6
	byteOrder                                 = 0x1a2b3c4d
	linkEthernet                              = 1

	optEnd, optApplication, optName, optResolution, optFlags = 0, 4, 2, 9, 2

	inbound, outbound = 1, 2 // the two lowest bits of a packet's flags
)

// section writes the block that a file begins with: version 1.0, of unknown
// length.
func (p *pcapng) section() {
	p.begin(blockSection)
	p.u32(byteOrder)
	p.u32(1) // major version 1, minor version 0
	p.u32(0xffffffff)
	p.u32(0xffffffff)
	p.option(optApplication, []byte("bootstorm"))
	p.u32(optEnd)
	p.end()
}

// link writes the description of the next interface: Ethernet, whole frames,
// times in nanoseconds.
func (p *pcapng) link(name string) {
	p.begin(blockInterface)
	p.u32(linkEthernet)
	p.u32(0) // no limit of length
	if name != "" {
		p.option(optName, []byte(name))
	}
	p.option(optResolution, []byte{9})
	p.u32(optEnd)
	p.end()
}

// frame writes one frame of a record.
func (p *pcapng) frame(r *record, data []byte, length int) {
	direction := byte(inbound)
	if r.flags&flagSent != 0 {
		direction = outbound
	}
	p.begin(blockPacket)
	p.u32(uint32(r.link))
	p.u32(uint32(uint64(r.wall) >> 32))
	p.u32(uint32(uint64(r.wall)))
	p.u32(uint32(len(data)))
	p.u32(uint32(length))
	p.padded(data)
	p.option(optFlags, []byte{direction, 0, 0, 0})
	p.u32(optEnd)
	p.end()
}

// begin starts a block; its length is filled in by end.
func (p *pcapng) begin(kind uint32) {
	p.b = p.b[:0]
	p.u32(kind)
	p.u32(0)
}

// end writes the block, with its length at both ends.
func (p *pcapng) end() {
	n := uint32(len(p.b) + 4)
	binary.LittleEndian.PutUint32(p.b[4:], n)
	p.u32(n)
	_, _ = p.w.Write(p.b)
}

func (p *pcapng) u32(v uint32) { p.b = binary.LittleEndian.AppendUint32(p.b, v) }

// padded appends bytes up to a multiple of four.
func (p *pcapng) padded(v []byte) {
	p.b = append(p.b, v...)
	p.b = append(p.b, make([]byte, -len(v)&3)...)
}

// option appends an option: code, length, value.
func (p *pcapng) option(code uint16, v []byte) {
	p.u32(uint32(code) | uint32(len(v))<<16)
	p.padded(v)
}
