package main

import (
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/capture"
	"bootstorm/engine/keeper"
	"bootstorm/engine/sandbox"
	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// The commands here are the other processes of serve. They are hidden, since
// nobody starts them by hand.

// keeperCommand makes "bootstorm keeper".
func keeperCommand() *cobra.Command {
	var c keeper.Config
	var user, mode string
	cmd := &cobra.Command{
		Use:    "keeper [flags] -- COMMAND OF THE VIEW",
		Short:  "The process of serve that opens sockets and starts the view",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			beside(keeperName)
			c.View = args
			if sandboxed(mode) {
				c.Confine = func() ([]string, error) {
					program := keeper.Program
					if slices.Contains(args, "--hook-command") {
						program = ""
					}
					r, err := sandbox.Keeper(user, program)
					if err != nil {
						return nil, err
					}
					return []string{strings.Join(r.Done, "; ")}, strictly(mode, r)
				}
			}
			return keeper.Process(c)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&c.Interfaces, "interface", nil, "open sockets of this `IF`")
	flags.IntVar(&c.Files, "files", 0, "`NUMBER` of files for the view")
	flags.StringVar(&user, "user", "", "as of serve")
	flags.StringVar(&mode, "sandbox", "", "as of serve")
	return cmd
}

// How ps and top call the processes beside the engine, which is "bootstorm".
const (
	engineName = "bootstorm"
	keeperName = "bootstorm-keep"
	viewName   = "bootstorm-view"
)

// beside makes this process known as one of those beside the engine: by its name,
// and by going on when a signal is meant for the engine.
func beside(name string) {
	sandbox.IgnoreOperator()
	_ = sandbox.Name(name) // no more than its look depends on it
}

// sandboxed tells whether a value of --sandbox asks for one.
func sandboxed(mode string) bool { return mode != "" && mode != off }

// strictly is the error of what a report lacks, where that is one.
func strictly(mode string, r *sandbox.Report) error {
	if mode == engine.SandboxStrict {
		return r.Err()
	}
	return nil
}

// viewNodes is how many nodes the view remembers at most.
const viewNodes = 100_000

// Memory of the view in bytes: from the first on it works harder at collecting
// garbage, at the second it ends, and is started again.
const (
	viewMemory = 256 << 20
	viewMost   = 1 << 30
)

// humble limits the memory of the view. When memory is short all the same, the
// kernel ends it first: see package keeper.
func humble() {
	debug.SetMemoryLimit(viewMemory)
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: viewMost, Max: viewMost}) // to lower it is always allowed
}

// viewOptions are the flags of the view.
type viewOptions struct {
	listeners     []string
	hosts         []string
	tokenFile     string
	level, format string
	sandbox       string
	hooks         hookOptions
}

// viewCommand makes "bootstorm view".
func viewCommand() *cobra.Command {
	var o viewOptions
	cmd := &cobra.Command{
		Use:    "view",
		Short:  "The process of serve that shows what happens",
		Hidden: true,
		Args:   usage.None(""),
		RunE:   func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.listeners, "listeners", nil, "what the descriptors from 4 on are: http, view, control, frames")
	flags.StringSliceVar(&o.hosts, "host", nil, "address by which the page may be opened")
	flags.StringVar(&o.tokenFile, "token-file", "", "where the page's token is")
	flags.StringVar(&o.sandbox, "sandbox", "", "as of serve")
	flags.StringVar(&o.level, "log-level", "info", "as of serve")
	flags.StringVar(&o.format, "log-format", "console", "as of serve")
	o.hooks.add(flags)
	return cmd
}

// run is the view.
func (o *viewOptions) run(cmd *cobra.Command) error {
	humble()
	beside(viewName)
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
		if name == keptFrames {
			frames, err := capture.Open(keeper.FirstFile + i)
			if err != nil {
				return err
			}
			p.Frames = append(p.Frames, frames)
			continue
		}
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
	if sandboxed(o.sandbox) && o.hooks.command == "" {
		r := sandbox.View(o.hooks.url != "")
		log.Debug("view: " + strings.Join(r.Done, "; "))
		if err := strictly(o.sandbox, r); err != nil {
			return err
		}
	}
	return o.hooks.run(&p, log)
}
