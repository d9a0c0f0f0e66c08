package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"bootstorm/cmd/release"
	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/batch"
	"bootstorm/engine/link"
)

// files are the flags that several commands share.
type files struct {
	config, root, leases string
}

// add defines the flags on a command.
func (f *files) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "configuration `FILE` (default: "+engine.DefaultFiles[0]+", else "+engine.DefaultFiles[1]+")")
	c.Flags().StringVar(&f.root, "tftp-root", engine.DefaultRoot, "`DIR` of the boot files")
	c.MarkFlagFilename("config", "conf")
	c.MarkFlagDirname("tftp-root")
}

// addLeases defines the flag of the lease file, which means something else to
// each command.
func (f *files) addLeases(c *cobra.Command, text string) {
	c.Flags().StringVar(&f.leases, "lease-file", engine.DefaultLeaseFile, text)
	c.MarkFlagFilename("lease-file", "leases")
}

// serveCommand makes "bootstorm serve".
func serveCommand() *cobra.Command {
	o := serveOptions{Config: engine.Config{Version: release.Version(version)}}
	cmd := &cobra.Command{
		Use:   "serve --interface IF [--interface IF]...",
		Short: "Serve DHCP and TFTP on one or more interfaces",
		Long: `serve answers DHCP, BOOTP, PXE and TFTP on the named interfaces until it gets
SIGTERM or SIGINT.

Without a configuration file it does the guide's job by itself: subnet, server
address and pool come from the interface, the boot chain follows the client's
architecture, refind.pxe and refind.conf are built in, and ipxe.efi, ipxe32.efi
and refind_x64.efi come from the TFTP root or from Debian's packages ipxe and
refind. It prints what it derived.

What happens is shown by a process of its own, without privileges, that the
server does not wait for: a page on http://127.0.0.1:8067/ (--http), bootstorm
status and watch, and one line in the log for each node that has booted or is
stuck. With --view off there is no such process, and the log tells every step.

SIGHUP reads configuration and boot files again; with an error in them the old
ones stay in force. Boot files that change on disk are read again by themselves.

It needs CAP_NET_RAW and CAP_NET_BIND_SERVICE (root has both) and write access
to the directory of the lease file. What else it is given it gives up: root for
the user bootstorm, where there is one, and all files and system calls that it
does not need. The log says what.`,
		Example: `  # the guide: one aggregated link, its dhcpd.conf, files in /srv/tftp
  bootstorm serve --interface bond0

  # no configuration at all: derived from the interface's address
  bootstorm serve --interface eth1 --tftp-root /srv/tftp

  # as a service of your own, with logs for a collector
  bootstorm serve --interface eth1 --log-format json --lease-file /var/lib/bootstorm/dhcpd.leases

  # change the configuration, test it, and bring it into force
  bootstorm check && systemctl reload bootstorm@bond0`,
		Args: usage.None("--interface %s"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.serve(cmd) },
	}
	o.add(cmd)
	addRungs(cmd, &o.Config)
	completeServe(cmd)
	return cmd
}

// serveOptions are the flags of serve as they are typed.
type serveOptions struct {
	engine.Config
	files         files
	level, format string // of the log
	memory        int64  // MiB
	http, runDir  string
	view          string // on or off
	capture       int64  // MiB
	hooks         hookOptions
}

// add defines the flags.
func (o *serveOptions) add(cmd *cobra.Command) {
	o.files.add(cmd)
	o.files.addLeases(cmd, "`FILE` to keep the leases in, as dhcpd.leases(5)")
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Interfaces, "interface", "i", nil, "serve on this `IF`; repeat the flag for more")
	flags.StringVar(&o.level, "log-level", "info", "log `LEVEL`: debug, info, warn or error")
	flags.StringVar(&o.format, "log-format", "console", "log `FORMAT`: console (sentences) or json (one object per line)")
	flags.IntVar(&o.WindowMax, "tftp-windowsize", batch.MaxSegments, "most `BLOCKS` that a client may ask for at a time (RFC 7440), 1 to 64")
	flags.IntVar(&o.Workers, "workers", 1, "`NUMBER` of processors that may serve TFTP; worth it where one is too slow for the link")
	flags.Int64Var(&o.memory, "tftp-memory", 0, "most memory for boot files in `MIB` (default: half of the machine's)")
	flags.DurationVar(&o.ViewPatience, "view-patience", engine.DefaultViewPatience, "end a view that gives no sign of life for this `TIME`, and start another")
	flags.MarkHidden("view-patience") // for tests
	flags.StringVar(&o.view, "view", "on", "show what happens to page, status and watch, from a process of its own, `MODE`: on or off")
	flags.StringVar(&o.http, "http", defaultHTTP, "serve the page on this `ADDRESS`:PORT, or off; who can reach it may look")
	o.hooks.add(flags)
	flags.StringVar(&o.runDir, "run-dir", "", "`DIR` of the sockets for status, watch and boot (default: "+runRoot+"/ and the first interface)")
	flags.Int64Var(&o.capture, "capture-memory", 16, "remember the last frames, without file contents, in `MIB` of memory for bootstorm capture: one half for DHCP and all requests, the other for DATA and ACK; 0: none")
	flags.StringVar(&o.User, "user", "", "become `USER` when root starts it (default: bootstorm, where that user exists)")
	flags.StringVar(&o.Sandbox, "sandbox", engine.SandboxOn, "give up privileges, `MODE`: on, off, or strict (what cannot be given up is an error)")
}

