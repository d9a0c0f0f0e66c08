package config

import "fmt"

// group reads "group [NAME] { … }", and in a host "group NAME;", which puts the
// host into a group declared elsewhere.
func (p *parser) group(b *body, head token) bool {
	if b.kind == ScopeHost {
		return p.joinGroup(b, &head)
	}
	name := ""
	if p.tok.identifier() || p.tok.kind == tokenString {
		name = p.advance().text
	}
	what := "the group"
	if name != "" {
		what = "group " + name
	}
	s := &Scope{Kind: ScopeGroup, Name: name, Pos: p.pos(&head), Parent: b.scope}
	if !p.enter(head, what) {
		return false
	}
	b.scope.Children = append(b.scope.Children, s)
	p.statements(&body{kind: ScopeGroup, scope: s})
	p.leave()
	if name != "" {
		p.groups[name] = s
	}
	return true
}

// joinGroup makes a named group the parent of a host: the group's statements
// apply to it instead of those around the host.
func (p *parser) joinGroup(b *body, head *token) bool {
	if b.included {
		return p.misplaced(head, declaration{in: at(ScopeHost), where: "directly in a host"}, b)
	}
	t := p.tok
	if !t.identifier() && t.kind != tokenString {
		return p.fail(&t, fmt.Sprintf("expected the name of a group, found %s", t.describe()),
			"write group NAME; a host cannot hold a group of its own")
	}
	p.advance()
	g := p.groups[t.text]
	if g == nil {
		return p.fail(&t, fmt.Sprintf("there is no group %s above this line", quoteShort(t.text)),
			"declare it first: group NAME { … }")
	}
	b.scope.Parent = g
	return p.semicolon()
}
