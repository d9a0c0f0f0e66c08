package bench

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// dhcpPhase is the state of a node's DHCP client (RFC 2131 figure 5, as far as
// clients that boot have states).
type dhcpPhase uint8

const (
	idle dhcpPhase = iota
	selecting
	requesting
	restarting // iPXE after a NAK
	bound
	renewing
)

// dhcpState is a DHCP client at work.
type dhcpState struct {
	who   client
	phase dhcpPhase
	xid   uint32
	tries int   // messages of this phase sent
	sent  int   // messages sent at all: iPXE puts it into secs
	began int64 // of the first DISCOVER
	skew  int64 // edk2: its timers run on a tick of 1 s, so the first wait is this much shorter
	offer reply
	have  bool // offer is valid
}

// retry holds how long each client waits for an answer to the n-th DISCOVER or
// REQUEST; after the last it gives up. Milliseconds.
//
//	edk2   Dhcp4Dxe/Dhcp4Io.c: 4 s, doubling, four tries
//	iPXE   src/net/retry.c, config/dhcp.h: DISCOVER from 1 s to 8 s, REQUEST from 250 ms to 8 s
//	ROM    PXE 2.1: 4 s, doubling, four tries
//	U-Boot net/bootp.c: DISCOVER from 250 ms to its limit of 28 s; after a REQUEST it waits 5 s and begins again
//	Linux  RFC 2131 section 4.1 as systemd-networkd does it, without its random second
var retry = [clients]struct{ discover, request []int64 }{
	edk2:  {[]int64{4000, 8000, 16000, 32000}, []int64{4000, 8000, 16000, 32000}},
	ipxe:  {[]int64{1000, 2000, 4000, 8000}, []int64{250, 500, 1000, 2000, 4000, 8000}},
	linux: {[]int64{4000, 8000, 16000, 32000, 64000}, []int64{4000, 8000, 16000, 32000, 64000}},
	rom:   {[]int64{4000, 8000, 16000, 32000}, []int64{4000, 8000, 16000, 32000}},
	uboot: {[]int64{250, 500, 1000, 2000, 4000, 8000, 16000}, []int64{5000}},
}

// proxyWait is how long iPXE waits for a ProxyDHCP offer after its first
// DISCOVER; it looks only when its timer fires (src/net/udp/dhcp.c,
// dhcp_discovery_expired).
const proxyWait = 2 * batch.Second

// romPeriods is how many periods a PXE ROM waits for an OFFER with option 60
// PXEClient when it has another: those of 4 s and of 8 s.
const romPeriods = 2

// restartWait is iPXE's pause after a NAK.
const restartWait = batch.Second

// discover begins a DHCP exchange.
func (n *node) discover(now int64, who client) {
	n.dhcp = dhcpState{who: who, phase: selecting, began: now, xid: n.transaction(now, who)}
	if who == edk2 && n.storm.config.Waits {
		n.dhcp.skew = n.random(batch.Second)
	}
	n.sendDiscover(now)
}

// transaction chooses the xid: random, except that the iPXE of 2019 derives it
// from the hardware address alone.
func (n *node) transaction(now int64, who client) uint32 {
	if who == uboot { // the end of the hardware address plus a clock of milliseconds
		return (uint32(n.mac[2])<<24 | low(n.mac)) + uint32((now-n.storm.began)/batch.Millisecond)
	}
	if who != ipxe || n.storm.config.Fresh {
		return uint32(n.rng.Uint64())
	}
	return n.stable()
}

// stable is a number that depends on the hardware address only (FNV-1a).
func (n *node) stable() uint32 {
	v := uint32(2166136261)
	for _, b := range n.mac {
		v = (v ^ uint32(b)) * 16777619
	}
	return v
}

// arm sets the timer for the answer to the message just sent.
func (n *node) arm(now int64, waits []int64) {
	wait := waits[n.dhcp.tries] * batch.Millisecond
	if n.dhcp.who == uboot && n.dhcp.phase == selecting && n.dhcp.tries > 0 { // 10 % more or less
		wait += n.random(wait/5) - wait/10
	}
	n.deadline = now + wait - n.dhcp.skew
	n.dhcp.skew = 0
	n.dhcp.tries++
	n.dhcp.sent++
}

// sendDiscover sends a DISCOVER and counts a repetition by its cause: a client
// that has an offer and only waits for others has lost nothing.
func (n *node) sendDiscover(now int64) {
	if n.dhcp.tries > 0 {
		if n.dhcp.have {
			n.storm.stats.repeated.Habit++
		} else {
			n.storm.stats.repeated.Discover++
		}
	}
	n.broadcast(n.message(now, dhcp.Discover))
	n.arm(now, retry[n.dhcp.who].discover)
}

// sendRequest sends the REQUEST of SELECTING: broadcast, with the server's
// identifier and the offered address (RFC 2131 section 4.3.2).
func (n *node) sendRequest(now int64) {
	if n.dhcp.phase != requesting {
		n.dhcp.phase, n.dhcp.tries = requesting, 0
	} else {
		n.storm.stats.repeated.Request++
	}
	n.broadcast(n.message(now, dhcp.Request))
	n.arm(now, retry[n.dhcp.who].request)
}

