package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"bootstorm/engine/reason"
)

// body is the place a statement stands in: the body of a declaration, or the top
// level of a file.
type body struct {
	kind     ScopeKind
	scope    *Scope
	included bool // the text comes from an include: see declaration.direct
}

// places is a set of scope kinds.
type places uint16

func at(kinds ...ScopeKind) places {
	var s places
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

const anywhere = places(1<<(ScopeSubclass+1) - 1)

// declaration is a word that begins a declaration, with where it may stand.
// As in dhcpd, some words are part of a body itself and cannot come from a file
// that is included into it (direct).
type declaration struct {
	run    func(p *parser, b *body, head token) bool
	in     places
	direct bool
	where  string // where it belongs, for the message
}

// declarations are the words that are not executable statements. It is filled
// in init because its functions refer to it.
var declarations map[string]declaration

func init() {
	classes := at(ScopeClass, ScopeSubclass)
	declarations = map[string]declaration{
		"include":           {(*parser).include, anywhere, false, ""},
		"shared-network":    {(*parser).sharedNetwork, at(ScopeGlobal, ScopeGroup), false, "at the top level or in a group"},
		"subnet":            {(*parser).subnet, at(ScopeGlobal, ScopeGroup, ScopeSharedNetwork), false, "at the top level, in a group or in a shared-network"},
		"interface":         {(*parser).networkInterface, at(ScopeSubnet, ScopeSharedNetwork), true, "directly in a subnet or shared-network"},
		"pool":              {(*parser).pool, at(ScopeSubnet, ScopeSharedNetwork), false, "directly in a subnet or shared-network"},
		"range":             {(*parser).addressRange, at(ScopeSubnet, ScopePool), false, "directly in a subnet or pool"},
		"host":              {(*parser).host, anywhere &^ classes &^ at(ScopeHost), false, "outside hosts and classes"},
		"group":             {(*parser).group, anywhere &^ classes, false, "outside classes"},
		"class":             {(*parser).class, anywhere &^ classes, false, "outside other classes"},
		"subclass":          {(*parser).subclass, anywhere &^ classes, false, "outside other classes"},
		"match":             {(*parser).match, at(ScopeClass), true, "directly in a class"},
		"spawn":             {(*parser).spawn, at(ScopeClass), true, "directly in a class"},
		"lease":             {(*parser).leaseLimit, classes, true, "directly in a class"},
		"hardware":          {(*parser).hardware, at(ScopeHost), true, "directly in a host"},
		"fixed-address":     {(*parser).fixedAddress, at(ScopeHost), true, "directly in a host"},
		"uid":               {(*parser).uid, at(ScopeHost), true, "directly in a host"},
		"host-identifier":   {(*parser).hostIdentifier, at(ScopeHost), true, "directly in a host"},
		"dynamic":           {(*parser).flag, classes | at(ScopeHost, ScopeGroup), true, "in a host, group or class"},
		"deleted":           {(*parser).flag, classes | at(ScopeHost, ScopeGroup), true, "in a host, group or class"},
		"static":            {(*parser).flag, at(ScopeGroup), true, "in a group"},
		"authoritative":     {(*parser).authoritative, anywhere &^ at(ScopeHost), false, "outside hosts"},
		"not":               {(*parser).authoritative, anywhere &^ at(ScopeHost), false, "outside hosts"},
		"server-identifier": {(*parser).serverIdentifier, anywhere, false, ""},
		"option":            {(*parser).option, anywhere, false, ""},
		"failover":          {(*parser).failover, at(ScopeGlobal, ScopeSharedNetwork, ScopePool), false, "at the top level, in a shared-network or in a pool"},
		"no":                {(*parser).noFailover, at(ScopePool), true, "in a pool"},
		"zone":              {(*parser).zone, anywhere, false, ""},
		"key":               {(*parser).key, anywhere, false, ""},
		"lease-id-format":   {(*parser).leaseIDFormat, anywhere, false, ""},
		"db-time-format":    {(*parser).dbTimeFormat, anywhere, false, ""},
		"vendor-class":      {(*parser).refused, anywhere, false, ""},
		"user-class":        {(*parser).refused, anywhere, false, ""},
		"subnet6":           {(*parser).refused, anywhere, false, ""},
		"pool6":             {(*parser).refused, anywhere, false, ""},
		"range6":            {(*parser).refused, anywhere, false, ""},
		"prefix6":           {(*parser).refused, anywhere, false, ""},
		"fixed-address6":    {(*parser).refused, anywhere, false, ""},
		"fixed-prefix6":     {(*parser).refused, anywhere, false, ""},
		"server-duid":       {(*parser).refused, anywhere, false, ""},
	}
}

// A body is read by statements between enter and leave:
//
//	subnet 10.0.0.0 netmask 255.255.255.0 {    enter
//	  range 10.0.0.10 10.0.0.20;               statement
//	  option routers 10.0.0.1;                 statement
//	}                                          leave
//
// The same loop reads the top level of a file, of an included one too, where
// the end of the file ends it and a closing brace is an error.

// statements reads statements up to the closing brace of the body, which is
// left for the caller, or to the end of the file.
func (p *parser) statements(b *body) {
	// A brace opened in the including file cannot be closed in this one.
	outer := len(p.blocks) == 0 || p.blocks[len(p.blocks)-1].name != p.lex.name
	for p.tok.kind != tokenEnd {
		if p.at("}") {
			if !outer {
				return
			}
			p.fail(&p.tok, "this } closes nothing: every { above is closed already", "delete it, or find the } that closes too early")
			p.advance()
			continue
		}
		if p.braceForgotten(b.kind) {
			return
		}
		start := p.tok.off
		if !p.statement(b) {
			p.recover()
		}
		if p.tok.off == start && !p.at("}") {
			p.advance() // whatever it is, it must not be read for ever
		}
	}
}

// statement reads one statement or declaration. A false result asks the caller
// to recover; the error has been reported.
func (p *parser) statement(b *body) bool {
	t := p.tok
	if b.kind == ScopePool && !b.included && (t.is("allow") || t.is("deny")) {
		p.advance()
		return p.permit(b.scope.Pool, t.is("allow"))
	}
	d, ok := declarations[t.word]
	if !ok || t.kind != tokenWord {
		return p.executable(&b.scope.Statements, &execution{scope: b.scope})
	}
	p.advance()
	if !d.allowed(b) {
		return p.misplaced(&t, d, b)
	}
	return d.run(p, b, t)
}

// allowed tells whether d may stand in b.
func (d *declaration) allowed(b *body) bool {
	return d.in&(1<<b.kind) != 0 && !(d.direct && b.included)
}

// misplaced reports a declaration that stands where it has no meaning.
func (p *parser) misplaced(t *token, d declaration, b *body) bool {
	if b.included && d.in&(1<<b.kind) != 0 {
		return p.fail(t, fmt.Sprintf("%s cannot come from an included file", t.word),
			fmt.Sprintf("write it %s, in the file with the declaration itself", d.where))
	}
	return p.fail(t, fmt.Sprintf("%s is not possible %s", t.word, b.kind.place()), "it belongs "+d.where)
}

// braceForgotten tells whether the closing brace of a body is missing: what
// comes next cannot stand in it, and is indented like the body's own first
// line. It reports that once, and the body counts as closed.
func (p *parser) braceForgotten(k ScopeKind) bool {
	d, ok := declarations[p.tok.word]
	if !ok || p.tok.kind != tokenWord || d.in&(1<<k) != 0 || !p.closesHere() {
		return false
	}
	return p.forgotten()
}

// forgotten reports the missing brace of the innermost block.
func (p *parser) forgotten() bool {
	b := &p.blocks[len(p.blocks)-1]
	p.fail(&p.tok, fmt.Sprintf("a } is missing before this %s: %s, opened on line %d, is still open",
		p.tok.text, b.what, b.brace.line), fmt.Sprintf("close %s with a }", b.what))
	b.closed = true
	return true
}

// include reads `include "FILE";`. The file's statements count as if they stood
// here. A relative name is tried from the working directory, as dhcpd does, and
// then from the directory of the including file.
func (p *parser) include(b *body, _ token) bool {
	t := p.tok
	if t.kind != tokenString {
		return p.fail(&t, fmt.Sprintf("expected a file name in quotes, found %s", t.describe()), `write include "FILE";`)
	}
	p.advance()
	if slices.Contains(p.including, t.text) || t.text == p.lex.name {
		return p.fail(&t, fmt.Sprintf("%s is being read already: it would include itself without end", t.text),
			"remove the include")
	}
	if len(p.including) == maxInclude {
		return p.fail(&t, fmt.Sprintf("files include each other deeper than %d", maxInclude), "include fewer levels")
	}
	text, err := p.readFile(t.text)
	if err != nil && !filepath.IsAbs(t.text) {
		if near, e := p.readFile(filepath.Join(filepath.Dir(p.lex.name), t.text)); e == nil {
			text, err = near, nil
		}
	}
	if err != nil {
		advice := "correct the name, or remove the include"
		if errors.Is(err, fs.ErrPermission) {
			advice = remedy(t.text, err)
		}
		p.fail(&t, "the file cannot be included: "+reason.Of(err).Error(), advice)
		return p.semicolon()
	}
	p.includeText(b, t.text, text)
	return p.semicolon()
}

// includeText reads text in the place of an include.
func (p *parser) includeText(b *body, name string, text []byte) {
	lex, tok, last := p.lex, p.tok, p.last
	p.including = append(p.including, name)
	if p.open(name, text) {
		p.statements(&body{kind: b.kind, scope: b.scope, included: true})
	}
	p.including = p.including[:len(p.including)-1]
	p.lex, p.tok, p.last = lex, tok, last
}

// authoritative reads "authoritative;" and "not authoritative;".
func (p *parser) authoritative(b *body, head token) bool {
	yes := head.is("authoritative")
	if !yes && !p.expect("authoritative", "after not", "write not authoritative;") {
		return false
	}
	b.scope.Authoritative = &yes
	return p.semicolon()
}

// serverIdentifier reads "server-identifier ADDRESS;", another spelling of
// option dhcp-server-identifier.
func (p *parser) serverIdentifier(b *body, head token) bool {
	d := p.spaces[SpaceDHCP].Lookup("dhcp-server-identifier")
	if d == nil {
		return p.fail(&head, "dhcp-server-identifier was defined anew", "remove that definition")
	}
	return p.optionStatement(&b.scope.Statements, &execution{scope: b.scope}, &head, d, Supersede)
}

// refused reports a declaration that is not supported.
func (p *parser) refused(_ *body, head token) bool { return p.refuse(&head, head.word) }

// option reads what begins with the word option: the declaration of a space, a
// definition, or a value.
func (p *parser) option(b *body, head token) bool {
	if p.at("space") {
		return p.optionSpace(b)
	}
	ref, ok := p.optionName()
	if !ok {
		return false
	}
	if p.at("code") {
		return p.defineOption(&ref, b)
	}
	if ref.def == nil {
		return p.unknownOption(&ref)
	}
	head.end = ref.token.end
	if b.kind == ScopeHost && ref.def.Space.Name == SpaceDHCP && ref.def.Code == codeClientID {
		return p.clientIdentifier(b, ref.token, ref.def)
	}
	return p.optionStatement(&b.scope.Statements, &execution{scope: b.scope}, &head, ref.def, Supersede)
}

// codeClientID is the code of dhcp-client-identifier (RFC 2132 section 9.14).
const codeClientID = 61
