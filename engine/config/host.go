package config

import (
	"fmt"
	"strconv"
	"strings"

	"bootstorm/proto"
)

// host reads "host NAME { … }". Inside a body, "host" declares a host of that
// body's scope; like dhcpd we know it everywhere, whatever network it is on.
func (p *parser) host(b *body, head token) bool {
	start := p.tok
	name, ok := p.hostName("a name for the host", "write host NAME { … }, the name without quotes")
	if !ok {
		return false
	}
	start.end = p.last.end
	s := &Scope{Kind: ScopeHost, Name: name, Pos: p.pos(&head), Parent: b.scope, Host: &Host{}}
	if !p.count(&p.counts.hosts, maxHosts, "hosts", &start) {
		return false
	}
	if !p.enter(head, "host "+name) {
		return false
	}
	if first := p.hosts[name]; first != nil {
		p.fail(&start, fmt.Sprintf("the host %s is declared twice: first at %s:%d", name, first.Pos.File, first.Pos.Line),
			"rename or delete one of them; one host may have several hardware lines")
	} else {
		p.hosts[name] = s
		p.tree.Hosts = append(p.tree.Hosts, s)
		b.scope.Children = append(b.scope.Children, s)
	}
	p.statements(&body{kind: ScopeHost, scope: s})
	p.leave()
	return true
}

// placeholder is what the OVHcloud guide prints in place of a MAC address.
const placeholder = "xx:xx:xx:xx:xx:xx"

// hardwareTypes are the words for the types of RFC 1700 that dhcpd knows.
var hardwareTypes = map[string]byte{"ethernet": 1, "token-ring": 6, "fddi": 8, "infiniband": 32}

// hardware reads "hardware TYPE ADDRESS;". Several of them in one host are our
// extension: one node, several links, one address.
func (p *parser) hardware(b *body, head token) bool {
	hw := Hardware{Pos: p.pos(&head)}
	var ok bool
	if hw.Type, ok = p.hardwareType(); !ok {
		return false
	}
	// Who copies the guide's file meets this first, so it has its own message.
	t := p.tok
	if p.atPlaceholder() {
		t.end = t.off + len(placeholder)
		return p.fail(&t, "this is the placeholder of the guide, not an address",
			"put the node's MAC here, as \"ip link\" on the node or the OVHcloud control panel shows it")
	}
	if p.at(";") {
		return p.fail(&t, "the hardware address is missing", "write hardware ethernet 00:11:22:33:44:55;")
	}
	if hw.Addr, ok = p.octets(); !ok {
		return false
	}
	t.end = p.last.end
	if len(hw.Addr) > 16 {
		return p.fail(&t, "a hardware address of more than 16 octets", "correct the address")
	}
	if hw.Type == 1 && len(hw.Addr) != 6 {
		p.warn(&t, fmt.Sprintf("an Ethernet address has 6 octets, not %d: this line matches no node", len(hw.Addr)),
			"correct the address")
	}
	p.checkHardware(&t, b.scope, &hw)
	b.scope.Host.Hardware = append(b.scope.Host.Hardware, hw)
	return p.semicolon()
}

// hardwareType consumes the word for the type of an address.
func (p *parser) hardwareType() (byte, bool) {
	t := p.tok
	kind, known := hardwareTypes[t.word]
	if !known && t.identifier() && strings.HasPrefix(t.text, "unknown-") {
		n, err := strconv.ParseUint(t.text[8:], 10, 8)
		kind, known = byte(n), err == nil
	}
	if !known {
		return 0, p.fail(&t, fmt.Sprintf("expected the type of a hardware address, found %s", t.describe()),
			"write hardware ethernet 00:11:22:33:44:55;")
	}
	p.advance()
	return kind, true
}

// atPlaceholder tells whether the guide's placeholder comes next.
func (p *parser) atPlaceholder() bool {
	off := p.tok.off
	return len(p.lex.src) >= off+len(placeholder) && strings.EqualFold(p.lex.src[off:off+len(placeholder)], placeholder)
}

