package story

import "time"

// clock turns the times that events and ticks bear into nanoseconds that never
// run backwards and do not jump when somebody sets the wall clock. Times that are
// shown are turned back by the wall clock as it is now, so that after a step the
// past still lies as far back as it really does.
type clock struct {
	now    int64 // the latest moment seen
	offset int64 // of the book's time to the wall clock, ns
	begun  bool
	tick   time.Time // of the last Tick
	ticked int64     // the book's time then
}

// A wall clock that moves by more than this between two readings has been set,
// ns. Backwards, two workers' events may be out of order by a little; forwards,
// only what cannot be a pause of the process counts.
const (
	stepBack  = int64(2 * time.Second)
	stepAhead = int64(time.Hour)
	stepTick  = int64(time.Second) // against the monotonic clock
	aheadMost = int64(3 * time.Second)
)

// event returns the book's time of an event.
func (c *clock) event(at time.Time) int64 {
	wall := at.UnixNano()
	if !c.begun {
		c.begun, c.now, c.offset = true, wall, 0
		return wall
	}
	t := wall + c.offset
	switch ahead := t - c.now; {
	case ahead < -stepBack, ahead > stepAhead:
		c.offset = c.now - wall
		return c.now
	case ahead < 0:
		return c.now
	}
	// Where ticks come from a monotonic clock no event can lie far behind the last.
	if monotonic(c.tick) && t > c.ticked+aheadMost {
		t = max(c.now, c.ticked+aheadMost)
	}
	c.now = t
	return t
}

// beat returns the book's time of a Tick.
func (c *clock) beat(at time.Time) int64 {
	if c.begun && monotonic(at) && monotonic(c.tick) {
		should := c.ticked + int64(at.Sub(c.tick))
		if step := at.UnixNano() + c.offset - should; step > stepTick || step < -stepTick {
			c.offset -= step
		}
		c.now = max(c.now, should)
	} else {
		c.event(at)
	}
	c.tick, c.ticked = at, c.now
	return c.now
}

// monotonic tells whether a time has a reading of the monotonic clock.
func monotonic(t time.Time) bool { return !t.IsZero() && t != t.Round(0) }

// wall turns the book's time into one that is shown; the zero Time for 0.
func (c *clock) wall(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, t-c.offset)
}

// read is the book's time at a moment, without moving the clock: for those who
// only look.
func (c *clock) read(at time.Time) int64 {
	if !c.begun {
		return at.UnixNano()
	}
	return max(c.now, min(at.UnixNano()+c.offset, c.now+stepAhead))
}
