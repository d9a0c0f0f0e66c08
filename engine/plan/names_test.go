package plan

import (
	"strings"
	"testing"
)

// wire writes dotted names in plain wire format.
func wire(names ...string) (out []byte) {
	for _, name := range names {
		for _, label := range strings.Split(name, ".") {
			if label != "" {
				out = append(append(out, byte(len(label))), label...)
			}
		}
		out = append(out, 0)
	}
	return out
}

// TestExpandNames reads compressed lists, honest and hostile.
func TestExpandNames(t *testing.T) {
	for _, c := range []struct {
		name, list string
		want       []byte // nil: refused
	}{
		{"plain", "\x01a\x00\x01b\x00", wire("a", "b")},
		{"pointer to a whole name", "\x01a\x00\xc0\x00", wire("a", "a")},
		{"pointer to an end", "\x01a\x01x\x03org\x00\x01b\xc0\x02", wire("a.x.org", "b.x.org")},
		{"pointer to a pointer", "\x01a\x00\x01b\xc0\x00\x01c\xc0\x03", wire("a", "b.a", "c.b.a")},
		{"the root", "\x00", wire("")},
		{"nothing", "", []byte{}},
		{"pointer to itself", "\xc0\x00", nil},
		{"two pointers to each other", "\xc0\x02\xc0\x00", nil},
		{"half a pointer", "\x01a\xc0", nil},
		{"pointer behind the end", "\x01a\xc0\x20", nil},
		{"label behind the end", "\x05ab", nil},
		{"no root", "\x01a", nil},
		{"label of 64 bytes", "\x40" + strings.Repeat("x", 64) + "\x00", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewEval(&Plan{})
			got, ok := e.expandNames([]byte(c.list))
			if ok != (c.want != nil) || string(got) != string(c.want) {
				t.Errorf("%q, %v", got, ok)
			}
		})
	}
}

// TestCompressNames compresses as the parser and dhcpd do: the longest end that
// was written before becomes a pointer.
func TestCompressNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"one", []string{"a.x.org"}, "\x01a\x01x\x03org\x00"},
		{"common end", []string{"a.x.org", "b.x.org"}, "\x01a\x01x\x03org\x00\x01b\xc0\x02"},
		{"the same", []string{"a.b", "a.b"}, "\x01a\x01b\x00\xc0\x00"},
		{"end of an end", []string{"a.x.org", "b.x.org", "c.b.x.org"}, "\x01a\x01x\x03org\x00\x01b\xc0\x02\x01c\xc0\x09"},
		{"short names after a pointer, where writing overlaps reading", []string{"a.x", "gg.x", "rg", "b.x"}, "\x01a\x01x\x00\x02gg\xc0\x02\x02rg\x00\x01b\xc0\x02"},
		{"nothing in common", []string{"a", "b"}, "\x01a\x00\x01b\x00"},
		{"a name that another begins with", []string{"a", "a.b"}, "\x01a\x00\x01a\x01b\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := wire(c.names...)
			got := list[:compressNames(list)]
			if string(got) != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// FuzzNames: what is compressed expands to the same names; whatever expands is
// compressed without loss.
func FuzzNames(f *testing.F) {
	f.Add([]byte("\x01a\x01x\x03org\x00\x01b\xc0\x02"))
	f.Add([]byte("\xc0\x00"))
	e := NewEval(&Plan{})
	f.Fuzz(func(t *testing.T, list []byte) {
		if len(list) > 1000 {
			return
		}
		e.used = 0
		plain, ok := e.expandNames(list)
		if !ok {
			return
		}
		again := append([]byte(nil), plain...)
		n := compressNames(again)
		back, ok := e.expandNames(again[:n])
		if !ok || string(back) != string(plain) {
			t.Fatalf("%x became %x", plain, back)
		}
	})
}

// TestFind walks runs of options with every width.
func TestFind(t *testing.T) {
	for _, c := range []struct {
		name              string
		run               string
		code, codeW, lenW int
		want              string // "-": absent
	}{
		{"first", "\x01\x02ab\x02\x01c", 1, 1, 1, "ab"},
		{"second", "\x01\x02ab\x02\x01c", 2, 1, 1, "c"},
		{"absent", "\x01\x02ab", 3, 1, 1, "-"},
		{"empty value", "\x01\x00", 1, 1, 1, ""},
		{"padding", "\x00\x00\x01\x01a", 1, 1, 1, "a"},
		{"behind the end mark", "\xff\x01\x01a", 1, 1, 1, "-"},
		{"no length", "\x01", 1, 1, 1, "-"},
		{"too long", "\x01\x05ab", 1, 1, 1, "-"},
		{"after one that is too long", "\x02\x05ab\x01\x01a", 1, 1, 1, "-"},
		{"the first of two", "\x01\x01a\x01\x01b", 1, 1, 1, "a"},
		{"two bytes each", "\x01\x04\x00\x03aaa", 260, 2, 2, "aaa"},
		{"enterprise", "\x00\x00\x11\x8b\x02ab", 4491, 4, 1, "ab"},
		{"value to the end", "\x01abc", 1, 1, 0, "abc"},
		{"half a code", "\x01", 1, 2, 2, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := find([]byte(c.run), c.codeW, c.lenW, uint32(c.code))
			if ok != (c.want != "-") || ok && string(got) != c.want {
				t.Errorf("%q, %v", got, ok)
			}
		})
	}
}

