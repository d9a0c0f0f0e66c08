package view

import (
	"testing"
	"time"
)

// TestGiveWay holds what share of a processor the view takes, and that it catches up
// when it is too far behind or nothing is known.
func TestGiveWay(t *testing.T) {
	const ms = time.Millisecond
	g := new(giveWay)
	for _, c := range []struct {
		behind, used, want time.Duration
		why                string
	}{
		{0, ms, 19 * ms, "a twentieth"},
		{400 * ms, 3 * ms, 38 * ms, "what was worked since"},
		{400 * ms, 3 * ms, 0, "no work"},
		{400 * ms, 100 * ms, giveWayMost, "the longest"},
		{501 * ms, 110 * ms, 0, "half a second behind"},
		{0, 111 * ms, 19 * ms, "it has caught up, and what it worked meanwhile is forgiven"},
	} {
		if got := g.pause(c.behind, c.used); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

// TestGiveWayCountsWork lets real work be counted.
func TestGiveWayCountsWork(t *testing.T) {
	before := processorTime()
	if before <= 0 {
		t.Fatal("no clock of this process")
	}
	for processorTime() < before+10*time.Millisecond { // work
	}
	g := &giveWay{used: before}
	for range giveWayAfter - 1 {
		g.event(time.Now())
	}
	if g.used != before {
		t.Error("looked at the clocks before there were many events")
	}
	from := time.Now()
	g.event(from)
	if waited := time.Since(from); g.used == before || waited < giveWayMost {
		t.Errorf("waited %v after 10 ms of work, want %v", waited, giveWayMost)
	}
}
