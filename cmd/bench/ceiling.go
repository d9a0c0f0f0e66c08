package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/bench/ceiling"
	"bootstorm/cmd/usage"
)

const ceilingHelp = `ceiling measures how many frames this machine moves through the daemon's own socket
calls with no engine between them: receiving, sending single frames and runs of them, and a lockstep echo, on every
rung of the socket layer, over a veth pair in private namespaces, one core for each end. Figures of bench storm and
bench peers can be quoted as a share of it.

It needs root and two cores. Rounds are interleaved, and medians are shown; "spread" is how far the rounds lie apart.`

// ceilingCommand is `bench ceiling`.
func ceilingCommand() *cobra.Command {
	var o ceiling.Options
	var file string
	var nice int
	var engine bool
	var daemon string
	c := &cobra.Command{
		Use:     "ceiling",
		Short:   "Measure what the machine can do without an engine",
		Long:    ceilingHelp,
		Example: "  bench ceiling\n  bench ceiling --engine\n  bench ceiling --rounds 3 --each 100ms --json ceiling.json",
		Args:    usage.None(""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 || o.Each <= 0 || o.ServerCore == o.PeerCore {
				return fmt.Errorf("at least one round, some time for each measurement and two different cores are needed")
			}
			if err := private(nice); err != nil {
				return err
			}
			o.Progress = cmd.ErrOrStderr()
			var r interface{ WriteTable(io.Writer) }
			var err error
			if engine {
				r, err = measureEngine(cmd.Context(), o, daemon)
			} else {
				r, err = ceiling.Run(cmd.Context(), o)
			}
			if err != nil {
				return err
			}
			r.WriteTable(cmd.OutOrStdout())
			if file == "" {
				return nil
			}
			text, err := json.MarshalIndent(r, "", " ")
			if err != nil {
				return err
			}
			return os.WriteFile(file, append(text, '\n'), 0o644)
		},
	}
	f := c.Flags()
	f.IntVar(&o.Rounds, "rounds", 5, "`NUMBER` of times that everything is measured")
	f.DurationVar(&o.Each, "each", 250*time.Millisecond, "`TIME` that one measurement takes")
	f.IntVar(&o.ServerCore, "server-core", 0, "`CORE` of the end that is measured")
	f.IntVar(&o.PeerCore, "peer-core", 1, "`CORE` of the other end")
	f.BoolVar(&engine, "engine", false, "measure the daemon beside its calls alone: a lockstep client's wait, and frames per second of processor time")
	f.StringVar(&daemon, "bootstorm", "build/bootstorm", "the `PROGRAM` of the daemon, for --engine")
	niceFlag(f, &nice)
	f.StringVar(&file, "json", "", "write everything as JSON to this `FILE`")
	return c
}

// measureEngine is --engine.
func measureEngine(ctx context.Context, o ceiling.Options, daemon string) (*ceiling.EngineResult, error) {
	path, err := filepath.Abs(daemon)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("--bootstorm: %w: make build", err)
	}
	dir, err := os.MkdirTemp("", "ceiling-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the daemon gives up root
		return nil, err
	}
	return ceiling.Engine(ctx, ceiling.EngineOptions{Options: o, Daemon: path, Dir: dir})
}
