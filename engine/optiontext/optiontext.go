// Package optiontext names DHCP options and writes their values for people, by the
// definitions of a configuration: the standard ones and its own. The explanation of a
// reply, the frames of a node and the templates of boot files read options alike by it.
package optiontext

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Names names and decodes options. The zero value knows no names.
type Names struct {
	space  *config.Space   // the space "dhcp"
	all    []*config.Space // with the others
	vendor *config.Space   // whose options are in option 43, nil if that is not certain
}

// Archs are the architecture types that an operator meets (option 93, RFC 4578 and
// the IANA list of processor architecture types).
var Archs = map[int]string{0: "legacy BIOS", 6: "UEFI, 32 bits", 7: "UEFI, 64 bits", 9: "UEFI, 64 bits (EBC)", 10: "UEFI, ARM 32 bits",
	11: "UEFI, ARM 64 bits", 15: "UEFI HTTP boot, 32 bits", 16: "UEFI HTTP boot, 64 bits", 19: "UEFI HTTP boot, ARM 64 bits"}

// New takes the definitions of a configuration, and iPXE's where it has none. Only
// the space "dhcp" is seen on the wire; the others stand inside its options.
func New(t *config.Tree) Names {
	n := Names{space: &config.Space{}, all: t.Universe.Spaces, vendor: vendorSpace(t)}
	for _, s := range t.Universe.Spaces {
		if s.Name == config.SpaceDHCP {
			n.space = s
		}
	}
	n.space = complete(n.space, ipxe())
	return n
}

// vendorSpace is the space that option 43 holds, if the configuration has but one
// for it.
func vendorSpace(t *config.Tree) (found *config.Space) {
	names := map[string]bool{}
	t.EachStatement(func(s *config.Statement) {
		if s.Kind == config.StatementVendorSpace {
			names[strings.ToLower(s.Name)] = true
		}
	})
	if len(names) != 1 {
		return nil
	}
	for name := range names {
		found = named(t.Universe.Spaces, name)
	}
	return found
}

// named finds the space of a name; the last counts.
func named(all []*config.Space, name string) (found *config.Space) {
	for _, s := range all {
		if strings.EqualFold(s.Name, name) {
			found = s
		}
	}
	return found
}

// InVendorSpace are the same names for a message whose option 43 holds the space of
// that name, as the vendor-option-space that applies to it says.
func (o Names) InVendorSpace(name string) Names {
	o.vendor = named(o.all, name)
	return o
}

// Option is an option as it is printed; one that encapsulates a space is
// followed by its sub-options.
type Option struct {
	Code  string // "66", "43.6"
	Name  string // as in dhcpd.conf; "" if a sub-option has none
	Value string // printable
}

// Decode turns one option into printable form.
func (o Names) Decode(code byte, v []byte) []Option {
	// Some options read better than by their type.
	switch code {
	case dhcp.OptMessageType:
		if len(v) == 1 {
			return []Option{{"53", "dhcp-message-type", dhcp.Type(v[0]).String()}}
		}
	case dhcp.OptLeaseTime:
		if len(v) == 4 && binary.BigEndian.Uint32(v) == 0xffffffff {
			return []Option{{"51", "dhcp-lease-time", "for ever"}}
		}
	case dhcp.OptVendorSpecific:
		space := o.vendor
		if def := define(o.space, uint32(code)); def != nil && def.Encapsulate != nil {
			space = def.Encapsulate
		}
		if subs := subOptions(space, "43", v); subs != nil {
			return append([]Option{{"43", "vendor-encapsulated-options", ""}}, subs...)
		}
	}
	def := define(o.space, uint32(code))
	if def == nil {
		return []Option{{fmt.Sprint(code), "option-" + fmt.Sprint(code), Hex(v)}}
	}
	if def.Encapsulate != nil {
		if subs := subOptions(def.Encapsulate, fmt.Sprint(code), v); subs != nil {
			return append([]Option{{fmt.Sprint(code), def.Name, ""}}, subs...)
		}
	}
	return []Option{{fmt.Sprint(code), def.Name, value(def.Format, v)}}
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

// subOptions takes an encapsulated option apart: codes and lengths of one byte
// each, unless the space says otherwise; nil if it is not made like that.
func subOptions(space *config.Space, code string, v []byte) (out []Option) {
	codeWidth, lenWidth := 1, 1
	if space != nil {
		codeWidth, lenWidth = space.CodeWidth, space.LenWidth
	}
	for len(v) > 0 {
		if codeWidth == 1 && v[0] == dhcp.OptEnd {
			break
		}
		if codeWidth == 1 && v[0] == dhcp.OptPad { // a code without length
			v = v[1:]
			continue
		}
		if len(v) < codeWidth+lenWidth {
			return nil
		}
		sub, n := number(v[:codeWidth]), len(v)-codeWidth
		if v = v[codeWidth:]; lenWidth > 0 {
			n = int(number(v[:lenWidth]))
			v = v[lenWidth:]
		}
		if n > len(v) {
			return nil
		}
		d := Option{fmt.Sprintf("%s.%d", code, sub), "", Hex(v[:n])}
		if def := define(space, sub); def != nil {
			d.Name, d.Value = space.Name+"."+def.Name, value(def.Format, v[:n])
		}
		out, v = append(out, d), v[n:]
	}
	return out
}

// number is a number of at most four bytes, the highest first.
func number(v []byte) (n uint32) {
	for _, b := range v {
		n = n<<8 | uint32(b)
	}
	return n
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
					return Hex(v)
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
		return Hex(v)
	}
	return strings.Join(parts, ", ")
}

