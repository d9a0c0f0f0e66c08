package plan

// encapsulate writes the options of a space that are set, and those of spaces
// encapsulated in them, into scratch: code, length, value of each. ok=false:
// none is set. The order is dhcpd's, see inOrder.
func (e *Eval) encapsulate(space int32) (v []byte, ok bool) {
	if !e.enter() {
		return nil, false
	}
	s := &e.prog.Spaces[space]
	switch s.Kind {
	case SpaceFQDN:
		v, ok = e.encodeFQDN(s)
	case SpaceNWIP:
		v, ok = e.encodeNWIP(s)
	default:
		v, ok = e.encodeOptions(s)
	}
	e.leave()
	return v, ok
}

// encodeOptions writes the options that are set, bucket by bucket, then the
// spaces that options of this one enclose. A value for the enclosing option
// itself has precedence over its space, as in dhcpd. So does this: a space of
// which nothing is set is not looked into, not even for spaces inside it.
func (e *Eval) encodeOptions(s *Space) (out []byte, ok bool) {
	if !e.anySet(s) {
		return nil, false
	}
	for i := 0; i < len(s.Slots); {
		n := e.sameBucket(s, i)
		for k := range n {
			at := e.inOrder(s.Slots[i:i+n], k)
			if at < 0 {
				break
			}
			o := &e.prog.SubOptions[at-int32(SlotSub)]
			if v, has := e.slotValue(at); has && (len(v) > 0 || o.Empty) {
				out = e.appendOption(out, s, o.Code, v)
			}
		}
		i += n
	}
	for _, c := range s.Children {
		child := &e.prog.Spaces[c]
		if child.Slot >= 0 && e.isSet(child.Slot) {
			continue // the option's own value wins
		}
		if v, has := e.encapsulate(c); has && len(v) > 0 {
			out = e.appendOption(out, s, child.Code, v)
		}
	}
	return out, len(out) > 0
}

func (e *Eval) anySet(s *Space) bool {
	for _, at := range s.Slots {
		if e.isSet(at) {
			return true
		}
	}
	return false
}

// appendOption adds one option; a value too long for the length field is left
// out.
func (e *Eval) appendOption(out []byte, s *Space, code uint32, v []byte) []byte {
	head := int(s.CodeWidth) + int(s.LenWidth)
	if s.LenWidth > 0 && len(v) >= 1<<(8*s.LenWidth) {
		e.Exhausted++
		return out
	}
	b := e.room(len(out) + head + len(v))
	if b == nil {
		return out
	}
	n := copy(b, out)
	putBigEndian(b[n:n+int(s.CodeWidth)], uint64(code))
	putBigEndian(b[n+int(s.CodeWidth):n+head], uint64(len(v)))
	copy(b[n+head:], v)
	return b
}

// putBigEndian writes the low bytes of n, as many as b has.
func putBigEndian(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
}

// encodeNWIP: the mark "NetWare/IP options follow" comes first (RFC 2242).
func (e *Eval) encodeNWIP(s *Space) ([]byte, bool) {
	v, ok := e.encodeOptions(s)
	if !ok {
		return nil, false
	}
	b := e.room(2 + len(v))
	if b == nil {
		return nil, false
	}
	b[0], b[1] = 2, 0
	copy(b[2:], v)
	return b, true
}

// Bucket is the place of a code in dhcpd's hash of options, which decides the
// order in which it sends options that nobody asked for: by bucket, in a bucket
// the one set last comes first.
func Bucket(code uint32) uint32 { return (code&31 + code>>5&31) % Buckets }

// Buckets is how many there are.
const Buckets = 17

// sameBucket counts the slots from i on that share a bucket; Slots is sorted by
// it.
func (e *Eval) sameBucket(s *Space, i int) int {
	bucket, n := e.bucketOf(s.Slots[i]), 1
	for i+n < len(s.Slots) && e.bucketOf(s.Slots[i+n]) == bucket {
		n++
	}
	return n
}

// bucketOf is the bucket of the option that a slot beyond SlotSub holds.
func (e *Eval) bucketOf(slot int32) uint32 {
	return Bucket(e.prog.SubOptions[slot-int32(SlotSub)].Code)
}

// inOrder returns the k-th of the slots that are set, the one set last being
// the 0th; -1 if fewer are set.
func (e *Eval) inOrder(slots []int32, k int) int32 {
	before := uint32(1<<32 - 1)
	at := int32(-1)
	for ; k >= 0; k-- {
		at = -1
		for _, s := range slots {
			if q := e.slots[s].sequence; e.isSet(s) && q < before && (at < 0 || q > e.slots[at].sequence) {
				at = s
			}
		}
		if at < 0 {
			return -1
		}
		before = e.slots[at].sequence
	}
	return at
}
