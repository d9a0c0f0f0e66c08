package engine

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
)

// settle is how long the last change of an interface must be over before they are
// looked at: a change of address is two, and nobody wants to read of the first.
const settle = 50 * time.Millisecond

// manage runs the cold side until ctx ends (nil) or the worker fails.
func (s *server) manage(ctx context.Context) error {
	poll := time.NewTicker(s.world.poll)
	defer poll.Stop()
	second := time.NewTicker(countsEvery)
	defer second.Stop()
	settled := time.NewTimer(settle)
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.ended:
			// systemd starts the process again, and the leases are on disk: to go
			// on without a worker would be worse.
			s.ended <- err // for stop, which waits for the worker
			return fmt.Errorf("the worker failed: %w", err)
		case <-s.hangup:
			_ = s.reload("SIGHUP") // the log says it
		case <-s.changed:
			s.reloadFiles()
		case <-s.moved:
			settled.Reset(settle)
		case <-settled.C:
			s.checkLinks()
		case <-poll.C:
			s.checkLinks()
			s.checkLosses()
		case <-second.C:
			s.count()
			s.checkView()
			s.settleOrders(s.onAll)
		case n, ok := <-s.news:
			s.heard(n, ok)
		case w := <-s.observer.wants:
			s.serveWants(w)
		case r := <-s.asked:
			s.answer(r)
		}
	}
}

// reload reads configuration and files again, beside the running worker, and
// swaps them in. With an error in them the old ones stay in force.
func (s *server) reload(why string) error {
	tellSystemd("RELOADING=1\n" + monotonic())
	defer func() { tellSystemd("READY=1\nSTATUS=" + s.summary()) }()
	fresh, err := s.readAgain()
	if err != nil {
		err = fmt.Errorf("the old configuration and files stay in force: %w", err)
		s.log.Error(why + ": " + err.Error())
		return err
	}
	// Everything that allocates happens here, beside the worker: the tables of
	// the next core for a large pool take a while to make. The worker itself
	// only moves what lives from one core to the other.
	changes := s.compare(fresh)
	next := s.newCore(fresh)
	next.Restore(s.first().now(), s.unknownTo(fresh))
	s.onWorker(func(w *worker) {
		w.collect()
		w.core.Replace(w.now(), next)
		w.core = next
	})
	table := s.refill(fresh)
	s.onAll(func(w *worker) {
		w.core.SetFiles(fresh.Files)
		w.core.Transfers().SetRendered(table)
		w.core.Transfers().SetRate(fresh.Plan.Guard.Requests)
	})
	s.setup = fresh
	s.publish() // events that are on their way are worded by the new names: no harm
	s.reportFiles(fresh)
	s.reportLinks()
	// The old core is garbage as large as the new one, and nothing else allocates
	// here: it would stay until the next reload.
	debug.FreeOSMemory()
	s.log.Info(why + ": reloaded, " + changes)
	return nil
}

// readAgain makes the next generation.
func (s *server) readAgain() (*Setup, error) {
	fresh, err := s.fromFile() // one may have been written meanwhile
	if fresh == nil && err == nil {
		fresh, err = DeriveConfig(s.links)
	}
	if err != nil {
		return nil, err
	}
	if fresh.Derived != nil && !bytes.Equal(fresh.Derived, s.setup.Derived) {
		s.reportDerived(fresh)
	}
	if err := s.accept(fresh); err != nil {
		return nil, err
	}
	if err := s.load(fresh); err != nil {
		return nil, err
	}
	return fresh, nil
}

// unknownTo returns the leases that the journal remembers of addresses which
// are in a pool of the fresh plan but in none of the present one: an address
// that was taken out of the configuration, by mistake perhaps, comes back with
// its lease.
func (s *server) unknownTo(fresh *Setup) (out []batch.Lease) {
	for _, l := range s.journal.Leases() {
		if s.setup.Plan.RangeOf(l.Addr) < 0 && fresh.Plan.RangeOf(l.Addr) >= 0 {
			out = append(out, l)
		}
	}
	return out
}

// reloadFiles reads the boot files again after a change on disk.
func (s *server) reloadFiles() {
	fresh := *s.setup
	if err := s.load(&fresh); err != nil {
		s.log.Error("boot files changed, but cannot be read: " + err.Error() + "; the old ones are served")
		return
	}
	changes := compareFiles(s.setup.Files, fresh.Files)
	if changes == "" {
		return
	}
	table := s.refill(&fresh)
	s.onAll(func(w *worker) {
		w.core.SetFiles(fresh.Files)
		w.core.Transfers().SetRendered(table)
	})
	s.setup = &fresh
	s.publish()
	s.reportFiles(&fresh)
	s.log.Info("boot files changed: " + changes)
}

// watchRoot watches the boot files on disk.
func (s *server) watchRoot() {
	s.running.Go(func() {
		if err := s.world.watch(s.Root, poke(s.changed), s.cold.Done()); err != nil && s.cold.Err() == nil {
			s.log.Warn(fmt.Sprintf("changes of boot files in %s go unnoticed: %v; send SIGHUP after a change", s.Root, err))
		}
	})
}

// poke returns a function that leaves a token in a channel, which holds one.
func poke(c chan<- struct{}) func() {
	return func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// compare says in counts what a reload changes.
func (s *server) compare(fresh *Setup) string {
	was, is := s.setup.Plan, fresh.Plan
	addresses := func(n *Setup) (sum int64) {
		for i := range n.Plan.Pools {
			sum += n.Plan.Pools[i].Size
		}
		return sum
	}
	text := count("subnet", len(was.Subnets), len(is.Subnets)) + ", " +
		count("pool address", int(addresses(s.setup)), int(addresses(fresh))) + ", " +
		count("host", len(was.Hosts), len(is.Hosts)) + ", " +
		count("class", len(was.Classes), len(is.Classes))
	if files := compareFiles(s.setup.Files, fresh.Files); files != "" {
		return text + "; boot files: " + files
	}
	return text + "; boot files unchanged"
}

// count writes a number and what it was before.
func count(noun string, was, is int) string {
	if was == is {
		return plural(is, noun)
	}
	return fmt.Sprintf("%s (%d before)", plural(is, noun), was)
}

// compareFiles says how many files are new, changed and gone; "" if none is.
func compareFiles(was, is *image.Set) string {
	fresh, changed, gone := 0, 0, 0
	for i := range is.Len() {
		f := is.File(int32(i))
		k, ok := was.Lookup([]byte(f.Name))
		switch {
		case !ok || was.File(k).Name != f.Name:
			fresh++
		case string(was.File(k).Data) != string(f.Data):
			changed++
		}
	}
	for i := range was.Len() {
		name := was.File(int32(i)).Name
		if k, ok := is.Lookup([]byte(name)); !ok || is.File(k).Name != name {
			gone++
		}
	}
	if fresh+changed+gone == 0 {
		return ""
	}
	return fmt.Sprintf("%d new, %d changed, %d gone", fresh, changed, gone)
}
