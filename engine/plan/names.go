package plan

import "bytes"

const (
	// maxJumps bounds the compression pointers followed in one name: more than
	// any honest encoder needs, and an end to a loop.
	maxJumps = 64
	// pointerMark begins a pointer: two bytes, of which 14 bits are the offset
	// from the start of the list (RFC 1035 section 4.1.4).
	pointerMark = 0xc0
	// maxNames bounds an expanded list in bytes: more does not fit a reply, and
	// compressing takes time with the square of it.
	maxNames = 1024
)

// expandNames writes a list of compressed domain names (RFC 3397) without
// compression: pointers are offsets from the start of their own list, so lists
// can be put end to end only in this form. ok is false if the list is
// malformed, or so compressed that it does not fit.
func (e *Eval) expandNames(list []byte) (out []byte, ok bool) {
	if out = e.room(maxNames); out == nil {
		return nil, false
	}
	n := 0
	for at := 0; at < len(list); {
		wrote, read := expandName(out[n:], list, at)
		if read == 0 {
			return nil, false
		}
		n += wrote
		at += read
	}
	return out[:n], true
}

// expandName writes the name that begins at list[at]: read is how many bytes of
// the list it takes, 0 if it is malformed or does not fit.
func expandName(out, list []byte, at int) (wrote, read int) {
	i, jumps := at, 0
	for i < len(list) {
		k := int(list[i])
		if k >= pointerMark {
			if i+1 >= len(list) || jumps == maxJumps {
				return 0, 0
			}
			if jumps == 0 {
				read = i + 2 - at
			}
			jumps++
			i = (k&^pointerMark)<<8 | int(list[i+1])
			continue
		}
		if k > fqdnMaxLabel || i+1+k > len(list) || wrote+1+k > len(out) {
			return 0, 0
		}
		wrote += copy(out[wrote:], list[i:i+1+k])
		i += 1 + k
		if k == 0 {
			if jumps == 0 {
				read = i - at
			}
			return wrote, read
		}
	}
	return 0, 0
}

// compressNames writes names in plain wire format as a compressed list, in
// place: the longest end of a name that an earlier name has becomes a pointer.
// It returns the length.
func compressNames(list []byte) int {
	n := 0
	for at := 0; at < len(list); {
		size := nameLen(list[at:])
		for i := 0; i < size; {
			rest := list[at+i : at+size]
			if to := suffixAt(list[:n], rest); to >= 0 && to < 1<<14 && len(rest) > 1 {
				list[n], list[n+1] = pointerMark|byte(to>>8), byte(to)
				n += 2
				break
			}
			label := 1 + int(rest[0]) // read first: the copy may overlap it
			n += copy(list[n:], rest[:label])
			i += label
		}
		at += size
	}
	return n
}

// nameLen is the length of a plain name with its final zero.
func nameLen(b []byte) int {
	n := 0
	for b[n] != 0 {
		n += 1 + int(b[n])
	}
	return n + 1
}

// suffixAt finds where in a compressed list a plain name, or the end of one,
// stands; -1 if nowhere.
func suffixAt(list, name []byte) int {
	for at := 0; at < len(list); {
		if k := int(list[at]); k >= pointerMark {
			at += 2
		} else {
			if k > 0 && isName(list, at, name) {
				return at
			}
			at += 1 + k
		}
	}
	return -1
}

// isName compares the name at list[at], which may end in pointers, with a plain
// one. Pointers made by compressNames lead backwards only.
func isName(list []byte, at int, name []byte) bool {
	for at < len(list) {
		k := int(list[at])
		if k >= pointerMark {
			at = (k&^pointerMark)<<8 | int(list[at+1])
			continue
		}
		if at+1+k > len(list) || len(name) < 1+k || !bytes.Equal(list[at:at+1+k], name[:1+k]) {
			return false
		}
		if k == 0 {
			return true
		}
		at += 1 + k
		name = name[1+k:]
	}
	return false
}
