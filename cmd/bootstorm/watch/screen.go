package watch

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"bootstorm/cmd/bootstorm/text"
	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// The smallest screen that makes sense.
const (
	minWidth  = 50
	minHeight = 12
)

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView(m.screen())
	v.AltScreen = true
	v.WindowTitle = fmt.Sprintf("bootstorm: %d stuck, %d booting, %d booted", m.summary.States[story.StateStuck],
		m.summary.States[story.StateBooting], m.summary.States[story.StateDone])
	return v
}

// screen is the text of the screen: as many lines as it has.
func (m *Model) screen() string {
	if m.width < minWidth || m.height < minHeight {
		return fmt.Sprintf("The window has %d columns and %d lines;\nbootstorm watch needs %d and %d.\n\nq leaves.", m.width, m.height, minWidth, minHeight)
	}
	lines := []string{m.title()}
	switch m.page {
	case pageList:
		lines = append(lines, m.overview()...)
		lines = append(lines, m.list()...)
	default:
		lines = append(lines, m.body()...)
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:m.height-1], m.bottom())
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, m.width, "")
	}
	return strings.Join(lines, "\n")
}

// title is the first line: who this is, and how it stands.
func (m *Model) title() string {
	s := &m.summary
	left := fmt.Sprintf(" bootstorm %s on %s, up %s", s.Version, strings.Join(s.Interfaces, ", "), span.Text(s.Now.Sub(s.Started)))
	health := " " + strings.ToUpper(string(s.Health)) + " "
	right := clock(s.Now) + " "
	if m.paused {
		right = "PAUSED " + right
	}
	return m.apart(bold.Render(text.Clean(left)), healthStyle(s.Health).Render(health)+" "+right)
}

// apart puts one text at the left edge and another at the right one.
func (m *Model) apart(left, right string) string {
	w := m.width - lipgloss.Width(right)
	return text.Fit(left, w) + right
}

// chartRows is how high the charts are.
func (m *Model) chartRows() int {
	switch {
	case m.height < 20:
		return 0
	case m.height < 32:
		return 2
	}
	return 4
}

// overview is what stands above the list.
func (m *Model) overview() []string {
	lines := append([]string{m.totals()}, m.phases()...)
	if n := m.chartRows(); n > 0 {
		lines = append(lines, m.charts(n)...)
	}
	return append(lines, m.message())
}

// totals are the counts of nodes, and what goes on this second.
func (m *Model) totals() string {
	s := &m.summary
	state := func(v story.State, word string) string {
		t := text.Count(int64(s.States[v])) + " " + word
		if s.States[v] == 0 {
			return t
		}
		return stateStyle(v).Bold(v != story.StateSystem).Render(t)
	}
	left := fmt.Sprintf(" %s  %s  %s  %s", text.Nodes(s.Nodes), state(story.StateStuck, "stuck"), state(story.StateBooting, "booting"), state(story.StateDone, "booted"))
	if s.States[story.StateSystem] > 0 {
		left += "  " + state(story.StateSystem, "systems")
	}
	// Bytes per second stand above their chart. One line always: a list that
	// moves up and down cannot be read.
	right := text.Rate(s.Rates.Leases) + " leases/s "
	if m.width >= 100 {
		right = fmt.Sprintf("%s leases/s  %s files/s  %s boots/s ", text.Rate(s.Rates.Leases), text.Rate(s.Rates.Files), text.Rate(s.Rates.Done))
	}
	return m.apart(left, right)
}

// phases are two lines: where the nodes are in the course of a boot.
func (m *Model) phases() []string {
	s := &m.summary
	cell := (m.width - 2) / len(story.Phases)
	most := 1
	for _, p := range story.Phases {
		most = max(most, s.Phases[p])
	}
	const count = 6 // "10 000"
	names, bars := " ", " "
	for _, p := range story.Phases {
		n := s.Phases[p]
		style := cyan
		if p == story.PhaseDone {
			style = green
		}
		name, number := text.Fit(string(p), cell-1)+" ", text.Fit(text.Count(int64(n)), count)
		if n == 0 {
			name, number = dim.Render(name), dim.Render(number)
		}
		names += name
		bars += number + " " + style.Render(m.glyphs.meter(float64(n)/float64(most), cell-count-2)) + " "
	}
	return []string{names, bars}
}

