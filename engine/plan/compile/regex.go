package compile

import (
	"bytes"
	"encoding/binary"
	"regexp/syntax"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// maxStates bounds the table of one regular expression: 1024 states of up to
// 256 classes are half a megabyte.
const maxStates = 1024

// regex compiles "~=" and "~~". dhcpd compiles the expression for every
// message; here it must be known when the file is read.
func (c *compiler) regex(x *config.Expr) int32 {
	null := plan.Expr{Op: plan.OpNull}
	if len(x.Args) != 2 {
		return c.node(null)
	}
	text, ok := joined(x.Args[1])
	if !ok {
		c.error(x.Pos, "write the regular expression as text in quotes", "a regular expression that is computed from the message")
		return c.node(null)
	}
	table, why := compileRegex(text, x.Op == config.OpRegexNoCase)
	if why != "" {
		c.error(x.Pos, "simplify the regular expression; POSIX extended ones are understood, see regex(7)",
			"the regular expression %q %s", text, why)
		return c.node(null)
	}
	c.prog.Regexes = append(c.prog.Regexes, *table)
	return c.node(plan.Expr{Op: plan.OpRegex, Slot: int32(len(c.prog.Regexes) - 1)}, c.expr(x.Args[0]))
}

// compileRegex builds the table by the subset construction over the parsed
// program. Bytes stand for the characters of the same number, as in the C
// locale. The pattern ends at a NUL, as it does in dhcpd.
func compileRegex(pattern []byte, fold bool) (table *plan.Regex, why string) {
	if i := bytes.IndexByte(pattern, 0); i >= 0 {
		pattern = pattern[:i]
	}
	flags := syntax.ClassNL | syntax.DotNL | syntax.OneLine
	if fold {
		flags |= syntax.FoldCase
	}
	parsed, err := syntax.Parse(translate(pattern), flags)
	if err != nil {
		return nil, "is not valid: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, "is too large"
	}
	b := &automaton{prog: prog, known: map[string]int{}}
	if !b.build() {
		return nil, "needs too many states"
	}
	return b.table, ""
}

// automaton is one subset construction. A state is a sorted set of
// instructions that consume a byte, match, or wait for the end of the text.
type automaton struct {
	prog   *syntax.Prog
	table  *plan.Regex
	known  map[string]int // set -> state
	states [][]uint32
}

// build adds states until every step of every state leads to a known one. False
// means that there would be too many: an expression can need exponentially more
// states than it has letters.
func (b *automaton) build() bool {
	b.table = &plan.Regex{}
	examples := b.classes()
	start := newSet(len(b.prog.Inst))
	b.follow(start, uint32(b.prog.Start), syntax.EmptyBeginText)
	b.state(start.list())
	// No later state is the first one again, even with the same instructions:
	// "$^" matches at both ends of an empty text, and at no other place.
	clear(b.known)
	if b.emptyMatch() {
		b.table.Match[0] |= plan.RegexAtEnd
	}
	for at := 0; at < len(b.states); at++ {
		if at == maxStates {
			return false
		}
		for _, c := range examples {
			b.table.Next = append(b.table.Next, uint16(b.step(at, c)))
		}
	}
	return true
}

// step returns the state after one more byte; the search may begin anew behind
// it.
func (b *automaton) step(at int, c byte) int {
	next := newSet(len(b.prog.Inst))
	for _, pc := range b.states[at] {
		if i := &b.prog.Inst[pc]; consumes(i, c) {
			b.follow(next, i.Out, 0)
		}
	}
	b.follow(next, uint32(b.prog.Start), 0)
	return b.state(next.list())
}

// state returns the number of a set, which is new on first sight.
func (b *automaton) state(set []uint32) int {
	key := make([]byte, 0, 4*len(set))
	for _, pc := range set {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	if at, ok := b.known[string(key)]; ok {
		return at
	}
	at := len(b.states)
	b.known[string(key)] = at
	b.states = append(b.states, set)
	b.table.Match = append(b.table.Match, b.verdict(set))
	return at
}

// verdict tells whether a set contains a match, now or if the text ends.
func (b *automaton) verdict(set []uint32) (flags uint8) {
	end := newSet(len(b.prog.Inst))
	for _, pc := range set {
		switch b.prog.Inst[pc].Op {
		case syntax.InstMatch:
			flags |= plan.RegexMatch
		case syntax.InstEmptyWidth:
			b.follow(end, pc, syntax.EmptyEndText)
		}
	}
	for _, pc := range end.list() {
		if b.prog.Inst[pc].Op == syntax.InstMatch {
			flags |= plan.RegexAtEnd
		}
	}
	return flags
}

// emptyMatch tells whether the expression matches an empty text, where both of
// its ends are at once.
func (b *automaton) emptyMatch() bool {
	all := newSet(len(b.prog.Inst))
	b.follow(all, uint32(b.prog.Start), syntax.EmptyBeginText|syntax.EmptyEndText)
	for _, pc := range all.list() {
		if b.prog.Inst[pc].Op == syntax.InstMatch {
			return true
		}
	}
	return false
}

// follow adds an instruction and what it leads to without consuming a byte. An
// assertion that does not hold here stays in the set: the end of the text may
// come yet.
func (b *automaton) follow(s *set, pc uint32, here syntax.EmptyOp) {
	if !s.add(pc) {
		return
	}
	i := &b.prog.Inst[pc]
	switch i.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		b.follow(s, i.Out, here)
		b.follow(s, i.Arg, here)
	case syntax.InstCapture, syntax.InstNop:
		b.follow(s, i.Out, here)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(i.Arg)&^here == 0 {
			b.follow(s, i.Out, here)
		}
	}
}

// consumes tells whether an instruction takes a byte, standing for the character
// of the same number.
func consumes(i *syntax.Inst, c byte) bool {
	switch i.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return i.MatchRune(rune(c))
	}
	return false
}

// classes groups the bytes that no instruction tells apart, and returns one
// byte of each class.
func (b *automaton) classes() (examples []byte) {
	seen := map[string]uint8{}
	for c := range 256 {
		var signature strings.Builder
		for i := range b.prog.Inst {
			if consumes(&b.prog.Inst[i], byte(c)) {
				signature.WriteString("1")
			} else {
				signature.WriteString("0")
			}
		}
		class, ok := seen[signature.String()]
		if !ok {
			class = uint8(len(examples))
			seen[signature.String()] = class
			examples = append(examples, byte(c))
		}
		b.table.Class[c] = class
	}
	b.table.Width = len(examples)
	return examples
}

// set is a set of instructions.
type set struct{ has []bool }

// newSet is an empty set for a program of n instructions.
func newSet(n int) *set { return &set{make([]bool, n)} }

// add tells whether pc is new.
func (s *set) add(pc uint32) bool {
	if s.has[pc] {
		return false
	}
	s.has[pc] = true
	return true
}

// list returns the members in order: equal sets have equal lists, which is how
// states are recognised.
func (s *set) list() (out []uint32) {
	for pc, has := range s.has {
		if has {
			out = append(out, uint32(pc))
		}
	}
	return out
}
