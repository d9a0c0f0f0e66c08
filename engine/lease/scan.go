package lease

// kind is the kind of a token.
type kind uint8

const (
	tokEOF    kind = iota
	tokWord        // anything unquoted: names, numbers, addresses, dates
	tokText        // a quoted string, decoded
	tokPunct       // one of ; { } = , ( )
	tokBroken      // a string without end, or a byte that no text file has
)

// token is one token of a lease file. For a word and for punctuation val is the
// text itself, for a string what it stands for.
type token struct {
	kind     kind
	off, end int // bytes of the source
	val      []byte
}

// is tells whether the token is this punctuation mark.
func (t token) is(p byte) bool { return t.kind == tokPunct && t.val[0] == p }

// scanner cuts a lease file into tokens. Comments run from # to the end of the
// line.
type scanner struct {
	src []byte
	at  int
}

// next returns the next token and moves behind it.
func (s *scanner) next() token {
	s.blank()
	if s.at == len(s.src) {
		return token{kind: tokEOF, off: s.at, end: s.at}
	}
	start := s.at
	switch c := s.src[start]; {
	case c == '"':
		return s.quoted()
	case punctuation(c):
		s.at++
		return token{tokPunct, start, s.at, s.src[start:s.at]}
	case c < 0x20 || c == 0x7f:
		s.at++
		return token{tokBroken, start, s.at, nil}
	}
	for s.at < len(s.src) && wordByte(s.src[s.at]) {
		s.at++
	}
	return token{tokWord, start, s.at, s.src[start:s.at]}
}

// blank skips white space and comments.
func (s *scanner) blank() {
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case white(c):
			s.at++
		case c == '#':
			for s.at < len(s.src) && s.src[s.at] != '\n' {
				s.at++
			}
		default:
			return
		}
	}
}

// quoted reads a string. Every writer escapes line ends, so a raw one means
// that the rest of the string is missing.
func (s *scanner) quoted() token {
	start := s.at
	for i := start + 1; i < len(s.src) && s.src[i] != '\n'; i++ {
		switch s.src[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return token{tokText, start, s.at, unescape(s.src[start+1 : i])}
		}
	}
	s.at++
	return token{tokBroken, start, s.at, nil}
}

// unescape decodes the inside of a quoted string: octal (\001) as dhcpd writes
// it, and the other escapes that its reader accepts.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		v, n := escape(b[i:])
		out = append(out, v)
		i += n - 1
	}
	return out
}

// escape decodes what follows a backslash and says how many bytes it used.
func escape(b []byte) (v byte, n int) {
	switch b[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'x':
		return digits(b[1:], 16, 2, 1, 'x')
	}
	return digits(b, 8, 3, 0, b[0])
}

// digits reads at most limit digits; without any, the byte stands for itself.
func digits(b []byte, base, limit, used int, otherwise byte) (v byte, n int) {
	sum, count := 0, 0
	for count < limit && count < len(b) {
		d := digit(b[count])
		if d < 0 || d >= base {
			break
		}
		sum = sum*base + d
		count++
	}
	if count == 0 {
		return otherwise, 1
	}
	return byte(sum), used + count
}

// digit returns the value of a hexadecimal digit, -1 if c is none.
func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// white tells whether c separates tokens.
func white(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// punctuation tells whether c is a token by itself.
func punctuation(c byte) bool {
	switch c {
	case ';', '{', '}', '=', ',', '(', ')':
		return true
	}
	return false
}

// wordByte tells whether c may stand in a word. Bytes above ASCII may: dhcpd
// puts up with them in host names.
func wordByte(c byte) bool {
	return c > 0x20 && c != 0x7f && c != '"' && c != '#' && !punctuation(c)
}
