//go:build linux

package bench

import (
	"context"
	"time"

	"bootstorm/bench/segment"
	"bootstorm/engine/batch"
)

// longestWait bounds a sleep, so that a cancelled context is noticed soon.
const longestWait = 100 * batch.Millisecond

// Run drives a storm over an interface against whatever server is there, in
// real time, until every node is done or ctx ends. show, if not nil, is called
// about every interval.
func Run(ctx context.Context, s *Storm, c *segment.Conn, interval time.Duration, show func(Progress)) (*Result, error) {
	start := time.Now()
	now := func() int64 { return int64(time.Since(start)) }
	// The closure is made once: one per frame would be memory per frame.
	d := &drive{storm: s, conn: c}
	d.receive = func(frame []byte, checksum bool) { s.Receive(d.now, frame, checksum) }
	s.Begin(0)
	var asked, offered int64
	offers := 0
	next := int64(interval)
	for !s.Done() && ctx.Err() == nil {
		d.now = now()
		if err := d.turn(); err != nil {
			return nil, err
		}
		if asked == 0 && s.asked() && c.Queued() == 0 {
			asked = now()
		}
		if s.stats.offers != offers {
			offers, offered = s.stats.offers, now()
		}
		if show != nil && d.now >= next {
			show(s.Progress(d.now))
			next = d.now + int64(interval)
		}
		if err := c.Wait(min(s.Deadline()-now(), longestWait, next-now())); err != nil {
			return nil, err
		}
	}
	if show != nil {
		show(s.Progress(now()))
	}
	c.Statistics()
	r := s.Result()
	r.Wall, r.KernelDrops = time.Since(start), c.Dropped
	r.Asked, r.Offered = time.Duration(asked), time.Duration(offered)
	r.LateMost, r.LateTurns = d.behind.most, float64(d.behind.late)/float64(max(d.behind.turns, 1))
	return r, ctx.Err()
}

// drive is what one turn of the loop needs.
type drive struct {
	storm   *Storm
	conn    *segment.Conn
	now     int64
	behind  lateness
	receive func(frame []byte, checksum bool)
}

// atOnce is how many frames the nodes compose before they are sent.
const atOnce = 256

// turn takes what has arrived, does what is due and sends what came of it.
func (d *drive) turn() error {
	if _, err := d.conn.Receive(d.receive); err != nil {
		return err
	}
	d.behind.turn(d.now, d.storm.Deadline())
	for more := true; more; {
		more = d.storm.Some(d.now, atOnce)
		if err := d.send(); err != nil || d.conn.Queued() > 0 {
			return err
		}
	}
	return nil
}

// send hands over what the nodes have to say. A batch of the segment may be smaller
// than that; what the kernel does not take now, it takes after the next Wait.
func (d *drive) send() error {
	if err := d.conn.Flush(); err != nil {
		return err
	}
	for {
		d.storm.Drain(d.now, d.conn.Queue)
		if err := d.conn.Flush(); err != nil || d.conn.Queued() > 0 || d.storm.out.Len() == 0 {
			return err
		}
	}
}
