package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/ceiling"
)

// Result is a comparison. Durations are nanoseconds in JSON.
type Result struct {
	Format   int                    `json:"format"` // of this file; see format
	Machine  Machine                `json:"machine"`
	Nodes    int                    `json:"nodes"`
	Sequence string                 `json:"sequence"`
	Limit    duration               `json:"limit"` // a storm that takes longer is ended
	Rounds   int                    `json:"rounds"`
	Once     duration               `json:"once_above,omitempty"` // what took longer in the first round was not repeated
	Runs     []Run                  `json:"runs"`
	Perf     []Perf                 `json:"perfdhcp,omitempty"`
	Parts    []Run                  `json:"parts,omitempty"`   // the storms of Options.Parts
	Ceiling  []ceiling.EngineResult `json:"ceiling,omitempty"` // one a round
	Spreads  []Spread               `json:"spreads,omitempty"` // the figures over the rounds; all of them follow from the above
}

// format is what this program writes. The first had one round of everything but
// the main storm and no number; Read takes it as well.
const format = 2

// Read takes what Compare found and somebody stored as JSON.
func Read(text []byte) (*Result, error) {
	r := new(Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, err
	}
	switch {
	case r.Format > format:
		return nil, fmt.Errorf("it has format %d, and this program knows those up to %d: use the program that wrote it, or measure anew", r.Format, format)
	case len(r.Runs) == 0 && len(r.Parts) == 0 && len(r.Perf) == 0:
		return nil, errors.New("it holds no run: it was not written by bench peers --json")
	}
	return r, nil
}

type duration = time.Duration

// Run is one storm against one server.
type Run struct {
	Part        string          `json:"part,omitempty"` // Part.Name
	Nodes       int             `json:"nodes"`
	Window      int             `json:"windowsize,omitempty"` // that its loaders ask for
	Server      string          `json:"server"`               // Server.Name
	Title       string          `json:"title"`
	Tuned       bool            `json:"tuned"`
	Ours        bool            `json:"ours"`
	Round       int             `json:"round"`           // from 1
	Error       string          `json:"error,omitempty"` // why there was no storm, or why the server ended during it
	Done        int             `json:"done"`
	Failed      int             `json:"failed"` // those that had not come to an end included
	Failures    []bench.Failure `json:"failures,omitempty"`
	Wall        duration        `json:"wall"` // from the first power-on to the last byte of the last node, or to the limit
	P50         duration        `json:"p50"`  // of the nodes that are done, from power-on
	P99         duration        `json:"p99"`
	Phases      []bench.Phase   `json:"phases,omitempty"`
	Repeated    bench.Repeated  `json:"repeated"`
	Goodput     float64         `json:"goodput_bits"`
	Frames      float64         `json:"frames_per_boot"`
	Moved       uint64          `json:"frames"`                       // to nodes and from them, in all
	Verified    uint64          `json:"verified_bytes"`               // of files, compared and right
	Asked       duration        `json:"asked,omitempty"`              // bench.Result.Asked
	Offered     duration        `json:"offered,omitempty"`            // bench.Result.Offered
	GCs         int             `json:"gcs"`                          // garbage collections of the server in the storm, if it is bootstorm
	Allocations *int            `json:"server_allocations,omitempty"` // of objects on its heap in the storm, if it is bootstorm and says so
	After       uint64          `json:"server_memory_after"`          // resident when the storm was over
	CPU         duration        `json:"server_cpu"`                   // of all its processes, during the storm
	CPUBy       string          `json:"cpu_measured"`                 // how that was read
	Memory      uint64          `json:"server_memory"`
	Load        float64         `json:"load_busy"`    // share of its core that the load used; near 1 it is the load that was measured
	Drops       uint64          `json:"kernel_drops"` // frames that the load lost
	Series      []Point         `json:"series"`
}

// Point is how many nodes were done at a time after the first power-on.
type Point struct {
	At   duration `json:"at"`
	Done int      `json:"done"`
}

// Complete tells whether every node was done.
func (r *Run) Complete() bool { return r.Error == "" && r.Failed == 0 && r.Done > 0 }

// FramesPerCPU is how many frames, in both directions, the server moved in a
// second of its processor time.
func (r *Run) FramesPerCPU() float64 {
	if r.CPU <= 0 {
		return 0
	}
	return float64(r.Moved) / r.CPU.Seconds()
}

