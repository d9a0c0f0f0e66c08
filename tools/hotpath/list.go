package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const header = `# What the compiler puts on the heap ("escape") and checks when it runs ("bounds")
# in the packages that a frame passes through, counted by function; read by
# tools/hotpath, which "-update" makes rewrite it.
#   PACKAGE FUNCTION KIND COUNT   reviewed: this many, no more and no fewer
#   PACKAGE FUNCTION cold         does not run per frame: nothing is counted there
# compiler `

// list is the reviewed list.
type list struct {
	compiler string
	counts   map[key]int
	cold     map[key]bool // with an empty kind
}

// compiler is the release whose findings these are: each finds its own.
func compiler() string {
	v := strings.SplitN(runtime.Version(), ".", 3)
	return strings.Join(v[:min(len(v), 2)], ".") + " " + runtime.GOARCH
}

// readList reads the file; what is not of its form is an error.
func readList(file string) (*list, error) {
	l := &list{counts: map[key]int{}, cold: map[key]bool{}}
	text, err := os.ReadFile(file)
	if err != nil {
		return l, err
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if v, ok := strings.CutPrefix(string(line), "# compiler "); ok {
			l.compiler = strings.TrimSpace(v)
		}
		if err := l.read(strings.Fields(string(line))); err != nil {
			return l, fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return l, nil
}

// read takes the fields of one line.
func (l *list) read(f []string) error {
	if len(f) == 0 || strings.HasPrefix(f[0], "#") {
		return nil
	}
	if len(f) == 3 && f[2] == "cold" {
		l.cold[key{f[0], f[1], ""}] = true
		return nil
	}
	if len(f) != 4 || f[2] != kindEscape && f[2] != kindBounds {
		return fmt.Errorf(`want "PACKAGE FUNCTION escape|bounds COUNT" or "PACKAGE FUNCTION cold"`)
	}
	count, err := strconv.Atoi(f[3])
	if err != nil || count < 1 {
		return fmt.Errorf("%q is no count", f[3])
	}
	l.counts[key{f[0], f[1], f[2]}] = count
	return nil
}

// isCold tells whether a function is marked.
func (l *list) isCold(k key) bool { return l.cold[key{k.pkg, k.function, ""}] }

// compare describes every entry that differs, in order.
func (l *list) compare(found findings) []string {
	var all []string
	for _, k := range l.keys(found) {
		listed, now := l.counts[k], found[k]
		if l.isCold(k) || len(now) == listed {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s has %d of kind %s, the list says %d\n", k.pkg, k.function, len(now), k.kind, listed)
		for _, r := range now {
			fmt.Fprintf(&b, "    %s: %s\n", r.place, r.text)
		}
		all = append(all, b.String())
	}
	return all
}

// keys are those of the list and of what was found, sorted.
func (l *list) keys(found findings) []key {
	var keys []key
	for k := range found {
		keys = append(keys, k)
	}
	for k := range l.counts {
		if _, ok := found[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, byName)
	return keys
}

func byName(a, b key) int {
	return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.function, b.function), cmp.Compare(a.kind, b.kind))
}

// updated is the list that accepts everything found. Marks whose functions have
// nothing left to mark are dropped.
func (l *list) updated(found findings) *list {
	n := &list{compiler: compiler(), counts: map[key]int{}, cold: map[key]bool{}}
	for k, remarks := range found {
		if l.isCold(k) {
			n.cold[key{k.pkg, k.function, ""}] = true
		} else {
			n.counts[k] = len(remarks)
		}
	}
	return n
}

// text writes the list as readList reads it.
func (l *list) text() string {
	var keys []key
	for k := range l.counts {
		keys = append(keys, k)
	}
	for k := range l.cold {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, byName)
	var b strings.Builder
	b.WriteString(header + l.compiler + "\n")
	pkg := ""
	for _, k := range keys {
		if k.pkg != pkg {
			pkg = k.pkg
			b.WriteByte('\n')
		}
		if k.kind == "" {
			fmt.Fprintf(&b, "%s %s cold\n", k.pkg, k.function)
		} else {
			fmt.Fprintf(&b, "%s %s %s %d\n", k.pkg, k.function, k.kind, l.counts[k])
		}
	}
	return b.String()
}

// totals counts what was found in functions that are not marked cold.
func (found findings) totals(l *list) (escapes, bounds int) {
	for k, remarks := range found {
		switch {
		case l.isCold(k):
		case k.kind == kindEscape:
			escapes += len(remarks)
		default:
			bounds += len(remarks)
		}
	}
	return escapes, bounds
}
