package config

import "fmt"

// exprContext is what the place of an expression wants; it decides what a bare
// number is: in a numeric place 10 is ten, elsewhere the octet 0x10.
type exprContext uint8

const (
	contextAny exprContext = iota // a variable or call is of any type
	contextBool
	contextData
	contextNumeric
	contextDataOrNumeric
)

// contextOf is the type of an expression as its neighbour sees it.
func contextOf(e *Expr) exprContext {
	switch {
	case e.Op == OpVariable || e.Op == OpCall:
		return contextAny
	case e.Type == TypeBool:
		return contextBool
	case e.Type == TypeNumber:
		return contextNumeric
	}
	return contextData
}

// String names a context in a message.
func (c exprContext) String() string {
	return [...]string{"an expression", "a condition", "data", "a number", "data or a number"}[c]
}

// boolean reads an expression that must be a condition.
func (p *parser) boolean() *Expr { return p.typed(contextBool, TypeBool) }

// data reads an expression that must yield data.
func (p *parser) data() *Expr { return p.typed(contextData, TypeData) }

// numeric reads an expression that must yield a number.
func (p *parser) numeric() *Expr { return p.typed(contextNumeric, TypeNumber) }

// typed reads an expression of one type. A variable or a call counts as what is
// wanted; its value decides at run time.
func (p *parser) typed(context exprContext, t Type) *Expr {
	start := p.tok
	e := p.expression(context)
	if e == nil {
		return nil
	}
	return p.mustBe(e, context, t, start)
}

// mustBe checks the type of an expression that begins at start.
func (p *parser) mustBe(e *Expr, context exprContext, t Type, start token) *Expr {
	switch c := contextOf(e); c {
	case contextAny:
		e.Type = t
	case context:
	default:
		start.end = p.last.end
		p.fail(&start, fmt.Sprintf("expected %s here, this is %s", context, c), typeRemedy(context))
		return nil
	}
	return e
}

func typeRemedy(context exprContext) string {
	switch context {
	case contextBool:
		return `compare it (= "VALUE"), or use exists, known, not, and, or`
	case contextNumeric:
		return "write a number, or extract-int (DATA, 8)"
	}
	return "write text in quotes, option NAME, substring (…), concat (…) or encode-int (…)"
}

// operator is a binary operator: the operation, the type of its result, and how
// tightly it binds.
type operator struct {
	op      Op
	result  Type
	rank    int         // dhcpd's: the higher binds tighter. * binds less than +
	operand exprContext // what the right side is read as when it binds tighter
}

var operators = map[string]operator{
	"=":   {OpEqual, TypeBool, 4, contextData},
	"!=":  {OpNotEqual, TypeBool, 4, contextData},
	"~=":  {OpRegex, TypeBool, 4, contextData},
	"~~":  {OpRegexNoCase, TypeBool, 4, contextData},
	"and": {OpAnd, TypeBool, 3, contextBool},
	"or":  {OpOr, TypeBool, 3, contextBool},
	"+":   {OpAdd, TypeNumber, 2, contextNumeric},
	"*":   {OpMultiply, TypeNumber, 1, contextNumeric},
	"/":   {OpDivide, TypeNumber, 1, contextNumeric},
	"%":   {OpRemainder, TypeNumber, 1, contextNumeric},
	"&":   {OpBinaryAnd, TypeNumber, 100, contextNumeric},
	"|":   {OpBinaryOr, TypeNumber, 100, contextNumeric},
	"^":   {OpBinaryXor, TypeNumber, 100, contextNumeric},
}

// expression reads an expression; nil if it has an error, which is reported.
func (p *parser) expression(context exprContext) *Expr {
	return p.binary(context, nil, operator{})
}

