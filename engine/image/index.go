package image

// MaxName is the longest name that can be asked for, in bytes. RFC 2347 limits
// a whole request to 512.
const MaxName = 512

// table is an open-addressing index from a name's hash to a file, at most half
// full, searched linearly.
type table struct {
	entries []entry // power of two
}

// entry is one place of a table. The hash is kept to spare comparing names.
type entry struct {
	hash uint32
	ref  int32 // index of the file + 1, 0 if empty
}

func newTable(files int) table {
	n := 2
	for n < 2*files {
		n *= 2
	}
	return table{make([]entry, n)}
}

// add enters a file unless its name, folded if fold is set, is there already.
func (t *table) add(files []File, index int32, fold bool) {
	name := []byte(files[index].Name)
	if fold {
		lower(name)
	}
	if _, ok := t.find(files, name, fold); ok {
		return
	}
	h := hash(name)
	i := int(h) & (len(t.entries) - 1)
	for t.entries[i].ref != 0 {
		i = (i + 1) & (len(t.entries) - 1)
	}
	t.entries[i] = entry{h, index + 1}
}

// find looks a name up. If fold is set, name is in lower case and the files'
// names are compared without regard to case.
func (t *table) find(files []File, name []byte, fold bool) (index int32, ok bool) {
	h := hash(name)
	for i := int(h) & (len(t.entries) - 1); ; i = (i + 1) & (len(t.entries) - 1) {
		e := t.entries[i]
		if e.ref == 0 {
			return 0, false
		}
		if e.hash == h && same(files[e.ref-1].Name, name, fold) {
			return e.ref - 1, true
		}
	}
}

// same compares a file's name with one that is asked for.
func same(have string, name []byte, fold bool) bool {
	if !fold {
		return have == string(name)
	}
	if len(have) != len(name) {
		return false
	}
	for i := range name {
		if lowerByte(have[i]) != name[i] {
			return false
		}
	}
	return true
}

// hash is FNV-1a, 32 bits. Nobody outside can add names, so it need not resist
// chosen ones.
func hash(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// lowerByte folds ASCII only: other letters differ between client and disk in
// encoding as much as in case.
func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func lower(b []byte) {
	for i, c := range b {
		b[i] = lowerByte(c)
	}
}

// Lookup finds the file that a client asks for. Names are taken as real
// clients send them: leading, doubled and back slashes, "./", the root's own
// absolute path in front, and another case than on disk (exact matches come
// first; of names that differ only in case, the lexically first). A name with a
// ".." in it names nothing, even where it would lead back into the root; nor
// does one that ends in a slash.
func (s *Set) Lookup(name []byte) (index int32, ok bool) {
	var buffer [MaxName]byte
	n, ok := clean(&buffer, name)
	if !ok {
		return 0, false
	}
	below := n[len(n):]
	if len(s.prefix) > 1 && len(n) > len(s.prefix) && string(n[:len(s.prefix)]) == s.prefix {
		below = n[len(s.prefix):]
	}
	if index, ok = s.exact.find(s.files, n, false); ok {
		return index, true
	}
	if index, ok = s.exact.find(s.files, below, false); ok {
		return index, true
	}
	lower(n) // and with it what is below the root
	if index, ok = s.folded.find(s.files, n, true); ok {
		return index, true
	}
	return s.folded.find(s.files, below, true)
}

// clean writes name to b in the form of File.Name: components joined by single
// slashes. ok is false if nothing in a root can have that name.
func clean(b *[MaxName]byte, name []byte) (n []byte, ok bool) {
	at, start := 0, 0 // bytes written; where the present component starts
	for i := 0; i <= len(name); i++ {
		c := byte('/')
		if i < len(name) {
			c = name[i]
		}
		if c == '\\' {
			c = '/'
		}
		if c != '/' {
			if at == MaxName {
				return nil, false
			}
			b[at] = c
			at++
			continue
		}
		last := i == len(name)
		part := b[start:at]
		switch empty := len(part) == 0 || string(part) == "."; {
		case string(part) == "..", empty && last: // the latter names a directory
			return nil, false
		case empty:
			at = start
		case !last:
			if at == MaxName {
				return nil, false
			}
			b[at] = '/'
			at++
			start = at
		}
	}
	return b[:at], true
}