// checkHardware warns of an address that stands twice.
func (p *parser) checkHardware(t *token, s *Scope, hw *Hardware) {
	// Two hosts with one address are legal where each has an address on another
	// network; a second one on the same network never counts.
	key := string(hw.Type) + string(hw.Addr)
	first := p.macs[key]
	switch {
	case first == nil:
		p.macs[key] = s
	case first == s:
		p.warn(t, "this hardware address stands in this host already", "delete one of the two lines")
	default:
		p.repeated("hardware", t, func() (string, string) {
			return fmt.Sprintf("the host %s at %s:%d has this hardware address too; where both have an address, the first one counts",
				first.Name, first.Pos.File, first.Pos.Line), "delete one of the two, unless they are for different networks"
		})
	}
}

// fixedAddress reads "fixed-address ADDRESS, …;".
func (p *parser) fixedAddress(b *body, head token) bool {
	if b.scope.Host.fixed {
		return p.fail(&head, "a host has one fixed-address statement", "write all its addresses into one: fixed-address A, B;")
	}
	b.scope.Host.fixed = true
	for {
		t := p.tok
		found, ok := p.addressOrName()
		if !ok {
			return false
		}
		t.end = p.last.end
		for _, a := range found {
			p.checkFixed(&t, b.scope, a)
		}
		b.scope.Host.Fixed = append(b.scope.Host.Fixed, found...)
		if !p.accept(",") {
			return p.semicolon()
		}
	}
}

// checkFixed warns of a fixed address that two hosts have.
func (p *parser) checkFixed(t *token, s *Scope, a proto.Addr) {
	first := p.fixed[a]
	if first == nil {
		p.fixed[a] = s
		return
	}
	if first == s {
		return
	}
	p.repeated("fixed", t, func() (string, string) {
		return fmt.Sprintf("the host %s at %s:%d has the address %s too", first.Name, first.Pos.File, first.Pos.Line, a),
			"give one of them another address; one node with two links is one host with two hardware lines"
	})
}

// uid reads `uid "TEXT";` or "uid OCTETS;", as dhcpd writes it into its leases.
func (p *parser) uid(b *body, head token) bool {
	if b.scope.Host.ClientID != nil {
		return p.fail(&head, "this host has a client identifier already", "delete one of them")
	}
	var id []byte
	if p.tok.kind == tokenString {
		id = []byte(p.advance().text)
	} else {
		var ok bool
		if id, ok = p.octets(); !ok {
			return false
		}
	}
	b.scope.Host.ClientID = id
	return p.semicolon()
}

// clientIdentifier reads the value of "option dhcp-client-identifier" in a host:
// it says who the client is, and is no option to send.
func (p *parser) clientIdentifier(b *body, t token, d *OptionDef) bool {
	var out []Statement
	if !p.optionStatement(&out, &execution{scope: b.scope}, &t, d, Supersede) {
		return false
	}
	if len(out) == 0 {
		return true
	}
	if out[0].Expr.Op != OpConst {
		return p.fail(&t, "the identifier of a host is a constant: it is compared, not computed",
			"write text in quotes or octets with colons; use a class to match an expression")
	}
	if b.scope.Host.ClientID == nil {
		b.scope.Host.ClientID = out[0].Expr.Data
	} else {
		p.warn(&t, "this host has a client identifier already; the first one counts", "delete one of them")
	}
	return true
}

// hostIdentifier reads "host-identifier option NAME VALUE;".
func (p *parser) hostIdentifier(b *body, head token) bool {
	h := b.scope.Host
	if h.Identifier != nil {
		return p.fail(&head, "a host has one host-identifier", "delete one of them")
	}
	if p.at("v6relopt") {
		return p.refuse(&p.tok, "host-identifier v6relopt")
	}
	if !p.expect("option", "after host-identifier", "write host-identifier option NAME VALUE;") {
		return false
	}
	ref, ok := p.knownOption()
	if !ok {
		return false
	}
	data, _, ok := p.optionValue(ref.def)
	if !ok {
		return false
	}
	h.Identifier, h.IDValue = ref.def, data
	return p.semicolon()
}

// flag reads "dynamic;", "static;" and "deleted;", which dhcpd writes into its
// leases for what was made or removed through OMAPI.
func (p *parser) flag(_ *body, head token) bool {
	if head.is("deleted") {
		return p.refuse(&head, "deleted")
	}
	p.ignore(&head, head.word)
	return p.semicolon()
}
