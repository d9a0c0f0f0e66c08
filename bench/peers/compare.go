//go:build linux

package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/ceiling"
	"bootstorm/bench/segment"
	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// Options of Compare.
type Options struct {
	Servers   []Server
	Nodes     int
	Rounds    int           // how often everything is measured, in turn
	Once      time.Duration // what took longer in the first round is not repeated; 0: everything is
	Budget    time.Duration // no repetition is begun that would not be done after this time; 0: all are
	Sequence  bench.Sequence
	Limit     time.Duration // a storm that takes longer is ended
	Dir       string        // where the servers' directories are made; on a real disk
	Daemon    string        // path of bootstorm
	Deps      string        // where tools/deps.sh unpacks packages
	Core      int           // of the servers
	LoadCore  int           // of the nodes and of perfdhcp; the caller is pinned to it already
	PlainCard bool          // the servers' interface computes no checksum and cuts no super-frame
	Perf      []PerfLoad    // perfdhcp runs against each server after the storms
	Parts     []Part        // further storms, after that
	Ceiling   bool          // bootstorm is also measured beside its socket calls alone
	Progress  io.Writer

	neighbours *neighbours
}

// Compare runs all rounds. It needs lab.Enter. What a single
// server does wrong is in its Run; an error means that the comparison itself did
// not work.
func Compare(ctx context.Context, o Options) (*Result, error) {
	if err := permitted(); err != nil {
		return nil, err
	}
	root := filepath.Join(o.Dir, "tftp")
	if err := guide.WriteRoot(root, o.Deps); err != nil {
		return nil, err
	}
	files, err := bench.ReadContents(root)
	if err != nil {
		return nil, err
	}
	o.neighbours = inheritNeighbours()
	r := &Result{Format: format, Machine: thisMachine(o), Nodes: o.Nodes, Sequence: o.Sequence.String(), Limit: o.Limit, Rounds: o.Rounds, Once: o.Once}
	plan := rounds{rounds: o.Rounds, once: o.Once, budget: o.Budget, progress: o.Progress}
	main := Part{Nodes: o.Nodes, Sequence: o.Sequence, Limit: o.Limit}
	guideFiles := func() content { return content{root, files, nil} }
	kernelFiles := sync.OnceValue(o.kernelRoot) // half a gigabyte is not held before it is needed
	for i := range o.Servers {
		plan.all = append(plan.all, o.stormWork(&o.Servers[i], &main, guideFiles, &r.Runs))
	}
	plan.all = append(plan.all, o.perfWork(r, root)...)
	for i := range o.Parts {
		part, files := &o.Parts[i], guideFiles
		if len(part.Files) > 0 {
			files = kernelFiles
		}
		for j := range part.Servers {
			plan.all = append(plan.all, o.stormWork(&part.Servers[j], part, files, &r.Parts))
		}
	}
	if o.Ceiling {
		plan.all = append(plan.all, o.ceilingWork(r))
	}
	err = plan.run(ctx)
	r.Spreads = r.spreads()
	return r, err
}

// content is a directory of boot files.
type content struct {
	root  string
	files *bench.Contents
	err   error
}

// stormWork is one storm against one server, whose run is appended to a list.
func (o *Options) stormWork(s *Server, part *Part, files func() content, to *[]Run) work {
	title := s.Title
	if part.Title != "" {
		title = part.Title + ": " + title
	}
	return work{title: title, took: usual(s, part.Nodes, part.Limit), do: func(ctx context.Context, round int) (string, error) {
		c := files()
		if c.err != nil {
			return "", c.err
		}
		run := o.storm(ctx, s, part, round, c.root, c.files)
		if ctx.Err() == nil { // what was cut short is no result
			*to = append(*to, *run)
		}
		return run.sentence(part.Nodes), nil
	}}
}

// perfWork is every load of perfdhcp against every server, and against none.
func (o *Options) perfWork(r *Result, root string) (all []work) {
	loaded := slices.Clone(o.Servers)
	if len(o.Perf) > 0 {
		loaded = append(loaded, answerer())
	}
	for i := range loaded {
		s := &loaded[i]
		for _, load := range o.Perf {
			took := perfSeconds*time.Second + 3*time.Second
			if load.Rate == 0 && !s.Ours {
				took = perfLimit / 2
			}
			all = append(all, work{title: s.Title + ", perfdhcp " + load.Name, took: took, do: func(ctx context.Context, round int) (string, error) {
				p := o.perf(ctx, s, load, round, root)
				if ctx.Err() == nil {
					r.Perf = append(r.Perf, p)
				}
				return p.sentence(), nil
			}})
		}
	}
	return all
}

// ceilingWork measures bootstorm beside its socket calls alone (package ceiling).
func (o *Options) ceilingWork(r *Result) work {
	each := ceiling.EngineOptions{Options: ceiling.Options{Rounds: ceilingRounds, Each: ceilingEach, ServerCore: o.Core, PeerCore: o.LoadCore}, Daemon: o.Daemon}
	return work{title: "bench ceiling --engine", took: 30 * time.Second, do: func(ctx context.Context, round int) (string, error) {
		each := each
		each.Dir = filepath.Join(o.Dir, fmt.Sprintf("ceiling-%d", round))
		if err := errors.Join(os.Mkdir(each.Dir, 0o777), os.Chmod(each.Dir, 0o777)); err != nil {
			return "", err
		}
		c, err := ceiling.Engine(ctx, each)
		if err != nil {
			return "the ceiling could not be measured: " + err.Error(), nil
		}
		if c.Disturbed() {
			return "bench ceiling --engine: the calls alone were slower than the daemon that makes them, so something else had their core: left out", nil
		}
		r.Ceiling = append(r.Ceiling, *c)
		return ceilingSentence(r.Ceiling[len(r.Ceiling)-1:]), nil
	}}
}

