package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/core/limit"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// What is here keeps a network that sends anything it likes from costing the
// nodes their boot. DHCP proves nothing about its senders, so no message is
// refused for what it claims to be; what is bounded is how much one of them, and
// all of them together, can take:
//
//	a sender               its messages, by a token bucket           within
//	made-up clients        the time that an offer is kept, when      takeBack
//	                       others ask and nothing else is free
//	made-up conflicts      the addresses that they put out of        believe
//	                       service, per pool and hour
//	forged TFTP requests   what is not acknowledged, and a share     transfer/guests.go
//	                       of the table
//	another server         reported, at most once a minute           rogue.go
//
// Clients that are known, from a host declaration or a lease, go before those
// that are not (known-clients-first): see binding/tenant.go.

const (
	// rateBuckets is how many senders are watched at a time; 96 KiB.
	rateBuckets = 4096
	// looseHold is how long an offer is kept for a client of whom nothing is
	// known, when somebody else needs it. It covers the REQUEST and its first
	// repetition: edk2 collects offers for 4 s and repeats after 4 s, iPXE asks
	// after 3 s at most and gives up 8 s later.
	looseHold = 15 * batch.Second
	// doubtPeriod is the time in which as many conflicts are believed as may be
	// at once.
	doubtPeriod = 3600 * batch.Second
	// leastDoubts of a pool's addresses can be in conflict, or an eighth.
	leastDoubts = 4
)

// guard is the state of it.
type guard struct {
	senders *limit.Table   // by hardware address
	doubts  []limit.Bucket // by pool
	servers *limit.Table   // other DHCP servers that were reported lately
	rivals  *limit.Table   // their clients, likewise
	news    limit.Bucket   // of both together: a flood of made-up ones is no news
}

// newGuard makes the state for a plan.
func newGuard(p *plan.Plan) guard {
	g := guard{senders: limit.New(rateBuckets), doubts: make([]limit.Bucket, len(p.Pools)),
		servers: limit.New(16), rivals: limit.New(256)}
	g.senders.Set(limit.Every(p.Guard.Messages), p.Guard.Messages*plan.RateBurst)
	g.servers.Set(rogueAgain, 1)
	g.rivals.Set(rivalAgain, 2)
	return g
}

// within tells whether the sender of the message in c.packet keeps to its rate
// limit. A client without a hardware address has no bucket.
func (c *Core) within(now batch.Time, via uint8) bool {
	h := dhcp.View(c.packet.Payload)
	if h == nil {
		return true // counted where it is read
	}
	hw, ok := h.HW()
	if !ok || hw.Len == 0 {
		return true
	}
	ok, first := c.guard.senders.Take(c.table.HashHW(&hw), now.Mono)
	if ok {
		return true
	}
	c.count.Excess++
	if first {
		e := c.events.Add(batch.EventExcess, now.Mono)
		e.SetHW(&hw)
		e.Link, e.Value, e.Extra = via, c.plan.Guard.Messages, proto.PortBOOTPServer
	}
	return false
}

// isStranger tells whether nothing but its message is known of the client to whom
// slot i is about to be offered.
func (c *Core) isStranger(i int32) bool {
	return c.plan.Guard.KnownFirst && !c.msg.known && !c.table.TenantOf(i, &c.msg.client)
}

// takeBack returns the address of a pool whose offer may be given to the client
// of the message instead: the oldest one that was made to a client of whom
// nothing is known. A client that is declared has it at once.
func (c *Core) takeBack(pool int32) int32 {
	i := c.table.OldestLoose(pool)
	if i == binding.None || !c.fits(i) {
		return binding.None
	}
	if age := c.msg.now.Mono - (c.table.At(i).End - offerHold); !c.msg.known && age < looseHold {
		return binding.None
	}
	return i
}

// believe tells whether one more conflict in a pool is to be believed. That a
// machine uses an address that it was not given happens; that a good part of a
// pool is used like that within an hour is made up, or a router that answers for
// others, and to believe it would leave no address for anybody.
func (c *Core) believe(i int32, who *dhcp.HW) bool {
	pool := c.table.At(i).Pool
	most := max(int64(c.table.Size(pool))/8, leastDoubts)
	ok, first := c.guard.doubts[pool].Take(c.now.Mono, doubtPeriod/most, most)
	if ok {
		return true
	}
	c.count.Doubtful++
	if first {
		e := c.events.Add(batch.EventDoubtful, c.now.Mono)
		e.SetHW(who)
		e.Addr, e.Value, e.Reason = c.table.Addr(i), most, batch.ReasonDuplicateAddress
	}
	return false
}

// declined takes the address of slot i out of service, as its client wishes; if
// that cannot be true any more the client loses it, and it stays in service.
func (c *Core) declined(i int32) {
	if c.believe(i, &c.request.HW) {
		c.abandon(i, batch.ReasonDeclinedByClient)
		return
	}
	switch {
	case c.table.At(i).State != batch.LeaseActive:
		c.table.Withdraw(i)
	case !c.journalRoom():
		c.count.NoJournal++
		return
	default:
		c.table.Release(i, c.msg.now)
		c.record(i)
	}
	if c.table.Owns(i, &c.msg.client) { // else it would be offered it again
		c.table.Disown(i)
	}
}
