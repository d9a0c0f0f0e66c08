package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/bench/peers"
)

// What is wrong with the command line is said before anything is installed or
// started.
func TestPeersAndCeilingUsage(t *testing.T) {
	daemon := file(t, "bootstorm", "")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"server", []string{"peers", "--servers", "nonsense"}, `"nonsense"`},
		{"sequence", []string{"peers", "--sequence", "nonsense"}, "nonsense"},
		{"no nodes", []string{"peers", "--nodes", "0"}, "nodes"},
		{"too many nodes", []string{"peers", "--nodes", "15001"}, "15000"},
		{"no rounds", []string{"peers", "--rounds", "0"}, "round"},
		{"a negative time", []string{"peers", "--budget", "-1m"}, "--budget"},
		{"no daemon", []string{"peers", "--servers", "bootstorm", "--bootstorm", "/nonexistent"}, "make build"},
		{"one core", []string{"peers", "--servers", "bootstorm", "--bootstorm", daemon, "--server-core", "1"}, "core each"},
		{"no such core", []string{"peers", "--servers", "bootstorm", "--bootstorm", daemon, "--server-core", "1000"}, "core 1000"},
		{"arguments", []string{"peers", "more"}, "more"},
		{"ceiling, one core", []string{"ceiling", "--peer-core", "0"}, "two different cores"},
		{"ceiling, no rounds", []string{"ceiling", "--rounds", "0"}, "one round"},
		{"ceiling, no time", []string{"ceiling", "--each", "0s"}, "time"},
	} {
		if _, _, err := run(c.args...); err == nil || errors.Is(err, errDifferent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Every file that is asked for is written; a server of ours that did not boot
// every node is the status 1, a file that cannot be written is trouble.
func TestPeersReport(t *testing.T) {
	dir := t.TempDir()
	o := peersOptions{json: filepath.Join(dir, "a.json"), markdown: filepath.Join(dir, "a.md"), picture: filepath.Join(dir, "a.svg")}
	r := &peers.Result{Nodes: 2, Runs: []peers.Run{{Server: "bootstorm", Title: "bootstorm", Ours: true, Done: 2, Wall: time.Second}}}
	c := new(cobra.Command)
	var out strings.Builder
	c.SetOut(&out)
	if err := o.report(c, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.json)
	var back peers.Result
	if err != nil || json.Unmarshal(text, &back) != nil || len(back.Runs) != 1 || back.Runs[0].Wall != time.Second {
		t.Errorf("%v, %s", err, text)
	}
	for _, name := range []string{o.markdown, o.picture} {
		if text, err := os.ReadFile(name); err != nil || !strings.Contains(string(text), "bootstorm") {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
	if !strings.Contains(out.String(), "2 of 2") {
		t.Errorf("table:\n%s", out.String())
	}
	// What was measured can be reported again, with the flags of another day.
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("a\n"+"<!-- Written by bench peers --readme: do not edit -->\n<!-- end -->\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	again := peersOptions{from: o.json, readme: readme, out: filepath.Join(dir, "out")}
	if err := again.run(c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{readme, filepath.Join(dir, "out", "peers.md"), filepath.Join(dir, "out", "peers.svg"), filepath.Join(dir, "out", "peers.json")} {
		if text, err := os.ReadFile(name); err != nil || !strings.Contains(string(text), "bootstorm") {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
	later := peersOptions{from: file(t, "later.json", `{"format": 99, "runs": [{}]}`), json: filepath.Join(dir, "later.json")}
	if err := later.run(c); err == nil || !strings.Contains(err.Error(), "--from") || !strings.Contains(err.Error(), "format 99") {
		t.Errorf("a result of a later version: %v", err)
	}
	r.Runs[0].Done, r.Runs[0].Failed = 1, 1
	if err := o.report(c, r); !errors.Is(err, errDifferent) {
		t.Errorf("a node that did not boot: %v", err)
	}
	o.json = filepath.Join(dir, "missing", "a.json")
	if err := o.report(c, r); err == nil || errors.Is(err, errDifferent) || !strings.Contains(err.Error(), "--json") {
		t.Errorf("a file that cannot be written: %v", err)
	}
}
