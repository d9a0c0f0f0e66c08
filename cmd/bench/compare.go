package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"bootstorm/bench/compare"
	"bootstorm/cmd/usage"
)

const compareHelp = `compare runs the Go benchmarks of the hot packages of two versions, A and B, in
turn and in many short rounds, and fails if B is significantly slower in one of them: by more than --threshold, when it
is measured again twice, too. A and B are git revisions or folders. B is the working tree if it is not given. A is then
the commit that bench/compare/baseline names, which --accept moves to HEAD; where the history does not have it, the
place where the branch left origin/main, else HEAD if files are changed, else HEAD~1, and it says which. Where there is
none of them, as in a clone of depth one, there is nothing to compare with, and it says so and succeeds.

Packages whose test binaries are equal are not measured, unless --all is given.

Exit status: 0 nothing is slower; 1 something is, and is named; 2 it could not be measured.`

// compareCommand is `bench compare`.
func compareCommand() *cobra.Command {
	var o compare.Options
	var all, accept bool
	c := &cobra.Command{
		Use:     "compare [A [B]]",
		Short:   "Compare the hot path's benchmarks of two versions",
		Long:    compareHelp,
		Example: "  bench compare\n  bench compare HEAD~3\n  bench compare v1 v2 --rounds 30",
		Args:    usage.Args(0, 2, "", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, b := "", "."
			if len(args) > 0 {
				a = args[0]
			}
			if len(args) > 1 {
				b = args[1]
			}
			if accept {
				commit, err := compare.Accept(cmd.Context(), ".")
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s is the baseline from now on: commit %s\n", commit, compare.BaselineFile)
				}
				return err
			}
			if a == "" {
				var why string
				a, why = compare.Baseline(cmd.Context(), ".")
				fmt.Fprintf(cmd.OutOrStdout(), "compared with %s %s\n", cmp.Or(a, "nothing:"), why)
				if a == "" {
					return nil
				}
			}
			o.Progress = cmd.ErrOrStderr()
			return compareVersions(cmd.Context(), cmd.OutOrStdout(), a, b, all, o)
		},
	}
	f := c.Flags()
	f.IntVar(&o.Rounds, "rounds", 12, "`NUMBER` of rounds of each version; twice and three times as many where something looks slower")
	f.DurationVar(&o.Each, "each", time.Millisecond, "`TIME` that a benchmark runs at a time, five times in one round")
	f.Float64Var(&o.Threshold, "threshold", 0.1, "`SHARE` of slowdown that fails: 0.1 is 10 %")
	f.DurationVar(&o.Limit, "limit", 2*time.Minute, "`TIME` for measuring, a third of it for what looks slower; 0: without limit")
	f.BoolVar(&all, "all", false, "measure packages whose binaries are equal, too")
	f.BoolVar(&accept, "accept", false, "measure nothing, and make HEAD the baseline")
	return c
}

// compareVersions builds both, measures, and shows the table.
func compareVersions(ctx context.Context, w io.Writer, a, b string, all bool, o compare.Options) error {
	dir, err := os.MkdirTemp("", "bench-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var sides [2]*compare.Side
	for i, version := range []string{a, b} {
		root, err := compare.Source(ctx, ".", version, filepath.Join(dir, fmt.Sprint("source", i)))
		if err != nil {
			return err
		}
		if sides[i], err = compare.Build(ctx, root, filepath.Join(dir, fmt.Sprint("tests", i)), compare.Packages); err != nil {
			return err
		}
	}
	if !all {
		equal, err := compare.Drop(sides[0], sides[1])
		if err != nil {
			return err
		}
		for _, pkg := range equal {
			fmt.Fprintf(w, "%s: equal binaries\n", pkg)
		}
	}
	rows, err := compare.Measure(ctx, sides[0], sides[1], o)
	if err != nil {
		return err
	}
	return showComparison(w, a, b, rows)
}

// showComparison writes the table and then what is slower.
func showComparison(w io.Writer, a, b string, rows []compare.Row) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"benchmark, ns", a, b, "change", "p"})
	var slow []compare.Row
	for _, r := range rows {
		switch {
		case r.A == 0:
			t.AppendRow(table.Row{r.Name, "not there", fmt.Sprintf("%.1f", r.B), "new", ""})
		case r.B == 0:
			t.AppendRow(table.Row{r.Name, fmt.Sprintf("%.1f", r.A), "not there", "gone", ""})
		default:
			t.AppendRow(table.Row{r.Name, fmt.Sprintf("%.1f", r.A), fmt.Sprintf("%.1f", r.B),
				fmt.Sprintf("%+.1f %%", 100*r.Change()), fmt.Sprintf("%.3f", r.P)})
		}
		if r.Slow {
			slow = append(slow, r)
		}
	}
	if len(rows) > 0 {
		t.Render()
		fmt.Fprintf(w, "%d rounds each\n", rows[0].Rounds)
	}
	for _, r := range slow {
		fmt.Fprintf(w, "SLOWER: %s by %.1f %% (p = %.4f, %d rounds, seen %d times)\n", r.Name, 100*r.Change(), r.P, r.Rounds, r.Repeats+1)
	}
	if len(slow) > 0 {
		return errDifferent
	}
	fmt.Fprintf(w, "%d benchmarks compared, none is significantly slower\n", len(rows))
	return nil
}
