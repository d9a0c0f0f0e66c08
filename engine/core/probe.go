package core

import (
	"math"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto"
)

// Probing ahead of demand: of each pool on a link of ours the addresses that
// will be given out next are asked for by ARP, so that one in use is found
// before it is offered. Behind a relay ARP does not reach; there only what is
// declined is known.
//
// An address is known to be silent when it has not answered for ping-timeout.
// Until then, and while nothing is known of it, those near the head of the queue
// that are go first; if there are none it is offered at once, with a probe beside
// the OFFER. A probe is a broadcast that every node on the segment must look at,
// so a storm does not bring a second one with it: an interface sends no more than
// probeFlight of them in one ping-timeout, and what is left is offered unasked.
const (
	probeAhead  = 64                       // addresses at the head of a free queue
	probeBurst  = 16                       // at a time
	probeGap    = 10 * batch.Millisecond   // between bursts
	probeFlight = 64                       // by one interface in a ping-timeout
	probeRest   = 60 * batch.Second        // until the queue is looked at again
	probeAgain  = lately - 30*batch.Second // age at which a probe is repeated
)

// prober is when the free queue of a pool is looked at next, on Time.Mono.
type prober struct{ at int64 }

// newProbers makes the probers of a plan; pools without ping-check, or on no
// link, rest for ever.
func (c *Core) newProbers() {
	if len(c.probes) != len(c.plan.Pools) {
		c.probes = make([]prober, len(c.plan.Pools))
	}
	for i := range c.probes {
		c.probes[i].at = math.MaxInt64
	}
	for i := range c.plan.Ranges {
		pool := c.plan.Ranges[i].Pool
		if c.sites[i].here && c.plan.Pools[pool].PingCheck {
			c.probes[pool].at = 0
		}
	}
}

// probing tells whether the addresses of a pool are ever asked for.
func (c *Core) probing(pool int32) bool { return c.probes[pool].at != math.MaxInt64 }

// silent tells whether the address of a slot is known not to be used.
func (c *Core) silent(i int32, now int64) bool {
	s := c.table.At(i)
	age := now - s.Probed
	return s.Probed != 0 && age >= c.plan.Pools[s.Pool].PingTimeout && age < lately
}

// wakeProber has the queue of a pool looked at soon: its head has changed.
func (c *Core) wakeProber(pool int32, now int64) {
	if c.probing(pool) {
		c.probes[pool].at = min(c.probes[pool].at, now+probeGap)
	}
}

// probe sends the ARP requests that are due.
func (c *Core) probe(now batch.Time, tx *batch.Tx) {
	for pool := range c.probes {
		if c.probes[pool].at <= now.Mono {
			c.probes[pool].at = now.Mono + c.probePool(int32(pool), now.Mono, tx)
		}
	}
}

// probePool sends one burst for a pool and returns how long it may rest.
func (c *Core) probePool(pool int32, now int64, tx *batch.Tx) (rest int64) {
	i := c.table.Oldest(pool)
	for n, sent := 0, 0; i != binding.None && n < probeAhead; n++ {
		if s := c.table.At(i); stale(s, now) && c.sites[s.Range].here {
			// No more at once: thousands of addresses must not become a broadcast storm.
			if wait := c.crowded(i, now); wait > 0 {
				return wait
			}
			if sent == probeBurst || !c.ask(i, now, tx) {
				return probeGap
			}
			sent++
		}
		i = c.table.After(i)
	}
	return probeRest
}

// crowded returns how long no more probes may be sent where slot i is, 0 if one
// may now.
func (c *Core) crowded(i int32, now int64) (wait int64) {
	s := c.table.At(i)
	l := &c.links[c.sites[s.Range].link]
	period := max(c.plan.Pools[s.Pool].PingTimeout, probeGap)
	if now-l.since >= period {
		l.since, l.probes = now, 0
	}
	if l.probes < probeFlight {
		return 0
	}
	return l.since + period - now
}

// stale tells whether nothing is known about the use of an address.
func stale(s *binding.Slot, now int64) bool { return s.Probed == 0 || now-s.Probed >= probeAgain }

// probeOffered asks for an address that had to be offered before a probe could
// tell anything: if it is in use the answer comes before the REQUEST.
func (c *Core) probeOffered(i int32, tx *batch.Tx) {
	s := c.table.At(i)
	if c.sites[s.Range].here && c.plan.Pools[s.Pool].PingCheck && stale(s, c.msg.now.Mono) && c.crowded(i, c.msg.now.Mono) == 0 {
		c.ask(i, c.msg.now.Mono, tx)
	}
}

// ask sends an ARP request for the address of slot i (RFC 826).
func (c *Core) ask(i int32, now int64, tx *batch.Tx) bool {
	m := tx.Next()
	if m == nil {
		return false
	}
	s := c.table.At(i)
	at := &c.sites[s.Range]
	mac := c.links[at.link].MAC
	proto.PutARP((*[proto.EthernetLen + proto.ARPLen]byte)(m.Head[:]), mac, proto.Broadcast, &proto.ARP{
		Op: proto.ARPRequest, SenderMAC: mac, SenderAddr: at.addr, TargetAddr: c.table.Addr(i)})
	m.HeadLen, m.Link = proto.EthernetLen+proto.ARPLen, at.link
	tx.Commit()
	s.Probed = max(now, 1) // 0 says never
	c.links[at.link].probes++
	c.count.Probes++
	return true
}
