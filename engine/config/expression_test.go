package config

import (
	"fmt"
	"strings"
	"testing"
)

// opNames are the operations as the tables below write them.
var opNames = map[Op]string{OpSubstring: "substring", OpSuffix: "suffix", OpLowerCase: "lcase", OpUpperCase: "ucase",
	OpConcat: "concat", OpReverse: "reverse", OpBinaryToASCII: "b2a", OpPick: "pick", OpHardware: "hardware",
	OpPacket: "packet", OpLeasedAddress: "leased-address", OpHostDeclName: "host-decl-name", OpClientState: "client-state",
	OpFilename: "filename", OpServerName: "server-name", OpNull: "null", OpLeaseTime: "lease-time", OpAdd: "+",
	OpMultiply: "*", OpDivide: "/", OpRemainder: "%", OpBinaryAnd: "&", OpBinaryOr: "|", OpBinaryXor: "^",
	OpKnown: "known", OpStatic: "static", OpNot: "not", OpAnd: "and", OpOr: "or", OpEqual: "=", OpNotEqual: "!=",
	OpRegex: "~=", OpRegexNoCase: "~~"}

// shape writes an expression with parentheses around everything.
func shape(e *Expr) string {
	switch e.Op {
	case OpConst:
		return fmt.Sprintf("%q", e.Data)
	case OpNumber:
		return fmt.Sprint(e.Number)
	case OpOption:
		return e.Option.Name
	case OpConfigOption:
		return "config:" + e.Option.Name
	case OpExists:
		return "exists:" + e.Option.Name
	case OpVariable:
		return "$" + e.Name
	case OpVariableExists:
		return "defined:" + e.Name
	case OpCheck:
		return "check:" + e.Name
	case OpGethostbyname:
		return fmt.Sprintf("lookup:%x", e.Data)
	}
	name := opNames[e.Op]
	switch e.Op {
	case OpCall:
		name = e.Name
	case OpEncodeInt:
		name = fmt.Sprintf("encode%d", e.Width)
	case OpExtractInt:
		name = fmt.Sprintf("extract%d", e.Width)
	}
	if len(e.Args) == 0 {
		return name
	}
	parts := []string{name}
	for _, a := range e.Args {
		parts = append(parts, shape(a))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// TestExpressionShapes holds the grouping to dhcpd's.
func TestExpressionShapes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"comparison", `option host-name = "a"`, `(= host-name "a")`},
		{"octets", "option host-name = 00:0A:b", `(= host-name "\x00\n\v")`},
		{"a number is an octet beside data", "option host-name = 10", `(= host-name "\x10")`},
		{"a number is a number beside a number", "lease-time = 10", "(= lease-time 10)"},
		{"and and or bind alike", "known or static and known", "(and (or known static) known)"},
		{"the rest belongs to a tighter operator", `known and option host-name = "a" or static`, `(and known (or (= host-name "a") static))`},
		{"comparison first", `option host-name = "a" and known or static`, `(or (and (= host-name "a") known) static)`},
		{"parentheses", `known and (static or known)`, "(and known (or static known))"},
		{"not takes one operand", "not known and static", "(and (not known) static)"},
		{"not of a parenthesis", "not (known and static)", "(not (and known static))"},
		{"sums", "lease-time = (lease-time + 1 * 2)", "(= lease-time (* (+ lease-time 1) 2))"},
		{"products", "lease-time = (lease-time * 1 + 2)", "(= lease-time (* lease-time (+ 1 2)))"},
		{"bits", "lease-time = (lease-time & 1 | 2 ^ 3)", "(= lease-time (^ (| (& lease-time 1) 2) 3))"},
		{"division", "lease-time = (lease-time / 60 % 60)", "(= lease-time (% (/ lease-time 60) 60))"},
		{"comparisons of all kinds", `option host-name != "a" and option host-name ~= "b" and option host-name ~~ "c"`,
			`(and (!= host-name "a") (and (~= host-name "b") (~~ host-name "c")))`},
		{"tests", `exists host-name and defined (name) and check "default" and static`,
			"(and (and (and exists:host-name defined:name) check:default) static)"},
		{"a variable as a condition", "flag-of", "$flag-of"},
		{"a variable beside a number", "numb = lease-time", "(= $numb lease-time)"},
		{"states", "client-state = renew", "(= client-state 6)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse("if " + c.text + " { }\n")
			if len(tree.Findings) > 0 {
				t.Fatal(render(tree))
			}
			if got := shape(tree.Root.Statements[0].Expr); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestExpressionFunctions reads each function with its arguments.
func TestExpressionFunctions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`substring (option host-name, 1, lease-time)`, "(substring host-name 1 lease-time)"},
		{`suffix (hardware, 6)`, "(suffix hardware 6)"},
		{`lcase (ucase ("a"))`, `(lcase (ucase "a"))`},
		{`concat ("a", "b", "c", 1:2)`, `(concat "a" "b" "c" "\x01\x02")`},
		{`reverse (1, leased-address)`, "(reverse 1 leased-address)"},
		{`binary-to-ascii (16, 8, ":", hardware)`, `(b2a 16 8 ":" hardware)`},
		{`pick-first-value (option host-name, host-decl-name, null)`, "(pick host-name host-decl-name null)"},
		{`pick (filename, server-name)`, "(pick filename server-name)"},
		{`encode-int (7, 16)`, "(encode16 7)"},
		{`encode-int (extract-int (packet (0, 4), 32) + 1, 32)`, "(encode32 (+ (extract32 (packet 0 4)) 1))"},
		{`config-option routers`, "config:routers"},
		{`option agent.circuit-id`, "circuit-id"},
		{`gethostbyname ("localhost")`, "lookup:7f000001"},
		{`join (known, 5)`, `(join known "\x05")`},
	} {
		t.Run(c.text, func(t *testing.T) {
			tree := parse("define join (one, two) { return one; }\nset name = " + c.text + ";\n")
			if len(tree.Findings) > 0 {
				t.Fatal(render(tree))
			}
			if got := shape(tree.Root.Statements[1].Expr); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestExpressionErrors lists what is no expression, with one finding each.
func TestExpressionErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"data as a condition", "if option host-name { }", "expected a condition"},
		{"condition as data", "set name = concat (known, known);", "expected data"},
		{"data as a number", `set name = substring ("a", "b", 1);`, "expected a number"},
		{"different types", "if option host-name = lease-time { }", "different types"},
		{"conditions compared", "if known = static { }", "cannot be compared"},
		{"number as a pattern", "if lease-time ~= lease-time { }", "pattern"},
		{"and of data", `if known and "a" { }`, "different types"},
		{"sum of data", `set name = "a" + "b";`, "takes numbers"},
		{"two equals signs", "if known == static { }", "one equals sign"},
		{"an exclamation mark", "if ! known { }", "expected an expression"},
		{"a tilde", "if known ~ static { }", "expected an operator"},
		{"minus", "set name = lease-time - 1;", "no minus"},
		{"not before a comparison", `if not option host-name = "a" { }`, "not (A = B)"},
		{"parenthesis in front", "if (known) and static { }", "put the whole condition"},
		{"too few arguments", `set name = substring ("a", 1);`, `write substring (DATA, NUMBER, NUMBER)`},
		{"one argument for concat", `set name = concat ("a");`, "write concat (DATA, DATA, …)"},
		{"a width that does not exist", "set name = encode-int (1, 24);", "[8 16 32]"},
		{"no option of that name", "if exists nothing { }", `no option "nothing"`},
		{"hexadecimal variable", "set name = abc;", "no variable"},
		{"hexadecimal function", `set name = f ("a");`, "no variable or function"},
		{"call without arguments", "set name = join ();", "expected an expression"},
		{"reserved word as a variable", "set state = 1;", "name of a variable"},
		{"another collection", `if check "other" { }`, "no collection"},
		{"open parenthesis", "if (known { }", "close the parenthesis"},
		{"octets as a label", "switch (option host-name) { case 00:07: break; }", "case (00:07)"},
		{"number too large", "if lease-time = 99999999999 { }", "32 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse("define join (one) { return one; }\n" + c.text + "\nfilename \"after\";\n")
			text := render(tree)
			if !tree.HasErrors() || !strings.Contains(text, c.want) {
				t.Errorf("want an error with %q, got:\n%s", c.want, text)
			}
			if len(tree.Findings) != 1 {
				t.Errorf("%d findings for one mistake:\n%s", len(tree.Findings), text)
			}
			last := tree.Root.Statements[len(tree.Root.Statements)-1]
			if last.Kind != StatementOption || string(last.Expr.Data) != "after" {
				t.Error("the statement after the mistake was not read")
			}
		})
	}
}
