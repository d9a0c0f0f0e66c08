package config

import "fmt"

// tokenKind is the class of a token. The classes are dhcpd's, because what may
// stand where depends on them: "fe" is hexadecimal or a name, "10" is a number
// but no name, "state" is a name that no variable may have.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenPunct            // one byte that is nothing else
	tokenString           // "…"; text is the value
	tokenNumber           // digits, perhaps with a minus sign
	tokenHex              // a word or number of hexadecimal digits: also a name
	tokenName             // any other word
	tokenWord             // a reserved word; word is its lower-case spelling
)

// token is one token with its place.
type token struct {
	kind      tokenKind
	text      string
	word      string // reserved word in lower case, "" for all else
	off, end  int    // byte offsets in the source
	line      int    // from 1
	lineOff   int    // offset of the first byte of the line
	lines     int    // line breaks inside a string
	bad, hint string // what is wrong with the token itself, and what to do
}

// identifier tells whether t may name an option, a space or a host.
func (t *token) identifier() bool {
	return t.kind == tokenHex || t.kind == tokenName || t.kind == tokenWord
}

// variable tells whether t may name a variable or a function.
func (t *token) variable() bool { return t.kind == tokenHex || t.kind == tokenName }

// numeric tells whether t may stand where a hexadecimal octet is wanted.
func (t *token) numeric() bool { return t.kind == tokenNumber || t.kind == tokenHex }

// is tells whether t is the punctuation or the reserved word s.
func (t *token) is(s string) bool {
	return t.kind == tokenPunct && t.text == s || t.kind == tokenWord && t.word == s
}

// describe names t in a message.
func (t *token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the file"
	case tokenString:
		return "the string " + quoteShort(t.text)
	case tokenNumber:
		return "the number " + quoteShort(t.text)
	case tokenPunct:
		if c := t.text[0]; c < ' ' || c > '~' {
			return fmt.Sprintf("the byte 0x%02x", c)
		}
		return "\"" + t.text + "\""
	}
	return quoteShort(t.text)
}

// quoteShort quotes s for a message, cut to a length that fits a line.
func quoteShort(s string) string {
	if len(s) > 40 {
		s = s[:37] + "..."
	}
	return fmt.Sprintf("%q", s)
}

// lexer cuts one source into tokens, on demand: a file of 100,000 hosts is never
// held as tokens. It is a value, so a copy of it looks ahead.
type lexer struct {
	name    string
	src     string
	off     int
	line    int // from 1
	lineOff int
}

func newLexer(name string, text []byte) lexer {
	return lexer{name: name, src: string(text), line: 1}
}

// next returns the next token; at the end of the source always tokenEnd.
func (l *lexer) next() token {
	l.skipBlank()
	t := token{off: l.off, line: l.line, lineOff: l.lineOff}
	if l.off >= len(l.src) {
		t.end = l.off
		return t
	}
	switch c := l.src[l.off]; {
	case c == '"':
		l.readString(&t)
		return t
	case c >= '0' && c <= '9' || c == '-':
		l.readNumber(&t)
	case isLetter(c):
		l.readWord(&t)
	default:
		l.off++
		t.kind = tokenPunct
		if c >= 0x80 || c == 0 {
			l.badByte(&t)
		}
	}
	t.end = l.off
	t.text = l.src[t.off:t.end]
	if len(t.text) > maxToken {
		t.bad = fmt.Sprintf("a word of %d bytes: dhcpd allows %d", len(t.text), maxToken)
		t.hint = "shorten it, or quote it if it is text"
	}
	return t
}

// skipBlank passes white space and comments, which run from # to the end of the
// line.
func (l *lexer) skipBlank() {
	for l.off < len(l.src) {
		switch c := l.src[l.off]; c {
		case '\n':
			l.off++
			l.line++
			l.lineOff = l.off
		case ' ', '\t', '\r', '\v', '\f':
			l.off++
		case '#':
			for l.off < len(l.src) && l.src[l.off] != '\n' {
				l.off++
			}
		default:
			return
		}
	}
}

// readNumber reads what begins with a digit or a minus sign. Such a word is a
// number while all its characters are digits, hexadecimal while they are
// hexadecimal digits (0x… included), and a name from the first other one on.
func (l *lexer) readNumber(t *token) {
	t.kind = tokenNumber
	start := l.off
	for l.off++; l.off < len(l.src); l.off++ {
		c := l.src[l.off]
		switch {
		case t.kind == tokenNumber && isDigit(c):
		case t.kind != tokenName && isHex(c):
			t.kind = tokenHex
		case l.off == start+2 && isHex(c) && l.src[start] == '0' && l.src[start+1]|0x20 == 'x':
			t.kind = tokenHex
		case isWordByte(c):
			t.kind = tokenName
		default:
			return
		}
	}
}

// readWord reads what begins with a letter. Only the characters after the first
// decide whether it is hexadecimal: to dhcpd the variable x is, the variable xy
// is not.
func (l *lexer) readWord(t *token) {
	t.kind = tokenHex
	start := l.off
	for l.off++; l.off < len(l.src) && isWordByte(l.src[l.off]); l.off++ {
		if !isHex(l.src[l.off]) {
			t.kind = tokenName
		}
	}
	if w := reservedWord(l.src[start:l.off]); w != "" {
		t.kind, t.word = tokenWord, w
	}
}

// badByte says what a byte outside ASCII or a NUL does outside a string. The
// rest of its sequence is passed, so that one character is one finding.
func (l *lexer) badByte(t *token) {
	t.bad = "a byte outside ASCII, which is allowed in comments and strings only"
	t.hint = "delete it, or put the text in quotes"
	if l.src[t.off] == 0 {
		t.bad = "a NUL byte: this is not a text file"
		t.hint = "save the file as plain text"
		return
	}
	if len(l.src) >= t.off+3 && l.src[t.off:t.off+3] == "\ufeff" {
		t.bad = "the file begins with a byte order mark, which dhcpd rejects"
		t.hint = "save the file as UTF-8 without a byte order mark"
	}
	if quote := l.src[t.off:min(len(l.src), t.off+3)]; quote == "\u201c" || quote == "\u201d" || quote == "\u201e" {
		t.bad = "a typographic quotation mark, as word processors and web pages have it"
		t.hint = "write \" instead, at both ends of the text"
	}
	for l.off < len(l.src) && l.src[l.off] >= 0x80 {
		l.off++
	}
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isWordByte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '-' || c == '_'
}
