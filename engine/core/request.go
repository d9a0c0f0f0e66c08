package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// decideRequest answers DHCPREQUEST in its four states (RFC 2131 section
// 4.3.2): SELECTING names a server, INIT-REBOOT an address in option 50 and no
// server, RENEWING and REBINDING their address in ciaddr. When it says no it
// follows dhcpd, whose NAK depends on "authoritative" only for addresses that
// are not of the client's network.
func (c *Core) decideRequest(v *verdict) {
	m := &c.msg
	v.addr = m.asked
	if v.addr == 0 {
		v.addr = m.ciaddr
	}
	if v.addr == 0 {
		v.refuse(batch.ReasonMalformed)
		return
	}
	// Another server was chosen: the address offered here is free for others.
	if m.server != 0 && !c.named() {
		v.slot = c.offered()
		v.refuse(batch.ReasonOtherServer)
		return
	}
	if !c.rightNetwork(v) || !c.settle(v) || !c.admitted(v) || !c.billed(v) {
		return
	}
	c.setLease(v)
	v.do = ack
}

// named tells whether the server that the client chose is this one: by one of
// its addresses, by the server-identifier of the configuration, or by the
// address that a relay put in its place (RFC 5107).
func (c *Core) named() bool {
	m := &c.msg
	if c.ours(m.server) {
		return true
	}
	if a, ok := subOption(m.agent, agentServerID); ok && len(a) == 4 && proto.AddrFrom((*[4]byte)(a)) == m.server {
		return true
	}
	c.begin()
	c.eval.Decide(-1, m.host, 0, 0)
	id, ok := c.eval.Option(dhcp.OptServerID)
	return ok && len(id) == 4 && proto.AddrFrom((*[4]byte)(id)) == m.server
}

// agentServerID is the server identifier override sub-option (RFC 5107).
const agentServerID = 11

// subOption finds a sub-option of the relay agent information (RFC 3046 section
// 2.0), or of option 43, which is laid out alike: code, length, value. What is
// cut short is not there.
func subOption(agent []byte, code byte) (v []byte, ok bool) {
	for len(agent) >= 2 && len(agent) >= 2+int(agent[1]) {
		n := 2 + int(agent[1])
		if agent[0] == code {
			return agent[2:n], true
		}
		agent = agent[n:]
	}
	return nil, false
}

// offered returns the slot that is offered to the client, so that the offer
// can be forgotten when the client prefers another server's.
func (c *Core) offered() int32 {
	if !c.msg.located {
		return binding.None
	}
	c.msg.client.ByID = c.byID
	i := c.table.Lookup(&c.msg.client, c.msg.network, binding.None)
	if i == binding.None || c.table.At(i).Flags&binding.Offered == 0 {
		return binding.None
	}
	return i
}

// rightNetwork tells whether the address belongs to the network that the
// client is on, as far as that is known: a renewal that comes without a relay
// may have been routed here, so nothing is.
func (c *Core) rightNetwork(v *verdict) bool {
	m := &c.msg
	claimed := c.plan.SubnetOf(-1, v.addr) // where the address would belong
	if !m.located {
		if claimed >= 0 && c.plan.Subnets[claimed].Authoritative {
			return v.deny(batch.ReasonNotOurAddress)
		}
		return v.refuse(batch.ReasonNoSubnet)
	}
	// Renewing without a relay: as dhcpd, believe the client about its network.
	if m.ciaddr != 0 && m.giaddr == 0 {
		if claimed < 0 {
			return v.refuse(batch.ReasonUnknownLease)
		}
		return true
	}
	if c.plan.SubnetOf(m.network, v.addr) >= 0 {
		return true
	}
	if c.plan.Subnets[m.subnet].Authoritative {
		return v.deny(batch.ReasonNotOurAddress)
	}
	return v.refuse(batch.ReasonNotOurAddress)
}

// examine finds out whether the client may have the address that it names. An
// address of ours that it may not have is refused whether the subnet is
// authoritative or not, as dhcpd does: nobody else can give it either.
func (c *Core) examine(v *verdict) bool {
	m := &c.msg
	if m.fixed != 0 {
		if m.fixed == v.addr {
			v.why = WhyFixed
			return true
		}
		v.rule = c.plan.Hosts[m.host].Origin
		return v.deny(batch.ReasonNotPermitted)
	}
	i := c.table.Find(v.addr)
	if i == binding.None { // of this subnet but not ours to give: another server's, perhaps
		return v.refuse(batch.ReasonUnknownLease)
	}
	s := c.table.At(i)
	if s.Network != m.network { // ours, but not where the client is now
		return v.deny(batch.ReasonNotOurAddress)
	}
	if !c.available(v, i) {
		return false
	}
	if ok, rule := c.usable(i); !ok {
		if s.State == batch.LeaseActive && m.ciaddr == 0 {
			v.lapse = i
		}
		v.rule = rule
		return v.deny(batch.ReasonNotPermitted)
	}
	if c.table.Owns(i, &m.client) {
		return c.take(v, i, c.whyOwn(i))
	}
	return c.take(v, i, WhyRequested)
}

// available tells whether slot i is the client's or free.
func (c *Core) available(v *verdict, i int32) bool {
	s := c.table.At(i)
	switch {
	case s.State == batch.LeaseAbandoned:
		if c.msg.server != 0 { // in the middle of our own exchange: let it start over
			return v.deny(batch.ReasonDuplicateAddress)
		}
		return v.refuse(batch.ReasonUnknownLease)
	case c.table.Owns(i, &c.msg.client):
		return true
	case c.tenancy() == i: // it may be offered to another, but it is still this one's
		return true
	// From here on it is somebody else's memory, or worse.
	case s.State == batch.LeaseActive, s.Flags&binding.Offered != 0, s.Flags&binding.Reserved != 0,
		heardLately(s, c.msg.now.Mono):
		return v.deny(batch.ReasonTaken)
	}
	return true
}
