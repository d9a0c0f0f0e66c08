package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The kinds of what the compiler says.
const (
	kindEscape = "escape" // a value is put on the heap
	kindBounds = "bounds" // an index or a slice expression is checked when it runs
)

// key names what is counted. It has no line, so that an edit elsewhere in the
// file changes nothing.
type key struct{ pkg, function, kind string }

// remark is one thing the compiler said, and where.
type remark struct{ place, text string }

// findings are the remarks on each function, without repetition: the compiler
// repeats itself where it inlines.
type findings map[key][]remark

// said matches a diagnostic of the compiler.
var said = regexp.MustCompile(`^(\S+\.go):(\d+):(\d+): (.*)$`)

// inspect compiles the packages and reads what the compiler says. The go
// command repeats what a cached compilation said.
func inspect(root string, packages []string) (findings, error) {
	args := []string{"build", "-gcflags=-m -d=ssa/check_bce/debug=1"}
	for _, p := range packages {
		args = append(args, "./"+p)
	}
	c := exec.Command("go", args...)
	c.Dir = root
	out, err := c.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	module, err := moduleOf(root)
	if err != nil {
		return nil, err
	}
	s := scan{root: root, found: findings{}, seen: map[string]bool{}, files: map[string][]span{}}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := lines.Text()
		if p, ok := strings.CutPrefix(line, "# "+module+"/"); ok {
			s.pkg = p
		} else if err := s.line(line); err != nil {
			return nil, err
		}
	}
	if len(s.seen) == 0 {
		return nil, errors.New("the compiler said nothing: its flags may have changed")
	}
	return s.found, nil
}

// moduleOf returns the module's path.
func moduleOf(root string) (string, error) {
	c := exec.Command("go", "list", "-m")
	c.Dir = root
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// scan is the state of inspect.
type scan struct {
	root, pkg string
	found     findings
	seen      map[string]bool
	files     map[string][]span
}

// line takes one line of the compiler's output.
func (s *scan) line(line string) error {
	m := said.FindStringSubmatch(line)
	if m == nil || s.seen[s.pkg+" "+line] {
		return nil
	}
	kind := kindOf(m[4])
	if kind == "" {
		return nil
	}
	s.seen[s.pkg+" "+line] = true
	file := filepath.Clean(m[1])
	at, err := strconv.Atoi(m[2])
	if err != nil {
		return err
	}
	name, err := s.functionAt(file, at)
	if err != nil {
		return err
	}
	if dir := packageOf(file); dir != s.pkg {
		name = dir + "." + name // inlined, or made for types of this package
	}
	k := key{s.pkg, name, kind}
	s.found[k] = append(s.found[k], remark{m[1] + ":" + m[2] + ":" + m[3], m[4]})
	return nil
}

// packageOf is the package of a file by its folder, below the module or among
// the standard library's.
func packageOf(file string) string {
	dir := filepath.ToSlash(filepath.Dir(file))
	if i := strings.LastIndex(dir, "/src/"); filepath.IsAbs(file) && i >= 0 {
		return dir[i+len("/src/"):]
	}
	return dir
}

// kindOf sorts what the compiler says; "" is of no interest.
func kindOf(text string) string {
	switch {
	case strings.HasSuffix(text, " does not escape"):
		return ""
	case strings.Contains(text, "escapes to heap"), strings.HasPrefix(text, "moved to heap"):
		return kindEscape
	case strings.HasPrefix(text, "Found Is"): // IsInBounds, IsSliceInBounds
		return kindBounds
	}
	return ""
}

// span is where a function stands in its file.
type span struct {
	name     string
	from, to int
}

// functionAt names the function around a line; literals belong to the function
// that they stand in.
func (s *scan) functionAt(file string, line int) (string, error) {
	if _, ok := s.files[file]; !ok {
		path := file
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.root, file)
		}
		spans, err := functionsOf(path)
		if err != nil {
			return "", err
		}
		s.files[file] = spans
	}
	for _, f := range s.files[file] {
		if f.from <= line && line <= f.to {
			return f.name, nil
		}
	}
	return "var", nil // of a package's variable
}

// functionsOf lists the functions of a file.
func functionsOf(path string) ([]span, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, d := range tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			spans = append(spans, span{nameOf(f), set.Position(f.Pos()).Line, set.Position(f.End()).Line})
		}
	}
	return spans, nil
}

// nameOf is F, T.F or (*T).F without spaces or type parameters.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t, form := f.Recv.List[0].Type, "%s.%s"
	if star, ok := t.(*ast.StarExpr); ok {
		t, form = star.X, "(*%s).%s"
	}
	switch g := t.(type) {
	case *ast.IndexExpr:
		t = g.X
	case *ast.IndexListExpr:
		t = g.X
	}
	return fmt.Sprintf(form, t.(*ast.Ident).Name, f.Name.Name)
}
