package plan

// calculate evaluates the numeric operations of dhcp-eval(5). Numbers are 64 bits
// wide and wrap around, as dhcpd's are on the machines it runs on today;
// negative ones are written as their complement, so that encode-int, which keeps
// the low bytes, sends what was meant.
//
// extract-int of less data than it needs is null. (dhcpd reads one byte behind
// empty data in its 8-bit form, whatever stands there.)
func (e *Eval) calculate(x *Expr) value {
	switch x.Op {
	case OpNumber:
		return numberOf(x.Num)
	case OpExtractInt:
		b, ok := e.dataAt(x, 0)
		if !ok || len(b) < int(x.Width) {
			return value{}
		}
		return numberOf(bigEndian(b[:x.Width]))
	case OpLeaseTime:
		if e.lease == 0 {
			return value{}
		}
		return numberOf(uint64(e.lease))
	}
	a, ok := e.numberAt(x, 0)
	b, also := e.numberAt(x, 1)
	if !ok || !also {
		return value{}
	}
	return arithmetic(x.Op, a, b)
}

// arithmetic works on two numbers; what cannot be divided is null. Precedence is
// the parser's affair: dhcpd has rules of its own there.
func arithmetic(op Op, a, b uint64) value {
	switch op {
	case OpAdd:
		return numberOf(a + b)
	case OpSubtract:
		return numberOf(a - b)
	case OpMultiply:
		return numberOf(a * b)
	case OpBinaryAnd:
		return numberOf(a & b)
	case OpBinaryOr:
		return numberOf(a | b)
	case OpBinaryXor:
		return numberOf(a ^ b)
	}
	if b == 0 {
		return value{}
	}
	if op == OpDivide {
		return numberOf(a / b)
	}
	return numberOf(a % b)
}
