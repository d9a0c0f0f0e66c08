package config

import "fmt"

// maxFields bounds the fields of a record, as dhcpd does.
const maxFields = 100

// optionType consumes the type of an option definition (dhcp-options(5),
// DEFINING NEW OPTIONS): a type, an array of it, or a record in braces.
func (p *parser) optionType(d *OptionDef) bool {
	r := typeReader{p: p, def: d}
	array := p.at("array")
	if array {
		p.advance()
		if !p.expect("of", "after array", "write array of TYPE") {
			return false
		}
	}
	if p.at("{") {
		d.Format.Array = array
		if !r.record(array) {
			p.passRecord()
			return false
		}
		return true
	}
	if !r.single(array) {
		return false
	}
	d.Format.Fields[0].Array = array
	return true
}

// The grammar of a type is
//
//	TYPE   = [ array of ] ( SINGLE | RECORD )
//	RECORD = "{" [ array of ] SINGLE { "," [ array of ] SINGLE } "}"
//	SINGLE = boolean | [signed|unsigned] integer 8|16|32 | ip-address | ip6-address
//	       | text | string | domain-name | domain-list [compressed]
//	       | zerolen | encapsulate SPACE
//
// An array inside an array has no form on the wire, nor has an array of what
// has no length of its own.

// typeReader reads the types of one definition.
type typeReader struct {
	p   *parser
	def *OptionDef
}

// record reads "{ TYPE, TYPE, … }".
func (r *typeReader) record(array bool) bool {
	brace := r.p.advance()
	for {
		if len(r.def.Format.Fields) == maxFields {
			return r.p.fail(&brace, fmt.Sprintf("a record of more than %d fields", maxFields), "use fewer fields")
		}
		t := r.p.tok
		repeated := r.p.accept("array")
		if repeated && array {
			return r.p.fail(&t, "an array inside an array", "leave one of the two out")
		}
		if repeated && !r.p.expect("of", "after array", "write array of TYPE") {
			return false
		}
		if !r.single(array || repeated) {
			return false
		}
		last := &r.def.Format.Fields[len(r.def.Format.Fields)-1]
		last.Array = repeated
		if r.p.accept("}") {
			return true
		}
		if !r.p.expect(",", "or a right brace in a record", "separate the types by commas") {
			return false
		}
		if endsRecord(last.Kind) {
			return r.p.fail(&t, "this type has no length of its own, so it can only be the last of a record",
				"move it to the end")
		}
	}
}

// endsRecord tells whether a field of kind k takes all that follows.
func endsRecord(k FieldKind) bool {
	switch k {
	case FieldText, FieldString, FieldDomainName, FieldDomainList, FieldFlag, FieldEncapsulate:
		return true
	}
	return false
}

// single reads one type, without array.
func (r *typeReader) single(array bool) bool {
	t := r.p.tok
	f, ok := Field{}, true
	switch {
	case r.p.accept("boolean"):
		f.Kind = FieldBoolean
	case r.p.at("integer"), r.p.at("signed"), r.p.at("unsigned"):
		f.Kind, ok = r.integer()
	case r.p.accept("ip-address"):
		f.Kind = FieldIP
	case r.p.accept("ip6-address"):
		f.Kind = FieldIP6
	case r.p.accept("domain-name"):
		f.Kind = FieldDomainName
	case r.p.accept("domain-list"):
		f.Kind, f.Compressed = FieldDomainList, r.p.accept("compressed")
	case r.p.accept("text"):
		f.Kind = FieldText
	case r.p.accept("string"):
		f.Kind = FieldString
	case r.p.accept("zerolen"):
		f.Kind = FieldFlag
	case r.p.accept("encapsulate"):
		f.Kind, ok = FieldEncapsulate, r.encapsulate(&t)
	default:
		return r.unknown()
	}
	if ok && array && endsRecord(f.Kind) {
		return r.p.fail(&t, "an array of this type is not possible: its values have no length of their own",
			"use the type without array, or domain-list for names")
	}
	r.def.Format.Fields = append(r.def.Format.Fields, f)
	return ok
}

// passRecord passes the rest of a record that has an error, with its brace, which
// is no brace of a body.
func (p *parser) passRecord() {
	for p.tok.kind != tokenEnd && !p.at(";") {
		if p.accept("}") {
			return
		}
		p.advance()
	}
}

// typeNames are the words that begin a type.
var typeNames = []string{"boolean", "integer", "signed", "unsigned", "ip-address", "ip6-address",
	"domain-name", "domain-list", "text", "string", "zerolen", "encapsulate", "array"}

func (r *typeReader) unknown() bool {
	return r.p.fail(&r.p.tok, fmt.Sprintf("there is no type %s", r.p.tok.describe()),
		didYouMean(r.p.tok.text, typeNames,
			"the types are text, string, boolean, ip-address, (un)signed integer 8, 16 or 32, domain-list, encapsulate SPACE, array of TYPE, { TYPE, … }"))
}

// integer reads "[signed|unsigned] integer 8|16|32".
func (r *typeReader) integer() (FieldKind, bool) {
	unsigned := r.p.at("unsigned")
	if !r.p.at("integer") {
		r.p.advance()
	}
	var bits int
	if !r.p.expect("integer", "in a type", "write integer 8, 16 or 32") ||
		!r.p.oneOf(&bits, "the width of an integer in bits", 8, 16, 32) {
		return 0, false
	}
	kind := map[int]FieldKind{8: FieldInt8, 16: FieldInt16, 32: FieldInt32}[bits]
	if unsigned {
		kind += FieldUint8 - FieldInt8
	}
	return kind, true
}

// encapsulate reads the space after the word.
func (r *typeReader) encapsulate(head *token) bool {
	t := r.p.tok
	if !t.identifier() {
		return r.p.fail(&t, fmt.Sprintf("expected the name of an option space, found %s", t.describe()),
			"write encapsulate SPACE")
	}
	r.p.advance()
	s := r.p.findSpace(t.text)
	if s == nil {
		return r.p.unknownSpace(&t)
	}
	if len(r.def.Format.Fields) > 0 {
		return r.p.fail(head, "encapsulated options inside a record", "define an option of their own for them")
	}
	r.def.Encapsulate = s
	return true
}
