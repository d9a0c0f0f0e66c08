package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// Restore takes over the leases recovered from the journal, before the first
// frame, and returns how many of their addresses are in a pool. Records are
// numbered from the highest Seq on.
func (c *Core) Restore(now batch.Time, leases []batch.Lease) (kept int) {
	c.clock.start(now, c.newest(leases))
	now = c.clock.read(now)
	for i := range leases {
		if c.table.Restore(now, &leases[i]) {
			kept++
		}
		c.seq = max(c.seq, leases[i].Seq)
	}
	c.durable = max(c.durable, c.seq) // they come from the disk
	c.table.Settle()
	if len(leases) > 0 { // there was a process before this one
		c.table.PassOver()
	}
	return kept
}

// Replace moves everything that lives, leases, offers, held acknowledgements,
// transfers, records and events not taken yet, and the counters, to a core that
// was made from a new plan, files and links. c must not be used afterwards. It
// allocates nothing but what SetLinks does, so it may run between two batches.
func (c *Core) Replace(now batch.Time, fresh *Core) {
	links := make([]plan.Link, 0, len(fresh.links))
	for i := range fresh.links {
		links = append(links, fresh.links[i].Link)
	}
	fresh.table.Adopt(c.table)
	// Transfers run on with the files that they began with; new ones get the new.
	fresh.transfers = c.transfers
	fresh.transfers.SetFiles(fresh.files)
	fresh.transfers.SetRate(fresh.plan.Guard.Requests)
	fresh.hold, fresh.leases, fresh.events, fresh.count = c.hold, c.leases, c.events, c.count
	fresh.seq, fresh.durable, fresh.ipID = c.seq, c.durable, c.ipID
	fresh.proxies, fresh.proxyNext = c.proxies, c.proxyNext
	fresh.guard.servers, fresh.guard.rivals, fresh.guard.news = c.guard.servers, c.guard.rivals, c.guard.news
	fresh.seekers, fresh.marks, fresh.spare, fresh.repeats = c.seekers, c.marks, c.spare, c.repeats
	fresh.silentUntil = c.silentUntil
	fresh.clock = c.clock
	fresh.clock.cursor = 0 // leases that come back with the plan were restored without it
	fresh.SetLinks(links)
	for i := range fresh.probes {
		fresh.wakeProber(int32(i), now.Mono)
	}
}

// EachLease calls f with every address that is or was somebody's, or is
// abandoned, in ascending order. Cold; f may keep nothing of its argument.
func (c *Core) EachLease(f func(*batch.Lease)) {
	var r batch.Lease
	for i := int32(0); i < c.table.Len(); i++ {
		s := c.table.At(i)
		if s.State == batch.LeaseFree && s.Starts == 0 {
			continue
		}
		c.table.Record(i, &r)
		f(&r)
	}
}

// Pools calls f with the size of each pool and how many of its addresses are
// free. Cold.
func (c *Core) Pools(f func(pool, size, free int32)) {
	for i := range c.plan.Pools {
		f(int32(i), c.table.Size(int32(i)), c.table.Free(int32(i)))
	}
}

// ClientOf returns what software the client of an address is, as far as this
// run has seen. Cold.
func (c *Core) ClientOf(a proto.Addr) Client {
	if i := c.table.Find(a); i >= 0 {
		return Client(c.table.At(i).Client)
	}
	return ClientUnknown
}
