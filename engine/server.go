package engine

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/feed"
	"bootstorm/engine/image"
	"bootstorm/engine/image/load"
	"bootstorm/engine/keeper"
	"bootstorm/engine/lease"
	"bootstorm/engine/plan"
	"bootstorm/engine/reason"
)

// What follows is the life of a server: prepare (configuration, interfaces,
// ports, files, journal, sockets, in the order in which a mistake costs least),
// announce, manage, stop, close. Each step may fail; close undoes whatever was
// done.

// server is a running engine. Its fields belong to the manager's goroutine,
// which is the one that called Serve.
type server struct {
	Config
	log      *zap.Logger
	setup    *Setup
	links    []plan.Link
	up       []bool // by link
	journal  *lease.Journal
	portsMu  sync.Mutex
	reserved []ports   // by interface, nil if it does not exist yet; under portsMu once there are more goroutines
	workers  []*worker // the first answers everything, the others their share of TFTP
	sockets  []socket  // by worker
	observer *observer
	hangup   chan os.Signal
	changed  chan struct{} // a boot file changed on disk
	moved    chan struct{} // an interface changed
	ended    chan error    // a worker returned
	lost     losses
	running  sync.WaitGroup
	stopCold context.CancelFunc // ends observer, watcher and watchdog
	cold     context.Context
	observed chan struct{} // the observer has ended

	resolver  resolver
	started   time.Time
	feed      *feed.Writer       // to the view; nil: there is none
	news      <-chan keeper.News // what the keeper says; nil: nothing any more
	asked     chan feed.Request  // by the view
	viewPulse pulse              // whether the view lives

	orders    []feed.Order // nodes that load another file at their next boot
	fulfilled []feed.Order // the last of them that nodes have taken, the newest last
	lastOrder uint32       // highest Seq given
	nodeFiles *nodeFiles   // what the templates are for each node
}

// newServer makes a server that has done nothing yet, except to listen for
// SIGHUP.
func newServer(c Config) *server {
	if c.world.inspect == nil {
		c.world = system()
	}
	s := &server{Config: c, log: c.Log, hangup: make(chan os.Signal, 1), changed: make(chan struct{}, 1), moved: make(chan struct{}, 1), ended: make(chan error, max(c.Workers, 1))}
	s.cold, s.stopCold = context.WithCancel(context.Background())
	s.observer = newObserver(c.Log, newNotes())
	s.observed = make(chan struct{})
	s.started, s.asked = time.Now(), make(chan feed.Request, askedMost)
	if c.Keeper != nil {
		s.news = c.Keeper.News()
	}
	if c.Keeper != nil && c.View {
		s.feed = feed.NewWriter()
		s.observer.feed = s.feed
	}
	// From the first moment on: a reload that comes too early must not end
	// the process, which is what the signal does by default.
	signal.Notify(s.hangup, syscall.SIGHUP)
	return s
}

// prepare does everything up to the first frame, in the order in which a
// mistake is cheapest to find: configuration, ports, files, leases, interfaces.
func (s *server) prepare(ctx context.Context) error {
	s.log.Info("bootstorm " + s.Version + " starts on " + strings.Join(s.Interfaces, ", "))
	allowThreads(max(s.Workers, 1))
	if err := s.become(); err != nil {
		return err
	}
	// A mistake in the file is told at once, even if the interface is to come
	// up only in an hour.
	setup, err := s.fromFile()
	if err != nil {
		return err
	}
	if s.setup = setup; setup != nil {
		if err := s.accept(setup); err != nil {
			return err
		}
	}
	if err := s.awaitLinks(ctx); err != nil {
		return err
	}
	if err := s.reserve(); err != nil { // needs the interfaces
		return err
	}
	if s.setup == nil {
		if err := s.derive(); err != nil {
			return err
		}
	}
	s.watchLinks()
	s.watchRoot() // before the files are read, so that no change is missed
	if err := s.load(s.setup); err != nil {
		return err
	}
	s.reportFiles(s.setup)
	if err := s.start(); err != nil {
		return err
	}
	return s.confine()
}

