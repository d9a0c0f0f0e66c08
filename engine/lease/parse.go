package lease

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// maxWarnings bounds the warnings kept from one file.
const maxWarnings = 50

// tornPrefix begins the warning about a torn end.
const tornPrefix = "torn end of file dropped: "

// maxStatement bounds the length of a statement in bytes: where a closing brace
// was lost, the search for it must not run through the whole file again and
// again.
const maxStatement = 64 << 10

// fault is a place where the text stops making sense.
type fault struct {
	off  int
	text string
}

// statement is one statement in the body of a record: its tokens without the
// closing semicolon. Only the tokens outside of nested braces are kept.
type statement struct {
	toks     []token
	off, end int
}

// foreignItems are the declarations that dhcpd may write at the top level
// besides leases, and what the operator is told about them; an empty text is
// not worth a word.
var foreignItems = map[string]string{
	"authoring-byte-order": "",
	"server-duid":          "",
	"failover":             "failover state is kept in the file but has no effect: this server has no failover peer",
	"host":                 "host declared in the lease file (OMAPI): kept in the file but without effect; declare it in the configuration",
	"group":                "group declared in the lease file (OMAPI): kept in the file but without effect; declare it in the configuration",
	"class":                "class declared in the lease file: kept in the file but without effect; declare it in the configuration",
	"subclass":             "subclass declared in the lease file: kept in the file but without effect; spawned classes are found anew",
	"ia-na":                "DHCPv6 lease: kept in the file but without effect; IPv6 has a lease file of its own",
	"ia-ta":                "DHCPv6 lease: kept in the file but without effect; IPv6 has a lease file of its own",
	"ia-pd":                "DHCPv6 lease: kept in the file but without effect; IPv6 has a lease file of its own",
}

// parser reads one lease file.
type parser struct {
	scanner
	now  int64 // wall clock, seconds: decides about records without a state
	out  *Recovered
	toks []token     // of the statement in work
	fast batch.Lease // of quick
}

// parse reads a whole lease file. It never fails: what cannot be read is named
// in the warnings.
func parse(text []byte, now int64) *Recovered { return parseBy(text, now, (*parser).quick) }

// parseBy is parse with a reader of records that is tried before the grammar.
func parseBy(text []byte, now int64, quick func(*parser) bool) *Recovered {
	room := roomFor(text)
	p := &parser{scanner: scanner{src: text}, now: now}
	p.out = &Recovered{Bytes: int64(len(text)), extras: map[int32][]byte{}, index: make(map[proto.Addr]int32, room),
		Leases: make([]batch.Lease, 0, wholeChunks(room)), sizes: make([]int32, 0, room)}
	for {
		p.blank()
		start := p.at
		if start == len(text) {
			if !p.torn() {
				p.out.GoodEnd = int64(start)
			}
			break
		}
		if !quick(p) {
			if f := p.item(); f != nil {
				p.recover(start, f)
				continue
			}
		}
		p.out.items++
		p.out.GoodEnd = int64(p.at)
	}
	p.out.openLine = p.out.GoodEnd > 0 && text[p.out.GoodEnd-1] != '\n'
	p.sort()
	return p.out
}

// roomFor guesses how many records a file has from how it begins. A start waits
// for the reading, and room for all at once, though later records of an address
// replace earlier ones, costs less than to make room again and again.
func roomFor(text []byte) int {
	const sample = 64 << 10
	n := bytes.Count(text[:min(len(text), sample)], []byte("lease "))
	if len(text) > sample {
		n += n * (len(text) / sample) * 9 / 8
	}
	return n
}

// torn tells whether the end of the file was found to be cut off.
func (p *parser) torn() bool {
	n := len(p.out.Warnings)
	return n > 0 && p.out.Warnings[n-1].Torn
}

// item reads one declaration.
func (p *parser) item() *fault {
	t := p.next()
	if t.kind != tokWord {
		return &fault{t.off, "a declaration is expected here"}
	}
	if string(t.val) == "lease" {
		return p.lease(t.off)
	}
	advice, known := foreignItems[string(t.val)]
	if !known {
		return &fault{t.off, fmt.Sprintf("unknown declaration %q", cut(t.val))}
	}
	if f := p.skip(); f != nil {
		return f
	}
	p.out.foreign = append(p.out.foreign, p.src[t.off:p.at])
	if advice != "" {
		p.warn(t.off, false, advice)
	}
	return nil
}

// skip moves behind the statement or block that has begun.
func (p *parser) skip() *fault {
	_, f := p.statement(p.next())
	return f
}

// statement reads up to the semicolon, or the closing brace of a block, that
// ends the statement that begins with first. Its tokens are valid until the next
// call.
func (p *parser) statement(first token) (st statement, f *fault) {
	st.off, st.toks = first.off, p.toks[:0]
	defer func() { p.toks = st.toks }() // for the next one: a large file has millions
	depth := 0
	for t := first; ; t = p.next() {
		switch {
		case t.kind == tokEOF:
			return st, &fault{t.off, "the file ends in the middle of a record"}
		case t.kind == tokBroken:
			return st, &fault{t.off, "unreadable text"}
		case t.off-first.off > maxStatement:
			return st, &fault{first.off, "a statement without end"}
		case t.is('{'):
			depth++
		case t.is('}'):
			if depth--; depth < 0 {
				return st, &fault{t.off, "a brace closes what was never opened"}
			}
		case depth == 0 && !t.is(';'):
			st.toks = append(st.toks, t)
		}
		if st.end = p.at; depth == 0 && (t.is(';') || t.is('}')) {
			return st, nil
		}
	}
}

