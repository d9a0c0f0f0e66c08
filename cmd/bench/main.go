// Command bench measures and verifies: it replays captures through the core,
// cuts file contents out of captures, and storms a server with simulated nodes.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"bootstorm/cmd/release"
	"bootstorm/cmd/usage"
)

// Exit statuses of every command.
const (
	exitDifferent = 1 // what was measured is not as it should be
	exitTrouble   = 2 // it could not be measured: usage, files, configuration
)

// errDifferent ends a command whose own output has said what is wrong.
var errDifferent = errors.New("different")

// packaged is the program's name in the Debian package: "bench" is everybody's.
// Help and completion then say so, too.
const packaged = "bootstorm-bench"

// version is set by the linker for releases.
var version = ""

// main turns the outcome of a command into the exit status that scripts read.
func main() {
	root := rootCommand()
	if name := filepath.Base(os.Args[0]); name == packaged {
		root.Use = name
	}
	cmd, err := usage.Execute(root)
	var typed usage.Error
	switch {
	case err == nil:
	case errors.Is(err, errDifferent):
		os.Exit(exitDifferent)
	case errors.As(err, &typed):
		fmt.Fprintf(os.Stderr, "%s: %v\nTry \"%[1]s --help\".\n", cmd.CommandPath(), err)
		os.Exit(exitTrouble)
	default:
		fmt.Fprintf(os.Stderr, "%s: %v\n", cmd.CommandPath(), err)
		os.Exit(exitTrouble)
	}
}

// rootCommand gathers the commands; each has a file of its own.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "bench",
		Short:         "Measure and verify bootstorm",
		Long:          "bench replays packet captures through bootstorm's core and storms a server with simulated nodes.\n\nExit status: 0 all is as expected; 1 something differs; 2 it could not be measured.",
		Version:       release.Version(version),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(replayCommand(), cutCommand(), stormCommand(), peersCommand(), linkCommand(), ceilingCommand(), compareCommand(),
		answerCommand(), release.ManCommand("1", "User Commands"))
	usage.Install(root)
	return root
}
