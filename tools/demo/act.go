package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/engine/batch"
	"bootstorm/tools/lab"
)

// act is one storm with a server of its own.
type act struct {
	name    string // of its column
	title   string
	network network
	config  bench.Config
	result  *bench.Result
}

// guideAct is the guide as printed: four addresses, and as many nodes.
func guideAct(o *options) *act {
	return &act{name: fmt.Sprintf("4 nodes, %d times", o.rounds), network: guideNetwork,
		title:  fmt.Sprintf("1. The guide's dhcpd.conf: four nodes on its four addresses, %d boots each.", o.rounds),
		config: bench.Config{Nodes: 4, Boots: o.rounds, Pause: batch.Second / 2}}
}

// crowdAct is the same file with a wider subnet.
func crowdAct(o *options) *act {
	n := bench.Count(o.nodes)
	return &act{name: n + " nodes at once", network: crowdNetwork(o.nodes),
		title:  fmt.Sprintf("2. The same file with a wider subnet: %s nodes at once on %s addresses.", n, n),
		config: bench.Config{Nodes: o.nodes}}
}

const (
	nodeInterface = "nodes"
	startPatience = 30 * time.Second
	stopPatience  = 10 * time.Second
)

// play makes the network, starts the daemon, runs the storm and ends
// everything.
func (a *act) play(ctx context.Context, dir, root string, o *options, contents *bench.Contents) error {
	l, err := lab.New()
	if err != nil {
		return err
	}
	defer l.Close()
	// A cable between Node 0 and the nodes, without a bridge: one hop less to pay
	// for on this machine, and the same frames.
	node0, err := l.Host("n0")
	if err != nil {
		return err
	}
	nodes, err := l.Host("nodes")
	if err != nil {
		return err
	}
	if err := errors.Join(l.Join(node0, "eth1", nodes, nodeInterface), node0.IP("addr add "+a.network.cidr+" dev eth1")); err != nil {
		return err
	}
	// The same nodes in both acts; the first is the host of the guide's file.
	a.config.First, a.config.Seed = bench.DefaultFirst, 1
	a.config.Waits, a.config.IPv6, a.config.Loader = o.waits, true, bench.DefaultLoader
	server, err := a.serve(node0, dir, root, o.binary)
	if err != nil {
		return err
	}
	err = a.storm(ctx, nodes, contents)
	if err == nil { // its processor time can be read only while it lives
		a.result.CPU = processorTime(server.Pid())
		err = stop(server)
	}
	if err != nil || !a.result.OK() && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "\nThe daemon's last words:\n%s\n", tail(server.Output(), 15))
	}
	return err
}

// runDir is where a daemon's sockets are, below the demo's folder.
func runDir(dir string) string { return filepath.Join(dir, "run") }

// serve starts the daemon and waits until it is ready.
func (a *act) serve(node0 *lab.Host, dir, root, binary string) (*lab.Process, error) {
	path := filepath.Join(dir, fmt.Sprintf("dhcpd-%d.conf", a.config.Nodes))
	if err := os.WriteFile(path, []byte(a.network.config(a.config.First)), 0o644); err != nil {
		return nil, err
	}
	p, err := node0.Start(binary, "serve", "--interface", "eth1", "--config", path, "--tftp-root", root,
		"--lease-file", filepath.Join(dir, fmt.Sprintf("leases-%d", a.config.Nodes)), "--run-dir", runDir(dir), "--http", "off")
	if err != nil {
		return nil, err
	}
	if _, err := p.WaitLine("ready", startPatience); err != nil {
		return nil, fmt.Errorf("the daemon did not become ready: %w\n%s", err, p.Output())
	}
	return p, nil
}

// storm boots the nodes from their end of the segment.
func (a *act) storm(ctx context.Context, nodes *lab.Host, contents *bench.Contents) error {
	s, err := bench.NewStorm(a.config, contents)
	if err != nil {
		return err
	}
	// The socket stays in the namespace in which it was opened; the storm itself
	// runs outside.
	var conn *segment.Conn
	if err := nodes.Do(func() (err error) {
		conn, err = segment.Open(nodeInterface)
		return err
	}); err != nil {
		return err
	}
	defer conn.Close()
	r := bench.NewReporter(os.Stdout, "  ")
	a.result, err = bench.Run(ctx, s, conn, r.Interval(), r.Show)
	r.End()
	if errors.Is(err, context.Canceled) {
		return nil // said by show
	}
	return err
}

// stop ends the daemon as an operator would and insists on a clean exit.
func stop(p *lab.Process) error {
	if err := p.Signal(os.Interrupt); err != nil {
		return err
	}
	status, err := p.Wait(stopPatience)
	if err == nil && status != 0 {
		err = fmt.Errorf("the daemon ended with status %d", status)
	}
	return err
}

// processorTime is the user and system time of a process: fields 14 and 15 of
// /proc/PID/stat, in hundredths of a second (proc(5)).
func processorTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name before may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	ticks := 0
	for _, f := range fields[11:13] {
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// tick is the unit of those fields, hundredths of a second on every Linux that Go runs on (USER_HZ).
const tick = 10 * time.Millisecond

// tail is the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