// binary reads operands and operators from left to right. lhs and op are what
// stands before, if anything does. The grouping is dhcpd's, which differs from
// the usual one: and and or bind alike; after an operator that binds tighter
// than the one before, all the rest of the expression belongs to its right
// side; and + binds tighter than *.
func (p *parser) binary(context exprContext, lhs *Expr, op operator) *Expr {
	if p.exprDepth++; p.exprDepth > maxExprDepth {
		p.exprDepth--
		p.fail(&p.tok, fmt.Sprintf("an expression of more than %d levels", maxExprDepth), "split it over several classes")
		return nil
	}
	defer func() { p.exprDepth-- }()
	for {
		rhs := p.primary(context)
		if rhs == nil {
			return nil
		}
		text, sign, ok := p.peekOperator()
		if !ok {
			return nil
		}
		more := text != ""
		if more {
			context = contextOf(rhs)
			p.passOperator(text)
		}
		if lhs == nil {
			if !more {
				return rhs
			}
			lhs, op = rhs, sign
			continue
		}
		if more && op.rank < sign.rank {
			if rhs = p.binary(sign.operand, rhs, sign); rhs == nil {
				return nil
			}
			more = false
		}
		if lhs = p.combine(op, lhs, rhs); lhs == nil || !more {
			return lhs
		}
		op = sign
	}
}

// peekOperator looks at the next token for an operator; text is "" if there is
// none. Operators of two characters begin with one that is none.
func (p *parser) peekOperator() (text string, op operator, ok bool) {
	t := p.tok
	if t.kind != tokenPunct && t.kind != tokenWord {
		if t.kind == tokenNumber && t.text[0] == '-' && len(p.last.text) > 0 && p.last.line == t.line {
			return "", op, p.fail(&t, "there is no minus in expressions: dhcpd reads it as the sign of a number",
				"add a negative number: + -1")
		}
		return "", op, true
	}
	text = t.text
	if t.kind == tokenWord {
		text = t.word
	}
	if text == "!" || text == "~" {
		ahead := p.lex
		second := ahead.next()
		text += second.text
		if _, known := operators[text]; !known {
			return "", op, p.fail(&t, fmt.Sprintf("expected an operator, found %s", t.describe()),
				"the comparisons are =, !=, ~= and ~~; negation is the word not")
		}
	}
	op, known := operators[text]
	if !known {
		text = ""
	}
	return text, op, true
}

// passOperator consumes an operator that peekOperator found.
func (p *parser) passOperator(text string) {
	p.advance()
	if text == "!=" || text == "~=" || text == "~~" {
		p.advance()
	}
}

// combine makes an expression of an operator and its sides, whose types must
// agree.
func (p *parser) combine(op operator, lhs, rhs *Expr) *Expr {
	l, r := contextOf(lhs), contextOf(rhs)
	e := &Expr{Op: op.op, Type: op.result, Pos: lhs.Pos, Args: []*Expr{lhs, rhs}}
	if l != contextAny && r != contextAny && l != r {
		p.failExpr(rhs, fmt.Sprintf("the two sides are of different types: %s and %s", l, r),
			"compare text with text; use extract-int (DATA, 8) for numbers; put parentheses around each comparison")
		return nil
	}
	switch {
	case op.rank == 4 && r == contextBool:
		p.failExpr(rhs, "conditions cannot be compared with each other", "join them with and, or, not")
		return nil
	case op.op == OpRegex && r != contextData:
		p.failExpr(rhs, "a pattern is text", `write DATA ~= "PATTERN"`)
		return nil
	case op.rank == 3 && r != contextBool && r != contextAny:
		p.failExpr(rhs, fmt.Sprintf("and and or join conditions; this is %s", r), typeRemedy(contextBool))
		return nil
	case op.result == TypeNumber && r != contextNumeric && r != contextAny:
		p.failExpr(rhs, fmt.Sprintf("this operator takes numbers; this is %s", r), typeRemedy(contextNumeric))
		return nil
	}
	p.settle(op, lhs, l, rhs, r)
	return e
}

// settle gives variables and calls the type that their place wants.
func (p *parser) settle(op operator, lhs *Expr, l exprContext, rhs *Expr, r exprContext) {
	want := TypeData
	switch {
	case op.rank == 3:
		want = TypeBool
	case op.result == TypeNumber || l == contextNumeric || r == contextNumeric:
		want = TypeNumber
	}
	if l == contextAny {
		lhs.Type = want
	}
	if r == contextAny {
		rhs.Type = want
	}
}

// failExpr reports an error at an expression.
func (p *parser) failExpr(e *Expr, message, remedy string) {
	p.add(Finding{Pos: e.Pos, Severity: Error, Width: 1, Message: message, Remedy: remedy})
}
