package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto/dhcp"
)

// choose finds an address for a client that has none to insist on (DISCOVER,
// BOOTP), in dhcpd's order: the fixed address of its host declaration, the
// lease that it has or had, the address that it asks for, then the permitted
// address that is free for the longest time.
func (c *Core) choose(v *verdict) bool {
	m := &c.msg
	if m.fixed != 0 { // in no pool, or reserved there: nothing to hold, nothing to write
		v.addr, v.why = m.fixed, WhyFixed
		return true
	}
	if i := c.own(); i != binding.None {
		if ok, rule := c.usable(i); ok {
			return c.take(v, i, c.whyOwn(i))
		} else if c.table.At(i).State == batch.LeaseActive && m.ciaddr == 0 {
			// The configuration, or the client's class, has changed: the lease ends.
			v.lapse, v.rule = i, rule
		}
		if i := c.earlier(); i != binding.None {
			return c.take(v, i, WhyPrevious)
		}
	}
	if i := c.tenancy(); i != binding.None && c.table.At(i).State == batch.LeaseFree && !heardLately(c.table.At(i), m.now.Mono) {
		return c.take(v, i, WhyPrevious)
	}
	if i := c.askedFor(); i != binding.None {
		return c.take(v, i, WhyRequested)
	}
	return c.allocate(v)
}

// tenancy returns the slot that the client leased last, though it is offered to
// another one now, used by one, or out of service for that.
func (c *Core) tenancy() int32 {
	i := c.table.Aside(&c.msg.client, c.msg.network)
	if i == binding.None || !c.plan.Guard.KnownFirst {
		return binding.None
	}
	if ok, _ := c.usable(i); !ok {
		return binding.None
	}
	return i
}

// own returns the slot that is the client's already: of several leases the one
// that it names.
func (c *Core) own() int32 {
	m := &c.msg
	if i := c.table.Find(m.asked); i != binding.None && c.table.At(i).Network == m.network &&
		c.table.At(i).State == batch.LeaseActive && c.table.Owns(i, &m.client) {
		return i
	}
	return c.table.Lookup(&m.client, m.network, binding.None)
}

// earlier returns an address that the client was offered or had before, and may have still,
// where the one that it had last is not for it any more: firmware and system may
// be of different classes, and each gets its own address again from boot to boot
// (RFC 2131 section 4.3.1).
func (c *Core) earlier() int32 {
	m, best := &c.msg, binding.None
	i := c.table.Earlier(&m.client, m.network, binding.None)
	for n := 0; i != binding.None && n < maxPassed; n++ {
		if ok, _ := c.usable(i); ok {
			if c.table.At(i).Flags&binding.Offered != 0 { // to itself, a moment ago
				return i
			}
			if c.vacant(i) {
				best = i
			}
		}
		i = c.table.Earlier(&m.client, m.network, i)
	}
	return best
}

// whyOwn tells a lease or offer in force from a mere memory of one.
func (c *Core) whyOwn(i int32) Why {
	if s := c.table.At(i); s.State == batch.LeaseActive || s.Flags&binding.Offered != 0 {
		return WhyExisting
	}
	return WhyPrevious
}

// usable tells whether the client may have the address of slot i, whoever has
// it now; rule is the line that forbids it, -1 if it is none.
func (c *Core) usable(i int32) (ok bool, rule int32) {
	s := c.table.At(i)
	if s.Flags&binding.Reserved != 0 || !c.fits(i) {
		return false, -1
	}
	return c.eval.Permitted(s.Pool)
}

// askedFor returns the slot of the address in option 50 if the client may have
// it and nobody else does.
func (c *Core) askedFor() int32 {
	m := &c.msg
	i := c.table.Find(m.asked)
	if i == binding.None || c.table.At(i).Network != m.network || !c.vacant(i) {
		return binding.None
	}
	if ok, _ := c.usable(i); !ok {
		return binding.None
	}
	return i
}

