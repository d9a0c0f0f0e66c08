package watch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"bootstorm/cmd/bootstorm/text"
	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// body is the lower part of every page but the list: a head that stays, and
// lines that scroll.
func (m *Model) body() []string {
	head, lines := m.parts()
	rows := m.height - 2 - len(head)
	last := max(len(lines)-rows, 0)
	from := min(m.scroll, last)
	if m.follow && m.page == pageNode {
		from = last
	}
	return append(head, lines[from:min(from+rows, len(lines))]...)
}

// bodyRows is how many of the lines that scroll are shown.
func (m *Model) bodyRows() int {
	head, _ := m.parts()
	return m.height - 2 - len(head)
}

// lastScroll is how far the page can scroll.
func (m *Model) lastScroll() int {
	head, lines := m.parts()
	return max(len(lines)-(m.height-2-len(head)), 0)
}

// parts is the content with the message, if there is one, and a head that leaves
// some lines to scroll in a low window.
func (m *Model) parts() (head, lines []string) {
	head, lines = m.content()
	if msg := m.message(); msg != "" {
		head = append([]string{msg}, head...)
	}
	return head[:min(len(head), m.height-2-3)], lines
}

// content is what the page shows.
func (m *Model) content() (head, lines []string) {
	switch {
	case m.page == pageHelp:
		return nil, strings.Split(strings.Trim(help, "\n"), "\n")
	case m.page == pageProblems:
		return m.problems()
	case m.node == nil:
		return nil, nil
	case m.page == pageExplain:
		return m.explanation()
	}
	return m.nodeHead(), m.steps()
}

// nodeHead says who the node is and how it stands.
func (m *Model) nodeHead() []string {
	n := m.node
	title := " " + cmp.Or(n.Host, n.MAC)
	if n.Host != "" {
		title += "  " + n.MAC
	}
	if n.Address != "" {
		title += "  " + n.Address
	}
	state := fmt.Sprintf("%s for %s ", n.State, span.Text(m.summary.Now.Sub(n.Since)))
	if n.State == story.StateDone && !n.Finished.IsZero() {
		state = fmt.Sprintf("booted in %s ", span.Text(n.Finished.Sub(n.Started)))
	}
	head := []string{m.apart(bold.Render(text.Clean(title)), stateStyle(n.State).Bold(true).Render(state))}
	facts, between := "", ""
	for _, f := range []struct {
		is   bool
		text string
	}{
		{n.Client != "", "client " + n.Client}, {n.Stage != "", "stage " + n.Stage}, {n.Phase != "", "phase " + string(n.Phase)},
		{n.Boots > 0, fmt.Sprintf("boot %d", n.Boots)}, {true, text.Bytes(float64(n.Bytes))},
		{n.Resent > 0, sentAgain(n.Resent)}, {n.Asked > 0, askedAgain(n.Asked)},
	} {
		if f.is {
			fact := text.Clean(f.text)
			if ansi.StringWidth(facts+between+fact) > m.width-2 {
				head, facts, between = append(head, " "+dim.Render(facts)), "", ""
			}
			facts += between + fact
			between = "  " + m.glyphs.dot + "  "
		}
	}
	head = append(head, " "+dim.Render(facts))
	say := func(label, s string) {
		for i, l := range text.Wrap(text.Clean(s), m.width-12) {
			if i > 0 {
				label = ""
			}
			head = append(head, " "+bold.Render(text.Fit(label, 9))+" "+l)
		}
	}
	if n.Reason != "" {
		say("why", n.Reason)
	} else if n.Last != "" {
		say("seen last", n.Last)
	}
	if n.Expected != "" {
		say("expected", n.Expected)
	}
	return append(head, bold.Underline(true).Render(text.Fit(" TIME             AFTER", m.width)))
}

