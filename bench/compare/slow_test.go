package compare

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// proof is the environment variable that asks for this test, which takes half a
// minute and wants a quiet machine: make compare-proof.
const proof = "COMPARE_PROOF"

const slowed = "proto/tftp" // the package that the test slows down

// Two builds of one source do not differ; a copy that does 15 % more work in one
// function does, and the benchmark of that function is named. The work is a loop
// whose length follows from what both take on this machine.
func TestInjectedSlowdown(t *testing.T) {
	if os.Getenv(proof) == "" {
		t.Skip("it builds and runs benchmarks: make compare-proof")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	build := func(root string) *Side {
		t.Helper()
		s, err := Build(t.Context(), root, t.TempDir(), []string{slowed})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := build(root)
	o := Options{Rounds: 20, Each: time.Millisecond, Threshold: 0.1, Progress: io.Discard}
	measure := func(b *Side) []Row {
		t.Helper()
		rows, err := Measure(t.Context(), a, b, o)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	const name = slowed + " BenchmarkParseRequest"
	rows := measure(a)
	at := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
	if at < 0 || slices.ContainsFunc(rows, func(r Row) bool { return r.Slow }) {
		t.Fatalf("the same binary against itself: %+v", rows)
	}
	// How much a loop adds among other instructions is found out by measuring it.
	turns := spinFor(0.15 * rows[at].LeastA)
	tried := measure(build(variant(t, root, turns)))
	added := tried[slices.IndexFunc(tried, func(r Row) bool { return r.Name == name })].Least
	if added < 0.05 {
		t.Fatalf("a loop of %d turns adds %.1f %%: nothing can be shown with it", turns, 100*added)
	}
	rows = measure(build(variant(t, root, int(float64(turns)*0.15/added+0.5))))
	for _, r := range rows {
		if r.Slow != (r.Name == name) {
			t.Errorf("15 %% slower in %s: %+v", name, r)
		}
	}
}

// spinFor is the length of a loop that takes so many nanoseconds.
func spinFor(nanoseconds float64) int {
	best := 1e9
	for range 20 {
		const turns = 100_000
		begin := time.Now()
		spin(turns)
		best = min(best, float64(time.Since(begin))/turns)
	}
	return int(nanoseconds/best + 0.5)
}

//go:noinline
func spin(turns int) {
	for i := 0; i < turns; i++ {
	}
}

// variant is a copy of the source with a loop of so many turns in ParseRequest.
func variant(t *testing.T, root string, turns int) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "proto"} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(root, name)))
		} else {
			var text []byte
			if text, err = os.ReadFile(filepath.Join(root, name)); err == nil {
				err = os.WriteFile(filepath.Join(to, name), text, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(to, slowed, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(text, []byte("\nfunc ParseRequest("))
		if at < 0 || strings.HasSuffix(name, "_test.go") {
			continue
		}
		at += 1 + bytes.IndexByte(text[at+1:], '\n') + 1
		text = slices.Concat(text[:at], fmt.Appendf(nil, "\tfor i := 0; i < %d; i++ {\n\t}\n", turns), text[at:])
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return to
	}
	t.Fatal("no file declares ParseRequest")
	return ""
}
