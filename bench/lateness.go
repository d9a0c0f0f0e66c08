package bench

import (
	"fmt"
	"time"
)

// Bounds of a load generator that keeps up: a timer may be late by lateBy in
// few turns of its loop, and by lateMost never.
const (
	lateBy    = 5 * time.Millisecond
	lateShare = 0.01
	lateMost  = 50 * time.Millisecond
)

// lateness is how far behind its own timers the driver runs.
type lateness struct {
	turns int
	late  int // turns in which a timer was due for more than lateBy
	most  time.Duration
}

// turn notes a turn that begins at now with a timer due at deadline.
func (l *lateness) turn(now, deadline int64) {
	l.turns++
	behind := time.Duration(now - deadline)
	l.most = max(l.most, behind)
	if behind > lateBy {
		l.late++
	}
}

// Limit says why the load generator, not the server, decided the result; "" if
// it kept up.
func (r *Result) Limit() string {
	switch {
	case r.KernelDrops > 0:
		return fmt.Sprintf("its socket dropped %s frames that the server had sent", Count(int(r.KernelDrops)))
	case r.LateMost > lateMost:
		return fmt.Sprintf("a node's timer was served %s late", Duration(r.LateMost))
	case r.LateTurns > lateShare:
		return fmt.Sprintf("in %.0f %% of its turns a timer was more than %s late", 100*r.LateTurns, Duration(lateBy))
	}
	return ""
}
