package main

import (
	"encoding/binary"
	"fmt"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// options names and decodes options by the definitions of a configuration: the
// standard ones and its own.
type options struct {
	space *config.Space // the space "dhcp"
}

// newOptions takes the definitions of a configuration. Only the space "dhcp" is
// seen on the wire; the others stand inside its options.
func newOptions(t *config.Tree) options {
	for _, s := range t.Universe.Spaces {
		if s.Name == config.SpaceDHCP {
			return options{s}
		}
	}
	return options{&config.Space{}}
}

// decoded is an option as it is printed; one that encapsulates a space is
// followed by its sub-options.
type decoded struct {
	code  string // "66", "43.6"
	name  string
	value string
}

// decode turns one option into printable form.
func (o options) decode(code byte, v []byte) []decoded {
	// Some options read better than by their type.
	switch code {
	case dhcp.OptMessageType:
		if len(v) == 1 {
			return []decoded{{"53", "dhcp-message-type", dhcp.Type(v[0]).String()}}
		}
	case dhcp.OptLeaseTime:
		if len(v) == 4 && binary.BigEndian.Uint32(v) == 0xffffffff {
			return []decoded{{"51", "dhcp-lease-time", "for ever"}}
		}
	case dhcp.OptVendorSpecific:
		if subs := subOptions(nil, "43", v); subs != nil {
			return append([]decoded{{"43", "vendor-encapsulated-options", ""}}, subs...)
		}
	}
	def := define(o.space, uint32(code))
	if def == nil {
		return []decoded{{fmt.Sprint(code), "option-" + fmt.Sprint(code), hexText(v)}}
	}
	if def.Encapsulate != nil {
		if subs := subOptions(def.Encapsulate, fmt.Sprint(code), v); subs != nil {
			return append([]decoded{{fmt.Sprint(code), def.Name, ""}}, subs...)
		}
	}
	return []decoded{{fmt.Sprint(code), def.Name, value(def.Format, v)}}
}

// define finds the definition of a code in a space; a later definition by the
// file takes the place of an earlier one.
func define(s *config.Space, code uint32) (found *config.OptionDef) {
	if s == nil {
		return nil
	}
	for _, d := range s.Options {
		if d.Code == code {
			found = d
		}
	}
	return found
}

// subOptions takes an encapsulated option apart: code and length of one byte
// each; nil if it is not made like that.
func subOptions(space *config.Space, code string, v []byte) (out []decoded) {
	for len(v) > 0 && v[0] != dhcp.OptEnd {
		if v[0] == dhcp.OptPad { // a code without length
			v = v[1:]
			continue
		}
		if len(v) < 2 || len(v) < 2+int(v[1]) {
			return nil
		}
		body := v[2 : 2+int(v[1])]
		d := decoded{fmt.Sprintf("%s.%d", code, v[0]), "", hexText(body)}
		if def := define(space, uint32(v[0])); def != nil {
			d.name, d.value = space.Name+"."+def.Name, value(def.Format, body)
		}
		out = append(out, d)
		v = v[2+int(v[1]):]
	}
	return out
}

// value decodes by a format; what does not fit is shown in hexadecimal.
func value(f config.Format, v []byte) string {
	// The fields of a record follow each other; a field that repeats takes all
	// there is, and a record that repeats begins again.
	var parts []string
	rest := v
	for {
		before := len(rest)
		for _, field := range f.Fields {
			for len(rest) > 0 {
				text, n := one(field, rest)
				if n == 0 {
					return hexText(v)
				}
				parts = append(parts, text)
				if rest = rest[n:]; !field.Array {
					break
				}
			}
		}
		if !f.Array || len(rest) == 0 || len(rest) == before {
			break
		}
	}
	if len(rest) > 0 || len(f.Fields) == 0 {
		return hexText(v)
	}
	return strings.Join(parts, ", ")
}

// one decodes one field at the start of v and says how many bytes it took, 0 if
// it does not fit.
func one(f config.Field, v []byte) (text string, n int) {
	number := func(width int) (uint32, bool) {
		if len(v) < width {
			return 0, false
		}
		var full [4]byte
		copy(full[4-width:], v[:width])
		return binary.BigEndian.Uint32(full[:]), true
	}
	width := fieldWidth[f.Kind]
	if width == 0 {
		return whole(f, v)
	}
	x, ok := number(width)
	if !ok {
		return "", 0
	}
	switch f.Kind {
	case config.FieldIP:
		return proto.Addr(x).String(), width
	case config.FieldBoolean:
		return fmt.Sprint(x != 0), width
	case config.FieldInt8:
		return fmt.Sprint(int8(x)), width
	case config.FieldInt16:
		return fmt.Sprint(int16(x)), width
	case config.FieldInt32:
		return fmt.Sprint(int32(x)), width
	case config.FieldEnum:
		for name, v := range f.Enum {
			if v == x {
				return name, width
			}
		}
	}
	return fmt.Sprint(x), width
}

// fieldWidth is the length in bytes of the kinds of field that have one.
var fieldWidth = map[config.FieldKind]int{
	config.FieldBoolean: 1, config.FieldInt8: 1, config.FieldUint8: 1, config.FieldEnum: 1,
	config.FieldInt16: 2, config.FieldUint16: 2, config.FieldInt32: 4, config.FieldUint32: 4, config.FieldIP: 4,
}

// whole decodes a field that takes all that is left.
func whole(f config.Field, v []byte) (string, int) {
	switch f.Kind {
	case config.FieldText:
		return quote(v), len(v)
	case config.FieldString:
		if printableAll(v) {
			return quote(v), len(v)
		}
	case config.FieldDomainName:
		return strings.TrimRight(printableText(v), "?"), len(v)
	}
	return hexText(v), len(v)
}

// quote writes text that came from the configuration or the network.
func quote(v []byte) string { return `"` + printableText(v) + `"` }

// printableAll tells whether a value can be shown as text.
func printableAll(v []byte) bool {
	for _, c := range v {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(v) > 0
}
