// Package release is what the programs share about themselves as things that are
// built and shipped: their version and their manual pages.
package release

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"bootstorm/cmd/usage"
)

// Version returns the version that the linker set, or the revision of a build from
// source: what a bug report or a measurement is to name. The toolchain records the
// revision only in a build from a clean checkout.
func Version(linked string) string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "devel " + s.Value[:12]
			}
		}
	}
	return "devel"
}

// ManCommand makes the hidden command "man DIR", which packaging uses. The pages
// bear the name that the program is called by; section and manual are as in man(7).
func ManCommand(section, manual string) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all commands to a directory",
		Hidden: true,
		Args:   usage.Args(1, 1, "the directory", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the same pages from the same source
			return doc.GenManTree(root, &doc.GenManHeader{Section: section, Source: "bootstorm", Manual: manual}, args[0])
		},
	}
}
