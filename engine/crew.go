package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/link"
	"bootstorm/engine/plan/compile"
)

// A server has one worker that answers everything. It may have more, which take
// their share of the clients that load files and know nothing of DHCP: leases
// belong to one, and a renewal that came to another would meet a stranger. Each
// has sockets, a core, transfers and a ring of events of its own; which one a
// client's frames come to is the kernel's to say (link.OpenShared).

// hire makes the workers, who know of no lease yet.
func (s *server) hire() {
	base := time.Now() // one clock for all: their events are put in order
	for i := range max(s.Workers, 1) {
		w := &worker{notes: s.observer.notes, tx: batch.NewTx(), base: base, spin: spin()}
		if i == 0 {
			w.core = s.newCore(s.setup)
		} else {
			w.core, w.notes = s.newFeeder(), s.observer.another()
		}
		if i < len(s.Captures) {
			w.ring = s.Captures[i]
		}
		s.workers = append(s.workers, w)
	}
}

// spin is how long a worker looks for more frames before it sleeps. On a single
// processor, which the journal needs as well, it sleeps at once.
func spin() int64 {
	if runtime.NumCPU() == 1 {
		return 0
	}
	return spinTime
}

// first is the worker that answers everything.
func (s *server) first() *worker { return s.workers[0] }

// newCore allocates a core for a setup.
func (s *server) newCore(setup *Setup) *core.Core {
	return core.New(core.Config{Plan: setup.Plan, Files: setup.Files, Links: s.links, Transfer: s.transfers(), Seed: rand.Uint64()})
}

// newFeeder allocates a core that has files to give and no address.
func (s *server) newFeeder() *core.Core {
	p, _ := compile.Compile(config.ParseText("", nil, config.Options{}))
	p.Guard = s.setup.Plan.Guard
	return core.New(core.Config{Plan: p, Files: s.setup.Files, Links: s.links, Transfer: s.transfers(), Seed: rand.Uint64()})
}

func (s *server) transfers() transfer.Config { return transfer.Config{WindowMax: s.WindowMax} }

// open opens the sockets of all interfaces, for each worker its own.
func (s *server) open() error {
	sets, err := s.world.open(s.Interfaces, len(s.workers), s.Link)
	if err != nil {
		return err
	}
	for _, line := range sets[0].Describe() {
		s.log.Info(line)
	}
	if n := len(sets); n > 1 {
		s.log.Info(fmt.Sprintf("%d workers: one answers DHCP, all of them TFTP", n))
	}
	s.sockets = sets
	for i, w := range s.workers {
		w.wire = sets[i]
	}
	// A worker that sleeps while its acknowledgements wait for the disk is
	// woken by the disk.
	s.journal.OnDurable(sets[0].Wake)
	return nil
}

// run starts the workers' goroutines.
func (s *server) run() {
	for _, w := range s.workers {
		w.stopping.Store(false)
		s.running.Go(func() { s.ended <- w.run() })
	}
}

// halt tells the workers to stop between two batches.
func (s *server) halt() {
	for _, w := range s.workers {
		w.stopping.Store(true)
	}
	for _, c := range s.sockets {
		c.Wake()
	}
}

// gather waits until all workers have returned, with the errors of those that
// failed. What it took from the channel it puts back if there was an error, so
// that the manager finds it.
func (s *server) gather(limit <-chan time.Time) error {
	var all []error
	for range s.workers {
		select {
		case err := <-s.ended:
			all = append(all, err)
		case <-limit: // nil: never
			return fmt.Errorf("the workers did not stop within %v", stopTime)
		}
	}
	err := errors.Join(all...)
	if err != nil {
		for _, e := range all {
			s.ended <- e
		}
	}
	return err
}

// pulse returns a function that tells whether every worker has moved since it
// was called last.
func (s *server) pulse() func() bool {
	beats := make([]uint64, len(s.workers))
	return func() bool {
		alive := true
		for i, w := range s.workers {
			alive = w.pulse(&beats[i]) && alive
		}
		return alive
	}
}

