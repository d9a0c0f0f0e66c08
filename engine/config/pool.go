package config

import (
	"fmt"
	"math"
	"time"
)

// pool reads "pool { … }".
func (p *parser) pool(b *body, head token) bool {
	if !p.count(&p.counts.networks, maxNetworks, "subnets, shared networks and pools", &head) {
		return false
	}
	s := &Scope{Kind: ScopePool, Pos: p.pos(&head), Parent: b.scope, Pool: &Pool{}}
	if !p.enter(head, "the pool") {
		return false
	}
	b.scope.Children = append(b.scope.Children, s)
	errors := p.errors
	p.statements(&body{kind: ScopePool, scope: s})
	p.leave()
	// If there were errors, the range may be among them.
	if len(s.Pool.Ranges) == 0 && p.errors == errors {
		p.fail(&head, "this pool has no range, so no addresses", "give it a range LOW HIGH; or delete it")
	}
	return true
}

// permitWords are the words after allow or deny in a pool.
var permitWords = []string{"known-clients", "unknown-clients", "known", "unknown", "all",
	"authenticated", "unauthenticated", "dynamic", "members", "after"}

// In a pool, allow and deny make a list of who may have its addresses; with an
// allow list, only who is on it, and in any case nobody on the deny list. The
// same words outside pools set parameters (parameter.go).

// permit reads what follows allow or deny in a pool (dhcpd.conf(5), ALLOW AND
// DENY WITHIN POOL DECLARATIONS).
func (p *parser) permit(pool *Pool, allow bool) bool {
	t := p.tok
	entry := Permit{Pos: p.pos(&t)}
	clients := true // the word clients follows
	switch {
	case p.accept("known-clients"):
		entry.Kind, clients = PermitKnown, false
	case p.accept("unknown-clients"):
		entry.Kind, clients = PermitUnknown, false
	case p.accept("known"):
		entry.Kind = PermitKnown
	case p.accept("unknown"):
		entry.Kind = PermitUnknown
	case p.accept("all"):
		entry.Kind = PermitAllClients
	case p.accept("authenticated"):
		entry.Kind = PermitAuthenticated
	case p.accept("unauthenticated"):
		entry.Kind = PermitUnauthenticated
	case p.accept("dynamic"):
		entry.Kind = PermitDynamicBOOTP
		if !p.expect("bootp", "after dynamic", "write dynamic bootp clients") {
			return false
		}
	case p.accept("members"):
		return p.permitMembers(pool, allow, entry)
	case p.accept("after"):
		return p.permitAfter(pool, allow, entry)
	default:
		return p.fail(&t, fmt.Sprintf("a pool cannot allow or deny %s", t.describe()),
			didYouMean(t.text, permitWords, "possible are known-clients, unknown-clients, all clients, dynamic bootp clients, members of \"CLASS\", after DATE"))
	}
	if clients && !p.expect("clients", "after "+t.text, fmt.Sprintf("write %s clients;", t.text)) {
		return false
	}
	pool.permit(allow, entry)
	return p.semicolon()
}

// permit adds an entry to one of the pool's lists.
func (pool *Pool) permit(allow bool, e Permit) {
	if allow {
		pool.Permit = append(pool.Permit, e)
	} else {
		pool.Deny = append(pool.Deny, e)
	}
}

// permitMembers reads `of "CLASS";`.
func (p *parser) permitMembers(pool *Pool, allow bool, entry Permit) bool {
	if !p.expect("of", "after members", `write members of "CLASS";`) {
		return false
	}
	c := p.className()
	if c == nil {
		return false
	}
	entry.Kind, entry.Class = PermitClass, c.Name
	pool.permit(allow, entry)
	return p.semicolon()
}

// className consumes the quoted name of a class that is declared above.
func (p *parser) className() *Class {
	t := p.tok
	if t.kind != tokenString {
		p.fail(&t, fmt.Sprintf("expected the name of a class in quotes, found %s", t.describe()), `write "CLASS"`)
		return nil
	}
	p.advance()
	if c := p.classes[t.text]; c != nil {
		return c
	}
	names := make([]string, 0, len(p.classes))
	for n := range p.classes {
		names = append(names, n)
	}
	p.fail(&t, fmt.Sprintf("there is no class %s above this line", quoteShort(t.text)),
		didYouMean(t.text, sortedCopy(names), "declare the class first"))
	return nil
}

// permitAfter reads the date of "after DATE;". A pool has one at most.
func (p *parser) permitAfter(pool *Pool, allow bool, entry Permit) bool {
	for _, list := range [][]Permit{pool.Permit, pool.Deny} {
		for i := range list {
			if list[i].Kind == PermitAfter {
				return p.fail(&p.last, "a second after in this pool", "use two pools")
			}
		}
	}
	var ok bool
	entry.Kind = PermitAfter
	if entry.After, ok = p.date(); !ok {
		return false
	}
	pool.permit(allow, entry)
	return p.semicolon()
}

const dateRemedy = "write a date as 4 2026/12/31 23:59:59; (day of the week first, UTC), or epoch SECONDS, or never"

// date reads "never", "epoch SECONDS" or "WEEKDAY YEAR/MONTH/DAY
// HOUR:MINUTE:SECOND [OFFSET]", in UTC, and returns seconds since 1970.
func (p *parser) date() (int64, bool) {
	if p.accept("never") {
		return math.MaxInt64, true
	}
	if p.accept("epoch") {
		return p.decimal("a number of seconds since 1970", math.MaxInt64/2)
	}
	var f [7]int
	for i, sep := range []string{"", "/", "/", "", ":", ":", ""} {
		// f: weekday, year, month, day, hour, minute, second
		t := p.tok
		v, ok := p.decimal("a part of a date", 9999)
		if !ok {
			return 0, false
		}
		f[i] = int(v)
		if i == 0 {
			continue
		}
		if sep != "" && !p.expect(sep, "in a date", dateRemedy) {
			return 0, false
		}
		if low, high := []int{0, 1970, 1, 1, 0, 0, 0}[i], []int{0, 9999, 12, 31, 23, 59, 60}[i]; f[i] < low || f[i] > high {
			return 0, p.fail(&t, fmt.Sprintf("%d is not possible here in a date", f[i]), dateRemedy)
		}
	}
	when := time.Date(f[1], time.Month(f[2]), f[3], f[4], f[5], f[6], 0, time.UTC).Unix()
	if p.tok.kind == tokenNumber {
		offset, ok := p.decimal("an offset from UTC in seconds", 86400)
		return when + offset, ok
	}
	return when, true
}
