package config

import "fmt"

// modifyOption reads "option NAME VALUE;" inside executable statements, and
// "supersede", "default", "append", "prepend" and "send", which take the
// name directly.
func (p *parser) modifyOption(out *[]Statement, x *execution, head token) bool {
	ref, ok := p.knownOption()
	if !ok {
		return false
	}
	op := map[string]OptionOp{"default": Default, "append": Append, "prepend": Prepend, "send": Send}[head.word]
	t := head
	t.end = ref.token.end
	return p.optionStatement(out, x, &t, ref.def, op)
}

// A value comes in two forms. "NAME VALUE;" is read in the layout of the option
// and encoded now. "NAME = DATA;" is an expression, evaluated for each packet,
// whose bytes are the value as on the wire: ping-check = 1 is the octet 01,
// while max-lease-time = 7200 is an error, for 7200 is no octet.

// optionStatement reads the value of an option, "VALUE;" or "= DATA;", and adds
// the statement. t is what has been read of it.
func (p *parser) optionStatement(out *[]Statement, x *execution, t *token, d *OptionDef, op OptionOp) bool {
	if d.Space.Name == SpaceServer && p.spaces[SpaceServer] == d.Space && !p.usable(t, d) {
		return false
	}
	s := Statement{Kind: StatementOption, Pos: p.pos(t), Op: op, Option: d}
	found := true
	switch {
	case p.accept("="):
		if s.Expr = p.data(); s.Expr == nil {
			return false
		}
		p.checkComputed(t, d, s.Expr)
	case p.at(";") && d.Format.Fields[0].Kind != FieldFlag:
		return p.fail(&p.tok, optionTitle(d)+" has no value", "write its value before the semicolon")
	default:
		start := p.tok
		data, ok := []byte(nil), false
		if data, found, ok = p.optionValue(d); !ok {
			return false
		}
		s.Expr = &Expr{Op: OpConst, Type: TypeData, Pos: p.pos(&start), Data: data}
	}
	if found {
		p.emit(out, x, t, &s)
	}
	return p.semicolon()
}

// checkComputed warns when a constant after an equals sign has another length
// than the option: ping-check = 00:01 is two bytes where one is wanted.
func (p *parser) checkComputed(t *token, d *OptionDef, e *Expr) {
	size := 0
	for i := range d.Format.Fields {
		f := &d.Format.Fields[i]
		n := map[FieldKind]int{FieldBoolean: 1, FieldInt8: 1, FieldUint8: 1, FieldEnum: 1, FieldInt16: 2, FieldUint16: 2,
			FieldInt32: 4, FieldUint32: 4, FieldIP: 4, FieldIP6: 16}[f.Kind]
		if n == 0 || f.Array || f.Optional || d.Format.Array {
			return
		}
		size += n
	}
	if e.Op == OpConst && len(e.Data) != size {
		p.warn(t, fmt.Sprintf("%s takes %d bytes; this value has %d", optionTitle(d), size, len(e.Data)),
			"write the value without the equals sign")
	}
}

// parameter reads a parameter: "NAME VALUE;" or "NAME = DATA;".
func (p *parser) parameter(out *[]Statement, x *execution, t *token, d *OptionDef) bool {
	return p.optionStatement(out, x, t, d, Supersede)
}

// usable looks a parameter up in Constructs: it reports one that is refused, and
// tells whether to go on.
func (p *parser) usable(t *token, d *OptionDef) bool {
	if d.Name == "authoritative" {
		return p.refuse(t, "authoritative as a value")
	}
	if c := constructNamed(d.Name); c != nil && c.Support == Refused {
		return p.refuse(t, d.Name)
	}
	return true
}

// emit adds a statement, unless it is a parameter without effect.
func (p *parser) emit(out *[]Statement, x *execution, t *token, s *Statement) {
	d := s.Option
	if d.Space != p.spaces[SpaceServer] {
		*out = append(*out, *s)
		return
	}
	if d.Name == "vendor-option-space" {
		p.vendorSpace(out, t, s)
		return
	}
	if d.Name == "ddns-update-style" && s.Expr.Op == OpConst && string(s.Expr.Data) == "\x01" {
		p.fail(t, "dhcpd does not start with ddns-update-style ad-hoc any more", "write none")
		return
	}
	if d.Name == "omapi-key" && s.Expr.Op == OpConst && x.scope == p.tree.Root && !x.inner {
		p.omapiKeys = append(p.omapiKeys, omapiKey{pos: s.Pos, width: p.width(t), name: string(s.Expr.Data)})
	}
	if p.serves(d, s.Expr) || d.Name == "site-option-space" && !p.siteSpace(t, s.Expr) {
		return
	}
	if c := constructNamed(d.Name); c != nil && c.Support == Ignored {
		p.ignore(t, d.Name)
		return
	}
	*out = append(*out, *s)
}