// one decodes one field at the start of v and says how many bytes it took, 0 if
// it does not fit.
func one(f config.Field, v []byte) (text string, n int) {
	width := fieldWidth[f.Kind]
	switch {
	case width == 0:
		return whole(f, v)
	case len(v) < width:
		return "", 0
	}
	x := number(v[:min(width, 4)])
	switch f.Kind {
	case config.FieldIP6:
		return netip.AddrFrom16([16]byte(v[:16])).String(), width
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
	config.FieldInt16: 2, config.FieldUint16: 2, config.FieldInt32: 4, config.FieldUint32: 4, config.FieldIP: 4, config.FieldIP6: 16,
}

// whole decodes a field that takes all that is left.
func whole(f config.Field, v []byte) (string, int) {
	switch f.Kind {
	case config.FieldText:
		return Quote(v), len(v)
	case config.FieldString:
		if printableAll(v) {
			return Quote(v), len(v)
		}
	case config.FieldDomainList:
		if list := domains(v); list != "" {
			return list, len(v)
		}
	case config.FieldDomainName:
		return strings.TrimRight(Printable(v), "?"), len(v)
	}
	return Hex(v), len(v)
}

// domains decodes a list of domain names, compressed or not (RFC 1035 section 4.1.4,
// RFC 3397); "" if it is none.
func domains(v []byte) string {
	var names []string
	for at := 0; at < len(v); {
		name, next := domain(v, at)
		if next == 0 {
			return ""
		}
		names, at = append(names, Quote([]byte(name))), next
	}
	return strings.Join(names, ", ")
}

// domain decodes the name that begins at a place, and says where the next one
// begins; 0 if there is none.
func domain(v []byte, at int) (name string, next int) {
	const pointer, longest = 0xc0, 255
	for at < len(v) && len(name) <= longest {
		n := int(v[at])
		switch {
		case n == 0:
			return strings.TrimSuffix(name, "."), max(next, at+1)
		case n >= pointer:
			// A pointer leads back, so names end.
			if at+1 >= len(v) || int(number(v[at:at+2]))&0x3fff >= at {
				return "", 0
			}
			if next == 0 {
				next = at + 2
			}
			at = int(number(v[at:at+2])) & 0x3fff
		case at+1+n > len(v) || n >= 64:
			return "", 0
		default:
			name += string(v[at+1:at+1+n]) + "."
			at += 1 + n
		}
	}
	return "", 0
}

// Quote writes text that came from the configuration or the network.
func Quote(v []byte) string { return `"` + Printable(v) + `"` }

// printableAll tells whether a value can be shown as text.
func printableAll(v []byte) bool {
	for _, c := range v {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(v) > 0
}

// Plain writes an option of addresses, numbers or text for a template: text without
// quotes, several values with a space between them. ok is false for others.
func Plain(f config.Format, v []byte) (text string, ok bool) {
	if len(f.Fields) != 1 || len(v) == 0 {
		return "", false
	}
	field := f.Fields[0]
	if field.Kind == config.FieldText || field.Kind == config.FieldDomainName {
		return strings.TrimRight(string(v), "\x00"), true
	}
	width := fieldWidth[field.Kind]
	if width == 0 || field.Kind == config.FieldEnum || len(v)%width != 0 {
		return "", false
	}
	var parts []string
	for ; len(v) > 0; v = v[width:] {
		part, _ := one(field, v)
		parts = append(parts, part)
	}
	return strings.Join(parts, " "), true
}

// Hex writes bytes as colon-separated hexadecimal.
func Hex(v []byte) string {
	var b []byte
	for i, c := range v {
		if i > 0 {
			b = append(b, ':')
		}
		b = fmt.Appendf(b, "%02x", c)
	}
	return string(b)
}

// Printable replaces what a terminal should not see: the text came from the
// network.
func Printable(v []byte) string {
	out := make([]byte, len(v))
	for i, c := range v {
		if out[i] = c; c < ' ' || c > '~' {
			out[i] = '?'
		}
	}
	return string(out)
}

// Order lists the codes of a DHCP message's options as they stand there, each once.
func Order(payload []byte) (codes []byte) {
	var seen [256]bool
	for i := dhcp.OptionsOff; i+1 < len(payload) && payload[i] != dhcp.OptEnd; {
		if payload[i] == dhcp.OptPad {
			i++
			continue
		}
		if !seen[payload[i]] {
			seen[payload[i]] = true
			codes = append(codes, payload[i])
		}
		i += 2 + int(payload[i+1])
	}
	return codes
}
