package config

import (
	"fmt"
	"strings"
)

// optionValue consumes the value of an option in the layout of its format and
// returns it encoded. found is false when host names that could not be looked
// up left nothing of it.
func (p *parser) optionValue(d *OptionDef) (data []byte, found, ok bool) {
	f := &d.Format
	v := valueReader{p: p, def: d}
	// As in dhcpd, a name stands for all its addresses only in a plain list of
	// addresses, else for the first one.
	v.all = f.Fields[0].Array || f.Array && len(f.Fields) == 1
	for {
		if !v.record(f.Fields) {
			return nil, false, false
		}
		if !f.Array || !p.accept(",") {
			break
		}
	}
	if f.repeats() && p.tok.line == p.last.line && (p.tok.kind == tokenNumber || p.atAddress()) {
		return nil, false, p.fail(&p.tok, fmt.Sprintf("expected a comma or a semicolon, found %s", p.tok.describe()),
			"separate the values by commas")
	}
	return v.data, len(v.data) > 0 || !v.missed, true
}

// repeats tells whether a value of the format may be a list.
func (f *Format) repeats() bool { return f.Array || f.Fields[len(f.Fields)-1].Array }

// valueReader collects the records of one value.
type valueReader struct {
	p      *parser
	def    *OptionDef
	all    bool // a host name gives all its addresses
	data   []byte
	missed bool // a host name had no address
}

// A format is a record of fields. In "fIa", a boolean and then addresses, the
// last field repeats (Field.Array); in "IIA", pairs of addresses, the record
// does (Format.Array). A comma goes on with whichever repeats; fields of one
// record stand side by side without commas.

// record consumes one record. A record with a host name that has no address is
// left out as a whole, unless it is part of a list of its own.
func (v *valueReader) record(fields []Field) bool {
	start, whole := len(v.data), true
	for i := range fields {
		f := &fields[i]
		if f.Optional && v.p.at(";") {
			continue
		}
		for {
			before := len(v.data)
			if !v.field(f) {
				return false
			}
			if f.Kind == FieldIP && len(v.data) == before && !f.Array {
				whole = false
			}
			if !f.Array || !v.p.accept(",") {
				break
			}
		}
	}
	if !whole && len(fields) > 1 {
		v.data = v.data[:start]
	}
	return true
}

// field consumes the value of one field.
func (v *valueReader) field(f *Field) bool {
	switch f.Kind {
	case FieldBoolean:
		return v.boolean()
	case FieldInt8, FieldUint8:
		return v.integer(f, 8)
	case FieldInt16, FieldUint16:
		return v.integer(f, 16)
	case FieldInt32, FieldUint32:
		return v.integer(f, 32)
	case FieldIP:
		return v.address()
	case FieldIP6:
		b, ok := v.p.address6()
		v.data = append(v.data, b...)
		return ok
	case FieldText:
		return v.text(f)
	case FieldString, FieldEncapsulate:
		return v.bytes()
	case FieldDomainName:
		return v.domainName()
	case FieldDomainList:
		return v.domainList(f.Compressed)
	case FieldEnum:
		return v.enum(f)
	}
	return v.flag()
}

// expected reports that the next token is not what the option takes.
func (v *valueReader) expected(what, remedy string) bool {
	return v.p.fail(&v.p.tok, fmt.Sprintf("%s takes %s here, found %s",
		optionTitle(v.def), what, v.p.tok.describe()), remedy)
}

func (v *valueReader) boolean() bool {
	if v.p.tok.identifier() {
		n, ok := map[string]byte{"true": 1, "on": 1, "false": 0, "off": 0, "ignore": 2}[strings.ToLower(v.p.tok.text)]
		if ok {
			v.p.advance()
			v.data = append(v.data, n)
			return true
		}
	}
	remedy := "write true or false (or on, off)"
	if t := v.p.tok.text; v.p.tok.kind == tokenNumber && (t == "1" || t == "0") && v.def.Space.Name == SpaceServer {
		remedy += fmt.Sprintf("; with an equals sign a number is right: %s = %s;", v.def.Name, t)
	}
	return v.expected("true or false", remedy)
}

func (v *valueReader) integer(f *Field, bits int) bool {
	if f.form == formTime && v.p.accept("infinite") {
		v.data = append(v.data, 0xff, 0xff, 0xff, 0xff)
		return true
	}
	t := v.p.tok
	if !t.numeric() {
		return v.expected("a number", "write a decimal number, or a hexadecimal one as 0x1f")
	}
	v.p.advance()
	n, ok := v.p.number(&t, 0, bits)
	v.data = appendInt(v.data, n, bits)
	return ok
}

