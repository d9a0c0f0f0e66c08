package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// spaces6 are the built-in spaces of DHCPv6, which dhcpd knows and a DHCPv4
// server has no use for.
var spaces6 = []string{"dhcp6", "fqdn6", "vsio", "isc6"}

// optionRef is an option name as it stands in the text.
type optionRef struct {
	space *Space
	name  string
	def   *OptionDef // nil if the space has no such option
	token token      // the whole name, for findings
}

// optionName consumes NAME or SPACE.NAME. The option need not exist.
func (p *parser) optionName() (optionRef, bool) {
	first := p.tok
	if !first.identifier() {
		return optionRef{}, p.fail(&first, fmt.Sprintf("expected the name of an option, found %s", first.describe()),
			"write a name of dhcp-options(5), or SPACE.NAME")
	}
	p.advance()
	ref := optionRef{space: p.spaces[SpaceDHCP], name: first.text, token: first}
	if p.accept(".") {
		if !p.tok.identifier() {
			return ref, p.fail(&p.tok, fmt.Sprintf("expected the name of an option after %s., found %s",
				first.text, p.tok.describe()), "write SPACE.NAME")
		}
		ref.name = p.advance().text
		ref.token.end = p.last.end
		ref.space = p.findSpace(first.text)
		if ref.space == nil {
			return ref, p.unknownSpace(&first)
		}
	}
	ref.def = ref.space.Lookup(ref.name)
	if ref.def == nil && len(ref.name) > 8 && strings.EqualFold(ref.name[:8], "unknown-") {
		return ref, p.numberedOption(&ref)
	}
	return ref, true
}

// unknownSpace reports a space that was not declared.
func (p *parser) unknownSpace(t *token) bool {
	if slices.Contains(spaces6, strings.ToLower(t.text)) {
		return p.refuse(t, "option dhcp6.NAME")
	}
	names := make([]string, 0, len(p.spaces))
	for n := range p.spaces {
		names = append(names, n)
	}
	slices.Sort(names)
	return p.fail(t, fmt.Sprintf("there is no option space %s", quoteShort(t.text)),
		didYouMean(t.text, names, fmt.Sprintf("declare it first: option space %s;", t.text)))
}

// numberedOption gives unknown-N the option of that code, or makes one that
// takes text or octets.
func (p *parser) numberedOption(ref *optionRef) bool {
	code, err := strconv.ParseUint(ref.name[8:], 10, 32)
	limit := uint64(ref.space.maxCode())
	if ref.space.CodeWidth == 1 {
		limit = 254
	}
	if err != nil || code == 0 || code > limit {
		return p.fail(&ref.token, fmt.Sprintf("%s is no option code of the space %s", quoteShort(ref.name[8:]), ref.space.Name),
			fmt.Sprintf("the codes are 1 to %d", limit))
	}
	if ref.def = ref.space.ByCode(uint32(code)); ref.def == nil {
		ref.def = &OptionDef{Space: ref.space, Name: ref.name, Code: uint32(code), Format: parseFormat("X")}
	}
	return true
}

// knownOption is optionName for an option that must exist.
func (p *parser) knownOption() (optionRef, bool) {
	ref, ok := p.optionName()
	if ok && ref.def == nil {
		ok = p.unknownOption(&ref)
	}
	return ref, ok
}

// unknownOption reports an option that does not exist.
func (p *parser) unknownOption(ref *optionRef) bool {
	example := fmt.Sprintf("define it at the top of the file: option %s code 222 = text;", ref.token.fullName(p))
	return p.fail(&ref.token, fmt.Sprintf("there is no option %s in the space %s", quoteShort(ref.name), ref.space.Name),
		didYouMean(ref.name, ref.space.optionNames(), example))
}

// fullName is the text of a name of several tokens.
func (t *token) fullName(p *parser) string { return p.lex.src[t.off:max(t.off, t.end)] }

