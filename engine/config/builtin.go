package config

import (
	"fmt"
	"strconv"
	"strings"
)

// The names of the other built-in spaces.
const (
	spaceNetWare = "nwip" // sub-options of option 63 (RFC 2242)
	spaceISC     = "isc"  // ISC's own vendor options, enterprise number 2495
)

// newUniverse returns a fresh copy of the built-in option spaces, which a
// configuration may then change by its own definitions.
func newUniverse() *Universe {
	u := &Universe{}
	for _, b := range []struct {
		name, table string
		code, len   int
	}{
		{SpaceDHCP, optionsDHCP, 1, 1},
		{SpaceServer, optionsServer, 1, 1},
		{SpaceAgent, optionsAgent, 1, 1},
		{SpaceFQDN, optionsFQDN, 1, 1},
		{spaceNetWare, optionsNetWare, 1, 1},
		{SpaceVIVCO, optionsVIVCO, 4, 1},
		{SpaceVIVSO, optionsVIVSO, 4, 1},
		{spaceISC, optionsISC, 1, 1},
	} {
		u.Spaces = append(u.Spaces, newSpace(b.name, b.code, b.len))
		fillSpace(u.Spaces[len(u.Spaces)-1], b.table)
	}
	// Links need all the spaces.
	for _, s := range u.Spaces {
		for _, d := range s.Options {
			u.linkEncapsulated(d)
		}
	}
	return u
}

// fillSpace reads a table of lines "code name format".
func fillSpace(s *Space, table string) {
	for line := range strings.Lines(strings.TrimSpace(table)) {
		f := strings.Fields(line)
		code, err := strconv.ParseUint(f[0], 10, 32)
		if err != nil || len(f) != 3 {
			panic("config: bad line in a built-in option table: " + line)
		}
		s.add(&OptionDef{Name: f[1], Code: uint32(code), Format: parseFormat(f[2])})
	}
}

// linkEncapsulated connects an option with the space that it encapsulates: the
// built-in ones are named here, since their format tells the kind only.
func (u *Universe) linkEncapsulated(d *OptionDef) {
	name := map[string]string{"fqdn": SpaceFQDN, "relay-agent-information": SpaceAgent,
		"nwip-suboptions": spaceNetWare, "vivco": SpaceVIVCO, "vivso": SpaceVIVSO}[d.Name]
	if d.Space.Name != SpaceDHCP { // fqdn.fqdn, too, is called fqdn
		name = ""
	}
	if d.Space.Name == SpaceVIVSO && d.Name == spaceISC {
		name = spaceISC
	}
	if name != "" {
		d.Encapsulate = u.Space(name)
		d.Encapsulate.Enclosing = d
	}
}

// parseFormat reads a format in the notation of the tables below: one letter per
// field, in the order of the value.
//
//	b B s S l L  integer of 8, 16, 32 bits, signed or not
//	I 6          IPv4, IPv6 address
//	f            boolean
//	t X          text; text or colon-separated hexadecimal
//	d D          domain name; list of domain names
//	E            encapsulated options, or their bytes
//	T U k        seconds or infinite; a word; the name of a key
//	Z            no value
//	N<name>.     one of a named set of words
//
// After a field, c means compressed, o optional, a repeated; A at the end
// means that the whole record repeats.
func parseFormat(s string) Format {
	var f Format
	for i := 0; i < len(s); i++ {
		last := len(f.Fields) - 1
		switch c := s[i]; c {
		case 'A':
			f.Array = true
		case 'a':
			f.Fields[last].Array = true
		case 'o':
			f.Fields[last].Optional = true
		case 'c':
			f.Fields[last].Compressed = true
		case 'N':
			end := i + strings.IndexByte(s[i:], '.')
			f.Fields = append(f.Fields, Field{Kind: FieldEnum, Enum: enumerations[s[i+1:end]]})
			i = end
		default:
			f.Fields = append(f.Fields, formatField(c))
		}
	}
	return f
}

// formatField is the field of one letter.
func formatField(c byte) Field {
	kind, ok := map[byte]FieldKind{'b': FieldInt8, 's': FieldInt16, 'l': FieldInt32,
		'B': FieldUint8, 'S': FieldUint16, 'L': FieldUint32, 'T': FieldUint32,
		'I': FieldIP, '6': FieldIP6, 'f': FieldBoolean, 't': FieldText, 'X': FieldString,
		'U': FieldText, 'k': FieldText, 'd': FieldDomainName, 'D': FieldDomainList,
		'E': FieldEncapsulate, 'Z': FieldFlag}[c]
	if !ok {
		panic(fmt.Sprintf("config: bad letter %q in a format", c))
	}
	form := map[byte]fieldForm{'T': formTime, 'U': formWord, 'k': formKeyName}[c]
	return Field{Kind: kind, form: form}
}

// enumerations are the sets of words that parameters take.
var enumerations = map[string]map[string]uint32{
	"ddns":   {"none": 0, "ad-hoc": 1, "interim": 2, "standard": 3},
	"prefix": {"ignore": 0, "prefer": 1, "exact": 2, "minimum": 3, "maximum": 4},
	"syslog": {"kern": 0, "user": 8, "mail": 16, "daemon": 24, "auth": 32, "syslog": 40,
		"lpr": 48, "news": 56, "uucp": 64, "cron": 72, "authpriv": 80, "ftp": 88,
		"local0": 128, "local1": 136, "local2": 144, "local3": 152, "local4": 160,
		"local5": 168, "local6": 176, "local7": 184},
}
