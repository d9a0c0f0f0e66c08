package core

import (
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// link is an interface as the driver last described it.
type link struct {
	plan.Link
	since  int64 // start of the ping-timeout in which probes are counted, Mono
	probes int   // sent since
}

// site says where a range of pool addresses is on a link, so that ARP reaches
// it.
type site struct {
	addr proto.Addr // our address there
	link uint8
	here bool // false: behind a relay
}

// SetLinks tells the core what its interfaces are like now; the index of one is
// Frame.Link. Cold: it allocates.
func (c *Core) SetLinks(links []plan.Link) {
	// Copied: the caller may change its own.
	c.links = make([]link, len(links))
	for i := range links {
		c.links[i] = link{Link: links[i]}
	}
	c.sites = make([]site, len(c.plan.Ranges))
	for i := range c.sites {
		c.sites[i] = c.locate(&c.plan.Subnets[c.plan.Ranges[i].Subnet])
	}
	c.newProbers()
	c.fixed = c.fixedTenants()
	c.transfers.SetLinks(links)
	c.keepRoom()
}

// locate finds the link that a subnet is on: the first with an address in it.
func (c *Core) locate(s *plan.Subnet) site {
	for i := range c.links {
		for _, a := range c.links[i].Addrs {
			if s.Contains(a.Addr) {
				return site{a.Addr, uint8(i), true}
			}
		}
	}
	return site{}
}

// ours tells whether a is an address of this host.
func (c *Core) ours(a proto.Addr) bool {
	for i := range c.links {
		if c.links[i].has(a) {
			return true
		}
	}
	return false
}

// has tells whether a is an address of the link.
func (l *link) has(a proto.Addr) bool {
	for i := range l.Addrs {
		if l.Addrs[i].Addr == a {
			return true
		}
	}
	return false
}

// broadcast tells whether a is the directed broadcast address of one of the
// link's subnets.
func (l *link) broadcast(a proto.Addr) bool {
	for i := range l.Addrs {
		if a == l.Addrs[i].Addr|^l.Addrs[i].Mask {
			return true
		}
	}
	return false
}

// self returns the address that the server has for the client of a message:
// that which the message was sent to, else the one in the subnet of the
// client's address, else the link's first.
func (c *Core) self(client proto.Addr) proto.Addr {
	m := &c.msg
	if m.link.has(c.packet.Dst) {
		return c.packet.Dst
	}
	// A network may have several subnets, with an address of ours in each.
	subnet := m.subnet
	if s := c.plan.SubnetOf(m.network, client); m.located && s >= 0 {
		subnet = s
	}
	if subnet >= 0 {
		for i := range m.link.Addrs {
			if c.plan.Subnets[subnet].Contains(m.link.Addrs[i].Addr) {
				return m.link.Addrs[i].Addr
			}
		}
	}
	return m.link.Addrs[0].Addr
}