// optionSpace reads "option space NAME …;"; the word option is consumed.
func (p *parser) optionSpace(b *body) bool {
	head := p.advance()
	if b.kind != ScopeGlobal {
		return p.fail(&head, "option spaces are declared at the top level only, not "+b.kind.place(),
			"move the declaration to the top of the file")
	}
	name := p.tok
	if !name.identifier() {
		return p.fail(&name, fmt.Sprintf("expected the name of the space, found %s", name.describe()),
			"write option space NAME;")
	}
	p.advance()
	if !p.count(&p.counts.defined, maxDefined, "option definitions", &name) {
		return false
	}
	s := newSpace(name.text, 1, 1)
	for p.at("code") || p.at("length") || p.at("hash") {
		if !p.spaceClause(s) {
			return false
		}
	}
	return p.addSpace(&name, s) && p.semicolon()
}

// spaceClause reads one of "code width N", "length width N", "hash size N".
func (p *parser) spaceClause(s *Space) bool {
	switch {
	case p.accept("code"):
		return p.expect("width", "after code", "write code width 1 (or 2, 4)") &&
			p.oneOf(&s.CodeWidth, "the width of a code in bytes", 1, 2, 4)
	case p.accept("length"):
		return p.expect("width", "after length", "write length width 1 (or 2)") &&
			p.oneOf(&s.LenWidth, "the width of a length in bytes", 1, 2)
	}
	p.advance()
	if !p.expect("size", "after hash", "write hash size N, or leave it out") {
		return false
	}
	n, ok := p.decimal("the size of a hash table", 1<<30)
	s.HashSize = int(n)
	return ok
}

// oneOf consumes a number that must be one of values.
func (p *parser) oneOf(v *int, what string, values ...int64) bool {
	t := p.tok
	n, ok := p.decimal(what, 1<<30)
	if ok && !slices.Contains(values, n) {
		ok = p.fail(&t, fmt.Sprintf("%d is not possible as %s", n, what), fmt.Sprintf("use one of %v", values))
	}
	*v = int(n)
	return ok
}

// addSpace makes a declared space known. A second declaration of a name hides
// the first one and all its options.
func (p *parser) addSpace(t *token, s *Space) bool {
	key := strings.ToLower(s.Name)
	if old := p.spaces[key]; old != nil {
		if len(old.Options) > 0 && old.Options[0].Pos.Line == 0 {
			return p.fail(t, fmt.Sprintf("%s is a built-in option space", quoteShort(s.Name)), "choose another name")
		}
		p.warn(t, fmt.Sprintf("the option space %s is declared again; what was defined in it before is gone", s.Name),
			"remove one of the declarations")
	}
	p.spaces[key] = s
	p.tree.Universe.Spaces = append(p.tree.Universe.Spaces, s)
	return true
}

// defineOption reads "code N = TYPE;" after an option's name.
func (p *parser) defineOption(ref *optionRef, b *body) bool {
	if b.kind != ScopeGlobal {
		return p.fail(&ref.token, "options are defined at the top level only, not "+b.kind.place(),
			"move the definition to the top of the file")
	}
	p.advance()
	if !p.count(&p.counts.defined, maxDefined, "option definitions", &ref.token) {
		return false
	}
	d := &OptionDef{Space: ref.space, Name: ref.name, Pos: p.pos(&ref.token)}
	if !p.optionCode(d) || !p.expect("=", "after the code", "write option NAME code N = TYPE;") {
		return false
	}
	t := p.tok
	if !p.optionType(d) {
		return false
	}
	if d.Encapsulate != nil && d.Encapsulate == d.Space {
		return p.fail(&t, "an option cannot hold the options of its own space", "encapsulate another space")
	}
	if ref.def != nil {
		ref.space.remove(ref.def)
	}
	ref.space.add(d)
	if d.Encapsulate != nil {
		d.Encapsulate.Enclosing = d
	}
	return p.semicolon()
}

// optionCode consumes the code of a definition. dhcpd takes any number; one that
// the wire format cannot carry is an error here.
func (p *parser) optionCode(d *OptionDef) bool {
	t := p.tok
	n, ok := p.decimal("an option code", 1<<32-1)
	if !ok {
		return false
	}
	d.Code = uint32(n)
	low, high := uint32(0), d.Space.maxCode()
	if d.Space.Name == SpaceDHCP {
		low, high = 1, 254
	}
	if d.Code < low || d.Code > high {
		return p.fail(&t, fmt.Sprintf("the code %d cannot be sent in the space %s", n, d.Space.Name),
			fmt.Sprintf("its codes are %d to %d", low, high))
	}
	return true
}