// stop ends the workers, makes what is left durable, and sends the
// acknowledgements that this sets free.
func (s *server) stop() error {
	// The order matters: no frame is received any more, then the last records
	// go to the journal, then it syncs, and only then the acknowledgements that
	// waited for it leave.
	s.halt()
	limit := time.NewTimer(stopTime)
	defer limit.Stop()
	failed := s.gather(limit.C)
	if failed != nil && len(s.ended) < len(s.workers) {
		return failed // one still runs
	}
	w, broken := s.first(), errors.Is(failed, errPanic) // manage has reported it
	if !broken {                                        // else the core is in no state to be asked
		w.handOver(stopTime / 8)
		s.settleOrders(func(f func(*worker)) { // all have returned
			for _, w := range s.workers {
				f(w)
			}
		})
	}
	err := s.journal.Close()
	if err != nil {
		err = fmt.Errorf("at the end: %w", err)
	}
	if !broken {
		w.finish(stopTime / 4)
		s.stopCold() // what the observer has summed up comes before the last line
		<-s.observed
		s.log.Info("stopped: " + s.tally())
	}
	return err
}

// traffic adds up what the sockets have counted.
func (s *server) traffic() (sum link.Stats) {
	for _, c := range s.sockets {
		st := c.Stats()
		sum.Frames += st.Frames
		sum.SentFrames += st.SentFrames
		sum.KernelDrops += st.KernelDrops
		sum.Dropped += st.Dropped
	}
	return sum
}

// tally is the life of the server in one line.
func (s *server) tally() string {
	c, j, t := s.first().core.Counters(), s.journal.Stats(), s.traffic()
	return fmt.Sprintf("%s received, %s sent, %s given or renewed, %s written in %s", plural(int(t.Frames), "frame"),
		plural(int(t.SentFrames), "frame"), plural(int(c.Ack), "lease"), plural(int(j.Records), "lease record"), plural(int(j.Syncs), "sync")) + s.keptOff()
}

// keptOff is what was not let in, the worst of it; empty if there was nothing.
func (s *server) keptOff() (text string) {
	c := s.first().core.Counters()
	var requests, evicted, kept, pretended uint64
	for _, w := range s.workers {
		n := w.core.Transfers().Counters()
		requests, evicted, kept, pretended = requests+n.Excess, evicted+n.Evicted, kept+n.Kept, pretended+n.Pretended
	}
	for _, n := range []struct {
		n    uint64
		what string
	}{{c.Excess, "DHCP messages over the rate"}, {requests, "TFTP requests over the rate"}, {c.TakenBack, "offers taken back"},
		{evicted, "transfers that nobody acknowledged"},
		{kept, "TFTP requests that would have taken what is kept for known nodes"}, {pretended, "datagrams in a known node's name"}, {c.Doubtful, "conflicts not believed"}, {c.Rogue, "replies of other DHCP servers"}} {
		if n.n > 0 {
			text += fmt.Sprintf(", %d %s", n.n, n.what)
		}
	}
	if text != "" {
		text = "; kept off:" + text[1:]
	}
	return text
}

// onWorker runs f between two batches on the goroutine of the first worker and
// waits for it, as long as the worker lives.
func (s *server) onWorker(f func(w *worker)) { s.on(0, f) }

// onAll does so on every worker, one after the other.
func (s *server) onAll(f func(w *worker)) {
	for i := range s.workers {
		s.on(i, f)
	}
}

func (s *server) on(i int, f func(w *worker)) {
	e := &errand{do: f, done: make(chan struct{})}
	s.workers[i].inbox.Store(e) // there is one manager, so the box is empty
	s.sockets[i].Wake()
	select {
	case <-e.done:
	case err := <-s.ended:
		s.ended <- err // the manager's loop ends the server
	}
}
