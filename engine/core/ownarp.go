package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// The kernel answers ARP for the server's addresses, as long as it can note who
// asks: 1,024 machines unless somebody raised net.ipv4.neigh.default.gc_thresh3
// (arp(7)). A storm of more finds no server then. So a node that asks for the
// server once more, since nobody answered, is answered from here, and for a while
// every node at its first request: the kernel's table is one for all of them.
// While the kernel answers, not one frame is sent.
//
// Only a node that has an address from this server is answered, and not more than
// arpAnswers times per ACK: what asks for ever, such as a bond with arp_interval,
// is the kernel's business, and so are strangers. What clients do when nobody
// answers, and so what the second request costs the first of them:
//
//	client  asks again after        gives up after    source
//	iPXE    0.125 s, doubling       5 requests        src/net/neighbour.c
//	edk2    0 to 0.5 s, then 0.5 s  3 requests        ArpDxe/ArpImpl.h: a clock of 0.5 s for all requests
//	GRUB    0.4 s, 20 ms more each  41 requests       grub-core/net/arp.c
//	Linux   1 s                     3 requests        mcast_solicit, arp(7)
//	U-Boot  5 s                     5 requests        net/arp.c, CONFIG_ARP_TIMEOUT
//
// After that they try anew with what they wanted to send.
//
// The first of several workers does not see what the others do. So a boot loader
// that asks for itself soon after the firmware, without a DHCP of its own between,
// seems to repeat what the firmware asked, and is answered twice.
const (
	// askedAgain is how much later than the last request one must be to say that
	// nobody answered: edk2's clock may strike before an answer can have come. And
	// one that comes so soon after a request for a file was sent before it: ARP and
	// TFTP come by different sockets.
	askedAgain = 50 * batch.Millisecond
	// askedLately is when a request is no repetition any more, but asks anew.
	askedLately = 6 * batch.Second
	// kernelSilent is for how long first requests are answered after a second one.
	// The kernel forgets the oldest of a full table after 5 s.
	kernelSilent = 10 * batch.Second
	// arpAnswers is how many of them an ACK is good for. A boot asks once with each
	// program, and some answers may be lost.
	arpAnswers = 4
)

// askedUs handles an ARP request for an address of ours.
func (c *Core) askedUs(now int64, via uint8, tx *batch.Tx) {
	a, l := &c.packet.ARP, &c.links[via]
	if a.Op != proto.ARPRequest || !l.has(a.TargetAddr) || c.packet.DstMAC != proto.Broadcast && c.packet.DstMAC != l.MAC {
		return
	}
	k := c.asker(a.SenderAddr, a.SenderMAC)
	if k == nil || k.Left == 0 || k.Heard != 0 && now-k.Heard < askedAgain {
		return
	}
	waited := now - k.Asked
	switch again := k.Asked != 0 && k.For == a.TargetAddr && waited < askedLately; {
	case again && waited < askedAgain:
		return
	case again:
		c.silentUntil = now + kernelSilent
	case now >= c.silentUntil:
		k.Asked, k.For = max(now, 1), a.TargetAddr
		return
	}
	if c.tellMAC(via, tx) {
		k.Asked, k.For = max(now, 1), a.TargetAddr
		k.Left--
		c.count.ARPAnswers++
	}
}

// tellMAC answers the ARP request in work, to its sender alone (RFC 826).
func (c *Core) tellMAC(via uint8, tx *batch.Tx) bool {
	m := tx.Next()
	if m == nil {
		return false
	}
	a, mac := &c.packet.ARP, c.links[via].MAC
	proto.PutARP((*[proto.EthernetLen + proto.ARPLen]byte)(m.Head[:]), mac, a.SenderMAC, &proto.ARP{
		Op: proto.ARPReply, SenderMAC: mac, SenderAddr: a.TargetAddr, TargetMAC: a.SenderMAC, TargetAddr: a.SenderAddr})
	m.HeadLen, m.Link = proto.EthernetLen+proto.ARPLen, via
	tx.Commit()
	return true
}

// asker returns what is kept of the requests of a node that has an address from
// us, nil if it has none. Of a host that is declared by its client identifier and
// has a fixed address nothing is kept: that may be any hardware.
func (c *Core) asker(addr proto.Addr, mac proto.MAC) *binding.Asker {
	if i := c.table.Find(addr); i != binding.None {
		s := c.table.At(i)
		if s.State == batch.LeaseActive && (s.HW.Len == 6 && s.HW.MAC() == mac || c.sameNode(s, mac)) {
			return &s.Asker
		}
	}
	for k := c.firstTenant(addr); k < len(c.fixed) && c.fixed[k].addr == addr; k++ {
		if t := &c.fixed[k]; t.mac == mac {
			return &t.asker
		}
	}
	return nil
}

// allowARP lets the node of the message in work be answered, from its ACK on.
func (c *Core) allowARP(v *verdict) {
	if !reachable(&c.request.HW) {
		return
	}
	if k := c.asker(v.addr, c.request.HW.MAC()); k != nil {
		*k = binding.Asker{}
		if c.answersARP(v) {
			k.Left = arpAnswers
		}
	}
}

// answersARP tells whether the node of the message in work is answered when the
// kernel does not. Behind a relay it is the relay who asks.
func (c *Core) answersARP(v *verdict) bool {
	switch v.do {
	case offer, ack, reply:
		return c.msg.giaddr == 0 && c.eval.Bool(plan.AnswerARP, true)
	}
	return false
}

// heardOf notes that the sender of the request for a file in work knows the
// server's hardware address.
func (c *Core) heardOf(now int64) {
	if k := c.asker(c.packet.Src, c.packet.SrcMAC); k != nil {
		k.Asked, k.Heard = 0, max(now, 1)
	}
}
