package plan

// Regex is a regular expression as a table for a deterministic automaton, made
// by package compile: one step per byte, no memory, no backtracking. The search
// is unanchored unless the expression anchors it.
type Regex struct {
	Class [256]uint8 // bytes that the expression never tells apart share a class
	Width int        // classes: the length of a row of Next
	Next  []uint16   // state*Width+class: the next state; the first is 0
	Match []uint8    // per state: RegexMatch, RegexAtEnd
}

// What a state means.
const (
	RegexMatch uint8 = 1 << iota // the text so far contains a match
	RegexAtEnd                   // it does if the text ends here
)

// Matches tells whether b contains a match.
func (r *Regex) Matches(b []byte) bool {
	state := 0
	for _, c := range b {
		if r.Match[state]&RegexMatch != 0 {
			return true
		}
		state = int(r.Next[state*r.Width+int(r.Class[c])])
	}
	return r.Match[state] != 0
}
