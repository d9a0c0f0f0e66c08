package config

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// goodFiles are the configurations of testdata/good: every construct of the
// language, in our own words.
func goodFiles(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("testdata/good/*.conf")
	if err != nil || len(names) < 5 {
		t.Fatalf("testdata/good is incomplete: %v, %v", names, err)
	}
	files := map[string]string{}
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files[n] = string(text)
	}
	return files
}

// TestOracleGoodFiles: dhcpd accepts the files, and so do we.
func TestOracleGoodFiles(t *testing.T) {
	for name, text := range goodFiles(t) {
		if tree := parse(text); tree.HasErrors() {
			t.Errorf("%s has errors:\n%s", name, render(tree))
		}
		if dhcpd(t, text) == rejects {
			t.Errorf("dhcpd rejects %s", name)
		}
	}
}

// mutation changes a list of tokens.
type mutation struct {
	name  string
	apply func(r *rand.Rand, tokens []string) []string
}

var mutations = []mutation{
	{"delete", func(r *rand.Rand, s []string) []string {
		i := r.IntN(len(s))
		return append(s[:i:i], s[i+1:]...)
	}},
	{"duplicate", func(r *rand.Rand, s []string) []string {
		i := r.IntN(len(s))
		return append(s[:i+1:i+1], s[i:]...)
	}},
	{"swap", func(r *rand.Rand, s []string) []string {
		i := r.IntN(len(s) - 1)
		s[i], s[i+1] = s[i+1], s[i]
		return s
	}},
	{"replace", func(r *rand.Rand, s []string) []string {
		s[r.IntN(len(s))] = s[r.IntN(len(s))]
		return s
	}},
	{"punctuation", func(r *rand.Rand, s []string) []string {
		i := r.IntN(len(s))
		return append(s[:i:i], append([]string{string("{};,.:=()"[r.IntN(9)])}, s[i:]...)...)
	}},
}

// spelled cuts text into the spellings of its tokens.
func spelled(text string) []string {
	l := newLexer("", []byte(text))
	var out []string
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		out = append(out, l.src[t.off:t.end])
	}
	return out
}

// join writes tokens as text: words apart, punctuation as it comes, a line per
// statement.
func join(tokens []string) string {
	var b strings.Builder
	for _, s := range tokens {
		b.WriteString(s)
		switch s {
		case ";", "{", "}":
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// mutations per file; MUTATIONS asks for more in a long run.
func mutationCount() int {
	if n, err := strconv.Atoi(os.Getenv("MUTATIONS")); err == nil {
		return n
	}
	return 40
}

// TestOracleMutations breaks the good files at random, from a fixed seed, and
// compares verdicts: what dhcpd rejects, we must not accept.
func TestOracleMutations(t *testing.T) {
	rejected, files := 0, goodFiles(t)
	for _, name := range []string{"boot", "expressions", "guide", "noeffect", "scopes", "spelling"} {
		tokens := spelled(files["testdata/good/"+name+".conf"])
		r := rand.New(rand.NewPCG(1, uint64(len(name))))
		for range mutationCount() {
			m := mutations[r.IntN(len(mutations))]
			text := join(m.apply(r, append([]string(nil), tokens...)))
			tree := parse(text)
			if tree.HasErrors() {
				rejected++
				continue
			}
			if dhcpd(t, text) == rejects && !listedDifference(tree) {
				t.Errorf("%s, %s: dhcpd rejects what we accept:\n%s", name, m.name, text)
			}
		}
	}
	if rejected == 0 {
		t.Error("no mutation was ever rejected: the test tests nothing")
	}
}

// listedDifference tells whether a tree uses what we accept and dhcpd does not.
func listedDifference(t *Tree) bool {
	for _, h := range t.Hosts {
		if len(h.Host.Hardware) > 1 {
			return true
		}
	}
	return false
}
