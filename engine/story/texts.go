package story

// ref is a text in a table of texts; 0 is the empty one.
type ref uint32

// Limits of the table of texts. File names come from the network: a flood of
// invented ones must not eat memory.
const (
	textsMost  = 16384
	textMost   = 400 // bytes; longer ones are cut
	sweepPause = int64(10e9)
)

// texts keeps each file name and each advice once, and what was learned about
// the file.
type texts struct {
	list  []text
	index map[string]ref
	free  []ref
	swept int64
}

type text struct {
	s    string
	mark bool
	// Of a file: in how many boots it was followed by another, and in how many it
	// was the last; and what followed it last.
	leads, ends uint32
	next        ref
}

// unknownText stands for one that did not fit.
const unknownText ref = 1

func newTexts() texts {
	t := texts{list: make([]text, 2), index: map[string]ref{}}
	t.list[unknownText].s = "(name not kept)"
	return t
}

// ref finds a text, or keeps it.
func (b *Book) ref(s []byte, now int64) ref {
	if len(s) == 0 {
		return 0
	}
	s = s[:min(len(s), textMost)]
	t := &b.texts
	if r, ok := t.index[string(s)]; ok {
		return r
	}
	if len(t.free) == 0 && len(t.list) >= textsMost {
		if now-t.swept < sweepPause && t.swept != 0 {
			return unknownText
		}
		t.swept = now
		if b.sweep(); len(t.free) == 0 {
			return unknownText
		}
	}
	r := ref(len(t.list))
	if n := len(t.free); n > 0 {
		r = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		t.list = append(t.list, text{})
	}
	t.list[r] = text{s: clean(s)}
	t.index[string(s)] = r
	return r
}

// sweep frees the texts that no node refers to.
func (b *Book) sweep() {
	t := &b.texts
	for _, n := range b.nodes {
		if n == nil {
			continue
		}
		n.refs(func(r ref) { t.list[r].mark = true })
	}
	for s, r := range t.index {
		if t.list[r].mark {
			continue
		}
		delete(t.index, s)
		t.list[r] = text{}
		t.free = append(t.free, r)
	}
	for i := range t.list {
		t.list[i].mark = false
		if t.list[i].next != 0 && t.list[t.list[i].next].s == "" {
			t.list[i].next = 0
		}
	}
}

// text returns what a ref stands for.
func (b *Book) text(r ref) string { return b.texts.list[r].s }

// clean makes text from the network safe to show: one line, and nothing that a
// terminal would obey.
func clean(s []byte) string {
	ok := true
	for _, c := range s {
		ok = ok && c >= ' ' && c < 0x7f
	}
	if ok {
		return string(s)
	}
	out := make([]rune, 0, len(s))
	for _, r := range string(s) {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffd' {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}
