package lease

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/batch"
)

// TestTokens cuts text into tokens: words bare, strings in angle quotes with
// what they stand for, punctuation as it is, broken text as an exclamation mark.
func TestTokens(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"white space", " \t\r\n", ""},
		{"comment", "# all of it; { \" }\nword", "word"},
		{"comment behind a word", "ends never;# until\nx", "ends never ; x"},
		{"comment at the end", "a # b", "a"},
		{"punctuation", "a{b}c;d=e,f(g)", "a { b } c ; d = e , f ( g )"},
		{"date", "4 2026/11/20 10:00:00;", "4 2026/11/20 10:00:00 ;"},
		{"hexadecimal", "uid 1:2:ff;", "uid 1:2:ff ;"},
		{"number of a variable", "set n = %7;", "set n = %7 ;"},
		{"string", `"abc"`, "«abc»"},
		{"empty string", `""`, "«»"},
		{"octal", `"\001RT\000\0224\001"`, "«\x01RT\x00\x124\x01»"},
		{"short octal", `"\1\12x\18"`, "«\x01\nx\x018»"},
		{"octal beyond a byte", `"\777"`, "«\xff»"},
		{"hexadecimal escape", `"\x4a\xZ"`, "«JxZ»"},
		{"named escapes", `"\n\r\t\b"`, "«\n\r\t\b»"},
		{"escaped quote and backslash", `"a\"b\\"`, `«a"b\»`},
		{"escape of nothing known", `"\q"`, "«q»"},
		{"strings in a row", `"a""b"`, "«a» «b»"},
		{"string without end", `"abc`, "! abc"},
		{"string over a line end", "\"ab\ncd\"", "! ab cd !"},
		{"string that ends in a backslash", `"ab\`, `! ab\`},
		{"zeroes", "a\x00b", "a ! b"},
		{"delete", "\x7f", "!"},
		{"beyond ASCII", "h\xc3\xa4t", "h\xc3\xa4t"},
	} {
		s := scanner{src: []byte(c.text)}
		var got []string
		for {
			tok := s.next()
			if tok.kind == tokEOF {
				break
			}
			if tok.end <= tok.off || tok.end > len(c.text) {
				t.Fatalf("%s: token from %d to %d", c.name, tok.off, tok.end)
			}
			switch tok.kind {
			case tokText:
				got = append(got, "«"+string(tok.val)+"»")
			case tokBroken:
				got = append(got, "!")
			default:
				got = append(got, string(tok.val))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, strings.Join(got, " "), c.want)
		}
	}
}

// TestDates reads the forms of a date, and refuses what only looks like one.
func TestDates(t *testing.T) {
	for text, want := range map[string]int64{
		"4 2026/11/20 10:00:00":       at(10, 0, 0),
		"0 2026/11/20 10:00:00":       at(10, 0, 0), // the weekday is for people
		"4 2026/1/2 3:4:5":            1767323045,
		"0 1970/01/01 00:00:00":       0,
		"2 2038/01/19 03:14:08":       1 << 31,
		"5 9999/12/31 23:59:59":       lastDate,
		"never":                       batch.Forever,
		"epoch 1795343559":            1795343559,
		"epoch 1795343559; # comment": 1795343559,
		"epoch":                       -1,
		"epoch x":                     -1,
		"epoch -5":                    -1,
		"":                            -1,
		"4":                           -1,
		"4 2026/11/20":                -1,
		"4 2026/11/20 10:00:00 x":     -1,
		"7 2026/11/20 10:00:00":       -1,
		"x 2026/11/20 10:00:00":       -1,
		"44 2026/11/20 10:00:00":      -1,
		"4 2026-11-20 10:00:00":       -1,
		"4 2026/02/30 10:00:00":       -1,
		"4 2026/11/20 24:00:00":       -1,
		"4 2026/11/20 10:60:00":       -1,
		"tomorrow":                    -1,
	} {
		r := parse([]byte("lease 10.0.0.1 { ends "+text+"\n; }"), noon)
		switch {
		case want < 0 && len(r.Leases) != 0:
			t.Errorf("%q was read as %d", text, r.Leases[0].Ends)
		case want >= 0 && (len(r.Leases) != 1 || r.Leases[0].Ends != want):
			t.Errorf("%q: %+v, want %d", text, r, want)
		}
	}
	for sec, want := range map[int64]string{
		0: "4 1970/01/01 00:00:00;", at(1, 2, 3): "5 2026/11/20 01:02:03;", lastDate: "5 9999/12/31 23:59:59;",
		lastDate + 1: "never;", batch.Forever: "never;",
	} {
		if got := string(appendDate(nil, sec)); got != want {
			t.Errorf("%d: %s, want %s", sec, got, want)
		}
	}
}

// TestFields reads every statement that a record may have, in the forms that
// dhcpd of several ages wrote.
func TestFields(t *testing.T) {
	for body, want := range map[string]string{
		"hardware ethernet 52:54:0:12:34:1;":                  "1/52540012340100000000000000000000/6",
		"hardware token-ring 52:54:00:12:34:01;":              "6/52540012340100000000000000000000/6",
		"hardware unknown-77 01;":                             "77/01000000000000000000000000000000/1",
		"hardware infiniband;":                                "32/00000000000000000000000000000000/0",
		"hardware ethernet 1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:10;": "1/0102030405060708090a0b0c0d0e0f10/16",
		"uid 1:2:3;":                             "uid 010203",
		"uid \"\\001\\002\\003\";":               "uid 010203",
		"client-hostname \"a b\";":               "host a b",
		"client-hostname node;":                  "host node",
		"set vendor-class-identifier = \"PXE\";": "vendor PXE",
		"hardware;":                              "refused",
		"hardware ether 1:2;":                    "refused",
		"hardware ethernet 1:2:g;":               "refused",
		"hardware ethernet 1 2;":                 "refused",
		"hardware unknown-256 1;":                "refused",
		"hardware ethernet 1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:10:11;": "refused",
		"uid;":                   "refused",
		"uid x;":                 "refused",
		"uid 1:2 3;":             "refused",
		"client-hostname;":       "refused",
		"set a;":                 "refused",
		"set a b c;":             "refused",
		"binding state;":         "refused",
		"binding status active;": "refused",
		"\"ends\" never;":        "refused",
	} {
		r := parse([]byte("lease 10.0.0.1 { "+body+" }"), noon)
		got := "refused"
		if len(r.Leases) == 1 {
			l := r.Leases[0]
			switch {
			case l.ClientIDLen > 0:
				got = fmt.Sprintf("uid %x", l.ClientID[:l.ClientIDLen])
			case l.HostnameLen > 0:
				got = "host " + string(l.Hostname[:l.HostnameLen])
			case l.VendorLen > 0:
				got = "vendor " + string(l.Vendor[:l.VendorLen])
			default:
				got = fmt.Sprintf("%d/%x/%d", l.HW.Type, l.HW.Addr, l.HW.Len)
			}
		}
		if got != want {
			t.Errorf("%s\n%s, want %s", body, got, want)
		}
	}
}

// TestLongFields cuts what a record has no room for, and keeps the length of an
// identifier.
func TestLongFields(t *testing.T) {
	long := strings.Repeat("x", 300)
	r := parse([]byte("lease 10.0.0.1 { uid \""+long+"\"; client-hostname \""+long+"\"; set vendor-class-identifier = \""+long+"\"; }"), noon)
	l := r.Leases[0]
	if l.ClientIDLen != 255 || l.HostnameLen != batch.MaxHostname || l.VendorLen != batch.MaxVendor {
		t.Errorf("%d %d %d", l.ClientIDLen, l.HostnameLen, l.VendorLen)
	}
}

// TestCarried keeps what only dhcpd understands, word for word, and drops what
// the record itself says.
func TestCarried(t *testing.T) {
	kept := []string{
		"tsfp 4 2026/11/20 10:00:00;", "atsfp never;", "billing class \"a;}\";", "billing subclass \"a\" 1:2;",
		"option agent.circuit-id \"eth0/1\";", "supersede agent.remote-id 1:2;", "set ddns-txt = \"31\";",
		"ddns-fwd-name \"a.b\";", "ddns-rev-name \"b.a\";", "on expiry or release { set a = \"}\" ; if exists x { log(\"y\"); } }",
	}
	dropped := []string{"tstp 4 2026/11/20 10:00:00;", "next binding state free;", "rewind binding state free;", "class x;", "timestamp never;", ";"}
	r := parse([]byte("lease 10.0.0.1 { "+strings.Join(append(dropped, kept...), "\n")+" }"), noon)
	if len(r.Leases) != 1 || len(r.Warnings) != 0 {
		t.Fatalf("%+v", r)
	}
	if got, want := string(r.extras[0]), "  "+strings.Join(kept, "\n  ")+"\n"; got != want {
		t.Errorf("kept:\n%swant:\n%s", got, want)
	}
	again := appendRecord(nil, &r.Leases[0], r.extras[0])
	if r := parse(again, noon); len(r.Leases) != 1 || len(r.Warnings) != 0 || string(r.extras[0]) == "" {
		t.Errorf("written anew:\n%s%+v", again, r)
	}
	// A later record says everything anew: what was carried is out of date.
	r = parse(append(again, "lease 10.0.0.1 { binding state free; }"...), noon)
	if len(r.extras) != 0 {
		t.Errorf("carried on: %q", r.extras[0])
	}
}

// TestForeignItems carries whole declarations along and says which have no
// effect.
func TestForeignItems(t *testing.T) {
	items := []string{
		"authoring-byte-order little-endian;",
		"server-duid \"\\000\\001\\\"}\";",
		"failover peer \"ola\" state {\n  my state normal at 4 2026/11/20 10:00:00;\n  partner state normal at never;\n}",
		"class \"a\" {\n  dynamic;\n  match if substring (hardware, 1, 3) = \"}\";\n}",
		"subclass \"a\" 1:2:3;",
		"ia-na \"\\001\" {\n  cltt 4 2026/11/20 10:00:00;\n  iaaddr 2001:db8::1 {\n    binding state active;\n  }\n}",
		"host gone {\n  dynamic;\n  deleted;\n}",
	}
	r := parse([]byte(strings.Join(items, "\n")+"\n"), noon)
	if len(r.foreign) != len(items) || r.Damaged || len(r.Leases) != 0 {
		t.Fatalf("%d of %d items: %+v", len(r.foreign), len(items), r)
	}
	for i, item := range r.foreign {
		if string(item) != items[i] {
			t.Errorf("%q, want %q", item, items[i])
		}
	}
	if len(r.Warnings) != 5 {
		t.Errorf("%d warnings: %v", len(r.Warnings), r.Warnings)
	}
	rep := newReplica(r)
	out, _ := rep.appendFrom(rep.head, 0, 1<<20)
	if again := parse(out, noon); len(again.foreign) != len(items) || again.GoodEnd != int64(len(out)) {
		t.Errorf("written anew:\n%s", out)
	}
}

// TestEndlessStatement gives a lost brace up after a while instead of reading
// the rest of the file into one statement.
func TestEndlessStatement(t *testing.T) {
	var b strings.Builder
	b.WriteString("lease 10.0.0.1 { on expiry { ")
	b.WriteString(strings.Repeat("set a = \"b\"; ", 2*maxStatement/13))
	b.WriteString("\nlease 10.0.0.2 { binding state free; }\n")
	r := parse([]byte(b.String()), noon)
	if len(r.Leases) != 1 || !r.Damaged || !strings.Contains(r.Warnings[0].Text, "a statement without end") {
		t.Errorf("%d leases, %v", len(r.Leases), r.Warnings)
	}
}
