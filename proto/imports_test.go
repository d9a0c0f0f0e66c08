package proto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "bootstorm/"

// pureStd are the packages of the standard library that the frame path may
// name: computation only. No time, os, net, sync, fmt, unsafe or log.
var pureStd = []string{"bytes", "cmp", "encoding/binary", "errors", "hash/crc32", "iter", "maps", "math", "math/bits", "slices",
	"sort", "strconv", "strings", "unicode", "unicode/utf8"}

// layers is the order of the packages: each may import those of lower rank,
// and of its own rank where the rank allows it. The first match counts.
var layers = []struct {
	prefix string // of the path below the module
	rank   int
	pure   bool // the rules of the frame path hold
	peers  bool // may import packages of the same rank
}{
	{"proto", 0, true, true},
	{"engine/plan/compile", 4, false, false},
	{"engine/image/load", 4, false, false},
	{"engine/batch", 1, true, false},
	{"engine/plan", 1, true, false},
	{"engine/image", 1, true, false},
	{"engine/core", 2, true, true},
	{"engine/span", 2, false, false},   // how durations are written, for all who speak to people
	{"engine/reason", 2, false, false}, // why a file could not be had, for messages that name it
	{"engine/config", 3, false, false},
	{"engine/fill", 3, false, false},
	{"engine/link", 3, false, false},
	{"engine/sandbox", 3, false, false},
	{"engine/story", 3, false, false}, // knows the core's events, not who brings them
	{"engine/optiontext", 4, false, false},
	{"engine/lease", 4, false, false},
	{"engine/feed", 4, false, false},
	{"engine/keeper", 4, false, false},
	{"engine/view", 5, false, true}, // knows of the engine what the feed brings
	{"engine/capture", 4, false, false},
	{"engine", 5, false, true},
	{"pcap", 5, false, true},
	{"tools/lab", 5, false, false}, // networks to measure and test in
	{"tools/guide", 5, false, false},
	{"bench", 6, false, true},
	{"tools", 7, false, true},
	{"cmd/release", 7, false, false},
	{"cmd/usage", 6, false, false},
	{"cmd/bootstorm/text", 6, false, false}, // parts of the operator's commands
	{"cmd/bootstorm/api", 7, false, true},
	{"cmd/bootstorm/watch", 8, false, false},
	{"cmd", 9, false, false},
}

// confined are the libraries that only some packages may import. A package
// named with a slash at its end stands for everything below it. The system
// calls of golang.org/x/sys are for the socket layer, for the lease journal,
// which locks and syncs its file, for the memory of captured frames, for the view, which gives way by the processor
// time that it used, and for what measures: the nodes' end of a
// segment, processor time, affinity.
var confined = []struct {
	library string
	allowed []string
	tests   bool // tests may import it anywhere
}{
	{"golang.org/x/sys/unix", []string{"engine/link", "engine/lease", "engine/sandbox", "engine/capture", "engine/view", "bench/segment", "bench/peers", "bench/ceiling", "cmd/bench", "tools/"}, true},
	{"github.com/mdlayher/packet", []string{"engine/link"}, false},
	{"go.uber.org/zap", []string{"engine", "engine/view", "cmd/"}, false},
	{"github.com/google/gopacket", []string{"pcap", "bench", "tools/", "cmd/bench"}, true},
	{"github.com/mdlayher/ethernet", []string{"tools/"}, true},
	{"github.com/prometheus", []string{"engine/view"}, true},
	{"github.com/chromedp", nil, true},
}

// listed is what go list tells about a package.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	CgoFiles                           []string
}

// modulePackages lists every package of the module, sound or not.
func modulePackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,CgoFiles", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 3 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

// below tells whether path is prefix or stands below it.
func below(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

// layerOf finds the index in layers of a package of the module, -1 if none.
func layerOf(path string) int {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return -1
	}
	for i, l := range layers {
		if below(rest, l.prefix) {
			return i
		}
	}
	return -1
}

// Each package imports only what stands below it. As this holds for every
// package, it holds for what is reached through others.
func TestLayerOrder(t *testing.T) {
	for _, p := range modulePackages(t) {
		from := layerOf(p.ImportPath)
		if from < 0 {
			t.Errorf("%s has no place in the order of packages", p.ImportPath)
			continue
		}
		for _, name := range p.Imports {
			if !strings.HasPrefix(name, module) {
				continue
			}
			to := layerOf(name)
			if to < 0 || layers[to].rank > layers[from].rank || to != from && layers[to].rank == layers[from].rank ||
				to == from && !layers[from].peers {
				t.Errorf("%s imports %s, which does not stand below it", p.ImportPath, name)
			}
		}
	}
}

// The packages of the frame path import nothing that could block, allocate
// behind their back, read a clock or reach memory by address.
func TestFramePathIsPure(t *testing.T) {
	for _, p := range modulePackages(t) {
		l := layerOf(p.ImportPath)
		if l < 0 || !layers[l].pure {
			continue
		}
		for _, name := range p.Imports {
			if !strings.HasPrefix(name, module) && !slices.Contains(pureStd, name) {
				t.Errorf("%s imports %s", p.ImportPath, name)
			}
		}
	}
}

func TestConfinedLibraries(t *testing.T) {
	for _, p := range modulePackages(t) {
		rest := strings.TrimPrefix(p.ImportPath, module)
		for _, c := range confined {
			allowed := slices.ContainsFunc(c.allowed, func(a string) bool {
				return a == rest || strings.HasSuffix(a, "/") && below(rest, a)
			})
			if allowed {
				continue
			}
			names := p.Imports
			if !c.tests {
				names = slices.Concat(names, p.TestImports, p.XTestImports)
			}
			for _, name := range names {
				if below(name, c.library) {
					t.Errorf("%s imports %s", p.ImportPath, name)
				}
			}
		}
	}
}

// mayUseUnsafe are the packages that hand memory to the kernel by address, or
// tell it the size of a structure; and the ring of captured frames, whose counters
// are words of memory that two processes share.
var mayUseUnsafe = []string{"engine/link", "engine/sandbox", "engine/capture", "bench/segment", "bench/peers"}

// The binaries are static: no cgo, and memory is reached by address only where
// the kernel's structures are filled in.
func TestNoCgoAndNoUnsafe(t *testing.T) {
	for _, p := range modulePackages(t) {
		if len(p.CgoFiles) > 0 || slices.Contains(p.Imports, "C") {
			t.Errorf("%s uses cgo", p.ImportPath)
		}
		if slices.Contains(p.Imports, "unsafe") && !slices.Contains(mayUseUnsafe, strings.TrimPrefix(p.ImportPath, module)) {
			t.Errorf("%s imports unsafe", p.ImportPath)
		}
	}
}
