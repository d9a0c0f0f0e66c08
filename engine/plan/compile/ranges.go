package compile

import (
	"sort"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// addRange checks a range and gives it to a pool; bootp: BOOTP clients may have
// its addresses, if the pool admits them. Its ends may stand in either
// order, as in dhcpd.
func (c *compiler) addRange(r *config.Range, network, pool int32, bootp bool) {
	low, high := min(r.Low, r.High), max(r.Low, r.High)
	subnet := c.plan.SubnetOf(network, low)
	if subnet < 0 || !c.plan.Subnets[subnet].Contains(high) {
		c.error(r.Pos, "write one range for each subnet", "range %s %s is not in one subnet of the network %s",
			low, high, c.plan.Networks[network].Name)
		return
	}
	s := &c.plan.Subnets[subnet]
	if s.Mask < 0xfffffffe && (low == s.Net || high == s.Net|^s.Mask) {
		c.warn(r.Pos, "leave the first and the last address of the subnet out",
			"range %s %s has the network or broadcast address of its subnet in it", low, high)
	}
	c.plan.Ranges = append(c.plan.Ranges, plan.Range{
		First: low, Last: high, Pool: pool, Subnet: subnet, BOOTP: bootp, Origin: c.origin(r.Pos),
	})
}

// finishRanges sorts the ranges, takes doubly declared addresses out of the
// later declaration, and counts. (The parser limits the total.)
func (c *compiler) finishRanges() {
	var kept []plan.Range // sorted by First
	for _, r := range c.plan.Ranges {
		for _, part := range c.without(r, kept) {
			c.plan.Pools[r.Pool].Size += int64(part.Last-part.First) + 1
			at := sort.Search(len(kept), func(i int) bool { return kept[i].First > part.First })
			kept = append(kept, plan.Range{})
			copy(kept[at+1:], kept[at:])
			kept[at] = part
		}
	}
	c.plan.Ranges = kept
}

// without returns the parts of a range that no range declared before has.
func (c *compiler) without(r plan.Range, kept []plan.Range) (parts []plan.Range) {
	at := sort.Search(len(kept), func(i int) bool { return kept[i].Last >= r.First })
	next := r.First
	for ; at < len(kept) && kept[at].First <= r.Last; at++ {
		k := &kept[at]
		c.declaredTwice(r, k)
		if k.First > next {
			part := r
			part.First, part.Last = next, k.First-1
			parts = append(parts, part)
		}
		if k.Last >= r.Last {
			return parts
		}
		next = k.Last + 1
	}
	r.First = next
	return append(parts, r)
}

// declaredTwice names the addresses that two ranges share. The earlier range
// keeps them: an address has one pool, so that its permits are unambiguous.
func (c *compiler) declaredTwice(r plan.Range, k *plan.Range) {
	first, last := max(r.First, k.First), min(r.Last, k.Last)
	c.repeated("twice", c.place(r.Origin), "declare each address in one range", "the addresses %s to %s belong to the range at line %d already, which keeps them",
		first, last, c.plan.Origins[k.Origin].Line)
}

// inRange tells whether an address is in a pool.
func (c *compiler) inRange(a proto.Addr) bool { return c.plan.RangeOf(a) >= 0 }
