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
	"syscall"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// Options of Compare.
type Options struct {
	Servers   []Server
	Nodes     int
	Rounds    int
	Sequence  bench.Sequence
	Limit     time.Duration // a storm that takes longer is ended
	Dir       string        // where the servers' directories are made; on a real disk
	Daemon    string        // path of bootstorm
	Deps      string        // where tools/deps.sh unpacks packages
	Core      int           // of the servers
	LoadCore  int           // of the nodes and of perfdhcp; the caller is pinned to it already
	PlainCard bool          // the servers' interface computes no checksum and cuts no super-frame
	Perf      []PerfLoad    // perfdhcp runs against each server after the storms
	Parts     []Part        // further storms, once each, after that
	Progress  io.Writer

	neighbours *neighbours
}

// Compare runs all rounds, and then perfdhcp. It needs lab.Enter. What a single
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
	r := &Result{Machine: thisMachine(o), Nodes: o.Nodes, Sequence: o.Sequence.String(), Limit: o.Limit, Rounds: o.Rounds}
	main := Part{Nodes: o.Nodes, Sequence: o.Sequence, Limit: o.Limit}
	for round := 1; round <= o.Rounds; round++ {
		for i := range o.Servers {
			run := o.storm(ctx, &o.Servers[i], &main, round, root, files)
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			r.Runs = append(r.Runs, *run)
			fmt.Fprintf(o.Progress, "  %s\n", run.sentence(o.Nodes))
		}
	}
	loaded := slices.Clone(o.Servers)
	if len(o.Perf) > 0 {
		loaded = append(loaded, answerer())
	}
	for i := range loaded {
		for _, load := range o.Perf {
			p := o.perf(ctx, &loaded[i], load, root)
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			r.Perf = append(r.Perf, p)
			fmt.Fprintf(o.Progress, "  %s\n", p.sentence())
		}
	}
	return r, o.parts(ctx, r, root, files)
}

// parts runs the further storms.
func (o *Options) parts(ctx context.Context, r *Result, root string, files *bench.Contents) error {
	for i := range o.Parts {
		part := &o.Parts[i]
		root, files := root, files
		if len(part.Files) > 0 {
			var err error
			if root, files, err = o.kernelRoot(); err != nil {
				return err
			}
		}
		for j := range part.Servers {
			run := o.storm(ctx, &part.Servers[j], part, 1, root, files)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Parts = append(r.Parts, *run)
			fmt.Fprintf(o.Progress, "  %s: %s\n", part.Title, run.sentence(part.Nodes))
		}
	}
	return nil
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

// overtime is how much longer than a node's limit a storm may run: the nodes
// end themselves at the limit and say where they stood.
const overtime = 5 * time.Second

// measure boots the nodes.
func (r *Run) measure(ctx context.Context, o *Options, part *Part, w *world, files *bench.Contents) error {
	storm, err := bench.NewStorm(bench.Config{Nodes: part.Nodes, Sequence: part.Sequence, Files: part.Files, Window: part.Window, Waits: part.Waits, IPv6Wait: part.IPv6Wait,
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
	watch := newWatch(w.server, bench.NewReporter(o.Progress, r.Title))
	own, cpu, gcs := ownTime(), w.server.cpu(), w.server.collections()
	b, err := bench.Run(ctx, storm, conn, sampleInterval, watch.show)
	r.CPU, r.CPUBy, r.Load = w.server.cpu()-cpu, w.server.meters[0].source(), ownTime().Seconds()-own.Seconds()
	r.After, r.GCs = memory(w.server.pids()), w.server.collections()-gcs
	r.Memory, r.Series = watch.end(), watch.series
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
