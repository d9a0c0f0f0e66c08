package config

// EachStatement calls f once for every statement of the tree, wherever it stands:
// in hosts, classes and networks, and in the branches of conditions.
func (t *Tree) EachStatement(f func(*Statement)) {
	// Groups, hosts and classes are reached by more than one way.
	seen := map[*Scope]bool{}
	var scope func(*Scope)
	scope = func(s *Scope) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		Walk(s.Statements, f)
		for _, child := range s.Children {
			scope(child)
		}
	}
	scope(t.Root)
	for _, list := range [][]*Scope{t.Networks, t.Hosts} {
		for _, s := range list {
			scope(s)
		}
	}
	for _, class := range t.Classes {
		scope(class.Scope)
		for _, sub := range class.Subclasses {
			scope(sub.Scope)
		}
	}
}

// Walk calls f for the statements of a list and of the lists inside.
func Walk(list []Statement, f func(*Statement)) {
	for i := range list {
		s := &list[i]
		f(s)
		Walk(s.Then, f)
		Walk(s.Else, f)
		for k := range s.Cases {
			Walk(s.Cases[k].Body, f)
		}
	}
}
