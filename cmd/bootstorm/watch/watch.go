// Package watch is the terminal view of a running daemon: totals, where the
// nodes are, the storm over time, the stuck and the slowest nodes on top, and
// the story of any of them.
//
// The model is a function of messages, keys and answers of the daemon among
// them, to the text of a screen (screen.go, list.go, detail.go). It asks for the
// rows that it shows and no others, once a second and when a key calls for it,
// with one request under way at a time.
package watch

import (
	"context"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bootstorm/engine/story"
)

// Source is what the view asks: the client of a daemon, or a test's.
type Source interface {
	Summary(ctx context.Context) (story.Summary, error)
	Nodes(ctx context.Context, q story.Query) (list []story.Node, total int, err error)
	Node(ctx context.Context, who string) (story.Node, error)
	Explain(ctx context.Context, who string) (string, error)
	History(ctx context.Context) ([]story.Sample, error)
}

// period is how often the daemon is asked.
const period = time.Second

// Run shows the view until the user leaves or ctx ends. The first question must
// be answered: what is not there at the start is a mistake, what goes away later
// comes back.
func Run(ctx context.Context, s Source) error {
	m := New(s)
	first := m.fetch()().(answer)
	if first.err != nil {
		return first.err
	}
	m.take(first)
	_, err := tea.NewProgram(m, tea.WithContext(ctx)).Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// page is what the lower part of the screen shows.
type page int

const (
	pageList page = iota
	pageNode
	pageExplain
	pageProblems
	pageHelp
)

// Model is the state of the view. Its methods are called by one goroutine; only
// the commands that it returns run beside it, and they share nothing with it.
type Model struct {
	source Source
	glyphs glyphs
	now    func() time.Time // for how long there has been no answer

	width, height int

	summary story.Summary
	history []story.Sample
	rows    []story.Node // from query.From on
	total   int
	node    *story.Node // the one that is looked at
	explain string

	query  story.Query
	filter string // as it is typed
	typing bool   // into filter
	cursor int    // of the list, from the first node of all
	chosen string // MAC under the cursor, once the user has moved it: it stays there
	page   page
	scroll int  // of the other pages, in lines
	follow bool // the node page: stay at the last step
	paused bool

	asking bool      // a request is under way
	again  bool      // another one is wanted when it returns
	lost   time.Time // since when there is no answer, zero if there is
	err    error
	notice string // what happened to the connection
	until  time.Time
}

// New makes the view of a source.
func New(s Source) *Model {
	return &Model{source: s, glyphs: chooseGlyphs(os.Getenv), now: time.Now, width: 80, height: 24, query: story.Query{Sort: sorts[0]}}
}

// answer is what one round of questions gave.
type answer struct {
	query   story.Query
	summary story.Summary
	history []story.Sample // nil if it was not asked for
	rows    []story.Node
	total   int
	node    *story.Node
	explain string
	err     error
}

// tick is when it is time to ask again.
type tick struct{}

// Init starts the clock.
func (m *Model) Init() tea.Cmd { return m.wait() }

func (m *Model) wait() tea.Cmd {
	return tea.Tick(period, func(time.Time) tea.Msg { return tick{} })
}

// fetch returns the command that asks for all that the screen shows.
func (m *Model) fetch() tea.Cmd {
	// The command runs beside the model, so it takes copies.
	q, source, history := m.wanted(), m.source, len(m.history) == 0
	who, explain := "", m.page == pageExplain && m.explain == ""
	if m.node != nil && (m.page == pageNode || m.page == pageExplain) {
		who = m.node.MAC
	}
	m.asking, m.again = true, false
	return func() tea.Msg {
		ctx := context.Background() // each question has a limit of its own
		a := answer{query: q}
		if a.summary, a.err = source.Summary(ctx); a.err != nil {
			return a
		}
		if history {
			a.history, a.err = source.History(ctx)
		}
		if a.err == nil {
			a.rows, a.total, a.err = source.Nodes(ctx, q)
		}
		if who == "" || a.err != nil {
			return a
		}
		n, err := source.Node(ctx, who)
		if err != nil {
			n = story.Node{MAC: who, Last: err.Error()}
		}
		a.node = &n
		if explain {
			if a.explain, err = source.Explain(ctx, who); err != nil {
				a.explain = err.Error()
			}
		}
		return a
	}
}

// wanted is the query for the rows on the screen.
func (m *Model) wanted() story.Query {
	q := m.query
	q.Limit = max(m.listRows(), 1)
	q.From = min(q.From, m.cursor, max(m.total-q.Limit, 0)) // no empty rows at the end
	if m.cursor >= q.From+q.Limit {
		q.From = m.cursor - q.Limit + 1
	}
	return q
}

// ask fetches now, or as soon as the request under way has returned.
func (m *Model) ask() tea.Cmd {
	if m.asking {
		m.again = true
		return nil
	}
	return m.fetch()
}

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, m.ask()
	case tick:
		if m.paused || m.asking {
			return m, m.wait()
		}
		return m, tea.Batch(m.wait(), m.fetch())
	case answer:
		m.asking = false
		m.take(msg)
		if m.again {
			return m, m.fetch()
		}
	case tea.PasteMsg:
		if m.typing {
			return m, m.setFilter(m.filter + msg.Content)
		}
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
}

