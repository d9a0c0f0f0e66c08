package config

import "fmt"

// failover reads the declaration of a failover peer at the top level or in a
// shared-network, and the reference to one in a pool or shared-network. The
// syntax is checked; nothing of it has an effect.
func (p *parser) failover(b *body, head token) bool {
	if b.kind == ScopePool && b.included {
		return p.misplaced(&head, declarations["failover"], b)
	}
	if !p.expect("peer", "after failover", `write failover peer "NAME" …`) {
		return false
	}
	name := p.tok
	if name.kind != tokenString && (b.kind == ScopePool || !name.identifier()) {
		return p.fail(&name, fmt.Sprintf("expected the name of the peer in quotes, found %s", name.describe()),
			`write failover peer "NAME"`)
	}
	p.advance()
	if b.kind == ScopePool || p.at(";") {
		return p.failoverReference(b, &head, &name)
	}
	if p.at("state") {
		return p.fail(&p.tok, "failover state belongs into dhcpd.leases, not into the configuration", "delete the declaration")
	}
	head.end = name.end
	p.ignore(&head, "failover peer")
	if p.peers[name.text] {
		return p.fail(&name, fmt.Sprintf("the failover peer %s is declared twice", quoteShort(name.text)), "delete one of them")
	}
	p.peers[name.text] = true
	return p.failoverBody(head, name.text)
}

// failoverReference reads `failover peer "NAME";` where a pool refers to a peer.
func (p *parser) failoverReference(b *body, head, name *token) bool {
	if b.kind == ScopeGlobal {
		return p.fail(&p.tok, "the body of the failover peer is missing", "write failover peer \"NAME\" { … }")
	}
	if !p.peers[name.text] {
		return p.fail(name, fmt.Sprintf("there is no failover peer %s above this line", quoteShort(name.text)),
			"declare the peer first, or delete the reference")
	}
	head.end = name.end
	p.ignore(head, "failover peer")
	return p.semicolon()
}

// noFailover reads "no failover peer". dhcpd wants no semicolon after it.
func (p *parser) noFailover(_ *body, _ token) bool {
	if !p.expect("failover", "after no", "write no failover peer") || !p.expect("peer", "after no failover", "write no failover peer") {
		return false
	}
	if p.at(";") {
		return p.fail(&p.tok, "dhcpd allows no semicolon after no failover peer", "delete the semicolon")
	}
	return true
}

// Although none of it has an effect, the declaration is checked as dhcpd checks
// it: a mistake in it would stop the file from being taken back.

// failoverPeer is what must be right about a peer.
type failoverPeer struct {
	primary, secondary, balance, mclt, partner bool
}

// failoverNumbers are the settings of a peer that take a number.
var failoverNumbers = map[string]bool{
	"port": true, "max-lease-misbalance": true, "max-lease-ownership": true, "max-balance": true, "min-balance": true,
	"auto-partner-down": true, "max-response-delay": true, "max-unacked-updates": true, "mclt": true, "split": true,
}

// failoverBody reads the settings of a peer.
func (p *parser) failoverBody(head token, name string) bool {
	if !p.enter(head, "failover peer "+name) {
		return false
	}
	var peer failoverPeer
	errors := p.errors
	for p.tok.kind != tokenEnd && !p.at("}") {
		if !p.failoverSetting(&peer) || !p.semicolon() {
			p.recover()
		}
	}
	p.leave()
	switch {
	case p.errors > errors:
	case !peer.partner:
		p.fail(&head, "the failover peer has no peer address", "add peer address ADDRESS;")
	case peer.primary && !peer.balance:
		p.fail(&head, "a primary failover server needs split or hba", "add split 128;")
	case peer.primary && !peer.mclt:
		p.fail(&head, "a primary failover server needs mclt", "add mclt 3600;")
	}
	return true
}

// failoverSetting reads one setting up to its semicolon.
func (p *parser) failoverSetting(peer *failoverPeer) bool {
	partner := false
	for p.accept("peer") {
		partner = true
	}
	t := p.tok
	p.advance()
	switch {
	case t.is("primary"):
		peer.primary, peer.secondary = true, false
	case t.is("secondary"):
		peer.primary, peer.secondary = false, true
		return !peer.balance || p.noBalance(&t)
	case t.is("address"):
		peer.partner = peer.partner || partner
		_, ok := p.addressOrName()
		return ok
	case t.kind == tokenWord && failoverNumbers[t.word]:
		return p.failoverNumber(peer, &t)
	case t.is("hba"):
		peer.balance = true
		b, ok := p.octets()
		if ok && len(b) != 32 {
			return p.fail(&t, fmt.Sprintf("hba takes 32 octets, not %d", len(b)), "use split N instead")
		}
		return ok && (!peer.secondary || p.noBalance(&t))
	case t.is("load"):
		for _, w := range []string{"balance", "max", "seconds"} {
			if !p.expect(w, "in load balance", "write load balance max seconds N;") {
				return false
			}
		}
		_, ok := p.decimal("a number of seconds", 1<<31)
		return ok
	default:
		return p.fail(&t, fmt.Sprintf("there is no setting %s of a failover peer", t.describe()), "see dhcpd.conf(5), CONFIGURING FAILOVER")
	}
	return true
}

// failoverNumber reads the number of a setting.
func (p *parser) failoverNumber(peer *failoverPeer, t *token) bool {
	n, ok := p.decimal("a number", 1<<31)
	if !ok {
		return false
	}
	switch t.word {
	case "mclt":
		peer.mclt = n > 0
	case "split":
		if n > 256 {
			return p.fail(t, "split is at most 256", "write split 128;")
		}
		peer.balance = true
		return !peer.secondary || p.noBalance(t)
	}
	return true
}

// noBalance reports a load balance in a secondary server.
func (p *parser) noBalance(t *token) bool {
	return p.fail(t, "a secondary failover server has no split or hba", "leave them to the primary")
}
