package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"bootstorm/pcap"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
)

// transfer is a file that crossed the wire, as the capture shows it.
type transfer struct {
	mac      proto.MAC
	name     string
	block    int // bytes of a full block
	data     []byte
	next     uint16 // block expected next
	complete bool   // the last block was sent
	acked    bool   // and the client confirmed it

	first, last int64 // when the first and the last new block were sent; see pcap.Record.Time
	asked       int64 // when it was requested
}

type endpoint struct {
	addr proto.Addr
	port uint16
}

// evidence is what a capture shows of the server's work.
type evidence struct {
	transfers []*transfer
	open      map[endpoint]*transfer
	addresses map[proto.MAC]map[proto.Addr]int // how often which address was acknowledged to whom
	options   dhcp.Options
	request   tftp.Request

	now      int64     // of the frame that is looked at
	messages []message // all of DHCP, in order
	requests int       // TFTP requests, repeated ones included
	tftp     int       // frames of TFTP
}

// examine reads a capture.
func examine(c *pcap.Capture) *evidence {
	e := &evidence{open: map[endpoint]*transfer{}, addresses: map[proto.MAC]map[proto.Addr]int{}}
	for i := range c.Records {
		var p proto.Packet
		if proto.ParseFrame(&p, c.Records[i].Data, true) != proto.OK || p.Kind != proto.KindUDP {
			continue
		}
		e.now = c.Records[i].Time
		e.note(&p)
		switch {
		case p.SrcPort == proto.PortBOOTPServer:
			e.dhcpReply(&p)
		case p.DstPort == proto.PortTFTP && tftp.IsRequest(p.Payload):
			e.begin(&p)
		default:
			e.datagram(&p)
		}
	}
	return e
}

func (e *evidence) dhcpReply(p *proto.Packet) {
	h := dhcp.View(p.Payload)
	if h == nil || !e.options.Parse(p.Payload) {
		return
	}
	if kind, ok := e.options.MessageType(); !ok || kind != dhcp.Ack {
		return
	}
	hw, ok := h.HW()
	if !ok {
		return
	}
	if e.addresses[hw.MAC()] == nil {
		e.addresses[hw.MAC()] = map[proto.Addr]int{}
	}
	e.addresses[hw.MAC()][h.YIAddr()]++
}

// begin notes a read request; one that repeats the last from the same port and
// has got nothing yet is a retry.
func (e *evidence) begin(p *proto.Packet) {
	if tftp.ParseRequest(&e.request, p.Payload) != tftp.OK {
		return
	}
	e.requests++
	e.tftp++
	from := endpoint{p.Src, p.SrcPort}
	name := string(bytes.TrimLeft(e.request.Name, "/"))
	if t := e.open[from]; t != nil && t.name == name && len(t.data) == 0 {
		return
	}
	t := &transfer{mac: p.SrcMAC, name: name, block: tftp.DefaultBlksize, next: 1, asked: e.now}
	e.open[from] = t
	e.transfers = append(e.transfers, t)
}

// datagram follows the transfers that are under way, in both directions.
func (e *evidence) datagram(p *proto.Packet) {
	op, field, ok := tftp.Opcode(p.Payload)
	if !ok && len(p.Payload) < 2 {
		return
	}
	if t := e.open[endpoint{p.Dst, p.DstPort}]; t != nil { // from the server
		e.tftp++
		switch op {
		case tftp.OpOack:
			if tftp.ParseOack(&e.request, p.Payload) {
				t.negotiate(&e.request)
			}
		case tftp.OpData:
			if t.add(field, p.Payload[tftp.HeaderLen:]) {
				t.seen(e.now)
			}
		}
		return
	}
	if t := e.open[endpoint{p.Src, p.SrcPort}]; t != nil {
		e.tftp++
		if op == tftp.OpAck && t.complete && field == t.next-1 {
			t.acked = true
		}
	}
}

func (t *transfer) negotiate(r *tftp.Request) {
	if size, ok := r.Has(tftp.Blksize); ok {
		t.block = int(size)
	}
}

// add appends a block unless it is a repetition.
func (t *transfer) add(number uint16, data []byte) bool {
	if t.complete || number != t.next {
		return false
	}
	t.data = append(t.data, data...)
	t.next++
	t.complete = len(data) < t.block
	return true
}

// seen notes when a block crossed the wire.
func (t *transfer) seen(at int64) {
	if t.first == 0 {
		t.first = at
	}
	t.last = at
}

// got counts how often a machine has got and confirmed the whole of a file,
// with exactly these bytes, and how often something else came under its name.
func (e *evidence) got(mac proto.MAC, name string, want []byte) (good int, err error) {
	for _, t := range e.transfers {
		if t.mac != mac || t.name != name || !t.acked {
			continue // a size probe that the client broke off, or another file
		}
		if !bytes.Equal(t.data, want) {
			return good, fmt.Errorf("%s got other bytes as %s: %d instead of %d, first difference at %d",
				mac, name, len(t.data), len(want), difference(t.data, want))
		}
		good++
	}
	return good, nil
}

func difference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// parseMAC reads the form that macOf writes.
func parseMAC(text string) (m proto.MAC) {
	var v uint64
	fmt.Sscanf(text[:2]+text[3:5]+text[6:8]+text[9:11]+text[12:14]+text[15:17], "%x", &v)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	return proto.MAC(b[2:])
}
