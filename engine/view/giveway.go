package view

import (
	"time"

	"golang.org/x/sys/unix"
)

// How the view gives way to the engine, whose processor it may share: it takes a
// twentieth of one processor while all nodes ask at once, until it is half a second
// behind; then it catches up, before the feed has no room for more. When 10,000 nodes
// complete DORA at the same instant, with one processor for both, the last has its
// address in two thirds of the time.
//
// A nice value would do the same. But setpriority(2) belongs to the system calls that
// a service gives up (@resources of systemd.exec(5)).
const (
	giveWayAfter = 64 // events between two looks at the clocks
	giveWayTimes = 19 // pause for each second of work
	giveWayUntil = 500 * time.Millisecond
	giveWayMost  = 100 * time.Millisecond // one pause
)

// giveWay is what the view has worked.
type giveWay struct {
	events int
	used   time.Duration // processor time of the process at the last look
}

// pause is how long to wait after an event that happened at a time, now that this
// process has used so much processor time.
func (g *giveWay) pause(behind, used time.Duration) time.Duration {
	worked := used - g.used
	g.used = used
	if behind > giveWayUntil {
		return 0
	}
	return min(giveWayTimes*worked, giveWayMost)
}

// event waits after an event, if there were many.
func (g *giveWay) event(at time.Time) {
	if g.events++; g.events%giveWayAfter != 0 {
		return
	}
	if p := g.pause(time.Since(at), processorTime()); p > 0 {
		time.Sleep(p)
	}
}

// processorTime is what all threads of this process have used, garbage collection
// included.
func processorTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0 // never gives way
	}
	return time.Duration(t.Nano())
}
