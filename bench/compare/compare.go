// Package compare measures the Go benchmarks of the hot packages of two
// versions of the project against each other, on a machine that has other work.
//
// Noise only ever slows a benchmark down. So both are run in many short rounds,
// in the order A B B A, and the lower quartiles of the rounds are compared, not
// means; a Mann-Whitney U test (golang.org/x/perf/benchmath, as benchstat does)
// says whether the rounds differ at all. What looks slower is measured again, in
// twice the rounds, and fails only if it is slower then, too.
package compare

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// Packages are those whose benchmarks are compared. Sockets and disks are not
// among them: what they take is the kernel's.
var Packages = []string{"proto", "proto/dhcp", "proto/tftp", "engine/plan", "engine/core", "engine/core/transfer", "engine/core/wheel"}

const (
	significance = 0.01 // of the U test
	leastRounds  = 6    // with fewer the test cannot be significant
)

// Options say how to measure.
type Options struct {
	Rounds    int           // of each side; twice as many where something is suspected
	Each      time.Duration // of one benchmark in one round
	Threshold float64       // a slowdown over this fails: 0.1 is 10 %
	Limit     time.Duration // no further round begins after this; 0 means none
	Progress  io.Writer
}

// Row is what became of one benchmark.
type Row struct {
	Name  string  // package and benchmark
	A, B  float64 // lower quartile of the rounds, nanoseconds per turn; 0 if it is not there
	P     float64 // how likely such rounds are for equal code
	Slow  bool    // significant and over the threshold, also when it was repeated
	Again bool    // it was measured again
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

// Measure compares two sides.
func Measure(ctx context.Context, a, b *Side, o Options) ([]Row, error) {
	if o.Rounds < leastRounds {
		return nil, fmt.Errorf("%d rounds: at least %d are needed", o.Rounds, leastRounds)
	}
	end := time.Now().Add(o.Limit)
	var rows []Row
	for _, pkg := range Packages {
		if b.Binaries[pkg] == "" {
			continue
		}
		ta, tb, err := rounds(ctx, a, b, pkg, ".", o, o.Rounds, end)
		if err != nil {
			return nil, err
		}
		found := judge(pkg, ta, tb, o.Threshold)
		for i := range found {
			if found[i].Slow {
				if err := again(ctx, a, b, pkg, &found[i], o, end); err != nil {
					return nil, err
				}
			}
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// again measures what looks slower once more, by itself and in twice the rounds.
func again(ctx context.Context, a, b *Side, pkg string, row *Row, o Options, end time.Time) error {
	fmt.Fprintf(o.Progress, "%s looks %.0f %% slower: measured again\n", row.Name, 100*row.Change())
	name := row.Name[len(pkg)+1:]
	ta, tb, err := rounds(ctx, a, b, pkg, exactly(name), o, 2*o.Rounds, end)
	if err != nil {
		return err
	}
	for _, r := range judge(pkg, ta, tb, o.Threshold) {
		if r.Name == row.Name {
			*row = r
			row.Again = true
		}
	}
	return nil
}

// rounds runs the benchmarks of a package on both sides in turn. When the time
// is over it makes do with what there is, once that is enough to judge by.
func rounds(ctx context.Context, a, b *Side, pkg, pattern string, o Options, n int, end time.Time) (ta, tb times, err error) {
	ta, tb = times{}, times{}
	fmt.Fprintf(o.Progress, "%s: %d rounds\n", pkg, n)
	for i := range n {
		if o.Limit > 0 && i >= leastRounds && time.Now().After(end) {
			break
		}
		order := []struct {
			*Side
			times
		}{{a, ta}, {b, tb}}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			if err := s.once(ctx, pkg, pattern, o.Each, s.times); err != nil {
				return nil, nil, err
			}
		}
	}
	return ta, tb, nil
}

// judge makes a row of every benchmark of either side.
func judge(pkg string, ta, tb times, threshold float64) []Row {
	var rows []Row
	for name, b := range tb {
		r := Row{Name: pkg + " " + name, B: quartile(b), P: 1}
		if a := ta[name]; len(a) > 0 {
			r.A = quartile(a)
			t := &benchmath.DefaultThresholds
			r.P = benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(a), t), benchmath.NewSample(slices.Clone(b), t)).P
			r.Slow = r.P < significance && r.Change() > threshold
		}
		rows = append(rows, r)
	}
	for name, a := range ta {
		if len(tb[name]) == 0 {
			rows = append(rows, Row{Name: pkg + " " + name, A: quartile(a), P: 1})
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

// quartile is the lower quartile.
func quartile(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[(len(v)-1)/4]
}
