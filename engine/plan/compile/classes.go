package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// class returns the index of a class by name. The parser knows the names, so an
// unknown one is a mistake of whoever made the tree.
func (c *compiler) class(name string, pos config.Pos) int32 {
	at, ok := c.classes[name]
	if !ok {
		c.error(pos, "declare the class, or correct the name", "no class %q is declared", name)
	}
	return at
}

// declareClasses gives every class, and every subclass with a body, its entry:
// statements and pools refer to classes that stand further down.
func (c *compiler) declareClasses() {
	for _, class := range c.tree.Classes {
		at := int32(len(c.plan.Classes))
		c.classes[class.Name] = at
		c.plan.Classes = append(c.plan.Classes, plan.Class{
			Name: class.Name, LeaseLimit: class.LeaseLimit, Spawning: class.Spawn != nil,
			Super: -1, Scope: c.scope(class.Scope), Origin: c.origin(class.Pos),
		})
	}
	for _, class := range c.tree.Classes {
		for _, sub := range class.Subclasses {
			c.subclass(sub, c.classes[class.Name], class)
		}
	}
}

// subclass makes the entry by which the match value is found. Only a subclass
// with a body has statements to execute, so only that gets a class of its own;
// the others stand for their class.
func (c *compiler) subclass(sub *config.Subclass, super int32, class *config.Class) {
	limit := sub.Limit
	if limit == 0 {
		limit = class.LeaseLimit
	}
	own := super
	if sub.Scope != nil {
		own = int32(len(c.plan.Classes))
		c.plan.Classes = append(c.plan.Classes, plan.Class{
			Name: class.Name, LeaseLimit: limit, Super: super,
			Scope: c.scopeIn(sub.Scope, class.Scope), Origin: c.origin(sub.Pos),
		})
	}
	c.prog.Subclasses = append(c.prog.Subclasses, plan.Subclass{
		Class: super, Own: own, Limit: limit, Off: c.bytes(sub.Data), Len: uint32(len(sub.Data)),
	})
}

// scopeIn makes a subclass's scope with the class's around it, wherever the
// subclass stands: the class's statements apply to its members.
func (c *compiler) scopeIn(s, outer *config.Scope) int32 {
	at := c.scope(s)
	if outer != nil && s != outer {
		c.prog.Scopes[at].Parent = c.scope(outer)
	}
	return at
}

// rules compiles how classes recognise their members, and the table of
// subclasses.
func (c *compiler) rules() {
	for _, class := range c.tree.Classes {
		key := class.Spawn
		if key == nil {
			key = class.Match
		}
		if class.MatchIf == nil && key == nil {
			continue // its members come from "add" statements
		}
		r := plan.ClassRule{Class: c.classes[class.Name], Match: -1, Key: -1}
		if class.MatchIf != nil {
			r.Match = c.expr(class.MatchIf)
		}
		if key != nil {
			r.Key = c.expr(key)
			r.Flags = c.prog.Exprs[r.Key].Flags
		}
		c.prog.Rules = append(c.prog.Rules, r)
	}
	c.indexSubclasses()
}

// indexSubclasses builds the open addressing table that Classify searches. Equal
// match values have the same offset in the data, because constants are stored
// once.
func (c *compiler) indexSubclasses() {
	all := c.prog.Subclasses
	if len(all) == 0 {
		return
	}
	slots := table(len(all))
	mask := uint64(len(slots) - 1)
	for i := range all {
		s := &all[i]
		at := plan.HashKey(uint32(s.Class), c.prog.Data[s.Off:s.Off+s.Len]) & mask
		for slots[at] >= 0 {
			if o := &all[slots[at]]; o.Class == s.Class && o.Off == s.Off && o.Len == s.Len {
				break // declared again: the last declaration counts
			}
			at = (at + 1) & mask
		}
		slots[at] = int32(i)
	}
	c.prog.SubclassHash = slots
}
