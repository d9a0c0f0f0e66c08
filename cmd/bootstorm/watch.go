package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/bootstorm/watch"
	"bootstorm/cmd/usage"
)

// watchCommand makes "bootstorm watch".
func watchCommand() *cobra.Command {
	var where target
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch the nodes boot, in the terminal",
		Long: `watch shows a storm while it runs: how many nodes are where, leases, files and
bytes per second, the stuck and the slowest nodes on top with the reason of each,
and on enter the story of one node, step by step. It works over ssh, from 80
columns and 24 lines on, and without colours (NO_COLOR=1). ? explains its keys.

When the daemon is started again, watch finds it again and says so.` + targetHelp,
		Example: `  # on Node 0
  bootstorm watch

  # from elsewhere
  ssh -t node0 bootstorm watch`,
		Args: usage.None("--interface %s"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
				return errors.New("it needs a terminal (ssh -t gives one); for scripts there is bootstorm status --json")
			}
			c, err := api.Open(where.Target)
			if err != nil {
				return err
			}
			return watch.Run(cmd.Context(), c)
		},
	}
	where.add(cmd)
	return cmd
}
