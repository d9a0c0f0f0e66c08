package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/engine/optiontext"
	"bootstorm/engine/span"
	"bootstorm/proto/dhcp"
)

// leasesCommand makes "bootstorm leases".
func leasesCommand() *cobra.Command {
	var f files
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "leases",
		Short: "List the leases",
		Long: `leases reads the lease file, also while a server writes it, and lists who has
which address: those that are leased now and those that are out of service.
Host names come from the configuration, else from the client.`,
		Example: `  # who has which address?
  bootstorm leases

  # also the addresses that were leased once
  bootstorm leases --all

  # the addresses of all nodes, for a script
  bootstorm leases --json | jq -r '.[].address'

  # what dhcpd gave out, before it is taken over
  bootstorm leases --lease-file /var/lib/dhcp/dhcpd.leases`,
		Args: usage.None("--lease-file %s"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := lease.Read(f.leases)
			if err != nil {
				return fmt.Errorf("%w; name another with --lease-file, or start the server first", err)
			}
			for _, w := range r.Warnings {
				if !w.Torn { // a server may be writing this very record
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %v\n", f.leases, w)
				}
			}
			// Warnings go to standard error: the list may be read by a script.
			rows := leaseRows(r.Leases, hostNames(f.config), time.Now(), all)
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), rows)
			}
			return writeTable(cmd.OutOrStdout(), rows, time.Now())
		},
	}
	f.addLeases(cmd, "lease `FILE` to read")
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE` for the host names (default: as serve)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write a JSON array")
	cmd.Flags().BoolVar(&all, "all", false, "list free and expired addresses, too")
	cmd.MarkFlagFilename("config", "conf")
	return cmd
}

// row is one lease as it is shown.
type row struct {
	Address string     `json:"address"`
	MAC     string     `json:"mac,omitempty"`
	Host    string     `json:"host,omitempty"`
	State   string     `json:"state"`
	Starts  *time.Time `json:"starts,omitempty"`
	Expires *time.Time `json:"expires,omitempty"` // absent: never, or not known
	Never   bool       `json:"never,omitempty"`
}

// leaseRows selects and words the leases. An active lease whose time is over is
// shown as expired: the file says so only once the server has noticed.
func leaseRows(leases []batch.Lease, hosts map[dhcp.HW]string, now time.Time, all bool) []row {
	rows := []row{} // not nil: an empty list is [] in JSON
	for i := range leases {
		l := &leases[i]
		state, held := stateOf(l, now)
		if !held && !all {
			continue
		}
		r := row{Address: l.Addr.String(), MAC: hwText(l.HW), Host: hosts[l.HW], State: state, Never: l.Ends == batch.Forever}
		// The configuration's name is what the operator knows the node by; the
		// client's own comes from the network and proves nothing.
		if r.Host == "" {
			r.Host = optiontext.Printable(l.Hostname[:l.HostnameLen])
		}
		r.Starts = moment(l.Starts)
		if !r.Never {
			r.Expires = moment(l.Ends)
		}
		rows = append(rows, r)
	}
	return rows
}

// stateOf returns the state in words, and whether the address is taken.
func stateOf(l *batch.Lease, now time.Time) (state string, held bool) {
	switch l.State {
	case batch.LeaseActive, batch.LeaseReserved, batch.LeaseBootp:
		if l.Ends <= now.Unix() {
			return lease.StateName(batch.LeaseExpired), false
		}
		return lease.StateName(l.State), true
	case batch.LeaseAbandoned:
		return lease.StateName(l.State), true
	}
	return lease.StateName(l.State), false
}

// moment turns seconds into a time for JSON, nil if the file has none.
func moment(sec int64) *time.Time {
	if sec <= 0 || sec == batch.Forever {
		return nil
	}
	t := time.Unix(sec, 0).UTC()
	return &t
}

// writeJSON writes the rows as one array, indented: jq(1) does not care, people
// do.
func writeJSON(w io.Writer, rows []row) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

// writeTable writes the rows as an aligned table.
func writeTable(w io.Writer, rows []row, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no leases")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ADDRESS\tMAC\tHOST\tSTATE\tEXPIRES")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Address, dash(r.MAC), dash(r.Host), r.State, expiry(r, now))
	}
	return t.Flush()
}

// expiry writes when a lease ends, from now and as a date.
func expiry(r row, now time.Time) string {
	switch {
	case r.Never:
		return "never"
	case r.Expires == nil:
		return "-"
	}
	date := r.Expires.Local().Format("2006-01-02 15:04:05")
	if d := r.Expires.Sub(now); d >= 0 {
		return "in " + span.Text(d) + "  " + date
	}
	return span.Text(now.Sub(*r.Expires)) + " ago  " + date
}

// dash fills an empty cell, so that columns can be cut by awk(1).
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// hostNames reads the names of the host declarations; without a configuration
// that can be read there are none, and the list is still worth having.
func hostNames(path string) map[dhcp.HW]string {
	if path == "" {
		if path = engine.FindConfig(); path == "" {
			return nil
		}
	}
	return engine.ParseConfig(path).Hosts
}

// hwText writes a hardware address as colon-separated hexadecimal, with its
// type in front unless it is Ethernet.
func hwText(hw dhcp.HW) string {
	if hw.Len == 0 {
		return ""
	}
	text := optiontext.Hex(hw.Addr[:hw.Len])
	if hw.Type != 1 {
		text = fmt.Sprintf("%d/%s", hw.Type, text)
	}
	return text
}
