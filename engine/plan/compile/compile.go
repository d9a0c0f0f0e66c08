// Package compile turns a parsed configuration into a plan: it resolves every
// name to an index, lays statements and expressions out in flat arrays, builds
// the tables by which hosts, subclasses and addresses are found, and reports
// what makes sense to the parser and still cannot work. It is cold code.
package compile

import (
	"sort"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// compiler holds what is known while one tree is compiled.
type compiler struct {
	tree     *config.Tree
	plan     *plan.Plan
	prog     *plan.Program
	findings []config.Finding
	failed   bool

	// What the tree names is found by these; the values are indexes into the
	// plan's slices.
	scopes    map[*config.Scope]int32
	subnetOf  map[*config.Scope]int32
	spaces    map[*config.Space]int32
	slots     map[slotKey]int32 // of options in spaces other than dhcp and server
	variables map[string]int32
	functions map[string]int32
	classes   map[string]int32
	adHoc     map[adHocKey]int32

	constants map[string]uint32    // where bytes stand in Program.Data
	origins   map[config.Pos]int32 // one per place, however many statements come of it
	lines     map[string][]string  // text of the source files

	repeats       map[string]*repeat
	pingElsewhere bool // a class or host sets ping-check
}

// slotKey names an option outside the space dhcp: its slots are given out as
// statements need them.
type slotKey struct {
	space *config.Space
	code  uint32
}

// Compile makes the plan of a configuration. The findings are those of compile
// time, in order of position; the plan is nil if one of them is an error or if
// the tree has errors of its own.
func Compile(t *config.Tree) (*plan.Plan, []config.Finding) {
	for i := range t.Findings {
		if t.Findings[i].Severity == config.Error {
			return nil, nil
		}
	}
	// The order matters: names before what uses them, statements before the pools
	// that read them, ranges before the hosts that are checked against them.
	c := newCompiler(t)
	c.scope(t.Root) // the global scope is 0: Decide relies on it
	c.declareSpaces()
	c.declareFunctions()
	c.declareClasses()
	c.statements()
	c.findPingElsewhere()
	c.networks()
	c.guard()
	c.hosts()
	c.rules()
	c.finishSpaces()
	c.check()
	c.tellRepeats()
	sort.SliceStable(c.findings, func(i, j int) bool { return before(c.findings[i].Pos, c.findings[j].Pos) })
	if c.failed {
		return nil, c.findings
	}
	return c.plan, c.findings
}

// newCompiler has all tables empty; -1 and absence mean none in each of them.
func newCompiler(t *config.Tree) *compiler {
	c := &compiler{
		tree:      t,
		plan:      &plan.Plan{},
		origins:   map[config.Pos]int32{},
		lines:     map[string][]string{},
		scopes:    map[*config.Scope]int32{},
		spaces:    map[*config.Space]int32{},
		slots:     map[slotKey]int32{},
		variables: map[string]int32{},
		functions: map[string]int32{},
		classes:   map[string]int32{},
		constants: map[string]uint32{},
		subnetOf:  map[*config.Scope]int32{},
		adHoc:     map[adHocKey]int32{},
		repeats:   map[string]*repeat{},
	}
	c.prog = &c.plan.Program
	return c
}

// before orders places as a reader meets them.
func before(a, b config.Pos) bool {
	if a.File != b.File {
		return a.File < b.File
	}
	if a.Line != b.Line {
		return a.Line < b.Line
	}
	return a.Col < b.Col
}

// scope returns the index of a scope, which is made on first sight, after the
// one around it: parents come first and the global scope is 0.
func (c *compiler) scope(s *config.Scope) int32 {
	if s == nil {
		return -1
	}
	if at, ok := c.scopes[s]; ok {
		return at
	}
	parent := c.scope(s.Parent)
	if s.Kind == config.ScopePool {
		// As in dhcpd, a pool stands in its network, whatever is around it.
		parent = c.scope(networkScope(s))
	}
	at := int32(len(c.prog.Scopes))
	c.prog.Scopes = append(c.prog.Scopes, plan.Scope{Parent: parent})
	c.scopes[s] = at
	return at
}

// networkScope returns what stands for the network around a pool: its
// shared-network, or a subnet that stands in none, which is a network by itself.
// This decides what is executed twice, and first, in dhcpd: the statements of a
// subnet in a shared-network are not around its pools, so they are executed
// again for a host or class that is declared inside the subnet.
func networkScope(s *config.Scope) *config.Scope {
	outer := s
	for at := s; at != nil; at = at.Parent {
		switch at.Kind {
		case config.ScopeSharedNetwork:
			return at
		case config.ScopeSubnet:
			outer = at
		}
	}
	return outer
}

// each calls f for a scope and all scopes in it, in the order of declaration.
func each(s *config.Scope, f func(*config.Scope)) {
	f(s)
	for _, child := range s.Children {
		each(child, f)
	}
}

// allScopes calls f once for every scope of the tree, wherever it hangs.
func (c *compiler) allScopes(f func(*config.Scope)) {
	seen := map[*config.Scope]bool{}
	once := func(s *config.Scope) {
		if s != nil && !seen[s] {
			seen[s] = true
			f(s)
		}
	}
	each(c.tree.Root, once)
	for _, s := range c.tree.Networks {
		each(s, once)
	}
	for _, s := range c.tree.Hosts {
		once(s)
	}
	for _, class := range c.tree.Classes {
		once(class.Scope)
		for _, sub := range class.Subclasses {
			once(sub.Scope)
		}
	}
}

// statements compiles the body of every scope.
func (c *compiler) statements() {
	c.allScopes(func(s *config.Scope) {
		at := c.scope(s)
		c.prog.Scopes[at].Body = c.block(s.Statements)
	})
}
