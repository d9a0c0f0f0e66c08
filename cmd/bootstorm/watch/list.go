package watch

import (
	"cmp"
	"fmt"
	"strings"

	"bootstorm/cmd/bootstorm/text"
	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// whyRows is how many lines below the list tell about the node under the cursor.
const whyRows = 2

// listRows is how many nodes the list shows.
func (m *Model) listRows() int {
	above := 1 + len(m.overview())
	return max(m.height-above-1-whyRows-1, 1) // the list's head, what is below it, the keys
}

// columns are the widths of a row.
type columns struct {
	name, mac, address, phase, since, what int
}

// columns shares out the width: what a node does gets what is left.
func (m *Model) columns() (c columns) {
	c = columns{name: 17, address: 15, phase: 8, since: 11}
	if m.width >= 110 {
		c.name, c.mac = 20, 17
	}
	if m.width < 70 {
		c.address = 0
	}
	c.what = m.width - 2 // mark and space
	for _, w := range []int{c.name, c.mac, c.address, c.phase, c.since} {
		if w > 0 {
			c.what -= w + 1
		}
	}
	return c
}

// list is the head, the rows and what is known of the node under the cursor.
func (m *Model) list() []string {
	c := m.columns()
	lines := []string{m.head(c)}
	n := m.listRows()
	for i := range n {
		if i < len(m.rows) {
			lines = append(lines, m.row(c, &m.rows[i], m.query.From+i == m.cursor))
		} else {
			lines = append(lines, "")
		}
	}
	if len(m.rows) == 0 {
		lines[min(2, n)] = m.nobody()
	}
	return append(lines, m.why()...)
}

// nobody says why the list is empty.
func (m *Model) nobody() string {
	if m.filter != "" || m.total > 0 {
		return "   no node matches the filter; esc takes it away"
	}
	return "   no node has asked for an address yet"
}

// head names the columns, and which part of the list is shown.
func (m *Model) head(c columns) string {
	part, by := "", "by "+m.query.Sort
	if len(m.rows) > 0 {
		part = fmt.Sprintf("%s-%s of %s ", text.Count(int64(m.query.From+1)), text.Count(int64(m.query.From+len(m.rows))), text.Count(int64(m.total)))
	}
	if m.query.Sort == sorts[0] {
		by = "worst first"
	}
	if m.filter != "" && !m.typing { // else it stands on the last line
		part = "[" + m.filter + "]  " + part
	}
	left := strings.TrimRight("  "+c.join("NODE", "MAC", "ADDRESS", "PHASE", text.Right("FOR", c.since), ""), " ")
	if full := by + "  " + part; len(left)+len(full) < m.width {
		part = full
	}
	return bold.Underline(true).Render(m.apart(left, part))
}

// join puts the cells of a row side by side; those without width are left out.
func (c *columns) join(name, mac, address, phase, since, what string) string {
	line := ""
	for _, f := range []struct {
		s string
		w int
	}{{name, c.name}, {mac, c.mac}, {address, c.address}, {phase, c.phase}, {since, c.since}, {what, c.what}} {
		if f.w > 0 {
			line += text.Fit(f.s, f.w) + " "
		}
	}
	return line[:len(line)-1]
}

// row is one node.
func (m *Model) row(c columns, n *story.Node, chosen bool) string {
	since, mark := m.summary.Now.Sub(n.Since), " "
	switch n.State {
	case story.StateStuck:
		mark = m.glyphs.stuck
	case story.StateDone, story.StateSystem:
		mark, since = m.glyphs.done, n.Finished.Sub(n.Started)
		if n.Finished.IsZero() {
			since = 0
		}
	}
	line := mark + " " + c.join(text.Clean(cmp.Or(n.Host, n.MAC)), n.MAC, cmp.Or(n.Address, "-"), string(n.Phase),
		text.Right(span.Text(since), c.since), m.what(n, c.what))
	if chosen {
		return cursor.Render(line)
	}
	return stateStyle(n.State).Render(line)
}

// what says in the width given what a node does.
func (m *Model) what(n *story.Node, width int) string {
	switch {
	case n.State == story.StateStuck:
		return text.Clean(cmp.Or(n.Reason, n.Last))
	case n.Phase == story.PhaseLoad:
		bar := min(10, width/4)
		return fmt.Sprintf("%s %3.0f%% %s, %s/s", m.glyphs.meter(n.Percent/100, bar), n.Percent, text.Clean(n.File), text.Bytes(n.Rate))
	case n.State == story.StateDone:
		return "booted, " + text.Bytes(float64(n.Bytes)) + trouble(n)
	case n.Expected != "":
		return "waits for " + text.Clean(n.Expected)
	}
	return text.Clean(n.Last)
}

// trouble words how much had to be repeated.
func trouble(n *story.Node) string {
	var t []string
	if n.Asked > 0 {
		t = append(t, askedAgain(n.Asked))
	}
	if n.Resent > 0 {
		t = append(t, sentAgain(n.Resent))
	}
	if n.Boots > 1 {
		t = append(t, fmt.Sprintf("boot %d", n.Boots))
	}
	if len(t) == 0 {
		return ""
	}
	return ", " + strings.Join(t, ", ")
}

// askedAgain says how many requests a node repeated.
func askedAgain(n int) string {
	if n == 1 {
		return "asked again once"
	}
	return fmt.Sprintf("asked again %d times", n)
}

// sentAgain says how many frames of files were repeated.
func sentAgain(n int) string {
	if n == 1 {
		return "1 frame sent again"
	}
	return fmt.Sprintf("%d frames sent again", n)
}

// why is what is known of the node under the cursor, in words, under a rule.
func (m *Model) why() []string {
	n := m.under()
	lines := make([]string, whyRows)
	if n == nil {
		return lines
	}
	wrapped := text.Wrap(text.Clean(m.sentence(n)), m.width-2)
	for i := range lines {
		if i < len(wrapped) {
			lines[i] = " " + wrapped[i]
		}
	}
	if len(wrapped) > whyRows {
		lines[whyRows-1] = text.Fit(lines[whyRows-1], m.width-12) + " (enter ...)"
	}
	for i := range lines {
		lines[i] = stateStyle(n.State).UnsetBold().Render(lines[i])
	}
	return lines
}

// sentence tells how a node stands.
func (m *Model) sentence(n *story.Node) string {
	name := cmp.Or(n.Host, n.MAC)
	switch {
	case n.State == story.StateStuck && n.Reason != "":
		return name + ": " + n.Reason
	case n.State == story.StateDone && !n.Finished.IsZero():
		return fmt.Sprintf("%s: booted in %s at %s%s", name, span.Text(n.Finished.Sub(n.Started)), clock(n.Finished), trouble(n))
	case n.Expected != "":
		return fmt.Sprintf("%s: %s; waits for %s%s", name, n.Last, n.Expected, trouble(n))
	}
	return name + ": " + n.Last + trouble(n)
}
