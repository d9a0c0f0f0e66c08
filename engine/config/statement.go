package config

// StatementKind says what a statement does (dhcpd.conf(5), dhcp-eval(5)).
type StatementKind uint8

// The kinds of statement.
const (
	StatementOption      StatementKind = iota // option NAME VALUE; and every parameter, which is an option of space "server"
	StatementIf                               // if … elsif … else
	StatementSwitch                           // switch (…) { case …: default: }
	StatementBreak                            // break;
	StatementSet                              // set VAR = EXPR;
	StatementUnset                            // unset VAR;
	StatementDefine                           // define NAME (ARGS) { … }: a function
	StatementReturn                           // return EXPR;
	StatementEval                             // eval EXPR;
	StatementLog                              // log ([priority,] EXPR);
	StatementAdd                              // add "CLASS";
	StatementOn                               // on commit|expiry|release|transmission { … }; checked and dropped by the parser
	StatementVendorSpace                      // vendor-option-space NAME; Option.Space's values go into option 43
)

// OptionOp says how an option statement combines with an earlier value.
type OptionOp uint8

// The operations; "option" is Supersede, in dhcpd as here.
const (
	Supersede OptionOp = iota
	Default
	Append
	Prepend
	Send
)

// Statement is one executable statement. The parser leaves out what has no effect
// (Constructs, class Ignored): execute, on, and parameters such as ddns-ttl.
// Parameters are StatementOption with an option of SpaceServer; a value that
// the file writes as such is an OpConst, encoded as on the wire, and
// "NAME = EXPR" is the expression as written. allow, deny and ignore outside
// pools are parameters with the values 1, 0 and 2.
type Statement struct {
	Kind   StatementKind
	Pos    Pos
	Op     OptionOp    // StatementOption
	Option *OptionDef  // StatementOption
	Expr   *Expr       // value, condition, text; nil for "unset" and "break"
	Name   string      // variable, function, class or space
	Args   []string    // StatementDefine: parameter names
	Then   []Statement // StatementIf: true branch; StatementDefine, StatementOn: body
	Else   []Statement // StatementIf
	Cases  []Case      // StatementSwitch
	Events uint8       // StatementOn: bits 1 commit, 2 expiry, 4 release, 8 transmission
	Level  string      // StatementLog: fatal, error, info, debug; "info" if not given
}

// Case is one label of a switch with the statements up to the next label; they
// fall through to the next case as in C unless a break ends them.
type Case struct {
	Pos   Pos
	Value *Expr // nil: default
	Body  []Statement
}

// Op is an operation of dhcp-eval(5).
type Op uint8

// The operations. Args are in the order of the text.
const (
	// data expressions
	OpConst         Op = iota // Data: literal text, colon-separated hexadecimal, or an encoded value
	OpOption                  // option NAME, read from the request
	OpConfigOption            // config-option NAME, read from the reply being built
	OpSubstring               // substring (data, offset, length)
	OpSuffix                  // suffix (data, length)
	OpLowerCase               // lcase (data)
	OpUpperCase               // ucase (data)
	OpConcat                  // concat (data, …)
	OpReverse                 // reverse (width, data)
	OpBinaryToASCII           // binary-to-ascii (base, width, separator, data)
	OpEncodeInt               // encode-int (number, 8|16|32): Width
	OpPick                    // pick-first-value (data, …)
	OpHardware                // hardware: type byte, then address
	OpPacket                  // packet (offset, length)
	OpLeasedAddress           // leased-address
	OpHostDeclName            // host-decl-name
	OpClientState             // client-state (null in a server)
	OpFilename                // filename: as set so far
	OpServerName              // server-name: as set so far
	OpVariable                // variable reference: Name
	OpCall                    // function call: Name
	OpGethostbyname           // gethostbyname ("NAME"), resolved at load: Data
	OpHost                    // host name where an address list is wanted, resolved at load: Data
	OpNull                    // null
	// numeric expressions
	OpNumber     // Number
	OpExtractInt // extract-int (data, 8|16|32): Width
	OpLeaseTime  // lease-time
	OpAdd        // + - * / % & | ^
	OpSubtract
	OpMultiply
	OpDivide
	OpRemainder
	OpBinaryAnd
	OpBinaryOr
	OpBinaryXor
	// boolean expressions
	OpTrue // a boolean constant
	OpFalse
	OpCheck          // check "NAME"
	OpExists         // exists OPTION
	OpKnown          // known
	OpStatic         // static: the address is a fixed one
	OpNot            // not
	OpAnd            // and
	OpOr             // or
	OpEqual          // =
	OpNotEqual       // !=
	OpRegex          // ~=
	OpRegexNoCase    // ~~
	OpVariableExists // defined (NAME)
)

// Type is what an expression yields.
type Type uint8

// The types of dhcp-eval(5).
const (
	TypeData Type = iota
	TypeNumber
	TypeBool
)

// Expr is one node of an expression. The Type of OpVariable and OpCall is what
// their place wants; what they hold is known at run time only. concat and
// pick-first-value have all their arguments in one node.
type Expr struct {
	Op     Op
	Type   Type
	Pos    Pos
	Args   []*Expr
	Data   []byte
	Number int64
	Width  int // bits
	Name   string
	Option *OptionDef
}
