package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
)

// decideRelease ends a lease at its client's wish (DHCPRELEASE). Only the
// client that has it can do that, and it gets no answer.
func (c *Core) decideRelease(v *verdict) {
	v.addr = c.msg.ciaddr
	i := c.mine(v) // an address that is another's, or in no pool, changes nothing
	if i == binding.None || c.table.At(i).State != batch.LeaseActive {
		v.refuse(batch.ReasonUnknownLease)
		return
	}
	v.do, v.slot = release, i
}

// decideDecline takes an address out of service that its client found in use
// (DHCPDECLINE), unless "deny declines" forbids it. Only the client that the
// address is leased or offered to can do that.
func (c *Core) decideDecline(v *verdict) {
	v.addr = c.msg.asked
	i := c.mine(v)
	if i == binding.None {
		v.refuse(batch.ReasonUnknownLease)
		return
	}
	if s := c.table.At(i); s.State != batch.LeaseActive && s.Flags&binding.Offered == 0 {
		v.refuse(batch.ReasonUnknownLease)
		return
	}
	v.pool = c.table.At(i).Pool
	c.eval.Decide(v.pool, c.msg.host, v.addr, c.remaining(i))
	if !c.allowed(v, plan.Declines) {
		return
	}
	v.do, v.slot = decline, i
}

// mine returns the slot of the verdict's address if it is the client's. The
// identifier does not count: clients are not careful to send it here.
func (c *Core) mine(v *verdict) int32 {
	c.begin()
	i := c.table.Find(v.addr)
	if i == binding.None || !c.table.Owns(i, &c.msg.client) {
		return binding.None
	}
	return i
}

// releaseLease carries a release out. If its record finds no room the lease
// stays, and ends by time.
func (c *Core) releaseLease(v *verdict) {
	if !c.journalRoom() {
		c.count.NoJournal++
		return
	}
	c.table.Release(v.slot, c.msg.now)
	c.record(v.slot)
}

// abandon takes the address of slot i out of service, for abandon-lease-time
// (dhcpd.conf(5)). Without room for its
// record nothing happens; the conflict will show again.
func (c *Core) abandon(i int32, why batch.Reason) {
	if !c.journalRoom() {
		c.count.NoJournal++
		return
	}
	// The event names the client that had it: the slot forgets.
	e := c.events.Add(batch.EventAbandoned, c.now.Mono)
	e.Addr, e.Reason = c.table.Addr(i), why
	e.SetHW(&c.table.At(i).HW)
	c.count.Abandoned++
	c.table.Abandon(i, c.now, c.plan.Pools[c.table.At(i).Pool].AbandonTime)
	c.record(i)
}
