package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"bootstorm/cmd/bootstorm/api/apitest"
	"bootstorm/engine/story"
)

// startFake starts a made-up daemon, at so long after the nodes' power came on,
// and returns its run directory.
func startFake(t *testing.T, nodes int, after time.Duration) string {
	t.Helper()
	dir := t.TempDir()
	site := apitest.New(nodes)
	site.Set(apitest.PowerOn() + after)
	s, err := apitest.Start(site, dir, "bond0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return dir
}

// The page and the exit status before a storm, in it, and when some nodes did
// not come back.
func TestStatusSaysHowItStands(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  time.Duration
		status int
		args   []string
	}{
		{"status-idle", -time.Minute, 0, nil},
		{"status-storm", 14 * time.Second, 0, nil},
		{"status-stuck", 70 * time.Second, 1, nil},
		{"status-quiet", 70 * time.Second, 1, []string{"--quiet"}},
		{"status-limit", 70 * time.Second, 1, []string{"--limit", "2"}},
	} {
		dir := startFake(t, 1000, c.after)
		status, out, errs := call(append([]string{"status", "--run-dir", dir}, c.args...)...)
		if status != c.status || errs != "" {
			t.Errorf("%s: status %d, want %d; %s", c.name, status, c.status, errs)
		}
		golden(t, c.name, out)
		for _, l := range strings.Split(out, "\n") {
			if len(l) > 80 || strings.Contains(l, "\x1b") {
				t.Errorf("%s: %q is too wide or coloured", c.name, l)
			}
		}
	}
}

// A script gets the summary and every stuck node.
func TestStatusForScripts(t *testing.T) {
	dir := startFake(t, 4000, 70*time.Second)
	status, out, errs := call("status", "--run-dir", dir, "--json", "--limit", "0")
	var r standing
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 1 || errs != "" {
		t.Fatalf("status %d, %v, %s", status, err, errs)
	}
	if r.Nodes != 4000 || r.Health != story.HealthDegraded || len(r.Stuck) != r.States[story.StateStuck] || len(r.Stuck) != 31 {
		t.Errorf("%d nodes, %s, %d stuck listed of %d", r.Nodes, r.Health, len(r.Stuck), r.States[story.StateStuck])
	}
}

// What cannot be found out is told apart from what is bad.
func TestStatusUnknown(t *testing.T) {
	for _, args := range [][]string{
		{"status", "--run-dir", t.TempDir()},
		{"status", "--run-dir", t.TempDir(), "--interface", "bond0"},
		{"status", "--limit", "-1"},
		{"status", "--colour"},
		{"status", "now"},
	} {
		if status, out, errs := call(args...); status != exitUnknown || out != "" || !strings.HasPrefix(errs, "bootstorm status: ") {
			t.Errorf("%v: status %d, %q, %q", args, status, out, errs)
		}
	}
}
