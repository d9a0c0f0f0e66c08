package config

import (
	"fmt"
	"os"
	"strconv"
)

// function is a word of dhcp-eval(5) with its arguments, a letter each: d data,
// n number, w the width 8, 16 or 32; a last + means that data may follow.
type function struct {
	op     Op
	result Type
	args   string
}

var functions = map[string]function{
	"substring":        {OpSubstring, TypeData, "dnn"},
	"suffix":           {OpSuffix, TypeData, "dn"},
	"lcase":            {OpLowerCase, TypeData, "d"},
	"ucase":            {OpUpperCase, TypeData, "d"},
	"concat":           {OpConcat, TypeData, "dd+"},
	"reverse":          {OpReverse, TypeData, "nd"},
	"binary-to-ascii":  {OpBinaryToASCII, TypeData, "nndd"},
	"encode-int":       {OpEncodeInt, TypeData, "nw"},
	"extract-int":      {OpExtractInt, TypeNumber, "dw"},
	"pick-first-value": {OpPick, TypeData, "d+"},
	"pick":             {OpPick, TypeData, "d+"},
	"packet":           {OpPacket, TypeData, "nn"},
}

// constants are the words that are an expression by themselves.
var constants = map[string]function{
	"hardware":       {OpHardware, TypeData, ""},
	"leased-address": {OpLeasedAddress, TypeData, ""},
	"host-decl-name": {OpHostDeclName, TypeData, ""},
	"filename":       {OpFilename, TypeData, ""},
	"server-name":    {OpServerName, TypeData, ""},
	"null":           {OpNull, TypeData, ""},
	"lease-time":     {OpLeaseTime, TypeNumber, ""},
	"client-state":   {OpClientState, TypeNumber, ""},
	"known":          {OpKnown, TypeBool, ""},
	"static":         {OpStatic, TypeBool, ""},
}

// numbers are the words that stand for a number: the client states, then the
// results of DNS updates.
var numbers = map[string]int64{
	"reboot": 1, "booting": 2, "select": 3, "request": 4, "bound": 5, "renew": 6, "rebind": 7,
	"noerror": 0, "formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5,
	"yxdomain": 6, "yxrrset": 7, "nxrrset": 8, "notauth": 9, "notzone": 10,
}

// primary reads an operand.
func (p *parser) primary(context exprContext) *Expr {
	t := p.tok
	if f, ok := functions[t.word]; ok {
		p.advance()
		return p.call(&t, f)
	}
	if c, ok := constants[t.word]; ok {
		p.advance()
		return &Expr{Op: c.op, Type: c.result, Pos: p.pos(&t)}
	}
	if n, ok := numbers[t.word]; ok {
		p.advance()
		return &Expr{Op: OpNumber, Type: TypeNumber, Pos: p.pos(&t), Number: n}
	}
	switch {
	case t.kind == tokenString:
		p.advance()
		return &Expr{Op: OpConst, Type: TypeData, Pos: p.pos(&t), Data: []byte(t.text)}
	case t.kind == tokenNumber && (context == contextNumeric || context == contextDataOrNumeric):
		return p.numberConstant(&t)
	case t.numeric():
		return p.octetConstant(&t)
	case t.kind == tokenName:
		return p.variable(&t)
	case t.is("("):
		return p.parenthesis(context)
	case t.is("not"):
		return p.not(&t)
	}
	return p.special(&t)
}

// special reads the operands that have a form of their own.
func (p *parser) special(t *token) *Expr {
	switch t.word {
	case "option", "config-option", "exists":
		return p.optionReference(t)
	case "check":
		return p.check(t)
	case "defined":
		return p.variableExists(t)
	case "gethostname":
		return p.ownName(t)
	case "gethostbyname":
		return p.hostLookup(t)
	case "v6relay":
		p.refuse(t, "v6relay")
		return nil
	}
	remedy := "see dhcp-eval(5); text stands in double quotes"
	if t.is("=") && p.last.is("=") {
		remedy = "a comparison has one equals sign"
	}
	p.fail(t, fmt.Sprintf("expected an expression, found %s", t.describe()), remedy)
	return nil
}

