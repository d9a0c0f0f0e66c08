package transfer

import (
	"bytes"
	"fmt"

	"bootstorm/proto/tftp"
)

// The clients below are what the machine has to suit: each keeps to the habits
// of one real implementation, as its source shows them, and only to those.

// reader is what all of them share: the file so far and the negotiated values.
type reader struct {
	name   string
	ask    []any // option, value, …
	mode   string
	blk    int
	window int
	data   bytes.Buffer
	got    int64 // blocks in order
	oacked bool
	fin    bool
	bad    string
	timer  int64
	tries  int
	last   []byte // what is repeated on timeout
	size   int64  // from tsize, -1 if unknown
}

func (r *reader) deadline() int64 { return r.timer }
func (r *reader) finished() bool  { return r.fin || r.bad != "" }
func (r *reader) content() []byte { return r.data.Bytes() }
func (r *reader) trouble() string { return r.bad }

func (r *reader) request() []byte {
	mode := r.mode
	if mode == "" {
		mode = "octet"
	}
	b := tftp.AppendRequest(nil, tftp.OpRRQ, r.name, mode)
	for i := 0; i < len(r.ask); i += 2 {
		b = tftp.AppendOption(b, []byte(r.ask[i].(string)), uint64(r.ask[i+1].(int)))
	}
	r.blk, r.window, r.size = 512, 1, -1
	r.last = b
	return b
}

// oack takes the values over; an option that was not asked for, or a value
// above it, is an error.
func (r *reader) oack(payload []byte) bool {
	var q tftp.Request
	if !tftp.ParseOack(&q, payload) {
		r.bad = "bad OACK"
		return false
	}
	for _, o := range q.Options[:q.Count] {
		asked := -1
		for i := 0; i < len(r.ask); i += 2 {
			if r.ask[i].(string) == string(o.Name) {
				asked = r.ask[i+1].(int)
			}
		}
		if asked < 0 || o.Kind != tftp.Tsize && o.Value > uint64(asked) {
			r.bad = fmt.Sprintf("OACK has %s=%d", o.Name, o.Value)
			return false
		}
		switch o.Kind {
		case tftp.Blksize:
			r.blk = int(o.Value)
		case tftp.Windowsize:
			r.window = int(o.Value)
		case tftp.Tsize:
			r.size = int64(o.Value)
		}
	}
	r.oacked = true
	return true
}

func ack(block int64) []byte { return tftp.AppendHeader(nil, tftp.OpAck, uint16(block)) }

// take appends a block in order.
func (r *reader) take(data []byte) {
	r.data.Write(data)
	r.got++
	if len(data) < r.blk {
		r.fin = true
	}
}

// place says where a DATA block stands: 0 the next one, negative old, positive
// ahead.
func (r *reader) place(field uint16) int16 { return int16(field - uint16(r.got+1)) }

// edk2 is the UEFI firmware: window 4, one ACK for each block out of order, its
// timer at 4 s, six tries (NetworkPkg/Mtftp4Dxe/Mtftp4Rrq.c). With probe set it
// first asks for the size and ends that with ERROR 8.
type edk2 struct {
	reader
	total, acked int64
}

func newEdk2(name string, options ...any) *edk2 {
	if options == nil {
		options = []any{"blksize", 1468, "windowsize", 4}
	}
	return &edk2{reader: reader{name: name, ask: options}}
}

func (c *edk2) begin(now int64) [][]byte {
	c.timer = now + 4*s1
	return [][]byte{c.request()}
}

func (c *edk2) reply(now int64) [][]byte {
	c.acked = c.total
	c.last = ack(c.got)
	c.timer, c.tries = now+4*s1, 0
	return [][]byte{c.last}
}

func (c *edk2) receive(now int64, payload []byte) [][]byte {
	op, field, _ := tftp.Opcode(payload)
	switch op {
	case tftp.OpOack:
		if c.got > 0 || !c.oacked && !c.oack(payload) {
			return nil
		}
		return c.reply(now)
	case tftp.OpData:
		if c.place(field) != 0 {
			return c.reply(now)
		}
		c.take(payload[4:])
		c.total++
		if c.total-c.acked == int64(c.window) || c.fin {
			return c.reply(now)
		}
	case tftp.OpError:
		c.bad = "ERROR"
	}
	return nil
}

func (c *edk2) expire(now int64) [][]byte {
	if c.tries++; c.tries == 6 {
		c.bad = "timed out"
		return nil
	}
	c.timer = now + 4*s1
	return [][]byte{c.last}
}

// ipxe stores blocks in any order and acknowledges the first gap; it repeats
// that ACK from 0.25 s on, doubling. Numbers are taken in the epoch of the
// first gap, which is how a block that comes twice around 65535 hurts it
// (src/net/udp/tftp.c).
type ipxe struct {
	reader
	wait  int64
	sends int
}

func newIPXE(name string, blksize int) *ipxe {
	return &ipxe{reader: reader{name: name, ask: []any{"blksize", blksize, "tsize", 0}}}
}

func (c *ipxe) send(now int64, b []byte) [][]byte {
	c.last, c.wait, c.sends = b, 250*ms, 1
	c.timer = now + c.wait
	return [][]byte{b}
}

func (c *ipxe) begin(now int64) [][]byte { return c.send(now, c.request()) }

func (c *ipxe) receive(now int64, payload []byte) [][]byte {
	op, field, _ := tftp.Opcode(payload)
	switch op {
	case tftp.OpOack:
		if !c.oacked && !c.oack(payload) {
			return nil
		}
	case tftp.OpData:
		gap := c.got + 1 // the first block that it lacks
		block := gap&^0xffff | int64(field)
		if field == 0 && gap&0xffff != 0 {
			c.bad = "block 0 out of epoch"
			return nil
		}
		if block > gap+1000 {
			c.bad = fmt.Sprintf("block %d stored at %d: the file grows", field, block)
			return nil
		}
		if block == gap {
			c.take(payload[4:])
		}
	case tftp.OpError:
		c.bad = "ERROR"
		return nil
	}
	return c.send(now, ack(c.got))
}