// chartSpan is how many seconds the charts go back at least: a storm and what
// came of it.
const chartSpan = 120

// charts are the storm over the last minutes: nodes under way, and bytes.
func (m *Model) charts(rows int) []string {
	width := (m.width - 3) / 2
	each := (chartSpan + width - 1) / width // seconds in a column
	under, bytes := columnsOf(m.history, each)
	left, most := m.glyphs.chart(under, width, rows)
	right, fastest := m.glyphs.chart(bytes, width, rows)
	title := fmt.Sprintf("not booted, %s, at most %s", span.Text(time.Duration(each*min(width, max(len(under), 1)))*time.Second), text.Count(int64(most)))
	lines := []string{" " + dim.Render(text.Fit(title, width)) + " " + dim.Render(text.Fit(fmt.Sprintf("sent %s/s, at most %s/s", text.Bytes(m.summary.Rates.Bytes), text.Bytes(fastest)), width))}
	for i := range rows {
		lines = append(lines, " "+yellow.UnsetBold().Render(left[i])+" "+cyan.Render(right[i]))
	}
	return lines
}

// columnsOf takes the highest of every so many seconds, counted by the clock so
// that a column does not change when it moves.
func columnsOf(history []story.Sample, each int) (under, bytes []float64) {
	var column int64
	for _, s := range history {
		n := 0
		for p, c := range s.Phases {
			if p != story.PhaseDone {
				n += c
			}
		}
		if c := s.At.Unix() / int64(each); len(under) == 0 || c != column {
			under, bytes, column = append(under, 0), append(bytes, 0), c
		}
		last := len(under) - 1
		under[last], bytes[last] = max(under[last], float64(n)), max(bytes[last], float64(s.Bytes))
	}
	return under, bytes
}

// message is the line between the overview and the list: the connection, else
// the gravest problem.
func (m *Model) message() string {
	s := &m.summary
	switch {
	case m.err != nil:
		return alarm.Render(text.Fit(fmt.Sprintf(" NO ANSWER for %s, trying again: %v", span.Text(m.now().Sub(m.lost)), text.Clean(m.err.Error())), m.width))
	case m.now().Before(m.until):
		return bold.Render(text.Fit(" "+m.notice, m.width))
	case len(s.Problems) == 0 || m.page == pageProblems:
		return ""
	}
	more := ""
	if n := len(s.Problems); n > 1 {
		more = fmt.Sprintf(" (! shows all %d)", n)
	}
	return yellow.Render(m.apart(" "+m.glyphs.stuck+" "+text.Clean(s.Problems[0]), more+" "))
}

// bottom is the last line: the keys, or the filter as it is typed.
func (m *Model) bottom() string {
	if m.typing {
		return text.Fit(bold.Render(" filter: ")+m.filter+cursor.Render(" "), m.width-36) + dim.Render(" name, MAC, address, file, state ")
	}
	keys := map[page][]string{
		pageList:     {"enter", "story", "/", "filter", "tab", "state", "s", "sort", "e", "explain", "!", "problems", "?", "help", "q", "quit"},
		pageNode:     {"e", "explain", "n N", "next, previous", m.glyphs.up + m.glyphs.down, "scroll", "p", "pause", "esc", "back"},
		pageExplain:  {m.glyphs.up + m.glyphs.down, "scroll", "esc", "back"},
		pageProblems: {m.glyphs.up + m.glyphs.down, "scroll", "esc", "back"},
		pageHelp:     {m.glyphs.up + m.glyphs.down, "scroll", "esc", "back"},
	}[m.page]
	line := ""
	for i := 0; i < len(keys); i += 2 {
		next := " " + bold.Render(keys[i]) + " " + keys[i+1]
		if i > 0 {
			next = " " + next
		}
		if lipgloss.Width(line)+lipgloss.Width(next) > m.width {
			break
		}
		line += next
	}
	return line
}
