package plan

// DefaultSubOption makes v the value of a sub-option of an option of space dhcp
// that encapsulates others, one byte for each code and length (RFC 2132 section
// 8.4), unless the configuration has that sub-option. What the configuration
// puts into the option stays, in front. It tells whether v was added: it is not
// where the option means something else, is switched off or cannot be read.
func (e *Eval) DefaultSubOption(code, sub byte, v []byte) bool {
	slot, _ := e.site(code)
	if slot != int32(code) {
		return false
	}
	old, has := e.Option(code)
	if !has && e.isSet(slot) { // set to nothing
		return false
	}
	old, found := findSub(old, sub)
	if found {
		return false
	}
	b := e.room(len(old) + 2 + len(v))
	if b == nil {
		return false
	}
	origin := e.OriginOfOption(code)
	n := copy(b, old)
	b[n], b[n+1] = sub, byte(len(v))
	copy(b[n+2:], v)
	return e.place(slot, b, origin)
}

// findSub looks for a sub-option in what an option encapsulates and returns that
// without its end mark. What is malformed counts as found: nothing can be added
// to it.
func findSub(b []byte, sub byte) (open []byte, found bool) {
	const pad, end = 0, 255
	for i := 0; i < len(b); {
		switch {
		case b[i] == pad:
			i++
		case b[i] == end:
			return b[:i], false
		case i+2 > len(b), i+2+int(b[i+1]) > len(b), b[i] == sub:
			return b, true
		default:
			i += 2 + int(b[i+1])
		}
	}
	return b, false
}
