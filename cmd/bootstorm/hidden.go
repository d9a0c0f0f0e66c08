package main

import (
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bootstorm/engine"
	"bootstorm/engine/keeper"
	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// The commands here are the other processes of serve. They are hidden, since
// nobody starts them by hand.

// keeperCommand makes "bootstorm keeper".
func keeperCommand() *cobra.Command {
	var c keeper.Config
	var user, sandbox string
	cmd := &cobra.Command{
		Use:    "keeper [flags] -- COMMAND OF THE VIEW",
		Short:  "The process of serve that opens sockets and starts the view",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			c.View = args
			return keeper.Process(c)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&c.Interfaces, "interface", nil, "open sockets of this `IF`")
	flags.IntVar(&c.Files, "files", 0, "`NUMBER` of files for the view")
	flags.StringVar(&user, "user", "", "as of serve")
	flags.StringVar(&sandbox, "sandbox", "", "as of serve")
	return cmd
}

// viewNodes is how many nodes the view remembers at most.
const viewNodes = 100_000

// Memory of the view in bytes: from the first on it works harder at collecting
// garbage, at the second it ends, and is started again.
const (
	viewMemory = 256 << 20
	viewMost   = 1 << 30
)

// humble has the kernel bear down on the view rather than on the engine when
// memory is short.
func humble() {
	debug.SetMemoryLimit(viewMemory)
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: viewMost, Max: viewMost}) // to lower it is always allowed
	// More than any process of the system has unless it asks for it (proc_pid_oom_score_adj(5)).
	// Where /proc cannot be written, the limits above are what there is.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
}

// viewOptions are the flags of the view.
type viewOptions struct {
	listeners     []string
	hosts         []string
	tokenFile     string
	level, format string
	hooks         hookOptions
}

// viewCommand makes "bootstorm view".
func viewCommand() *cobra.Command {
	var o viewOptions
	cmd := &cobra.Command{
		Use:    "view",
		Short:  "The process of serve that shows what happens",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.listeners, "listeners", nil, "what the descriptors from 4 on are: http, view, control")
	flags.StringSliceVar(&o.hosts, "host", nil, "address by which the page may be opened")
	flags.StringVar(&o.tokenFile, "token-file", "", "where the page's token is")
	flags.StringVar(&o.level, "log-level", "info", "as of serve")
	flags.StringVar(&o.format, "log-format", "console", "as of serve")
	o.hooks.add(flags)
	return cmd
}

// run is the view.
func (o *viewOptions) run(cmd *cobra.Command) error {
	humble()
	log, err := engine.NewLogger(o.level, o.format, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	feed, err := net.FileConn(os.NewFile(keeper.Feed, "feed"))
	if err != nil {
		return fmt.Errorf("the view is started by \"bootstorm serve\", not by hand: %w", err)
	}
	p := view.Process{Feed: feed, Book: story.NewBook(viewNodes), Log: log,
		Options: view.Options{Hosts: o.hosts, Token: os.Getenv(tokenVariable), TokenPath: o.tokenFile}}
	for i, name := range o.listeners {
		l, err := net.FileListener(os.NewFile(uintptr(keeper.FirstFile+i), name))
		if err != nil {
			return fmt.Errorf("listener %s: %w", name, err)
		}
		switch strings.TrimSpace(name) {
		case listenHTTP:
			p.Web = l
		case listenView:
			p.Socket = l
		case listenControl:
			p.Control = l
		}
	}
	return o.hooks.run(&p, log)
}