// call reads the arguments of a function.
func (p *parser) call(t *token, f function) *Expr {
	e := &Expr{Op: f.op, Type: f.result, Pos: p.pos(t)}
	usage := fmt.Sprintf("write %s", functionUsage(t.word, f))
	if !p.expect("(", "after "+t.word, usage) {
		return nil
	}
	for i := 0; i < len(f.args) && f.args[i] != '+'; i++ {
		if i > 0 && !p.expect(",", "in the arguments of "+t.word, usage) {
			return nil
		}
		if !p.argument(e, f.args[i]) {
			return nil
		}
	}
	for f.args[len(f.args)-1] == '+' && p.accept(",") {
		if !p.argument(e, 'd') {
			return nil
		}
	}
	if !p.expect(")", "after the arguments of "+t.word, usage) {
		return nil
	}
	return e
}

// argument reads one argument of a function.
func (p *parser) argument(e *Expr, kind byte) bool {
	var a *Expr
	switch kind {
	case 'd':
		a = p.data()
	case 'n':
		a = p.numeric()
	default:
		return p.oneOf(&e.Width, "a width in bits", 8, 16, 32)
	}
	e.Args = append(e.Args, a)
	return a != nil
}

// functionUsage shows how a function is written.
func functionUsage(name string, f function) string {
	s := name + " ("
	for i := range len(f.args) {
		switch f.args[i] {
		case 'd':
			s += "DATA"
		case 'n':
			s += "NUMBER"
		case 'w':
			s += "8|16|32"
		case '+':
			s += "…"
		}
		if i+1 < len(f.args) {
			s += ", "
		}
	}
	return s + ")"
}

// numberConstant reads a decimal number of 32 bits.
func (p *parser) numberConstant(t *token) *Expr {
	p.advance()
	n, err := strconv.ParseInt(t.text, 10, 32)
	if err != nil {
		p.fail(t, fmt.Sprintf("%s is no decimal number of 32 bits", quoteShort(t.text)), "write a smaller number")
		return nil
	}
	return &Expr{Op: OpNumber, Type: TypeNumber, Pos: p.pos(t), Number: n}
}

// octetConstant reads octets. As in dhcpd, a word of hexadecimal digits is an
// octet and no variable, and every letter counts as such when it stands alone.
func (p *parser) octetConstant(t *token) *Expr {
	// dhcpd would complain of a digit that is not in base 16, or of an octet
	// that is too large: neither tells that the name is the problem.
	ahead := p.lex
	after := ahead.next()
	if t.kind == tokenHex && !isDigit(t.text[0]) && (len(t.text) > 2 || !isHex(t.text[0]) || after.is("(")) {
		p.fail(t, fmt.Sprintf("%s is read as hexadecimal here, so it is no variable or function", quoteShort(t.text)),
			"choose a name with a letter beyond f in it, other than the first")
		return nil
	}
	b, ok := p.octets()
	if !ok {
		return nil
	}
	return &Expr{Op: OpConst, Type: TypeData, Pos: p.pos(t), Data: b}
}

// variable reads the name of a variable, or the call of a function.
func (p *parser) variable(t *token) *Expr {
	p.advance()
	e := &Expr{Op: OpVariable, Type: TypeData, Pos: p.pos(t), Name: t.text}
	if !p.accept("(") {
		return e
	}
	e.Op = OpCall
	if !p.defined[t.text] {
		p.repeated("call", t, func() (string, string) {
			return fmt.Sprintf("no function %s is defined above this line; the call yields nothing", quoteShort(t.text)),
				didYouMean(t.text, functionNames(), "define it first: define "+t.text+" (ARGUMENT) { … }")
		})
	}
	for {
		a := p.expression(contextAny)
		if a == nil {
			return nil
		}
		e.Args = append(e.Args, a)
		if !p.accept(",") {
			break
		}
	}
	if !p.expect(")", "after the arguments of "+t.text, "separate the arguments by commas") {
		return nil
	}
	return e
}

// functionNames are the built-in functions, for suggestions.
func functionNames() []string {
	names := make([]string, 0, len(functions))
	for n := range functions {
		names = append(names, n)
	}
	return sortedCopy(names)
}

// parenthesis reads "( EXPR )".
func (p *parser) parenthesis(context exprContext) *Expr {
	p.advance()
	e := p.expression(context)
	if e == nil || !p.expect(")", "at the end of an expression in parentheses", "close the parenthesis") {
		return nil
	}
	return e
}

