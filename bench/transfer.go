package bench

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// TFTP opcodes (RFC 1350 section 5, RFC 2347). The models do not use
// proto/tftp: they judge the server that does.
const (
	tftpRRQ   = 1
	tftpData  = 3
	tftpAck   = 4
	tftpError = 5
	tftpOack  = 6
)

// fileState is where a read stands.
type fileState uint8

const (
	fileIdle  fileState = iota
	probing             // edk2 asks for the size
	asking              // the read request is out
	receiving           // something was answered
)

// transfer is one TFTP read as a client sees it.
type transfer struct {
	who    client
	state  fileState
	spare  bool // the client goes on without the file
	name   string
	file   *File
	server proto.Addr
	port   uint16 // our own
	peer   uint16 // the server's, 0 until its first answer

	blksize int
	window  int // in order: blocks per ACK
	next    int // blocks received without a gap
	acked   int // in order: of these, acknowledged
	nacked  int // the gap that was complained about last, plus 1
	seen    []uint64
	whole   []byte // the file, if only its hash is known
	tries   int    // how often the last packet was sent
	retry   retryTimer
}

const (
	plainBlksize  = 512 // RFC 1350
	probeComplete = "User aborted the transfer"
)

// close ends the transfer; its port is closed from now on.
func (t *transfer) close() { t.state, t.name = fileIdle, "" }

// read begins to read a file from the boot server.
func (n *node) read(now int64, who client, name string) {
	t := &n.file
	*t = transfer{who: who, name: name, server: n.lease.siaddr, seen: t.seen, whole: t.whole, state: asking}
	if t.file = n.storm.files.Lookup(name); t.file == nil {
		n.fail(now, "told to read %q, which is not among the expected files", name)
		return
	}
	if blocks := n.lease.bootBlocks; who == edk2 && blocks > 0 && blocks*512 < t.file.Size {
		n.fail(now, "option 13 says %d blocks, the file needs %d (PXE-E05)", blocks, (t.file.Size+511)/512)
		return
	}
	if who == grub && !strings.HasPrefix(name, "/") { // the path begins at its root
		t.name = "/" + name
	}
	if who == edk2 && n.lease.bootBlocks == 0 || who == rom {
		t.state = probing
	}
	n.open(now)
}

// ask asks for a file that need not be there.
func (n *node) ask(now int64, who client, name string) {
	t := &n.file
	*t = transfer{who: who, name: name, server: n.lease.siaddr, seen: t.seen, whole: t.whole, state: asking, spare: true}
	if t.file = n.storm.files.Lookup(name); t.file == nil {
		t.file = new(File)
	}
	n.open(now)
}

// open sends the first request, once the server's hardware address is known.
func (n *node) open(now int64) {
	t := &n.file
	t.port = n.nextPort(now, t.who)
	if n.resolve(now, t.server) {
		n.request(now)
	}
}

// Ports that clients read from. Most come back: the next boot may use what the last
// one used.
//
//	edk2   counts up from one of 1,024, chosen at power-on (Udp4Dxe, mUdp4RandomPort); a ROM likewise
//	iPXE   of 2019 follows from the hardware address alone, later ones choose at random (src/net/tcpip.c, tcpip_bind)
//	GRUB   counts up from 25300, on each boot (grub-core/net/udp.c)
//	U-Boot 1024 and the time in milliseconds, of 3,072 (net/tftp.c)
const (
	firmwarePort, firmwarePorts = 1024, 1024
	freshPorts                  = 65536 - 1025
	grubPort                    = 25300
	ubootPorts                  = 3072
)

// nextPort chooses the port of a transfer.
func (n *node) nextPort(now int64, who client) uint16 {
	switch {
	case who == uboot:
		return 1024 + uint16((now-n.begun)/batch.Millisecond%ubootPorts)
	case who == ipxe && n.storm.config.Fresh:
		return 1025 + uint16(n.random(freshPorts))
	case who == ipxe:
		return 1024 + uint16((n.stable()+uint32(n.fetch)*7919)%60000)
	}
	n.port++
	return n.port
}

// request sends the read request, the first time.
func (n *node) request(now int64) {
	n.file.tries, n.file.retry = 0, retryTimer{}
	n.sendRRQ(now)
}

// sendRRQ sends the read request and starts its timer.
func (n *node) sendRRQ(now int64) {
	n.writeRRQ()
	n.armFile(now)
}

// writeRRQ sends the read request with the client's options in its order.
func (n *node) writeRRQ() {
	t := &n.file
	// opcode 1, name, mode, then pairs of option and value, each text ended by a
	// zero byte (RFC 1350 section 5, RFC 2347)
	b := append(n.storm.scratch[:0], 0, tftpRRQ)
	b = append(append(b, t.name...), "\x00octet\x00"...)
	n.send(t.port, proto.PortTFTP, t.server, n.readOptions(b))
}

// armFile sets the timer after a packet was sent.
func (n *node) armFile(now int64) {
	t := &n.file
	t.tries++
	t.retry.restart(now)
	n.deadline = now + t.fileWait()
}

// fileExpire repeats the last packet, or gives up.
func (n *node) fileExpire(now int64) {
	t := &n.file
	t.retry.expire()
	if t.spent() {
		n.fail(now, "%s: the server fell silent at block %d of %d", t.name, t.next, t.blocks())
		return
	}
	if t.state == receiving {
		n.storm.stats.repeated.Ack++
		n.sendAck(now, t.next)
		return
	}
	n.storm.stats.repeated.RRQ++
	n.sendRRQ(now)
}

// blocks is how many DATA packets the file takes, the short last one included;
// 0 while the block size is unknown.
func (t *transfer) blocks() int {
	if t.blksize == 0 || t.file == nil {
		return 0
	}
	return t.file.Size/t.blksize + 1
}

