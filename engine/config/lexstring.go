package config

import (
	"fmt"
	"strings"
)

// readString reads a string literal. It may run over line ends; the escapes are
// \t \r \n \b, \ooo with three octal digits below 0400, \xhh with two
// hexadecimal ones, and a backslash before any other character gives that
// character.
func (l *lexer) readString(t *token) {
	t.kind = tokenString
	l.off++
	plain := l.off
	for l.off < len(l.src) && l.src[l.off] != '"' && l.src[l.off] != '\\' {
		l.stringByte(t)
	}
	t.text = l.src[plain:l.off]
	if l.off < len(l.src) && l.src[l.off] == '\\' {
		l.readEscaped(t)
	}
	if l.off >= len(l.src) {
		t.bad = "this string is never closed"
		t.hint = "put a \" where the text ends"
	} else {
		l.off++
	}
	t.end = l.off
	if len(t.text) > maxToken {
		t.bad = fmt.Sprintf("a string of %d bytes: dhcpd allows %d", len(t.text), maxToken)
		t.hint = "shorten the text; a DHCP message has no room for it"
	}
}

// readEscaped goes on from the first backslash; t.text has what stands before.
func (l *lexer) readEscaped(t *token) {
	var b strings.Builder
	b.WriteString(t.text)
	for l.off < len(l.src) && l.src[l.off] != '"' {
		if l.src[l.off] != '\\' {
			b.WriteByte(l.src[l.off])
			l.stringByte(t)
			continue
		}
		l.off++
		if l.off < len(l.src) {
			b.WriteByte(l.escape(t))
		}
	}
	t.text = b.String()
}

// escape reads what follows a backslash.
func (l *lexer) escape(t *token) byte {
	c := l.src[l.off]
	switch c {
	case 't':
		c = '\t'
	case 'r':
		c = '\r'
	case 'n':
		c = '\n'
	case 'b':
		c = '\b'
	case '0', '1', '2', '3':
		return l.digits(t, 8, 3, "octal", `\012`)
	case 'x':
		l.off++
		return l.digits(t, 16, 2, "hexadecimal", `\x0a`)
	}
	if l.src[l.off] == '\n' {
		l.stringByte(t)
	} else {
		l.off++
	}
	return c
}

// digits reads n digits of an escape.
func (l *lexer) digits(t *token, base, n int, name, example string) byte {
	v := 0
	for i := 0; i < n; i++ {
		d := 99
		if l.off < len(l.src) {
			d = hexValue(l.src[l.off])
		}
		if d >= base {
			t.bad = fmt.Sprintf("an %s escape needs %d digits, as in %s", name, n, example)
			if name[0] == 'h' {
				t.bad = "a" + t.bad[2:]
			}
			t.hint = `write all the digits, or \\ for a backslash`
			return byte(v)
		}
		v = v*base + d
		l.off++
	}
	return byte(v)
}

// stringByte passes one byte of a string and keeps count of lines.
func (l *lexer) stringByte(t *token) {
	switch l.src[l.off] {
	case '\n':
		l.line++
		l.lineOff = l.off + 1
		t.lines++
	case 0xff:
		t.bad = "the byte 0xff in a string, which dhcpd takes for the end of the file"
		t.hint = `write it as \xff`
	}
	l.off++
}

// hexValue is the value of a hexadecimal digit, 99 for any other byte.
func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case isHex(c):
		return int(c|0x20-'a') + 10
	}
	return 99
}
