// Package compare measures the Go benchmarks of the hot packages of two
// versions of the project against each other, on a machine that has other work.
//
// Noise only ever slows a benchmark down. So both are run in many short rounds,
// in the order A B B A, over all packages in turn, and in a round each benchmark
// several times, for less than the kernel lets a program run undisturbed. What is
// compared is the shortest tenths and the minima, not means: a benchmark is slower
// by the smaller of the two. A Mann-Whitney U test (golang.org/x/perf/benchmath, as
// benchstat does) says whether the shortest fifths of the times differ at all. What
// looks slower is measured again, twice, each time in more rounds than before, and
// counts only if it is slower every time.
package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchmath"
)

// Packages are those whose benchmarks are compared. What takes its time in the
// kernel, sockets and disks, is left out: see leftOut.
var Packages = []string{"proto", "proto/dhcp", "proto/tftp", "engine/plan", "engine/image", "engine/lease", "engine/core", "engine/core/transfer",
	"engine/core/wheel", "bench"}

// leftOut is the pattern of benchmarks that wait for the disk.
const leftOut = "^Benchmark(Commit|Open)$"

const (
	significance = 0.01 // of the U test
	leastRounds  = 6    // with fewer the test cannot be significant
	repetitions  = 2    // of what looks slower
)

// ErrTime says that there was not enough of it.
var ErrTime = errors.New("there was no time for enough rounds: the machine is too busy, or the limit too short")

// Options say how to measure.
type Options struct {
	Rounds    int           // of each side; two and three times as many where something is suspected
	Each      time.Duration // of one of the samples of a benchmark in one round
	Threshold float64       // a slowdown over this fails: 0.1 is 10 %
	Limit     time.Duration // of it all; 0 means none. A third of it is kept for what looks slower
	Progress  io.Writer
}

// Row is what became of one benchmark.
type Row struct {
	Name    string  // package and benchmark
	A, B    float64 // the time that a tenth are below, nanoseconds per turn; 0 if it is not there
	LeastA  float64 // the least of A's times
	Least   float64 // how much slower B's least is
	P       float64 // how likely such times are for equal code
	Slow    bool    // significant and over the threshold, in all repetitions
	Rounds  int     // of each side, in the last measurement
	Repeats int     // how often it was measured again
}

// Change is how much slower B is: 0.1 is 10 %.
func (r *Row) Change() float64 { return r.B/r.A - 1 }

// Side is one version: its test binaries by package.
type Side struct {
	Root     string            // of its source
	Binaries map[string]string // path by package
}

// times are the measured times of each benchmark.
type times map[string][]float64

// Measure compares two sides, those packages that B has.
func Measure(ctx context.Context, a, b *Side, o Options) ([]Row, error) {
	if o.Rounds < leastRounds {
		return nil, fmt.Errorf("%d rounds: at least %d are needed", o.Rounds, leastRounds)
	}
	first, end := o.ends(time.Now())
	packages := slices.Sorted(maps.Keys(b.Binaries))
	var targets []target
	for _, pkg := range packages {
		targets = append(targets, target{pkg: pkg, pattern: "."})
	}
	if err := rounds(ctx, a, b, targets, o, o.Rounds, first); err != nil {
		return nil, err
	}
	var rows []Row
	for _, t := range targets {
		rows = append(rows, judge(t.pkg, t.a, t.b, o.Threshold)...)
	}
	return rows, again(ctx, a, b, rows, o, end)
}

// ends are until when the first rounds may begin, and until when any.
func (o *Options) ends(now time.Time) (first, last time.Time) {
	if o.Limit <= 0 {
		return first, last
	}
	return now.Add(o.Limit * 2 / 3), now.Add(o.Limit)
}

// target is what rounds runs: benchmarks of one package.
type target struct {
	pkg, pattern string
	a, b         times
}

// again measures what looks slower again, by itself.
func again(ctx context.Context, a, b *Side, rows []Row, o Options, end time.Time) error {
	for n := range repetitions {
		for i := range rows {
			row := &rows[i]
			if !row.Slow {
				continue
			}
			fmt.Fprintf(o.Progress, "%s looks %.0f %% slower: measured again\n", row.Name, 100*row.Change())
			pkg, name, _ := strings.Cut(row.Name, " ")
			targets := []target{{pkg: pkg, pattern: exactly(name)}}
			if err := rounds(ctx, a, b, targets, o, (n+2)*o.Rounds, end); err != nil {
				return fmt.Errorf("%s looks %.0f %% slower, which could not be confirmed: %w", row.Name, 100*row.Change(), err)
			}
			repeats := row.Repeats + 1
			for _, r := range judge(pkg, targets[0].a, targets[0].b, o.Threshold) {
				if r.Name == row.Name {
					*row = r
				}
			}
			row.Repeats = repeats
		}
	}
	return nil
}

// rounds runs the benchmarks of all targets on both sides in turn. When the time
// is over it makes do with what there is, if that is enough to judge by.
func rounds(ctx context.Context, a, b *Side, targets []target, o Options, n int, end time.Time) error {
	for i := range targets {
		targets[i].a, targets[i].b = times{}, times{}
	}
	for round := range n {
		for i := range targets {
			t := &targets[i]
			if !end.IsZero() && time.Now().After(end) {
				if round < leastRounds {
					return ErrTime
				}
				return nil
			}
			order := []struct {
				*Side
				times
			}{{a, t.a}, {b, t.b}}
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, s := range order {
				if err := s.once(ctx, t.pkg, t.pattern, o.Each, s.times); err != nil {
					return err
				}
			}
		}
		if len(targets) > 1 {
			fmt.Fprintf(o.Progress, "round %d of %d\n", round+1, n)
		}
	}
	return nil
}

// judge makes a row of every benchmark of either side.
func judge(pkg string, ta, tb times, threshold float64) []Row {
	var rows []Row
	for name, b := range tb {
		r := Row{Name: pkg + " " + name, B: tenth(b), P: 1, Rounds: len(b) / samples}
		if a := ta[name]; len(a) > 0 {
			r.A, r.LeastA = tenth(a), slices.Min(a)
			r.Least = slices.Min(b)/r.LeastA - 1
			t := &benchmath.DefaultThresholds
			r.P = benchmath.AssumeNothing.Compare(benchmath.NewSample(shortest(a), t), benchmath.NewSample(shortest(b), t)).P
			r.Slow = r.P < significance && min(r.Change(), r.Least) > threshold
		}
		rows = append(rows, r)
	}
	for name, a := range ta {
		if len(tb[name]) == 0 {
			rows = append(rows, Row{Name: pkg + " " + name, A: tenth(a), P: 1})
		}
	}
	slices.SortFunc(rows, func(x, y Row) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	return rows
}

// shortest is the fifth of the times that noise has spared, ascending.
func shortest(v []float64) []float64 {
	v = slices.Sorted(slices.Values(v))
	return v[:(len(v)+4)/5]
}

// tenth is the time that a tenth of all are below or at.
func tenth(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[(len(v)-1)/10]
}
