//go:build linux

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// The tests run in a private world, where the servers are started.
func TestMain(m *testing.M) { lab.Main(m) }

// daemon builds bootstorm, or takes the one that BOOTSTORM names.
func daemon(t *testing.T) string {
	t.Helper()
	path, err := lab.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// open lets servers that drop their privileges reach a test's directory.
func reachable(t *testing.T, dir string) string {
	t.Helper()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asRoot tells whether a test may do what the comparison does. Who may not is
// told so by Compare, before anything is started.
func asRoot(t *testing.T) bool {
	t.Helper()
	if permitted() == nil {
		return true
	}
	t.Log("not root: only the refusal is tested")
	if _, err := Compare(context.Background(), Options{}); !errors.Is(err, ErrNeedsRoot) {
		t.Errorf("no refusal but %v", err)
	}
	return false
}

// Eight nodes boot from bootstorm and from a tuned dnsmasq, and everything is
// measured.
func TestCompare(t *testing.T) {
	if !asRoot(t) {
		return
	}
	servers, err := Select([]string{"bootstorm", "dnsmasq-tuned"})
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	o := Options{Servers: servers, Nodes: 8, Rounds: 1, Limit: 60 * time.Second, Dir: reachable(t, t.TempDir()), Daemon: daemon(t),
		Deps: os.Getenv("BOOTSTORM_DEPS"), Core: 0, LoadCore: 0, Progress: &progress}
	r, err := Compare(context.Background(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	if len(r.Runs) != 2 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	for _, run := range r.Runs {
		if !run.Complete() || run.Done != 8 {
			t.Fatalf("%s: %d of 8, %s, %+v", run.Title, run.Done, run.Error, run.Failures)
		}
		last := run.Series[len(run.Series)-1]
		if run.CPU <= 0 || run.CPU > run.Wall+time.Second || run.Memory < 1<<20 || run.P50 <= 0 || run.P99 > run.Wall || last.Done != 8 {
			t.Errorf("%s: CPU %s of %s, memory %d, p50 %s, series ends %+v", run.Title, run.CPU, run.Wall, run.Memory, run.P50, last)
		}
	}
	// What the engine allocates in a second or two, beside its frames, is a few thousand objects.
	if n := r.Runs[0].Allocations; n == nil || *n < 0 || *n > 100_000 || r.Runs[1].Allocations != nil {
		t.Errorf("allocations of bootstorm: %v, of dnsmasq: %v", n, r.Runs[1].Allocations)
	} else {
		t.Logf("%d objects", *n)
	}
	if !strings.Contains(progress.String(), "dnsmasq, tuned: 8 of 8 nodes in ") {
		t.Errorf("progress:\n%s", &progress)
	}
	if r.Machine.Versions["dnsmasq"] == "" {
		t.Errorf("versions %v", r.Machine.Versions)
	}
}

// A daemon that ends, or never binds its ports, is the server's fault: the
// comparison says so and goes on.
func TestServersThatFail(t *testing.T) {
	if !asRoot(t) {
		return
	}
	fake := func(name, script string) Server {
		return Server{Name: name, Title: name, commands: func(*Site) ([]command, error) {
			return []command{{args: []string{"sh", "-c", script}}}, nil
		}}
	}
	broken := Server{Name: "unwritten", Title: "unwritten", commands: func(*Site) ([]command, error) { return nil, fmt.Errorf("no configuration") }}
	o := Options{Servers: []Server{fake("ends", "echo last words; exit 3"), broken}, Nodes: 2, Rounds: 1, Limit: time.Second, Dir: t.TempDir(),
		Deps: os.Getenv("BOOTSTORM_DEPS"), Progress: new(bytes.Buffer)}
	r, err := Compare(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"last words", "no configuration"} {
		if run := r.Runs[i]; !strings.Contains(run.Error, want) || run.Done != 0 || run.Failed != 2 || run.Complete() {
			t.Errorf("%+v, want %q", run, want)
		}
	}
	i := slices.IndexFunc(r.Runs, func(r Run) bool { return strings.Contains(r.sentence(2), "last words") })
	if i < 0 {
		t.Error("no sentence about it")
	}
}
