package config

import (
	"fmt"

	"bootstorm/proto"
)

// newScope adds a declaration to its parent.
func (p *parser) newScope(parent *Scope, kind ScopeKind, name string, t *token) *Scope {
	s := &Scope{Kind: kind, Name: name, Pos: p.pos(t), Parent: parent}
	parent.Children = append(parent.Children, s)
	return s
}

// network returns the shared-network or subnet around s, nil if there is none.
func (s *Scope) network() *Scope {
	for ; s != nil; s = s.Parent {
		if s.Kind == ScopeSubnet || s.Kind == ScopeSharedNetwork {
			return s
		}
	}
	return nil
}

// sharedNetwork reads "shared-network NAME { … }".
func (p *parser) sharedNetwork(b *body, head token) bool {
	name, ok := p.networkName()
	if !ok {
		return false
	}
	if n := b.scope.network(); n != nil {
		return p.fail(&head, fmt.Sprintf("shared-network is not possible inside a %s", n.Kind),
			"it belongs at the top level or in a group")
	}
	if !p.count(&p.counts.networks, maxNetworks, "subnets, shared networks and pools", &head) {
		return false
	}
	s := &Scope{Kind: ScopeSharedNetwork, Name: name, Pos: p.pos(&head), Parent: b.scope}
	if !p.enter(head, "shared-network "+name) {
		return false
	}
	b.scope.Children = append(b.scope.Children, s)
	p.tree.Networks = append(p.tree.Networks, s)
	p.statements(&body{kind: ScopeSharedNetwork, scope: s})
	p.leave()
	if len(s.subnets()) == 0 {
		return p.fail(&head, fmt.Sprintf("the shared-network %s has no subnet", name),
			"declare its subnets directly inside it, or delete it") || true
	}
	p.shareInterface(s)
	return true
}

// networkName consumes the name of a shared network, quoted or not.
func (p *parser) networkName() (string, bool) {
	if p.tok.kind != tokenString {
		return p.hostName("the name of the shared network", "write shared-network NAME { … }")
	}
	t := p.advance()
	if t.text == "" {
		return "", p.fail(&t, "the name of the shared network is empty", "give it a name")
	}
	return t.text, true
}

// subnets lists the subnets that stand directly in a shared network.
func (s *Scope) subnets() []*Scope {
	var out []*Scope
	for _, c := range s.Children {
		if c.Kind == ScopeSubnet {
			out = append(out, c)
		}
	}
	return out
}

// An interface statement stands in the shared network or in one of its subnets;
// the tree has it in the subnets, where a frame's network is looked up.

// shareInterface gives the interface of a shared network to its subnets: they
// are on one link.
func (p *parser) shareInterface(network *Scope) {
	name := ""
	if network.Subnet != nil {
		name = network.Subnet.Interface
		network.Subnet = nil
	}
	for _, s := range network.subnets() {
		if name == "" {
			name = s.Subnet.Interface
		}
	}
	for _, s := range network.subnets() {
		s.Subnet.Interface = name
	}
}

// subnet reads "subnet ADDRESS netmask MASK { … }".
func (p *parser) subnet(b *body, head token) bool {
	if n := b.scope.network(); n != nil && n != b.scope {
		return p.fail(&head, fmt.Sprintf("subnet is not possible in a group inside a %s", n.Kind),
			"write it directly into the shared-network")
	}
	start := p.tok
	sub, ok := p.subnetHead(&start)
	if !ok {
		return false
	}
	if !p.count(&p.counts.networks, maxNetworks, "subnets, shared networks and pools", &start) {
		return false
	}
	bits, _ := prefixBits(sub.Mask)
	name := fmt.Sprintf("subnet %s/%d", sub.Net, bits)
	s := &Scope{Kind: ScopeSubnet, Pos: p.pos(&head), Parent: b.scope, Subnet: sub}
	if !p.enter(head, name) {
		return false
	}
	b.scope.Children = append(b.scope.Children, s)
	if b.kind != ScopeSharedNetwork {
		p.tree.Networks = append(p.tree.Networks, s)
	}
	p.statements(&body{kind: ScopeSubnet, scope: s})
	p.leave()
	return true
}

