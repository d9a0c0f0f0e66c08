package ceiling

import (
	"slices"
	"time"
)

// Result is what was measured. Durations are nanoseconds in JSON.
type Result struct {
	Rounds int           `json:"rounds"`
	Each   time.Duration `json:"each"` // how long one measurement takes
	Rates  []Rate        `json:"rates"`
	Echoes []Echo        `json:"echoes"`
}

// Rate is the speed of one way of moving frames in one direction.
type Rate struct {
	What     string  `json:"what"`           // "receive, queued", "send, single frames", "send, runs"
	Rung     string  `json:"rung"`           // of engine/link
	Segments int     `json:"segments"`       // frames in a message; 0: single frames
	Bytes    int     `json:"bytes"`          // of a frame on the wire, without its checksum
	Frames   float64 `json:"frames_per_s"`   // by wall time
	PerCPU   float64 `json:"frames_per_cpu"` // by second of processor time of the server's thread
	Calls    float64 `json:"frames_per_call"`
	Spread   float64 `json:"spread"`            // largest less smallest Frames of the rounds, as a share of the median
	Lost     uint64  `json:"lost,omitempty"`    // frames dropped by the receiving socket, in all rounds
	Missing  string  `json:"missing,omitempty"` // why it could not be measured
}

// Echo is a lockstep exchange: one frame in, one frame out.
type Echo struct {
	Spin  bool          `json:"spin"` // the server polls instead of sleeping in between
	Count int           `json:"count"`
	P50   time.Duration `json:"p50"`
	P99   time.Duration `json:"p99"`
	Rate  float64       `json:"turns_per_s"`
}

// sample is one measurement of a rate.
type sample struct {
	frames, calls uint64
	wall, cpu     time.Duration
	lost          uint64
}

func (s *sample) perSecond() float64 {
	if s.wall <= 0 {
		return 0
	}
	return float64(s.frames) / s.wall.Seconds()
}

// summarize makes a Rate of the samples of all rounds: of each figure the
// median.
func (r *Rate) summarize(samples []sample) {
	var frames, cpu, calls []float64
	for i := range samples {
		s := &samples[i]
		frames = append(frames, s.perSecond())
		cpu = append(cpu, float64(s.frames)/max(s.cpu.Seconds(), 1e-9))
		calls = append(calls, float64(s.frames)/float64(max(s.calls, 1)))
		r.Lost += s.lost
	}
	r.Frames, r.PerCPU, r.Calls = median(frames), median(cpu), median(calls)
	if r.Frames > 0 {
		r.Spread = (slices.Max(frames) - slices.Min(frames)) / r.Frames
	}
}

// median sorts v and returns its middle: of an even number the lower one, so
// that it is a value that occurred.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[(len(v)-1)/2]
}

// quantile returns the nearest rank of sorted.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// summarizeEcho pools the turn-around times of all rounds.
func summarizeEcho(spin bool, took []time.Duration) Echo {
	slices.Sort(took)
	e := Echo{Spin: spin, Count: len(took), P50: quantile(took, 0.5), P99: quantile(took, 0.99)}
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	if sum > 0 {
		e.Rate = float64(len(took)) / sum.Seconds()
	}
	return e
}
