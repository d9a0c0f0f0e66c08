package plan

// The parts of the client FQDN option as the space "fqdn" names them
// (dhcp-options(5), THE CLIENT FQDN SUBOPTIONS), and the layout of option 81:
// one byte of flags, two result codes, the name (RFC 4702 section 2).
const (
	fqdnNoClientUpdate = 1
	fqdnServerUpdate   = 2
	fqdnEncoded        = 3
	fqdnRcode1         = 4
	fqdnRcode2         = 5
	fqdnHostname       = 6
	fqdnDomainname     = 7
	fqdnFQDN           = 8
	fqdnParts          = 9

	fqdnFlagS    = 1 // the server updates the A record
	fqdnFlagO    = 2 // named no-client-update by dhcpd
	fqdnFlagE    = 4 // the name is in DNS wire format
	fqdnNameOff  = 3
	fqdnMaxLabel = 63
)

// fqdnPart reads one part of the client's option.
func (e *Eval) fqdnPart(b []byte, code uint32) value {
	if len(b) < fqdnNameOff {
		return value{}
	}
	switch code {
	case fqdnNoClientUpdate:
		return e.flag(b[0]&fqdnFlagO != 0 || plainWithNUL(b))
	case fqdnServerUpdate:
		return e.flag(b[0]&fqdnFlagS != 0)
	case fqdnEncoded:
		return e.flag(b[0]&fqdnFlagE != 0)
	case fqdnRcode1, fqdnRcode2:
		return dataOf(b[code-fqdnRcode1+1 : code-fqdnRcode1+2])
	}
	return e.fqdnName(b, code)
}

// plainWithNUL tells whether the name is text with a NUL behind it: dhcpd takes
// the client that sends this for one that wants no update.
func plainWithNUL(b []byte) bool {
	return b[0]&fqdnFlagE == 0 && len(b) > fqdnNameOff && b[len(b)-1] == 0
}

// flag is a truth value as the options of space fqdn have it: one byte.
func (e *Eval) flag(on bool) value {
	b := e.room(1)
	if b == nil {
		return value{}
	}
	b[0] = 0
	if on {
		b[0] = 1
	}
	return dataOf(b)
}

// fqdnName reads the whole name, its first label, or what follows that.
func (e *Eval) fqdnName(b []byte, code uint32) value {
	name, behindDot := trimmed(b[fqdnNameOff:], 0), 1
	if b[0]&fqdnFlagE != 0 {
		name, behindDot = e.dotted(b[fqdnNameOff:]), 0 // dhcpd leaves the dot there
	}
	dot := 0
	for dot < len(name) && name[dot] != '.' {
		dot++
	}
	switch code {
	case fqdnHostname:
		name = name[:dot]
	case fqdnDomainname:
		name = name[min(dot+behindDot, len(name)):]
	}
	if len(name) == 0 || code > fqdnFQDN {
		return value{}
	}
	return dataOf(name)
}

// dotted writes a name in DNS wire format as text, without a final dot; nil if
// it is malformed.
func (e *Eval) dotted(wire []byte) []byte {
	out := e.room(len(wire))
	n := 0
	for out != nil && len(wire) > 0 && wire[0] != 0 {
		k := int(wire[0])
		if k > fqdnMaxLabel || k >= len(wire) {
			return nil
		}
		if n > 0 {
			out[n] = '.'
			n++
		}
		n += copy(out[n:], wire[1:1+k])
		wire = wire[1+k:]
	}
	return out[:n]
}

// encodeFQDN builds option 81 from the parts that statements have set. ok is
// false if there are none.
func (e *Eval) encodeFQDN(s *Space) ([]byte, bool) {
	var part [fqdnParts][]byte
	given := false
	for _, at := range s.Slots {
		code := e.prog.SubOptions[at-int32(SlotSub)].Code
		if e.isSet(at) && code < fqdnParts {
			part[code], _ = e.slotValue(at)
			given = true
		}
	}
	name := part[fqdnFQDN]
	out := e.room(fqdnNameOff + len(name) + 2)
	if !given || out == nil {
		return nil, false
	}
	clear(out)
	out[0] = truthy(part[fqdnServerUpdate], fqdnFlagS) | truthy(part[fqdnNoClientUpdate], fqdnFlagO) |
		truthy(part[fqdnEncoded], fqdnFlagE)
	copy(out[1:2], part[fqdnRcode1])
	copy(out[2:3], part[fqdnRcode2])
	n := fqdnNameOff
	switch {
	case len(name) == 0:
	case out[0]&fqdnFlagE != 0:
		n += wireName(out[n:], name)
	default:
		n += copy(out[n:], name)
	}
	return out[:n], true
}

// truthy returns the flag if the option is set to anything but zero.
func truthy(b []byte, flag byte) byte {
	if len(b) > 0 && b[0] != 0 {
		return flag
	}
	return 0
}

// wireName writes a dotted name in DNS wire format; out has room for two bytes
// more than the text. It returns 0 if a label is longer than 63 bytes.
func wireName(out, name []byte) int {
	n := 0
	for len(name) > 0 && name[0] != '.' {
		dot := 0
		for dot < len(name) && name[dot] != '.' {
			dot++
		}
		if dot > fqdnMaxLabel {
			return 0
		}
		out[n] = byte(dot)
		n += 1 + copy(out[n+1:], name[:dot])
		name = name[min(dot+1, len(name)):]
	}
	out[n] = 0
	return n + 1
}
