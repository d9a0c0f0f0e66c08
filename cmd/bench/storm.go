package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/peers"
	"bootstorm/bench/segment"
	"bootstorm/cmd/usage"
	"bootstorm/proto"

	"github.com/spf13/cobra"
)

// stormOptions are the flags of bench storm.
type stormOptions struct {
	config   bench.Config
	sequence string
	clients  string
	prefix   string
	ramp     time.Duration
	pause    time.Duration
	limit    time.Duration
	renew    time.Duration
	cut      time.Duration
	late     time.Duration
	delay    time.Duration
	jitter   time.Duration

	ifname string
	yes    bool
	pid    int
	runDir string
	root   string
	out    string
	svg    string
	quiet  bool
	sim    simulationOptions
}

// stormHelp is the long text of the command.
const stormHelp = `storm boots simulated nodes: UEFI firmware, iPXE and Linux DHCP clients that send
what the real ones send and keep their timers. Every byte they receive is compared with
the files below --tftp-root, every DHCP reply with what its client needs, every address
with who else holds it.

A node is one of --clients, and a boot is a --sequence:
  edk2      UEFI firmware, which collects offers, probes for the size, reads with windowsize 4
  rom       PXE ROM of a BIOS network card: blksize 1456, block by block
  grub      GRUB, loaded by edk2: blksize 1024, never repeats an ACK
  uboot     U-Boot: blksize 1468, with --windowsize if it is more than 1
  guide     the firmware's boot file; if that is iPXE (edk2, rom) its DHCP, its script and what
            that fetches; else (grub, uboot) --files
  firmware  the firmware's DHCP and boot file        dora    the firmware's DHCP alone
  kernel    the firmware's DHCP, then --files by the boot loader: GRUB, U-Boot, or one that
            reads in order with blksize 1468 and --windowsize
  linux     a Linux system's DHCP and its renewal    full    guide, then linux

With --interface it storms the server that is on that segment, over real frames
(needs CAP_NET_RAW; the interface needs no address). If that is no virtual cable, it
warns and asks for --yes; bench/REHEARSAL.md says how to rehearse a storm on a segment in use. With --virtual it storms
bootstorm's core with --config in this process, in virtual time: the same --seed gives
the same result.

Exit status: 0 every boot went well; 1 some did not; 2 the storm could not be run.`

