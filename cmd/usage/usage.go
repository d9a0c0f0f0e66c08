// Package usage is how both programs talk about their command lines: what is
// wrong with one that was typed, in words that need no knowledge of the library
// that reads it, and help that fits a terminal of 80 columns.
package usage

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	edlib "github.com/hbollon/go-edlib"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Error is a mistake in the command line.
type Error struct{ error }

// Unwrap gives what is wrong.
func (e Error) Unwrap() error { return e.error }

// Errorf makes an Error.
func Errorf(format string, args ...any) error { return Error{fmt.Errorf(format, args...)} }

// Install sets up a program's commands, all of which it must have by now: their
// complaints are Errors, and their help is wrapped.
func Install(root *cobra.Command) {
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return Error{flagError(c, err)} })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return noCommand(c, args[0])
	}
	root.SetHelpCommand(helpCommand(root))
}

// Execute runs a command line. The command that was meant is returned with its
// error.
func Execute(root *cobra.Command) (*cobra.Command, error) {
	root.InitDefaultCompletionCmd() // which writes to where the root writes now
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			nameShell(c)
		}
	}
	return root.ExecuteC()
}

// noCommand says that there is no such command, and which one may be meant.
func noCommand(parent *cobra.Command, name string) error {
	text := fmt.Sprintf("there is no command %q", name)
	if parent.SuggestionsMinimumDistance <= 0 {
		parent.SuggestionsMinimumDistance = 2
	}
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return Error{errors.New(text)}
}

// helpCommand is "help COMMAND". Cobra's own prints the help of the whole
// program for a command that does not exist.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		ValidArgsFunction: func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
			for _, c := range root.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(root, args[0])
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// nameShell has "completion" refuse a shell that it has nothing for.
func nameShell(completion *cobra.Command) {
	var shells []string
	for _, c := range completion.Commands() {
		shells = append(shells, c.Name())
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Errorf("there is no completion for %q, only for %s", args[0], strings.Join(shells, ", "))
		}
		return c.Help()
	}
}

// flagError words what is wrong with a flag.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("there is no flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		text := "there is no flag --" + unknown.GetSpecifiedName()
		if near := nearest(c, unknown.GetSpecifiedName()); near != "" {
			text += "; did you mean --" + near + "?"
		}
		return errors.New(text)
	case errors.As(err, &bare):
		name, _ := pflag.UnquoteUsage(bare.GetFlag())
		return fmt.Errorf("--%s needs a value: --%[1]s %s", bare.GetFlag().Name, name)
	case errors.As(err, &wrong):
		f := wrong.GetFlag()
		return fmt.Errorf("--%s %s: %s is wanted", f.Name, wrong.GetValue(), kind(f))
	}
	return err
}

// kind says what a flag takes.
func kind(f *pflag.Flag) string {
	switch t := f.Value.Type(); {
	case strings.HasPrefix(t, "duration"):
		return "a time with its unit, such as 500ms, 10s or 2m,"
	case strings.HasPrefix(t, "float"):
		return "a number, such as 0.5,"
	case strings.HasPrefix(t, "uint"):
		return "a whole number from 0 on"
	case strings.HasPrefix(t, "int"):
		return "a whole number"
	case t == "bool":
		return "true, false or no value at all"
	}
	name, _ := pflag.UnquoteUsage(f)
	return "a " + name
}

// nearest is the flag of a command whose name is most like another, or "".
func nearest(c *cobra.Command, name string) (best string) {
	least := 1 + max(2, len(name)/3)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		d := edlib.OSADamerauLevenshteinDistance(f.Name, name)
		if strings.HasPrefix(f.Name, name) {
			d = 1
		}
		if !f.Hidden && d < least {
			best, least = f.Name, d
		}
	})
	return best
}

// Args is how many arguments a command takes: what are the words for one, where
// they are too few, such as "FILE". Advice, if any, is what a surplus argument
// may be meant for; its %s is the argument.
func Args(least, most int, what, advice string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Errorf("%s is missing: %s", what, strings.TrimSuffix(c.UseLine(), " [flags]"))
		case most < 0 || len(args) <= most:
			return nil
		}
		surplus := args[most]
		text := fmt.Sprintf("%q is one argument too many", surplus)
		if most == 0 {
			text = fmt.Sprintf("%s takes no argument, and was given %q", c.Name(), surplus)
		}
		if advice != "" {
			text += "; did you mean " + fmt.Sprintf(advice, surplus) + "?"
		}
		return Error{errors.New(text)}
	}
}

// None is Args of a command that takes no argument.
func None(advice string) cobra.PositionalArgs { return Args(0, 0, "", advice) }

// Exclusive has a command refuse flags together that exclude each other. With
// needed, one of them must be there.
func Exclusive(c *cobra.Command, needed bool, names ...string) {
	c.MarkFlagsMutuallyExclusive(names...) // for completion; the check here comes first
	check := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if check != nil {
			if err := check(c, args); err != nil {
				return err
			}
		}
		given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !c.Flags().Changed(name) })
		switch {
		case len(given) > 1:
			return Errorf("--%s and --%s exclude each other: give one of them", given[0], given[1])
		case len(given) == 0 && needed:
			return Errorf("give one of --%s", strings.Join(names, ", --"))
		}
		return nil
	}
}