// fromFile reads the configuration file: the one that was named, else the first
// of the usual ones that declares a subnet; nil if there is none. Debian's
// package of dhcpd brings an example that declares none, and with which nobody
// could be served.
func (s *server) fromFile() (*Setup, error) {
	if s.File != "" {
		if err := readable(s.File); err != nil {
			return nil, err
		}
		return parseConfig(s.File, s.resolver.addresses), nil
	}
	for _, path := range DefaultFiles {
		if !s.world.exists(path) {
			continue
		}
		setup := parseConfig(path, s.resolver.addresses)
		if setup.Plan == nil || len(setup.Plan.Subnets) > 0 {
			return setup, nil
		}
		s.log.Warn(fmt.Sprintf("%s declares no subnet and is left aside; name it with --config if it is meant", path))
	}
	return nil, nil
}

// derive makes the configuration for a server that has no file.
func (s *server) derive() error {
	setup, err := DeriveConfig(s.links)
	if err != nil {
		return err
	}
	s.reportDerived(setup)
	s.setup = setup
	return s.accept(setup)
}

// reportDerived prints a configuration that nobody wrote, so that everybody can
// see what is served, and save it to change it.
func (s *server) reportDerived(setup *Setup) {
	s.log.Info("no configuration file: " + setup.Source + ":\n" + strings.TrimRight(string(setup.Derived), "\n"))
}

// accept logs the warnings of a configuration and returns its errors.
func (s *server) accept(setup *Setup) error {
	if err := setup.Err(); err != nil {
		return err
	}
	for _, f := range setup.Tree.Findings {
		if f.Severity == config.Warning {
			s.log.Warn(strings.TrimRight(setup.Tree.Render(f), "\n"))
		}
	}
	return nil
}

// load reads the boot files of a setup. A root that cannot be read leaves the
// files in force that were read before; where there are none, addresses are
// given all the same, and the files follow when the root is there.
func (s *server) load(setup *Setup) error {
	previous := s.files()
	setup.Memory = s.Memory
	err := setup.loadFiles(s.Root, previous, s.world.fallback)
	if err == nil || previous != nil && previous.Len() > 0 {
		return err
	}
	setup.Files, setup.templates = image.Build(1, s.Root, nil), nil
	setup.Problems = []load.Problem{{Path: s.Root, Text: "no boot file can be served: " + reason.Of(err).Error(),
		Remedy: "make the directory and put the boot files there, or name another with --tftp-root"}}
	return nil
}

// reportFiles logs what is served and what is not.
func (s *server) reportFiles(setup *Setup) {
	for i := range setup.Files.Len() {
		f := setup.Files.File(int32(i))
		s.log.Debug(fmt.Sprintf("boot file %s: %s", f.Name, size(int64(len(f.Data)))))
	}
	s.log.Info(fmt.Sprintf("boot files: %s, %s of at most %s, from %s", plural(setup.Files.Len(), "file"),
		size(setup.Files.Bytes()), size(load.Limit(s.Memory)), setup.Files.Root))
	for _, p := range setup.Problems {
		s.log.Warn(fmt.Sprintf("%s: %s; %s", p.Path, p.Text, p.Remedy))
	}
	for _, text := range append(setup.missingByName(), setup.elsewhere(s.links)...) {
		s.log.Warn(text)
	}
	for _, f := range setup.Small() {
		s.log.Warn(strings.TrimRight(setup.Tree.Render(f), "\n"))
	}
}

// start opens the journal and the interfaces and starts the goroutines.
func (s *server) start() error {
	recovered, err := s.recover()
	if err != nil {
		return err
	}
	for _, w := range recovered.Warnings {
		s.log.Warn(fmt.Sprintf("%s: %v", s.LeaseFile, w))
	}
	s.log.Info(fmt.Sprintf("leases: %d in %s, %d of them in a pool", len(recovered.Leases), s.LeaseFile, pooled(s.setup.Plan, recovered.Leases)))
	if lead := s.first().core.Lead(); lead > 0 {
		s.log.Warn(fmt.Sprintf("the clock is %v behind the newest lease in %s: until it is set, time is counted from that lease on, "+
			"so that none ends wrongly; look at the clock (timedatectl)", time.Duration(lead)*time.Second, s.LeaseFile))
	}
	s.recallOrders()
	table := s.refill(s.setup)
	for _, w := range s.workers { // they do not run yet
		w.core.Transfers().SetRendered(table)
	}
	if err := s.open(); err != nil {
		return err
	}
	s.publish()
	s.reportLinks()
	s.resumeTransfers()
	// The observer knows the names before the first event comes.
	debug.FreeOSMemory() // what loading left behind is collected before the first frame
	s.running.Go(func() {
		defer close(s.observed)
		s.observer.run(s.cold)
	})
	s.run()
	s.running.Go(func() { watchdog(s.cold, s.pulse()) })
	return nil
}

