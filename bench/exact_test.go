package bench

import "testing"

// TestFramesPerBoot: the guide's boot takes so many frames in each direction,
// and nothing is sent twice. A change of these figures is a change of what
// goes over the wire, and is to be meant.
func TestFramesPerBoot(t *testing.T) {
	for _, c := range []struct{ nodes, out, in int }{{1, 44, 55}, {50, 44, 55}} {
		r := simulate(t, Config{Nodes: c.nodes, Seed: 1}, widePool, "", Simulation{Rate: 1e9})
		wantOK(t, r)
		if r.FramesOut != uint64(c.nodes*c.out) || r.FramesIn != uint64(c.nodes*c.in) || r.Repeated != (Repeated{}) || r.Duplicates != 0 {
			t.Errorf("%d nodes: %d frames out and %d in, want %d and %d a node; %+v, %d duplicates",
				c.nodes, r.FramesOut, r.FramesIn, c.out, c.in, r.Repeated, r.Duplicates)
		}
	}
}
