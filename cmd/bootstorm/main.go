// Command bootstorm is the DHCP and TFTP server that boots a private network of
// OLA nodes, and the operator's commands around it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"bootstorm/cmd/release"
	"bootstorm/cmd/usage"
)

// Exit statuses. They are part of the command line's contract and named in the
// help of the root command.
const (
	exitOK     = 0
	exitFailed = 1 // it failed; for check: the configuration has errors; for explain: no answer would be sent
	exitUsage  = 2 // the command line is wrong
)

// errFound ends a command whose own output has said what is wrong.
var errFound = errors.New("findings")

// usageError is a mistake in the command line that its own check finds; package
// usage has the others.
type usageError struct{ error }

// version is set by the linker for releases.
var version = ""

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run executes one command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	// Commands print what they have found and return errFound; any other error
	// is printed here, under the name of the command that failed.
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := usage.Execute(root)
	var own usageError
	var typed usage.Error
	var status *statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status) && status.err == nil: // its output has said it all
		return status.status
	case errors.As(err, &status):
		fmt.Fprintf(stderr, "%s: %v\n", cmd.CommandPath(), err)
		return status.status
	case errors.Is(err, errFound):
		return exitFailed
	case errors.As(err, &own), errors.As(err, &typed):
		fmt.Fprintf(stderr, "%s: %v\nTry \"%s --help\".\n", cmd.CommandPath(), err, cmd.CommandPath())
		if cmd.Name() == "status" { // 2 would say that the server fails
			return exitUnknown
		}
		return exitUsage
	}
	fmt.Fprintf(stderr, "%s: %v\n", cmd.CommandPath(), err)
	return exitFailed
}

// rootCommand makes the command line with all its commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "bootstorm",
		Short: "Boot a private network: DHCP and TFTP in one daemon",
		Long: `bootstorm serves DHCP and TFTP on a private network, so that machines without
public network access boot from Node 0: firmware loads iPXE, iPXE its script,
the script rEFInd, and rEFInd the system on the local disk. It takes the place
of dhcpd and tftpd-hpa, reads dhcpd.conf(5) and keeps dhcpd.leases(5).

Exit status: 0 success; 1 failure (check: the configuration has errors;
explain: the node would get no answer); 2 the command line is wrong. status has
its own: see its help.`,
		Example: `  # serve the guide's setup: its dhcpd.conf, boot files in /srv/tftp
  bootstorm serve --interface bond0 --config /etc/dhcp/dhcpd.conf

  # is the configuration right, and are all boot files there?
  bootstorm check

  # what would a node get, and which line decides it?
  bootstorm explain node_1

  # who has which address?
  bootstorm leases

  # is everybody back, and if not, who and why?
  bootstorm status

  # the same, while it happens
  bootstorm watch

  # what would be taken over from dhcpd and tftpd-hpa, or from dnsmasq?
  bootstorm migrate`,
		Version:       release.Version(version),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("bootstorm {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(serveCommand(), checkCommand(), explainCommand(), leasesCommand(),
		statusCommand(), watchCommand(), bootCommand(), reloadCommand(), captureCommand(), migrateCommand(), release.ManCommand("8", "System Manager's Manual"), keeperCommand(), viewCommand())
	usage.Install(root)
	return root
}