// recover reads the leases and gives them to new workers. The tables of a large
// pool take as long to make as a large file to read: each has a processor.
func (s *server) recover() (*lease.Recovered, error) {
	prepareHeap(s.setup.Plan, s.LeaseFile)
	var hired sync.WaitGroup
	hired.Go(s.hire)
	journal, recovered, err := lease.Open(s.LeaseFile, lease.Options{FS: s.world.leases, Notify: s.journalNotice})
	hired.Wait()
	if err != nil {
		return nil, err
	}
	s.journal = journal
	for _, w := range s.workers {
		w.journal = journal
	}
	first := s.first()
	first.core.Restore(first.now(), recovered.Leases)
	return recovered, nil
}

// pooled counts the leases whose address is in a pool.
func pooled(p *plan.Plan, leases []batch.Lease) (n int) {
	for i := range leases {
		if p.RangeOf(leases[i].Addr) >= 0 {
			n++
		}
	}
	return n
}

// publish shows the present generation to the observer, and to the view.
func (s *server) publish() {
	s.observer.view.Store(&view{setup: s.setup, links: s.links})
	s.show()
}

// announce says that the server is ready.
func (s *server) announce() {
	text := s.summary()
	s.log.Info("ready: " + text)
	tellSystemd("READY=1\nSTATUS=" + text)
}

// summary describes what is served in one line.
func (s *server) summary() string {
	p := s.setup.Plan
	addresses := int64(0)
	for i := range p.Pools {
		addresses += p.Pools[i].Size
	}
	var on []string
	for i, l := range s.links {
		state := ""
		if !s.up[i] {
			state = ", down"
		}
		for _, a := range l.Addrs[:min(1, len(l.Addrs))] {
			state = " (" + cidr(a) + state + ")"
		}
		on = append(on, l.Name+state)
	}
	return fmt.Sprintf("DHCP and TFTP on %s; %s, %s in pools, %s; %s", strings.Join(on, ", "),
		plural(len(p.Subnets), "subnet"), plural(int(addresses), "address"), plural(len(p.Hosts), "host"), plural(s.setup.Files.Len(), "boot file"))
}

// journalNotice logs what the journal has to say.
func (s *server) journalNotice(n lease.Notice) {
	if n.Err != nil {
		s.log.Error(n.Err.Error() + "; " + n.Text)
		return
	}
	s.log.Info(n.Text)
}

// close gives everything back; it works from any state of preparation.
func (s *server) close() {
	signal.Stop(s.hangup)
	s.stopCold()
	// After a failure in preparation or in stop the worker may still run, and it
	// uses the sockets: it ends first.
	s.halt()
	if s.feed != nil {
		s.feed.Detach(nil)
	}
	s.running.Wait()
	for _, c := range s.sockets {
		c.Close()
	}
	for _, c := range s.reserved {
		if c != nil {
			c.Close()
		}
	}
	if s.journal != nil {
		s.journal.Close() // no effect after stop
	}
}

// coldThreads is how many goroutines beside the workers may be in a system call
// or at work at the same time: journal, observer, manager.
const coldThreads = 3

// allowThreads lets every goroutine that matters have a thread at once, even on
// one processor. Otherwise a worker that comes back from the kernel waits until
// the runtime notices that the one which has its place is in a system call: on a
// single processor that cost a storm a third of its time. An operator's GOMAXPROCS
// wins.
func allowThreads(workers int) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), workers+coldThreads))
	}
}

// files returns the boot files in force, nil before they are read.
func (s *server) files() *image.Set {
	if s.setup == nil {
		return nil
	}
	return s.setup.Files
}