// sendAck acknowledges all blocks below and including block.
func (n *node) sendAck(now int64, block int) {
	n.ackOnly(block)
	n.armFile(now)
}

// ackOnly sends opcode 4 and the block number, which wraps at 16 bits.
func (n *node) ackOnly(block int) {
	t := &n.file
	b := n.storm.scratch[:4]
	b[0], b[1] = 0, tftpAck
	put16(b[2:], uint16(block))
	n.send(t.port, t.peer, t.server, b)
}

// fileReceive takes a datagram to the node's own address and some port.
func (n *node) fileReceive(now int64, p *proto.Packet) {
	t := &n.file
	if t.state == fileIdle || n.arp.waiting() || p.DstPort != t.port {
		n.closedPort(p)
		return
	}
	if p.Src != t.server || t.peer != 0 && p.SrcPort != t.peer || len(p.Payload) < 4 {
		n.storm.stats.stray++
		return
	}
	t.peer = p.SrcPort // every client learns the server's port from its first answer
	b := p.Payload
	switch op := int(b[0])<<8 | int(b[1]); op {
	case tftpOack:
		n.oack(now, b[2:])
	case tftpData:
		n.data(now, uint16(b[2])<<8|uint16(b[3]), b[4:])
	case tftpError:
		if t.spare && b[2] == 0 && b[3] == 1 { // "file not found"
			n.endFile(now)
			return
		}
		n.fail(now, "%s: ERROR %d %q", t.name, int(b[2])<<8|int(b[3]), cstring(b[4:]))
	default:
		n.fail(now, "%s: a packet with opcode %d", t.name, op)
	}
}

// closedPort answers a datagram that nothing waits for: edk2 with ICMP port
// unreachable (Udp4Dxe), iPXE not at all.
func (n *node) closedPort(p *proto.Packet) {
	n.storm.stats.stray++
	if n.file.who == edk2 && n.dhcp.who == edk2 {
		n.storm.out.unreachable(p)
		n.storm.stats.framesOut++
	}
}

// fileUnreachable is the end for edk2; iPXE takes no notice.
func (n *node) fileUnreachable(now int64, p *proto.Packet) {
	if t := &n.file; t.who == edk2 && t.state != fileIdle && p.Src == n.addr && p.SrcPort == t.port {
		n.fail(now, "%s: ICMP port unreachable from the server (PXE-E99)", t.name)
	}
}

// data takes one DATA packet.
func (n *node) data(now int64, number uint16, b []byte) {
	t := &n.file
	if t.state == probing {
		n.fail(now, "%s: DATA in answer to a request for the size", t.name)
		return
	}
	if t.state == asking && t.who == grub {
		n.fail(now, "%s: DATA without an OACK, which GRUB needs", t.name)
		return
	}
	if t.state == asking { // the server knows no options, or this belongs to an earlier transfer with the same ports
		if len(b) > plainBlksize {
			n.fail(now, "%s: DATA of %d bytes before the OACK, which the client takes for a fault", t.name, len(b))
			return
		}
		t.state, t.window = receiving, 1
		if t.blksize == 0 {
			t.setBlksize(plainBlksize)
		}
	}
	switch t.who {
	case ipxe:
		n.ipxeData(now, number, b)
	case grub:
		n.grubData(now, number, b)
	default:
		n.orderedData(now, number, b)
	}
}

// setBlksize fixes the block size and makes room for what is to be received.
func (t *transfer) setBlksize(size int) {
	t.blksize = size
	words := (t.blocks() + 63) / 64
	if cap(t.seen) < words {
		t.seen = make([]uint64, words)
	}
	t.seen = t.seen[:words]
	clear(t.seen)
	if t.file.Data == nil && cap(t.whole) < t.file.Size {
		t.whole = make([]byte, t.file.Size)
	}
}

// check compares one block with the file. It fails the boot and returns false
// if they differ.
func (n *node) check(now int64, block int, b []byte) bool {
	t := &n.file
	// A file of whole blocks ends with an empty one (RFC 1350 section 6), so the
	// last block is always shorter than the rest.
	at := block * t.blksize
	last := block == t.blocks()-1
	switch {
	case block >= t.blocks() || last && len(b) != t.file.Size-at || !last && len(b) != t.blksize:
		n.fail(now, "%s: block %d holds %d bytes, which does not make a file of %d", t.name, block+1, len(b), t.file.Size)
		return false
	case t.file.Data == nil:
		copy(t.whole[at:t.file.Size], b)
	case !bytes.Equal(b, t.file.Data[at:at+len(b)]):
		n.fail(now, "%s: block %d differs from the file", t.name, block+1)
		return false
	}
	n.storm.stats.verified += uint64(len(b))
	return true
}

// received ends a transfer whose last block is there.
func (n *node) received(now int64) {
	t := &n.file
	if t.file.Data == nil && sha256.Sum256(t.whole[:t.file.Size]) != t.file.SHA256 {
		n.fail(now, "%s: the file received has another SHA-256", t.name)
		return
	}
	n.endFile(now)
}

// endFile goes on with what follows a file.
func (n *node) endFile(now int64) {
	t := &n.file
	n.deadline = never
	phase := t.name
	if t.who == ipxe && t.file.Fetches != nil && !t.spare {
		n.fetches, n.fetch = t.file.Fetches, 0
		if n.bios {
			n.fetches = t.file.BIOSFetches
		}
	}
	t.close()
	if k := n.steps[n.at].kind; k == stepScript || k == stepList {
		n.storm.stats.phase(phase).add(now - n.phase)
		n.readNext(now)
		return
	}
	n.complete(now, phase)
}
