package plan

// slot is the state of one option or parameter of the reply: a chain of
// pieces, evaluated only when the value is wanted, as dhcpd does it, so that
// an option may be made of options that are set after it.
type slot struct {
	generation  uint32 // of the Eval; another one means unset
	sequence    uint32 // when it was first set, for the order of sending
	first, last int16  // pieces
}

// piece is one value in a slot: an expression, or bytes given by the core.
type piece struct {
	expr   int32 // -1: bytes
	origin int32
	bytes  []byte
	next   int16 // -1: last
}

// isSet tells whether some statement of this message, or the core, has given the
// slot a value, be it null: "default" and DefaultOption keep off then.
func (e *Eval) isSet(s int32) bool { return e.slots[s].generation == e.generation }

// newPiece takes a piece; nil when MaxPieces is met.
func (e *Eval) newPiece(expr, origin int32) (p *piece, at int16) {
	if e.piecesUsed == MaxPieces {
		e.Exhausted++
		return nil, -1
	}
	at = int16(e.piecesUsed)
	e.piecesUsed++
	p = &e.pieces[at]
	*p = piece{expr: expr, origin: origin, next: -1}
	return p, at
}

// touch marks a slot as set by this message.
func (e *Eval) touch(s int32) *slot {
	x := &e.slots[s]
	if x.generation != e.generation {
		x.generation = e.generation
		x.sequence = e.sequence
		e.sequence++
		if s < slotParam {
			e.set[s>>6] |= 1 << (s & 63)
		}
	}
	return x
}

// assign makes one expression the value of a slot. A slot of a single piece
// reuses it.
func (e *Eval) assign(s, expr, origin int32) {
	if x := &e.slots[s]; x.generation == e.generation {
		// The sequence stays: in dhcpd a new value takes the place of the old one.
		p := &e.pieces[x.first]
		*p = piece{expr: expr, origin: origin, next: -1}
		x.last = x.first
		return
	}
	if p, at := e.newPiece(expr, origin); p != nil {
		x := e.touch(s)
		x.first, x.last = at, at
	}
}

// extend adds an expression at the end of a slot, or at its beginning.
func (e *Eval) extend(s, expr, origin int32, before bool) {
	if !e.isSet(s) {
		e.assign(s, expr, origin)
		return
	}
	p, at := e.newPiece(expr, origin)
	if p == nil {
		return
	}
	x := &e.slots[s]
	if before {
		p.next = x.first
		x.first = at
		return
	}
	e.pieces[x.last].next = at
	x.last = at
}

// give makes a copy of v the value of a slot.
func (e *Eval) give(s int32, v []byte, origin int32) bool {
	b := e.room(len(v))
	if b == nil {
		return false
	}
	copy(b, v)
	return e.place(s, b, origin)
}

// place makes bytes that stand in scratch the value of a slot.
func (e *Eval) place(s int32, b []byte, origin int32) bool {
	e.keep = e.used
	e.assign(s, -1, origin)
	if !e.isSet(s) { // no piece was left
		return false
	}
	e.pieces[e.slots[s].first].bytes = b
	return true
}

// unset removes a slot's value.
func (e *Eval) unset(s int32) {
	e.slots[s].generation = e.generation - 1
	if s < slotParam {
		e.set[s>>6] &^= 1 << (s & 63)
	}
}

// slotValue evaluates a slot. ok=false: not set, or null: one null piece makes
// the whole null, as concat does.
func (e *Eval) slotValue(s int32) (v []byte, ok bool) {
	if !e.isSet(s) {
		return nil, false
	}
	p := &e.pieces[e.slots[s].first]
	if p.next < 0 {
		return e.pieceValue(p)
	}
	return e.joined(s, p)
}

// pieceValue evaluates one piece. It is done anew each time it is wanted: the
// value may depend on options that have changed since.
func (e *Eval) pieceValue(p *piece) ([]byte, bool) {
	if p.expr < 0 {
		return p.bytes, true
	}
	if x := &e.prog.Exprs[p.expr]; x.Op == OpConst { // nearly all options
		return e.constant(x), true
	}
	return e.eval(p.expr).asData()
}

// joined evaluates a slot of several pieces into scratch.
func (e *Eval) joined(s int32, p *piece) (v []byte, ok bool) {
	names := s < slotParam && e.prog.Names[s>>6]>>(s&63)&1 != 0
	for {
		b, ok := e.pieceValue(p)
		if ok && names {
			b, ok = e.expandNames(b)
		}
		if !ok {
			return nil, false
		}
		if v, ok = e.concat(v, b); !ok {
			return nil, false
		}
		if p.next < 0 {
			break
		}
		p = &e.pieces[p.next]
	}
	if names {
		v = v[:compressNames(v)]
	}
	return v, true
}

// concat returns a followed by b.
func (e *Eval) concat(a, b []byte) ([]byte, bool) {
	if len(a) == 0 {
		return b, true
	}
	out := e.room(len(a) + len(b))
	if out == nil {
		return nil, false
	}
	copy(out[copy(out, a):], b)
	return out, true
}
