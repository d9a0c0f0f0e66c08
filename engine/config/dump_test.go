package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dumper writes a whole tree as text, for comparison with a reviewed copy.
type dumper struct{ strings.Builder }

func (d *dumper) line(depth int, format string, args ...any) {
	d.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

// scope writes a scope, its contents and its children.
func (d *dumper) scope(s *Scope, depth int) {
	d.line(depth, "%s %s:%d", s.Kind, s.Name, s.Pos.Line)
	depth++
	if s.Authoritative != nil {
		d.line(depth, "authoritative %v", *s.Authoritative)
	}
	if s.Subnet != nil {
		d.line(depth, "net %s %s %q", s.Subnet.Net, s.Subnet.Mask, s.Subnet.Interface)
	}
	d.pool(s.Pool, depth)
	d.host(s.Host, depth)
	if s.Kind == ScopeClass {
		d.class(s.Class, depth)
	}
	d.statements(s.Statements, depth)
	for _, c := range s.Children {
		d.scope(c, depth)
	}
}

func (d *dumper) pool(p *Pool, depth int) {
	if p == nil {
		return
	}
	for _, r := range p.Ranges {
		d.line(depth, "range %s %s bootp=%v", r.Low, r.High, r.BOOTP)
	}
	for _, e := range p.Permit {
		d.line(depth, "permit %d %s %d", e.Kind, e.Class, e.After)
	}
	for _, e := range p.Deny {
		d.line(depth, "deny %d %s %d", e.Kind, e.Class, e.After)
	}
}

func (d *dumper) host(h *Host, depth int) {
	if h == nil {
		return
	}
	for _, hw := range h.Hardware {
		d.line(depth, "hardware %d %x", hw.Type, hw.Addr)
	}
	if h.ClientID != nil {
		d.line(depth, "client %q", h.ClientID)
	}
	if h.Identifier != nil {
		d.line(depth, "identifier %s %q", h.Identifier.Name, h.IDValue)
	}
	for _, a := range h.Fixed {
		d.line(depth, "fixed %s", a)
	}
}

func (d *dumper) class(c *Class, depth int) {
	if c.MatchIf != nil {
		d.line(depth, "match if %s", shape(c.MatchIf))
	}
	if c.Match != nil {
		d.line(depth, "match %s", shape(c.Match))
	}
	if c.Spawn != nil {
		d.line(depth, "spawn %s", shape(c.Spawn))
	}
	d.line(depth, "limit %d", c.LeaseLimit)
	for _, s := range c.Subclasses {
		d.line(depth, "subclass %q limit %d body=%v", s.Data, s.Limit, s.Scope != nil)
	}
}

// statements writes a list of executable statements.
func (d *dumper) statements(list []Statement, depth int) {
	for i := range list {
		s := &list[i]
		text := fmt.Sprintf("%d:%d", s.Pos.Line, s.Pos.Col)
		if s.Option != nil {
			text += fmt.Sprintf(" %s.%s op=%d", s.Option.Space.Name, s.Option.Name, s.Op)
		}
		if s.Name != "" {
			text += " " + s.Name + " " + strings.Join(s.Args, ",")
		}
		if s.Expr != nil {
			text += " " + shape(s.Expr)
		}
		d.line(depth, "%s %s", statementNames[s.Kind], text)
		d.statements(s.Then, depth+1)
		if len(s.Else) > 0 {
			d.line(depth, "else")
			d.statements(s.Else, depth+1)
		}
		for _, c := range s.Cases {
			label := "default"
			if c.Value != nil {
				label = "case " + shape(c.Value)
			}
			d.line(depth, "%s", label)
			d.statements(c.Body, depth+1)
		}
	}
}

var statementNames = map[StatementKind]string{StatementOption: "option", StatementIf: "if", StatementSwitch: "switch",
	StatementBreak: "break", StatementSet: "set", StatementUnset: "unset", StatementDefine: "define", StatementReturn: "return",
	StatementEval: "eval", StatementLog: "log", StatementAdd: "add", StatementOn: "on", StatementVendorSpace: "vendor-space"}

// spaces writes the options that the file defines.
func (d *dumper) spaces(u *Universe) {
	for _, s := range u.Spaces {
		for _, o := range s.Options {
			if o.Pos.Line == 0 {
				continue
			}
			text := fmt.Sprintf("%s.%s code %d array=%v", s.Name, o.Name, o.Code, o.Format.Array)
			for _, f := range o.Format.Fields {
				text += fmt.Sprintf(" %d", f.Kind)
				if f.Array {
					text += "*"
				}
				if f.Compressed {
					text += "c"
				}
			}
			if o.Encapsulate != nil {
				text += " of " + o.Encapsulate.Name
			}
			d.line(0, "%s", text)
		}
	}
}

// TestTrees compares the whole tree of every good file with its reviewed dump.
func TestTrees(t *testing.T) {
	names, err := filepath.Glob("testdata/good/*.conf")
	if err != nil || len(names) < 5 {
		t.Fatalf("testdata/good is incomplete: %v, %v", names, err)
	}
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			tree := ParseFile(name, Options{Resolve: noNames})
			var d dumper
			d.spaces(tree.Universe)
			d.scope(tree.Root, 0)
			for _, n := range tree.Networks {
				d.line(0, "network %s line %d", n.Kind, n.Pos.Line)
			}
			got := strings.ReplaceAll(d.String(), fmt.Sprintf("%q", own), "OWN-NAME")
			golden := strings.TrimSuffix(name, ".conf") + ".tree"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the tree differs from %s; got:\n%s", golden, got)
			}
		})
	}
}
