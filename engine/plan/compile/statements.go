package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// block lays out a list of statements; those inside them come before it in the
// array, so each list is one run.
func (c *compiler) block(list []config.Statement) plan.Block {
	out := c.translate(list)
	first := int32(len(c.prog.Statements))
	c.prog.Statements = append(c.prog.Statements, out...)
	return plan.Block{First: first, Len: int32(len(out))}
}

// translate compiles a list of statements, leaving out those without effect.
func (c *compiler) translate(list []config.Statement) []plan.Statement {
	var out []plan.Statement
	for i := range list {
		s := &list[i]
		if x, ok := c.statement(s); ok {
			x.Origin = c.origin(s.Pos)
			out = append(out, x)
		}
	}
	return out
}

// statement compiles one statement; ok is false for one that leaves nothing to
// execute.
func (c *compiler) statement(s *config.Statement) (x plan.Statement, ok bool) {
	switch s.Kind {
	case config.StatementOption:
		return c.optionStatement(s)
	case config.StatementVendorSpace: // a parameter too: option 43 looks it up when it is written
		return plan.Statement{Kind: plan.DoSet, Target: plan.SlotOf(plan.VendorOptionSpace), Expr: c.constant([]byte(s.Name))}, true
	case config.StatementIf:
		return plan.Statement{Kind: plan.DoIf, Expr: c.expr(s.Expr), Then: c.block(s.Then), Else: c.block(s.Else)}, true
	case config.StatementSwitch:
		return c.switchStatement(s), true
	case config.StatementBreak:
		return plan.Statement{Kind: plan.DoBreak}, true
	case config.StatementSet:
		return plan.Statement{Kind: plan.DoVariable, Target: c.variable(s.Name), Expr: c.expr(s.Expr)}, true
	case config.StatementUnset:
		return plan.Statement{Kind: plan.DoUnset, Target: c.variable(s.Name)}, true
	case config.StatementReturn:
		return plan.Statement{Kind: plan.DoReturn, Expr: c.expr(s.Expr)}, true
	case config.StatementEval:
		return plan.Statement{Kind: plan.DoEval, Expr: c.expr(s.Expr)}, true
	case config.StatementLog:
		return plan.Statement{Kind: plan.DoLog, Target: priority(s.Level), Expr: c.expr(s.Expr)}, true
	case config.StatementAdd:
		return plan.Statement{Kind: plan.DoAdd, Target: c.class(s.Name, s.Pos)}, true
	}
	return x, false // define: declareFunctions has it; on: the parser has said that it has no effect
}

// operations: "option" and "send" supersede, as dhcpd's server treats them.
var operations = [...]plan.StatementKind{
	config.Supersede: plan.DoSet, config.Default: plan.DoDefault, config.Append: plan.DoAppend,
	config.Prepend: plan.DoPrepend, config.Send: plan.DoSet,
}

// optionStatement: parameters are options of space server, as they are in dhcpd,
// so one kind of statement sets both.
func (c *compiler) optionStatement(s *config.Statement) (x plan.Statement, ok bool) {
	slot, ok := c.slot(s.Option)
	if !ok {
		return x, false
	}
	return plan.Statement{Kind: operations[s.Op], Target: slot, Expr: c.optionValue(s)}, true
}

// optionValue compiles the value of an option statement: numbers and truth
// constants become the bytes of the option's first field.
func (c *compiler) optionValue(s *config.Statement) int32 {
	switch {
	case s.Expr == nil:
		return c.constant(nil)
	case s.Expr.Op == config.OpTrue:
		return c.constant([]byte{1})
	case s.Expr.Op == config.OpFalse:
		return c.constant([]byte{0})
	case s.Expr.Type == config.TypeNumber && s.Expr.Op != config.OpVariable && s.Expr.Op != config.OpCall:
		n := c.expr(s.Expr)
		return c.node(plan.Expr{Op: plan.OpEncodeInt, Width: numberWidth(s.Option.Format)}, n)
	case s.Expr.Type == config.TypeBool && s.Expr.Op != config.OpVariable && s.Expr.Op != config.OpCall:
		c.warn(s.Expr.Pos, "write it as \"if CONDITION { … } else { … }\" around two option statements",
			"a condition is no value for an option: nothing is sent")
	}
	return c.expr(s.Expr)
}

