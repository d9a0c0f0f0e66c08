package pcap

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every capture of the repository, replayed through the core, differs from its
// server only in ways that are on the reviewed list; every entry of that list
// is needed; and gopacket reads every frame that we send as we do.
func TestCaptures(t *testing.T) {
	cases, err := ReadManifest("testdata")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "differences.txt")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseList(name, string(text))
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for i := range cases {
		k := &cases[i]
		t.Run(k.Name, func(t *testing.T) {
			r, warnings, err := k.Replay(testdata(t, k.Name), func(_ int64, ours bool, b []byte) {
				if !ours {
					return
				}
				sent++
				if err := agree(b); err != nil {
					t.Errorf("a frame that we send: %v\n%x", err, b)
				}
			})
			if err != nil {
				t.Fatalf("%v %v", warnings, err)
			}
			short := func(text string) bool { return strings.Contains(text, "lease20.conf:3:1: warning: max-lease-time 20") } // on purpose
			if slices.ContainsFunc(warnings, func(text string) bool { return !short(text) }) {
				t.Errorf("the configuration has findings: %q", warnings)
			}
			if list.Review(r.Differences) == 0 {
				return
			}
			for _, g := range Summarize(r.Differences) {
				if g.Reason == "" {
					t.Errorf("frame %d (%d times): %s\n    %s | %s | ours %s | captured %s", g.Record, g.Count, g.Request, g.Message, g.Field, g.Ours, g.Theirs)
				}
			}
		})
	}
	for _, e := range list.Unused() {
		t.Errorf("%s:%d: this entry explains nothing", name, e.Line)
	}
	if sent < 15000 {
		t.Errorf("%d frames were sent in all replays; the transfers alone have more blocks", sent)
	}
}
