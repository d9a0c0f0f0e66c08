package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/batch"
)

// kinds are what a link can do to frames, at a rate.
var kinds = []struct {
	name string
	at   func(rate float64) Impairment
}{
	{"lost", func(p float64) Impairment { return Impairment{Loss: p} }},
	{"twice", func(p float64) Impairment { return Impairment{Duplicate: p} }},
	{"late", func(p float64) Impairment { return Impairment{Reorder: p} }},
	{"very late", func(p float64) Impairment { return Impairment{Reorder: p, Late: 700 * batch.Millisecond} }},
	{"damaged", func(p float64) Impairment { return Impairment{Corrupt: p} }},
	{"all", func(p float64) Impairment {
		return Impairment{Loss: p / 4, Duplicate: p / 4, Reorder: p / 4, Corrupt: p / 4, Late: 5 * batch.Millisecond}
	}},
}

// excuses are the reasons for which a boot may fail on a link that does its
// worst. A wrong byte, an address held by two, an ERROR is none.
var excuses = []string{"no OFFER after", "no ACK after", "fell silent", "nobody answers ARP"}

// more are those where frames are damaged. No checksum of IP covers hardware
// addresses and ARP; on a real link that of the frame does. So a node may have
// learned a wrong address of the server, a frame may not be addressed to all any
// more, and an address may seem to be somebody else's.
var more = []string{"not broadcast although", "NAK", "is used by"}

// TestWeather has frames lost, repeated, late or damaged, one in a hundred, in
// twenty, in five. Up to one in twenty every node boots, but for one or two whose
// ARP was damaged; beyond, those whose firmware gives up are named with the reason.
// No node ever takes a wrong byte.
func TestWeather(t *testing.T) {
	for _, k := range kinds {
		for _, rate := range []float64{0.01, 0.05, 0.2} {
			t.Run(fmt.Sprintf("%s, %g in 100", k.name, 100*rate), func(t *testing.T) {
				link, done, failed, frames := k.at(rate), 0, 0, uint64(0)
				for seed := range uint64(8) {
					r := weather(t, link, seed)
					done, failed, frames = done+r.Done, failed+r.Failed, frames+r.FramesIn+r.FramesOut
				}
				t.Logf("%d boots, %d named as failed, %d frames", done, failed, frames)
				share := map[bool]float64{true: 0.02}[link.Corrupt > 0]
				if rate > 0.1 {
					share = 0.15
				}
				if float64(failed) > share*float64(done+failed) {
					t.Errorf("%d of %d boots failed", failed, done+failed)
				}
			})
		}
	}
}

// weather storms over a link and checks the reasons of what failed.
func weather(t *testing.T, link Impairment, seed uint64) *Result {
	t.Helper()
	c := Config{Nodes: 80, Sequence: Guide, Seed: seed, Link: link}
	r := simulate(t, c, widePool, "", Simulation{Rate: 1e9})
	if r.Done+r.Failed != c.Nodes || r.NAKs > 0 && link.Corrupt == 0 || (r.LinkCorrupted > 0) != (link.Corrupt > 0) {
		t.Errorf("seed %d: %d done, %d failed, %d NAKs, %d frames damaged", seed, r.Done, r.Failed, r.NAKs, r.LinkCorrupted)
	}
	allowed := excuses
	if link.Corrupt > 0 {
		allowed = slices.Concat(excuses, more)
	}
	for _, f := range r.Failures {
		if !slices.ContainsFunc(allowed, func(e string) bool { return strings.Contains(f.Reason, e) }) {
			t.Errorf("seed %d: %s (%d times, first %s)", seed, f.Reason, f.Count, f.MAC)
		}
	}
	return r
}
