package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// String returns the word that findings are printed with.
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// HasErrors tells whether a finding keeps the configuration from being used.
func (t *Tree) HasErrors() bool {
	return slices.ContainsFunc(t.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Sort puts the findings in the order of the files as they were read, and by
// place within a file. Whoever appends findings (compile time) sorts again.
func (t *Tree) Sort() {
	order := make(map[string]int, len(t.Sources))
	for i, s := range t.Sources {
		if _, ok := order[s.Name]; !ok {
			order[s.Name] = i
		}
	}
	slices.SortStableFunc(t.Findings, func(a, b Finding) int {
		if d := order[a.File] - order[b.File]; d != 0 {
			return d
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
}

// renderWidth is how many bytes of a long line Render shows.
const renderWidth = 160

// Render returns the finding as text for a terminal: its place, the line it is
// about with a caret under the place, and the remedy, each line ended.
func (t *Tree) Render(f Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", f.File, f.Line, f.Col, f.Severity, f.Message)
	if line, ok := t.line(f.Pos); ok && line != "" {
		renderLine(&b, line, f.Col-1, f.Width)
	}
	if f.Remedy != "" {
		fmt.Fprintf(&b, "    %s\n", f.Remedy)
	}
	return b.String()
}

// line returns the text of the line of p.
func (t *Tree) line(p Pos) (string, bool) {
	for i := range t.Sources {
		if t.Sources[i].Name != p.File {
			continue
		}
		rest := t.Sources[i].Text
		for n := 1; n < p.Line; n++ {
			end := slices.Index(rest, '\n')
			if end < 0 {
				return "", false
			}
			rest = rest[end+1:]
		}
		if end := slices.Index(rest, '\n'); end >= 0 {
			rest = rest[:end]
		}
		return strings.TrimSuffix(string(rest), "\r"), true
	}
	return "", false
}

// renderLine writes the line and the caret line below it; col counts bytes from
// 0. A tab before the caret stays a tab, so that the caret is right whatever
// the terminal's tab width. A line longer than renderWidth is cut around col.
func renderLine(b *strings.Builder, line string, col, width int) {
	col = min(max(col, 0), len(line))
	if len(line) > renderWidth {
		from := runeStart(line, max(0, col-renderWidth/2))
		to := runeStart(line, min(len(line), from+renderWidth))
		line, col = line[from:to], col-from
	}
	b.WriteString("    ")
	b.WriteString(printable(line))
	b.WriteString("\n    ")
	for _, r := range line[:col] {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteByte('^')
	under := line[col:min(len(line), col+max(width, 1))]
	if n := utf8.RuneCountInString(under); n > 1 {
		b.WriteString(strings.Repeat("~", n-1))
	}
	b.WriteByte('\n')
}

// runeStart moves i back to the first byte of the character it is in.
func runeStart(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// printable replaces what could upset a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}

// add records a finding and tells whether it was kept. After maxErrors errors
// the parser stops; warnings beyond maxWarnings are only counted.
func (p *parser) add(f Finding) bool {
	if p.stopped {
		return false
	}
	f.Width = max(f.Width, 1)
	if f.Severity == Warning {
		if p.warnings++; p.warnings > maxWarnings {
			return false
		}
		p.tree.Findings = append(p.tree.Findings, f)
		return true
	}
	p.tree.Findings = append(p.tree.Findings, f)
	if p.errors++; p.errors >= maxErrors {
		p.stopped = true
		p.tree.Findings = append(p.tree.Findings, Finding{Pos: f.Pos, Severity: Error, Width: 1,
			Message: fmt.Sprintf("%d errors: reading stops here", p.errors),
			Remedy:  "correct the errors above and try again"})
	}
	return true
}

// repeated records a warning of a kind that may come for every host of a large
// file: maxRepeats are given, the rest is counted. text makes message and
// remedy when they are needed.
func (p *parser) repeated(kind string, t *token, text func() (message, remedy string)) {
	r := p.repeats[kind]
	if r == nil {
		r = &repeat{index: -1}
		p.repeats[kind] = r
	}
	if r.count++; r.count > maxRepeats {
		return
	}
	message, remedy := text()
	if p.add(Finding{Pos: p.pos(t), Severity: Warning, Width: p.width(t), Message: message, Remedy: remedy}) {
		r.index = len(p.tree.Findings) - 1
	}
}

// repeat counts the findings of one kind.
type repeat struct {
	count int
	index int // of the last finding given
}

// tellRepeats says at the last finding of a kind how many more there were, and
// at the last warning how many were not given at all.
func (p *parser) tellRepeats() {
	if more := p.warnings - maxWarnings; more > 0 {
		for i := len(p.tree.Findings) - 1; i >= 0; i-- {
			if f := &p.tree.Findings[i]; f.Severity == Warning {
				f.Message += fmt.Sprintf(" (and %d more warnings that are not shown)", more)
				break
			}
		}
	}
	for _, r := range p.repeats {
		if more := r.count - maxRepeats; more > 0 && r.index >= 0 {
			f := &p.tree.Findings[r.index]
			f.Message += fmt.Sprintf(" (and %d more like it)", more)
		}
	}
}

// pos is the place of t.
func (p *parser) pos(t *token) Pos {
	return Pos{File: p.lex.name, Line: t.line, Col: t.off - t.lineOff + 1}
}

// width is how many bytes of t's first line to underline. A span that was to
// grow with what follows, but nothing did, ends before it begins.
func (p *parser) width(t *token) int {
	s := p.lex.src[t.off:max(t.off, t.end)]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	return len(s)
}

// fail records an error at t, unless the lexer has complained of t already. It
// returns false so that parsing functions can end with it.
func (p *parser) fail(t *token, message, remedy string) bool {
	if t.bad != "" && message != t.bad {
		return false // the token itself is what is wrong, and that has been said
	}
	p.add(Finding{Pos: p.pos(t), Severity: Error, Width: p.width(t), Message: message, Remedy: remedy})
	return false
}

// warn records a warning at t.
func (p *parser) warn(t *token, message, remedy string) {
	p.add(Finding{Pos: p.pos(t), Severity: Warning, Width: p.width(t), Message: message, Remedy: remedy})
}

// failAfter records an error at the end of the last token: something is missing
// there.
func (p *parser) failAfter(message, remedy string) {
	t := p.last
	pos := Pos{File: p.lex.name, Line: t.line, Col: t.end - t.lineOff + 1}
	p.add(Finding{Pos: pos, Severity: Error, Width: 1, Message: message, Remedy: remedy})
}