func (v *valueReader) address() bool {
	found, ok := v.p.addressOrName()
	if !ok {
		return false
	}
	if len(found) == 0 {
		v.missed = true
	}
	for i, a := range found {
		if i == 0 || v.all {
			b := a.Bytes()
			v.data = append(v.data, b[:]...)
		}
	}
	return true
}

func (v *valueReader) text(f *Field) bool {
	t := v.p.tok
	switch {
	case f.form == formKeyName && t.kind != tokenString:
		name, ok := v.p.hostName("the name of a key", "write the name of a key declared above")
		v.data = append(v.data, name...)
		return ok
	case f.form == formWord && !t.identifier():
		return v.expected("the name of an option space", "write the name without quotes")
	case t.kind != tokenString && !t.identifier():
		return v.expected("text", "put the text in double quotes")
	}
	v.p.advance()
	if f.form == formPlain && t.identifier() && (v.p.at(".") || v.p.at("/") || v.p.at(":")) {
		return v.p.fail(&v.p.tok, fmt.Sprintf("expected a semicolon after %s, found %s", quoteShort(t.text), v.p.tok.describe()),
			"put the whole text in double quotes")
	}
	v.data = append(v.data, t.text...)
	return true
}

func (v *valueReader) bytes() bool {
	if v.p.tok.kind == tokenString {
		v.data = append(v.data, v.p.advance().text...)
		return true
	}
	if !v.p.tok.numeric() {
		return v.expected("text in quotes, or hexadecimal octets with colons",
			"put text in double quotes; write bytes as 01:a2:ff")
	}
	b, ok := v.p.octets()
	v.data = append(v.data, b...)
	return ok
}

func (v *valueReader) domainName() bool {
	t := v.p.tok
	name, ok := v.p.hostName("a domain name", "write the name without quotes: example.com")
	if !ok {
		return false
	}
	e := domainEncoder{}
	if err := e.append(name); err != nil {
		return v.p.fail(&t, fmt.Sprintf("the domain name %s %v", quoteShort(name), err), "correct the name")
	}
	v.data = append(v.data, e.data...)
	return true
}

// domainList consumes quoted names with commas between them. A list is always
// the last field, so its commas are its own.
func (v *valueReader) domainList(compressed bool) bool {
	e := domainEncoder{compress: compressed}
	for {
		t := v.p.tok
		if t.kind != tokenString {
			return v.expected("domain names in double quotes", `write "example.com", "example.net"`)
		}
		v.p.advance()
		if err := e.append(t.text); err != nil {
			return v.p.fail(&t, fmt.Sprintf("the domain name %s %v", quoteShort(t.text), err),
				"write each name in its own quotes, with commas between them")
		}
		if strings.ContainsAny(t.text, " ,") {
			v.p.warn(&t, fmt.Sprintf("%s is sent as one name, blanks and commas included", quoteShort(t.text)),
				`write each name in its own quotes: "example.com", "example.net"`)
		}
		if !v.p.accept(",") {
			v.data = append(v.data, e.data...)
			return true
		}
	}
}

func (v *valueReader) enum(f *Field) bool {
	names := make([]string, 0, len(f.Enum))
	for n := range f.Enum {
		names = append(names, n)
	}
	if !v.p.tok.identifier() {
		return v.expected("a word", "write one of its words without quotes")
	}
	n, ok := f.Enum[v.p.tok.text]
	if !ok {
		return v.p.fail(&v.p.tok, fmt.Sprintf("%s does not know the value %s", v.def.Name, quoteShort(v.p.tok.text)),
			didYouMean(v.p.tok.text, names, "the values are "+list(sortedCopy(names))))
	}
	v.p.advance()
	v.data = append(v.data, byte(n))
	return true
}

// flag stands for an option without a value.
func (v *valueReader) flag() bool {
	if v.p.at(";") {
		return true
	}
	return v.p.fail(&v.p.tok, fmt.Sprintf("%s takes no value, found %s", optionTitle(v.def), v.p.tok.describe()),
		"end the statement with a semicolon")
}

// optionTitle names an option or parameter in a message.
func optionTitle(d *OptionDef) string {
	switch d.Space.Name {
	case SpaceServer:
		return d.Name
	case SpaceDHCP:
		return "option " + d.Name
	}
	return "option " + d.Space.Name + "." + d.Name
}
