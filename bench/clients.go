package bench

import (
	"strconv"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// oack reads the server's answer to the options (RFC 2347): pairs of texts.
func (n *node) oack(now int64, b []byte) {
	t := &n.file
	if t.state == receiving {
		n.repeatedOack(now)
		return
	}
	blksize, window, tsize := plainBlksize, 1, -1 // what holds if the server says nothing of it (RFC 2347)
	for len(b) > 0 {
		name, value, rest, ok := pair(b)
		v, err := strconv.Atoi(value)
		if !ok || err != nil {
			n.fail(now, "%s: the OACK is malformed", t.name)
			return
		}
		b = rest
		switch {
		case name == "blksize":
			blksize = v
		case name == "windowsize" && n.storm.config.windowOf(t.who) > 1:
			window = v
		case name == "tsize" && (habits[t.who].tsize || t.state == probing):
			tsize = v
		case name == "timeout" && t.who == uboot && v == int(habits[uboot].wait/batch.Second): // RFC 2349: accepted as it is
		default: // edk2 and PXELINUX abort; to send one is a fault for any client
			n.fail(now, "%s: the OACK grants %q, which was not asked for", t.name, name)
			return
		}
	}
	if complaint := n.judgeOack(blksize, window, tsize); complaint != "" {
		n.fail(now, "%s: the OACK %s", t.name, complaint)
		return
	}
	n.agreed(now, blksize, window)
}

// judgeOack says what is wrong with the values granted.
func (n *node) judgeOack(blksize, window, tsize int) string {
	t := &n.file
	// The server may grant less than was asked for, never more (RFC 2348, RFC
	// 7440); tsize it must answer with the true size (RFC 2349).
	switch {
	case blksize < 8 || blksize > habits[t.who].blksize:
		return "grants a blksize of " + strconv.Itoa(blksize)
	case window < 1 || window > n.storm.config.windowOf(t.who):
		return "grants a windowsize of " + strconv.Itoa(window)
	case tsize >= 0 && tsize != t.file.Size:
		return "says " + strconv.Itoa(tsize) + " bytes, the file has " + strconv.Itoa(t.file.Size)
	case t.state == probing && tsize < 0:
		return "does not say the size, which was asked for"
	}
	return ""
}

// agreed goes on after a sound OACK: the probe is aborted and the read
// requested from the next port (edk2, PxeBcMtftp.c; ROMs likewise), a read is begun.
func (n *node) agreed(now int64, blksize, window int) {
	t := &n.file
	if t.state == probing {
		b := append(n.storm.scratch[:0], 0, tftpError, 0, 8)
		b = append(append(b, probeComplete...), 0)
		n.send(t.port, t.peer, t.server, b)
		t.state, t.peer, t.port = asking, 0, n.nextPort(now, t.who)
		n.request(now)
		return
	}
	t.state, t.window, t.tries = receiving, window, 0
	t.setBlksize(blksize)
	n.sendAck(now, 0)
}

// repeatedOack is an OACK after the first: it is answered until data comes,
// because the ACK of the first may be lost.
func (n *node) repeatedOack(now int64) {
	n.storm.stats.duplicate++
	if n.file.next == 0 {
		n.sendAck(now, 0)
	}
}

// pair takes a name and a value, each ended by a zero byte, off b.
func pair(b []byte) (name, value string, rest []byte, ok bool) {
	name = cstring(b)
	if len(name)+1 >= len(b) {
		return "", "", nil, false
	}
	b = b[len(name)+1:]
	value = cstring(b)
	if len(value) == len(b) {
		return "", "", nil, false
	}
	return name, value, b[len(value)+1:], true
}

// orderedData takes blocks in order only and acknowledges each full window. edk2
// says again what it has for every block that it does not expect (Mtftp4Rrq.c,
// Mtftp4RrqHandleData), others seldomer.
func (n *node) orderedData(now int64, number uint16, b []byte) {
	t := &n.file
	if number != uint16(t.next+1) {
		// Ahead or behind is decided as sequence numbers are compared: by the
		// sign of the difference in 16 bits.
		if ahead := number - uint16(t.next+1); ahead < 1<<15 {
			n.storm.stats.repeated.Gap++
		} else {
			n.storm.stats.duplicate++
		}
		if t.complains(number, number-uint16(t.next+1) < 1<<15) {
			t.acked, t.tries = t.next, 0
			n.sendAck(now, t.next)
		}
		return
	}
	if !n.check(now, t.next, b) {
		return
	}
	t.next++
	if t.who == uboot || t.who == loader { // each block starts the timer anew
		n.deadline = now + t.fileWait()
	}
	// The last block is acknowledged at once even if the window is not full
	// (RFC 7440 section 4).
	last := t.next == t.blocks()
	if last || t.next-t.acked >= t.window {
		t.acked, t.tries = t.next, 0
		n.sendAck(now, t.next)
	}
	if last {
		n.received(now)
	}
}

// ipxeData stores blocks in any order and answers each with an ACK of the
// first gap (src/net/udp/tftp.c, tftp_rx_data). The 16-bit number is completed
// from the first gap, as iPXE does it, hazards of the wrap included.
func (n *node) ipxeData(now int64, number uint16, b []byte) {
	t := &n.file
	block := (t.next+1)&^0xffff | int(number)
	if block == 0 {
		n.fail(now, "%s: DATA with block number 0", t.name)
		return
	}
	block-- // from here on counted from 0, as the bitmap and the file are
	t.tries = 0
	if block < t.blocks() && t.seen[block>>6]>>(block&63)&1 != 0 {
		n.storm.stats.duplicate++
		n.sendAck(now, t.next)
		return
	}
	if !n.check(now, block, b) {
		return
	}
	t.seen[block>>6] |= 1 << (block & 63)
	if block != t.next {
		n.storm.stats.repeated.Gap++
	}
	// The gap closes: everything stored behind it is now in order.
	for t.next < t.blocks() && t.seen[t.next>>6]>>(t.next&63)&1 != 0 {
		t.next++
	}
	n.sendAck(now, t.next)
	if t.next == t.blocks() {
		n.received(now)
	}
}

// unicast tells whether a packet is for one machine: its Ethernet destination
// is not a group.
func unicast(p *proto.Packet) bool { return p.DstMAC[0]&1 == 0 }
