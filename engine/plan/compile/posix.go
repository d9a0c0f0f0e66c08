package compile

import "strings"

// gnuClasses are the letters that mean a class of characters after a backslash
// in the expressions that dhcpd, with the C library's regcomp(3), understands.
var gnuClasses = map[byte]string{
	'w': "[[:alnum:]_]", 'W': "[^[:alnum:]_]", 's': "[[:space:]]", 'S': "[^[:space:]]",
}

// unsupported are assertions of the C library that the tables here do not know;
// they are left as they stand, for the parser to refuse.
const unsupported = "bB<>`'123456789"

// translate turns a POSIX extended expression into the syntax of Go's parser,
// one character per byte. They differ in the backslash: before another letter
// it means that letter, and in brackets it is an ordinary character; {,n} is
// {0,n}.
func translate(pattern []byte) string {
	var out strings.Builder
	for i := 0; i < len(pattern); {
		switch c := pattern[i]; {
		case c == '[':
			i += bracket(&out, pattern[i:])
		case c == '\\' && i+1 < len(pattern):
			out.WriteString(escaped(pattern[i+1]))
			i += 2
		case c == '{' && i+1 < len(pattern) && pattern[i+1] == ',':
			out.WriteString("{0")
			i++
		default:
			out.WriteRune(rune(c))
			i++
		}
	}
	return out.String()
}

// escaped is what a backslash before c means.
func escaped(c byte) string {
	if class, ok := gnuClasses[c]; ok {
		return class
	}
	if c < '0' || c > 'z' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || strings.IndexByte(unsupported, c) >= 0 {
		return `\` + string(rune(c))
	}
	return string(rune(c))
}

// bracket copies a bracket expression with its backslashes doubled, and returns
// its length. A closing bracket in first place, and those of [:alpha:] and its
// like, do not end it.
func bracket(out *strings.Builder, b []byte) int {
	i := 1
	if i < len(b) && b[i] == '^' {
		i++
	}
	out.WriteString(string(b[:i]))
	for first := i; i < len(b); i++ {
		switch c := b[i]; {
		case c == ']' && i > first:
			out.WriteByte(c)
			return i + 1
		case c == '[' && i+1 < len(b) && b[i+1] == ':':
			n := strings.Index(string(b[i:]), ":]")
			if n < 0 {
				n = 0
			}
			out.WriteString(string(b[i : i+n+1]))
			i += n
		case c == '\\' || c == ']' || c == '[':
			out.WriteByte('\\')
			out.WriteByte(c)
		default:
			out.WriteRune(rune(c))
		}
	}
	return i
}
