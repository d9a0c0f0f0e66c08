package plan

// Value evaluates what Decide left for a parameter. ok=false: it is not set, or
// its expression is null.
func (e *Eval) Value(p Param) (v []byte, ok bool) { return e.slotValue(SlotOf(p)) }

// Uint32 evaluates a parameter that is a big-endian integer of 1, 2 or 4 bytes.
func (e *Eval) Uint32(p Param) (v uint32, ok bool) {
	b, ok := e.Value(p)
	if !ok || len(b) != 1 && len(b) != 2 && len(b) != 4 {
		return 0, false
	}
	return uint32(bigEndian(b)), true
}

// Bool evaluates a flag; otherwise is its value where no statement sets it. A
// flag whose expression is null is off, as in dhcpd.
func (e *Eval) Bool(p Param, otherwise bool) bool {
	return e.Policy(p, policyOf(otherwise)) == Allow
}

// policyOf is the policy that a flag amounts to: flags and policies share their
// values, so that "allow booting" and "allow-booting on" are one statement.
func policyOf(on bool) Policy {
	if on {
		return Allow
	}
	return Deny
}

// Policy evaluates an allow, deny or ignore parameter.
func (e *Eval) Policy(p Param, otherwise Policy) Policy {
	if !e.isSet(SlotOf(p)) {
		return otherwise
	}
	v, ok := e.Value(p)
	if !ok || len(v) == 0 {
		return Deny
	}
	switch v[0] {
	case byte(Allow):
		return Allow
	case byte(Ignore):
		return Ignore
	}
	return Deny
}

// Option evaluates an option of space dhcp as it would be sent, whether asked
// for or not. ok=false: there is nothing to send.
func (e *Eval) Option(code byte) (v []byte, ok bool) {
	slot, enclosed := e.site(code)
	prefixed := e.prog.Prefixed[code>>6]>>(code&63)&1 != 0
	if slot >= 0 && e.isSet(slot) {
		v, ok = e.slotValue(slot)
		if !ok || len(v) == 0 {
			return nil, false
		}
		if enclosed >= 0 && prefixed {
			if more, has := e.encapsulate(enclosed); has {
				return e.concat(v, more)
			}
		}
		return v, true
	}
	if enclosed < 0 || prefixed {
		return nil, false
	}
	v, ok = e.encapsulate(enclosed)
	return v, ok && len(v) > 0
}

// site returns the slot of a code, -1 if none, and the space that its value
// encapsulates, -1 if none: those of space dhcp unless the code belongs to the
// site-option-space, and the vendor-option-space for option 43.
func (e *Eval) site(code byte) (slot, enclosed int32) {
	if e.isSet(SlotOf(SiteOptionSpace)) {
		if s := e.spaceNamed(SiteOptionSpace); s >= 0 && int(code) >= e.prog.Spaces[s].SiteMin {
			return e.prog.subSlot(s, uint32(code)), -1
		}
	}
	enclosed = e.prog.Encapsulated[code]
	if code == 43 && enclosed < 0 && e.isSet(SlotOf(VendorOptionSpace)) {
		enclosed = e.spaceNamed(VendorOptionSpace)
	}
	return int32(code), enclosed
}

// spaceNamed returns the space that a parameter names, -1 if there is none.
func (e *Eval) spaceNamed(p Param) int32 {
	name, ok := e.Value(p)
	if !ok {
		return -1
	}
	for i := range e.prog.Spaces {
		if e.prog.Spaces[i].Name == string(name) {
			return int32(i)
		}
	}
	return -1
}

// subSlot returns the slot of an option of a space, -1 if nothing sets it.
func (p *Program) subSlot(space int32, code uint32) int32 {
	for _, at := range p.Spaces[space].Slots {
		if p.SubOptions[at-int32(SlotSub)].Code == code {
			return at
		}
	}
	return -1
}

// SetValue makes v, which is copied, the value of a parameter.
func (e *Eval) SetValue(p Param, v []byte) { e.give(SlotOf(p), v, -1) }

// SetOption makes v, which is copied, the value of an option of space dhcp: the
// core's own choice wins over the configuration and is sent whether the client
// asks for it or not.
func (e *Eval) SetOption(code byte, v []byte) {
	if !e.give(int32(code), v, -1) {
		return
	}
	for _, c := range e.forced[:e.forcedUsed] {
		if c == code {
			return
		}
	}
	if e.forcedUsed == maxForced {
		e.Exhausted++
		return
	}
	e.forced[e.forcedUsed] = code
	e.forcedUsed++
}

// DefaultOption makes v, which is copied, the value of an option where the
// configuration has none.
func (e *Eval) DefaultOption(code byte, v []byte) {
	if !e.isSet(int32(code)) {
		e.give(int32(code), v, -1)
	}
}

// OriginOf returns the place that decided a parameter, the index into
// Plan.Origins; -1 if none.
func (e *Eval) OriginOf(p Param) int32 { return e.originOf(SlotOf(p)) }

// OriginOfOption returns the place that decided an option; for one that is made
// of another space's options, the first of them that is set. -1: none.
func (e *Eval) OriginOfOption(code byte) int32 {
	slot, enclosed := e.site(code)
	if slot >= 0 && e.isSet(slot) {
		return e.originOf(slot)
	}
	if enclosed < 0 {
		return -1
	}
	return e.spaceOrigin(enclosed)
}

// originOf is the place of the last statement that had a part in a value: with
// append it is the appended one, which is what a reader looks for.
func (e *Eval) originOf(slot int32) int32 {
	if !e.isSet(slot) {
		return -1
	}
	return e.pieces[e.slots[slot].last].origin
}

// spaceOrigin is the place of the first option of a space that is set.
func (e *Eval) spaceOrigin(space int32) int32 {
	for _, at := range e.prog.Spaces[space].Slots {
		if e.isSet(at) {
			return e.originOf(at)
		}
	}
	return -1
}
