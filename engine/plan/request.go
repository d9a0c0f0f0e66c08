package plan

import (
	"bootstorm/proto/dhcp"
)

// option reads an option of the request. Text loses the NULs that some clients
// end it with (RFC 2132 section 2), and an empty host name counts as none, as
// in dhcpd.
func (e *Eval) option(x *Expr) value {
	b, ok := e.req.Options.Get(byte(x.Code))
	if !ok || len(b) == 0 && x.Code == dhcp.OptHostName {
		return value{}
	}
	if x.Flags&FlagText != 0 {
		b = trimmed(b, int(x.MinLen))
	}
	return dataOf(b)
}

// trimmed cuts NULs from the end of b, but keeps its first least bytes.
func trimmed(b []byte, least int) []byte {
	for len(b) > least && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// subOption reads an option of another space than dhcp from the request.
func (e *Eval) subOption(x *Expr) value {
	s := &e.prog.Spaces[x.Space]
	area, ok := e.area(x.Space)
	if !ok {
		return value{}
	}
	if s.Kind == SpaceFQDN {
		return e.fqdnPart(area, x.Code)
	}
	b, ok := find(area, int(s.CodeWidth), int(s.LenWidth), x.Code)
	if !ok {
		return value{}
	}
	if x.Flags&FlagText != 0 {
		b = trimmed(b, int(x.MinLen))
	}
	return dataOf(b)
}

// area returns the bytes of the request that hold the options of a space: the
// value of its enclosing option. A space that no option encapsulates is not
// read, even if it is the vendor-option-space: dhcpd needs parse-vendor-option
// for that, which the parser refuses.
func (e *Eval) area(space int32) ([]byte, bool) {
	s := &e.prog.Spaces[space]
	switch {
	case s.Parent == -1:
		if s.Code < 256 && e.prog.Prefixed[s.Code>>6]>>(s.Code&63)&1 == 0 {
			return e.req.Options.Get(byte(s.Code))
		}
	case s.Parent >= 0:
		if !e.enter() {
			return nil, false
		}
		outer, ok := e.area(s.Parent)
		e.leave()
		if ok {
			p := &e.prog.Spaces[s.Parent]
			return find(outer, int(p.CodeWidth), int(p.LenWidth), s.Code)
		}
	}
	return nil, false
}

// find returns the first option with a code in a run of options: codes and
// lengths of the given widths in bytes, codes without value: 0 is padding, all
// ones ends the run. A length width of 0 means that the value takes the rest.
func find(b []byte, codeWidth, lenWidth int, code uint32) ([]byte, bool) {
	end := uint32(1<<(8*uint(codeWidth)) - 1)
	for len(b) >= codeWidth {
		c := uint32(bigEndian(b[:codeWidth]))
		b = b[codeWidth:]
		if c == 0 {
			continue
		}
		if c == end || len(b) < lenWidth {
			return nil, false
		}
		n := len(b)
		if lenWidth > 0 {
			n = int(bigEndian(b[:lenWidth]))
			b = b[lenWidth:]
		}
		if n > len(b) {
			return nil, false
		}
		if c == code {
			return b[:n:n], true
		}
		b = b[n:]
	}
	return nil, false
}
