package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected findings of testdata anew")

// TestFindings compares what the operator sees for every file of testdata with
// the text beside it: broken files with their errors, good ones with their
// warnings.
func TestFindings(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.conf")
	if err != nil || len(names) < 15 {
		t.Fatalf("testdata is incomplete: %v, %v", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			tree := ParseFile(name, Options{Resolve: noNames})
			if broken := strings.Contains(name, "broken"); tree.HasErrors() != broken {
				t.Errorf("has errors: %v", tree.HasErrors())
			}
			got, golden := render(tree), strings.TrimSuffix(name, ".conf")+".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("findings differ from %s; got:\n%s", golden, got)
			}
			for _, f := range tree.Findings {
				if f.Severity == Error && f.Remedy == "" {
					t.Errorf("no remedy for: %s", f.Message)
				}
			}
		})
	}
}

// TestOracleBrokenFiles: dhcpd rejects what testdata/broken holds, with the
// exception of what is refused for our own reasons.
func TestOracleBrokenFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/broken/*.conf")
	if err != nil || len(names) < 10 {
		t.Fatalf("testdata/broken is incomplete: %v, %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if dhcpd(t, string(text)) == accepts {
			t.Errorf("dhcpd accepts %s", name)
		}
	}
}

// TestRender holds the caret to the character it means.
func TestRender(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name, text string
		f          Finding
		want       string
	}{
		{"width", "a bcd e", Finding{Pos: Pos{"f", 1, 3}, Width: 3, Message: "m", Remedy: "r"},
			"f:1:3: warning: m\n    a bcd e\n      ^~~\n    r\n"},
		{"tabs stay tabs", "\ta\tb", Finding{Pos: Pos{"f", 1, 4}, Severity: Error, Message: "m", Remedy: "r"},
			"f:1:4: error: m\n    \ta\tb\n    \t \t^\n    r\n"},
		{"characters of several bytes", "äö\"x", Finding{Pos: Pos{"f", 1, 5}, Message: "m"},
			"f:1:5: warning: m\n    äö\"x\n      ^\n"},
		{"second line, carriage returns", "a\r\nb c\r\n", Finding{Pos: Pos{"f", 2, 3}, Message: "m"},
			"f:2:3: warning: m\n    b c\n      ^\n"},
		{"end of the line", "ab\n", Finding{Pos: Pos{"f", 1, 3}, Width: 5, Message: "m"},
			"f:1:3: warning: m\n    ab\n      ^\n"},
		{"beyond the end", "ab", Finding{Pos: Pos{"f", 1, 99}, Message: "m"},
			"f:1:99: warning: m\n    ab\n      ^\n"},
		{"what could upset a terminal", "a\x1b[2Jb", Finding{Pos: Pos{"f", 1, 6}, Message: "m"},
			"f:1:6: warning: m\n    a?[2Jb\n         ^\n"},
		{"a long line is cut around the caret", long + "!" + long, Finding{Pos: Pos{"f", 1, 301}, Message: "m"},
			"f:1:301: warning: m\n    " + long[:80] + "!" + long[:79] + "\n    " + strings.Repeat(" ", 80) + "^\n"},
		{"a file that was not read", "", Finding{Pos: Pos{"g", 1, 1}, Message: "m"}, "g:1:1: warning: m\n"},
		{"a line that is not there", "a", Finding{Pos: Pos{"f", 7, 1}, Message: "m"}, "f:7:1: warning: m\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := &Tree{Sources: []Source{{"f", []byte(c.text)}}}
			if got := tree.Render(c.f); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// TestSort orders findings by file as read, then by place.
func TestSort(t *testing.T) {
	tree := &Tree{Sources: []Source{{Name: "z"}, {Name: "a"}}}
	for _, p := range []Pos{{"a", 1, 1}, {"z", 2, 5}, {"z", 2, 1}, {"z", 1, 9}} {
		tree.Findings = append(tree.Findings, Finding{Pos: p})
	}
	tree.Sort()
	for i, want := range []Pos{{"z", 1, 9}, {"z", 2, 1}, {"z", 2, 5}, {"a", 1, 1}} {
		if tree.Findings[i].Pos != want {
			t.Errorf("finding %d is at %v, want %v", i, tree.Findings[i].Pos, want)
		}
	}
}

// TestRepeats: the same warning of a thousand hosts is given three times and
// counted; other warnings end at their limit; errors end the reading.
func TestRepeats(t *testing.T) {
	tree := parse(strings.Repeat("ddns-ttl 5;\n", 100))
	if n := len(tree.Findings); n != maxRepeats {
		t.Errorf("%d findings for one construct, want %d", n, maxRepeats)
	}
	if text := render(tree); strings.Count(text, "(and 97 more like it)") != 1 {
		t.Errorf("the rest is not counted once:\n%s", text)
	}
	tree = parse(strings.Repeat("host-name = 1:2;\n", 10) + strings.Repeat("filename \"a\"; ping-check = 1:2;\n", maxWarnings+50))
	text := render(tree)
	if strings.Contains(text, "more warnings that are not shown") == tree.HasErrors() {
		t.Errorf("too many warnings are not counted:\n%s", text[max(0, len(text)-500):])
	}
	tree = parse(strings.Repeat("nonsense 1;\n", 500))
	if n := len(tree.Findings); n != maxErrors+1 || !strings.Contains(tree.Findings[n-1].Message, "reading stops") {
		t.Errorf("%d findings for 500 errors", n)
	}
}
