package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/bench/ceiling"
	"bootstorm/tools/lab"
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
	c := &cobra.Command{
		Use:     "ceiling",
		Short:   "Measure what the machine can do without an engine",
		Long:    ceilingHelp,
		Example: "  bench ceiling\n  bench ceiling --rounds 3 --each 100ms --json ceiling.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 || o.Each <= 0 || o.ServerCore == o.PeerCore {
				return fmt.Errorf("at least one round, some time for each measurement and two different cores are needed")
			}
			if err := prioritize(nice); err != nil {
				return err
			}
			if err := lab.Enter(); err != nil {
				return err
			}
			if err := apart(nice); err != nil {
				return err
			}
			o.Progress = cmd.ErrOrStderr()
			r, err := ceiling.Run(cmd.Context(), o)
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
	f.IntVar(&o.Rounds, "rounds", 5, "how often everything is measured")
	f.DurationVar(&o.Each, "each", 250*time.Millisecond, "how long one measurement takes")
	f.IntVar(&o.ServerCore, "server-core", 0, "core of the end that is measured")
	f.IntVar(&o.PeerCore, "peer-core", 1, "core of the other end")
	niceFlag(f, &nice)
	f.StringVar(&file, "json", "", "write everything as JSON to this `FILE`")
	return c
}
