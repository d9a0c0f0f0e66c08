package plan

import "encoding/binary"

// transform evaluates the operations that make data from data (dhcp-eval(5), DATA
// EXPRESSIONS). Where a part of a value is wanted the result is a view of it;
// what must be written anew goes to scratch. An operand that is null makes the
// result null, except in pick-first-value.
func (e *Eval) transform(x *Expr) value {
	switch x.Op {
	case OpSubstring:
		return e.substring(x)
	case OpSuffix:
		return e.suffix(x)
	case OpLowerCase:
		return e.fold(x, 'A')
	case OpUpperCase:
		return e.fold(x, 'a')
	case OpConcat:
		return e.concatenation(x)
	case OpReverse:
		return e.reverse(x)
	case OpBinaryToASCII:
		return e.binaryToASCII(x)
	case OpEncodeInt:
		return e.encodeInt(x)
	}
	return e.pick(x)
}

// substring: behind the end of the data it is empty, not null.
func (e *Eval) substring(x *Expr) value {
	b, isData := e.dataAt(x, 0)
	off, hasOff := e.numberAt(x, 1)
	n, hasLen := e.numberAt(x, 2)
	if !isData || !hasOff || !hasLen {
		return value{}
	}
	size := uint64(len(b))
	if off >= size {
		return dataOf(nil)
	}
	return dataOf(b[off : off+min(n, size-off)])
}

// suffix is the whole data if that is no longer than asked for.
func (e *Eval) suffix(x *Expr) value {
	b, ok := e.dataAt(x, 0)
	n, also := e.numberAt(x, 1)
	if !ok || !also {
		return value{}
	}
	return dataOf(b[uint64(len(b))-min(n, uint64(len(b))):])
}

// fold changes the case of the ASCII letters in the 26 from first on.
func (e *Eval) fold(x *Expr, first byte) value {
	b, ok := e.dataAt(x, 0)
	if !ok {
		return value{}
	}
	out := e.room(len(b))
	if out == nil {
		return value{}
	}
	for i, c := range b {
		if c-first < 26 { // unsigned: what is below first wraps to a large number
			c ^= 0x20 // the bit in which the two cases differ
		}
		out[i] = c
	}
	return dataOf(out)
}

// concatenation evaluates all operands before it takes room, so that a chain
// of them is written once.
func (e *Eval) concatenation(x *Expr) value {
	out, ok := e.dataAt(x, 0)
	for n := int32(1); ok && n < x.N; n++ {
		var b []byte
		if b, ok = e.dataAt(x, n); ok {
			out, ok = e.concat(out, b)
		}
	}
	if !ok {
		return value{}
	}
	if out == nil {
		out = e.scratch[:0]
	}
	return dataOf(out)
}

// reverse turns the order of the width-byte pieces of the data, which must be
// a whole number of them.
func (e *Eval) reverse(x *Expr) value {
	width, ok := e.numberAt(x, 0)
	b, also := e.dataAt(x, 1)
	if !ok || !also || width == 0 || uint64(len(b))%width != 0 {
		return value{}
	}
	out := e.room(len(b))
	if out == nil {
		return value{}
	}
	for i := 0; i < len(b); i += int(width) {
		copy(out[i:], b[len(b)-i-int(width):len(b)-i])
	}
	return dataOf(out)
}

// encodeInt writes the low bytes of a number in network order.
func (e *Eval) encodeInt(x *Expr) value {
	n, ok := e.numberAt(x, 0)
	if !ok {
		return value{}
	}
	out := e.room(int(x.Width))
	if out == nil {
		return value{}
	}
	switch x.Width {
	case 1:
		out[0] = byte(n)
	case 2:
		binary.BigEndian.PutUint16(out, uint16(n))
	case 4:
		binary.BigEndian.PutUint32(out, uint32(n))
	}
	return dataOf(out)
}

// pick is the first operand that is not null. An empty one counts.
func (e *Eval) pick(x *Expr) value {
	for n := range x.N {
		if v := e.operand(x, n); v.kind == data {
			return v
		}
	}
	return value{}
}

const hexDigits = "0123456789abcdef"

// binaryToASCII writes the numbers of width bits in a base of 2 to 16, with a
// separator between them.
func (e *Eval) binaryToASCII(x *Expr) value {
	base, hasBase := e.numberAt(x, 0)
	width, hasWidth := e.numberAt(x, 1)
	separator, hasSeparator := e.dataAt(x, 2)
	b, hasData := e.dataAt(x, 3)
	if !hasBase || !hasWidth || !hasSeparator || !hasData || base < 2 || base > 16 {
		return value{}
	}
	if width != 8 && width != 16 && width != 32 || len(b)%int(width/8) != 0 {
		return value{}
	}
	step := int(width / 8)
	// Count, then write: the result takes exactly its size of the scratch.
	size := 0
	for i := 0; i < len(b); i += step {
		size += digits(uint32(bigEndian(b[i:i+step])), uint32(base)) + len(separator)
	}
	out := e.room(max(0, size-len(separator)))
	if out == nil {
		return value{}
	}
	at := 0
	for i := 0; i < len(b); i += step {
		if i > 0 {
			at += copy(out[at:], separator)
		}
		at += format(out[at:], uint32(bigEndian(b[i:i+step])), uint32(base))
	}
	return dataOf(out)
}

// bigEndian reads an integer of any length up to 8 bytes.
func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// digits counts how many digits n gets in a base; zero has one. As in dhcpd the
// power of the base is a 32-bit number that may wrap around before it exceeds n:
// 3232235786 in base 10 gets an eleventh digit, a leading zero.
func digits(n, base uint32) (count int) {
	count = 1
	for power := base; n >= power; {
		count++
		next := power * base
		if next <= power {
			break
		}
		power = next
	}
	return count
}

// format writes n in a base with lower-case digits and returns their count; out
// has room for them.
func format(out []byte, n, base uint32) (count int) {
	count = digits(n, base)
	for i := count - 1; i >= 0; i-- {
		out[i] = hexDigits[n%base]
		n /= base
	}
	return count
}
