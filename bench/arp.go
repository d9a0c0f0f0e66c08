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
	asked int   // requests sent for addr so far
	tries int   // of them, in this round; 0 between two rounds
	round int   // rounds that were in vain
	began int64 // of the first request
	since int64 // when the present round began
}

// inquiry is how a program asks for an address. A round of requests that nobody
// answers loses what was to be sent; the next one begins when the program sends
// that again. Nanoseconds.
type inquiry struct {
	waits    []int64 // after each request of a round
	rounds   []int64 // when the rounds begin, from the first request
	patience int64   // when the program gives up
}

// inquiries of the clients. A round in vain is for
//
//	edk2   three requests at the beats of a clock of 500 ms (ArpDxe/ArpImpl.h); TFTP sends again after 4 s, six times
//	iPXE   five requests, 125 ms apart and then doubling (src/net/neighbour.c); its read requests of the
//	       meantime wait together, the next is that of 7.75 s; it gives up after 15.75 s
//	ROM    PXE 2.1 gives no times; those of edk2 stand in, as for its TFTP
//	U-Boot four requests 5 s apart, then the command begins anew (net/arp.c)
//	GRUB   forty requests, 400 ms apart and 20 ms more each time, then an error (grub-core/net/arp.c)
//	Linux  three requests, 1 s apart (arp(7): mcast_solicit, retrans_time); its DHCP client sends again
//	       after 4, 8, 16, 32 s
//	loader as edk2, whose services it uses
var inquiries = [clients]inquiry{
	edk2:   firmwareInquiry,
	rom:    firmwareInquiry,
	loader: firmwareInquiry,
	ipxe:   {waits: milliseconds(125, 250, 500, 1000, 2000), rounds: milliseconds(0, 7750), patience: 15750 * batch.Millisecond},
	uboot:  {waits: milliseconds(5000, 5000, 5000, 5000), rounds: milliseconds(0, 20000, 40000), patience: 60 * batch.Second},
	grub:   {waits: grubWaits(), rounds: milliseconds(0), patience: grubPatient},
	linux:  {waits: milliseconds(1000, 1000, 1000), rounds: milliseconds(0, 4000, 12000, 28000, 60000), patience: 124 * batch.Second},
}

var firmwareInquiry = inquiry{waits: milliseconds(500, 500, 500), rounds: milliseconds(0, 4000, 8000, 12000, 16000, 20000), patience: 24 * batch.Second}

// milliseconds converts to nanoseconds.
func milliseconds(ms ...int64) []int64 {
	for i := range ms {
		ms[i] *= batch.Millisecond
	}
	return ms
}

// grubWaits are GRUB's, see habits.
func grubWaits() (waits []int64) {
	for i := range habits[grub].tries {
		waits = append(waits, habits[grub].wait+int64(i)*grubMore)
	}
	return waits
}

// forget empties the cache: another program starts on the node and knows
// nothing of what the last one learned.
func (r *resolver) forget() { *r = resolver{} }

// waiting tells whether an answer is waited for.
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
	n.arp = resolver{addr: hop, began: now}
	n.askARP(now)
	return false
}

// askARP sends a request.
func (n *node) askARP(now int64) {
	r, who := &n.arp, n.steps[n.at].who
	n.storm.out.arp(proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: n.mac, SenderAddr: n.addr, TargetAddr: r.addr})
	n.storm.stats.framesOut++
	if r.tries == 0 {
		r.since = now
	}
	n.deadline = now + inquiries[who].waits[r.tries]
	if r.tries == 0 && (who == edk2 || who == rom || who == loader) { // the clock beats at some moment of the first wait
		n.deadline -= n.random(inquiries[who].waits[0])
	}
	r.tries++
	r.asked++
}

// resolveAgain repeats the request when its answer has not come; after the last one
// of a round it waits for the next round.
func (n *node) resolveAgain(now int64) {
	r, q := &n.arp, &inquiries[n.steps[n.at].who]
	if r.tries == len(q.waits) {
		r.tries = 0
		r.round++
		at := r.began + q.patience
		if r.round < len(q.rounds) {
			at = r.began + q.rounds[r.round]
		}
		if at > now {
			n.deadline = at
			return
		}
	}
	if r.round == len(q.rounds) {
		n.fail(now, "nobody answers ARP for %s", r.addr)
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
	// An answer after a round in vain is taken, too, but nothing waits to be sent:
	// the program sends at the time of the next round.
	if r := &n.arp; r.waiting() && a.SenderAddr == r.addr {
		r.mac, r.known = a.SenderMAC, true
		if r.tries > 0 {
			n.deadline = never
			n.resolved(now)
		}
	}
	if a.Op == proto.ARPRequest && n.addr != 0 && a.TargetAddr == n.addr {
		n.storm.out.arp(a.SenderMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: n.mac, SenderAddr: n.addr,
			TargetMAC: a.SenderMAC, TargetAddr: a.SenderAddr})
		n.storm.stats.framesOut++
	}
}

// resolved goes on with what waited for the address.
func (n *node) resolved(now int64) {
	switch {
	case n.dhcp.phase == renewing:
		n.renew(now)
	case n.file.who == ipxe:
		n.releaseRequests(now)
	default:
		n.request(now)
	}
}

// releaseRequests sends what iPXE's retry timer has made of a read request while
// the address was unknown: each repetition waits with the first (src/net/neighbour.c,
// neighbour_tx), but for those that were lost with an earlier round.
func (n *node) releaseRequests(now int64) {
	t, r := &n.file, &n.arp
	t.tries, t.retry = 1, retryTimer{}
	t.retry.restart(r.began)
	waiting := 0
	if r.began >= r.since {
		waiting++
	}
	for at := r.began + t.retry.timeout; at <= now; at += t.retry.timeout {
		t.retry.expire()
		t.retry.restart(at)
		t.tries++
		if at >= r.since {
			waiting++
		}
	}
	for i := range waiting {
		if i > 0 {
			n.storm.stats.repeated.RRQ++
		}
		n.writeRRQ()
	}
	n.deadline = t.retry.began + t.retry.timeout
}
