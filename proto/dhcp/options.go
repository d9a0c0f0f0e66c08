package dhcp

import "encoding/binary"

// Options is the index of one message's options: where each code's value
// stands. It is caller owned, about 4 KiB, and reused from message to message.
// A code that occurs several times, or is split (RFC 3396), has its parts
// joined in a buffer of the index; option overload (52) extends the search to
// file and then sname (RFC 2131 section 4.1).
type Options struct {
	entry   [256]span
	present [4]uint64
	msg     []byte
	joined  [2048]byte
	used    int
}

// span is where a value stands: below joinedBase, off counts from the start of
// the message, else from the start of joined.
type span struct{ off, len uint16 }

const joinedBase = 0x8000

// Parse indexes the options of a DHCP message given as UDP payload. It returns
// false, and an empty index, when there is no magic cookie (then it is plain
// BOOTP) and when an option runs past the end of its field. A missing END is
// accepted: the end of the message ends the options.
func (o *Options) Parse(payload []byte) (ok bool) {
	o.present = [4]uint64{}
	o.used = 0
	o.msg = payload
	if len(payload) < OptionsOff || len(payload) >= joinedBase ||
		binary.BigEndian.Uint32(payload[CookieOff:OptionsOff]) != Cookie {
		return false
	}
	ok = o.scan(OptionsOff, len(payload))
	if overload, has := o.Byte(OptOverload); ok && has {
		if overload&1 != 0 {
			ok = o.scan(108, 236)
		}
		if ok && overload&2 != 0 {
			ok = o.scan(44, 108)
		}
	}
	if !ok {
		o.present = [4]uint64{}
	}
	return ok
}

func (o *Options) scan(i, end int) bool {
	b := o.msg
	for i < end {
		code := b[i]
		i++
		if code == OptPad {
			continue
		}
		if code == OptEnd {
			return true
		}
		if i >= end || i+1+int(b[i]) > end {
			return false
		}
		n := int(b[i])
		i++
		if !o.add(code, i, n) {
			return false
		}
		i += n
	}
	return true
}

func (o *Options) add(code byte, off, n int) bool {
	if !o.Has(code) {
		o.present[code>>6] |= 1 << (code & 63)
		o.entry[code] = span{uint16(off), uint16(n)}
		return true
	}
	return o.join(code, o.msg[off:off+n])
}

// join appends a further part to a value (RFC 3396 section 7). A value whose
// parts stand together grows in place, so that one of 2 KiB fits; parts of
// several codes in turn are copied each time and soon fill the buffer, which
// makes the message invalid: no client does that.
func (o *Options) join(code byte, part []byte) bool {
	e := &o.entry[code]
	at := int(e.off) - joinedBase
	if at < 0 || at+int(e.len) != o.used { // not the last value in joined: move it there
		old, _ := o.Get(code)
		if o.used+len(old)+len(part) > len(o.joined) {
			return false
		}
		at = o.used
		o.used += copy(o.joined[at:], old)
	}
	if o.used+len(part) > len(o.joined) {
		return false
	}
	o.used += copy(o.joined[o.used:], part)
	*e = span{uint16(joinedBase + at), uint16(o.used - at)}
	return true
}

// Has tells whether the message carries code.
func (o *Options) Has(code byte) bool { return o.present[code>>6]>>(code&63)&1 != 0 }

// Get returns the value of code. The slice is a view that dies with the frame
// or the next Parse.
func (o *Options) Get(code byte) (v []byte, ok bool) {
	if !o.Has(code) {
		return nil, false
	}
	e := o.entry[code]
	if e.off >= joinedBase {
		at := int(e.off - joinedBase)
		return o.joined[at : at+int(e.len) : at+int(e.len)], true
	}
	return o.msg[e.off : int(e.off)+int(e.len) : int(e.off)+int(e.len)], true
}

// Byte returns the value of code if it is exactly one byte long.
func (o *Options) Byte(code byte) (v byte, ok bool) {
	if b, has := o.Get(code); has && len(b) == 1 {
		return b[0], true
	}
	return 0, false
}

// Uint16 returns the value of code if it is exactly two bytes long.
func (o *Options) Uint16(code byte) (v uint16, ok bool) {
	if b, has := o.Get(code); has && len(b) == 2 {
		return binary.BigEndian.Uint16(b), true
	}
	return 0, false
}

// Uint32 returns the value of code if it is exactly four bytes long; addresses
// are read with it too.
func (o *Options) Uint32(code byte) (v uint32, ok bool) {
	if b, has := o.Get(code); has && len(b) == 4 {
		return binary.BigEndian.Uint32(b), true
	}
	return 0, false
}

// MessageType returns option 53; ok is false when it is absent (BOOTP) or not
// one byte long.
func (o *Options) MessageType() (t Type, ok bool) {
	v, ok := o.Byte(OptMessageType)
	return Type(v), ok
}
