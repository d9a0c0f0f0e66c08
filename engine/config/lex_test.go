package config

import (
	"strings"
	"testing"
)

// kinds names the token kinds in the tables below.
var kinds = map[tokenKind]string{tokenPunct: "punct", tokenString: "string", tokenNumber: "number",
	tokenHex: "hex", tokenName: "name", tokenWord: "word"}

// TestLexKinds holds the classes of tokens to dhcpd's, on which the grammar
// rests.
func TestLexKinds(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " \t\r\n\v\f", ""},
		{"comment to the end", "a # b {\nc# d", "a:hex c:hex"},
		{"number and hexadecimal", "10 0a a0 0x1F 0xg -5 -", "10:number 0a:hex a0:hex 0x1F:hex 0xg:name -5:number -:number"},
		{"the first letter does not decide", "x xx xa zoo", "x:hex xx:name xa:hex zoo:name"},
		{"names", "node_1 1st 3-4 a-b _a", "node_1:name 1st:name 3-4:name a-b:name _:punct a:hex"},
		{"a dash is no hexadecimal digit", "a-b-", "a-b-:name"},
		{"reserved words have no case", "Subnet OPTION add", "Subnet:word OPTION:word add:word"},
		{"punctuation", "{a}==!", "{:punct a:hex }:punct =:punct =:punct !:punct"},
		{"address", "10.0.0.1", "10:number .:punct 0:number .:punct 0:number .:punct 1:number"},
		{"string", `"a # b" "c\"d"`, `a # b:string c"d:string`},
		{"string over lines", "\"a\nb\"", "a\nb:string"},
		{"escapes", `"\t\n\r\b\x41\101\\\q"`, "\t\n\r\bAA\\q:string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLexer("", []byte(c.text))
			var got []string
			for tok := l.next(); tok.kind != tokenEnd; tok = l.next() {
				got = append(got, tok.text+":"+kinds[tok.kind])
				if tok.bad != "" {
					t.Errorf("%q: %s", tok.text, tok.bad)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got  %q\nwant %q", s, c.want)
			}
		})
	}
}

// TestLexPlaces checks lines and columns across strings and line ends.
func TestLexPlaces(t *testing.T) {
	p := newParser(Options{})
	p.open("f", []byte("a\r\n\tb \"x\ny\" c"))
	want := []Pos{{"f", 1, 1}, {"f", 2, 2}, {"f", 2, 4}, {"f", 3, 4}}
	for i, w := range want {
		tok := p.advance()
		if got := p.pos(&tok); got != w {
			t.Errorf("token %d is at %v, want %v", i, got, w)
		}
	}
}

// TestLexBad lists what is wrong in a token by itself.
func TestLexBad(t *testing.T) {
	long := strings.Repeat("x", maxToken)
	for _, c := range []struct{ name, text, want string }{
		{"open string", `"abc`, "never closed"},
		{"open string after a backslash", `"abc\`, "never closed"},
		{"short octal", `"\01"`, "octal"},
		{"short hexadecimal", `"\x4"`, "hexadecimal"},
		{"byte 0xff in a string", "\"\xff\"", "0xff"},
		{"byte order mark", "\ufeffa", "byte order mark"},
		{"quotation marks of a word processor", "“a”", "a typographic quotation mark"},
		{"NUL", "\x00", "NUL"},
		{"long name", long + "x", "1500 bytes"},
		{"long string", `"` + long + `x"`, "1500 bytes"},
		{"longest name", long, ""},
		{"longest string", `"` + long + `"`, ""},
		{"other bytes in a string", "\"\xe9\x80\"", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLexer("", []byte(c.text))
			tok := l.next()
			if (tok.bad == "") != (c.want == "") || !strings.Contains(tok.bad, c.want) {
				t.Errorf("got %q, want %q", tok.bad, c.want)
			}
			if tok.bad != "" && tok.hint == "" {
				t.Error("no hint")
			}
		})
	}
}