// serve runs the server until a signal ends it.
func (o *serveOptions) serve(cmd *cobra.Command) error {
	if len(o.Interfaces) == 0 {
		return usageError{fmt.Errorf("name the interface to serve on: --interface IF; this machine has %s", interfaces())}
	}
	log, err := engine.NewLogger(o.level, o.format, cmd.ErrOrStderr())
	if err != nil {
		return usageError{err}
	}
	if err := o.check(); err != nil {
		return usageError{err}
	}
	c := o.Config
	if c.Sandbox == "off" {
		c.Sandbox = engine.SandboxOff
	}
	c.Log, c.File, c.Root, c.LeaseFile, c.Memory = log, o.files.config, o.files.root, o.files.leases, o.memory<<20
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// A second signal ends the process at once: the default action is back when
	// the first has come.
	context.AfterFunc(ctx, stop)
	if text := os.Getenv(againVariable); text != "" {
		if c.Keeper, err = o.takeOver(text); err == nil {
			c.Link.Opener = c.Keeper
		}
	} else {
		if err = portsFree(o.Interfaces); err == nil {
			c.Keeper, err = o.startKeeper(log)
		}
	}
	if err != nil {
		return err
	}
	if c.Keeper != nil {
		defer c.Keeper.Close()
	}
	c.Captures, c.Explain, c.View = o.Captures, explainNode, o.view != off
	return engine.Serve(ctx, c)
}

// portsFree fails where another server has the ports: before anything is started,
// and while this process may see which one it is.
func portsFree(interfaces []string) error {
	for _, name := range interfaces {
		if err := link.Free(name); err != nil {
			return err
		}
	}
	return nil
}

// addRungs defines the hidden flags that force a rung of the socket ladder.
func addRungs(cmd *cobra.Command, c *engine.Config) {
	flags := cmd.Flags()
	// For tests and for bug reports: each way of moving frames can be forced,
	// instead of the best that the kernel has.
	flags.StringVar(&c.Link.RX, "rx", "", "force a way of receiving: mmsg or single")
	flags.StringVar(&c.Link.TX, "tx", "", "force a way of sending: gso, csum, mmsg or single")
	flags.MarkHidden("rx")
	flags.MarkHidden("tx")
}

// completeServe says how values of serve's flags are completed.
func completeServe(cmd *cobra.Command) {
	cmd.RegisterFlagCompletionFunc("interface", completeInterfaces)
	cmd.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"console", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// maxWorkers is far beyond what links of today need.
const maxWorkers = 16

// maxCapture is the largest memory for captured frames in MiB: each page is taken
// at start, and whoever saves them copies them first, in a process whose memory
// is limited.
const maxCapture = 128

// check tells what is wrong with the values of the flags.
func (o *serveOptions) check() error {
	switch {
	case o.WindowMax < 1 || o.WindowMax > batch.MaxSegments:
		return fmt.Errorf("--tftp-windowsize %d: a window has 1 to %d blocks; 1 is TFTP without windows", o.WindowMax, batch.MaxSegments)
	case o.Workers < 1 || o.Workers > maxWorkers:
		return fmt.Errorf("--workers %d: 1 to %d", o.Workers, maxWorkers)
	case o.memory < 0 || o.memory > 1<<30:
		return fmt.Errorf("--tftp-memory %d: give the memory in MiB, 0 for half of the machine's", o.memory)
	case o.capture < 0 || o.capture > maxCapture:
		return fmt.Errorf("--capture-memory %d: give the memory in MiB, 0 to %d", o.capture, maxCapture)
	case o.Sandbox != "off" && o.Sandbox != engine.SandboxOn && o.Sandbox != engine.SandboxStrict:
		return fmt.Errorf("--sandbox %s: on, off or strict", o.Sandbox)
	}
	return o.checkView()
}

// interfaceNames lists the interfaces that can be served on.
func interfaceNames() (names []string) {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback == 0 && len(i.HardwareAddr) == 6 {
			names = append(names, i.Name)
		}
	}
	slices.Sort(names)
	return names
}

// interfaces is interfaceNames in words.
func interfaces() string {
	if names := interfaceNames(); names != nil {
		return fmt.Sprint(names)
	}
	return "no Ethernet interface"
}

// completeInterfaces completes names of interfaces on the command line.
func completeInterfaces(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return interfaceNames(), cobra.ShellCompDirectiveNoFileComp
}
