package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = `package hot

var sink *int

type table[T any] struct{ list []T }

func (t *table[T]) at(i int) T { return t.list[i] }

//go:noinline
func New() *table[int] { return &table[int]{list: make([]int, 8)} }

//go:noinline
func sum(t *table[int], b []byte) int {
	n := 0
	if len(b) > 3 {
		n = int(b[3])
	}
	return n + t.list[1]
}

func Use(b []byte, i int) (int, byte) { t := New(); return t.at(i) + sum(t, b), b[i] }
`

// module writes a module with one hot package, and runs the gate on it.
type module struct {
	*testing.T
	root, list string
}

func newModule(t *testing.T) *module {
	m := &module{T: t, root: t.TempDir()}
	m.list = filepath.Join(m.root, "reviewed.txt")
	m.write("go.mod", "module example\ngo 1.26\n")
	m.write("hot/hot.go", sample)
	return m
}

func (m *module) write(name, text string) {
	m.Helper()
	path := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.Fatal(err)
	}
}

// gate runs the comparison and returns what differs.
func (m *module) gate() []string {
	m.Helper()
	found, err := inspect(m.root, []string{"hot"})
	if err != nil {
		m.Fatal(err)
	}
	l, err := readList(m.list)
	if err != nil {
		m.Fatal(err)
	}
	return l.compare(found)
}

func (m *module) update() {
	m.Helper()
	if _, err := run(m.root, m.list, []string{"hot"}, true); err != nil {
		m.Fatal(err)
	}
}

// want expects one difference that names all of words.
func (m *module) want(words ...string) {
	m.Helper()
	got := m.gate()
	if len(got) != 1 {
		m.Fatalf("%d differences, want one: %q", len(got), got)
	}
	for _, w := range words {
		if !strings.Contains(got[0], w) {
			m.Errorf("%q is not in %q", w, got[0])
		}
	}
}

func TestGate(t *testing.T) {
	m := newModule(t)
	m.update()
	if got := m.gate(); len(got) != 0 {
		t.Fatalf("what was just accepted differs: %q", got)
	}
	m.write("hot/hot.go", strings.Replace(sample, "var sink", "// A comment\n// moves lines.\n\nvar sink", 1))
	if got := m.gate(); len(got) != 0 {
		t.Errorf("moved lines differ: %q", got)
	}
	m.write("hot/hot.go", strings.Replace(sample, "n := 0\n", "n := 0\n\tsink = &n\n", 1))
	m.want("hot: sum has 1 of kind escape, the list says 0", "hot/hot.go:14:", "moved to heap: n")
	m.write("hot/hot.go", strings.Replace(sample, "len(b) > 3", "len(b) > 2", 1))
	m.want("hot: sum has 2 of kind bounds, the list says 1", "hot/hot.go:16:", "IsInBounds")
	m.write("hot/hot.go", strings.Replace(sample, "+ t.list[1]", "", 1))
	m.want("hot: sum has 0 of kind bounds, the list says 1")
}

// A function that is marked may do what it likes, and stays marked.
func TestColdFunctions(t *testing.T) {
	m := newModule(t)
	m.update()
	text, err := os.ReadFile(m.list)
	if err != nil {
		t.Fatal(err)
	}
	m.write("reviewed.txt", string(text)+"hot New cold\nhot gone cold\n")
	m.update()
	m.write("hot/hot.go", strings.Replace(sample, "{ return &table[int]{list: make([]int, 8)} }",
		"{ sink = new(int); return &table[int]{list: make([]int, 8)} }", 1))
	if got := m.gate(); len(got) != 0 {
		t.Errorf("a cold function differs: %q", got)
	}
	l, err := readList(m.list)
	if err != nil {
		t.Fatal(err)
	}
	if marked := slices.Collect(maps.Keys(l.cold)); len(marked) != 1 || marked[0].function != "New" {
		t.Errorf("marked are %v, want New alone", marked)
	}
}

func TestListIsChecked(t *testing.T) {
	m := newModule(t)
	for _, line := range []string{"hot New", "hot New heap 3", "hot New escape none", "hot New escape 0"} {
		m.write("reviewed.txt", line+"\n")
		if _, err := readList(m.list); err == nil || !strings.Contains(err.Error(), "reviewed.txt:1:") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// Every hot package is there, and the list beside this file can be read.
func TestReviewedList(t *testing.T) {
	l, err := readList("reviewed.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range hot {
		if _, err := os.Stat(filepath.Join("../..", p)); err != nil {
			t.Error(err)
		}
	}
	for _, set := range []int{len(l.cold), len(l.counts)} {
		if set == 0 {
			t.Error("the list is empty")
		}
	}
}
