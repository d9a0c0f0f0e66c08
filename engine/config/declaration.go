package config

import (
	"fmt"
	"strings"
)

// typeWords are the types as a definition writes them (dhcp-options(5), DEFINING NEW
// OPTIONS). An enumeration is of no definition in a file.
var typeWords = map[FieldKind]string{
	FieldBoolean: "boolean", FieldInt8: "signed integer 8", FieldInt16: "signed integer 16", FieldInt32: "signed integer 32",
	FieldUint8: "unsigned integer 8", FieldUint16: "unsigned integer 16", FieldUint32: "unsigned integer 32",
	FieldIP: "ip-address", FieldIP6: "ip6-address", FieldText: "text", FieldString: "string", FieldDomainName: "domain-name",
	FieldDomainList: "domain-list", FieldFlag: "zerolen",
}

// Declarations writes the option spaces and options that the file itself defines as
// a configuration that defines the same, and nothing else: what another process
// needs in order to read options as this one does. It is empty if there are none.
func (t *Tree) Declarations() string {
	builtin := map[string]bool{}
	for _, s := range ParseText("", nil, Options{}).Universe.Spaces {
		builtin[s.Name] = true
	}
	var spaces, options strings.Builder
	for _, s := range t.Universe.Spaces {
		if !builtin[s.Name] {
			fmt.Fprintf(&spaces, "option space %s%s;\n", s.Name, s.widths())
		}
		for _, d := range s.Options {
			if d.Pos.Line != 0 {
				options.WriteString(d.declaration())
			}
		}
	}
	// Option 43 holds the space that a vendor-option-space names.
	var vendors strings.Builder
	said := map[string]bool{}
	t.EachStatement(func(s *Statement) {
		if s.Kind == StatementVendorSpace && !said[s.Name] {
			said[s.Name] = true
			fmt.Fprintf(&vendors, "vendor-option-space %s;\n", s.Name)
		}
	})
	return spaces.String() + options.String() + vendors.String()
}

// widths is how the declaration of a space says what differs from one byte each for
// code and length.
func (s *Space) widths() (text string) {
	if s.CodeWidth != 1 {
		text += fmt.Sprintf(" code width %d", s.CodeWidth)
	}
	if s.LenWidth != 1 {
		text += fmt.Sprintf(" length width %d", s.LenWidth)
	}
	return text
}

// declaration is the line that defines an option.
func (d *OptionDef) declaration() string {
	name := d.Name
	if d.Space.Name != SpaceDHCP {
		name = d.Space.Name + "." + name
	}
	return fmt.Sprintf("option %s code %d = %s;\n", name, d.Code, d.typeText())
}

// typeText is the type of a definition.
func (d *OptionDef) typeText() string {
	var fields []string
	for _, f := range d.Format.Fields {
		word := typeWords[f.Kind]
		switch {
		case f.Kind == FieldEncapsulate && d.Encapsulate != nil:
			word = "encapsulate " + d.Encapsulate.Name
		case f.Compressed:
			word += " compressed"
		}
		if f.Array {
			word = "array of " + word
		}
		fields = append(fields, word)
	}
	text := strings.Join(fields, ", ")
	if len(fields) != 1 || d.Format.Array {
		text = "{ " + text + " }"
	}
	if d.Format.Array {
		text = "array of " + text
	}
	return text
}