// stormCommand is bench storm.
func stormCommand() *cobra.Command {
	o := new(stormOptions)
	c := &cobra.Command{
		Use:   "storm {--interface IF | --virtual --config FILE} --tftp-root DIR",
		Short: "Boot simulated nodes and check everything they get",
		Long:  stormHelp,
		Example: "  bench storm --interface veth1 --tftp-root /srv/tftp --nodes 300\n" +
			"  bench storm --virtual --config dhcpd.conf --tftp-root /srv/tftp --nodes 1000 --loss 0.01 --seed 7\n" +
			"  bench storm --interface veth1 --sequence kernel --files vmlinuz,initrd.img --windowsize 16",
		Args: usage.None("--interface %s"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.flags(c)
	return c
}

// flags declares the flags; names and words are those of package bench.
func (o *stormOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.ifname, "interface", "", "storm the server on the segment of the interface `IF`")
	f.BoolVar(&o.yes, "yes", false, "storm an interface that is no virtual cable (veth), where other machines may be")
	f.IntVar(&o.pid, "server-pid", 0, "with --interface: report processor time and memory of the process `PID`, the server on this machine")
	f.StringVar(&o.runDir, "server-run-dir", "", "with --server-pid: `DIR` of the server's sockets, /run/bootstorm/IF; reports what it allocated, too")
	f.StringVar(&o.root, "tftp-root", "/srv/tftp", "`DIR` with what the files must hold")
	f.IntVar(&o.config.Nodes, "nodes", 100, "`NUMBER` of nodes")
	f.IntVar(&o.config.Boots, "boots", 1, "`NUMBER` of boots of each node, one after the other")
	f.StringVar(&o.sequence, "sequence", "guide", "what a boot is, its `NAME`: guide, firmware, dora, linux, full, kernel")
	f.StringVar(&o.clients, "clients", "edk2", "`KINDS` of nodes and their shares: edk2=70,rom=10,grub=10,uboot=10")
	f.StringSliceVar(&o.config.Files, "files", nil, "`FILES` that boot loaders read, below --tftp-root: kernel,initrd")
	f.IntVar(&o.config.Window, "windowsize", 1, "TFTP window (RFC 7440) of so many `BLOCKS` that boot loaders ask for: 16, 64")
	f.BoolVar(&o.config.Waits, "waits", false, "keep the pauses that clients make by themselves (a guide's boot then takes 25 s)")
	f.BoolVar(&o.config.IPv6, "ipv6", true, "with --waits: iPXE under UEFI asks for an IPv6 router, 15.75 s long (--fresh-ipxe: 3.875 s), unless an advertisement says that there is none")
	f.DurationVar(&o.ramp, "ramp", 0, "switch the nodes on evenly over this `TIME`")
	f.DurationVar(&o.pause, "pause", time.Second, "`TIME` between the boots of a node")
	f.DurationVar(&o.limit, "limit", 15*time.Minute, "a boot that takes longer than this `TIME` has failed")
	f.DurationVar(&o.renew, "renew", time.Second, "`TIME` from a Linux client's ACK to its renewal; 0: half of the lease")
	f.Float64Var(&o.config.Cut, "cut", 0, "`SHARE` of boots, 0 to 1, that lose power within --cut-within and begin again")
	f.DurationVar(&o.cut, "cut-within", 2*time.Second, "`TIME` after power-on within which the power may go")
	f.BoolVar(&o.config.Fresh, "fresh-ipxe", false, "behave like iPXE 2.0: new ports and identifiers on each boot, broadcast flag, autoexec.ipxe")
	f.StringVar(&o.prefix, "mac", "52:54:00:00:00:01", "hardware address `MAC` of the first node; the others follow")
	f.Uint64Var(&o.config.Seed, "seed", 1, "`NUMBER` that decides everything random")
	f.Float64Var(&o.config.Link.Loss, "loss", 0, "`SHARE` of frames lost, 0 to 1, in each direction")
	f.Float64Var(&o.config.Link.Duplicate, "duplicate", 0, "`SHARE` of frames that arrive twice")
	f.Float64Var(&o.config.Link.Reorder, "reorder", 0, "`SHARE` of frames that are held back by --late")
	f.Float64Var(&o.config.Link.Corrupt, "corrupt", 0, "`SHARE` of frames with one bit turned over; checksums find them, but ARP has none")
	f.DurationVar(&o.late, "late", time.Millisecond, "`TIME` that reordered frames are held back")
	f.DurationVar(&o.delay, "delay", 0, "`TIME` that every frame is delayed")
	f.DurationVar(&o.jitter, "jitter", 0, "up to this `TIME` is added to the delay")
	f.StringVar(&o.out, "json", "", "write the result as JSON to this `FILE`, - for standard output")
	f.StringVar(&o.svg, "svg", "", "draw where the nodes were over time, and how long boots took, into this `FILE`")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	o.sim.flags(f)
	usage.Exclusive(c, true, "interface", "virtual")
}

// settle turns the flags into a Config.
func (o *stormOptions) settle() (err error) {
	c := &o.config
	if c.Boots < 1 || o.limit <= 0 {
		return errors.New("--boots and --limit: one boot at least, and some time for each")
	}
	if c.Sequence, err = bench.ParseSequence(o.sequence); err != nil {
		return err
	}
	if c.Clients, err = bench.ParseMix(o.clients); err != nil {
		return fmt.Errorf("--clients: %w", err)
	}
	mac, err := net.ParseMAC(o.prefix)
	if err != nil || len(mac) != 6 {
		return fmt.Errorf("--mac: %q is not an Ethernet address", o.prefix)
	}
	c.First = proto.MAC(mac)
	c.Ramp, c.Pause, c.Limit, c.Renew = int64(o.ramp), int64(o.pause), int64(o.limit), int64(o.renew)
	c.CutWithin = int64(o.cut)
	c.Loader = bench.DefaultLoader
	c.Link.Late, c.Link.Delay, c.Link.Jitter = int64(o.late), int64(o.delay), int64(o.jitter)
	return nil
}

// writable makes the files of the result before the storm that it is about, which
// would else be lost to a mistyped path.
func (o *stormOptions) writable() error {
	for flag, name := range map[string]string{"--json": o.out, "--svg": o.svg} {
		if name == "" || name == "-" {
			continue
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		f.Close()
	}
	return nil
}

// run is the command: the storm, then its report, even if it was interrupted.
func (o *stormOptions) run(cmd *cobra.Command) error {
	if err := o.settle(); err != nil {
		return err
	}
	if err := o.writable(); err != nil {
		return err
	}
	files, err := bench.ReadContents(o.root)
	if err != nil {
		return fmt.Errorf("--tftp-root: %w", err)
	}
	s, err := bench.NewStorm(o.config, files)
	if err != nil {
		return err
	}
	// Progress goes to standard error, so that --json - leaves standard output
	// to the result.
	show := bench.NewReporter(cmd.ErrOrStderr(), "storm")
	callback := show.Show
	if o.quiet {
		callback = nil
	}
	var r *bench.Result
	if o.sim.virtual {
		r, err = o.sim.run(s, o.root, show.Interval(), callback)
	} else {
		r, err = o.overInterface(cmd, s, show.Interval(), callback)
	}
	show.End()
	if r != nil {
		err = errors.Join(err, o.report(cmd.OutOrStdout(), r))
	}
	return err
}

// overInterface runs the storm on real frames until it is done or interrupted.
func (o *stormOptions) overInterface(cmd *cobra.Command, s *bench.Storm, every time.Duration, show func(bench.Progress)) (*bench.Result, error) {
	warning, err := cautionFor(o.ifname, &o.config)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(cmd.ErrOrStderr(), warning)
	if warning != "" && !o.yes { // no question: most storms are started where nobody could answer it
		return nil, errors.New("nothing was sent; --yes if that is what you want")
	}
	conn, err := segment.Open(o.ifname)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("--interface %s: only root, or a process with CAP_NET_RAW, may send frames: try again with sudo", o.ifname)
		}
		return nil, fmt.Errorf("--interface %s: %w", o.ifname, err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := o.observed(func() (*bench.Result, error) { return bench.Run(ctx, s, conn, every, show) })
	return r, errors.Join(err, conn.Close())
}

// observed runs a storm and watches the server, if it was told which process
// that is.
func (o *stormOptions) observed(run func() (*bench.Result, error)) (*bench.Result, error) {
	if o.pid == 0 {
		return run()
	}
	server, err := peers.Observe(o.pid)
	if err != nil {
		return nil, fmt.Errorf("--server-pid: %w", err)
	}
	var heap bench.Heap
	if o.runDir != "" {
		if heap, err = peers.ReadHeap(o.runDir); err != nil {
			return nil, fmt.Errorf("--server-run-dir: %w", err)
		}
	}
	r, err := run()
	cpu, memory := server.End()
	if r != nil {
		r.CPU, r.Memory = cpu, memory
		if o.runDir != "" {
			h, e := peers.HeapSince(o.runDir, heap)
			r.Heap, err = &h, errors.Join(err, e)
		}
	}
	return r, err
}

// report writes the result; one that is not perfect is errDifferent.
func (o *stormOptions) report(w io.Writer, r *bench.Result) error {
	if o.out != "-" {
		r.WriteTable(w, fmt.Sprintf("%s nodes, %s", bench.Count(r.Nodes), r.Sequence))
	}
	if o.out != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if o.out == "-" {
			_, err = w.Write(text)
		} else {
			err = os.WriteFile(o.out, text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("--json: %w", err)
		}
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, r.Picture(), 0o644); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if !r.OK() {
		return errDifferent
	}
	return nil
}
