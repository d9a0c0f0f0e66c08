package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// lately is for how long an address that was heard of counts as in use, and
// for how long one that did not answer a probe counts as silent, in ns.
const lately = 300 * batch.Second

// heardLately tells whether the address of a slot was seen in use.
func heardLately(s *binding.Slot, now int64) bool { return s.Heard != 0 && now-s.Heard < lately }

// observe learns from an ARP message who uses an address. This is what
// ping-check comes to here: no offer waits for it. A client's own address
// answered by its own hardware is no conflict. A free address that somebody uses
// is kept for that machine: it may have it from another server, or from before
// our journal was lost. One that is offered is taken out of service, so that a
// REQUEST for it is refused. A lease in force stays, and the conflict is
// reported.
func (c *Core) observe(now batch.Time, via uint8) {
	a := &c.packet.ARP
	if a.SenderAddr == 0 || a.SenderMAC == c.links[via].MAC || a.SenderMAC[0]&1 != 0 {
		return
	}
	i := c.table.Find(a.SenderAddr)
	if i == binding.None {
		if c.ours(a.SenderAddr) {
			c.impostor(now, via)
		} else {
			c.fixedClaimed(now.Mono, via)
		}
		return
	}
	s := c.table.At(i)
	if at := &c.sites[s.Range]; !at.here || at.link != via { // not where that address belongs
		return
	}
	c.now = now
	if s.HW.Len == 6 && s.HW.MAC() == a.SenderMAC || c.sameNode(s, a.SenderMAC) {
		if s.State == batch.LeaseFree && s.Flags&(binding.Offered|binding.Reserved) == 0 {
			s.Heard = now.Mono
			c.table.Defer(i) // its former client still uses it, and gets it back if it asks
		}
		return
	}
	if !c.isProxy(a.SenderMAC) {
		c.stranger(i, via)
	}
}

// stranger deals with an address that is used by somebody who does not have it.
func (c *Core) stranger(i int32, via uint8) {
	s := c.table.At(i)
	switch {
	case s.State == batch.LeaseActive:
		c.conflict(i, via)
	case s.Flags&binding.Reserved != 0:
		c.fixedClaimed(c.now.Mono, via)
	case s.State == batch.LeaseAbandoned, !c.plan.Pools[s.Pool].PingCheck:
		// known, or not asked for
	case !c.believe(i, c.arpSender()):
	case s.Flags&binding.Offered != 0: // the probe that went with the OFFER, answered in time
		c.conflict(i, via)
		c.abandon(i, batch.ReasonDuplicateAddress)
	default:
		c.conflict(i, via)
		c.claim(i)
	}
}

// arpSender is who sent the ARP message in work.
func (c *Core) arpSender() *dhcp.HW {
	c.sender = dhcp.HW{Type: ethernet, Len: 6}
	copy(c.sender.Addr[:], c.packet.ARP.SenderMAC[:])
	return &c.sender
}

// claim keeps a free address for the machine that uses it. Hardware that answers
// for half of a pool is no machine but a router that answers for others (proxy
// ARP, RFC 1027): it says nothing about their addresses, now or later.
func (c *Core) claim(i int32) {
	s := c.table.At(i)
	who := binding.Client{HW: *c.arpSender()}
	since := c.now.Mono - lately
	most := min(max(int(c.table.Size(s.Pool))/2, 2), maxClaims)
	if c.table.Claimed(&who.HW, since, most-1) == binding.None {
		s.Heard = c.now.Mono
		c.table.Remember(i, &who)
		return
	}
	c.proxies[c.proxyNext] = c.packet.ARP.SenderMAC
	c.proxyNext = (c.proxyNext + 1) % len(c.proxies)
	for k := c.table.Claimed(&who.HW, since, 0); k != binding.None; k = c.table.Claimed(&who.HW, since, 0) {
		c.table.At(k).Heard = 0
		c.table.Disown(k)
	}
}

// maxClaims is how many addresses one machine may use without a lease.
const maxClaims = 8

// isProxy tells whether the hardware address is known to answer for others.
func (c *Core) isProxy(mac proto.MAC) bool {
	for k := range c.proxies {
		if c.proxies[k] == mac {
			return true
		}
	}
	return false
}

// conflict reports that an address is used by somebody who does not have it,
// once per lease.
func (c *Core) conflict(i int32, via uint8) {
	s := c.table.At(i)
	if s.Flags&binding.Warned != 0 {
		return
	}
	s.Flags |= binding.Warned
	c.count.Conflicts++
	e := c.events.Add(batch.EventConflict, c.now.Mono)
	e.Addr, e.Link, e.Reason = c.table.Addr(i), via, batch.ReasonDuplicateAddress
	e.HWLen = uint8(copy(e.HW[:], c.packet.ARP.SenderMAC[:]))
}

// sameNode tells whether the hardware address is another one of the host that
// the slot belongs to.
func (c *Core) sameNode(s *binding.Slot, mac proto.MAC) bool {
	if s.Host == 0 { // as good as always
		return false
	}
	p := &c.plan.Program
	for at := p.ByEthernet(mac); at >= 0; at = p.Hosts.Entries[at].Next {
		if c.nodes[p.Hosts.Entries[at].Host] == s.Host {
			return true
		}
	}
	return false
}
