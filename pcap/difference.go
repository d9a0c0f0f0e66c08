package pcap

import (
	"fmt"
	"strings"
)

// Difference is one point in which our side differs from the captured server.
type Difference struct {
	Capture string // name of the capture file
	Record  int    // number of the client's frame that was answered, from 1 as packet analysers count
	At      int64  // its time, nanoseconds since the first frame
	Client  string // its hardware address
	Message string // what kind of answer: OFFER, ACK, NAK, OACK, DATA, ERROR …
	Request string // what the client asked, in short
	Field   string // which field or option; "missing" or "extra" for a whole message
	Ours    string // our value
	Theirs  string // the captured server's
	Reason  string // why that is right, from the reviewed list; empty if it is not on it
}

// Absent stands for the value of a field or message that one side does not have.
const Absent = "-"

// Group is a number of differences of one kind.
type Group struct {
	Difference        // the first of them
	Count        int  // how many there are
	OursVaries   bool // our values are not all the same
	TheirsVaries bool // nor those of the captured server
}

// kind is what makes two differences one row of a summary. Those that are on
// the list for the same reason need not have the same values.
func (d *Difference) kind() [5]string {
	if d.Reason != "" {
		return [5]string{d.Message, d.Field, d.Reason}
	}
	return [5]string{d.Message, d.Field, "", d.Ours, d.Theirs}
}

// Summarize groups differences by kind, unreviewed ones first, else in the
// order of the capture.
func Summarize(list []Difference) []Group {
	index := make(map[[5]string]int)
	var reviewed, open []Group
	for _, d := range list {
		groups := &reviewed
		if d.Reason == "" {
			groups = &open
		}
		i, ok := index[d.kind()]
		if !ok {
			index[d.kind()] = len(*groups)
			*groups = append(*groups, Group{Difference: d, Count: 1})
			continue
		}
		g := &(*groups)[i]
		g.Count++
		g.OursVaries = g.OursVaries || g.Ours != d.Ours
		g.TheirsVaries = g.TheirsVaries || g.Theirs != d.Theirs
	}
	return append(open, reviewed...)
}

// Entry is one kind of difference that somebody has looked at and found right.
// Everything but the reason is a pattern in which * stands for any text.
type Entry struct {
	Line     int // in the list's file
	Captures []string
	Messages []string
	Request  string
	Field    string
	Ours     string
	Theirs   string
	Reason   string
	Used     int // differences that it explained
}

// List is a reviewed list of differences. Its file has, for each entry, a line
//
//	captures | messages | request | field | ours | theirs
//
// (several captures or messages are separated by commas), followed by indented lines that give the
// reason. A line that begins with # is a comment.
type List []*Entry

// ParseList reads a reviewed list. name is for error messages.
func ParseList(name, text string) (l List, err error) {
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(l) == 0 {
				return nil, fmt.Errorf("%s:%d: a reason without an entry above it", name, i+1)
			}
			e := l[len(l)-1]
			e.Reason = strings.TrimSpace(e.Reason + " " + trimmed)
		default:
			column := strings.Split(line, "|")
			if len(column) != 6 {
				return nil, fmt.Errorf("%s:%d: %d columns where 6 are expected: captures | messages | request | field | ours | theirs", name, i+1, len(column))
			}
			for k := range column {
				column[k] = strings.TrimSpace(column[k])
			}
			l = append(l, &Entry{Line: i + 1, Captures: words(column[0]), Messages: words(column[1]), Request: column[2],
				Field: column[3], Ours: column[4], Theirs: column[5]})
		}
	}
	for _, e := range l {
		if e.Reason == "" {
			return nil, fmt.Errorf("%s:%d: an entry needs a reason, indented below it", name, e.Line)
		}
	}
	return l, nil
}

// words splits a list at its commas.
func words(s string) (list []string) {
	for _, w := range strings.Split(s, ",") {
		list = append(list, strings.TrimSpace(w))
	}
	return list
}

// Review fills in the Reason of every difference that is on the list and
// returns how many are not.
func (l List) Review(list []Difference) (open int) {
	for i := range list {
		d := &list[i]
		if e := l.find(d); e != nil {
			e.Used++
			d.Reason = e.Reason
		} else {
			open++
		}
	}
	return open
}

// Unused returns the entries that explained nothing so far.
func (l List) Unused() (unused []*Entry) {
	for _, e := range l {
		if e.Used == 0 {
			unused = append(unused, e)
		}
	}
	return unused
}

// find returns the first entry that a difference fits. The ending of the file
// name does not matter: one entry holds for a capture in both formats.
func (l List) find(d *Difference) *Entry {
	for _, e := range l {
		if matchAny(e.Messages, d.Message) && match(e.Field, d.Field) && match(e.Ours, d.Ours) && match(e.Theirs, d.Theirs) &&
			match(e.Request, d.Request) && matchAny(e.Captures, strings.TrimSuffix(strings.TrimSuffix(d.Capture, ".pcapng"), ".pcap")) {
			return e
		}
	}
	return nil
}

// matchAny tells whether one of several patterns fits.
func matchAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if match(p, s) {
			return true
		}
	}
	return false
}

// match tells whether s has the form of pattern, in which * stands for any
// text, the empty one included.
func match(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}
