package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// Defaults of dhcpd.conf(5), in seconds.
const (
	defaultLeaseTime = 43200
	defaultMaxLease  = 86400
	defaultMinLease  = 300
	defaultCache     = 25 // percent
	infinite         = 0xffffffff
)

// setLease finds out how long the address is the client's, and whether its
// lease can stay as it is. Offer and acknowledgement go through the same
// reckoning: edk2 and iPXE compare them.
func (c *Core) setLease(v *verdict) {
	v.seconds = c.leaseTime(v)
	if v.slot != binding.None {
		v.reuse = c.reusable(v.slot)
	}
	if v.reuse {
		v.seconds = c.remaining(v.slot)
	}
	c.eval.SetLeaseTime(v.seconds)
}

// leaseTime applies default-, max- and min-lease-time to what the client asks
// for (option 51), as dhcpd does: without min-lease-time the least is 300 s, or
// max-lease-time if that is less.
func (c *Core) leaseTime(v *verdict) uint32 {
	want := c.number(plan.DefaultLeaseTime, defaultLeaseTime)
	fallback := want // for a client that asks for 0 s where no minimum is set
	if asked, ok := c.options.Uint32(dhcp.OptLeaseTime); ok {
		want = asked
	}
	most := c.number(plan.MaxLeaseTime, defaultMaxLease)
	want = min(want, most)
	least := c.number(plan.MinLeaseTime, min(defaultMinLease, most))
	want = c.adapted(v, want, least)
	if want >= least {
		return want
	}
	if least == 0 {
		return fallback
	}
	return least
}

// number reads an integer parameter.
func (c *Core) number(p plan.Param, otherwise uint32) uint32 {
	if v, ok := c.eval.Uint32(p); ok {
		return v
	}
	return otherwise
}

// adapted shortens leases in a pool that is nearly full
// (adaptive-lease-time-threshold, percent), but no running lease.
func (c *Core) adapted(v *verdict, want, least uint32) uint32 {
	threshold := c.number(plan.AdaptiveLeaseTimeThreshold, 0)
	if v.pool < 0 || threshold == 0 || threshold >= 100 {
		return want
	}
	size, free := int64(c.table.Size(v.pool)), int64(c.table.Free(v.pool))
	// Offered addresses count as used, so that a storm shortens leases in time.
	if (size-free)*100/size < int64(threshold) {
		return want
	}
	if least == 0 {
		least = defaultMinLease
	}
	return min(want, max(least, c.remaining(v.slot)))
}

// reusable tells whether the client's lease is young enough to be told as it
// is: within the first quarter (dhcp-cache-threshold) nothing is written. A
// machine that fetches firmware, boot loader and system one after the other
// therefore writes one record, not three.
func (c *Core) reusable(i int32) bool {
	s, m := c.table.At(i), &c.msg
	// Another link of the same host is another hardware address in the record.
	if s.State != batch.LeaseActive || !c.table.Owns(i, &m.client) || s.HW != m.client.HW {
		return false
	}
	if c.drifted(i, m.now) != 0 { // the disk has another end than the client would be told
		return false
	}
	if m.kind == dhcp.Request && s.Flags&binding.Unfit != 0 || c.renamed(i) || c.relabelled(i) {
		return false
	}
	threshold := int64(c.number(plan.CacheThreshold, defaultCache))
	if threshold == 0 || threshold >= 100 {
		return false
	}
	age := m.now.Mono - s.Start
	if s.End == binding.Forever { // never grows old
		return true
	}
	length := s.End - s.Start
	return age <= length/100*threshold
}

// renamed tells whether the client calls itself something else than before.
func (c *Core) renamed(i int32) bool {
	name, ok := c.options.Get(dhcp.OptHostName)
	x := c.table.Text(i)
	return ok && string(name[:min(len(name), batch.MaxHostname)]) != string(x.Hostname[:x.HostnameLen])
}

// relabelled tells whether the lease would be kept under a client identifier
// that it does not have, or has one that does not count any more.
func (c *Core) relabelled(i int32) bool {
	m := &c.msg
	has := c.table.At(i).Flags&binding.HasID != 0
	if m.client.HW.Len == 0 {
		return false
	}
	return has != (m.client.ByID && m.client.ID != nil)
}
