package engine

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/feed"
	"bootstorm/engine/keeper"
	"bootstorm/engine/plan"
	"bootstorm/engine/story"
	"bootstorm/proto"
)

// What the view gets to know, beside the events that the observer sends: the
// names of a generation, and all counts once a second. It may ask for a few
// things; the manager answers.

// countsEvery is how often the counts are sent.
const countsEvery = time.Second

// askedMost is how many requests of the view may wait for the manager.
const askedMost = 16

// Explanation is what is needed to answer feed.Explain: which reply a node would
// get, and why.
type Explanation struct {
	Request feed.Request
	Setup   *Setup
	Core    *core.Core // made for this question, with all leases
	Link    plan.Link  // the interface that the node is heard on, as far as known
	Now     batch.Time
}

// heard deals with what the keeper says.
func (s *server) heard(n keeper.News, ok bool) {
	switch {
	case !ok:
		s.news = nil
		if s.feed != nil {
			s.feed.Last()
		}
		s.log.Error("the keeper has ended: the view is not started again, and an interface that is made anew cannot be opened; " +
			"boots and leases are not affected; restart the server at a quiet moment")
	case n.View != nil:
		s.attach(n)
	case n.Warn:
		s.log.Warn(n.Text)
	default:
		s.log.Info(n.Text)
	}
}

// attach connects a view that was just started.
func (s *server) attach(n keeper.News) {
	if err := s.feed.Attach(n.View); err != nil {
		s.log.Warn("the view cannot be fed: " + err.Error())
		n.View.Close()
		return
	}
	s.show()
	s.viewPulse.beat.Store(true)
	s.running.Go(func() {
		feed.Requests(n.View, s.ask, func() { s.viewPulse.beat.Store(true) }) // until the view has ended, which the keeper reports
		s.feed.Detach(n.View)
	})
}

// pulse is what is known of the view's life.
type pulse struct {
	beat   atomic.Bool   // a sign of life has come since the last look
	silent time.Duration // how long none has come; the manager's
}

// checkView looks once a second for a sign of life of the view. One that gives
// none for long is ended, and the keeper starts another. The looks are counted, not
// the clock: when this process itself stood still, so did everything.
func (s *server) checkView() {
	if s.feed == nil || !s.feed.Attached() || s.viewPulse.beat.Swap(false) {
		s.viewPulse.silent = 0
		return
	}
	patience := s.ViewPatience
	if patience == 0 {
		patience = DefaultViewPatience
	}
	if s.viewPulse.silent += countsEvery; s.viewPulse.silent < patience {
		return
	}
	s.viewPulse.silent = 0
	s.log.Warn(fmt.Sprintf("the view has given no sign of life for %v: it hangs, is ended and started again; boots and leases are not affected", patience))
	if err := s.Keeper.EndView(); err != nil {
		s.log.Error("the view cannot be ended: " + err.Error() + "; restart the server at a quiet moment")
	}
}

// ask passes a request of the view on to the manager.
func (s *server) ask(r feed.Request) {
	select {
	case s.asked <- r:
	default:
		s.feed.Respond(&feed.Response{ID: r.ID, Error: "the server is busy; try again"})
		s.feed.Flush()
	}
}

// answer does what the view asks for.
func (s *server) answer(r feed.Request) {
	a := feed.Response{ID: r.ID}
	var err error
	switch {
	case r.Kind == feed.Reload:
		err = s.reload("reload asked for by the operator")
		if err == nil {
			a.Text = "reloaded: " + s.summary()
		}
	case r.Kind == feed.Explain && s.Explain != nil:
		a.Text, err = s.explain(r)
	case r.Kind == feed.Boot:
		a.Text, err = s.orderBoot(r)
	case r.Kind == feed.Unboot:
		a.Text, err = s.cancelBoot(r.Node)
	case r.Kind == feed.Orders:
		a.Text, err = s.listOrders()
	default:
		err = fmt.Errorf("the server knows no request %q", r.Kind)
	}
	if err != nil {
		a.Error = err.Error()
	}
	s.feed.Respond(&a)
	s.feed.Flush()
}

// explain asks a core of its own, beside the worker.
func (s *server) explain(r feed.Request) (string, error) {
	x := Explanation{Request: r, Setup: s.setup, Link: s.links[0], Now: s.first().now()}
	leases := s.journal.Leases()
	for i := range leases {
		if hwText(leases[i].HW) == r.Node {
			x.Link = s.linkOf(leases[i].Addr)
		}
	}
	x.Core = core.New(core.Config{Plan: s.setup.Plan, Files: s.setup.Files, Links: []plan.Link{x.Link}})
	x.Core.Restore(x.Now, leases)
	x.Core.SetMarks(Marks(s.orders))
	return s.Explain(x)
}

