package ceiling

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"bootstorm/bench"
)

// EngineResult is what Engine measured. Durations are nanoseconds in JSON.
type EngineResult struct {
	Rounds int           `json:"rounds"`
	Each   time.Duration `json:"each"`
	Bare   Echo          `json:"bare_echo"` // the calls alone
	Engine Echo          `json:"engine"`    // a lockstep client's wait for its next block
	Rates  []EngineRate  `json:"rates"`
}

// EngineRate is what the daemon does for a crowd that reads a file with a window.
type EngineRate struct {
	Window    int     `json:"windowsize"`
	Transfers int     `json:"transfers"` // at a time
	Frames    float64 `json:"frames_per_s"`
	PerCPU    float64 `json:"frames_per_cpu"` // of the daemon's threads, both directions
	Alone     float64 `json:"calls_per_cpu"`  // the same frames through the calls alone, in the same round
}

// Share is how much of what the calls alone can do is left with the engine.
func (r *EngineRate) Share() float64 {
	if r.Alone <= 0 {
		return 0
	}
	return r.PerCPU / r.Alone
}

// Aims of the project.
const (
	aimTurn  = 1.3 // times the bare echo
	aimShare = 0.8
)

// Turn is how many times the bare echo a lockstep client waits.
func (r *EngineResult) Turn() float64 {
	if r.Bare.P50 <= 0 {
		return 0
	}
	return float64(r.Engine.P50) / float64(r.Bare.P50)
}

// Disturbed tells whether the calls alone did clearly worse than the daemon, which
// makes the same calls and thinks besides: then something else had their core, and
// the figures say nothing.
func (r *EngineResult) Disturbed() bool {
	return r.Turn() < leastTurn || slices.ContainsFunc(r.Rates, func(rate EngineRate) bool { return rate.Share() > mostShare })
}

// What noise explains, and no more.
const (
	leastTurn = 0.8
	mostShare = 1.25
)

// disturbedText is what to do then.
const disturbedText = "DISTURBED: the calls alone were slower than the daemon that makes them; something else had their core: measure again on a quiet machine"

// WriteTable writes the result for a person.
func (r *EngineResult) WriteTable(w io.Writer) {
	t := newTable("A lockstep client: one ACK in, the next block out", "the server", "turns", "median", "99 %", "turns/s")
	for _, e := range []struct {
		name string
		Echo
	}{{"the calls alone", r.Bare}, {"bootstorm", r.Engine}} {
		t.AppendRow(table.Row{e.name, bench.Count(e.Count), bench.Duration(e.P50), bench.Duration(e.P99), bench.Count(int(e.Rate))})
	}
	fmt.Fprintln(w, t.Render())
	if r.Disturbed() {
		fmt.Fprintln(w, disturbedText)
	} else {
		fmt.Fprintf(w, "%s: the engine's median is %.2f times that of the calls alone; the aim is at most %.1f\n", verdict(r.Turn() > 0 && r.Turn() <= aimTurn), r.Turn(), aimTurn)
	}
	t = newTable(fmt.Sprintf("Frames in both directions, %d transfers at a time, the round in the middle of %d", crowd, r.Rounds),
		"windowsize", "frames/s", "frames/CPU s", "the calls alone", "share")
	least := 1e9
	for _, rate := range r.Rates {
		least = min(least, rate.Share())
		t.AppendRow(table.Row{fmt.Sprint(rate.Window), bench.Count(int(rate.Frames)), bench.Count(int(rate.PerCPU)), bench.Count(int(rate.Alone)),
			fmt.Sprintf("%.0f %%", 100*rate.Share())})
	}
	fmt.Fprintln(w, t.Render())
	if len(r.Rates) > 0 && !r.Disturbed() {
		fmt.Fprintf(w, "%s: the least share is %.0f %%; the aim is at least %.0f %%\n", verdict(least >= aimShare), 100*least, 100*aimShare)
	}
}

func verdict(ok bool) string {
	if ok {
		return "reached"
	}
	return "MISSED"
}