// numberWidth is the size in bytes of an option that is a number.
func numberWidth(f config.Format) uint8 {
	if len(f.Fields) > 0 && int(f.Fields[0].Kind) < len(widths) {
		if w := widths[f.Fields[0].Kind]; w == 1 || w == 2 || w == 4 {
			return uint8(w)
		}
	}
	return 4
}

// switchStatement puts all bodies into one run, so that falling through is
// going on.
func (c *compiler) switchStatement(s *config.Statement) plan.Statement {
	// Bodies and values are compiled first, since both append to the arrays that
	// the runs below must not be interrupted in.
	x := plan.Statement{Kind: plan.DoSwitch, Expr: c.expr(s.Expr)}
	var all []plan.Statement
	starts := make([]int, len(s.Cases))
	for i := range s.Cases {
		starts[i] = len(all)
		all = append(all, c.translate(s.Cases[i].Body)...)
	}
	values := make([]int32, len(s.Cases))
	for i := range s.Cases {
		if s.Cases[i].Value != nil {
			values[i] = c.expr(s.Cases[i].Value)
		}
	}
	first := int32(len(c.prog.Statements))
	c.prog.Statements = append(c.prog.Statements, all...)
	x.Then.First = int32(len(c.prog.Cases))
	for i := range s.Cases {
		body := plan.Block{First: first + int32(starts[i]), Len: int32(len(all) - starts[i])}
		if s.Cases[i].Value == nil {
			x.Else = body
			continue
		}
		c.prog.Cases = append(c.prog.Cases, plan.Case{Value: values[i], Body: body})
	}
	x.Then.Len = int32(len(c.prog.Cases)) - x.Then.First
	return x
}

// priority is the number for the word in a log statement; info is the default.
func priority(level string) int32 {
	switch level {
	case "fatal":
		return plan.LogFatal
	case "error":
		return plan.LogError
	case "debug":
		return plan.LogDebug
	}
	return plan.LogInfo
}

// variable numbers the names that set, define and function arguments use. One
// name is one variable everywhere; call hides it where it is an argument.
func (c *compiler) variable(name string) int32 {
	at, ok := c.variables[name]
	if !ok {
		at = int32(c.prog.Variables)
		c.prog.Variables++
		c.variables[name] = at
	}
	return at
}

// declareFunctions finds every define, first the names, so that functions can
// call each other, then the bodies.
func (c *compiler) declareFunctions() {
	var found []*config.Statement
	c.allScopes(func(s *config.Scope) {
		config.Walk(s.Statements, func(s *config.Statement) {
			if s.Kind == config.StatementDefine {
				found = append(found, s)
			}
		})
	})
	for _, s := range found {
		c.declareFunction(s)
	}
	for _, s := range found {
		c.prog.Functions[c.functions[s.Name]].Body = c.block(s.Then)
	}
}

// declareFunction notes a function's arguments. As dhcpd keeps definitions in
// variables, a second one replaces the first.
func (c *compiler) declareFunction(s *config.Statement) {
	if len(s.Args) > plan.MaxArguments {
		c.error(s.Pos, "pass fewer arguments; functions see the variables of their callers",
			"function %q has %d arguments; at most %d are possible", s.Name, len(s.Args), plan.MaxArguments)
	}
	f := plan.Function{First: int32(len(c.prog.Parameters)), Len: int32(len(s.Args))}
	for _, name := range s.Args {
		c.prog.Parameters = append(c.prog.Parameters, c.variable(name))
	}
	if at, ok := c.functions[s.Name]; ok {
		c.warn(s.Pos, "give one of them another name", "function %q is defined twice: the last definition counts", s.Name)
		c.prog.Functions[at] = f
		return
	}
	c.functions[s.Name] = int32(len(c.prog.Functions))
	c.prog.Functions = append(c.prog.Functions, f)
}
