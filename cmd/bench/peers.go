package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"bootstorm/bench"
	"bootstorm/bench/peers"
	"bootstorm/cmd/usage"
	"bootstorm/tools/lab"
)

// peersOptions are the flags of bench peers.
type peersOptions struct {
	nodes    int
	rounds   int
	sequence string
	limit    time.Duration
	servers  []string
	plain    bool
	perf     bool
	daemon   string
	deps     string
	dir      string
	core     int
	loadCore int
	nice     int
	parts    bool
	once     time.Duration
	budget   time.Duration
	out      string
	readme   string
	from     string
	json     string
	markdown string
	picture  string
}

const peersHelp = `peers boots the same nodes against bootstorm, dnsmasq, dhcpd + tftpd-hpa and Kea + atftpd, one
after the other, the peers as installed and tuned. Each server has a network namespace and a core of its own, the
nodes another core; every byte is compared. Nodes do not wait on their own account, but keep their timers for what is
lost. Nothing outside of the namespaces is touched, but for one limit that only the whole machine has: the size of its
ARP table (net.ipv4.neigh.default.gc_thresh1 to 3) is raised while a tuned server or bootstorm runs, whose
installation does so, and put back.

--out DIR measures everything: after the storms perfdhcp of Kea, a load that is not ours, against each server; then
the same storm with the pauses that clients make by themselves, leases and boots of ten times as many nodes by bootstorm,
a kernel and an initrd of 300 MB with windows, and bootstorm beside its socket calls alone. It writes peers.json, peers.md
and peers.svg, and takes 20 minutes with one round. --from reads a peers.json instead of measuring.

A single figure of a machine that does other work as well is now and then far off. --rounds 3 measures everything three
times, in turn, and shows medians with the lowest and the highest; --once-above 20s leaves what takes longer at one time,
and --budget 28m begins nothing again that would not be done by then. How long it will take is said at the start and after
each measurement.

It needs root, two cores and, for the peers, Debian's packages: tools/deps.sh peers gets them, and is run if one is
missing.

Exit status: 0 it was measured, and bootstorm booted every node; 1 bootstorm did not; 2 it could not be measured.`

