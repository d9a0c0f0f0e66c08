package compare

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Made-up rounds: the shortest times ignore what noise adds, and a slowdown counts
// only where it is both large and significant.
func TestJudge(t *testing.T) {
	a := slices.Repeat([]float64{100, 101, 102, 100, 180, 103, 101, 300, 100, 102, 101, 100, 104, 102}, 4)
	scaled := func(by float64) (out []float64) {
		for _, v := range a {
			out = append(out, v*by)
		}
		return out
	}
	for _, c := range []struct {
		name string
		b    []float64
		slow bool
	}{
		{"equal", scaled(1), false},
		{"a little slower", scaled(1.05), false},
		{"slower", scaled(1.15), true},
		{"faster", scaled(0.8), false},
		{"noise on most", slices.Repeat([]float64{100, 170, 182, 100, 180, 190, 101, 300, 220, 152, 171, 130, 104, 142}, 4), false},
		{"too few rounds", []float64{120, 121}, false},
	} {
		rows := judge("p", times{"BenchmarkX": a}, times{"BenchmarkX": c.b}, 0.1)
		if len(rows) != 1 || rows[0].Slow != c.slow {
			t.Errorf("%s: %+v, want slow %v", c.name, rows, c.slow)
		}
	}
	rows := judge("p", times{"BenchmarkGone": a}, times{"BenchmarkNew": a}, 0.1)
	if len(rows) != 2 || rows[0].B != 0 || rows[1].A != 0 || rows[0].Slow || rows[1].Slow {
		t.Errorf("a new and a gone benchmark: %+v", rows)
	}
}

func TestExactly(t *testing.T) {
	if got := exactly("BenchmarkData/window_4"); got != "^BenchmarkData$/^window_4$" {
		t.Error(got)
	}
}

// A repository of one commit has nothing to compare with; then changed files are
// compared with it, later commits with the one before. An accepted baseline goes
// first, as long as the history has it.
func TestBaseline(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	run := func(args ...string) string {
		t.Helper()
		out, err := git(ctx, dir, append([]string{"-c", "user.name=n", "-c", "user.email=n@example.org"}, args...)...)
		if err != nil {
			t.Fatal(args, err)
		}
		return out
	}
	commit := func(text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		run("add", "go.mod")
		run("commit", "-qm", text)
		return run("rev-parse", "HEAD")
	}
	want := func(name, commit, words string) {
		t.Helper()
		got, why := Baseline(ctx, dir)
		if got != commit || !strings.Contains(why, words) {
			t.Errorf("%s: %q (%s), want %q (… %s …)", name, got, why, commit, words)
		}
	}
	want("no repository", "", "no earlier version")
	run("init", "-q")
	first := commit("module one\n")
	want("one commit", "", "no earlier version")
	second := commit("module two\n")
	want("two commits", first, "before HEAD")
	third := commit("module three\n")
	run("update-ref", "refs/remotes/origin/main", first)
	want("a branch", first, "origin/main")
	run("update-ref", "refs/remotes/origin/main", third)
	want("at origin/main", second, "before HEAD")

	if got, err := Accept(ctx, dir); err != nil || got != third {
		t.Fatalf("%q, %v", got, err)
	}
	fourth := commit("module four\n")
	want("accepted", third, "accepted")
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Accept(ctx, dir); err == nil {
		t.Error("changed files were accepted as a baseline")
	}
	run("checkout", "-q", "go.mod")
	// A history that was rewritten does not have the commit any more.
	if err := os.WriteFile(filepath.Join(dir, BaselineFile), []byte("# words\n0123456789012345678901234567890123456789\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("update-ref", "refs/remotes/origin/main", fourth)
	want("the accepted commit is gone", third, "is not in this history")

	root, err := Source(ctx, dir, first, filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || string(text) != "module one\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestTooFewRounds(t *testing.T) {
	if _, err := Measure(t.Context(), &Side{}, &Side{}, Options{Rounds: 2, Progress: io.Discard}); err == nil {
		t.Error("two rounds were accepted")
	}
}