// serves tells whether a parameter asks for exactly what is done without it, so
// that a warning would only be noise: no DNS updates, no names of addresses.
func (p *parser) serves(d *OptionDef, e *Expr) bool {
	// All of them are off when their one byte is zero.
	switch d.Name {
	case "ddns-update-style", "ddns-updates", "update-static-leases", "do-forward-updates", "do-reverse-updates", "get-lease-hostnames":
		return e.Op == OpConst && len(e.Data) == 1 && e.Data[0] == 0
	}
	return false
}

// vendorSpace turns "vendor-option-space NAME;" into a statement of its own.
func (p *parser) vendorSpace(out *[]Statement, t *token, s *Statement) {
	if s.Expr.Op != OpConst {
		p.fail(t, "vendor-option-space takes the name of an option space, not an expression", "write vendor-option-space NAME;")
		return
	}
	name := string(s.Expr.Data)
	space := p.findSpace(name)
	if space == nil {
		p.warn(t, fmt.Sprintf("there is no option space %s above this line; the statement is left out", quoteShort(name)),
			fmt.Sprintf("declare it first: option space %s;", name))
		return
	}
	*out = append(*out, Statement{Kind: StatementVendorSpace, Pos: s.Pos, Name: space.Name,
		Option: &OptionDef{Space: space, Name: s.Option.Name, Encapsulate: space}})
}

// siteSpace checks the name in site-option-space, which dhcpd does when it is
// too late.
func (p *parser) siteSpace(t *token, e *Expr) bool {
	if e.Op != OpConst || p.findSpace(string(e.Data)) != nil {
		return true
	}
	p.warn(t, fmt.Sprintf("there is no option space %s above this line; the statement is left out", quoteShort(string(e.Data))),
		fmt.Sprintf("declare it first: option space %s;", quoteShort(string(e.Data))))
	return false
}

// policies are the words after allow, deny and ignore outside pools, with the
// parameter that each sets.
var policies = map[string]string{
	"bootp": "allow-bootp", "booting": "allow-booting", "dynamic-bootp": "dynamic-bootp",
	"unknown-clients": "boot-unknown-clients", "duplicates": "duplicates", "declines": "declines",
	"client-updates": "client-updates", "leasequery": "leasequery",
}

// policy reads what follows allow, deny or ignore: parameters with the values 1,
// 0 and 2.
func (p *parser) policy(out *[]Statement, _ *execution, head token) bool {
	t := p.tok
	name, ok := policies[t.word]
	if !ok {
		return p.notAPolicy(&head, &t)
	}
	p.advance()
	d := p.spaces[SpaceServer].Lookup(name)
	value := map[string]byte{"allow": 1, "deny": 0, "ignore": 2}[head.word]
	whole := head
	whole.end = p.last.end
	if c := constructNamed(head.word + " " + t.word); c != nil && c.Support == Ignored {
		p.ignore(&whole, c.Name)
	} else {
		*out = append(*out, Statement{Kind: StatementOption, Pos: p.pos(&head), Option: d,
			Expr: &Expr{Op: OpConst, Type: TypeData, Pos: p.pos(&t), Data: []byte{value}}})
	}
	return p.semicolon()
}

// notAPolicy reports a word that allow, deny or ignore does not take here.
func (p *parser) notAPolicy(head, t *token) bool {
	for _, w := range permitWords {
		if t.is(w) {
			return p.fail(t, fmt.Sprintf("%s %s is possible in a pool only", head.word, t.word),
				"write it into pool { range …; "+head.word+" "+t.word+" …; }")
		}
	}
	words := make([]string, 0, len(policies))
	for w := range policies {
		words = append(words, w)
	}
	return p.fail(t, fmt.Sprintf("expected what to %s, found %s", head.word, t.describe()),
		didYouMean(t.text, sortedCopy(words), "possible are "+list(sortedCopy(words))))
}
