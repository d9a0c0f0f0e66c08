package config

import (
	"fmt"
	"math"
)

// class reads `class "NAME" { … }`. A second declaration of a name goes on with
// the first one, as in dhcpd.
func (p *parser) class(b *body, head token) bool {
	t := p.tok
	if t.kind != tokenString {
		return p.fail(&t, fmt.Sprintf("expected the name of the class in quotes, found %s", t.describe()),
			`write class "NAME" { … }`)
	}
	p.advance()
	what := fmt.Sprintf("class %q", t.text)
	if !p.enter(head, what) {
		return false
	}
	c := p.classes[t.text]
	fresh := c == nil
	if fresh {
		p.count(&p.counts.classes, maxClasses, "classes", &t)
		c = &Class{Name: t.text, Pos: p.pos(&head)}
		c.Scope = p.newScope(b.scope, ScopeClass, t.text, &head)
		c.Scope.Class = c
	}
	c.matches, c.submatches = 0, 0
	p.statements(&body{kind: ScopeClass, scope: c.Scope})
	p.leave()
	if fresh {
		// As in dhcpd the class is known from here on only: a pool or an add
		// statement above cannot name it.
		p.classes[t.text] = c
		p.tree.Classes = append(p.tree.Classes, c)
	}
	return true
}

// match reads "match if BOOLEAN;" and "match DATA;".
func (p *parser) match(b *body, head token) bool {
	c := b.scope.Class
	if !p.accept("if") {
		return p.submatch(c, &c.Match, &head)
	}
	if c.matches++; c.matches > 1 {
		return p.fail(&head, "a class has one match if", "join the conditions with and or or")
	}
	e := p.boolean()
	if e == nil {
		return false
	}
	c.MatchIf = e
	return p.semicolon()
}

// spawn reads "spawn with DATA;": a class of its own for each value.
func (p *parser) spawn(b *body, head token) bool {
	if !p.expect("with", "after spawn", "write spawn with DATA;") {
		return false
	}
	c := b.scope.Class
	return p.submatch(c, &c.Spawn, &head)
}

// submatch reads the data of match or spawn with; a class has one of them.
func (p *parser) submatch(c *Class, e **Expr, head *token) bool {
	if c.submatches++; c.submatches > 1 {
		return p.fail(head, "a class has one match or spawn with", "delete one of them")
	}
	*e = p.data()
	return *e != nil && p.semicolon()
}

// leaseLimit reads "lease limit N;".
func (p *parser) leaseLimit(b *body, _ token) bool {
	if !p.expect("limit", "after lease", "write lease limit N;") {
		return false
	}
	n, ok := p.decimal("a number of leases", math.MaxInt32)
	if !ok {
		return false
	}
	if b.kind == ScopeSubclass {
		b.scope.limit = int32(n)
	} else {
		b.scope.Class.LeaseLimit = int32(n)
	}
	return p.semicolon()
}

// subclass reads `subclass "CLASS" DATA;` or with a body instead of the
// semicolon.
func (p *parser) subclass(b *body, head token) bool {
	c := p.className()
	if c == nil {
		return false
	}
	var data []byte
	if p.tok.kind == tokenString {
		data = []byte(p.advance().text)
	} else {
		var ok bool
		if data, ok = p.octets(); !ok {
			return false
		}
	}
	// The limit that the class has now is the subclass's; a limit that the class
	// gets later does not reach back, as in dhcpd.
	s := c.subclass(data)
	if s == nil {
		p.count(&p.counts.subclasses, maxSubs, "subclasses", &head)
		s = &Subclass{Pos: p.pos(&head), Data: data, Class: c, Limit: c.LeaseLimit}
		c.Subclasses = append(c.Subclasses, s)
		c.byData[string(data)] = s
	}
	if !p.at("{") {
		return p.semicolon()
	}
	return p.subclassBody(c, s, &head)
}

// subclassBody reads the braces of a subclass. What is in them applies after
// what its class says.
func (p *parser) subclassBody(c *Class, s *Subclass, head *token) bool {
	if !p.enter(*head, fmt.Sprintf("the subclass of %q", c.Name)) {
		return false
	}
	if s.Scope == nil {
		s.Scope = p.newScope(c.Scope, ScopeSubclass, c.Name, head)
		s.Scope.Class = c
	}
	s.Scope.limit = s.Limit
	p.statements(&body{kind: ScopeSubclass, scope: s.Scope})
	p.leave()
	s.Limit = s.Scope.limit
	return true
}

// subclass finds the subclass of a match value.
func (c *Class) subclass(data []byte) *Subclass {
	if c.byData == nil {
		c.byData = map[string]*Subclass{}
	}
	return c.byData[string(data)]
}
