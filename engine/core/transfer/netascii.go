package transfer

// cursor is a place in a file that is sent as netascii: twice the offset of the
// next byte, plus one if that byte is a CR or LF of which the first half has
// been sent. A block may end between the two.
type cursor int64

// netascii converts data from c on until dst is full or data ends, and returns
// the bytes written and the place behind them: LF becomes CR LF, CR becomes
// CR NUL (RFC 764, RFC 1350 section 1).
func netascii(dst, data []byte, c cursor) (n int, _ cursor) {
	i := int(c >> 1)
	if c&1 != 0 && len(dst) > 0 {
		dst[0] = second(data[i])
		n, i, c = 1, i+1, 0
	}
	for n < len(dst) && i < len(data) {
		b := data[i]
		if b != '\r' && b != '\n' {
			dst[n] = b
			n, i = n+1, i+1
			continue
		}
		dst[n] = '\r'
		n++
		if n == len(dst) {
			return n, cursor(i)<<1 | 1
		}
		dst[n] = second(b)
		n, i = n+1, i+1
	}
	return n, cursor(i)<<1 | c&1
}

// second is what follows the CR that b begins with in netascii.
func second(b byte) byte {
	if b == '\r' {
		return 0
	}
	return '\n'
}

// seek is the place where a block begins, reached from the place where an
// earlier one does. It costs the conversion of the blocks between them: at most
// a window.
func (t *Table) seek(s *slot, from cursor, blocks int64) cursor {
	data := t.fileOf(s).Data
	for range blocks {
		_, from = netascii(t.netbuf[:s.blksize], data, from)
	}
	return from
}

// rewind makes block n+1 the next to be sent. n is not below acked.
func (t *Table) rewind(s *slot, n int64) {
	s.next = n
	if s.flags&flagNetascii != 0 {
		s.head = t.seek(s, s.base, n-s.acked)
	}
}

// advance notes that the client has the blocks up to n, and continues behind
// them if that is further than what was sent in the present pass.
func (t *Table) advance(s *slot, n int64) {
	if s.flags&flagNetascii != 0 {
		if n == s.next {
			s.base = s.head
		} else {
			s.base = t.seek(s, s.base, n-s.acked)
		}
	}
	s.acked = n
	if s.next <= n {
		s.next, s.head = n, s.base
	}
}
