package bench

import (
	"strings"
	"testing"
	"time"
)

func TestLateness(t *testing.T) {
	var l lateness
	for i := range int64(10) {
		l.turn(1e9+i*1e6, 1e9) // 0 to 9 ms behind
	}
	if l.turn(0, never); l.turns != 11 || l.late != 4 || l.most != 9*time.Millisecond {
		t.Errorf("%+v", l)
	}
}

// The warning says why, and only if there is cause.
func TestLimitIsSaid(t *testing.T) {
	for _, c := range []struct {
		r    Result
		want string
	}{
		{Result{LateMost: 40 * time.Millisecond, LateTurns: 0.001}, ""},
		{Result{LateMost: 60 * time.Millisecond}, "60.0 ms late"},
		{Result{LateMost: 9 * time.Millisecond, LateTurns: 0.2}, "in 20 % of its turns"},
		{Result{KernelDrops: 1200}, "dropped 1,200 frames"},
	} {
		var b strings.Builder
		c.r.WriteTable(&b, "")
		if got := b.String(); strings.Contains(got, "WARNING") != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c.r, got)
		}
	}
}
