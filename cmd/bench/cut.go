package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/pcap"
)

// cutCommand makes captures fit to be published.
func cutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cut IN OUT",
		Short: "Remove file contents from a capture, keeping every header and length",
		Long: `cut copies a capture and shortens the frames that carry contents of files: TFTP DATA blocks end after their four
byte header, TCP segments and unknown datagrams after their transport header, fragments after the IP header. DHCP, ARP,
and TFTP requests, acknowledgements and errors stay whole. The original lengths stay, so that a replay of the result
compares the same as a replay of the original.`,
		Example: "  bench cut boot.pcap boot-cut.pcap",
		Args:    usage.Args(2, 2, "a file", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := pcap.ReadFile(args[0])
			if err != nil {
				return err
			}
			for _, w := range c.Warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", args[0], w)
			}
			n := c.Cut()
			if err := c.WriteFile(args[1]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d of %d frames cut\n", args[1], n, len(c.Records))
			return nil
		},
	}
}
