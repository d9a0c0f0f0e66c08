package bench

import "time"

// Stage is how far a node has come, coarser than a phase: it is what the picture
// of a storm shows.
type Stage uint8

// The stages, in the order in which a boot passes them.
const (
	StageOff     Stage = iota // not switched on yet, or between two boots
	StageAddress              // the firmware asks for an address
	StageProgram              // the firmware reads its boot file
	StageIPXE                 // iPXE starts and asks for an address
	StageScript               // iPXE reads its script
	StageLoader               // what the script or the boot loader asks for
	StageSystem               // the installed system asks for an address
	StageDone                 // the last boot went well
	StageFailed               // the last boot did not
	Stages
)

var stageNames = [Stages]string{"off", "firmware: waiting for an address", "firmware: loading its program", "iPXE: waiting for an address",
	"iPXE: loading its script", "loading kernel or loader", "system: waiting for an address", "done", "failed"}

// String returns the name that a picture shows.
func (s Stage) String() string {
	if s < Stages {
		return stageNames[s]
	}
	return "unknown"
}

// Sample is how many nodes were in each stage from the sample before until At,
// which counts from the first power-on.
type Sample struct {
	At    time.Duration
	Nodes [Stages]int32
}

// A timeline begins with a sample each millisecond. When it is full, the
// distance doubles and the samples between go: its memory is the same for a
// storm of a second and of an hour.
const (
	timelineFirst = int64(time.Millisecond)
	timelineMost  = 1024
)

// timeline samples the stages of all nodes.
type timeline struct {
	counts  [Stages]int32
	every   int64
	due     int64
	samples []Sample
}

func newTimeline(nodes int) timeline {
	t := timeline{every: timelineFirst, samples: make([]Sample, 0, timelineMost)}
	t.counts[StageOff] = int32(nodes)
	return t
}

// move counts a node that goes from one stage to another.
func (t *timeline) move(from, to Stage) {
	t.counts[from]--
	t.counts[to]++
}

// sample notes what holds until now. at counts from the first power-on.
func (t *timeline) sample(now, at int64) {
	if len(t.samples) == timelineMost {
		t.thin()
	}
	t.samples = append(t.samples, Sample{At: time.Duration(at), Nodes: t.counts})
	t.due = now + t.every
}

// thin doubles the distance until at most half of the samples are left. Their
// times decide, not their places: nothing is sampled while nothing happens.
func (t *timeline) thin() {
	for len(t.samples) > timelineMost/2 {
		t.every *= 2
		kept, next := t.samples[:0], time.Duration(0)
		for _, s := range t.samples {
			if s.At >= next {
				kept, next = append(kept, s), s.At+time.Duration(t.every)
			}
		}
		t.samples = kept
	}
}

// stageOf is the stage that a step belongs to; a pause belongs to the one
// before it, but for the start of iPXE, which is a pause itself.
func stageOf(s *step, before Stage) Stage {
	switch s.kind {
	case stepDHCP, stepRenew:
		switch s.who {
		case ipxe:
			return StageIPXE
		case linux:
			return StageSystem
		}
		return StageAddress
	case stepFile:
		if s.who == ipxe {
			return StageScript
		}
		return StageProgram
	case stepScript, stepList:
		return StageLoader
	case stepOptional:
		return StageIPXE
	}
	if before == StageProgram {
		return StageIPXE
	}
	return before
}

// reach moves a node to a stage.
func (n *node) reach(s Stage) {
	n.storm.line.move(n.stage, s)
	n.stage = s
}
