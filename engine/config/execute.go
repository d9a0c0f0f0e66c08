package config

import "fmt"

// execution is where executable statements stand.
type execution struct {
	scope *Scope
	inner bool // inside if, switch, on or a function: no declarations
	cases bool // directly inside a switch: case labels may stand here
}

// nested is the execution inside braces of x.
func (x *execution) nested() *execution { return &execution{scope: x.scope, inner: true} }

// executables are the words that begin an executable statement (dhcp-eval(5)).
// It is filled in init because its functions refer to it.
var executables map[string]func(p *parser, out *[]Statement, x *execution, head token) bool

func init() {
	executables = map[string]func(p *parser, out *[]Statement, x *execution, head token) bool{
		"if":                  (*parser).ifStatement,
		"switch":              (*parser).switchStatement,
		"on":                  (*parser).onStatement,
		"break":               (*parser).breakStatement,
		"set":                 (*parser).setStatement,
		"define":              (*parser).setStatement,
		"unset":               (*parser).unsetStatement,
		"return":              (*parser).valueStatement,
		"eval":                (*parser).valueStatement,
		"log":                 (*parser).logStatement,
		"execute":             (*parser).executeStatement,
		"add":                 (*parser).addStatement,
		"option":              (*parser).modifyOption,
		"supersede":           (*parser).modifyOption,
		"default":             (*parser).modifyOption,
		"append":              (*parser).modifyOption,
		"prepend":             (*parser).modifyOption,
		"send":                (*parser).modifyOption,
		"allow":               (*parser).policy,
		"deny":                (*parser).policy,
		"ignore":              (*parser).policy,
		"parse-vendor-option": (*parser).refusedStatement,
	}
}

// executable reads one executable statement: a word of the table above, a
// parameter, or a bare expression.
func (p *parser) executable(out *[]Statement, x *execution) bool {
	t := p.tok
	if run, ok := executables[t.word]; ok && t.kind == tokenWord {
		p.advance()
		return run(p, out, x, t)
	}
	if t.identifier() {
		if d := p.spaces[SpaceServer].Lookup(t.text); d != nil && !t.is("authoritative") {
			p.advance()
			return p.parameter(out, x, &t, d)
		}
	}
	if t.variable() {
		return p.bareExpression(out, &t)
	}
	return p.notAStatement(&t, x)
}

// notAStatement reports what cannot begin a statement.
func (p *parser) notAStatement(t *token, x *execution) bool {
	switch {
	case t.is(";"):
		return p.fail(t, "a semicolon without a statement: dhcpd does not allow one after a closing brace",
			"delete it")
	case t.is("else") || t.is("elsif"):
		return p.fail(t, fmt.Sprintf("%s without an if before it", t.word), "write it directly after the } of the if")
	case t.is("case"):
		return p.fail(t, "case outside a switch", "write switch (EXPR) { case VALUE: … }")
	case t.kind == tokenWord && x.inner && declarations[t.word].run != nil:
		return p.fail(t, fmt.Sprintf("%s is a declaration, which cannot stand inside a condition", t.word),
			"declare it outside; give it a class of clients with class and match if")
	case t.identifier():
		return p.fail(t, fmt.Sprintf("%s does not begin a statement", t.describe()),
			didYouMean(t.text, p.statementWords(), "see dhcpd.conf(5)"))
	}
	return p.fail(t, fmt.Sprintf("expected a statement, found %s", t.describe()), "delete it, or complete the statement it belongs to")
}

// statementWords are all words that can begin a statement, for suggestions.
func (p *parser) statementWords() []string {
	words := append(p.spaces[SpaceServer].optionNames(), "else", "elsif")
	for w := range declarations {
		words = append(words, w)
	}
	for w := range executables {
		words = append(words, w)
	}
	return sortedCopy(words)
}

// bareExpression reads an expression that stands alone: the call of a function,
// or, mostly, a word that is nothing. dhcpd takes "autoritative;" for the value
// of a variable of that name, and drops it.
func (p *parser) bareExpression(out *[]Statement, t *token) bool {
	// With a value behind it, it was meant to be a parameter.
	ahead := p.lex
	after := ahead.next()
	plain := after.is(";") || after.kind == tokenEnd || after.is("}")
	if !plain && (after.identifier() || after.kind == tokenString || after.kind == tokenNumber) {
		return p.fail(t, fmt.Sprintf("there is no parameter or statement %s", t.describe()),
			didYouMean(t.text, p.statementWords(), "see dhcpd.conf(5)"))
	}
	e := p.expression(contextData)
	if e == nil {
		return false
	}
	if e.Op != OpCall {
		t.end = p.last.end
		p.repeated("bare", t, func() (string, string) {
			return fmt.Sprintf("%s is accepted without effect: it is an expression, not a statement", quoteShort(t.fullName(p))),
				didYouMean(t.text, p.statementWords(), "delete it")
		})
		return p.semicolon()
	}
	*out = append(*out, Statement{Kind: StatementEval, Pos: e.Pos, Expr: e})
	return p.semicolon()
}

// executableBlock reads "{ … }" of executable statements.
func (p *parser) executableBlock(out *[]Statement, x *execution, head token, what string) bool {
	if !p.enter(head, what) {
		return false
	}
	p.executableBody(out, x)
	p.leave()
	return true
}

// executableBody reads executable statements up to a closing brace or, in a
// switch, the next label.
func (p *parser) executableBody(out *[]Statement, x *execution) {
	for p.tok.kind != tokenEnd && !p.at("}") {
		if x.cases && p.atLabel() {
			return
		}
		if d := declarations[p.tok.word]; p.tok.kind == tokenWord && d.run != nil && executables[p.tok.word] == nil && p.closesHere() {
			p.forgotten()
			return
		}
		start := p.tok.off
		if !p.executable(out, x) {
			p.recover()
		}
		if p.tok.off == start && !p.at("}") {
			p.advance()
		}
	}
}

// breakStatement reads "break;".
func (p *parser) breakStatement(out *[]Statement, _ *execution, head token) bool {
	*out = append(*out, Statement{Kind: StatementBreak, Pos: p.pos(&head)})
	return p.semicolon()
}

// valueStatement reads "return EXPR;" and "eval EXPR;".
func (p *parser) valueStatement(out *[]Statement, _ *execution, head token) bool {
	kind := StatementEval
	if head.is("return") {
		kind = StatementReturn
	}
	e := p.expression(contextData)
	if e == nil {
		return false
	}
	*out = append(*out, Statement{Kind: kind, Pos: p.pos(&head), Expr: e})
	return p.semicolon()
}

// addStatement reads `add "CLASS";`.
func (p *parser) addStatement(out *[]Statement, _ *execution, head token) bool {
	c := p.className()
	if c == nil {
		return false
	}
	*out = append(*out, Statement{Kind: StatementAdd, Pos: p.pos(&head), Name: c.Name})
	return p.semicolon()
}

// refusedStatement reports a statement that is not supported.
func (p *parser) refusedStatement(_ *[]Statement, _ *execution, head token) bool {
	return p.refuse(&head, head.word)
}
