package plan

// Op is an operation of an expression. The order matters: data operations
// come first, then numbers, then truth values.
type Op uint8

// The operations, named after dhcp-eval(5).
const (
	OpConst        Op = iota // Data[Off:Off+Len]
	OpOption                 // option of space dhcp: Code
	OpSubOption              // option of space Space: Code
	OpConfigOption           // Slot
	OpSubstring
	OpSuffix
	OpLowerCase
	OpUpperCase
	OpConcat
	OpReverse
	OpBinaryToASCII
	OpEncodeInt // Width bytes
	OpPick
	OpHardware
	OpPacket
	OpLeasedAddress
	OpHostDeclName
	OpFilename   // file field of the request
	OpServerName // sname field of the request
	OpVariable   // any type
	OpCall       // any type
	OpNull

	OpNumber // Num
	OpExtractInt
	OpLeaseTime
	OpAdd
	OpSubtract
	OpMultiply
	OpDivide
	OpRemainder
	OpBinaryAnd
	OpBinaryOr
	OpBinaryXor

	OpTrue
	OpFalse
	OpAnyClass  // check "default": the client belongs to some class
	OpExists    // option of space dhcp
	OpExistsSub // option of another space
	OpKnown
	OpStatic
	OpNot
	OpAnd
	OpOr
	OpEqual
	OpNotEqual
	OpRegex // Regexes[Slot]
	OpDefined

	firstNumber = OpNumber
	firstBool   = OpTrue
)

// Flags of an expression.
const (
	FlagText   uint8 = 1 << iota // OpOption: trailing NULs behind MinLen bytes are no part of the value
	FlagPrefix                   // OpOption: option 77, equal to a text with and without its RFC 3004 length byte
)

// Expr is one node. Its operands are Operands[First:First+N]; the other fields
// mean what the operation says.
type Expr struct {
	Op     Op
	Flags  uint8
	Width  uint8 // bytes
	MinLen uint8
	First  int32
	N      int32
	Space  int32
	Code   uint32
	Slot   int32  // slot, variable, function, class or regex
	Off    uint32 // OpConst
	Len    uint32 // OpConst
	Num    uint64
}

// kind is the type of a value.
type kind uint8

const (
	null kind = iota
	data
	number
	truth
)

// value is what an expression yields. The data belongs to the request, the
// program or the scratch memory of the Eval; it dies with the message.
type value struct {
	kind kind
	data []byte
	num  uint64 // number; truth: 0 or 1
}

// dataOf, numberOf and truthOf make values; null has no maker, it is value{}.
func dataOf(b []byte) value   { return value{kind: data, data: b} }
func numberOf(n uint64) value { return value{kind: number, num: n} }

func truthOf(b bool) value {
	if b {
		return value{kind: truth, num: 1}
	}
	return value{kind: truth}
}

// asData is what an option statement makes of a value: only data can be sent.
func (v value) asData() ([]byte, bool) { return v.data, v.kind == data }

// asNumber and asTruth are null for a value of another type, as in dhcpd,
// which does not convert.
func (v value) asNumber() (uint64, bool) { return v.num, v.kind == number }
func (v value) asTruth() (is, ok bool)   { return v.num != 0, v.kind == truth }
