//go:build linux

package peers

import (
	"context"
	"fmt"
	"io"
	"time"

	"bootstorm/bench"
)

// work is one measurement: a storm or a load of perfdhcp against one server.
type work struct {
	title string
	took  time.Duration // start and stop of the server included; before the first round what experience says
	do    func(ctx context.Context, round int) (sentence string, err error)
}

// usual is what experience says that a storm takes: bootstorm ends it when the
// nodes can, a peer in about half of the limit, or sooner with few nodes.
func usual(s *Server, nodes int, limit time.Duration) time.Duration {
	const start = 5 * time.Second
	if s.Ours {
		return start + time.Duration(nodes)*2*time.Millisecond
	}
	return min(start+time.Duration(nodes)*50*time.Millisecond, limit/2)
}

// rounds does all of a comparison's work: first everything once, then again what
// may be repeated, until every piece was done often enough. So the runs of one
// server lie minutes apart, and what disturbs the machine for a while meets all.
type rounds struct {
	all      []work
	rounds   int
	once     time.Duration // what takes longer is not repeated; 0: everything is
	budget   time.Duration // no repetition is begun that would not be done by then; 0: all are
	progress io.Writer
	began    time.Time
	omitted  int // repetitions for which there was no time
}

// repeats tells whether a piece of work is done in later rounds, too.
func (r *rounds) repeats(w *work) bool { return r.once == 0 || w.took <= r.once }

// left is the number of pieces after number at of a round, and how long they
// will take.
func (r *rounds) left(round, at int) (n int, took time.Duration) {
	for i := range r.all {
		w := &r.all[i]
		times := 0
		if i > at && (round == 1 || r.repeats(w)) {
			times = 1
		}
		if r.repeats(w) {
			times += r.rounds - round
		}
		n += times
		took += time.Duration(times) * w.took
	}
	return n, took
}

// run does it.
func (r *rounds) run(ctx context.Context) error {
	r.began = time.Now()
	n, took := r.left(1, -1)
	fmt.Fprintf(r.progress, "%s measurements, about %s\n", bench.Count(n), minutes(r.within(took)))
	for round := 1; round <= r.rounds; round++ {
		for i := range r.all {
			w := &r.all[i]
			if round > 1 && !r.repeats(w) {
				continue
			}
			if round > 1 && r.budget > 0 && time.Since(r.began)+w.took > r.budget {
				r.omitted++
				continue
			}
			fmt.Fprintf(r.progress, "%s\n", w.title)
			start := time.Now()
			sentence, err := w.do(ctx, round)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if took := time.Since(start); round == 1 { // it is what the plan goes by
				w.took = took
			}
			n, took := r.left(round, i)
			fmt.Fprintf(r.progress, "  %s (%d to do, about %s)\n", sentence, n, minutes(r.within(took)))
		}
	}
	if r.omitted > 0 {
		fmt.Fprintf(r.progress, "%d repetitions were left out, because %s are over: see --budget\n", r.omitted, minutes(r.budget))
	}
	return nil
}

// within bounds an estimate by the budget.
func (r *rounds) within(took time.Duration) time.Duration {
	if r.budget > 0 {
		took = min(took, max(r.budget-time.Since(r.began), 0))
	}
	return took
}

// minutes writes an estimate: nobody knows it better than that.
func minutes(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}
