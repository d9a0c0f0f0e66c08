package usage

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// program is a root with one command of each kind.
func program() *cobra.Command {
	root := &cobra.Command{Use: "prog", SilenceUsage: true, SilenceErrors: true, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	serve := &cobra.Command{Use: "serve --interface IF", Short: "Serve", Args: None("--interface %s"), RunE: func(*cobra.Command, []string) error { return nil }}
	serve.Flags().StringP("interface", "i", "", "serve on this `IF`, a word that stands in a sentence long enough to need a second line")
	serve.Flags().Int("workers", 1, "`NUMBER` of them")
	serve.Flags().Duration("limit", time.Second, "a `TIME`")
	serve.Flags().Float64("loss", 0, "a `SHARE`")
	serve.Flags().Bool("json", false, "")
	serve.Flags().Bool("quiet", false, "")
	Exclusive(serve, false, "json", "quiet")
	cut := &cobra.Command{Use: "cut IN OUT", Short: "Cut", Args: Args(2, 2, "a file", ""), RunE: func(*cobra.Command, []string) error { return nil }}
	way := &cobra.Command{Use: "way", Args: None(""), RunE: func(*cobra.Command, []string) error { return nil }}
	way.Flags().String("a", "", "")
	way.Flags().String("b", "", "")
	Exclusive(way, true, "a", "b")
	root.AddCommand(serve, cut, way)
	Install(root)
	return root
}

func TestMistakesAreToldInTheProgramsOwnWords(t *testing.T) {
	for line, want := range map[string]string{
		"servee":                 `there is no command "servee"; did you mean "serve"?`,
		"xyz":                    `there is no command "xyz"`,
		"help xyz":               `there is no command "xyz"`,
		"completion tcsh":        `there is no completion for "tcsh", only for bash, fish, powershell, zsh`,
		"serve bond0":            `serve takes no argument, and was given "bond0"; did you mean --interface bond0?`,
		"serve --interfce bond0": "there is no flag --interfce; did you mean --interface?",
		"serve --inter bond0":    "there is no flag --inter; did you mean --interface?",
		"serve --bogus":          "there is no flag --bogus",
		"serve -z":               "there is no flag -z",
		"serve -i":               "--interface needs a value: --interface IF",
		"serve --workers x":      "--workers x: a whole number is wanted",
		"serve --limit 60":       "--limit 60: a time with its unit, such as 500ms, 10s or 2m, is wanted",
		"serve --loss much":      "--loss much: a number, such as 0.5, is wanted",
		"serve --json --quiet":   "--json and --quiet exclude each other: give one of them",
		"cut one":                "a file is missing: prog cut IN OUT",
		"cut one two three":      `"three" is one argument too many`,
		"way":                    "give one of --a, --b",
	} {
		root := program()
		root.SetArgs(strings.Fields(line))
		root.SetOut(new(bytes.Buffer))
		_, err := Execute(root)
		var mistake Error
		if !errors.As(err, &mistake) || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", line, err, want)
		}
	}
}

func TestHelpFitsEightyColumns(t *testing.T) {
	for _, line := range []string{"serve --help", "help serve"} {
		root, out := program(), new(bytes.Buffer)
		root.SetArgs(strings.Fields(line))
		root.SetOut(out)
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "--interface IF") {
			t.Errorf("%s: no help:\n%s", line, out)
		}
		for l := range strings.Lines(out.String()) {
			if len(l) > 81 {
				t.Errorf("%s: %d columns: %s", line, len(l)-1, l)
			}
		}
	}
}
