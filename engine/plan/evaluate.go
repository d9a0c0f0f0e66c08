package plan

// eval evaluates an expression. Null is the zero value: it is what an option
// that the client did not send yields, and in most operations what one null
// operand makes of the whole (dhcp-eval(5)).
func (e *Eval) eval(i int32) value {
	x := &e.prog.Exprs[i]
	switch x.Op { // the leaves, which need no count
	case OpConst:
		return dataOf(e.constant(x))
	case OpOption:
		return e.option(x)
	}
	if x.Op >= firstBool {
		is, ok := e.truth(i)
		if !ok {
			return value{}
		}
		return truthOf(is)
	}
	if !e.enter() {
		return value{}
	}
	v := e.operate(x)
	e.leave()
	return v
}

// constant is the bytes of an OpConst, nil if there are none: see regex.
func (e *Eval) constant(x *Expr) []byte {
	if x.Len == 0 {
		return nil
	}
	return e.prog.Data[x.Off : x.Off+x.Len : x.Off+x.Len]
}

// operate sends an operation that is neither a leaf nor a condition to its kind.
// The order of the Op constants makes this two comparisons.
func (e *Eval) operate(x *Expr) value {
	switch {
	case x.Op >= firstNumber:
		return e.calculate(x)
	case x.Op >= OpSubstring && x.Op <= OpPick:
		return e.transform(x)
	}
	return e.fetch(x)
}

// operand evaluates the n-th operand of x.
func (e *Eval) operand(x *Expr, n int32) value {
	return e.eval(e.prog.Operands[x.First+n])
}

// dataAt evaluates the n-th operand where data is wanted. There is no conversion:
// a number there is null.
func (e *Eval) dataAt(x *Expr, n int32) ([]byte, bool) { return e.operand(x, n).asData() }

// numberAt evaluates the n-th operand where a number is wanted.
func (e *Eval) numberAt(x *Expr, n int32) (uint64, bool) { return e.operand(x, n).asNumber() }

// fetch reads what the message, the decision or a variable holds.
func (e *Eval) fetch(x *Expr) value {
	switch x.Op {
	case OpSubOption:
		return e.subOption(x)
	case OpConfigOption:
		return e.configOption(x)
	case OpHardware:
		return e.hardware()
	case OpPacket:
		return e.packet(x)
	case OpLeasedAddress:
		return e.leasedAddress()
	case OpHostDeclName:
		return e.hostName()
	case OpFilename:
		return cString(e.req.Header.File()[:])
	case OpServerName:
		return cString(e.req.Header.SName()[:])
	case OpVariable:
		return e.variable(x.Slot)
	case OpCall:
		return e.call(x)
	}
	return value{}
}

// configOption reads the reply being built. While classes are evaluated there
// is none.
func (e *Eval) configOption(x *Expr) value {
	if !e.deciding {
		return value{}
	}
	v, ok := e.slotValue(x.Slot)
	if !ok {
		return value{}
	}
	return dataOf(v)
}

// hardware is the hardware type, then the address.
func (e *Eval) hardware() value {
	h := e.req.Header
	n := int(h.HLen())
	b := e.room(1 + min(n, 16))
	if b == nil || n > 16 {
		return value{}
	}
	b[0] = h.HType()
	copy(b[1:], h.CHAddr()[:n])
	return dataOf(b)
}

// packet is a part of the whole message, cut where the message ends.
func (e *Eval) packet(x *Expr) value {
	off, ok := e.numberAt(x, 0)
	n, also := e.numberAt(x, 1)
	size := uint64(len(e.req.Payload))
	if !ok || !also || off >= size {
		return value{}
	}
	return dataOf(e.req.Payload[off : off+min(n, size-off)])
}

// leasedAddress is the address that Decide was given; null while classes are
// evaluated, because nobody has chosen one yet.
func (e *Eval) leasedAddress() value {
	if e.addr == 0 {
		return value{}
	}
	b := e.room(4)
	if b == nil {
		return value{}
	}
	e.addr.Put((*[4]byte)(b))
	return dataOf(b)
}

// hostName is the name of the host declaration, null if none applies. It is
// copied, because texts of a Plan are strings and values are bytes.
func (e *Eval) hostName() value {
	if !e.deciding || e.host < 0 {
		return value{}
	}
	name := e.plan.Hosts[e.host].Name
	b := e.room(len(name))
	if b == nil {
		return value{}
	}
	copy(b, name)
	return dataOf(b)
}

// cString is a header field up to its NUL; null if it is empty.
func cString(b []byte) value {
	n := 0
	for n < len(b) && b[n] != 0 {
		n++
	}
	if n == 0 {
		return value{}
	}
	return dataOf(b[:n])
}
