// Package fill makes a boot file out of a template for one node. A template is a
// file whose name ends in ".tmpl", in the language of text/template; it is served
// under the name without that ending.
//
// # What a template can say
//
//	{{.Host}}     name of the host declaration, else the host-name option; empty if neither
//	{{.MAC}}      52:54:00:12:34:01
//	{{.MACDash}}  52-54-00-12-34-01
//	{{.Address}}  the node's address
//	{{.Mask}}     subnet mask
//	{{.Gateway}}  first of the routers; empty if none
//	{{.Server}}   next-server, else this server
//	{{.Option "domain-name"}}            an option's value, by its name in dhcpd.conf(5); an error if the node gets none
//	{{with index .Options "log-servers"}}…{{end}}   likewise, where it may be missing
//
// Several values of an option are separated by single spaces. The options are what
// the configuration gives a node with this hardware and IP address; conditions on
// what its firmware says of itself (classes, architecture) see nothing of that.
//
// # Bounds
//
// A boot server must not hang on a template, so what could run for long is refused
// when the file is read: loops over anything but the options, loops in loops, and
// templates that call others. No value and no file grows over MaxSize.
package fill

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// Suffix is how the name of a template ends.
const Suffix = ".tmpl"

// MaxSize is the largest template, the largest file that is made of one, and the
// largest value in it, bytes.
const MaxSize = 64 << 10

// Node is what is filled in.
type Node struct {
	Host, MAC, MACDash, Address, Mask, Gateway, Server string

	Options map[string]string // by name
}

// Option returns the value of an option that the node must have.
func (n *Node) Option(name string) (string, error) {
	v, ok := n.Options[name]
	if !ok {
		return "", fmt.Errorf("the configuration gives this node no option %s", name)
	}
	return v, nil
}

// Template is a file that was understood.
type Template struct{ t *template.Template }

// errLarge says that a bound was met.
var errLarge = fmt.Errorf("it becomes larger than %d KiB", MaxSize>>10)

// bounded keeps what a function makes from growing without end.
func bounded(f func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		s := f(args...)
		if len(s) > MaxSize {
			return "", errLarge
		}
		return s, nil
	}
}

// functions take the place of those of the same name that have no bound.
var functions = template.FuncMap{
	"print": bounded(fmt.Sprint), "println": bounded(fmt.Sprintln), "html": bounded(template.HTMLEscaper),
	"js": bounded(template.JSEscaper), "urlquery": bounded(template.URLQueryEscaper),
	"printf": func(format string, args ...any) (string, error) {
		return bounded(func(a ...any) string { return fmt.Sprintf(format, a...) })(args...)
	},
}

// Parse reads a template. path is what errors name, with the line.
func Parse(path string, text []byte) (*Template, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s: a template has at most %d KiB", path, MaxSize>>10)
	}
	t, err := template.New(path).Option("missingkey=error").Funcs(functions).Parse(string(text))
	if err != nil {
		return nil, plain(err)
	}
	if len(t.Templates()) > 1 {
		return nil, fmt.Errorf("%s: {{define}} and {{block}} are not supported: write the text where it belongs", path)
	}
	if t.Tree != nil {
		if err := check(t.Tree, t.Tree.Root, false); err != nil {
			return nil, err
		}
	}
	return &Template{t}, nil
}

// plain takes the word in front of an error away that says nothing here.
func plain(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "template: ")) }

// check refuses what could run for long. loop tells whether n is inside a loop.
func check(t *parse.Tree, n parse.Node, loop bool) error {
	at := func(n parse.Node, text string) error {
		where, _ := t.ErrorContext(n)
		return fmt.Errorf("%s: %s", where, text)
	}
	branch := func(b *parse.BranchNode, loop bool) error {
		err := check(t, b.List, loop)
		if err == nil && b.ElseList != nil {
			err = check(t, b.ElseList, loop)
		}
		return err
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			if err := check(t, c, loop); err != nil {
				return err
			}
		}
	case *parse.IfNode:
		return branch(&n.BranchNode, loop)
	case *parse.WithNode:
		return branch(&n.BranchNode, loop)
	case *parse.RangeNode:
		if over := n.Pipe.Cmds[len(n.Pipe.Cmds)-1].String(); loop || over != ".Options" && over != "$.Options" {
			return at(n, "{{range}} works on .Options only, and not inside another")
		}
		return branch(&n.BranchNode, true)
	case *parse.TemplateNode:
		return at(n, "{{template}} is not supported: write the text where it belongs")
	}
	return nil
}

// Fill makes the file for a node.
func (t *Template) Fill(n *Node) ([]byte, error) {
	var w limited
	if err := t.t.Execute(&w, n); err != nil {
		return nil, plain(err)
	}
	return w.b, nil
}

// limited is a buffer that takes MaxSize bytes.
type limited struct{ b []byte }

// Write fails on what does not fit.
func (w *limited) Write(b []byte) (int, error) {
	if len(w.b)+len(b) > MaxSize {
		return 0, errLarge
	}
	w.b = append(w.b, b...)
	return len(b), nil
}
