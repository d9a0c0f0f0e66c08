package dhcp

import "encoding/binary"

// Writer builds a reply in a buffer that the caller owns. Values longer than
// 255 bytes are split (RFC 3396). One byte is always kept back for END.
type Writer struct {
	buf  []byte
	n    int
	full bool
}

// Reset begins a message in buf, whose length is the largest message allowed:
// it clears the fixed header and writes the magic cookie. buf must hold at
// least MinLen bytes.
func (w *Writer) Reset(buf []byte) *Header {
	clear(buf[:OptionsOff])
	binary.BigEndian.PutUint32(buf[CookieOff:OptionsOff], Cookie)
	w.buf, w.n, w.full = buf, OptionsOff, false
	return (*Header)(buf)
}

// Option appends one option. It returns false, and writes nothing of it, when
// the message is full; Full then reports true.
func (w *Writer) Option(code byte, v []byte) bool {
	parts := (len(v) + 254) / 255
	if parts == 0 {
		parts = 1
	}
	if w.n+len(v)+2*parts+1 > len(w.buf) {
		w.full = true
		return false
	}
	for {
		k := min(len(v), 255)
		w.buf[w.n], w.buf[w.n+1] = code, byte(k)
		copy(w.buf[w.n+2:], v[:k])
		w.n += 2 + k
		if v = v[k:]; len(v) == 0 {
			return true
		}
	}
}

// Raw appends b, whole options that were encoded before.
func (w *Writer) Raw(b []byte) bool {
	if w.n+len(b)+1 > len(w.buf) {
		w.full = true
		return false
	}
	w.n += copy(w.buf[w.n:], b)
	return true
}

// Room returns how many bytes of options still fit.
func (w *Writer) Room() int { return len(w.buf) - w.n - 1 }

// Full tells whether an option was left out for want of room.
func (w *Writer) Full() bool { return w.full }

// End writes END, pads with zero bytes to MinLen and returns the length of the
// message.
func (w *Writer) End() int {
	w.buf[w.n] = OptEnd
	w.n++
	if w.n < MinLen {
		clear(w.buf[w.n:MinLen])
		w.n = MinLen
	}
	return w.n
}