// vacant tells whether slot i is free: not leased, offered or abandoned, and
// not seen in use lately by the client that had it before.
func (c *Core) vacant(i int32) bool {
	s := c.table.At(i)
	return s.State == batch.LeaseFree && s.Flags&binding.Offered == 0 && !heardLately(s, c.msg.now.Mono)
}

// allocate takes the address that is free for the longest time in any pool that
// admits the client, of those that were never leased if there is one; of never
// used ones the first in the first pool. Only when there is none, one that is
// offered to a client of whom nothing is known, then the address that was
// abandoned first, and for clients that are known, one that ARP says is used.
func (c *Core) allocate(v *verdict) bool {
	best, worst, loose, refused, permitted := binding.None, binding.None, binding.None, int32(-1), false
	claimed := c.tenancy()
	for _, pool := range c.plan.Networks[c.msg.network].Pools {
		ok, rule := c.eval.Permitted(pool)
		if !ok || c.msg.kind == dhcp.BOOTP && !c.table.ForBOOTP(pool) {
			refused = rule
			continue
		}
		permitted = true
		if i := c.firstVacant(pool); i != binding.None &&
			(best == binding.None || c.table.Before(i, best)) {
			best = i
		}
		if i := c.takeBack(pool); i != binding.None &&
			(loose == binding.None || c.table.At(i).End < c.table.At(loose).End) {
			loose = i
		}
		if i := c.table.Oldest(pool); claimed == binding.None && c.msg.known && i != binding.None && c.fits(i) {
			claimed = i
		}
		if i := c.table.OldestAbandoned(pool); i != binding.None && c.fits(i) &&
			(worst == binding.None || c.table.At(i).Start < c.table.At(worst).Start) {
			worst = i
		}
	}
	// "No address" and "not permitted" are different faults to whoever reads the
	// log, so a pool that is full and admits the client counts for the first.
	switch {
	case best != binding.None:
		return c.take(v, best, WhyLongest)
	case loose != binding.None:
		return c.take(v, loose, WhyTakenBack)
	case worst != binding.None:
		return c.take(v, worst, WhyReclaimed)
	case claimed != binding.None && c.plan.Guard.KnownFirst:
		return c.take(v, claimed, WhyClaimed)
	case permitted || refused < 0 && v.rule < 0:
		return v.refuse(batch.ReasonNoFreeAddress)
	}
	v.rule = max(refused, v.rule)
	return v.refuse(batch.ReasonNotPermitted)
}

// maxPassed bounds how many free addresses one message looks at, and maxChoice
// how many of those that may be given away it chooses from.
const (
	maxPassed = 1024
	maxChoice = 16
)

// firstVacant returns the address of a pool's free queue that is given away
// next: of the first few that may be the first that is known to be silent, else
// simply the first. Those that their former clients still use are passed over;
// there are few at the head, since they are moved to the end as they are seen.
func (c *Core) firstVacant(pool int32) int32 {
	first, choice := binding.None, maxChoice
	if !c.probing(pool) {
		choice = 1 // nothing will ever be known
	}
	i := c.table.Oldest(pool)
	for n := 0; i != binding.None && n < maxPassed && choice > 0; n++ {
		if first != binding.None && c.table.Tenanted(i) && !c.table.Tenanted(first) {
			break // silent or not, what was never leased goes first
		}
		if c.vacant(i) && c.fits(i) {
			if c.silent(i, c.msg.now.Mono) {
				return i
			}
			if first == binding.None {
				first = i
			}
			choice--
		}
		i = c.table.After(i)
	}
	return first
}

// fits tells whether slot i is in a range for clients of the message's kind,
// and not our own address, which no ARP of ours would find in use.
func (c *Core) fits(i int32) bool {
	return (c.msg.kind != dhcp.BOOTP || c.plan.Ranges[c.table.At(i).Range].BOOTP) && !c.ours(c.table.Addr(i))
}
