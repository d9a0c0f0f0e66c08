package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/engine/config"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// In either network the guide's file is without a fault, and in the guide's it
// is the guide's.
func TestConfigurations(t *testing.T) {
	crowd := crowdNetwork(300)
	for name, n := range map[string]*network{"guide": &guideNetwork, "crowd": &crowd} {
		text := n.config(bench.DefaultFirst)
		tree := config.ParseText("dhcpd.conf", []byte(text), config.Options{})
		p, findings := compile.Compile(tree)
		if tree.HasErrors() || p == nil {
			t.Fatalf("%s: %v %v", name, tree.Findings, findings)
		}
		if size := p.Pools[0].Size; size != int64(n.last-n.first)+1 || len(p.Hosts) != 1 {
			t.Errorf("%s: %d addresses, %d hosts", name, size, len(p.Hosts))
		}
	}
	if crowd.last-crowd.first != 299 || crowd.first&crowd.mask != crowd.subnet || crowd.last&crowd.mask != crowd.subnet {
		t.Errorf("the crowd's pool is %s to %s", crowd.first, crowd.last)
	}
	if guideNetwork.config(proto.MAC{2, 2, 3, 4, 5, 6}) != string(guide.Config("02:02:03:04:05:06")) {
		t.Error("the guide's file is changed in more than the hardware address")
	}
}

// Boot programs are found where Debian installs them, or below the directory
// into which packages were unpacked.
func TestFilesFromUnpackedPackages(t *testing.T) {
	deps, path := t.TempDir(), "/nonexistent/ipxe.efi"
	t.Setenv("BOOTSTORM_DEPS", deps)
	if b := readEither(path); b != nil {
		t.Fatalf("%d bytes from nowhere", len(b))
	}
	if err := os.MkdirAll(filepath.Join(deps, "nonexistent"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deps, path), []byte("MZ"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b := readEither(path); string(b) != "MZ" {
		t.Errorf("got %q", b)
	}
}

// testFiles stand for the boot programs, so that the test needs no package.
func testFiles() []bootFile {
	return []bootFile{{"ipxe.efi", bytes.Repeat([]byte("firmware"), 20000)}, {"refind.pxe", builtin("refind.pxe").Data},
		{"refind.conf", builtin("refind.conf").Data}, {"refind_x64.efi", bytes.Repeat([]byte("rEFInd"), 20000)}}
}

// The whole demo with the real daemon, smaller.
func TestShow(t *testing.T) {
	binary, err := lab.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ok, err := show(context.Background(), &out, &options{binary: binary, nodes: 20, rounds: 2}, testFiles())
	if err != nil || !ok {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"4 nodes, 2 times", "20 nodes at once", "every byte was right"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// A daemon that cannot start is reported with its own words.
func TestShowWithoutDaemon(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho cannot do it\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := show(context.Background(), new(bytes.Buffer), &options{binary: binary, nodes: 1, rounds: 1}, testFiles())
	if err == nil || !strings.Contains(err.Error(), "cannot do it") {
		t.Errorf("%v", err)
	}
}

// A boot that fails is in the table, and the demo says so.
func TestSummaryOfAFailure(t *testing.T) {
	good := &act{name: "good", result: &bench.Result{Boots: 4, Done: 4}}
	bad := &act{name: "bad", title: "the bad one", result: &bench.Result{Boots: 4, Done: 3, Failed: 1, Failures: []bench.Failure{{Reason: "no OFFER", Count: 1}}}}
	var out bytes.Buffer
	if summarize(&out, []*act{good, bad}) || !strings.Contains(out.String(), "no OFFER") || strings.Contains(out.String(), "every byte") {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	if !summarize(&out, []*act{good}) {
		t.Errorf("%s", out.String())
	}
}

func TestProcessorTime(t *testing.T) {
	for end := time.Now().Add(60 * time.Millisecond); time.Now().Before(end); {
	}
	if d := processorTime(os.Getpid()); d < 30*time.Millisecond || d > time.Hour {
		t.Errorf("this process has used %s", d)
	}
	if d := processorTime(1 << 30); d != 0 {
		t.Errorf("no process has used %s", d)
	}
}

func TestTail(t *testing.T) {
	if got := tail("a\nb\nc\n", 2); got != "b\nc" {
		t.Errorf("%q", got)
	}
	if got := tail("a\n", 9); got != "a" {
		t.Errorf("%q", got)
	}
}
