package plan

// ClassRule is how one class declaration recognises its members. Match if it is
// given must hold; then, if there is a Key, its value selects a subclass, or
// spawns one.
type ClassRule struct {
	Class int32
	Match int32 // expression, -1 if none
	Key   int32 // expression of "match" or "spawn with", -1 if none
	Flags uint8 // FlagPrefix: Key is option 77
}

// Subclass is one subclass declaration, found by its class and match value.
type Subclass struct {
	Class int32 // the class it belongs to
	Own   int32 // its own entry in Plan.Classes, or Class if it has no body
	Limit int32 // lease limit, 0 if none
	Off   uint32
	Len   uint32
}

// instance is a class that the client of this message belongs to.
type instance struct {
	class int32  // whose statements apply
	super int32  // the class of a subclass, else -1
	limit int32  // lease limit, 0 if none
	key   uint64 // identity of what the limit counts
}

// Classify evaluates the class declarations, in their order. Before FindHost
// nobody is known.
func (e *Eval) Classify() {
	e.classN = 0
	for i := range e.prog.Rules {
		r := &e.prog.Rules[i]
		mark := e.used
		if e.holds(r) && r.Key >= 0 {
			e.subclassify(r)
		}
		e.release(mark)
	}
}

// holds tests "match if"; a class that has no more to say gains a member.
func (e *Eval) holds(r *ClassRule) bool {
	if r.Match >= 0 {
		if is, ok := e.truth(r.Match); !ok || !is {
			return false
		}
		if r.Key < 0 {
			e.join(r.Class)
		}
	}
	return true
}

// subclassify finds the subclass that the class's match value selects. A
// spawning class accepts every value: the instance is identified by it.
func (e *Eval) subclassify(r *ClassRule) {
	v, ok := e.eval(r.Key).asData()
	if !ok || len(v) == 0 {
		return
	}
	at := e.prog.subclass(r.Class, v)
	if at < 0 && r.Flags&FlagPrefix != 0 {
		at = e.prog.subclass(r.Class, unprefixed(v))
	}
	if at >= 0 { // a declared subclass wins over a spawned one
		s := &e.prog.Subclasses[at]
		e.addInstance(instance{class: s.Own, super: s.Class, limit: s.Limit, key: e.instanceKey(r.Class, v)})
		return
	}
	if c := &e.plan.Classes[r.Class]; c.Spawning {
		e.addInstance(instance{class: r.Class, super: -1, limit: c.LeaseLimit, key: e.instanceKey(r.Class, v)})
	}
}

// join makes the client a member of a class as a whole.
func (e *Eval) join(class int32) {
	c := &e.plan.Classes[class]
	e.addInstance(instance{class: class, super: c.Super, limit: c.LeaseLimit, key: e.instanceKey(class, nil)})
}

// addInstance records a membership once, however often statements add it. dhcpd
// keeps five at most; the limit here is wider, and counted when it is met.
func (e *Eval) addInstance(x instance) {
	for i := range e.classes[:e.classN] {
		if e.classes[i].class == x.class && e.classes[i].key == x.key {
			return
		}
	}
	if e.classN == MaxInstances {
		e.Exhausted++
		return
	}
	e.classes[e.classN] = x
	e.classN++
}

// instanceKey identifies what a lease limit counts.
func (e *Eval) instanceKey(class int32, v []byte) uint64 {
	return InstanceKey(e.plan.Classes[class].Name, v)
}

// InstanceKey identifies what a lease limit counts, a class by its name and, if
// it has subclasses, the match value, nil else: the same in every message, after
// a reload and in the lease file (FNV-1a, 64 bits).
func InstanceKey(name string, v []byte) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ 0x100) * 1099511628211 // no byte: the name ends here
	for _, c := range v {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// Member tells whether the client belongs to the class, or to a subclass of it.
func (e *Eval) Member(class int32) bool {
	for i := range e.classes[:e.classN] {
		if e.classes[i].class == class || e.classes[i].super == class {
			return true
		}
	}
	return false
}

// Limit returns the i-th class instance of the client that has a lease limit:
// key identifies it in every message and plan. ok=false: there are no more.
func (e *Eval) Limit(i int) (key uint64, limit int32, ok bool) {
	for at := range e.classes[:e.classN] {
		x := &e.classes[at]
		if x.limit == 0 {
			continue
		}
		if i == 0 {
			return x.key, x.limit, true
		}
		i--
	}
	return 0, 0, false
}

// subclass returns the declared subclass with a match value, -1 if none.
func (p *Program) subclass(class int32, v []byte) int32 {
	if len(p.SubclassHash) == 0 {
		return -1
	}
	mask := uint64(len(p.SubclassHash) - 1)
	for i := HashKey(uint32(class), v) & mask; ; i = (i + 1) & mask {
		at := p.SubclassHash[i]
		if at < 0 {
			return -1
		}
		s := &p.Subclasses[at]
		if s.Class == class && string(p.Data[s.Off:s.Off+s.Len]) == string(v) {
			return at
		}
	}
}
