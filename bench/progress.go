package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"
)

// Reporter writes Progress for a person: on a terminal one line that is
// rewritten, elsewhere, as in a log, a line now and then.
type Reporter struct {
	w     io.Writer
	title string
	width int // of the terminal, 0 if w is none
	last  time.Duration
	wrote bool
}

// logInterval is how often a line goes to a log.
const logInterval = 5 * time.Second

// NewReporter writes to w; lines begin with title. It looks whether w is a
// terminal.
func NewReporter(w io.Writer, title string) *Reporter {
	r := &Reporter{w: w, title: title, last: -logInterval}
	// The width matters: a line that wraps cannot be rewritten.
	if f, ok := w.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) {
		r.width = 80
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 20 {
			r.width = columns
		}
	}
	return r
}

// Interval is how often Show should be called.
func (r *Reporter) Interval() time.Duration {
	if r.width > 0 {
		return 200 * time.Millisecond
	}
	return time.Second
}

// Show writes one look.
func (r *Reporter) Show(p Progress) {
	if r.width == 0 {
		if p.Elapsed-r.last < logInterval && p.Done+p.Failed < p.Total {
			return
		}
		r.last = p.Elapsed
		fmt.Fprintln(r.w, r.line(p))
		return
	}
	line := []rune(r.line(p)) // cut by characters, not by bytes: the bar has wide codes
	if len(line) >= r.width {
		line = line[:r.width-1]
	}
	fmt.Fprintf(r.w, "\r%s\x1b[K", string(line))
	r.wrote = true
}

// End leaves the rewritten line, so that the next output does not overwrite
// it.
func (r *Reporter) End() {
	if r.wrote {
		fmt.Fprintln(r.w)
	}
}

// barCells is the width of the bar in characters.
const barCells = 20

// line is the text: a bar, the counts, and where the nodes are.
func (r *Reporter) line(p Progress) string {
	ended := p.Done + p.Failed
	filled := 0
	if p.Total > 0 {
		filled = barCells * ended / p.Total
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %5.1f s [%s%s] %s/%s boots", r.title, p.Elapsed.Seconds(), strings.Repeat("█", filled),
		strings.Repeat("·", barCells-filled), Count(ended), Count(p.Total))
	if p.Failed > 0 {
		fmt.Fprintf(&b, ", %s FAILED", Count(p.Failed))
	}
	fmt.Fprintf(&b, ", %s", Bytes(p.Verified))
	for i, c := range p.Phases { // the three fullest phases say where the storm is
		if i == 3 {
			break
		}
		fmt.Fprintf(&b, ", %s in %s", Count(c.Nodes), c.Name)
	}
	return b.String()
}