// steps is the timeline.
func (m *Model) steps() (lines []string) {
	n := m.node
	if n.Omitted > 0 {
		lines = append(lines, dim.Render(fmt.Sprintf(" %s earlier steps are not kept", text.Count(int64(n.Omitted)))))
	}
	for i := range n.Steps {
		s := &n.Steps[i]
		after := time.Duration(0)
		if i > 0 {
			after = s.At.Sub(n.Steps[i-1].At)
		}
		// A step that took long is what an operator looks for.
		gap := text.Right("+"+span.Text(after), 12)
		if after >= 3*time.Second {
			gap = yellow.Render(gap)
		}
		line := s.At.Local().Format(" 15:04:05.000") + "  " + gap + "  "
		for k, l := range text.Wrap(text.Clean(s.Text), m.width-30) {
			if k > 0 {
				line = strings.Repeat(" ", 29)
			}
			if s.Bad {
				l = red.Render(l)
			}
			lines = append(lines, line+l)
		}
	}
	if n.State == story.StateBooting && n.Phase == story.PhaseLoad {
		lines = append(lines, strings.Repeat(" ", 29)+cyan.Render(fmt.Sprintf("%s %.0f%%, %s/s", m.glyphs.meter(n.Percent/100, 20), n.Percent, text.Bytes(n.Rate))))
	}
	return lines
}

// explanation is what the server would answer the node.
func (m *Model) explanation() (head, lines []string) {
	head = []string{bold.Render(" what " + text.Clean(cmp.Or(m.node.Host, m.node.MAC)) + " would be answered, and by which line"), ""}
	if m.explain == "" {
		return head, []string{" asking ..."}
	}
	for _, l := range strings.Split(strings.TrimRight(m.explain, "\n"), "\n") {
		l = text.Clean(strings.ReplaceAll(l, "\t", "        "))
		indent := len(l) - len(strings.TrimLeft(l, " "))
		for k, part := range strings.Split(ansi.Wrap(l, m.width-2, ""), "\n") {
			if k > 0 {
				part = strings.Repeat(" ", min(indent+4, 20)) + part
			}
			lines = append(lines, " "+part)
		}
	}
	return head, lines
}

// problems lists all that is wrong.
func (m *Model) problems() (head, lines []string) {
	head = []string{bold.Render(" what is wrong, and what to do"), ""}
	s := &m.summary
	list := append([]string(nil), s.Problems...)
	for _, r := range s.Rogues {
		list = append(list, fmt.Sprintf("%s (%s), last seen at %s: %s", r.MAC, r.Address, clock(r.Seen), r.Text))
	}
	for _, p := range s.Pools {
		list = append(list, fmt.Sprintf("pool %s: %s of %s addresses used", p.Range, text.Count(p.Used), text.Count(p.Size)))
	}
	if s.Lost > 0 {
		list = append(list, fmt.Sprintf("%s events were lost on the way here: timelines may have gaps; service was not affected", text.Count(s.Lost)))
	}
	if len(s.Problems) == 0 {
		lines = append(lines, " nothing", "")
	}
	for i, p := range list {
		mark := " " + m.glyphs.stuck + " "
		if i >= len(s.Problems) {
			mark = " " + m.glyphs.dot + " "
		}
		for k, l := range text.Wrap(text.Clean(p), m.width-4) {
			if k > 0 {
				mark = "   "
			}
			lines = append(lines, mark+l)
		}
	}
	return head, lines
}

// help explains the view.
const help = `
 The list shows the stuck nodes first, then those that boot, the slowest on top,
 then those that have booted. The line below it says why the marked node waits.

 up, down, j, k, PgUp, PgDn, Home, End   move
 enter    the story of the marked node: each step with its time
 e        what the server would answer it, and which line of the configuration
          decides that
 /        filter: part of a name, MAC, address or file; a state (stuck, booting,
          done, system) or a phase (discover ... next) chooses by that;
          esc takes the filter away
 tab      all nodes, the stuck, the booting, the booted, installed systems
 s        sort: worst first, by name, address, MAC, start of the boot
 !        all problems, other servers, and the pools
 p        pause: nothing moves until p is pressed again
 q        leave

 Marks: ! stuck, + or a tick booted. Phases: discover (no address yet), offer
 (has not taken it), request (the lease goes to the disk), lease (has asked for
 no file), load (a file is on its way), next (a file came that leads to more),
 done. FOR is the time in the phase; of a booted node, that of the whole boot.

 bootstorm capture --node NODE saves what a node sent; bootstorm status is this
 page for scripts.
`
