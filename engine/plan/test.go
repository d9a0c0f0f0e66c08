package plan

import "bytes"

// truth evaluates a condition; ok=false is null. Conditions are what most of a
// configuration's work is, so they are evaluated without making values of them.
func (e *Eval) truth(i int32) (is, ok bool) {
	x := &e.prog.Exprs[i]
	switch x.Op {
	case OpExists:
		return e.option(x).kind != null, true
	case OpKnown:
		return e.known, true
	}
	if !e.enter() {
		return false, false
	}
	switch {
	case x.Op == OpEqual:
		is, ok = e.equal(x), true
	case x.Op == OpNotEqual:
		is, ok = !e.equal(x), true
	case x.Op == OpAnd || x.Op == OpOr || x.Op == OpNot:
		is, ok = e.logic(x)
	case x.Op == OpRegex:
		is, ok = e.regex(x)
	case x.Op >= firstBool:
		is, ok = e.fact(x), true
	default: // a variable, or a function
		is, ok = e.operate(x).asTruth()
	}
	e.leave()
	return is, ok
}

// fact evaluates what is never null.
func (e *Eval) fact(x *Expr) bool {
	switch x.Op {
	case OpTrue:
		return true
	case OpAnyClass:
		return e.classN > 0
	case OpExistsSub:
		return e.subOption(x).kind != null
	case OpStatic:
		return e.static
	case OpDefined:
		return e.variables[x.Slot].generation == e.generation
	}
	return false
}

// logic evaluates and, or, not. As in dhcpd, "and" is null unless both sides
// have been evaluated, so that "not (false and X)" is null as well; "or" is
// null only if both sides are.
func (e *Eval) logic(x *Expr) (is, ok bool) {
	left, ok := e.truth(e.prog.Operands[x.First])
	switch x.Op {
	case OpNot:
		return !left, ok
	case OpAnd:
		if !ok || !left {
			return false, false
		}
		return e.truth(e.prog.Operands[x.First+1])
	}
	if ok && left {
		return true, true
	}
	right, also := e.truth(e.prog.Operands[x.First+1])
	return also && right, ok || also
}

// equal compares two values of any type. Two nulls are equal, a null equals
// nothing else, values of different types differ.
func (e *Eval) equal(x *Expr) bool {
	ops := e.prog.Operands[x.First : x.First+2]
	a, b := e.eval(ops[0]), e.eval(ops[1])
	return same(a, b) || prefixed(a, b, e.prog.Exprs[ops[0]].Flags) || prefixed(b, a, e.prog.Exprs[ops[1]].Flags)
}

// prefixed compares a user class, which the expression with these flags
// yielded in RFC 3004's form, with the bare text.
func prefixed(class, text value, flags uint8) bool {
	return flags&FlagPrefix != 0 && class.kind == data && text.kind == data &&
		len(class.data) > 0 && bytes.Equal(unprefixed(class.data), text.data)
}

// same compares two values of the same type byte by byte; two nulls are the same.
func same(a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	if a.kind == data {
		return bytes.Equal(a.data, b.data)
	}
	return a.num == b.num
}

// unprefixed returns the single class in a user class of RFC 3004's form, one
// length byte and as many bytes; other data is returned as it is.
func unprefixed(b []byte) []byte {
	if len(b) > 1 && int(b[0]) == len(b)-1 {
		return b[1:]
	}
	return b
}

// regex matches the text, which ends at its first NUL, with an expression of
// the program. As in dhcpd a constant "" and what substring finds behind the end
// of its data, which are nil here, match nothing, not even "^$"; other empty data
// does.
func (e *Eval) regex(x *Expr) (is, ok bool) {
	b, ok := e.dataAt(x, 0)
	if !ok {
		return false, false
	}
	if b == nil {
		return false, true
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return e.prog.Regexes[x.Slot].Matches(b), true
}