func peersCommand() *cobra.Command {
	o := new(peersOptions)
	c := &cobra.Command{
		Use:   "peers",
		Short: "Storm bootstorm and the servers it replaces, side by side",
		Long:  peersHelp,
		Example: "  bench peers --nodes 300\n" +
			"  bench peers --out bench/results --readme README.md\n" +
			"  bench peers --servers bootstorm,dnsmasq-tuned --rounds 5\n" +
			"  bench peers --out bench/results --rounds 3 --once-above 20s --budget 28m",
		Args: usage.None(""),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := c.Flags()
	f.IntVar(&o.nodes, "nodes", 1000, "`NUMBER` of nodes")
	f.IntVar(&o.rounds, "rounds", 1, "`NUMBER` of times that everything is measured, in turn; the median is shown, and the lowest and the highest")
	f.DurationVar(&o.once, "once-above", 0, "what takes longer than this `TIME` in the first round is not repeated (default: everything is)")
	f.DurationVar(&o.budget, "budget", 0, "no repetition is begun that would not be done by this `TIME` (default: all are)")
	f.StringVar(&o.sequence, "sequence", "guide", "what a boot is, its `NAME`: guide, firmware, dora")
	f.DurationVar(&o.limit, "limit", 100*time.Second, "a storm that takes longer than this `TIME` is ended")
	f.StringSliceVar(&o.servers, "servers", nil, "only these, by `NAME`: bootstorm, dnsmasq, dhcpd, kea and the last three with -tuned (default all)")
	f.BoolVar(&o.plain, "plain-card", false, "no offload on the servers' interface: what a card would do, their core does")
	f.BoolVar(&o.perf, "perfdhcp", false, "also load the DHCP servers with perfdhcp of Kea")
	f.BoolVar(&o.parts, "parts", false, "also the clients' own pauses, leases and boots of ten times as many nodes, 300 MB with windows, and bench ceiling --engine")
	f.StringVar(&o.out, "out", "", "measure everything and write peers.json, peers.md and peers.svg into this `DIR`")
	f.StringVar(&o.readme, "readme", "", "put the tables, and the picture if there is one, between the marks of this `FILE`, too")
	f.StringVar(&o.from, "from", "", "measure nothing, write what this JSON `FILE` holds")
	f.StringVar(&o.daemon, "bootstorm", "build/bootstorm", "the `PROGRAM` of the daemon")
	f.StringVar(&o.deps, "deps", "build/deps", "`DIR` where tools/deps.sh unpacks packages")
	f.StringVar(&o.dir, "dir", "build", "`DIR` where the servers' files go while it runs; must be on a real disk")
	f.IntVar(&o.core, "server-core", 0, "`CORE` of the servers")
	f.IntVar(&o.loadCore, "load-core", 1, "`CORE` of the nodes")
	niceFlag(f, &o.nice)
	f.StringVar(&o.json, "json", "", "write everything as JSON to this `FILE`")
	f.StringVar(&o.markdown, "markdown", "", "write the tables to this `FILE`, for a README")
	f.StringVar(&o.picture, "svg", "", "write a picture of the nodes done over time to this `FILE`")
	return c
}

// answerCommand makes "bench answer".
func answerCommand() *cobra.Command {
	return &cobra.Command{Use: "answer", Short: "Stands for a DHCP server when perfdhcp itself is measured", Hidden: true, Args: usage.None(""),
		RunE: func(*cobra.Command, []string) error { return peers.Answer() }}
}

// run prepares, enters the private world, which runs this function again in
// there, and compares.
func (o *peersOptions) run(cmd *cobra.Command) error {
	if o.out != "" {
		if err := o.all(); err != nil {
			return err
		}
	}
	if o.from != "" {
		return o.again(cmd)
	}
	settings, err := o.settings(cmd)
	if err != nil {
		return err
	}
	if err := o.pin(); err != nil {
		return err
	}
	peers.OpenNeighbourLimits()
	if err := private(o.nice); err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	if settings.Dir, err = os.MkdirTemp(o.dir, "peers-"); err != nil {
		return err
	}
	defer os.RemoveAll(settings.Dir)
	if settings.Dir, err = filepath.Abs(settings.Dir); err == nil {
		err = os.Chmod(settings.Dir, 0o755)
	}
	if err != nil {
		return err
	}
	r, err := peers.Compare(ctx, settings)
	if err != nil && r != nil && len(r.Runs) > 0 {
		r.WriteTable(cmd.OutOrStdout()) // what there is; the files keep the last whole measurement
		return err
	}
	if err == nil {
		err = o.report(cmd, r)
	}
	return err
}

// all is what --out stands for.
func (o *peersOptions) all() error {
	o.perf, o.parts = true, true
	for _, f := range []struct {
		to  *string
		end string
	}{{&o.json, "json"}, {&o.markdown, "md"}, {&o.picture, "svg"}} {
		if *f.to == "" {
			*f.to = filepath.Join(o.out, "peers."+f.end)
		}
	}
	return os.MkdirAll(o.out, 0o755)
}

// again reports what was measured earlier.
func (o *peersOptions) again(cmd *cobra.Command) error {
	text, err := os.ReadFile(o.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	r, err := peers.Read(text)
	if err != nil {
		return fmt.Errorf("--from %s: %w", o.from, err)
	}
	return o.report(cmd, r)
}

// settings checks the flags and what must be installed.
func (o *peersOptions) settings(cmd *cobra.Command) (s peers.Options, err error) {
	s = peers.Options{Nodes: o.nodes, Rounds: o.rounds, Once: o.once, Budget: o.budget, Limit: o.limit, Core: o.core, LoadCore: o.loadCore, PlainCard: o.plain, Progress: cmd.ErrOrStderr()}
	if s.Sequence, err = bench.ParseSequence(o.sequence); err != nil {
		return s, err
	}
	if o.nodes < 1 || o.nodes > peers.MaxNodes || o.rounds < 1 {
		return s, fmt.Errorf("between 1 and %d nodes and at least one round are possible", peers.MaxNodes)
	}
	if o.once < 0 || o.budget < 0 {
		return s, errors.New("--once-above and --budget are times: 20s, 28m")
	}
	if s.Servers, err = peers.Select(o.servers); err != nil {
		return s, fmt.Errorf("--servers: %w", err)
	}
	if o.perf {
		s.Perf = peers.PerfLoads()
	}
	if o.parts {
		s.Parts = peers.Parts(s.Servers, o.nodes)
		s.Ceiling = slices.ContainsFunc(s.Servers, func(s peers.Server) bool { return s.Ours })
	}
	if s.Deps, err = filepath.Abs(o.deps); err != nil {
		return s, err
	}
	if s.Daemon, err = filepath.Abs(o.daemon); err != nil {
		return s, err
	}
	if _, err := os.Stat(s.Daemon); err != nil {
		return s, fmt.Errorf("--bootstorm: %w: make build", err)
	}
	return s, o.install(cmd.Context(), &s)
}

// install gets the packages of the servers that are compared.
func (o *peersOptions) install(ctx context.Context, s *peers.Options) error {
	missing := func() []string { return peers.Missing(s.Servers, s.Perf, s.Deps) }
	if len(missing()) == 0 || lab.Inside() {
		return nil
	}
	const script = "tools/deps.sh"
	c := exec.CommandContext(ctx, script, "peers")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s are not installed, and %s peers: %w", strings.Join(missing(), ", "), script, err)
	}
	if m := missing(); len(m) > 0 {
		return fmt.Errorf("%s are not installed", strings.Join(m, ", "))
	}
	return nil
}

// pin keeps this thread, and what it starts, on the core of the load. The
// server's core is tried first: it must exist as well.
func (o *peersOptions) pin() error {
	if o.core == o.loadCore {
		return errors.New("the server and the nodes need a core each")
	}
	runtime.LockOSThread()
	for _, core := range []int{o.core, o.loadCore} {
		var set unix.CPUSet
		set.Set(core)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return fmt.Errorf("core %d: %w", core, err)
		}
	}
	return nil
}

