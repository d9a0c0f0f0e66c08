package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/usage"
)

// reloadCommand makes "bootstorm reload".
func reloadCommand() *cobra.Command {
	var where target
	var pid int
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Bring a changed configuration into force, or say why not",
		Long: `reload has the running daemon read its configuration and its boot files again,
and waits for the result. With an error in them the old ones stay in force, no
node notices, and the error is shown here as "bootstorm check" shows it.

"systemctl reload bootstorm@IF" runs this command, so it fails where this fails;
its log (journalctl -u bootstorm@IF) has the error.` + targetHelp + `
reload goes by the control socket, which is root's.

Exit status: 0 what is in the files is in force; 1 it is not.`,
		Example: `  # after a change of dhcpd.conf
  bootstorm reload`,
		Args: usage.None("--interface %s"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := reload(cmd, where.Target)
			var deaf *api.UnreachableError
			if pid > 0 && errors.As(err, &deaf) {
				if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
					return fmt.Errorf("process %d cannot be told to reload: %w", pid, err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "process %d was told to reload by SIGHUP; its log has the result\n", pid)
				return nil
			}
			return err
		},
	}
	where.add(cmd)
	cmd.Flags().IntVar(&pid, "pid", 0, "where the daemon has no socket to ask at, send SIGHUP to this process `PID`, and do not wait")
	return cmd
}

// reload asks one daemon.
func reload(cmd *cobra.Command, where api.Target) error {
	c, err := api.OpenControl(where)
	if err != nil {
		return err
	}
	if err := c.Reload(cmd.Context()); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "reloaded: configuration and boot files are in force as they are on disk")
	return nil
}
