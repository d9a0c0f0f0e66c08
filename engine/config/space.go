package config

import "strings"

// fieldForm is how a value is written where that is not as its kind says.
type fieldForm uint8

const (
	formPlain   fieldForm = iota
	formTime              // seconds or the word infinite
	formWord              // a bare word: the name of an option space
	formKeyName           // the name of a TSIG key, with dots
)

// Space finds an option space by name; names have no case.
func (u *Universe) Space(name string) *Space {
	for i := len(u.Spaces) - 1; i >= 0; i-- {
		if strings.EqualFold(u.Spaces[i].Name, name) {
			return u.Spaces[i]
		}
	}
	return nil
}

// Lookup finds an option by name; names have no case.
func (s *Space) Lookup(name string) *OptionDef { return s.names[strings.ToLower(name)] }

// ByCode finds the definition in force for a code: the last one made.
func (s *Space) ByCode(code uint32) *OptionDef { return s.codes[code] }

// add makes d the definition in force for its name and its code. An earlier
// definition of the code can still be used by its name, as in dhcpd.
func (s *Space) add(d *OptionDef) {
	d.Space = s
	s.Options = append(s.Options, d)
	s.names[strings.ToLower(d.Name)] = d
	s.codes[d.Code] = d
}

// remove forgets a definition that the file makes anew.
func (s *Space) remove(d *OptionDef) {
	delete(s.names, strings.ToLower(d.Name))
	if s.codes[d.Code] == d {
		delete(s.codes, d.Code)
	}
}

// optionNames lists the names of a space, for suggestions.
func (s *Space) optionNames() []string {
	names := make([]string, 0, len(s.names))
	for _, d := range s.names {
		names = append(names, d.Name)
	}
	return names
}

func newSpace(name string, codeWidth, lenWidth int) *Space {
	return &Space{Name: name, CodeWidth: codeWidth, LenWidth: lenWidth,
		names: map[string]*OptionDef{}, codes: map[uint32]*OptionDef{}}
}

// maxCode is the highest code that fits the space.
func (s *Space) maxCode() uint32 { return uint32(uint64(1)<<(8*s.CodeWidth) - 1) }

// findSpace finds a declared or built-in space, nil if there is none.
func (p *parser) findSpace(name string) *Space { return p.spaces[strings.ToLower(name)] }

// String is the word of the declaration that opens the scope.
func (k ScopeKind) String() string {
	return [...]string{"top level", "shared-network", "subnet", "pool", "group", "host", "class", "subclass"}[k]
}

// place says where a statement stands, in a message.
func (k ScopeKind) place() string {
	if k == ScopeGlobal {
		return "at the top level"
	}
	return "in a " + k.String()
}