// dhcpExpire is called when an answer has not come in time, or when the client
// has waited long enough for further offers.
func (n *node) dhcpExpire(now int64) {
	d := &n.dhcp
	switch d.phase {
	case selecting:
		switch waited := now - d.began; {
		case d.have && (d.who != ipxe || waited >= proxyWait) && (d.who != rom || d.tries >= romPeriods):
			n.sendRequest(now)
		case d.tries < len(retry[d.who].discover):
			n.sendDiscover(now)
		case d.who == uboot: // it never gives up; the limit of a boot does
			n.storm.stats.repeated.Discover++
			n.discover(now, uboot)
		default:
			n.fail(now, "no OFFER after %d DISCOVERs", d.tries)
		}
	case requesting:
		if d.who == uboot {
			n.storm.stats.repeated.Request++
			n.discover(now, uboot)
			return
		}
		if d.tries == len(retry[d.who].request) {
			n.fail(now, "no ACK after %d REQUESTs", d.tries)
			return
		}
		n.sendRequest(now)
	case restarting:
		n.discover(now, d.who)
	case bound, renewing:
		n.renewExpire(now)
	}
}

// dhcpReceive takes a datagram to port 68.
func (n *node) dhcpReceive(now int64, p *proto.Packet) {
	d := &n.dhcp
	// What a client does not take for an answer to its own question it ignores;
	// it is no fault of the server, for it may be meant for the past.
	h := dhcp.View(p.Payload)
	if h == nil || p.SrcPort != proto.PortBOOTPServer || h.Op() != dhcp.BootReply || h.XID() != d.xid ||
		proto.MAC(h.CHAddr()[:6]) != n.mac || d.phase == idle || d.phase == bound || d.phase == restarting {
		n.storm.stats.stray++
		return
	}
	r := reply{tolerant: n.storm.config.Tolerant}
	if complaint := r.read(p, &n.storm.options); complaint != "" {
		n.fail(now, "%s: %s", r.kind, complaint)
		return
	}
	switch {
	case r.kind == dhcp.Offer && d.phase == selecting:
		n.offered(now, p, &r)
	case r.kind == dhcp.Ack && d.phase != selecting:
		n.acknowledged(now, p, &r)
	case r.kind == dhcp.Nak && d.phase != selecting:
		n.refused(now)
	default:
		n.storm.stats.stray++ // a late OFFER, or an ACK that was repeated
	}
}

// offered weighs an offer. edk2 and Linux keep the first, iPXE the latest of
// equal rank.
func (n *node) offered(now int64, p *proto.Packet, r *reply) {
	if complaint := n.judge(p, r); complaint != "" {
		n.fail(now, "OFFER: %s", complaint)
		return
	}
	d := &n.dhcp
	if !d.have || d.who == ipxe {
		d.offer = *r
	}
	if !d.have {
		d.have = true
		n.storm.stats.offers++
	}
	// Linux takes the first OFFER; iPXE need not wait for a ProxyDHCP server
	// that it was told is absent, or that has spoken already.
	// A ROM that finds PXEClient in an OFFER has what it looks for.
	atOnce := d.who == linux || d.who == uboot || d.who == rom && r.pxeClient || d.who == ipxe && (r.noProxy || r.pxeClient)
	if atOnce || !n.storm.config.Waits {
		n.sendRequest(now)
	}
}

// acknowledged configures the address, or fails for the reason that the client
// would have, or that the ledger has.
func (n *node) acknowledged(now int64, p *proto.Packet, r *reply) {
	complaint := n.judge(p, r)
	if complaint == "" && n.dhcp.phase == requesting {
		complaint = r.differs(&n.dhcp.offer)
	}
	if complaint == "" && n.dhcp.phase == renewing && r.addr != n.addr {
		complaint = "a renewal got another address"
	}
	if complaint != "" {
		n.fail(now, "ACK: %s", complaint)
		return
	}
	until := int64(never) // 0xffffffff is an infinite lease (RFC 2131 section 3.3)
	if r.seconds != 0xffffffff {
		until = now + int64(r.seconds)*batch.Second
	}
	if other := n.storm.ledger.grant(now, r.addr, n.id, until); other >= 0 {
		n.fail(now, "%s was given to %s while %s holds it", r.addr, n.mac, n.storm.config.MAC(other))
		return
	}
	n.addr, n.lease = r.addr, r.leaseFacts
	phase := n.steps[n.at].phase
	n.dhcp.phase = bound
	n.deadline = never
	n.complete(now, phase)
}

// refused reacts to a NAK: firmware gives up, iPXE and Linux begin again.
func (n *node) refused(now int64) {
	n.storm.stats.naks++
	switch n.dhcp.who {
	case edk2, rom:
		n.fail(now, "NAK")
		return
	case uboot: // it looks for an ACK only
		return
	}
	n.addr = 0 // a NAK ends the use of the address at once (RFC 2131 section 3.1 item 5)
	n.dhcp.phase = restarting
	n.deadline = now + restartWait
}
