package plan

// Program is the statements and expressions of a configuration in flat arrays:
// what refers to something else does so by index, so a program can be read by
// any number of workers and holds nothing for the collector to follow but the
// arrays themselves. Package compile makes it; it is never changed afterwards.
type Program struct {
	Scopes     []Scope
	Statements []Statement
	Exprs      []Expr
	Operands   []int32 // of expressions: indexes into Exprs
	Data       []byte  // constants
	Spaces     []Space
	SubOptions []SubOption // slots from SlotSub on
	Functions  []Function
	Parameters []int32 // of functions: variables
	Cases      []Case
	Rules      []ClassRule // in the order of declaration
	Subclasses []Subclass
	Regexes    []Regex
	Hosts      HostIndex
	Variables  int // how many names "set", "define" and functions use

	// Encapsulated tells for each code of space dhcp which space's options its
	// value is made of (index into Spaces), -1 if none.
	Encapsulated [256]int32
	// Enclosing marks those codes, and option 43, whose value may be that of the
	// vendor-option-space.
	Enclosing [4]uint64
	// Prefixed marks the encapsulating options whose value begins with fields
	// of its own, as "Be" formats do.
	Prefixed [4]uint64
	// Text marks the options whose format ends in text: a client that ends its
	// host name with NUL gets these with a NUL, too.
	Text [4]uint64
	// Names marks the options that are lists of compressed domain names
	// (RFC 3397): such lists cannot be joined by putting them end to end.
	Names [4]uint64

	SubnetOrder  []int32 // indexes into Plan.Subnets, sorted by Net, then the wider first
	SubnetOuter  []int32 // per subnet: the next wider declared one that holds it, -1
	SubclassHash []int32 // open addressing over Subclasses, power of two, -1 empty
}

// Slots are where the statements leave values: one per code of space dhcp, one
// per Param, and one for each option of another space that the configuration
// sets somewhere.
const (
	slotParam = 256
	SlotSub   = slotParam + int(Params)
)

// SlotOf returns the slot of a parameter.
func SlotOf(p Param) int32 { return slotParam + int32(p) }

// Block is a run of consecutive statements.
type Block struct{ First, Len int32 }

// Scope is the statements of one declaration. Parent is the scope around it,
// -1 for the outermost.
type Scope struct {
	Parent int32
	Body   Block
}

// StatementKind says what a Statement does.
type StatementKind uint8

// The kinds of statement. Then, Else and Expr mean what dhcp-eval(5) says;
// Target is a slot, a variable or a class.
const (
	DoSet      StatementKind = iota // slot = Expr (supersede, option, send)
	DoDefault                       // slot = Expr unless it is set
	DoAppend                        // slot = slot + Expr
	DoPrepend                       // slot = Expr + slot
	DoIf                            // Expr: Then or Else
	DoSwitch                        // Expr, over Cases[Then.First:+Then.Len]; Else: the body of default, if Target is 1
	DoBreak                         // end of this list of statements
	DoVariable                      // variable Target = Expr
	DoUnset                         // variable Target
	DoReturn                        // Expr
	DoEval                          // Expr, for its effects
	DoLog                           // Expr; Target: priority, see Eval.NextLog
	DoAdd                           // class Target
)

// Statement is one executable statement.
type Statement struct {
	Kind       StatementKind
	Target     int32
	Expr       int32
	Then, Else Block
	Origin     int32
}

// Case is one label of a switch: its value, and the statements from it to the
// end of the switch, since labels fall through.
type Case struct {
	Value int32
	Body  Block
}

// Function is a define'd function: its arguments are
// Parameters[First:First+Len].
type Function struct {
	First, Len int32
	Body       Block
}

// Space is an option space other than dhcp, as Eval needs it.
type Space struct {
	Name      string
	CodeWidth uint8 // bytes of a code: 1, 2 or 4
	LenWidth  uint8 // bytes of a length: 0 (the value takes the rest), 1 or 2
	Kind      SpaceKind
	Parent    int32   // space that holds the enclosing option: -1 dhcp, -2 none
	Code      uint32  // of the enclosing option
	Slot      int32   // of the enclosing option, -1 if nothing sets it
	Slots     []int32 // of its options that something sets, in the order in which dhcpd writes them
	Children  []int32 // spaces whose enclosing option belongs to this one
	SiteMin   int     // lowest code that counts as site-local (RFC 3942) while this is the site-option-space
}

// SpaceKind tells the spaces with a layout of their own.
type SpaceKind uint8

// The kinds of space.
const (
	SpaceTLV  SpaceKind = iota // code, length, value
	SpaceFQDN                  // parts of option 81 (RFC 4702)
	SpaceNWIP                  // NetWare/IP, RFC 2242: begins with the mark 02 00
)

// SubOption is an option of a space other than dhcp that some statement sets.
type SubOption struct {
	Space int32
	Code  uint32
	Empty bool // may be sent without data: a flag
}
