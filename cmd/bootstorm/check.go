package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/config"
	"bootstorm/engine/image"
	"bootstorm/engine/lease"
	"bootstorm/engine/reason"
)

// checkCommand makes "bootstorm check".
func checkCommand() *cobra.Command {
	var f files
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check configuration, boot files and leases",
		Long: `check reads the configuration as serve would, and prints every finding with its
place, the line, and what to do. A boot file that the configuration names and
the TFTP root lacks is a warning. With --lease-file it reads the leases, too.

Exit status: 0 if there are no errors (warnings do not count), 1 if there are.`,
		Example: `  # the configuration that serve would use
  bootstorm check

  # the guide's file, before it is put in place
  bootstorm check ./dhcpd.conf --tftp-root ./tftp

  # may dhcpd's leases be taken over?
  bootstorm check --lease-file /var/lib/dhcp/dhcpd.leases`,
		Args: usage.Args(0, 1, "", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if cmd.Flags().Changed("config") {
					return usageError{errors.New("name the configuration once: as an argument or with --config")}
				}
				f.config = args[0]
			}
			return check(cmd.OutOrStdout(), f)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.leases, "lease-file", "", "read this lease `FILE`, too")
	cmd.MarkFlagFilename("lease-file", "leases")
	return cmd
}

// verdict counts the findings of a check.
type verdict struct {
	out              io.Writer
	errors, warnings int
}

// check prints every finding and returns errFound if one is an error.
func check(out io.Writer, f files) error {
	path := f.config
	if path == "" {
		if path = engine.FindConfig(); path == "" {
			return fmt.Errorf("there is no configuration file: neither %s nor %s exists; "+
				"name one, or run serve without one to have it derived from the interface", engine.DefaultFiles[0], engine.DefaultFiles[1])
		}
	}
	if file, err := os.Open(path); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("no right to read %s: try again as root (sudo)", path)
		}
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("configuration file %s: %w; check the path", path, err)
	} else {
		file.Close()
	}
	// Everything is checked, also behind errors: who mends a file wants all its
	// mistakes at once.
	v := verdict{out: out}
	setup := engine.ParseConfig(path)
	v.findings(setup.Tree, setup.Tree.Findings)
	v.bootFiles(setup, f.root)
	if f.leases != "" {
		v.leases(f.leases)
	}
	fmt.Fprintf(out, "%s: %s\n", path, v.summary(setup))
	if v.errors > 0 {
		return errFound
	}
	return nil
}

// findings prints findings with a caret and counts them by severity.
func (v *verdict) findings(tree *config.Tree, list []config.Finding) {
	for _, f := range list {
		if f.Severity == config.Error {
			v.errors++
		} else {
			v.warnings++
		}
		fmt.Fprintln(v.out, tree.Render(f))
	}
}

// bootFiles reports what is missing, and what is there but cannot be served.
func (v *verdict) bootFiles(setup *engine.Setup, root string) {
	if _, err := os.Stat(root); err != nil {
		v.warn(root, fmt.Sprintf("the TFTP root cannot be read: %v", reason.Of(err)), "make the directory and put the boot files there, or name another with --tftp-root")
		setup.Files = image.Build(0, root, nil)
	} else if err := setup.LoadFiles(root, nil); err != nil {
		v.errors++
		fmt.Fprintf(v.out, "%s: error: %v\n\n", root, err)
		return
	}
	for _, p := range setup.Problems {
		v.warn(p.Path, p.Text, p.Remedy)
	}
	v.findings(setup.Tree, setup.Missing())
	v.findings(setup.Tree, setup.Small())
}

// leases reports what reading the lease file turns up.
func (v *verdict) leases(path string) {
	r, err := lease.Read(path)
	if err != nil {
		v.errors++
		fmt.Fprintf(v.out, "error: %v\n\n", err)
		return
	}
	for _, w := range r.Warnings {
		v.warn(fmt.Sprintf("%s:%d", path, w.Line), w.Text, "")
	}
	if r.More > 0 {
		v.warn(path, fmt.Sprintf("%d more places like these", r.More), "")
	}
	fmt.Fprintf(v.out, "%s: %d leases from %d records\n", path, len(r.Leases), r.Records)
}

// warn prints a warning about something that is not a line of the configuration.
func (v *verdict) warn(place, text, remedy string) {
	v.warnings++
	fmt.Fprintf(v.out, "%s: warning: %s\n", place, text)
	if remedy != "" {
		fmt.Fprintf(v.out, "    %s\n", remedy)
	}
	fmt.Fprintln(v.out)
}

// summary is the last line: the verdict, and what there is if it can be used.
func (v *verdict) summary(setup *engine.Setup) string {
	counts := fmt.Sprintf("%s, %s", several(v.errors, "error"), several(v.warnings, "warning"))
	if setup.Plan == nil {
		return counts
	}
	return fmt.Sprintf("%s; %s, %s", counts, several(len(setup.Plan.Subnets), "subnet"), several(len(setup.Plan.Hosts), "host"))
}

// several writes a count with its noun.
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
