package watch

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"bootstorm/engine/story"
)

// key takes a key that was pressed.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	s := k.String()
	switch {
	case s == "ctrl+c":
		return tea.Quit
	case m.typing:
		return m.typed(k)
	case s == "q" && m.page == pageList:
		return tea.Quit
	case s == "q" || s == "esc" || s == "backspace" || s == "left":
		return m.back()
	case s == "?" || s == "h":
		return m.open(pageHelp)
	case s == "!":
		return m.open(pageProblems)
	case s == "p" || s == "space":
		m.paused = !m.paused
		if !m.paused {
			return m.ask()
		}
		return nil
	case m.page == pageList:
		return m.listKey(s)
	}
	return m.pageKey(s)
}

// typed takes a key of the filter.
func (m *Model) typed(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "enter", "down":
		m.typing = false
	case "esc":
		m.typing = false
		return m.setFilter("")
	case "backspace":
		if r := []rune(m.filter); len(r) > 0 {
			return m.setFilter(string(r[:len(r)-1]))
		}
		m.typing = false
	case "ctrl+u":
		return m.setFilter("")
	default:
		if k.Text != "" {
			return m.setFilter(m.filter + k.Text)
		}
	}
	return nil
}

// back leaves a page; on the list it takes the filter away.
func (m *Model) back() tea.Cmd {
	m.scroll = 0
	switch m.page {
	case pageList:
		if m.filter != "" {
			return m.setFilter("")
		}
		return nil
	case pageExplain:
		m.page = pageNode
	default:
		m.page, m.node = pageList, nil
	}
	return m.ask()
}

// open shows a page; the key that opens it closes it.
func (m *Model) open(p page) tea.Cmd {
	if m.page == p {
		return m.back()
	}
	m.page, m.scroll = p, 0
	return m.ask()
}

// states are the filters by state in the order of the tab key.
var states = []string{"", string(story.StateStuck), string(story.StateBooting), string(story.StateDone), string(story.StateSystem)}

// listKey takes a key of the list.
func (m *Model) listKey(s string) tea.Cmd {
	switch s {
	case "/":
		m.typing = true
	case "tab", "shift+tab":
		step := 1
		if s == "shift+tab" {
			step = len(states) - 1
		}
		i := slices.Index(states, string(m.query.State))
		return m.setFilter(states[(max(i, 0)+step)%len(states)])
	case "s":
		m.query.Sort = sorts[(slices.Index(sorts, m.query.Sort)+1)%len(sorts)]
		m.top()
		return m.ask()
	case "enter", "right":
		if m.look() {
			return m.ask()
		}
	case "e":
		if m.look() {
			return m.open(pageExplain)
		}
	default:
		if by, ok := m.movement(s, m.listRows()); ok {
			return m.move(by)
		}
	}
	return nil
}

// look opens the node under the cursor, if there is one.
func (m *Model) look() bool {
	n := m.under()
	if n == nil {
		return false
	}
	copied := *n
	m.node, m.page, m.scroll, m.follow, m.explain = &copied, pageNode, 0, true, ""
	return true
}

// farAway is more rows or lines than there are.
const farAway = 1 << 30

// movement tells how far a key moves on a page of so many rows.
func (m *Model) movement(s string, rows int) (by int, ok bool) {
	switch s {
	case "up", "k":
		return -1, true
	case "down", "j":
		return 1, true
	case "pgup", "ctrl+b":
		return -max(rows-1, 1), true
	case "pgdown", "ctrl+f":
		return max(rows-1, 1), true
	case "home", "g":
		return -farAway, true
	case "end", "G":
		return farAway, true
	}
	return 0, false
}

// move moves the cursor of the list.
func (m *Model) move(by int) tea.Cmd {
	m.cursor = max(min(m.cursor+by, m.total-1), 0)
	m.choose()
	return m.ask()
}

// pageKey takes a key of another page.
func (m *Model) pageKey(s string) tea.Cmd {
	switch {
	case s == "e" && m.page == pageNode:
		m.explain = ""
		return m.open(pageExplain)
	case s == "e" && m.page == pageExplain:
		return m.back()
	case (s == "n" || s == "N") && m.page == pageNode:
		return m.neighbour(map[string]int{"n": 1, "N": -1}[s])
	}
	if by, ok := m.movement(s, m.bodyRows()); ok {
		last := m.lastScroll()
		if m.follow {
			m.scroll = last
		}
		m.scroll = max(min(m.scroll+by, last), 0)
		m.follow = m.page == pageNode && m.scroll == last
	}
	return nil
}

// neighbour looks at the next node of the list, or the one before.
func (m *Model) neighbour(by int) tea.Cmd {
	i := m.cursor - m.query.From + by
	if i < 0 || i >= len(m.rows) {
		return nil
	}
	m.cursor += by
	m.choose()
	copied := m.rows[i]
	m.node, m.scroll, m.follow = &copied, 0, true
	return m.ask()
}
