package config

import "fmt"

// ifStatement reads "if BOOLEAN { … } [elsif … | else if … | else { … }]".
func (p *parser) ifStatement(out *[]Statement, x *execution, head token) bool {
	s := Statement{Kind: StatementIf, Pos: p.pos(&head)}
	if p.chain > maxChain {
		return p.fail(&head, fmt.Sprintf("a chain of more than %d conditions", maxChain), "use switch, or classes")
	}
	if s.Expr = p.condition(); s.Expr == nil {
		return false
	}
	if !p.executableBlock(&s.Then, x.nested(), head, "the if") {
		return false
	}
	ok := true
	switch elseToken := p.tok; {
	case p.accept("elsif"):
		ok = p.elseIf(&s.Else, x, elseToken)
	case p.accept("else"):
		if p.at("if") {
			p.advance()
			ok = p.elseIf(&s.Else, x, elseToken)
		} else {
			ok = p.executableBlock(&s.Else, x.nested(), elseToken, "the else")
		}
	}
	*out = append(*out, s)
	return ok
}

// elseIf reads the next link of a chain, which nests in the tree.
func (p *parser) elseIf(out *[]Statement, x *execution, head token) bool {
	p.chain++
	defer func() { p.chain-- }()
	return p.ifStatement(out, x, head)
}

// condition reads the condition of an if. As in dhcpd, a parenthesis at its very
// beginning encloses all of it.
func (p *parser) condition() *Expr {
	open := p.tok
	if !p.accept("(") {
		return p.boolean()
	}
	start := p.tok
	e := p.expression(contextBool)
	if e == nil || !p.expect(")", "at the end of the condition", "close the parenthesis") {
		return nil
	}
	if !p.at("{") {
		p.fail(&open, "a condition that begins with a parenthesis ends with the matching one, but more follows",
			"put the whole condition into parentheses: if ((A) and (B)) { … }")
		return nil
	}
	return p.mustBe(e, contextBool, TypeBool, start)
}

// switchStatement reads "switch (EXPR) { case VALUE: … default: … }".
func (p *parser) switchStatement(out *[]Statement, x *execution, head token) bool {
	if !p.expect("(", "after switch", "write switch (EXPR) { case VALUE: … }") {
		return false
	}
	s := Statement{Kind: StatementSwitch, Pos: p.pos(&head)}
	if s.Expr = p.expression(contextDataOrNumeric); s.Expr == nil {
		return false
	}
	if !p.expect(")", "after the expression of a switch", "close the parenthesis") || !p.enter(head, "the switch") {
		return false
	}
	// The labels are read as what the switch is about: case 10 is ten beside
	// a number; beside data octets would be meant, which cannot stand there.
	labels := contextNumeric
	if contextOf(s.Expr) == contextData {
		labels = contextData
	}
	inside := x.nested()
	inside.cases = true
	p.unlabelled(inside)
	for p.atLabel() {
		c, ok := p.label(labels)
		if !ok {
			p.recover()
			continue
		}
		p.executableBody(&c.Body, inside)
		s.Cases = append(s.Cases, c)
	}
	p.leave()
	*out = append(*out, s)
	return true
}

// unlabelled reads what stands before the first label of a switch. It is never
// executed.
func (p *parser) unlabelled(x *execution) {
	var lost []Statement
	t := p.tok
	p.executableBody(&lost, x)
	if len(lost) > 0 {
		p.warn(&t, "statements before the first case of a switch are never executed", "move them out, or under a case")
	}
}

// atLabel tells whether "case" or "default:" comes next; "default NAME VALUE" is
// a statement.
func (p *parser) atLabel() bool {
	if !p.at("default") {
		return p.at("case")
	}
	ahead := p.lex
	colon := ahead.next()
	return colon.is(":")
}

// label reads "case VALUE:" or "default:".
func (p *parser) label(context exprContext) (Case, bool) {
	head := p.advance()
	c := Case{Pos: p.pos(&head)}
	if head.is("default") {
		return c, p.accept(":")
	}
	if context == contextData && p.tok.numeric() {
		p.fail(&p.tok, "octets cannot stand bare in a case: their colons and the colon of the case cannot be told apart",
			`put them into parentheses: case (00:07): …`)
		return c, false
	}
	if c.Value = p.expression(context); c.Value == nil {
		return c, false
	}
	return c, p.expect(":", "after the value of a case", "write case VALUE:")
}

// events are the words after on, with their bits (Statement.Events).
var events = map[string]uint8{"commit": 1, "expiry": 2, "release": 4, "transmission": 8}

