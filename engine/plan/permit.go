package plan

// PermitKind says whom an entry of a pool's allow or deny list names
// (dhcpd.conf(5), POOL PERMIT LISTS).
type PermitKind uint8

// The kinds of entry.
const (
	PermitUnknown PermitKind = iota // no host declaration matches
	PermitKnown
	PermitAll
	PermitBOOTP // clients that send no message type: "dynamic bootp clients"
	PermitNobody
	PermitClass // members of Class
	PermitAfter // everybody once the clock has passed Seconds
)

// Permit is one entry of a pool's allow or deny list.
type Permit struct {
	Kind    PermitKind
	Class   int32
	Seconds int64 // since 1970
	Origin  int32
}

// Permitted tells whether the pool's lists admit the client: no deny entry
// names it, and an allow entry does if there are any. rule is the Origin that
// refused it (for a missing allow, the first entry of that list), or -1.
func (e *Eval) Permitted(pool int32) (ok bool, rule int32) {
	p := &e.plan.Pools[pool]
	if i := e.named(p.Deny); i >= 0 {
		return false, p.Deny[i].Origin
	}
	if len(p.Allow) > 0 && e.named(p.Allow) < 0 {
		return false, p.Allow[0].Origin
	}
	return true, -1
}

// named returns the first entry that names the client, -1 if none.
func (e *Eval) named(list []Permit) int {
	for i := range list {
		if e.matches(&list[i]) {
			return i
		}
	}
	return -1
}

// matches tells whether one entry names the client. A member of a subclass is a
// member of its class; BOOTP clients are those that send no message type.
func (e *Eval) matches(p *Permit) bool {
	switch p.Kind {
	case PermitUnknown:
		return !e.known
	case PermitKnown:
		return e.known
	case PermitAll:
		return true
	case PermitBOOTP:
		return e.req.Type == 0
	case PermitClass:
		return e.Member(p.Class)
	case PermitAfter:
		return e.req.Now > p.Seconds
	}
	return false
}
