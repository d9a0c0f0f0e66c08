package compile

import (
	"regexp"
	"strings"
	"testing"
)

// TestRegexAgainstLibrary compares the tables with Go's own matcher on every
// text of up to four letters of a small alphabet.
func TestRegexAgainstLibrary(t *testing.T) {
	texts := []string{""}
	for n := 0; n < len(texts) && len(texts[n]) < 4; n++ {
		for _, c := range "ab1X" {
			texts = append(texts, texts[n]+string(c))
		}
	}
	for _, pattern := range []string{
		"", "a", "^a", "a$", "^a$", "^$", "^", "$", "a|b", "(ab)+", "a*b", "a+b?1", "[ab]1", "[^a]", "^[^a]*$", ".", "a.b", "a{2}", "a{2,3}b",
		"(a|b)*1$", "^(a|b1)*X", "[[:digit:]]+", "[[:upper:]]$", "a$|^b", "(^a|b)1", "x", "(a$)b", "()",
		"$^", "a|$^", "^$|a", // found by FuzzRegex: an empty text has both ends at once
	} {
		for _, fold := range []bool{false, true} {
			oracle := regexp.MustCompile(map[bool]string{false: "(?s)", true: "(?si)"}[fold] + "(?:" + pattern + ")")
			table, why := compileRegex([]byte(pattern), fold)
			if why != "" {
				t.Fatalf("%q %s", pattern, why)
			}
			for _, text := range texts {
				if got, want := table.Matches([]byte(text)), oracle.MatchString(text); got != want {
					t.Fatalf("%q fold %v on %q: %v, want %v", pattern, fold, text, got, want)
				}
			}
		}
	}
}

// TestRegexBytes: bytes above 127 are characters of their own; a NUL ends the
// pattern; line ends are nothing special.
func TestRegexBytes(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"^\xc3.$", "\xc3\xa9", true}, {"^.$", "\xc3\xa9", false}, {"\xff", "a\xffb", true}, {"a\x00b", "a", true},
		{"^b", "a\nb", false}, {"a.b", "a\nb", true}, {"[^x]", "\n", true}, {"a$", "a\n", false},
	} {
		table, why := compileRegex([]byte(c.pattern), false)
		if why != "" {
			t.Fatalf("%q %s", c.pattern, why)
		}
		if got := table.Matches([]byte(c.text)); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.text, got)
		}
	}
}

// TestRegexRefused: what cannot be compiled is said at start.
func TestRegexRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"(": "not valid", "a**": "", `\b`: "not valid", `\1`: "not valid", "[z-a]": "not valid", "[a": "not valid",
		"(a|b)*a(a|b){12}": "too many states", "a{1001}": "not valid",
	} {
		_, why := compileRegex([]byte(pattern), false)
		if (want == "") != (why == "") || !strings.Contains(why, want) {
			t.Errorf("%q: %q", pattern, why)
		}
	}
}

// stacked finds a question mark behind another repetition.
var stacked = regexp.MustCompile(`[*+?}]\?`)

// TestRegexStackedRepetition was found by FuzzRegex: as in POSIX, "0+?" may be
// nothing.
func TestRegexStackedRepetition(t *testing.T) {
	table, why := compileRegex([]byte("^0+?0$"), false)
	if why != "" {
		t.Fatal(why)
	}
	for text, want := range map[string]bool{"0": true, "000": true, "": false, "01": false} {
		if table.Matches([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// FuzzRegex: whatever compiles agrees with Go's matcher.
func FuzzRegex(f *testing.F) {
	f.Add("^(a|b)*c$", "abac")
	f.Add("[^[:alpha:]]+", "12")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 30 || strings.ContainsRune(pattern, 0) || !ascii(pattern) || !ascii(text) {
			return
		}
		table, why := compileRegex([]byte(pattern), false)
		if why != "" {
			return
		}
		if strings.Contains(pattern, "(?") || strings.Contains(pattern, `\`) || strings.Contains(pattern, "{,") {
			return
		}
		if stacked.MatchString(pattern) { // "+?" is "one or more, or none" in POSIX, but few rather than many to Go
			return
		}
		oracle, err := regexp.Compile("(?s)(?:" + pattern + ")")
		if err != nil {
			return
		}
		if got, want := table.Matches([]byte(text)), oracle.MatchString(text); got != want {
			t.Fatalf("%q on %q: %v, want %v", pattern, text, got, want)
		}
	})
}

func ascii(s string) bool {
	for _, c := range []byte(s) {
		if c >= 128 {
			return false
		}
	}
	return true
}

// TestPOSIX holds what the C library makes of backslashes, asked by way of
// dhcpd 4.4.3.
func TestPOSIX(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`a\d`, "a5", false}, {`a\d`, "ad", true}, {`^\w+$`, "a_1", true}, {`^\W$`, "-", true}, {`\s`, "a b", true}, {`^\S+$`, "a b", false},
		{`a\.b`, "a.b", true}, {`a\.b`, "axb", false}, {`[\.]`, `\`, true}, {`[\.]`, ".", true}, {`^[]a]+$`, "]a", true}, {`[^]]`, "]", false},
		{`^[[:alpha:]_.]+$`, "a_.", true}, {`^[a[]$`, "[", true}, {`\(x\)`, "(x)", true}, {`\\`, `a\b`, true}, {`^xa{,2}b`, "xaab", true}, {`^xa{,2}b`, "xaaab", false},
	} {
		table, why := compileRegex([]byte(c.pattern), false)
		if why != "" {
			t.Errorf("%q %s", c.pattern, why)
			continue
		}
		if got := table.Matches([]byte(c.text)); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.text, got)
		}
	}
}
