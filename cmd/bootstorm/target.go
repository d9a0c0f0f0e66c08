package main

import (
	"github.com/spf13/cobra"

	"bootstorm/cmd/bootstorm/api"
)

// targetHelp is the part of the help that the commands share which ask a
// running daemon.
const targetHelp = `

It asks the running daemon over its socket below /run/bootstorm; where several
run, --interface says which. Looking needs no privilege.`

// target says which daemon a command asks.
type target struct{ api.Target }

// add defines its flags.
func (t *target) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&t.Interface, "interface", "i", "", "ask the daemon on this `IF` (default: the only one that runs)")
	flags.StringVar(&t.RunDir, "run-dir", api.RunDir, "`DIR` of the daemons' sockets, as serve has it")
	flags.StringVar(&t.HTTP, "http", "", "ask over HTTP at this `ADDRESS` instead, as serve has it (127.0.0.1:8067)")
	cmd.MarkFlagDirname("run-dir")
	cmd.RegisterFlagCompletionFunc("interface", completeInterfaces)
}
