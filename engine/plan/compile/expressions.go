package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// plain are the operations that mean the same in the plan and need nothing but
// their operands.
var plain = map[config.Op]plan.Op{
	config.OpSubstring: plan.OpSubstring, config.OpSuffix: plan.OpSuffix,
	config.OpLowerCase: plan.OpLowerCase, config.OpUpperCase: plan.OpUpperCase,
	config.OpConcat: plan.OpConcat, config.OpReverse: plan.OpReverse,
	config.OpBinaryToASCII: plan.OpBinaryToASCII, config.OpPick: plan.OpPick,
	config.OpHardware: plan.OpHardware, config.OpPacket: plan.OpPacket,
	config.OpLeasedAddress: plan.OpLeasedAddress, config.OpHostDeclName: plan.OpHostDeclName,
	config.OpFilename: plan.OpFilename, config.OpServerName: plan.OpServerName,
	config.OpNull: plan.OpNull, config.OpClientState: plan.OpNull,
	config.OpLeaseTime: plan.OpLeaseTime, config.OpAdd: plan.OpAdd,
	config.OpSubtract: plan.OpSubtract, config.OpMultiply: plan.OpMultiply,
	config.OpDivide: plan.OpDivide, config.OpRemainder: plan.OpRemainder,
	config.OpBinaryAnd: plan.OpBinaryAnd, config.OpBinaryOr: plan.OpBinaryOr,
	config.OpBinaryXor: plan.OpBinaryXor, config.OpTrue: plan.OpTrue, config.OpFalse: plan.OpFalse,
	config.OpKnown: plan.OpKnown, config.OpStatic: plan.OpStatic, config.OpNot: plan.OpNot,
	config.OpAnd: plan.OpAnd, config.OpOr: plan.OpOr, config.OpEqual: plan.OpEqual,
	config.OpNotEqual: plan.OpNotEqual,
}

// expr compiles an expression and returns its index.
func (c *compiler) expr(x *config.Expr) int32 {
	if x == nil {
		return c.node(plan.Expr{Op: plan.OpNull})
	}
	if op, ok := plain[x.Op]; ok {
		return c.operation(plan.Expr{Op: op}, x)
	}
	switch x.Op {
	case config.OpConst, config.OpHost, config.OpGethostbyname:
		return c.constant(x.Data)
	case config.OpNumber:
		return c.node(plan.Expr{Op: plan.OpNumber, Num: uint64(x.Number)})
	case config.OpEncodeInt:
		return c.operation(plan.Expr{Op: plan.OpEncodeInt, Width: uint8(x.Width / 8)}, x)
	case config.OpExtractInt:
		return c.operation(plan.Expr{Op: plan.OpExtractInt, Width: uint8(x.Width / 8)}, x)
	case config.OpOption:
		return c.node(c.reading(x.Option, plan.OpOption, plan.OpSubOption))
	case config.OpExists:
		return c.node(c.reading(x.Option, plan.OpExists, plan.OpExistsSub))
	case config.OpConfigOption:
		return c.configOption(x)
	case config.OpVariable:
		return c.node(plan.Expr{Op: plan.OpVariable, Slot: c.variable(x.Name)})
	case config.OpVariableExists:
		return c.node(plan.Expr{Op: plan.OpDefined, Slot: c.variable(x.Name)})
	case config.OpCall:
		return c.call(x)
	case config.OpCheck: // of the only collection, "default"
		return c.node(plan.Expr{Op: plan.OpAnyClass})
	case config.OpRegex, config.OpRegexNoCase:
		return c.regex(x)
	}
	c.error(x.Pos, "leave the expression out", "an operation that has no meaning in a server")
	return c.node(plan.Expr{Op: plan.OpNull})
}

// node appends an expression with operands that are compiled already.
func (c *compiler) node(x plan.Expr, operands ...int32) int32 {
	x.First, x.N = int32(len(c.prog.Operands)), int32(len(operands))
	c.prog.Operands = append(c.prog.Operands, operands...)
	c.prog.Exprs = append(c.prog.Exprs, x)
	return int32(len(c.prog.Exprs) - 1)
}

// operation compiles the operands, then the node. What is made of constants
// only is put together now.
func (c *compiler) operation(node plan.Expr, x *config.Expr) int32 {
	if text, ok := joined(x); ok {
		return c.constant(text)
	}
	// All operands first: those of one node must stand together.
	operands := make([]int32, len(x.Args))
	for i, arg := range x.Args {
		operands[i] = c.expr(arg)
	}
	return c.node(node, operands...)
}

// joined returns the value of an expression that is a constant, or constants
// put end to end: the usual form of an option's value.
func joined(x *config.Expr) (text []byte, ok bool) {
	switch x.Op {
	case config.OpConst, config.OpHost, config.OpGethostbyname:
		return x.Data, true
	case config.OpConcat:
		for _, arg := range x.Args {
			part, constant := joined(arg)
			if !constant {
				return nil, false
			}
			text = append(text, part...)
		}
		return text, true
	}
	return nil, false
}

// constant stores bytes once and returns an expression for them.
func (c *compiler) constant(b []byte) int32 {
	return c.node(plan.Expr{Op: plan.OpConst, Off: c.bytes(b), Len: uint32(len(b))})
}

// bytes returns where a constant stands in the data. Equal constants share one
// place: names of 100,000 hosts repeat, and so do addresses.
func (c *compiler) bytes(b []byte) uint32 {
	at, ok := c.constants[string(b)]
	if !ok {
		at = uint32(len(c.prog.Data))
		c.prog.Data = append(c.prog.Data, b...)
		c.constants[string(b)] = at
	}
	return at
}

const userClass = 77 // RFC 3004

// reading is a node that reads an option of the request.
func (c *compiler) reading(o *config.OptionDef, own, other plan.Op) plan.Expr {
	x := plan.Expr{Op: own, Code: o.Code}
	if at := textAt(o.Format); at >= 0 {
		x.Flags, x.MinLen = plan.FlagText, uint8(at)
	}
	switch o.Space.Name {
	case config.SpaceDHCP:
		if o.Code == userClass {
			x.Flags |= plan.FlagPrefix
		}
		if o.Code > 255 {
			return absent(own)
		}
		return x
	case config.SpaceServer:
		return absent(own)
	}
	space, ok := c.spaces[o.Space]
	if !ok {
		return absent(own)
	}
	x.Op, x.Space = other, space
	return x
}

// absent is what reading an option yields that no message has.
func absent(op plan.Op) plan.Expr {
	if op == plan.OpExists {
		return plan.Expr{Op: plan.OpFalse}
	}
	return plan.Expr{Op: plan.OpNull}
}

// configOption reads the slot that statements fill. An option that nothing fills
// gets a slot as well; it is null.
func (c *compiler) configOption(x *config.Expr) int32 {
	slot, ok := c.slot(x.Option)
	if !ok {
		return c.node(plan.Expr{Op: plan.OpNull})
	}
	return c.node(plan.Expr{Op: plan.OpConfigOption, Slot: slot})
}

// call: without such a function, or with other arguments, the call yields null,
// as in dhcpd.
func (c *compiler) call(x *config.Expr) int32 {
	at, ok := c.functions[x.Name]
	if !ok { // the parser has said so
		return c.node(plan.Expr{Op: plan.OpNull})
	}
	if want := c.prog.Functions[at].Len; int(want) != len(x.Args) {
		c.warn(x.Pos, "pass as many arguments as the definition has",
			"function %q has %d arguments, not %d: the call yields nothing", x.Name, want, len(x.Args))
	}
	return c.operation(plan.Expr{Op: plan.OpCall, Slot: at}, x)
}
