package bench

import (
	"math"
	"slices"
	"time"

	"bootstorm/engine/batch"
)

// Result is what a storm came to. Durations are nanoseconds in JSON.
type Result struct {
	Sequence string  `json:"sequence"`
	Seed     uint64  `json:"seed"`
	Nodes    int     `json:"nodes"`
	Boots    int     `json:"boots"`  // begun
	Done     int     `json:"done"`   // ended well
	Failed   int     `json:"failed"` // ended otherwise
	Phases   []Phase `json:"phases"`
	Boot     Phase   `json:"boot"` // from power-on to the end

	Failures []Failure `json:"failures"`
	Repeated Repeated  `json:"repeated"`
	NAKs     int       `json:"naks"`
	Cut      int       `json:"cut"` // times that a boot lost power and began again

	Addresses     int           `json:"addresses"`       // different ones given out
	LastNode      time.Duration `json:"last_node"`       // from the first power-on to the end of the last boot
	Verified      uint64        `json:"verified_bytes"`  // file bytes compared and right
	Goodput       float64       `json:"goodput_bits"`    // of them, bits per second until LastNode
	FramesOut     uint64        `json:"frames_out"`      // sent by nodes
	FramesIn      uint64        `json:"frames_in"`       // received by nodes
	FramesPerBoot float64       `json:"frames_per_boot"` // both, by boots begun
	Duplicates    uint64        `json:"duplicate_blocks"`
	Stray         uint64        `json:"stray_frames"`   // nothing on the node waited for them
	Foreign       uint64        `json:"foreign_frames"` // for no node of the storm
	Damaged       uint64        `json:"damaged_frames"`
	LinkLost      uint64        `json:"link_lost"` // by the impairment asked for
	LinkCorrupted uint64        `json:"link_corrupted"`
	KernelDrops   uint64        `json:"kernel_drops"` // frames that this machine lost on the way to the nodes

	Wall time.Duration `json:"wall"` // how long the run took in real time
	// Asked is when the first message of the last node had been handed to the
	// kernel; Offered is when the first OFFER of the last exchange had been read, at
	// the latest. Both count from the first power-on, and only in real time. Nodes that
	// are switched on together compose while others are sent: the first OFFER may be
	// there before Asked.
	Asked   time.Duration `json:"asked,omitempty"`
	Offered time.Duration `json:"offered,omitempty"`
	// How late the driver served the nodes' own timers: the worst case, and the
	// share of its turns in which one was more than 5 ms late. In virtual time
	// nothing is late.
	LateMost  time.Duration `json:"late_most"`
	LateTurns float64       `json:"late_turns"`

	// CPU is the server's user and system time, Memory the most that it held, in
	// bytes, if the driver knows them.
	CPU    time.Duration `json:"cpu,omitempty"`
	Memory uint64        `json:"memory,omitempty"`
	// Heap is what the server allocated during the storm, if it says so.
	Heap *Heap `json:"heap,omitempty"`

	// Timeline and Took, the duration of every boot in ascending order, are for
	// Picture.
	Timeline []Sample        `json:"-"`
	Took     []time.Duration `json:"-"`
}

// Heap is what a server written in Go did with its heap.
type Heap struct {
	Allocations int `json:"allocations"` // objects
	Collections int `json:"collections"` // of garbage
}

// Phase is the durations of one phase.
type Phase struct {
	Name string        `json:"name"`
	Done int           `json:"done"`
	P50  time.Duration `json:"p50"`
	P99  time.Duration `json:"p99"`
	Max  time.Duration `json:"max"`
}

// Failure is a reason for which boots failed, and where it was seen first.
type Failure struct {
	Reason string        `json:"reason"`
	Count  int           `json:"count"`
	MAC    string        `json:"mac"`
	Boot   int           `json:"boot"` // of that node, from 1
	At     time.Duration `json:"at"`   // since the first power-on
}

// Result sums up what has happened so far.
func (s *Storm) Result() *Result {
	t := &s.stats
	r := &Result{Sequence: s.config.Sequence.String(), Seed: s.config.Seed, Nodes: s.config.Nodes, Boots: t.started,
		Done: len(t.boots.took), Failed: t.failed, Boot: phaseOf(&t.boots), Repeated: t.repeated, NAKs: t.naks, Cut: t.cut,
		Addresses: s.ledger.used(), LastNode: time.Duration(t.last - s.began), Verified: t.verified, FramesOut: t.framesOut,
		FramesIn: t.framesIn, Duplicates: t.duplicate, Stray: t.stray, Foreign: t.foreign, Damaged: t.damaged}
	r.Boot.Name = "whole boot"
	s.line.sample(s.line.due, t.last-s.began)
	r.Timeline = slices.Clone(s.line.samples)
	for _, d := range t.boots.took {
		r.Took = append(r.Took, time.Duration(d))
	}
	slices.Sort(r.Took)
	for _, p := range t.phases {
		r.Phases = append(r.Phases, phaseOf(p))
	}
	sortFailures(t.failures)
	for _, f := range t.failures {
		r.Failures = append(r.Failures, Failure{Reason: f.reason, Count: f.count, MAC: s.config.MAC(f.node).String(),
			Boot: f.boot + 1, At: time.Duration(f.at - s.began)})
	}
	if s.in != nil {
		r.LinkLost, r.LinkCorrupted = s.in.lost+s.outward.lost, s.in.bent+s.outward.bent
	}
	if r.LastNode > 0 {
		r.Goodput = float64(r.Verified) * 8 / r.LastNode.Seconds()
	}
	if r.Boots > 0 {
		r.FramesPerBoot = float64(r.FramesIn+r.FramesOut) / float64(r.Boots)
	}
	return r
}

func phaseOf(p *phaseStats) Phase {
	took := slices.Clone(p.took)
	slices.Sort(took)
	return Phase{Name: p.name, Done: len(took), P50: time.Duration(quantile(took, 0.5)),
		P99: time.Duration(quantile(took, 0.99)), Max: time.Duration(quantile(took, 1))}
}

// OK tells whether every boot went well.
func (r *Result) OK() bool { return r.Failed == 0 && r.Done == r.Boots && r.Boots > 0 }

// Progress is a look at a storm that runs.
type Progress struct {
	Elapsed  time.Duration
	Total    int // boots there will be
	Done     int
	Failed   int
	Running  int
	Verified uint64
	Phases   []PhaseCount // of the boots that are running, most first
}

// PhaseCount is how many nodes are in a phase.
type PhaseCount struct {
	Name  string
	Nodes int
}

// Progress looks at all nodes; it is for a few calls a second.
func (s *Storm) Progress(now int64) Progress {
	p := Progress{Elapsed: time.Duration(now - s.began), Total: s.config.Nodes * s.config.Boots,
		Done: len(s.stats.boots.took), Failed: s.stats.failed, Verified: s.stats.verified}
	for i := range s.nodes {
		n := &s.nodes[i]
		if !n.on {
			continue
		}
		p.Running++
		name := n.phaseName()
		at := slices.IndexFunc(p.Phases, func(c PhaseCount) bool { return c.Name == name })
		if at < 0 {
			at = len(p.Phases)
			p.Phases = append(p.Phases, PhaseCount{Name: name})
		}
		p.Phases[at].Nodes++
	}
	slices.SortStableFunc(p.Phases, func(a, b PhaseCount) int { return b.Nodes - a.Nodes })
	return p
}

// Seconds converts to the nanoseconds of Config, for durations given as
// floating point numbers.
func Seconds(v float64) int64 { return int64(math.Round(v * float64(batch.Second))) }
