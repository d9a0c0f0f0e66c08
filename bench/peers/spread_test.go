package peers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// thrice is sample in three rounds: everything ten percent slower and faster than
// in the first, but for what was measured once.
func thrice() *Result {
	r := sample()
	r.Rounds, r.Once = 3, 20*time.Second
	scale := func(d time.Duration, round int) time.Duration {
		return d * time.Duration(10+[]int{0, 1, -1}[round]) / 10
	}
	for _, list := range []*[]Run{&r.Runs, &r.Parts} {
		first := slices.Clone(*list)
		for round := 1; round < 3; round++ {
			for _, run := range first {
				if run.Wall > r.Once || run.Error != "" {
					continue
				}
				run.Round, run.Wall, run.CPU, run.Offered = round+1, scale(run.Wall, round), scale(run.CPU, round), scale(run.Offered, round)
				*list = append(*list, run)
			}
		}
	}
	first := slices.Clone(r.Perf)
	for round := 1; round < 3; round++ {
		for _, p := range first {
			p.Round, p.Took, p.Discover.Average = round+1, scale(p.Took, round), scale(p.Discover.Average, round)
			r.Perf = append(r.Perf, p)
		}
	}
	return r
}

func TestRoundsGolden(t *testing.T) {
	golden(t, "rounds.md", thrice().Markdown())
}

// The JSON has the least, the median and the most of what was measured more than
// once, and of what was measured once.
func TestSpreads(t *testing.T) {
	all := thrice().spreads()
	find := func(part, server, figure string) Spread {
		i := slices.IndexFunc(all, func(s Spread) bool { return s.Part == part && s.Server == server && s.Figure == figure })
		if i < 0 {
			t.Fatalf("no %s of %s in %q", figure, server, part)
		}
		return all[i]
	}
	near := func(a, b float64) bool { return a > b*0.999 && a < b*1.001 }
	for _, c := range []struct {
		part, server, figure string
		runs                 int
		low, median, high    float64
	}{
		{"", "bootstorm", "last_node_s", 3, 0.8694, 0.966, 1.0626},
		{"", "dnsmasq", "last_node_s", 1, 100, 100, 100},
		{"leases", "bootstorm", "leases_per_s", 3, 4545.45, 5000, 5555.55},
		{"leases", "bootstorm", "last_offer_after_last_discover_s", 3, 0.014, 0.02, 0.026},
		{"kernel-16", "kea-tuned", "frames_per_cpu_s", 3, 121212, 133333, 148148},
		{"avalanche", "bootstorm", "all_done_s", 3, 5.571, 6.19, 6.809},
		{"2000/s", "kea-tuned", "offer_average_s", 3, 367.2e-6, 408e-6, 448.8e-6},
	} {
		s := find(c.part, c.server, c.figure)
		if s.Runs != c.runs || !near(s.Low, c.low) || !near(s.Median, c.median) || !near(s.High, c.high) {
			t.Errorf("%+v, want %+v", s, c)
		}
	}
	if slices.ContainsFunc(all, func(s Spread) bool { return s.Server == "dhcpd" && s.Figure == "server_cpu_per_node_s" }) {
		t.Error("processor time per node of a server that booted none")
	}
}

// An outlier changes the range, not the figure.
func TestMedianIgnoresAnOutlier(t *testing.T) {
	g := group{{Done: 2, Wall: time.Second, Verified: 9e6, Nodes: 2}, {Done: 2, Wall: 2 * time.Second, Verified: 9e6, Nodes: 2}, {Done: 2, Wall: 30 * time.Second, Verified: 9e6, Nodes: 2}}
	if s := lastNode.spread(g); s.Median != 2 || s.High != 30 || s.span(inSeconds) != " (1.00 s to 30.0 s)" {
		t.Errorf("%+v", s)
	}
	if s := lastNode.spread(g[:2]); s.Median != 1.5 {
		t.Errorf("two: %+v", s)
	}
	if s := lastNode.spread(g[:1]); s.span(inSeconds) != "" {
		t.Errorf("one: %q", s.span(inSeconds))
	}
	if s := lastNode.spread(group{{Error: "it ended"}}); s.Runs != 0 {
		t.Errorf("none: %+v", s)
	}
}

// The middle of perfdhcp's runs is the one in the middle by what was lost, a run
// without a result comes last.
func TestPerfMiddle(t *testing.T) {
	g := perfGroup{{Error: "not done", Offered: 1}, {Offered: 1, Discover: Exchange{Drops: 5}}, {Offered: 1, Discover: Exchange{Average: 7}}}
	if m := g.middle(); m.Discover.Drops != 5 {
		t.Errorf("%+v", m)
	}
}

// Results of earlier versions can be read; those of later ones and what is no
// result are refused with the reason.
func TestRead(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"rounds":1,"runs":[{"server":"bootstorm","done":1}],"perfdhcp":[{"server":"bootstorm","load":"2000/s"}]}`, ""},
		{`{"format":2,"runs":[{"server":"bootstorm"}]}`, ""},
		{`{"format":99,"runs":[{"server":"bootstorm"}]}`, "format 99"},
		{`{"sequence":"guide","phases":[]}`, "not written by bench peers"},
		{`[]`, "unmarshal"},
		{`{"runs":`, "unexpected end"},
	} {
		r, err := Read([]byte(c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.text, err)
		}
		if err == nil && (len(r.Runs) != 1 || len(r.Markdown()) == 0) {
			t.Errorf("%s: %+v", c.text, r)
		}
	}
	text, err := json.Marshal(thrice())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Read(text); err != nil || len(r.spreads()) != len(thrice().spreads()) {
		t.Errorf("%v", err)
	}
}
