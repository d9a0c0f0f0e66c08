package peers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/ceiling"
)

// Spread is one figure over the rounds: the least, the median and the most.
type Spread struct {
	Part   string  `json:"part,omitempty"` // Part.Name or PerfLoad.Name, "" for the main storm
	Server string  `json:"server"`
	Figure string  `json:"figure"` // with its unit
	Runs   int     `json:"runs"`
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
}

// figure is a quantity of a run; runs that have none are left out of its spread.
type figure[T any] struct {
	name string
	of   func(*T) (v float64, ok bool)
}

// spread is the figure over runs, the zero Spread if none of them has it.
func (f figure[T]) spread(runs []*T) Spread {
	var values []float64
	for _, r := range runs {
		if v, ok := f.of(r); ok {
			values = append(values, v)
		}
	}
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(values)
	return Spread{Figure: f.name, Runs: n, Low: values[0], Median: (values[(n-1)/2] + values[n/2]) / 2, High: values[n-1]}
}

// span is the range in brackets, as write writes a value; "" where there is none to speak of.
func (s Spread) span(write func(float64) string) string {
	low, high := write(s.Low), write(s.High)
	if s.Runs < 2 || low == high {
		return ""
	}
	return " (" + low + " to " + high + ")"
}

// inSeconds writes a number of seconds.
func inSeconds(v float64) string { return bench.Duration(time.Duration(v * float64(time.Second))) }

// whole writes a number without its fraction.
func whole(v float64) string { return bench.Count(int(v + 0.5)) }

// The figures of a storm.
var (
	lastNode = figure[Run]{"last_node_s", func(r *Run) (float64, bool) { return r.Wall.Seconds(), r.Error == "" }}
	booted   = figure[Run]{"booted", func(r *Run) (float64, bool) { return float64(r.Done), true }}
	nodeCPU  = figure[Run]{"server_cpu_per_node_s", func(r *Run) (float64, bool) { return r.CPUPerNode().Seconds(), r.Done > 0 }}

	fileSpeed = figure[Run]{"files_mb_per_s", func(r *Run) (float64, bool) {
		return float64(r.Verified) / 1e6 / max(r.Wall.Seconds(), 1e-9), r.Error == "" && r.Verified > 0
	}}
	framesCPU = figure[Run]{"frames_per_cpu_s", func(r *Run) (float64, bool) { return r.FramesPerCPU(), r.Error == "" && r.Verified > 0 && r.CPU > 0 }}

	leaseRate = figure[Run]{"leases_per_s", func(r *Run) (float64, bool) { return float64(r.Done) / max(r.Wall.Seconds(), 1e-9), r.Error == "" }}
	lastOffer = figure[Run]{"last_offer_after_last_discover_s", func(r *Run) (float64, bool) {
		return max(r.Offered-r.Asked, 0).Seconds(), r.Error == "" && r.Asked > 0
	}}
	loadBusy = figure[Run]{"load_busy", func(r *Run) (float64, bool) { return r.Load, r.Error == "" }}
)

// The figures of perfdhcp.
var (
	perfRate = figure[Perf]{"exchanges_per_s", func(p *Perf) (float64, bool) {
		return float64(p.Request.Received) / perfSeconds, p.Error == "" && p.Offered > 0
	}}
	perfOffer = figure[Perf]{"offer_average_s", func(p *Perf) (float64, bool) {
		return p.Discover.Average.Seconds(), p.Error == "" && p.Offered > 0
	}}
	perfAck  = figure[Perf]{"ack_average_s", func(p *Perf) (float64, bool) { return p.Request.Average.Seconds(), p.Error == "" && p.Offered > 0 }}
	perfTook = figure[Perf]{"all_done_s", func(p *Perf) (float64, bool) { return p.Took.Seconds(), p.Error == "" && p.Offered == 0 }}
)

// figuresOf are those that count in a part.
func figuresOf(part string) []figure[Run] {
	all := []figure[Run]{booted, lastNode, nodeCPU}
	switch {
	case part == partLeases:
		all = append(all, leaseRate, lastOffer, loadBusy)
	case strings.HasPrefix(part, partKernel):
		all = append(all, fileSpeed, framesCPU, loadBusy)
	}
	return all
}

// gather puts what has the same key together, in the order of the first of each.
func gather[T any](all []T, key func(*T) string) (groups [][]*T) {
	at := map[string]int{}
	for i := range all {
		k := key(&all[i])
		if _, ok := at[k]; !ok {
			at[k] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[k]] = append(groups[at[k]], &all[i])
	}
	return groups
}

// group is the runs of one server in one part, by round.
type group []*Run

// groups are those of some runs, in the order of their first ones.
func groups(runs []Run) (all []group) {
	for _, g := range gather(runs, func(r *Run) string { return r.Part + " " + r.Server }) {
		all = append(all, g)
	}
	return all
}

// middle is the run in the middle by nodes done, then by wall time. With an even
// number it is the worse one of the two.
func (g group) middle() *Run {
	sorted := slices.Clone(g)
	slices.SortStableFunc(sorted, func(a, b *Run) int {
		return cmp.Or(cmp.Compare(b.Done, a.Done), cmp.Compare(a.Wall, b.Wall))
	})
	return sorted[len(sorted)/2]
}

// perfGroup is what perfdhcp found about one server with one load, by round.
type perfGroup []*Perf

func perfGroups(runs []Perf) (all []perfGroup) {
	for _, g := range gather(runs, func(p *Perf) string { return p.Load + " " + p.Server }) {
		all = append(all, g)
	}
	return all
}

// middle is the run in the middle: by whether there is a result, by what was
// completed, by the time that it took. With an even number it is the worse one.
func (g perfGroup) middle() *Perf {
	sorted := slices.Clone(g)
	slices.SortStableFunc(sorted, func(a, b *Perf) int {
		return cmp.Or(cmp.Compare(min(len(a.Error), 1), min(len(b.Error), 1)), cmp.Compare(a.lost(), b.lost()),
			cmp.Compare(a.Took+a.Discover.Average+a.Request.Average, b.Took+b.Discover.Average+b.Request.Average))
	})
	return sorted[len(sorted)/2]
}

// spreads are all figures of a result over its rounds.
func (r *Result) spreads() (all []Spread) {
	for _, g := range append(groups(r.Runs), groups(r.Parts)...) {
		for _, f := range figuresOf(g[0].Part) {
			if s := f.spread(g); s.Runs > 0 {
				s.Part, s.Server = g[0].Part, g[0].Server
				all = append(all, s)
			}
		}
	}
	for _, g := range perfGroups(r.Perf) {
		for _, f := range []figure[Perf]{perfRate, perfOffer, perfAck, perfTook} {
			if s := f.spread(g); s.Runs > 0 {
				s.Part, s.Server = g[0].Load, g[0].Server
				all = append(all, s)
			}
		}
	}
	engine := make([]*ceiling.EngineResult, len(r.Ceiling))
	for i := range r.Ceiling {
		engine[i] = &r.Ceiling[i]
	}
	for _, f := range ceilingFigures(r.Ceiling) {
		s := f.spread(engine)
		s.Part, s.Server = "ceiling", "bootstorm"
		all = append(all, s)
	}
	return all
}

// roundsNote says how often things were measured, "" if once.
func (r *Result) roundsNote() string {
	if r.Rounds < 2 {
		return ""
	}
	s := fmt.Sprintf("Each figure is the median of %d rounds, which took turns, with the lowest and the highest in brackets", r.Rounds)
	if r.Once > 0 {
		s += fmt.Sprintf("; what took longer than %s was measured once and has no brackets", seconds(r.Once))
	}
	return s + "."
}