// not reads "not OPERAND". It takes one operand only: a comparison after it
// needs parentheses.
func (p *parser) not(t *token) *Expr {
	p.advance()
	if p.exprDepth++; p.exprDepth > maxExprDepth {
		p.exprDepth--
		p.fail(t, fmt.Sprintf("an expression of more than %d levels", maxExprDepth), "simplify it")
		return nil
	}
	a := p.primary(contextBool)
	p.exprDepth--
	if a == nil {
		return nil
	}
	if a.Type != TypeBool || contextOf(a) == contextAny {
		p.failExpr(a, "not takes a condition", "put a comparison into parentheses: not (A = B)")
		return nil
	}
	return &Expr{Op: OpNot, Type: TypeBool, Pos: p.pos(t), Args: []*Expr{a}}
}

// optionReference reads "option NAME", "config-option NAME" and "exists NAME".
func (p *parser) optionReference(t *token) *Expr {
	p.advance()
	ref, ok := p.knownOption()
	if !ok {
		return nil
	}
	e := &Expr{Op: OpOption, Type: TypeData, Pos: p.pos(t), Option: ref.def}
	switch t.word {
	case "config-option":
		e.Op = OpConfigOption
	case "exists":
		e.Op, e.Type = OpExists, TypeBool
	}
	return e
}

// check reads `check "default"`: whether the classes have been looked at. There
// is one collection of classes.
func (p *parser) check(t *token) *Expr {
	p.advance()
	name := p.tok
	if name.kind != tokenString || name.text != "default" {
		p.fail(&name, fmt.Sprintf("there is no collection %s", name.describe()), `the only one is "default"; use classes and members of`)
		return nil
	}
	p.advance()
	return &Expr{Op: OpCheck, Type: TypeBool, Pos: p.pos(t), Name: name.text}
}

// variableExists reads "defined (NAME)".
func (p *parser) variableExists(t *token) *Expr {
	p.advance()
	if !p.expect("(", "after defined", "write defined (NAME)") {
		return nil
	}
	name := p.tok
	if !name.variable() {
		p.fail(&name, fmt.Sprintf("expected the name of a variable, found %s", name.describe()), "write defined (NAME)")
		return nil
	}
	p.advance()
	if !p.expect(")", "after the name", "write defined (NAME)") {
		return nil
	}
	return &Expr{Op: OpVariableExists, Type: TypeBool, Pos: p.pos(t), Name: name.text}
}

// ownName reads "gethostname ()": this host's name, which is taken now.
func (p *parser) ownName(t *token) *Expr {
	p.advance()
	if !p.expect("(", "after gethostname", "write gethostname ()") || !p.expect(")", "after gethostname (", "write gethostname ()") {
		return nil
	}
	name, err := os.Hostname()
	if err != nil {
		p.warn(t, "this host has no name: "+err.Error(), "set it in /etc/hostname")
	}
	return &Expr{Op: OpConst, Type: TypeData, Pos: p.pos(t), Data: []byte(name)}
}

// hostLookup reads `gethostbyname ("NAME")`, looked up now.
func (p *parser) hostLookup(t *token) *Expr {
	p.advance()
	if !p.expect("(", "after gethostbyname", `write gethostbyname ("NAME")`) {
		return nil
	}
	name := p.tok
	if name.kind != tokenString {
		p.fail(&name, fmt.Sprintf("expected a host name in quotes, found %s", name.describe()), `write gethostbyname ("NAME")`)
		return nil
	}
	p.advance()
	e := &Expr{Op: OpGethostbyname, Type: TypeData, Pos: p.pos(t), Name: name.text}
	found := p.names.addresses(name.text)
	for _, a := range found {
		b := a.Bytes()
		e.Data = append(e.Data, b[:]...)
	}
	if len(found) == 0 {
		p.warn(&name, fmt.Sprintf("the host name %s has no address that can be found now; the value is null", quoteShort(name.text)),
			"write the address itself, or make the name known in /etc/hosts and reload")
	}
	if !p.expect(")", "after the name", `write gethostbyname ("NAME")`) {
		return nil
	}
	return e
}
