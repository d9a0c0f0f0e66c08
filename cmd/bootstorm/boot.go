package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/usage"
	"bootstorm/engine/feed"
	"bootstorm/engine/span"
)

// bootOptions are the flags of boot.
type bootOptions struct {
	target target
	once   string
	cancel bool
	json   bool
}

// bootCommand makes "bootstorm boot".
func bootCommand() *cobra.Command {
	var o bootOptions
	cmd := &cobra.Command{
		Use:   "boot [NODE --once FILE | NODE --cancel]",
		Short: "Have a node load another file at its next boot, once",
		Long: `boot marks a node: at its next boot it loads FILE instead of what the
configuration says, and after that it boots as configured again. Without
arguments it lists the nodes that are marked.

NODE is a MAC address, the name of a host declaration, or an address that is
leased. FILE is one below the TFTP root: a program (memtest.efi) is what the
node's firmware gets, an iPXE script (rescue.ipxe) what its iPXE gets, for which
the firmware gets its iPXE as ever. The mark is used up when the file has arrived,
so a node that loses power before gets it again; it outlives a restart and a
reload of the server, and "bootstorm explain" names it. boot does not restart the
node.` + targetHelp + ` Marking goes by the daemon's
control socket, which is root's.`,
		Example: `  # node_17 does not come up: boot it into a rescue system, then restart it
  bootstorm boot node_17 --once rescue.ipxe

  # who is marked; and not node_17 after all
  bootstorm boot
  bootstorm boot node_17 --cancel`,
		Args: usage.Args(0, 1, "", "--once %s"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.target.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.once, "once", "", "the `FILE` to load")
	flags.BoolVar(&o.cancel, "cancel", false, "let the node boot as configured again")
	flags.BoolVar(&o.json, "json", false, "list the marked nodes as JSON")
	usage.Exclusive(cmd, false, "once", "cancel", "json")
	return cmd
}

// run does what the command line asks for.
func (o *bootOptions) run(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 && (o.once != "" || o.cancel):
		return usageError{errors.New("name the node: its MAC address, the name of its host declaration, or its address")}
	case len(args) == 1 && o.json:
		return usageError{errors.New("--json lists all marked nodes: leave the node out")}
	case len(args) == 0:
		return o.list(cmd)
	case o.once == "" && !o.cancel:
		return usageError{fmt.Errorf("say what %s is to load: --once FILE, or --cancel to take it back", args[0])}
	}
	c, err := api.OpenControl(o.target.Target)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if o.cancel {
		if err := c.Unboot(cmd.Context(), args[0]); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s boots as configured\n", args[0])
		return nil
	}
	if err := c.Boot(cmd.Context(), args[0], o.once); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s loads %s at its next boot, once; restart it now\n", args[0], o.once)
	return nil
}

// list prints the marked nodes.
func (o *bootOptions) list(cmd *cobra.Command) error {
	c, err := api.Open(o.target.Target)
	if err != nil {
		return err
	}
	list, err := c.Boots(cmd.Context())
	if err != nil {
		return err
	}
	if o.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(append([]feed.Order{}, list...))
	}
	return writeOrders(cmd.OutOrStdout(), list, time.Now())
}

// writeOrders prints orders as a table.
func writeOrders(out io.Writer, list []feed.Order, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no node is marked: all boot as configured")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tMAC\tFILE\tFOR\tMARKED")
	for i := range list {
		n := &list[i]
		who := "firmware"
		if n.Script {
			who = "iPXE"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s ago\n", n.Name(), strings.Join(n.MACs, " "), n.File, who, span.Text(now.Sub(n.Since)))
	}
	return w.Flush()
}