func (c *ipxe) expire(now int64) [][]byte {
	if c.sends++; c.wait > 8*s1 {
		c.bad = "timed out"
		return nil
	}
	c.wait *= 2
	c.timer = now + c.wait
	return [][]byte{c.last}
}

// uboot ignores what it has, answers the first block of a gap only, and repeats
// its last packet after 5 s (net/tftp.c).
type uboot struct {
	reader
	next   int64 // block at which it will acknowledge
	nacked int64 // gap that it has answered, -1 if none
}

func newUBoot(name string, window int) *uboot {
	c := &uboot{reader: reader{name: name, ask: []any{"timeout", 5, "tsize", 0, "blksize", 1468}}, nacked: -1}
	if window > 1 {
		c.ask = append(c.ask, "windowsize", window)
	}
	return c
}

func (c *uboot) begin(now int64) [][]byte {
	c.timer = now + 5*s1
	return [][]byte{c.request()}
}

func (c *uboot) reply(now int64) [][]byte {
	c.timer, c.tries = now+5*s1, 0
	c.next = c.got + int64(c.window)
	c.last = ack(c.got)
	return [][]byte{c.last}
}

func (c *uboot) receive(now int64, payload []byte) [][]byte {
	op, field, _ := tftp.Opcode(payload)
	switch op {
	case tftp.OpOack:
		if c.got > 0 || !c.oack(payload) {
			return nil
		}
		return c.reply(now)
	case tftp.OpData:
		switch p := c.place(field); {
		case p < 0:
			return nil
		case p > 0:
			if c.nacked == c.got {
				return nil
			}
			c.nacked = c.got
			return c.reply(now)
		}
		c.take(payload[4:])
		c.timer = now + 5*s1
		if c.got == c.next || c.fin {
			return c.reply(now)
		}
	case tftp.OpError:
		c.bad = "ERROR"
	}
	return nil
}

func (c *uboot) expire(now int64) [][]byte {
	if c.tries++; c.tries > 10 {
		c.bad = "timed out"
		return nil
	}
	c.timer = now + 5*s1
	return [][]byte{c.last}
}

// grub never repeats an ACK: it depends on the server. It acknowledges old
// blocks with their own number and ignores those ahead (grub-core/net/tftp.c).
type grub struct {
	reader
	wait int64
}

func newGRUB(name string) *grub {
	return &grub{reader: reader{name: name, ask: []any{"blksize", 1024, "tsize", 0}}}
}

func (c *grub) begin(now int64) [][]byte {
	c.wait = 400 * ms
	c.timer = now + c.wait
	return [][]byte{c.request()}
}

func (c *grub) receive(now int64, payload []byte) [][]byte {
	op, field, _ := tftp.Opcode(payload)
	switch op {
	case tftp.OpOack:
		c.timer = 0
		if !c.oacked && !c.oack(payload) {
			return nil
		}
		return [][]byte{ack(0)}
	case tftp.OpData:
		p := c.place(field)
		if !c.oacked || p > 0 {
			return nil
		}
		if p == 0 {
			c.take(payload[4:])
		}
		return [][]byte{ack(int64(field))}
	case tftp.OpError:
		c.bad = "ERROR"
	}
	return nil
}

func (c *grub) expire(now int64) [][]byte {
	if c.wait += c.wait; c.wait > 32*s1 {
		c.bad = "timed out"
	}
	c.timer = now + c.wait
	return [][]byte{c.last}
}

// plain is a client of RFC 1350 in its simplest form: it answers every DATA
// with the last block that it has, and repeats its last packet after a time.
// PXELINUX is one, with options (core/fs/pxe/tftp.c), and so is a client of RFC
// 7440 that keeps to its text (window above 1: an ACK for the first block of a
// gap and for what it has already).
type plain struct {
	reader
	first, wait int64
	since       int64 // blocks since its last ACK
	gap         int64 // gap that it has answered
}

func newPlain(name string, first int64, options ...any) *plain {
	return &plain{reader: reader{name: name, ask: options}, first: first, gap: -1}
}

func (c *plain) send(now int64, b []byte) [][]byte {
	c.last, c.wait, c.since = b, c.first, 0
	c.timer = now + c.wait
	return [][]byte{b}
}

func (c *plain) begin(now int64) [][]byte { return c.send(now, c.request()) }

func (c *plain) receive(now int64, payload []byte) [][]byte {
	op, field, _ := tftp.Opcode(payload)
	switch op {
	case tftp.OpOack:
		if !c.oacked && !c.oack(payload) {
			return nil
		}
		return c.send(now, ack(c.got))
	case tftp.OpData:
		switch p := c.place(field); {
		case p == 0:
			c.take(payload[4:])
			if c.since++; c.since < int64(c.window) && !c.fin {
				return nil
			}
		case p > 0 && c.gap == c.got:
			return nil
		default:
			c.gap = c.got
		}
		return c.send(now, ack(c.got))
	case tftp.OpError:
		c.bad = "ERROR"
	}
	return nil
}

func (c *plain) expire(now int64) [][]byte {
	if c.wait += c.wait / 2; c.wait > 60*s1 {
		c.bad = "timed out"
		return nil
	}
	c.timer = now + c.wait
	return [][]byte{c.last}
}

func newPXELinux(name string) *plain {
	return newPlain(name, 110*ms, "tsize", 0, "blksize", 1408)
}
