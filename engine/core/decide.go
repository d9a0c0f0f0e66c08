package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// action is what a message is answered with.
type action uint8

const (
	silent  action = iota
	offer          // DHCPOFFER
	ack            // DHCPACK to a REQUEST
	nak            // DHCPNAK
	reply          // BOOTP reply
	inform         // DHCPACK to an INFORM
	pxe            // DHCPACK of a PXE boot server
	release        // no reply: the lease ends
	decline        // no reply: the address is abandoned
)

// verdict is a decision: what is answered and why, and what the lease table
// shall say afterwards. Making it changes nothing, so Explain can ask for one.
type verdict struct {
	do      action
	reason  batch.Reason
	rule    int32 // Plan.Origins, -1
	slot    int32 // of the address, binding.None if it is none of a pool
	pool    int32 // of the slot, -1
	addr    proto.Addr
	why     Why
	seconds uint32 // lease time told to the client
	reuse   bool   // the lease stays as it is: nothing is written
	keepID  bool   // the client identifier belongs to the lease
	bill    uint64 // class instance that the lease counts against
	lapse   int32  // slot that the client may keep no longer, binding.None
	hints   Hints  // what the reply carries of them
	marked  bool   // the reply names the file that the node is to load once
}

// refuse makes the verdict a silence.
func (v *verdict) refuse(why batch.Reason) bool {
	v.do, v.reason = silent, why
	return false
}

// deny makes the verdict a NAK.
func (v *verdict) deny(why batch.Reason) bool {
	v.do, v.reason = nak, why
	return false
}

// decide makes the decision about the message in c.msg.
func (c *Core) decide() verdict {
	v := verdict{rule: -1, slot: binding.None, pool: -1, lapse: binding.None}
	m := &c.msg
	if m.port == proto.PortPXE {
		c.decidePXE(&v)
		return v
	}
	switch m.kind {
	case dhcp.Discover:
		c.decideDiscover(&v)
	case dhcp.Request:
		c.decideRequest(&v)
	case dhcp.Decline:
		c.decideDecline(&v)
	case dhcp.Release:
		c.decideRelease(&v)
	case dhcp.Inform:
		c.decideInform(&v)
	default:
		c.decideBOOTP(&v)
	}
	return v
}

// begin evaluates who the client is: its classes and its host declaration.
func (c *Core) begin() {
	m := &c.msg
	m.begun = true
	c.eval.Begin(&c.request, m.subnet)
	// In dhcpd's order: a class cannot ask whether the client is known, and a BOOTP
	// client is of no class.
	if m.kind != dhcp.BOOTP {
		c.eval.Classify()
	}
	m.host, m.fixed, m.known = c.eval.FindHost()
	m.client.Host = 0
	if m.host >= 0 {
		m.client.Host = c.nodes[m.host]
	}
	if m.fixed != 0 && c.heldByOther(m.fixed) {
		m.fixed = 0 // not before its lease ends: never two clients with one address
	}
}

// heldByOther tells whether the address is leased from a pool to another
// client, as happens when a host declaration is added for it.
func (c *Core) heldByOther(a proto.Addr) bool {
	i := c.table.Find(a)
	return i != binding.None && c.table.At(i).State == batch.LeaseActive && !c.table.Owns(i, &c.msg.client)
}

// settle finds the address and executes the statements for it. Whether client
// identifiers belong to leases (ignore-client-uids) is one of the things that
// statements decide, and what the address depends on; so the answer for the
// last message is a first guess, and a wrong guess is made good.
func (c *Core) settle(v *verdict) bool {
	clean := *v
	c.msg.client.ByID = c.byID
	// Twice at most: two scopes that contradict each other must not hang the loop.
	for again := false; ; again = true {
		c.begin()
		found := c.target(v)
		remaining := uint32(0)
		if v.slot != binding.None {
			remaining = c.remaining(v.slot)
		}
		c.eval.Decide(v.pool, c.msg.host, v.addr, remaining)
		c.byID = !c.eval.Bool(plan.IgnoreClientUIDs, true)
		if c.byID == c.msg.client.ByID || again {
			v.keepID = c.msg.client.ByID
			return found
		}
		*v = clean
		c.msg.client.ByID = c.byID
	}
}

// target finds the address that the message is about.
func (c *Core) target(v *verdict) bool {
	if c.msg.kind == dhcp.Request {
		return c.examine(v)
	}
	return c.choose(v)
}

// take makes slot i the address of the verdict.
func (c *Core) take(v *verdict, i int32, why Why) bool {
	v.slot, v.pool, v.addr, v.why = i, c.table.At(i).Pool, c.table.Addr(i), why
	return true
}

// remaining returns the seconds that the client's own lease still runs.
func (c *Core) remaining(i int32) uint32 {
	s := c.table.At(i)
	if s.State != batch.LeaseActive || !c.table.Owns(i, &c.msg.client) {
		return 0
	}
	return secondsUntil(s.End, c.msg.now.Mono)
}

// secondsUntil returns whole seconds, 0xffffffff for one that never comes.
func secondsUntil(end, now int64) uint32 {
	if end == binding.Forever {
		return 0xffffffff
	}
	return uint32(min(max(end-now, 0)/batch.Second, 0xfffffffe))
}