// take puts an answer into the model.
func (m *Model) take(a answer) {
	m.asking = false
	if a.err != nil {
		if m.err == nil {
			m.lost = m.now()
		}
		m.err = a.err
		return
	}
	anew := m.reconnected(&a)
	switch {
	case anew:
		m.history, m.again = nil, true // it is asked for with the next request
	case a.history != nil:
		m.history = a.history
	default:
		m.sample(&a.summary)
	}
	m.summary = a.summary
	if a.node != nil && m.node != nil && a.node.MAC == m.node.MAC {
		m.node = a.node
		if a.explain != "" {
			m.explain = a.explain
		}
	}
	if q := m.wanted(); a.query.Text != q.Text || a.query.State != q.State || a.query.Phase != q.Phase || a.query.Sort != q.Sort {
		m.again = true // the answer to an old question
		return
	}
	m.rows, m.total, m.query.From = a.rows, a.total, a.query.From
	m.keepCursor()
}

// reconnected says so when there is an answer again, and when it is of another
// life of the daemon.
func (m *Model) reconnected(a *answer) (anew bool) {
	anew = !m.summary.Started.IsZero() && !a.summary.Started.Equal(m.summary.Started)
	switch {
	case anew:
		m.notice = "the daemon was started again at " + clock(a.summary.Started) + ": what was before is gone from here"
		m.until = m.now().Add(15 * time.Second)
	case m.err != nil:
		m.notice = "connected again"
		m.until = m.now().Add(5 * time.Second)
	}
	m.err, m.lost = nil, time.Time{}
	return anew
}

// keepHistory is how many seconds the charts can go back.
const keepHistory = 900

// sample adds a second to the history.
func (m *Model) sample(s *story.Summary) {
	if n := len(m.history); n > 0 && !s.Now.After(m.history[n-1].At) {
		return
	}
	m.history = append(m.history, story.Sample{At: s.Now, Phases: s.Phases, Stuck: s.States[story.StateStuck], Bytes: int64(s.Rates.Bytes), Leases: int(s.Rates.Leases)})
	if len(m.history) > keepHistory {
		m.history = m.history[len(m.history)-keepHistory:]
	}
}

// keepCursor leaves the cursor on the node that the user chose, wherever in the
// rows it is now.
func (m *Model) keepCursor() {
	for i := range m.rows {
		if m.chosen != "" && m.rows[i].MAC == m.chosen {
			m.cursor = m.query.From + i
			return
		}
	}
	if last := max(m.total-1, 0); m.cursor > last {
		m.cursor = last
		m.again = len(m.rows) == 0 && m.total > 0
	}
	m.choose()
}

// choose remembers the node under the cursor, unless it is the first: who has
// not moved looks at the worst, whoever that is.
func (m *Model) choose() {
	m.chosen = ""
	if n := m.under(); n != nil && m.cursor > 0 {
		m.chosen = n.MAC
	}
}

// under is the node under the cursor, nil if its row is not here yet.
func (m *Model) under() *story.Node {
	if i := m.cursor - m.query.From; i >= 0 && i < len(m.rows) {
		return &m.rows[i]
	}
	return nil
}

// setFilter takes a filter: words that are a state or a phase choose by that, the
// rest is part of a name, MAC, address or file.
func (m *Model) setFilter(s string) tea.Cmd {
	m.filter = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	m.query.Text, m.query.State, m.query.Phase = parseFilter(m.filter)
	m.top()
	return m.ask()
}

// top goes to the first row.
func (m *Model) top() { m.cursor, m.query.From, m.chosen = 0, 0, "" }

// parseFilter takes a filter apart.
func parseFilter(s string) (text string, state story.State, phase story.Phase) {
	var rest []string
	for _, w := range strings.Fields(s) {
		lower := strings.ToLower(w)
		switch {
		case isState(lower):
			state = story.State(lower)
		case isPhase(lower):
			phase = story.Phase(lower)
		default:
			rest = append(rest, w)
		}
	}
	return strings.Join(rest, " "), state, phase
}

func isState(s string) bool {
	switch story.State(s) {
	case story.StateBooting, story.StateStuck, story.StateDone, story.StateSystem:
		return true
	}
	return false
}

func isPhase(s string) bool {
	for _, p := range story.Phases {
		if string(p) == s && s != string(story.StateDone) {
			return true
		}
	}
	return false
}

// sorts are the orders of the list, the first by default.
var sorts = []string{"worst", "name", "address", "mac", "started"}

// clock writes a time of day.
func clock(t time.Time) string { return t.Local().Format("15:04:05") }