// TestFQDNParts reads option 81 as text and in wire format, whole and broken.
func TestFQDNParts(t *testing.T) {
	for _, c := range []struct {
		name, option string
		code         uint32
		want         string // "-": null
	}{
		{"text", "\x00\x01\x02pc.x.org", fqdnFQDN, "pc.x.org"},
		{"text, host", "\x00\x00\x00pc.x.org", fqdnHostname, "pc"},
		{"text, domain", "\x00\x00\x00pc.x.org", fqdnDomainname, "x.org"},
		{"text without domain", "\x00\x00\x00pc", fqdnDomainname, "-"},
		{"text with NUL", "\x00\x00\x00pc\x00", fqdnFQDN, "pc"},
		{"text with NUL wants no update", "\x00\x00\x00pc\x00", fqdnNoClientUpdate, "\x01"},
		{"wire", "\x04\x00\x00\x02pc\x01x\x00", fqdnFQDN, "pc.x"},
		{"wire, not terminated", "\x04\x00\x00\x02pc\x01x", fqdnFQDN, "pc.x"},
		{"wire, broken", "\x04\x00\x00\x05pc", fqdnFQDN, "-"},
		{"wire, a long label", "\x04\x00\x00\x40pc", fqdnFQDN, "-"},
		{"no name", "\x01\x00\x00", fqdnFQDN, "-"},
		{"flags", "\x03\x00\x00", fqdnServerUpdate, "\x01"},
		{"flags, other", "\x03\x00\x00", fqdnNoClientUpdate, "\x01"},
		{"encoded", "\x04\x00\x00", fqdnEncoded, "\x01"},
		{"result codes", "\x00\x07\x09", fqdnRcode1, "\x07"},
		{"result codes, second", "\x00\x07\x09", fqdnRcode2, "\x09"},
		{"too short", "\x00\x00", fqdnEncoded, "-"},
		{"no such part", "\x00\x00\x00pc", 9, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := NewEval(&Plan{}).fqdnPart([]byte(c.option), c.code)
			if (v.kind == data) != (c.want != "-") || v.kind == data && string(v.data) != c.want {
				t.Errorf("%q", v.data)
			}
		})
	}
}

// TestWireName writes names for option 81.
func TestWireName(t *testing.T) {
	for name, want := range map[string]string{"": "\x00", "pc": "\x02pc\x00", "pc.x": "\x02pc\x01x\x00", "pc.": "\x02pc\x00", "a..b": "\x01a\x00",
		strings.Repeat("x", 64): ""} {
		out := make([]byte, len(name)+2)
		if got := out[:wireName(out, []byte(name))]; string(got) != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