// subnetHead consumes "ADDRESS netmask MASK" and checks that they fit.
func (p *parser) subnetHead(start *token) (*Subnet, bool) {
	net, ok := p.address("the address of the subnet")
	if !ok {
		return nil, false
	}
	start.end = p.last.end
	if p.at("/") {
		return nil, p.fail(&p.tok, "a prefix length is not possible here", "write subnet 192.168.1.0 netmask 255.255.255.0")
	}
	if !p.expect("netmask", "after the address of the subnet", "write subnet 192.168.1.0 netmask 255.255.255.0") {
		return nil, false
	}
	t := p.tok
	mask, ok := p.address("a netmask")
	if !ok {
		return nil, false
	}
	t.end = p.last.end
	if bits, contiguous := prefixBits(mask); !contiguous {
		remedy := "write a netmask such as 255.255.255.0"
		if bits >= 8 {
			remedy = fmt.Sprintf("did you mean %s?", ^proto.Addr(0)<<(32-bits))
		}
		return nil, p.fail(&t, fmt.Sprintf("%s is no netmask: its ones are not all in front", mask), remedy)
	}
	if net&mask != net {
		return nil, p.fail(start, fmt.Sprintf("%s is not the address of a subnet with the netmask %s: host bits are set", net, mask),
			fmt.Sprintf("write subnet %s netmask %s, or correct the netmask", net&mask, mask))
	}
	return &Subnet{Net: net, Mask: mask}, true
}

// networkInterface reads "interface NAME;": the link that the network is on.
func (p *parser) networkInterface(b *body, head token) bool {
	t := p.tok
	if !t.identifier() && t.kind != tokenString {
		return p.fail(&t, fmt.Sprintf("expected the name of an interface, found %s", t.describe()),
			`write interface NAME; with quotes if the name has a dot: interface "eth0.100";`)
	}
	p.advance()
	if b.scope.Subnet == nil {
		b.scope.Subnet = &Subnet{} // of a shared network, until shareInterface
	}
	if b.scope.Subnet.Interface != "" || b.kind == ScopeSubnet && p.sharedInterface(b.scope) {
		return p.fail(&head, "a network is on one interface only", "remove one of the interface statements")
	}
	b.scope.Subnet.Interface = t.text
	return p.semicolon()
}

// sharedInterface tells whether the shared network around a subnet has an
// interface, its own or that of another subnet.
func (p *parser) sharedInterface(s *Scope) bool {
	if s.Parent.Kind != ScopeSharedNetwork {
		return false
	}
	if s.Parent.Subnet != nil && s.Parent.Subnet.Interface != "" {
		return true
	}
	for _, c := range s.Parent.subnets() {
		if c.Subnet.Interface != "" {
			return true
		}
	}
	return false
}

// addressRange reads "range [dynamic-bootp] LOW [HIGH];".
func (p *parser) addressRange(b *body, head token) bool {
	r := Range{Pos: p.pos(&head), BOOTP: p.accept("dynamic-bootp")}
	t := p.tok
	var ok bool
	if r.Low, ok = p.address("the first address of the range"); !ok {
		return false
	}
	r.High = r.Low
	if p.tok.kind == tokenNumber && p.tok.line == p.last.line || p.atAddress() {
		if r.High, ok = p.address("the last address of the range"); !ok {
			return false
		}
	}
	t.end = p.last.end
	if r.Low > r.High {
		r.Low, r.High = r.High, r.Low // dhcpd takes both orders
	}
	if !p.semicolon() || !p.rangeFits(&t, b, &r) {
		return true
	}
	if b.scope.Pool == nil {
		b.scope.Pool = &Pool{}
	}
	b.scope.Pool.Ranges = append(b.scope.Pool.Ranges, r)
	return true
}

// rangeFits checks that a range lies in one subnet of its network, and that all
// pools together stay within the limit.
func (p *parser) rangeFits(t *token, b *body, r *Range) bool {
	network := b.scope.network()
	if network.Kind == ScopeSharedNetwork {
		// dhcpd looks among the subnets that it has read so far, which is why
		// pools stand after them.
		if network = subnetOf(network.subnets(), r.Low); network == nil {
			return p.fail(t, fmt.Sprintf("%s is in none of the subnets declared so far in this shared-network", r.Low),
				"put the pool after the subnets, and its addresses into one of them")
		}
	}
	s := network.Subnet
	for _, a := range []proto.Addr{r.Low, r.High} {
		if a&s.Mask != s.Net {
			bits, _ := prefixBits(s.Mask)
			return p.fail(t, fmt.Sprintf("%s is outside the subnet %s/%d, which ends at %s", a, s.Net, bits, s.Net|^s.Mask),
				fmt.Sprintf("choose addresses from %s to %s", s.Net+1, (s.Net|^s.Mask)-1))
		}
	}
	if p.addresses += int64(r.High-r.Low) + 1; p.addresses > maxAddresses {
		return p.fail(t, fmt.Sprintf("all pools together have more than %d addresses", maxAddresses), "make the ranges smaller")
	}
	return true
}

// subnetOf finds the subnet that contains a, the smallest if they overlap.
func subnetOf(subnets []*Scope, a proto.Addr) *Scope {
	var found *Scope
	for _, s := range subnets {
		if a&s.Subnet.Mask == s.Subnet.Net && (found == nil || s.Subnet.Mask > found.Subnet.Mask) {
			found = s
		}
	}
	return found
}
