package crash

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/engine/batch"
)

// excuses are the reasons for which a boot may fail on a link that damages frames:
// no checksum of IP covers hardware addresses and ARP. A wrong byte is none.
var excuses = []string{"no OFFER after", "no ACK after", "fell silent", "nobody answers ARP", "not broadcast although", "is used by"}

// TestWeather storms the daemon over a real interface from which frames are lost,
// come twice, late, or damaged, in both directions. The damage is done at the nodes'
// end, since not every kernel has netem. The simulator has the rates and the seeds
// (package bench).
func TestWeather(t *testing.T) {
	s := newSite(t, "dhcp-cache-threshold 0;\n"+poolConf)
	s.serve()
	c := newCrowd()
	link := bench.Impairment{Loss: 0.02, Duplicate: 0.05, Reorder: 0.05, Late: 5 * batch.Millisecond, Corrupt: 0.02}
	storm, err := bench.NewStorm(bench.Config{Nodes: 40, Sequence: bench.Guide, Seed: setting(t, "SEED", 1), Link: link}, contents())
	s.must(err)
	s.run(storm, c, func(now time.Duration) bool { return now > 3*patience })
	r := storm.Result()
	if r.Done+r.Failed != r.Nodes || r.Done < 37 || r.LinkLost == 0 || r.LinkCorrupted == 0 {
		t.Errorf("%d of %d nodes booted, %d failed, %d frames lost, %d damaged\n%s", r.Done, r.Nodes, r.Failed, r.LinkLost, r.LinkCorrupted, s.server.Output())
	}
	for _, f := range r.Failures {
		if !slices.ContainsFunc(excuses, func(e string) bool { return strings.Contains(f.Reason, e) }) {
			t.Errorf("%s: %s", f.MAC, f.Reason)
		}
	}
	t.Logf("%d boots in %v, %d frames lost, %d damaged, %d blocks received twice", r.Done, r.LastNode.Round(time.Millisecond), r.LinkLost, r.LinkCorrupted, r.Duplicates)
}