// linkOf finds the interface on whose network an address is, the first if it is
// on none, as behind a relay.
func (s *server) linkOf(a proto.Addr) plan.Link {
	for _, l := range s.links {
		for _, own := range l.Addrs {
			if a&own.Mask == own.Addr&own.Mask {
				return l
			}
		}
	}
	return s.links[0]
}

// clock ties the workers' clock to the wall clock.
func (s *server) clock() feed.Clock {
	now := time.Now()
	return feed.Clock{Mono: int64(now.Sub(s.first().base)), Wall: now.UnixNano()}
}

// show sends the names of the generation in force.
func (s *server) show() {
	if s.feed == nil {
		return
	}
	if !s.feed.Attached() { // the next view is shown it when it comes
		s.feed.ClearTexts()
		return
	}
	s.feed.Generation(&feed.Generation{Clock: s.clock(), Names: s.names(), Options: s.setup.Tree.Declarations()})
	s.feed.Flush()
}

// names are the names of the generation in force.
func (s *server) names() story.Names {
	n := story.Names{Version: s.Version, Started: s.started, Interfaces: s.Interfaces, Root: s.setup.Files.Root, Hosts: map[string]string{}}
	for hw, name := range s.setup.Hosts {
		n.Hosts[hwText(hw)] = name
	}
	for i := range s.setup.Files.Len() {
		f := s.setup.Files.File(int32(i))
		n.Files = append(n.Files, story.File{Name: f.Name, Size: int64(len(f.Data)), Leads: story.Leads(f.Name, f.Data)})
	}
	n.Pools = s.pools()
	return n
}

// pools names each pool by its ranges.
func (s *server) pools() []story.Range {
	p := s.setup.Plan
	pools, ranges := make([]story.Range, len(p.Pools)), make([][]string, len(p.Pools))
	for i := range p.Ranges {
		r := &p.Ranges[i]
		ranges[r.Pool] = append(ranges[r.Pool], fmt.Sprintf("%s-%s", r.First, r.Last))
	}
	for i := range pools {
		pools[i] = story.Range{Name: strings.Join(ranges[i], ","), Size: p.Pools[i].Size}
	}
	return pools
}

// counts is where the workers leave their counts for the manager.
type counts struct {
	core core.Counters
	tftp transfer.Counters
	held int
	free []int32 // addresses, by pool
	add  func(pool, size, free int32)
}

// count sends all counts.
func (s *server) count() {
	if s.feed == nil || !s.feed.Attached() {
		return
	}
	all := map[string]int64{}
	s.countWorkers(all)
	s.countLinks(all)
	j := s.journal.Stats()
	for name, v := range map[string]int64{"records": int64(j.Records), "syncs": int64(j.Syncs), "compactions": int64(j.Compactions),
		"file_bytes_now": j.Bytes, "live_bytes_now": j.Live, "waiting_now": int64(j.Waiting), "sync_ns": int64(j.SyncTime)} {
		all["journal_"+name] = v
	}
	all[story.CounterJournalFails] = 0 // for those who watch the metric
	if s.journal.Err() != nil {
		all[story.CounterJournalFails] = 1
	}
	all[story.CounterLost] = int64(s.feed.Lost() + s.observer.overrun())
	s.feed.Counters(&feed.Counters{Clock: s.clock(), Counts: all})
	s.feed.Flush()
}

// countWorkers adds what the cores have counted.
func (s *server) countWorkers(all map[string]int64) {
	for i := range s.workers {
		// The worker only copies; names are for this side.
		c := &counts{free: make([]int32, len(s.setup.Plan.Pools))}
		c.add = func(pool, _, free int32) { c.free[pool] = free }
		s.on(i, func(w *worker) {
			c.core, c.tftp, c.held = *w.core.Counters(), *w.core.Transfers().Counters(), w.core.Held()
			if i == 0 {
				w.core.Pools(c.add)
			}
		})
		c.core.Each(func(name string, v uint64) { all[name] += int64(v) })
		c.tftp.Each(func(name string, v uint64) { all["tftp_"+name] += int64(v) })
		all[story.CounterHeld] += int64(c.held)
		if i > 0 {
			continue
		}
		for k, r := range s.pools() {
			all[story.PoolUsed(r)] = r.Size - int64(c.free[k])
		}
	}
}

// countLinks adds what the sockets have counted, and the interfaces that are not
// there.
func (s *server) countLinks(all map[string]int64) {
	t := s.traffic()
	for name, v := range map[string]uint64{"received_frames": t.Frames, "sent_frames": t.SentFrames, "kernel_drops": t.KernelDrops, "send_drops": t.Dropped} {
		all["link_"+name] = int64(v)
	}
	down := int64(0)
	for _, up := range s.up {
		if !up {
			down++
		}
	}
	all[story.CounterLinksDown] = down
}
