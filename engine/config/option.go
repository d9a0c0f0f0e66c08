package config

// Universe is the option spaces known to a configuration: the built-in ones
// (dhcp-options(5)) and those it defines.
type Universe struct {
	Spaces []*Space
}

// Space is one option space.
type Space struct {
	Name      string
	CodeWidth int // bytes of a code, 1 by default (option space … code width N)
	LenWidth  int // bytes of a length: 0, 1 or 2
	HashSize  int
	Enclosing *OptionDef // the option that encapsulates the space, nil if none
	Options   []*OptionDef

	names map[string]*OptionDef // by name in lower case: option names have no case
	codes map[uint32]*OptionDef // the definition in force for a code
}

// The names of the built-in spaces. Parameters such as default-lease-time are
// options of SpaceServer, as they are in dhcpd.
const (
	SpaceDHCP   = "dhcp"
	SpaceServer = "server"
	SpaceAgent  = "agent" // sub-options of option 82
	SpaceFQDN   = "fqdn"  // parts of option 81
	SpaceVIVCO  = "vendor-class"
	SpaceVIVSO  = "vendor"
)

// OptionDef is one option of a space.
type OptionDef struct {
	Space       *Space
	Name        string // without its space
	Code        uint32
	Format      Format
	Encapsulate *Space // its value is the options of this space
	Pos         Pos    // where the file defines it; zero for a built-in one
}

// Format is the layout of an option's value: the fields of one record, and
// whether the record repeats.
type Format struct {
	Fields []Field
	Array  bool // the whole record repeats
}

// FieldKind is the type of one field.
type FieldKind uint8

// The kinds of field (dhcpd.conf(5), OPTION DEFINITIONS).
const (
	FieldBoolean FieldKind = iota
	FieldInt8
	FieldInt16
	FieldInt32
	FieldUint8
	FieldUint16
	FieldUint32
	FieldIP
	FieldIP6
	FieldText   // ASCII, unterminated
	FieldString // text in quotes, or colon-separated hexadecimal
	FieldDomainName
	FieldDomainList // compressed or not, RFC 3397
	FieldFlag       // presence is the value, no data
	FieldEnum       // one of a set of names, one byte
	FieldEncapsulate
)

// Field is one field of a format.
type Field struct {
	Kind       FieldKind
	Array      bool // this field alone repeats to the end
	Optional   bool
	Compressed bool // FieldDomainList
	Enum       map[string]uint32

	form fieldForm // how the file writes a value that differs from the kind's own way
}
