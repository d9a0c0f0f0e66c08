package watch

import (
	"strings"

	"charm.land/lipgloss/v2"

	"bootstorm/engine/story"
)

// The sixteen colours that every terminal has, as its user likes them; what they
// say is said in words, marks or weight as well, for terminals without.
var (
	bold   = lipgloss.NewStyle().Bold(true)
	dim    = lipgloss.NewStyle().Faint(true)
	cursor = lipgloss.NewStyle().Reverse(true)
	red    = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	yellow = lipgloss.NewStyle().Foreground(lipgloss.Yellow).Bold(true)
	green  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	cyan   = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	alarm  = lipgloss.NewStyle().Reverse(true).Bold(true)
)

// healthStyle is how a health is shown.
func healthStyle(h story.Health) lipgloss.Style {
	switch h {
	case story.HealthOK:
		return green.Bold(true)
	case story.HealthDegraded:
		return yellow.Reverse(true)
	}
	return red.Reverse(true)
}

// stateStyle is how a node in that state is shown.
func stateStyle(s story.State) lipgloss.Style {
	switch s {
	case story.StateStuck:
		return red
	case story.StateDone:
		return green
	case story.StateSystem:
		return dim
	}
	return lipgloss.NewStyle()
}

// glyphs are the signs that bars and charts are made of.
type glyphs struct {
	levels    []string // of a column of a chart, from empty to full
	bar, rest string   // of a horizontal bar
	rule      string
	stuck     string // marks of a row
	done      string
	dot       string // between facts
	up, down  string // there is more in that direction
}

// Block elements are in every font that knows UTF-8, and ASCII in every other.
var (
	blocks = glyphs{levels: strings.Split(" ▁▂▃▄▅▆▇█", ""), bar: "█", rest: "░", rule: "─", stuck: "!", done: "✓", dot: "·", up: "↑", down: "↓"}
	ascii  = glyphs{levels: strings.Split(" .:-=+*%#", ""), bar: "#", rest: ".", rule: "-", stuck: "!", done: "+", dot: "-", up: "^", down: "v"}
)

// chooseGlyphs takes what the locale of the terminal can show (locale(7)).
func chooseGlyphs(env func(string) string) glyphs {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			if strings.Contains(v, "utf-8") || strings.Contains(v, "utf8") {
				return blocks
			}
			return ascii
		}
	}
	return ascii
}

// meter draws a horizontal bar of so many cells, filled to a part of one.
func (g *glyphs) meter(part float64, width int) string {
	width = max(width, 0)
	full := min(max(int(part*float64(width)+0.5), 0), width)
	if part > 0 && full == 0 && width > 0 {
		full = 1
	}
	return strings.Repeat(g.bar, full) + strings.Repeat(g.rest, width-full)
}

// chart draws values as columns, so many rows high, the first row on top; the
// last values are on the right.
func (g *glyphs) chart(values []float64, width, height int) (rows []string, top float64) {
	if len(values) > width {
		values = values[len(values)-width:]
	}
	for _, v := range values {
		top = max(top, v)
	}
	steps := len(g.levels) - 1
	for y := height - 1; y >= 0; y-- {
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", width-len(values)))
		for _, v := range values {
			level := 0
			if top > 0 {
				level = int(v/top*float64(steps*height) + 0.5)
			}
			if v > 0 && level == 0 { // little is not nothing
				level = 1
			}
			b.WriteString(g.levels[min(max(level-y*steps, 0), steps)])
		}
		rows = append(rows, b.String())
	}
	return rows, top
}
