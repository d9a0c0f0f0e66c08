package peers

import (
	"fmt"
	"math"
	"strings"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/ceiling"
)

// Of each run of the ceiling.
const (
	ceilingRounds = 3
	ceilingEach   = 250 * time.Millisecond
)

// engineTurn is how many times a bare echo the daemon's turn takes.
var engineTurn = figure[ceiling.EngineResult]{"turn_by_bare_echo", func(r *ceiling.EngineResult) (float64, bool) { return r.Turn(), r.Turn() > 0 }}

// engineShare is how much of what the calls alone can do is left with the engine,
// for one windowsize; engineFrames is that in frames per second of processor time.
func engineShare(window int) figure[ceiling.EngineResult] {
	return figure[ceiling.EngineResult]{fmt.Sprintf("share_window_%d", window), func(r *ceiling.EngineResult) (float64, bool) {
		for i := range r.Rates {
			if r.Rates[i].Window == window {
				return r.Rates[i].Share(), true
			}
		}
		return 0, false
	}}
}

func engineFrames(window int) figure[ceiling.EngineResult] {
	return figure[ceiling.EngineResult]{fmt.Sprintf("frames_per_cpu_s_window_%d", window), func(r *ceiling.EngineResult) (float64, bool) {
		for i := range r.Rates {
			if r.Rates[i].Window == window {
				return r.Rates[i].PerCPU, true
			}
		}
		return 0, false
	}}
}

// ceilingFigures are all of them.
func ceilingFigures(results []ceiling.EngineResult) (all []figure[ceiling.EngineResult]) {
	if len(results) == 0 {
		return nil
	}
	all = append(all, engineTurn)
	for _, rate := range results[0].Rates {
		all = append(all, engineShare(rate.Window), engineFrames(rate.Window))
	}
	return all
}

// ceilingSentence is the result in words, "" without one.
func ceilingSentence(results []ceiling.EngineResult) string {
	if len(results) == 0 {
		return ""
	}
	all := make([]*ceiling.EngineResult, len(results))
	for i := range results {
		all[i] = &results[i]
	}
	percent := func(v float64) string { return fmt.Sprintf("%.0f %%", math.Round(100*v)) }
	times := func(v float64) string { return fmt.Sprintf("%.2f", v) }
	turn := engineTurn.spread(all)
	var shares []string
	for _, rate := range results[0].Rates {
		share, frames := engineShare(rate.Window).spread(all), engineFrames(rate.Window).spread(all)
		shares = append(shares, fmt.Sprintf("windowsize %d: %s%s, %s frames", rate.Window, percent(share.Median), share.span(percent), bench.Count(int(frames.Median))))
	}
	return fmt.Sprintf("bootstorm beside its socket calls alone, without an engine between them (`bench ceiling --engine`): a lockstep client's "+
		"turn takes %s%s times that of a bare echo; of the frames per second of processor time that the calls alone move, it moves, in both directions: %s.",
		times(turn.Median), turn.span(times), strings.Join(shares, "; "))
}