// lease reads a record whose keyword stands at off, and files it.
func (p *parser) lease(off int) *fault {
	name := p.next()
	addr, ok := parseAddr(name.val)
	if name.kind != tokWord || !ok {
		return &fault{name.off, "an IPv4 address is expected after lease"}
	}
	if t := p.next(); !t.is('{') {
		return &fault{t.off, "a brace is expected after the address"}
	}
	d := draft{lease: batch.Lease{Addr: addr}}
	for {
		t := p.next()
		if t.is('}') {
			break
		}
		if string(t.val) == "lease" && t.kind == tokWord {
			return &fault{t.off, fmt.Sprintf("lease %v: the record is cut short by the next one", addr)}
		}
		st, f := p.statement(t)
		if f == nil {
			f = d.apply(p.src, st)
		}
		if f != nil {
			f.text = fmt.Sprintf("lease %v: %s", addr, f.text)
			return f
		}
	}
	d.finish(p.now)
	p.file(&d.lease, d.extra, int32(p.at-off+1))
	return nil
}

// file makes l the record in force of its address.
func (p *parser) file(l *batch.Lease, extra []byte, size int32) {
	// The last record of an address is the one in force, whatever its dates say:
	// a clock may have been set back.
	out := p.out
	out.Records++
	i, known := out.index[l.Addr]
	if known {
		out.Leases[i], out.sizes[i] = *l, size
		if len(out.extras) > 0 {
			delete(out.extras, i)
		}
	} else {
		i = int32(len(out.Leases))
		out.index[l.Addr] = i
		out.Leases, out.sizes = append(out.Leases, *l), append(out.sizes, size)
	}
	if len(extra) > 0 {
		out.extras[i] = extra
	}
}

// recover moves to the next item behind a fault in the item at start. When
// there is none, the file ends torn.
func (p *parser) recover(start int, f *fault) {
	// The search begins one byte in: start itself is where reading failed.
	if next := resync(p.src, start+1); next < len(p.src) {
		p.out.Damaged = true
		p.warn(f.off, false, f.text+"; this record is lost, reading goes on at line "+fmt.Sprint(p.line(next)))
		p.at = next
		return
	}
	p.out.GoodEnd = int64(start)
	p.warn(start, true, tornPrefix+f.text)
	p.at = len(p.src)
}

// resync finds the next "lease A.B.C.D {" from off on. Text inside quotes does
// not count: a client chooses its host name.
func resync(src []byte, off int) int {
	// Begin at the start of the line, to know whether off is inside quotes.
	lineStart := bytes.LastIndexByte(src[:min(off, len(src))], '\n') + 1
	quoted := false
	for i := lineStart; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\n':
			quoted = false
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == 'l' && !quoted && i >= off && startsLease(src[i:]):
			return i
		}
	}
	return len(src)
}

// startsLease tells whether b begins with the head of a record.
func startsLease(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("lease "))
	if !ok {
		return false
	}
	s := scanner{src: rest[:min(len(rest), 32)]}
	name := s.next()
	_, ok = parseAddr(name.val)
	return ok && name.kind == tokWord && s.next().is('{')
}

// looksTorn tells whether the text could be the beginning of a lease file: the
// very first record cut short, or the zeroes that some file systems leave after
// a power failure.
func looksTorn(text []byte) bool {
	t := bytes.Trim(text, "\x00 \t\r\n")
	const head = "lease "
	return len(t) == 0 || bytes.HasPrefix(t, []byte(head)) || bytes.HasPrefix([]byte(head), t) || t[0] == '#'
}

// warn notes a finding. A ruined file would yield as many as it has lines; the
// first ones say what there is to say.
func (p *parser) warn(off int, torn bool, text string) {
	if len(p.out.Warnings) == maxWarnings && !torn {
		p.out.More++
		return
	}
	p.out.Warnings = append(p.out.Warnings, Warning{Line: p.line(off), Torn: torn, Text: text})
}

// line counts the lines up to an offset. It is asked for warnings only, so the
// parser need not keep count.
func (p *parser) line(off int) int { return 1 + bytes.Count(p.src[:off], []byte{'\n'}) }

// sort orders the leases by address and lets what belongs to them follow. They
// are moved in place: memory that is touched for the first time is most of what
// reading a large file costs.
func (p *parser) sort() {
	leases := p.out.Leases
	if slices.IsSortedFunc(leases, func(a, b batch.Lease) int { return cmp.Compare(a.Addr, b.Addr) }) {
		return
	}
	from := make([]int32, len(leases)) // by place, which record goes there
	for i := range from {
		from[i] = int32(i)
	}
	slices.SortFunc(from, func(a, b int32) int { return cmp.Compare(leases[a].Addr, leases[b].Addr) })
	extras := map[int32][]byte{}
	for to, i := range from {
		p.out.index[leases[i].Addr] = int32(to)
		if e, ok := p.out.extras[i]; ok {
			extras[int32(to)] = e
		}
	}
	p.out.extras = extras
	permute(leases, slices.Clone(from))
	permute(p.out.sizes, from)
}

// permute moves list[from[i]] to i for all i. It uses up from.
func permute[T any](list []T, from []int32) {
	for start := range from {
		if from[start] < 0 {
			continue // moved with an earlier circle
		}
		first, at := list[start], int32(start)
		for next := from[at]; next != int32(start); next = from[at] {
			list[at] = list[next]
			from[at], at = -1, next
		}
		list[at], from[at] = first, -1
	}
}

// cut shortens text for a message.
func cut(b []byte) []byte { return b[:min(len(b), 40)] }
