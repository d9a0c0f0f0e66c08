package main

import (
	"context"
	"sync"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
	"bootstorm/engine/view/hook"
)

// hookOptions are the flags of serve, and of the view that it starts, about whom
// to tell.
type hookOptions struct{ url, command string }

// add defines the flags.
func (o *hookOptions) add(flags *pflag.FlagSet) {
	flags.StringVar(&o.url, "hook-url", "", "POST an event as JSON to this `URL` when a node booted, got stuck or went on, a pool is low, another DHCP server answers")
	flags.StringVar(&o.command, "hook-command", "", "run this `PROGRAM` for each such event, with its JSON on standard input")
}

// args are the same flags for the view's command line.
func (o *hookOptions) args() (args []string) {
	if o.url != "" {
		args = append(args, "--hook-url", o.url)
	}
	if o.command != "" {
		args = append(args, "--hook-command", o.command)
	}
	return args
}

// make makes the hooks that are asked for; log may be nil.
func (o *hookOptions) make(log func(string)) (hooks []*hook.Hook, err error) {
	for _, c := range []hook.Config{{URL: o.url, Log: log}, {Command: o.command, Log: log}} {
		if c.URL == "" && c.Command == "" {
			continue
		}
		h, err := hook.New(c)
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}

// run runs the view with its hooks.
func (o *hookOptions) run(p *view.Process, log *zap.Logger) error {
	hooks, err := o.make(func(s string) { log.Warn(s) })
	if err != nil {
		return err
	}
	if len(hooks) == 0 {
		return p.Run()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, h := range hooks {
		running.Go(func() { h.Run(ctx) })
	}
	p.Told = func(told []story.Told) {
		for _, h := range hooks {
			h.Tell(told)
		}
	}
	p.Options.Hooks = func() (sum view.HookCounts) {
		for _, h := range hooks {
			sum = sum.Plus(h.Counts())
		}
		return sum
	}
	err = p.Run()
	cancel()
	running.Wait()
	return err
}
