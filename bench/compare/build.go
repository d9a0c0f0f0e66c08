package compare

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Build makes the test binaries of a version. Packages that it does not have
// are left out.
func Build(ctx context.Context, root, out string, packages []string) (*Side, error) {
	s := &Side{Root: root, Binaries: map[string]string{}}
	// Without paths and stamps equal source makes equal binaries, from the cache.
	args := []string{"test", "-c", "-trimpath", "-buildvcs=false", "-o", out + string(filepath.Separator)}
	for _, pkg := range packages {
		if tests, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go")); err != nil || len(tests) == 0 {
			continue
		}
		args = append(args, "./"+pkg)
		s.Binaries[pkg] = filepath.Join(out, filepath.Base(pkg)+".test") // the last parts of Packages differ
	}
	if len(s.Binaries) == 0 {
		return s, nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = root
	if text, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the tests in %s: %w\n%s", root, err, text)
	}
	return s, nil
}

// Drop leaves out the packages whose binaries are equal byte by byte, and
// returns their names: there is nothing to compare.
func Drop(a, b *Side) (equal []string, err error) {
	for pkg := range b.Binaries {
		if a.Binaries[pkg] == "" || b.Binaries[pkg] == "" {
			continue
		}
		x, err := os.ReadFile(a.Binaries[pkg])
		if err != nil {
			return nil, err
		}
		y, err := os.ReadFile(b.Binaries[pkg])
		if err != nil {
			return nil, err
		}
		if bytes.Equal(x, y) {
			delete(b.Binaries, pkg)
			equal = append(equal, pkg)
		}
	}
	slices.Sort(equal)
	return equal, nil
}

// result is a line of a benchmark's output.
var result = regexp.MustCompile(`(?m)^(Benchmark\S+)\s+\d+\s+([0-9.]+) ns/op`)

// samples is how often a round runs each benchmark.
const samples = 5

// once runs the benchmarks that match, one short round, and adds their times.
func (s *Side) once(ctx context.Context, pkg, pattern string, each time.Duration, to times) error {
	if s.Binaries[pkg] == "" {
		return nil
	}
	c := exec.CommandContext(ctx, s.Binaries[pkg], "-test.run=^$", "-test.bench="+pattern, "-test.skip="+leftOut, "-test.benchtime="+each.String(), "-test.cpu=1", "-test.count="+strconv.Itoa(samples))
	c.Dir = filepath.Join(s.Root, pkg)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("benchmarks of %s in %s: %w\n%s", pkg, s.Root, err, out)
	}
	for _, m := range result.FindAllStringSubmatch(string(out), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		to[m[1]] = append(to[m[1]], v)
	}
	return nil
}

// exactly is the pattern that selects one benchmark by its name.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}
