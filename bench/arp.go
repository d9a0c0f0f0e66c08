package bench

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// resolver is the ARP cache of a node: one entry, the server's or the router's.
type resolver struct {
	addr  proto.Addr // that mac belongs to, or that is asked for
	mac   proto.MAC
	known bool
	asked int // requests sent for addr so far
}

// Requests are repeated after 250 ms, then doubling, whatever the program is. That
// lies between iPXE, which begins with 125 ms and gives up after the fifth request
// (src/net/neighbour.c), and edk2, which asks three times at the beats of a clock
// of 500 ms (ArpDxe/ArpImpl.h). Both then begin anew with what they wanted to send;
// here a boot ends after 16 s without an answer.
const (
	arpFirst = 250 * batch.Millisecond
	arpTries = 6
)

// forget empties the cache: another program starts on the node and knows
// nothing of what the last one learned.
func (r *resolver) forget() { *r = resolver{} }

// waiting tells whether a request is out and unanswered.
func (r *resolver) waiting() bool { return !r.known && r.asked > 0 }

// resolve tells whether the way to dst is known, and asks for it if not. The
// node goes on in resolved.
func (n *node) resolve(now int64, dst proto.Addr) bool {
	hop := dst // a host on the own network is asked for itself, any other through the router
	if dst&n.lease.mask != n.addr&n.lease.mask {
		hop = n.lease.router
	}
	if n.arp.known && n.arp.addr == hop {
		return true
	}
	n.arp = resolver{addr: hop}
	n.askARP(now)
	return false
}

// askARP sends a request; the n-th wait is twice the one before.
func (n *node) askARP(now int64) {
	n.storm.out.arp(proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: n.mac, SenderAddr: n.addr, TargetAddr: n.arp.addr})
	n.storm.stats.framesOut++
	n.deadline = now + arpFirst<<n.arp.asked
	n.arp.asked++
}

// resolveAgain repeats the request when its answer has not come.
func (n *node) resolveAgain(now int64) {
	if n.arp.asked == arpTries {
		n.fail(now, "nobody answers ARP for %s", n.arp.addr)
		return
	}
	n.storm.stats.repeated.ARP++
	n.askARP(now)
}

// receiveARP learns the answer that is waited for, and answers for the node's
// own address, as any host does (RFC 826).
func (n *node) receiveARP(now int64, a *proto.ARP) {
	// Somebody else with our address, asking or answering, is a conflict (RFC
	// 5227 section 2.4): on this segment only the server can have caused it.
	if n.addr != 0 && a.SenderAddr == n.addr && a.SenderMAC != n.mac {
		n.fail(now, "%s is used by %s as well", n.addr, a.SenderMAC)
		return
	}
	if n.arp.waiting() && a.SenderAddr == n.arp.addr {
		n.arp.mac, n.arp.known = a.SenderMAC, true
		n.deadline = never
		n.resolved(now)
	}
	if a.Op == proto.ARPRequest && n.addr != 0 && a.TargetAddr == n.addr {
		n.storm.out.arp(a.SenderMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: n.mac, SenderAddr: n.addr,
			TargetMAC: a.SenderMAC, TargetAddr: a.SenderAddr})
		n.storm.stats.framesOut++
	}
}

// resolved goes on with what waited for the address.
func (n *node) resolved(now int64) {
	if n.dhcp.phase == renewing {
		n.renew(now)
		return
	}
	n.request(now)
}
