package view

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/story"
)

// phases measures how long nodes stay in each phase of a boot: what the server takes
// (discover, request), what the node does (offer, lease, next) and what both do
// (load). Only stays that ended with progress count, by the first message of each
// phase: a node that gives up is a matter of the story.
type phases struct {
	stays map[[16]byte]stay
	took  *prometheus.HistogramVec
}

// stay is the phase that a node is in.
type stay struct {
	phase story.Phase
	since time.Time
}

func newPhases() *phases {
	p := &phases{stays: map[[16]byte]stay{}, took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bootstorm_boot_phase_duration_seconds",
		Help: "Time that nodes stayed in a phase of a boot before the next: discover, offer, request, lease (until a file is asked for), " +
			"load, next (until the program that was loaded asks for an address or a file).",
		Buckets: []float64{.0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 2.5, 5, 10, 30, 60, 300}}, []string{"phase"})}
	for _, phase := range story.Phases {
		if phase != story.PhaseDone { // which no other follows
			p.took.WithLabelValues(string(phase)) // a rate needs the zero before the first
		}
	}
	return p
}

// observe takes one event of the core.
func (p *phases) observe(at time.Time, e *batch.Event) {
	if e.HWLen == 0 {
		return // behind a relay, files have no hardware address
	}
	now := p.stays[e.HW].phase
	switch e.Kind {
	case batch.EventDiscover:
		switch {
		case now == story.PhaseNext && core.Client(e.Value) == core.ClientIPXE:
			p.enter(at, e.HW, story.PhaseDiscover)
		case now != story.PhaseDiscover: // a boot begins, or begins anew
			delete(p.stays, e.HW)
			p.enter(at, e.HW, story.PhaseDiscover)
		}
	case batch.EventOffer:
		p.follow(at, e.HW, story.PhaseOffer, story.PhaseDiscover)
	case batch.EventRequest:
		p.follow(at, e.HW, story.PhaseRequest, story.PhaseOffer)
	case batch.EventAck:
		p.follow(at, e.HW, story.PhaseLease, story.PhaseRequest)
	case batch.EventTransferStart:
		p.follow(at, e.HW, story.PhaseLoad, story.PhaseLease, story.PhaseNext)
	case batch.EventTransferDone:
		p.follow(at, e.HW, story.PhaseNext, story.PhaseLoad)
	case batch.EventTransferError:
		delete(p.stays, e.HW)
	}
}

// follow enters a phase from one of those that come before it.
func (p *phases) follow(at time.Time, hw [16]byte, phase story.Phase, after ...story.Phase) {
	now := p.stays[hw].phase
	for _, a := range after {
		if now == a {
			p.enter(at, hw, phase)
		}
	}
}

// enter enters a phase, and counts the stay in the one before.
func (p *phases) enter(at time.Time, hw [16]byte, phase story.Phase) {
	before, ok := p.stays[hw]
	if ok {
		p.took.WithLabelValues(string(before.phase)).Observe(max(0, at.Sub(before.since).Seconds()))
	} else if len(p.stays) >= maxAsking { // of strangers, mostly: those that boot come again
		clear(p.stays)
	}
	p.stays[hw] = stay{phase, at}
}
