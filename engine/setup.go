package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/image"
	"bootstorm/engine/image/load"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/engine/reason"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Setup is one generation of configuration and boot files: what `check` reads
// and the server runs on.
type Setup struct {
	Source   string       // the configuration file, or what it was derived from
	Derived  []byte       // text of the derived configuration, nil if there is a file
	Tree     *config.Tree // never nil
	Plan     *plan.Plan   // nil if there are errors
	Files    *image.Set   // nil before LoadFiles
	Memory   int64        // most bytes of boot files to keep in memory; 0: half of the machine's
	Problems []load.Problem
	Hosts    map[dhcp.HW]string // names of the host declarations

	templates []template // among Files
}

// FindConfig returns the configuration file to use when none is named: the
// first that exists of DefaultFiles, "" if none does.
func FindConfig() string { return findConfig(system().exists) }

// findConfig is FindConfig for any file system.
func findConfig(exists func(string) bool) string {
	for _, path := range DefaultFiles {
		if exists(path) {
			return path
		}
	}
	return ""
}

// ParseConfig reads and compiles a configuration file. Errors in it are
// findings of the Setup, not an error.
func ParseConfig(path string) *Setup { return parseConfig(path, nil) }

// parseConfig is ParseConfig with another way to look up host names; nil: the
// system's.
func parseConfig(path string, resolve func(string) ([]proto.Addr, error)) *Setup {
	return compileTree(path, config.ParseFile(path, config.Options{Resolve: resolve}))
}

// ParseConfigText is ParseConfig for a text that is in no file yet.
func ParseConfigText(source string, text []byte) *Setup {
	return compileTree(source, config.ParseText(source, text, config.Options{}))
}

// DeriveConfig makes the configuration for interfaces that have none: each
// network that they are on, and the guide's boot chain.
func DeriveConfig(links []plan.Link) (*Setup, error) {
	var text []byte
	var names []string
	for i := range links {
		// Texts of several interfaces stand one behind the other: what they
		// define twice, they define alike.
		for _, a := range links[i].Addrs {
			text = append(text, config.Derive(links[i].Name, a.Addr, a.Mask)...)
			names = append(names, fmt.Sprintf("%s (%s)", links[i].Name, cidr(a)))
			break // the primary address: one network per interface
		}
	}
	if text == nil {
		return nil, errors.New("no interface has an IPv4 address, so no configuration can be derived: give one an address, or write a configuration file")
	}
	source := "derived from " + strings.Join(names, ", ")
	s := compileTree(source, config.ParseText(source, text, config.Options{}))
	s.Derived = text
	return s, nil
}

// compileTree finishes a Setup from a parsed configuration.
func compileTree(source string, tree *config.Tree) *Setup {
	s := &Setup{Source: source, Tree: tree, Hosts: map[dhcp.HW]string{}}
	var findings []config.Finding
	s.Plan, findings = compile.Compile(tree)
	tree.Findings = append(tree.Findings, findings...)
	tree.Sort()
	// The core finds hosts by its own index; this one is for people, who know
	// nodes by name.
	for _, h := range tree.Hosts {
		for _, hw := range h.Host.Hardware {
			key := dhcp.HW{Type: hw.Type, Len: byte(min(len(hw.Addr), 16))}
			copy(key.Addr[:], hw.Addr)
			s.Hosts[key] = h.Name
		}
	}
	return s
}

// Err returns the errors of the configuration, rendered, nil if it can be used.
func (s *Setup) Err() error {
	if !s.Tree.HasErrors() && s.Plan != nil {
		return nil
	}
	var b strings.Builder
	for _, f := range s.Tree.Findings {
		if f.Severity == config.Error {
			b.WriteString(s.Tree.Render(f))
		}
	}
	return fmt.Errorf("the configuration %s cannot be used:\n%s", s.Source, strings.TrimRight(b.String(), "\n"))
}

// LoadFiles reads the boot files below root. previous, which may be nil, lends
// the files that have not changed since.
func (s *Setup) LoadFiles(root string, previous *image.Set) error {
	return s.loadFiles(root, previous, load.Builtin)
}

// loadFiles is LoadFiles with the built-in files to fall back on.
func (s *Setup) loadFiles(root string, previous *image.Set, fallback func() []load.File) error {
	o := load.Options{Root: root, Previous: previous, LimitBytes: s.Memory}
	if s.Derived != nil {
		// Without a configuration the server brings the guide's boot chain;
		// with one, the operator's root decides alone.
		o.Fallback = fallback()
	}
	generation := uint32(1)
	if previous != nil {
		generation = previous.Generation + 1
	}
	files, problems, err := load.Read(o, generation)
	if err != nil {
		return err
	}
	s.Files, s.Problems, s.templates = files, problems, templatesOf(files)
	return nil
}

// Missing returns a warning for each boot file that the configuration names and
// the files lack, once per place.
func (s *Setup) Missing() []config.Finding {
	if s.Files == nil {
		return nil
	}
	var out []config.Finding
	for _, n := range bootFiles(s.Tree) {
		if _, ok := s.Files.Lookup(n.name); !ok {
			out = append(out, config.Finding{Pos: n.pos, Severity: config.Warning, Width: len(n.name) + 2,
				Message: s.missingText(n.name), Remedy: s.missingRemedy(n.name)})
		}
	}
	return out
}

// missingText says what a missing file means for a node: it will not boot, and
// its console will not say why.
func (s *Setup) missingText(name []byte) string {
	return fmt.Sprintf("the boot file %q is not below %s: a client that is told to load it will not boot", name, s.Files.Root)
}

// missingRemedy says what to do, with the file that may have been meant.
func (s *Setup) missingRemedy(name []byte) string {
	if near := nearest(s.Files, string(name)); near != "" {
		return fmt.Sprintf("did you mean %q? Else put the file into %s", near, s.Files.Root)
	}
	return fmt.Sprintf("put the file into %s, or correct the name", s.Files.Root)
}

// missingByName is Missing for a log: one line per file, with all its places.
func (s *Setup) missingByName() (lines []string) {
	places := map[string]string{}
	var names [][]byte
	for _, n := range bootFiles(s.Tree) {
		if _, ok := s.Files.Lookup(n.name); ok {
			continue
		}
		at := fmt.Sprintf("%s:%d", n.pos.File, n.pos.Line)
		if have, seen := places[string(n.name)]; seen {
			at = fmt.Sprintf("%s, %d", have, n.pos.Line)
		} else {
			names = append(names, n.name)
		}
		places[string(n.name)] = at
	}
	for _, n := range names {
		lines = append(lines, fmt.Sprintf("%s (named in %s); %s", s.missingText(n), places[string(n)], s.missingRemedy(n)))
	}
	return lines
}

// readable gives a better reason than the parser can when the file named on the
// command line cannot be read at all.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // the parser says whose right is missing
		}
		return fmt.Errorf("configuration file %s: %s; name another with --config, or leave it out to derive one from the interface", path, reason.Of(err))
	}
	return f.Close()
}