// sentence is the line that is shown when a storm has ended.
func (r *Run) sentence(nodes int) string {
	if r.Error != "" {
		return r.Title + ": " + strings.TrimSpace(r.Error)
	}
	return fmt.Sprintf("%s: %s of %s nodes in %s, %s of server CPU each", r.Title, bench.Count(r.Done), bench.Count(nodes),
		bench.Duration(r.Wall), bench.Duration(r.CPUPerNode()))
}

// world is a lab with one server and the place where the nodes stand.
type world struct {
	lab          *lab.Lab
	node0, nodes *lab.Host
	server       *running
	neighbours   *neighbours
}

// open makes the network and starts the server.
func (o *Options) open(s *Server, clients int, root, label string) (*world, error) {
	dir := filepath.Join(o.Dir, s.Name+label)
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
		return nil, err
	}
	l, err := lab.New()
	if err != nil {
		return nil, err
	}
	w := &world{lab: l, neighbours: o.neighbours}
	if w.node0, err = l.Host("n0"); err == nil {
		w.nodes, err = l.Host("nodes")
	}
	if err == nil {
		err = errors.Join(l.Join(w.node0, serverIf, w.nodes, nodesIf), w.node0.IP("addr add "+serverCIDR+" dev "+serverIf))
	}
	if err == nil && o.PlainCard {
		err = w.node0.Offload(serverIf, false, false)
	}
	if err == nil && (s.Tuned || s.Ours) { // bootstorm's installation has a sysctl file
		err = o.neighbours.raise()
	}
	if err == nil {
		w.server, err = start(w.node0, s, &Site{Dir: dir, Root: root, Clients: clients, Daemon: o.Daemon, Deps: o.Deps}, o.Core)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	if w.server != nil {
		w.server.stop()
	}
	w.lab.Close()
	w.neighbours.restore()
}

// storm is one run.
func (o *Options) storm(ctx context.Context, s *Server, part *Part, round int, root string, files *bench.Contents) *Run {
	run := &Run{Part: part.Name, Nodes: part.Nodes, Window: part.Window, Server: s.Name, Title: s.Title, Tuned: s.Tuned, Ours: s.Ours,
		Round: round, Failed: part.Nodes}
	w, err := o.open(s, part.Nodes, root, fmt.Sprintf("-%s%d", part.Name, round))
	if err == nil {
		defer w.close()
		err = run.measure(ctx, o, part, w, files)
	}
	if err != nil {
		run.Error = err.Error()
	}
	return run
}

// daemonRun is where the daemon has its sockets, by default.
const daemonRun = "/run/bootstorm/" + serverIf

// overtime is how much longer than a node's limit a storm may run: the nodes
// end themselves at the limit and say where they stood.
const overtime = 5 * time.Second

// measure boots the nodes.
func (r *Run) measure(ctx context.Context, o *Options, part *Part, w *world, files *bench.Contents) error {
	storm, err := bench.NewStorm(bench.Config{Nodes: part.Nodes, Sequence: part.Sequence, Files: part.Files, Window: part.Window, Waits: part.Waits, IPv6: part.Waits,
		First: bench.DefaultFirst, Seed: uint64(r.Round), Limit: int64(part.Limit), Tolerant: true}, files)
	if err != nil {
		return err
	}
	var conn *segment.Conn
	if err := w.nodes.Do(func() (err error) {
		conn, err = segment.Open(nodesIf)
		return err
	}); err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, part.Limit+overtime)
	defer cancel()
	heap, noHeap := bench.Heap{}, errors.New("no heap is known")
	if r.Ours {
		heap, noHeap = ReadHeap(daemonRun)
	}
	watch := newWatch(w.server, bench.NewReporter(o.Progress, r.Title))
	own, cpu, gcs := ownTime(), w.server.cpu(), w.server.collections()
	b, err := bench.Run(ctx, storm, conn, sampleInterval, watch.show)
	r.CPU, r.CPUBy, r.Load = w.server.cpu()-cpu, w.server.meters[0].source(), ownTime().Seconds()-own.Seconds()
	r.After, r.GCs = memory(w.server.pids()), w.server.collections()-gcs
	r.Memory, r.Series = watch.end(), watch.series
	if noHeap == nil {
		if h, err := HeapSince(daemonRun, heap); err == nil {
			r.Allocations, r.GCs = &h.Allocations, h.Collections
		}
	}
	if b != nil {
		r.take(b, part.Nodes)
		r.Load /= b.Wall.Seconds()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // its nodes are counted as failed
	}
	if dead := w.server.dead(); dead != "" {
		err = errors.Join(err, errors.New("the server ended during the storm: "+dead))
	}
	return err
}

// take copies what the storm reports.
func (r *Run) take(b *bench.Result, nodes int) {
	r.Done, r.Failed, r.Failures = b.Done, nodes-b.Done, b.Failures
	r.Wall, r.P50, r.P99 = b.LastNode, b.Boot.P50, b.Boot.P99
	r.Phases, r.Moved, r.Verified, r.Asked, r.Offered = b.Phases, b.FramesIn+b.FramesOut, b.Verified, b.Asked, b.Offered
	r.Repeated, r.Goodput, r.Frames, r.Drops = b.Repeated, b.Goodput, b.FramesPerBoot, b.KernelDrops
	if left := nodes - b.Done - b.Failed; left > 0 {
		r.Failures = append(r.Failures, bench.Failure{Reason: "not at an end when the storm was ended", Count: left})
		r.Wall = b.Wall
	}
}

// ownTime is the processor time of the load.
func ownTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