// CPUPerNode is the server's processor time by nodes done.
func (r *Run) CPUPerNode() time.Duration {
	if r.Done == 0 {
		return 0
	}
	return r.CPU / time.Duration(r.Done)
}

// The marks between which a document shows a result.
const (
	blockBegin = "<!-- Written by bench peers --readme: do not edit -->\n"
	blockEnd   = "<!-- end -->\n"
)

// Block returns what a document shows, false if it has no marks.
func Block(document []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(document, []byte(blockBegin))
	block, _, end := bytes.Cut(rest, []byte(blockEnd))
	return block, ok && end
}

// Readme is the block of a document: the picture, if there is one, by its path
// from the document, and the tables.
func (r *Result) Readme(picture string) []byte {
	if picture == "" {
		return r.Markdown()
	}
	return append(fmt.Appendf(nil, "![Nodes booted over time, each server](%s)\n\n", picture), r.Markdown()...)
}

// PutBlock replaces what a document shows.
func PutBlock(document, block []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(document, []byte(blockBegin))
	_, after, end := bytes.Cut(rest, []byte(blockEnd))
	if !ok || !end {
		return nil, fmt.Errorf("it lacks the lines %q and %q, between which the table belongs", strings.TrimSpace(blockBegin), strings.TrimSpace(blockEnd))
	}
	return slices.Concat(before, []byte(blockBegin), block, []byte(blockEnd), after), nil
}

// Medians returns one run for each server, in the order of their first runs: the
// one in the middle.
func (r *Result) Medians() (middle []*Run) {
	for _, g := range groups(r.Runs) {
		middle = append(middle, g.middle())
	}
	return middle
}

// Standing is how bootstorm stands against the best of a group of peers.
type Standing struct {
	Against string  // title of the peer
	Ratio   float64 // bootstorm's value divided by the peer's
	Most    float64 // what it may be
}

// OK tells whether the aim is reached.
func (s *Standing) OK() bool { return s.Ratio <= s.Most }

// The aims: bootstorm's wall time against the best peer that was tuned and the
// best that was not, and its processor time per node against dnsmasq's.
const (
	aimTuned     = 1.0 / 4
	aimInstalled = 1.0 / 15
	aimCPU       = 1.0 / 4
)

// Standings compares bootstorm with the peers; nil without bootstorm, or if not
// all its nodes were done. A peer that never finished counts with the time after
// which it was ended: the real ratio is better.
func (r *Result) Standings() (wall []Standing, cpu []Standing) {
	runs := r.Medians()
	at := slices.IndexFunc(runs, func(r *Run) bool { return r.Ours })
	if at < 0 || !runs[at].Complete() {
		return nil, nil
	}
	ours := runs[at]
	for _, g := range []struct {
		tuned bool
		most  float64
	}{{true, aimTuned}, {false, aimInstalled}} {
		if best := bestPeer(runs, g.tuned); best != nil {
			wall = append(wall, Standing{best.Title, ours.Wall.Seconds() / best.Wall.Seconds(), g.most})
		}
	}
	for _, p := range runs {
		if p.Done > 0 && (p.Server == "dnsmasq" || p.Server == "dnsmasq-tuned") {
			cpu = append(cpu, Standing{p.Title, float64(ours.CPUPerNode()) / float64(p.CPUPerNode()), aimCPU})
		}
	}
	return wall, cpu
}

// nearlyAll is the share of nodes with which a peer counts as having done the
// job: the few that a server refuses cost it time, too.
const nearlyAll = 0.95

// did tells whether a server did the job.
func (r *Run) did() bool {
	return r.Error == "" && r.Done > 0 && float64(r.Done) >= nearlyAll*float64(r.Done+r.Failed)
}

// bestPeer is the fastest of the peers that did the job, or else the one that
// brought most nodes through.
func bestPeer(runs []*Run, tuned bool) (best *Run) {
	for _, p := range runs {
		if p.Ours || p.Tuned != tuned || p.Done == 0 {
			continue
		}
		switch {
		case best == nil, p.did() && !best.did():
			best = p
		case best.did() && p.did() && p.Wall < best.Wall, !best.did() && !p.did() && p.Done > best.Done:
			best = p
		}
	}
	return best
}
