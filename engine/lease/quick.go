package lease

import (
	"bytes"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// Most records of a large file were written by appendRecord, and a start waits
// for them: they are read here, byte by byte in that one form. Whatever looks
// different in the least is left to the parser of the whole grammar, which reads
// these records to the same effect; tests compare the two.

// quick reads the record that begins at p.at, and tells whether it did. If not,
// nothing has changed.
func (p *parser) quick() bool {
	c := cursor{rest: p.src[p.at:]}
	l := &p.fast
	*l = batch.Lease{}
	if !c.record(l) {
		return false
	}
	n := len(p.src) - p.at - len(c.rest)
	p.at += n
	p.file(l, nil, int32(n+1)) // with the line end
	return true
}

// cursor reads a record; its methods stay where they are when they return false,
// except for record.
type cursor struct{ rest []byte }

// record reads from "lease" up to the closing brace.
func (c *cursor) record(l *batch.Lease) bool {
	if !c.lit("lease ") || !c.address(&l.Addr) || !c.lit(" {\n") {
		return false
	}
	ok := c.date("  starts ", &l.Starts) && c.date("  ends ", &l.Ends) && c.date("  cltt ", &l.CLTT) &&
		c.state(&l.State)
	if !ok {
		return false
	}
	c.lit("  next binding state free;\n")
	c.lit("  rewind binding state free;\n")
	if !c.hardware(l) {
		return false
	}
	var n int
	if n, ok = c.quoted("  uid ", l.ClientID[:]); !ok {
		return false
	}
	l.ClientIDLen = byte(n)
	if n, ok = c.quoted("  set vendor-class-identifier = ", l.Vendor[:]); !ok {
		return false
	}
	l.VendorLen = byte(n)
	if n, ok = c.quoted("  client-hostname ", l.Hostname[:]); !ok {
		return false
	}
	l.HostnameLen = byte(n)
	return c.lit("}")
}

// lit reads a fixed text.
func (c *cursor) lit(text string) bool {
	if len(c.rest) < len(text) || string(c.rest[:len(text)]) != text {
		return false
	}
	c.rest = c.rest[len(text):]
	return true
}

// address reads a dotted address of plain decimal numbers.
func (c *cursor) address(to *proto.Addr) bool {
	var a proto.Addr
	i := 0
	for part := range 4 {
		if part > 0 {
			if i >= len(c.rest) || c.rest[i] != '.' {
				return false
			}
			i++
		}
		begin, n := i, proto.Addr(0)
		for i < len(c.rest) && i < begin+3 && decimal(c.rest[i]) {
			n = 10*n + proto.Addr(c.rest[i]-'0')
			i++
		}
		if i == begin || n > 255 {
			return false
		}
		a = a<<8 | n
	}
	*to, c.rest = a, c.rest[i:]
	return true
}

func decimal(b byte) bool { return b >= '0' && b <= '9' }

// date reads a time, if there is one with this key: "W YYYY/MM/DD HH:MM:SS;" or
// "never;".
func (c *cursor) date(key string, to *int64) bool {
	const length = len("6 2026/01/31 12:00:00;\n")
	if !c.lit(key) {
		return true // not known, so not written
	}
	if c.lit("never;\n") {
		*to = batch.Forever
		return true
	}
	if len(c.rest) < length {
		return false
	}
	b := c.rest[:length]
	if !weekday(b[0]) || b[1] != ' ' || b[12] != ' ' || b[21] != ';' || b[22] != '\n' {
		return false
	}
	sec, ok := paddedDate(b[2:12], b[13:21])
	*to, c.rest = sec, c.rest[length:]
	return ok
}

// state reads the binding state.
func (c *cursor) state(to *batch.LeaseState) bool {
	if !c.lit("  binding state ") {
		return false
	}
	end := bytes.IndexByte(c.rest[:min(len(c.rest), 16)], ';')
	if end < 0 {
		return false
	}
	for s, name := range stateNames {
		if string(c.rest[:end]) == name {
			*to, c.rest = batch.LeaseState(s), c.rest[end:]
			return c.lit(";\n")
		}
	}
	return false
}

// hardware reads an Ethernet address, if there is a hardware address at all.
func (c *cursor) hardware(l *batch.Lease) bool {
	if !c.lit("  hardware ") {
		return true
	}
	if !c.lit("ethernet ") {
		return false
	}
	l.HW.Type = 1
	for i := range l.HW.Addr {
		if len(c.rest) < 3 {
			return false
		}
		high, low := hexValue(c.rest[0]), hexValue(c.rest[1])
		if high|low > 15 {
			return false
		}
		l.HW.Addr[i], l.HW.Len = high<<4|low, byte(i+1)
		end := c.rest[2]
		c.rest = c.rest[3:]
		if end == ';' {
			return c.lit("\n")
		}
		if end != ':' {
			return false
		}
	}
	return false
}

// hexValue is the value of a digit as appendHardware writes it, 255 for another
// byte.
func hexValue(b byte) byte {
	switch {
	case decimal(b):
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	}
	return 255
}

// quoted reads a string into to, if there is one with this key, and returns its
// length. One that is longer than to, or escapes what appendQuoted does not, is
// left to the other parser.
func (c *cursor) quoted(key string, to []byte) (n int, ok bool) {
	if !c.lit(key) {
		return 0, true
	}
	if !c.lit("\"") {
		return 0, false
	}
	i := 0
	for ; i < len(c.rest) && c.rest[i] != '"'; i++ {
		b := c.rest[i]
		if b < 0x20 || b > 0x7e || n == len(to) {
			return 0, false
		}
		if b == '\\' {
			var used int
			if b, used = octal(c.rest[i+1:]); used == 0 {
				return 0, false
			}
			i += used
		}
		to[n] = b
		n++
	}
	c.rest = c.rest[i:]
	return n, c.lit("\";\n")
}

// octal reads what follows a backslash: three octal digits, a quote, or a
// backslash.
func octal(b []byte) (v byte, n int) {
	if len(b) > 0 && (b[0] == '"' || b[0] == '\\') {
		return b[0], 1
	}
	if len(b) < 3 || b[0] < '0' || b[0] > '3' || b[1] < '0' || b[1] > '7' || b[2] < '0' || b[2] > '7' {
		return 0, 0
	}
	return (b[0]-'0')<<6 | (b[1]-'0')<<3 | (b[2] - '0'), 3
}
