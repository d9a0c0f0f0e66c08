package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzParse feeds the parser anything: no panic, an end in bounded time, findings
// inside their file, a remedy for every error, and the tree's promises.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.conf")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, c := range Constructs {
		f.Add([]byte(c.Example))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		tree := ParseText("f", text, Options{Resolve: noNames, ReadFile: func(string) ([]byte, error) {
			return nil, errors.New("no file")
		}})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%d bytes took %v", len(text), took)
		}
		checkTree(t, tree, text)
	})
}

// checkTree checks what holds for the tree of any text.
func checkTree(t *testing.T, tree *Tree, text []byte) {
	t.Helper()
	lines := bytes.Split(text, []byte("\n"))
	for _, f := range tree.Findings {
		if f.File != "f" || f.Line < 1 || f.Line > len(lines) || f.Col < 1 || f.Col > len(lines[f.Line-1])+1 {
			t.Errorf("a finding outside the file: %+v", f)
		}
		if f.Width < 1 || f.Message == "" || f.Severity == Error && f.Remedy == "" {
			t.Errorf("an incomplete finding: %+v", f)
		}
		if tree.Render(f) == "" {
			t.Errorf("nothing rendered for %+v", f)
		}
	}
	for _, h := range tree.Hosts {
		if h.Kind != ScopeHost || h.Host == nil || h.Parent == nil {
			t.Errorf("host %+v", h)
		}
	}
	for _, n := range tree.Networks {
		if n.Kind == ScopeSubnet && n.Subnet == nil || n.Parent == nil {
			t.Errorf("network %+v", n)
		}
	}
	for _, c := range tree.Classes {
		if c.Scope == nil || c.Scope.Class != c {
			t.Errorf("class %+v", c)
		}
	}
	checkStatements(t, tree.Root.Statements)
}

// checkStatements checks that every statement has what its kind needs.
func checkStatements(t *testing.T, list []Statement) {
	t.Helper()
	for _, s := range list {
		switch {
		case s.Pos.Line == 0:
			t.Errorf("no place: %+v", s)
		case s.Kind == StatementOption && (s.Option == nil || s.Expr == nil || s.Option.Space == nil):
			t.Errorf("no option: %+v", s)
		case (s.Kind == StatementIf || s.Kind == StatementSwitch || s.Kind == StatementSet) && s.Expr == nil:
			t.Errorf("no expression: %+v", s)
		}
		checkStatements(t, s.Then)
		checkStatements(t, s.Else)
		for _, c := range s.Cases {
			checkStatements(t, c.Body)
		}
	}
}
