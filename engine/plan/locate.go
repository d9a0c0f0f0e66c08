package plan

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Locate finds the subnet that a message belongs to. What a relay says about
// the client's link comes first: its link selection (option 82.5, RFC 3527),
// then the subnet selection (option 118, RFC 3011), then giaddr; such an
// address must lie in a declared subnet. Otherwise it is ciaddr if that is an
// address of the link's networks, else the first of the link's addresses that
// lies in a declared subnet, else a subnet whose "interface" statement names
// the link. ok=false: no subnet is declared for the message.
func (p *Plan) Locate(req *Request) (subnet int32, ok bool) {
	if v, has := selection(req.Options); has {
		if len(v) != 4 {
			return -1, false
		}
		subnet = p.SubnetOf(-1, proto.AddrFrom((*[4]byte)(v)))
		return subnet, subnet >= 0
	}
	if a := req.Header.GIAddr(); a != 0 {
		subnet = p.SubnetOf(-1, a)
		return subnet, subnet >= 0
	}
	home := p.linkSubnet(req.Link)
	if home < 0 {
		return -1, false
	}
	if a := req.Header.CIAddr(); a != 0 {
		if subnet = p.SubnetOf(p.Subnets[home].Network, a); subnet >= 0 {
			return subnet, true
		}
	}
	return home, true
}

// selection returns what a relay or client says about its subnet.
func selection(o *dhcp.Options) (v []byte, ok bool) {
	if agent, has := o.Get(dhcp.OptRelayAgent); has {
		if v, ok = find(agent, 1, 1, dhcp.AgentLinkSelection); ok {
			return v, true
		}
	}
	return o.Get(dhcp.OptSubnetSelection)
}

// linkSubnet returns the subnet of a link, -1 if none is declared.
func (p *Plan) linkSubnet(l *Link) int32 {
	if l == nil {
		return -1
	}
	for i := range l.Addrs {
		if s := p.SubnetOf(-1, l.Addrs[i].Addr); s >= 0 {
			return s
		}
	}
	for i := range p.Subnets {
		if p.Subnets[i].Interface != "" && p.Subnets[i].Interface == l.Name {
			return int32(i)
		}
	}
	return -1
}

// SubnetOf finds the declared subnet that contains a, -1 if none: the
// narrowest if one is declared within another. network -1 means any network.
func (p *Plan) SubnetOf(network int32, a proto.Addr) int32 {
	order := p.Program.SubnetOrder
	lo, hi := 0, len(order)
	for lo < hi { // the last one that begins at or below a
		mid := int(uint(lo+hi) >> 1)
		if p.Subnets[order[mid]].Net <= a {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return -1
	}
	for i := order[lo-1]; i >= 0; i = p.Program.SubnetOuter[i] {
		s := &p.Subnets[i]
		if s.Contains(a) && (network < 0 || s.Network == network) {
			return i
		}
	}
	return -1
}

// RangeOf finds the range that contains a, in any network; -1 if none.
func (p *Plan) RangeOf(a proto.Addr) int32 {
	lo, hi := 0, len(p.Ranges)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if p.Ranges[mid].Last < a {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(p.Ranges) && p.Ranges[lo].First <= a {
		return int32(lo)
	}
	return -1
}