// onStatement reads "on EVENT [or EVENT …] { … }". It is checked and dropped:
// nothing is executed when a lease changes.
func (p *parser) onStatement(_ *[]Statement, x *execution, head token) bool {
	for {
		if events[p.tok.word] == 0 {
			return p.fail(&p.tok, fmt.Sprintf("expected an event after on, found %s", p.tok.describe()),
				"the events are commit, expiry and release")
		}
		p.advance()
		if !p.accept("or") {
			break
		}
	}
	head.end = p.last.end
	p.ignore(&head, "on")
	if p.accept(";") {
		return true
	}
	var dropped []Statement
	quiet := p.quiet
	p.quiet = true // the body has no effect as a whole, so not in its parts
	ok := p.executableBlock(&dropped, x.nested(), head, "the on")
	p.quiet = quiet
	return ok
}

// setStatement reads "set NAME = EXPR;", "define NAME = EXPR;" and the
// definition of a function, "define NAME (ARGUMENT, …) { … }".
func (p *parser) setStatement(out *[]Statement, x *execution, head token) bool {
	name := p.tok
	if !name.variable() {
		return p.fail(&name, fmt.Sprintf("expected the name of a variable, found %s", name.describe()),
			"choose a name that is no word of the language")
	}
	p.advance()
	s := Statement{Kind: StatementSet, Pos: p.pos(&head), Name: name.text}
	if p.at("(") {
		return p.function(out, x, &s, head)
	}
	if !p.expect("=", fmt.Sprintf("after %s %s", head.word, name.text), "write "+head.word+" NAME = EXPR;") {
		return false
	}
	if s.Expr = p.expression(contextAny); s.Expr == nil {
		return false
	}
	*out = append(*out, s)
	return p.semicolon()
}

// function reads the arguments and the body of a definition.
func (p *parser) function(out *[]Statement, x *execution, s *Statement, head token) bool {
	s.Kind = StatementDefine
	p.advance()
	for !p.at(")") {
		if !p.tok.variable() {
			return p.fail(&p.tok, fmt.Sprintf("expected the name of an argument, found %s", p.tok.describe()),
				"choose a name that is no word of the language")
		}
		s.Args = append(s.Args, p.advance().text)
		if !p.accept(",") {
			break
		}
	}
	if !p.expect(")", "after the arguments", "separate the arguments by commas") {
		return false
	}
	p.defined[s.Name] = true
	if !p.executableBlock(&s.Then, x.nested(), head, "the function "+s.Name) {
		return false
	}
	*out = append(*out, *s)
	return true
}

// unsetStatement reads "unset NAME;".
func (p *parser) unsetStatement(out *[]Statement, _ *execution, head token) bool {
	t := p.tok
	if !t.variable() {
		return p.fail(&t, fmt.Sprintf("expected the name of a variable, found %s", t.describe()), "write unset NAME;")
	}
	p.advance()
	*out = append(*out, Statement{Kind: StatementUnset, Pos: p.pos(&head), Name: t.text})
	return p.semicolon()
}

// logStatement reads "log ([PRIORITY,] DATA);".
func (p *parser) logStatement(out *[]Statement, _ *execution, head token) bool {
	s := Statement{Kind: StatementLog, Pos: p.pos(&head), Level: "info"}
	if !p.expect("(", "after log", `write log (info, "TEXT");`) {
		return false
	}
	switch p.tok.word {
	case "fatal", "error", "info", "debug":
		s.Level = p.advance().word
		if !p.expect(",", "after the priority", `write log (info, "TEXT");`) {
			return false
		}
	}
	if s.Expr = p.data(); s.Expr == nil {
		return false
	}
	*out = append(*out, s)
	return p.expect(")", "at the end of log", "close the parenthesis") && p.semicolon()
}

// executeStatement reads `execute ("PROGRAM", DATA, …);`. It is checked and
// dropped: no program is started.
func (p *parser) executeStatement(_ *[]Statement, _ *execution, head token) bool {
	p.ignore(&head, "execute")
	if !p.expect("(", "after execute", `write execute ("PROGRAM", ARGUMENT);`) {
		return false
	}
	if p.tok.kind != tokenString {
		return p.fail(&p.tok, fmt.Sprintf("expected the program in quotes, found %s", p.tok.describe()),
			`write execute ("PROGRAM", ARGUMENT);`)
	}
	p.advance()
	for p.accept(",") {
		if p.data() == nil {
			return false
		}
	}
	return p.expect(")", "at the end of execute", "close the parenthesis") && p.semicolon()
}
