package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
)

// tellStory runs a storm against the core in virtual time and lets a book listen.
// The server lacks the file missing.
func tellStory(t *testing.T, c Config, conf string, bits int, missing string) (*story.Book, []story.Told, time.Time) {
	t.Helper()
	files := testContents()
	served := &Contents{files: maps.Clone(files.files)}
	delete(served.files, missing)
	k, link := newCore(t, conf, bits, served)
	s, err := NewStorm(c, files)
	if err != nil {
		t.Fatal(err)
	}
	book := story.NewBook(0)
	names := story.Names{}
	for _, f := range files.files {
		names.Files = append(names.Files, story.File{Name: f.Name, Size: int64(f.Size), Leads: story.Leads(f.Name, f.Data)})
	}
	book.Name(names)
	var told []story.Told
	var now, ticked time.Time
	tick := func() {
		told = append(told, book.Tick(now)...)
		ticked = now
	}
	_, err = Simulate(s, k, Simulation{Link: link, Rate: 1e9, Observe: func(at batch.Time, e *batch.Event) {
		now = time.Unix(wallStart, at.Mono)
		if now.Sub(ticked) >= time.Second {
			tick()
		}
		book.Observe(now, e, "")
	}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 180 { // nothing more comes: what is overdue becomes so
		now = now.Add(time.Second)
		tick()
	}
	return book, told, now
}

// Each node of a storm ends as done, with the guide's files in their order, and
// is told once per boot.
func TestStoriesOfAStormEndAsDone(t *testing.T) {
	for _, c := range []struct {
		name string
		Config
	}{
		{"at once", Config{Nodes: 500}},
		{"with the clients' own waits", Config{Nodes: 100, Waits: true, IPv6: true, Loader: DefaultLoader}},
		{"twice, with losses", Config{Nodes: 100, Boots: 2, Seed: 2, Pause: 60 * batch.Second, Link: Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.02}}},
		{"twice, with losses, the first DISCOVER once more in the middle of the boot", Config{Nodes: 100, Boots: 2, Seed: 1, Pause: 60 * batch.Second, Link: Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.02}}},
		{"twice, with losses, a request once more after all files", Config{Nodes: 100, Boots: 2, Seed: 10, Pause: 60 * batch.Second, Link: Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.02}}},
		{"twice, with losses, a request once more beside the last file", Config{Nodes: 100, Boots: 2, Seed: 12, Pause: 60 * batch.Second, Link: Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.02}}},
		{"iPXE 2.0", Config{Nodes: 100, Fresh: true}},
		{"up to the installed system", Config{Nodes: 100, Sequence: Full, Renew: 60 * batch.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, told, now := tellStory(t, c.Config, guideConf(widePool, ""), widePool.bits, "")
			boots := max(c.Boots, 1)
			s := book.Summary(now)
			if s.States[story.StateDone] != c.Nodes || s.Nodes != c.Nodes || s.Health != story.HealthOK {
				t.Errorf("%v of %d nodes, %q", s.States, s.Nodes, s.Problems)
			}
			nodes, _ := book.Nodes(now, story.Query{Limit: c.Nodes})
			for _, n := range nodes {
				full, _ := book.Node(now, n.MAC)
				var got []string
				for _, s := range full.Steps { // the last ACK of a file may be lost, its start is not
					if s.Kind == "transfer_start" && !slices.Contains(got, s.File) {
						got = append(got, s.File)
					}
				}
				if want := []string{"ipxe.efi", "refind.pxe", "refind.conf", "refind_x64.efi"}; !slices.Equal(got, want) || n.Boots != boots || full.Omitted > 0 {
					t.Fatalf("%s, boot %d: %q; %+v", n.MAC, n.Boots, got, full)
				}
			}
			count := map[string]int{}
			for _, x := range told {
				count[x.Kind]++
			}
			// A boot of which the last ACK was lost, and that is followed by the next
			// before the server gives the transfer up, looks like one that was broken off.
			least := boots * c.Nodes
			if c.Link.Loss > 0 {
				least -= least / 20
			}
			if count[story.ToldBooted] < least || count[story.ToldBooted] > boots*c.Nodes || count[story.ToldStuck] != 0 {
				t.Errorf("told %v", count)
			}
		})
	}
}

// What is wrong with a configuration shows as the reason of each node that it
// keeps from booting.
func TestStoriesOfAWrongConfiguration(t *testing.T) {
	good := guideConf(widePool, "")
	for _, c := range []struct {
		name, conf string
		bits       int
		done       int
		words      string
		missing    string
	}{
		{"a boot file that does not exist", good, widePool.bits, 0, `"ipxe.efi", which does not exist`, "ipxe.efi"},
		{"a file of the script that does not exist", good, widePool.bits, 0, `"refind.conf", which does not exist`, "refind.conf"},
		{"no rule for the architecture", strings.Replace(good, "00:07", "00:0b", 1), widePool.bits, 0, "no rule of the configuration matches its architecture 7", ""},
		{"iPXE is told nothing", strings.Replace(good, `filename "refind.pxe";`, "", 1), widePool.bits, 0, "names no boot file", ""},
		{"too few addresses", guideConf(guidePool, ""), guidePool.bits, 4, "no pool address is left", ""},
		{"booting is denied", strings.Replace(good, "allow booting", "deny booting", 1), widePool.bits, 0, "the configuration denies it", ""},
		{"another subnet", strings.ReplaceAll(good, "192.168.", "10.9."), widePool.bits, 0, "no subnet is declared", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			const nodes = 10
			book, told, now := tellStory(t, Config{Nodes: nodes, Limit: 5 * 60 * batch.Second}, c.conf, c.bits, c.missing)
			list, _ := book.Nodes(now, story.Query{State: story.StateStuck})
			if s := book.Summary(now); s.States[story.StateDone] != c.done || s.States[story.StateStuck] != nodes-c.done || len(list) != nodes-c.done {
				t.Fatalf("%v: %q", s.States, s.Problems)
			}
			for _, n := range list {
				if !strings.Contains(n.Reason, c.words) {
					t.Errorf("%s: %q, want %q", n.MAC, n.Reason, c.words)
				}
			}
			if got := slices.IndexFunc(told, func(x story.Told) bool { return x.Kind == story.ToldStuck }); got < 0 {
				t.Error(fmt.Sprint("nobody was told: ", told))
			}
		})
	}
}
