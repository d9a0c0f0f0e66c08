package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
)

// wellFormed reads a picture as XML to its end.
func wellFormed(t *testing.T, picture []byte) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Every sample counts every node once, time goes on, and in the end all are
// done.
func TestTimeline(t *testing.T) {
	c := Config{Nodes: 30, Boots: 2, Sequence: Full, Ramp: batch.Second, Pause: batch.Second, Renew: batch.Second,
		Cut: 0.3, CutWithin: 50 * batch.Millisecond, Seed: 3}
	r := simulate(t, c, widePool, "", Simulation{Rate: 1e8})
	wantOK(t, r)
	var seen [Stages]bool
	before := time.Duration(-1)
	for _, s := range r.Timeline {
		sum := int32(0)
		for stage, n := range s.Nodes {
			seen[stage] = seen[stage] || n > 0
			sum += n
		}
		if sum != 30 || s.At < before {
			t.Fatalf("%+v after %s", s, before)
		}
		before = s.At
	}
	for stage := range Stages {
		if seen[stage] == (stage == StageFailed) {
			t.Errorf("a node was %q: %v", stage, seen[stage])
		}
	}
	if last := r.Timeline[len(r.Timeline)-1]; last.Nodes[StageDone] != 30 || last.At != r.LastNode {
		t.Errorf("in the end: %+v, the last node after %s", last, r.LastNode)
	}
	picture := r.Picture()
	wellFormed(t, picture)
	for _, want := range []string{"Where 30 nodes were", "iPXE: waiting for an address", "slowest " + Duration(r.Boot.Max)} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}

// However long a storm is, its timeline stays within its memory and spans it.
func TestTimelineIsBounded(t *testing.T) {
	l := newTimeline(1)
	for now := int64(0); now < 3_600_000*timelineFirst; now += timelineFirst {
		if now >= l.due {
			l.sample(now, now)
		}
	}
	n := len(l.samples)
	if n > timelineMost || n < timelineMost/2-1 || cap(l.samples) != timelineMost {
		t.Errorf("%d samples in room for %d", n, cap(l.samples))
	}
	if last := l.samples[n-1].At; last < 3590*time.Second {
		t.Errorf("the last sample is at %s", last)
	}
}

// A storm in which nothing went well has a picture too.
func TestPictureOfFailure(t *testing.T) {
	f := newFixture(t, testContents())
	f.mute = true
	r := play(t, Config{Nodes: 3, Sequence: DORA}, f)
	picture := r.Picture()
	wellFormed(t, picture)
	if !strings.Contains(string(picture), ">failed<") || !strings.Contains(string(picture), "No boot went well") {
		t.Errorf("%s", picture)
	}
}