// niceFlag is for measurements beside other work.
func niceFlag(f *pflag.FlagSet, nice *int) {
	f.IntVar(nice, "nice", 0, "`PRIORITY` of all that is measured, -20 to 19: -20 on a machine that does other work as well, which then waits")
}

// report writes everything that was asked for.
func (o *peersOptions) report(cmd *cobra.Command, r *peers.Result) error {
	r.WriteTable(cmd.OutOrStdout())
	text, err := json.MarshalIndent(r, "", " ")
	for _, f := range []struct {
		flag, name string
		text       func() []byte
	}{
		{"--json", o.json, func() []byte { return append(text, '\n') }},
		{"--markdown", o.markdown, r.Markdown},
		{"--svg", o.picture, r.Picture},
	} {
		if f.name == "" {
			continue
		}
		if e := os.WriteFile(f.name, f.text(), 0o644); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", f.flag, e))
		}
	}
	if o.readme != "" {
		picture := o.picture
		if rel, e := filepath.Rel(filepath.Dir(o.readme), picture); e == nil && picture != "" {
			picture = rel
		}
		if e := intoReadme(o.readme, r.Readme(picture)); e != nil {
			err = errors.Join(err, fmt.Errorf("--readme %s: %w", o.readme, e))
		}
	}
	if err == nil && slices.ContainsFunc(r.Runs, func(r peers.Run) bool { return r.Ours && !r.Complete() }) {
		err = errDifferent
	}
	return err
}

// intoReadme puts the tables where a document shows them.
func intoReadme(name string, tables []byte) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if text, err = peers.PutBlock(text, tables); err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}
