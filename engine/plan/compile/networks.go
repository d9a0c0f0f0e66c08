package compile

import (
	"math/bits"
	"sort"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// networks makes the networks, subnets, pools and ranges.
func (c *compiler) networks() {
	for _, s := range c.tree.Networks {
		at := int32(len(c.plan.Networks))
		name := s.Name
		if s.Kind == config.ScopeSubnet {
			name = subnetName(s.Subnet)
		}
		c.plan.Networks = append(c.plan.Networks, plan.Network{Name: name})
		each(s, func(in *config.Scope) {
			if in.Kind == config.ScopeSubnet && in.Subnet != nil {
				c.subnet(in, at)
			}
		})
	}
	// A range may stand in a pool that is declared before its subnet's brothers:
	// all subnets come first.
	c.orderSubnets()
	for at, s := range c.tree.Networks {
		each(s, func(in *config.Scope) { c.pools(in, int32(at)) })
	}
	c.finishRanges()
}

// subnetName is the name of a network that the file gives none: 192.168.1.0/28.
func subnetName(s *config.Subnet) string {
	return s.Net.String() + "/" + decimal(bits.OnesCount32(uint32(s.Mask)))
}

// decimal writes a prefix length.
func decimal(n int) string {
	if n >= 10 {
		return string([]byte{byte('0' + n/10), byte('0' + n%10)})
	}
	return string([]byte{byte('0' + n)})
}

// subnet makes one subnet. Its number is its place in the order of declaration,
// which is what the core's messages refer to.
func (c *compiler) subnet(s *config.Scope, network int32) {
	c.subnetOf[s] = int32(len(c.plan.Subnets))
	c.plan.Subnets = append(c.plan.Subnets, plan.Subnet{
		Net: s.Subnet.Net, Mask: s.Subnet.Mask, Network: network, Interface: s.Subnet.Interface,
		Authoritative: authoritative(s), Scope: c.scope(s), Origin: c.origin(s.Pos),
	})
}

// authoritative is what the innermost scope says that says anything.
func authoritative(s *config.Scope) bool {
	for ; s != nil; s = s.Parent {
		if s.Authoritative != nil {
			return *s.Authoritative
		}
	}
	return false
}

// orderSubnets sorts the subnets for SubnetOf and finds which lies in which.
func (c *compiler) orderSubnets() {
	all := c.plan.Subnets
	order := make([]int32, len(all))
	for i := range order {
		order[i] = int32(i)
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := &all[order[i]], &all[order[j]]
		if a.Net != b.Net {
			return a.Net < b.Net
		}
		return a.Mask < b.Mask
	})
	// Networks with masks either lie in each other or are apart, so the ones that
	// hold the present place form a chain, of which last is the innermost.
	outer := make([]int32, len(all))
	last := int32(-1)
	for _, at := range order {
		for last >= 0 && !all[last].Contains(all[at].Net) {
			last = outer[last]
		}
		outer[at] = last
		if last >= 0 {
			c.overlap(&all[at], &all[last])
		}
		last = at
	}
	c.prog.SubnetOrder, c.prog.SubnetOuter = order, outer
}

// overlap warns, as dhcpd does: the narrower subnet gets the addresses that
// both have.
func (c *compiler) overlap(in, out *plan.Subnet) {
	c.repeated("overlap", c.place(in.Origin), "declare each address in one subnet only", "subnet %s lies in subnet %s, declared at line %d",
		subnetName(&config.Subnet{Net: in.Net, Mask: in.Mask}), subnetName(&config.Subnet{Net: out.Net, Mask: out.Mask}),
		c.plan.Origins[out.Origin].Line)
}

// place is the position that an origin was made from.
func (c *compiler) place(origin int32) config.Pos {
	o := &c.plan.Origins[origin]
	return config.Pos{File: o.File, Line: o.Line, Col: o.Col}
}

// adHocKey finds the pool that collects the ranges of a network which stand in
// no pool declaration: one for those with dynamic-bootp, one for the others, as
// in dhcpd.
type adHocKey struct {
	network int32
	bootp   bool
}

// pools makes the pools of one scope: its own, or those of the ranges that
// stand directly in a subnet or shared network.
func (c *compiler) pools(s *config.Scope, network int32) {
	if s.Pool == nil {
		return
	}
	own := int32(-1)
	if s.Kind == config.ScopePool {
		own = c.pool(s, network)
	}
	for i := range s.Pool.Ranges {
		r := &s.Pool.Ranges[i]
		at := own
		if at < 0 {
			at = c.adHocPool(s, network, r)
		}
		// In a pool declaration its lists alone decide about BOOTP clients, as in dhcpd.
		c.addRange(r, network, at, r.BOOTP || own >= 0)
	}
}

// pool makes a declared pool with its lists.
func (c *compiler) pool(s *config.Scope, network int32) int32 {
	check, timeout := c.pingCheck(s)
	return c.addPool(plan.Pool{
		Network: network, PingCheck: check, PingTimeout: timeout, AbandonTime: abandonTime(s), Scope: c.scope(s), Origin: c.origin(s.Pos),
		Allow: c.permits(s.Pool.Permit), Deny: c.permits(s.Pool.Deny),
	})
}

// addPool gives a pool its number and tells its network. The order of a network's
// pools is the order in which the core searches them.
func (c *compiler) addPool(p plan.Pool) int32 {
	at := int32(len(c.plan.Pools))
	c.plan.Pools = append(c.plan.Pools, p)
	n := &c.plan.Networks[p.Network]
	n.Pools = append(n.Pools, at)
	return at
}

// adHocPool admits everybody if its range is for BOOTP, else everybody but
// BOOTP clients.
func (c *compiler) adHocPool(s *config.Scope, network int32, r *config.Range) int32 {
	key := adHocKey{network, r.BOOTP}
	if at, ok := c.adHoc[key]; ok {
		return at
	}
	// It has no statements, but a scope: hosts and classes must know where it
	// stands.
	check, timeout := c.pingCheck(s)
	scope := int32(len(c.prog.Scopes))
	c.prog.Scopes = append(c.prog.Scopes, plan.Scope{Parent: c.scope(networkScope(s))})
	p := plan.Pool{Network: network, PingCheck: check, PingTimeout: timeout, AbandonTime: abandonTime(s), Scope: scope, Origin: c.origin(r.Pos)}
	if !r.BOOTP {
		p.Deny = []plan.Permit{{Kind: plan.PermitBOOTP, Class: -1, Origin: p.Origin}}
	}
	c.adHoc[key] = c.addPool(p)
	return c.adHoc[key]
}

// permitKinds translates what an entry names.
var permitKinds = [...]plan.PermitKind{
	config.PermitUnknown: plan.PermitUnknown, config.PermitKnown: plan.PermitKnown,
	config.PermitAllClients: plan.PermitAll, config.PermitDynamicBOOTP: plan.PermitBOOTP,
	config.PermitAuthenticated: plan.PermitNobody, config.PermitUnauthenticated: plan.PermitAll,
	config.PermitClass: plan.PermitClass, config.PermitAfter: plan.PermitAfter,
}

// permits compiles one allow or deny list. Nobody is authenticated here, so an
// entry for authenticated clients names nobody, and its opposite everybody.
func (c *compiler) permits(list []config.Permit) []plan.Permit {
	var out []plan.Permit
	for i := range list {
		p := &list[i]
		x := plan.Permit{Kind: permitKinds[p.Kind], Class: -1, Seconds: p.After, Origin: c.origin(p.Pos)}
		if p.Kind == config.PermitClass {
			x.Class = c.class(p.Class, p.Pos)
		}
		out = append(out, x)
	}
	return out
}
