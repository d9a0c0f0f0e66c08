package watch

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"bootstorm/cmd/bootstorm/api/apitest"
	"bootstorm/engine/story"
)

var update = flag.Bool("update", false, "write the golden screens")

func TestMain(m *testing.M) {
	time.Local = time.UTC // the screens show times of day
	os.Exit(m.Run())
}

// source asks a site without a network between. It notes what is asked.
type source struct {
	mu      sync.Mutex
	site    *apitest.Site
	fail    error
	queries []story.Query
	host    string // put in place of every host name
}

func (s *source) Summary(context.Context) (story.Summary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.site.Summary(), s.fail
}

func (s *source) Nodes(_ context.Context, q story.Query) ([]story.Node, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, q)
	list, total := s.site.Nodes(q)
	for i := range list {
		if s.host != "" {
			list[i].Host = s.host
		}
	}
	return list, total, s.fail
}

func (s *source) Node(_ context.Context, who string) (story.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.site.Node(who)
	if !ok {
		return n, errors.New("no such node")
	}
	return n, nil
}

func (s *source) Explain(_ context.Context, who string) (string, error) {
	return "DISCOVER of " + who + ", architecture 7 (UEFI, 64 bits), uefi\n  heard on bond0\n\nOFFER\n" +
		"      address (yiaddr)        10.20.0.27    it is leased to this node, /etc/dhcp/dhcpd.conf:64: range 10.20.0.10 10.20.3.249;\n", nil
}

func (s *source) History(context.Context) ([]story.Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.site.History(), s.fail
}

// last is the query that was asked last.
func (s *source) last() story.Query { return s.queries[len(s.queries)-1] }

// viewer is a view in the hands of a user.
type viewer struct {
	*testing.T
	*Model
	source *source
	time   time.Time
}

// open shows a site of so many nodes, so long after power came back.
func open(t *testing.T, nodes int, after time.Duration, width, height int) *viewer {
	t.Helper()
	s := &source{site: apitest.New(nodes)}
	s.site.Set(apitest.PowerOn() + after)
	v := &viewer{T: t, Model: New(s), source: s, time: time.Unix(1000, 0)}
	v.glyphs, v.now = blocks, func() time.Time { return v.time }
	v.send(tea.WindowSizeMsg{Width: width, Height: height})
	v.second()
	return v
}

// send passes a message to the view and runs what it asks for, as the library
// does, until it asks for nothing more.
func (v *viewer) send(msg tea.Msg) (quit bool) {
	v.Helper()
	_, cmd := v.Update(msg)
	for i := 0; cmd != nil; i++ {
		if i == 10 {
			v.Fatal("it asks without end")
		}
		next := cmd()
		if _, ok := next.(tea.QuitMsg); ok {
			return true
		}
		_, cmd = v.Update(next)
	}
	return false
}

// second is what happens once a second.
func (v *viewer) second() {
	v.Helper()
	v.send(v.fetch()())
}

// press presses keys: names of keys, and texts letter by letter.
func (v *viewer) press(keys ...string) (quit bool) {
	v.Helper()
	special := map[string]tea.KeyPressMsg{"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "down": {Code: tea.KeyDown},
		"up": {Code: tea.KeyUp}, "end": {Code: tea.KeyEnd}, "home": {Code: tea.KeyHome}, "pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp},
		"backspace": {Code: tea.KeyBackspace}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}}
	for _, k := range keys {
		if m, ok := special[k]; ok {
			quit = v.send(m)
			continue
		}
		for _, r := range k {
			quit = v.send(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return quit
}

// text is the screen without colours.
func (v *viewer) text() string { return ansi.Strip(v.screen()) }

// shows expects texts on the screen.
func (v *viewer) shows(words ...string) {
	v.Helper()
	for _, w := range words {
		if !strings.Contains(v.text(), w) {
			v.Errorf("%q is not on the screen:\n%s", w, v.text())
		}
	}
}

// golden compares the screen with a file of testdata.
func (v *viewer) golden(name string) {
	v.Helper()
	path := filepath.Join("testdata", name+".golden")
	lines := strings.Split(v.text(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			v.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			v.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		v.Fatal(err)
	}
	if got != string(want) {
		v.Errorf("%s:\n--- got\n%s\n--- want\n%s", name, got, want)
	}
}

// The screens that an operator sees on the day.
func TestScreens(t *testing.T) {
	for _, c := range []struct {
		name          string
		nodes         int
		after         time.Duration
		width, height int
		keys          []string
	}{
		{"idle", 1000, -time.Minute, 80, 24, nil},
		{"storm", 1000, 14 * time.Second, 80, 24, nil},
		{"storm-wide", 2000, 14 * time.Second, 120, 40, nil},
		{"stuck", 1000, 70 * time.Second, 80, 24, []string{"down", "down", "down", "down"}},
		{"stuck-wide", 1000, 70 * time.Second, 120, 40, nil},
		{"small", 1000, 70 * time.Second, 60, 16, nil},
		{"node-stuck", 1000, 70 * time.Second, 80, 24, []string{"down", "down", "down", "down", "enter"}},
		{"node-loading", 1000, 14 * time.Second, 80, 24, []string{"/rack13-node39", "enter", "enter"}},
		{"node-done-wide", 1000, 70 * time.Second, 120, 40, []string{"tab", "tab", "tab", "enter"}},
		{"explain", 1000, 70 * time.Second, 80, 24, []string{"down", "down", "down", "down", "e"}},
		{"filter", 1000, 70 * time.Second, 80, 24, []string{"/rack07 stuck"}},
		{"filter-nobody", 1000, 70 * time.Second, 80, 24, []string{"/rack99", "enter"}},
		{"problems", 1000, 70 * time.Second, 80, 24, []string{"!"}},
		{"help", 1000, 70 * time.Second, 80, 24, []string{"?"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := open(t, c.nodes, c.after, c.width, c.height)
			v.press(c.keys...)
			v.golden(c.name)
		})
	}
}

// A terminal that is not UTF-8 gets ASCII only.
func TestASCIIOnly(t *testing.T) {
	v := open(t, 1000, 30*time.Second, 80, 24)
	v.glyphs = chooseGlyphs(func(string) string { return "" })
	for _, keys := range [][]string{nil, {"enter"}} {
		v.press(keys...)
		for _, r := range v.text() {
			if r > '~' {
				t.Fatalf("%q in\n%s", r, v.text())
			}
		}
	}
	for env, want := range map[string]string{"de_DE.UTF-8": "█", "C.utf8": "█", "POSIX": "#", "en_US.ISO-8859-1": "#"} {
		if g := chooseGlyphs(func(name string) string { return map[string]string{"LANG": env}[name] }); g.bar != want {
			t.Errorf("%s: %q", env, g.bar)
		}
	}
}

// Whatever the size of the window and the page, there are as many lines as it
// has and none is wider; the node under the cursor is among them.
func TestEveryWindowIsFilledExactly(t *testing.T) {
	for _, keys := range [][]string{{"end"}, {"enter"}, {"e"}, {"!"}, {"?"}, {"/rack"}} {
		v := open(t, 131, 70*time.Second, 80, 24)
		v.source.host = "a-node-with-a-name-that-is-longer-than-its-column-日本語"
		v.press(keys...)
		for width := 20; width <= 200; width += 15 {
			for height := 5; height <= 70; height += 7 {
				v.send(tea.WindowSizeMsg{Width: width, Height: height})
				if width < minWidth || height < minHeight {
					v.shows("The window has")
					continue
				}
				lines := strings.Split(v.screen(), "\n")
				if len(lines) != height {
					t.Fatalf("%v at %d x %d: %d lines", keys, width, height, len(lines))
				}
				for _, l := range lines {
					if ansi.StringWidth(l) > width {
						t.Fatalf("%v at %d x %d: %q", keys, width, height, ansi.Strip(l))
					}
				}
				if v.page == pageList && v.under() == nil {
					t.Fatalf("%v at %d x %d: the cursor is not on the screen", keys, width, height)
				}
			}
		}
	}
}

// Ten thousand nodes cost no more than a screenful.
func TestAsksForWhatItShowsOnly(t *testing.T) {
	v := open(t, 10000, 70*time.Second, 80, 24)
	for _, keys := range []string{"end", "pgup", "home", "pgdown", "s", "tab"} {
		v.press(keys)
		if q := v.source.last(); q.Limit != v.listRows() || q.Limit > 24 {
			t.Errorf("after %s: %+v", keys, q)
		}
	}
	v.press("esc", "home", "end")
	if q := v.source.last(); q.From+q.Limit != v.total || v.total != 10000 {
		t.Errorf("at the end of %d: %+v", v.total, q)
	}
	v.shows("of 10 000")
	before := len(v.source.queries)
	v.second()
	if n := len(v.source.queries) - before; n != 1 {
		t.Errorf("%d questions in a second", n)
	}
}

// While a request is under way no other is sent; what a key wants is asked when
// it has returned.
func TestOneRequestAtATime(t *testing.T) {
	v := open(t, 1000, 70*time.Second, 80, 24)
	under := v.fetch()
	for range 5 {
		if _, cmd := v.Update(tea.KeyPressMsg{Code: 'j', Text: "j"}); cmd != nil {
			t.Fatal("a second request")
		}
	}
	_, cmd := v.Update(under())
	if cmd == nil {
		t.Fatal("the key's request was forgotten")
	}
	v.send(cmd())
	if v.asking || v.again {
		t.Error("it still waits")
	}
}

// An answer to a filter that was changed meanwhile is not shown.
func TestOldAnswersAreNotShown(t *testing.T) {
	v := open(t, 1000, 70*time.Second, 80, 24)
	old := v.fetch()
	v.Update(tea.KeyPressMsg{Code: tea.KeyTab}) // stuck only
	v.send(old())
	if v.total != 8 || v.source.last().State != story.StateStuck {
		t.Errorf("%d nodes shown, asked for %+v", v.total, v.source.last())
	}
}

// Words that are states or phases choose by that, the rest by text.
func TestFilter(t *testing.T) {
	for in, want := range map[string]story.Query{
		"":                      {},
		"rack07":                {Text: "rack07"},
		"stuck":                 {State: story.StateStuck},
		"  52:54 Stuck load ":   {Text: "52:54", State: story.StateStuck, Phase: story.PhaseLoad},
		"done":                  {State: story.StateDone},
		"two words":             {Text: "two words"},
		"refind_x64.efi system": {Text: "refind_x64.efi", State: story.StateSystem},
	} {
		var got story.Query
		if got.Text, got.State, got.Phase = parseFilter(in); got != want {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
	v := open(t, 1000, 70*time.Second, 80, 24)
	v.press("down", "down", "/rack07q stuck") // q is a letter here
	if q := v.source.last(); q.Text != "rack07q" || q.State != story.StateStuck || q.From != 0 || v.cursor != 0 {
		t.Errorf("%+v", q)
	}
	v.press("ctrl+u", "rack07-node38", "enter")
	v.shows("[rack07-node38]", "1-1 of 1", "did you mean")
	v.press("esc")
	v.shows("of 1 000")
	v.Update(tea.PasteMsg{Content: "not typing"})
	v.press("/")
	v.send(tea.PasteMsg{Content: "rack0\x1b[31m"})
	if v.filter != "rack0[31m" {
		t.Errorf("%q was pasted", v.filter)
	}
}

// The cursor stays on the node that was chosen, though others overtake it; who
// has chosen none sees the worst.
func TestCursorStaysOnItsNode(t *testing.T) {
	v := open(t, 1000, 14*time.Second, 80, 24)
	v.press("down", "down", "down")
	mac := v.under().MAC
	for s := range 4 {
		v.source.site.Set(apitest.PowerOn() + time.Duration(14+s)*time.Second)
		v.second()
	}
	if v.under().MAC != mac && v.rowOf(mac) >= 0 {
		t.Errorf("the cursor went from %s to %s", mac, v.under().MAC)
	}
	v.press("home")
	v.source.site.Set(apitest.PowerOn() + 70*time.Second)
	v.second()
	if v.cursor != 0 {
		t.Errorf("the cursor is at %d", v.cursor)
	}
}

// rowOf finds a node on the screen.
func (v *viewer) rowOf(mac string) int {
	for i := range v.rows {
		if v.rows[i].MAC == mac {
			return i
		}
	}
	return -1
}

// A daemon that goes away is said so, with what was known left on the screen;
// one that comes back is found, and one that was started again is told apart.
func TestDaemonGoesAndComesBack(t *testing.T) {
	v := open(t, 1000, 70*time.Second, 80, 24)
	v.source.fail = errors.New("nobody listens")
	v.second()
	v.time = v.time.Add(5 * time.Second)
	v.second()
	v.shows("NO ANSWER for 5.0 s, trying again: nobody listens", "8 stuck", "rack14-node18")
	v.press("enter") // what is known can be looked at
	v.shows("NO ANSWER", "52:54:00:12:00:93")
	v.press("esc")
	v.source.fail = nil
	v.second()
	v.shows("connected again")
	v.time = v.time.Add(20 * time.Second)
	v.second()
	v.shows("! 8 nodes are stuck")

	v.source.site = apitest.New(10)
	v.source.site.Restart(apitest.PowerOn())
	v.source.site.Set(apitest.PowerOn() + 5*time.Second)
	v.press("end") // beyond what there is now
	v.second()
	v.shows("the daemon was started again at 11:03:00", "10 nodes", "1-10 of 10")
	if len(v.history) != 6 {
		t.Errorf("%d seconds of history, want those of the new life", len(v.history))
	}
}

// A node's page follows its story, scrolls, and goes to the neighbour.
func TestNodePage(t *testing.T) {
	v := open(t, 1000, 70*time.Second, 80, 16)
	v.press("tab", "tab", "tab", "enter") // the slowest that booted
	first := v.node.MAC
	v.shows("booted in", "got refind.conf, 412 B in ")
	v.press("home")
	v.shows("(DISCOVER) as uefi")
	v.second()
	v.shows("(DISCOVER) as uefi") // the user scrolls, not the clock
	v.press("end")
	v.shows("got refind.conf, 412 B in ")
	v.press("n")
	if v.node.MAC == first {
		t.Error("n stays")
	}
	v.press("N")
	if v.node.MAC != first {
		t.Error("N does not go back")
	}
	v.press("e")
	v.shows("what ", "would be answered", "/etc/dhcp/dhcpd.conf:64")
	v.press("q", "q")
	if v.page != pageList {
		t.Error("q does not lead back to the list")
	}
}

// While it is paused nothing is asked and nothing moves.
func TestPause(t *testing.T) {
	v := open(t, 1000, 14*time.Second, 80, 24)
	v.press("p")
	v.shows("PAUSED")
	before := len(v.source.queries)
	if _, cmd := v.Update(tick{}); cmd == nil {
		t.Error("the clock stops")
	}
	if len(v.source.queries) != before || v.asking {
		t.Error("it asks")
	}
	v.press("p")
	if len(v.source.queries) != before+1 {
		t.Error("it does not go on at once")
	}
}

func TestQuit(t *testing.T) {
	v := open(t, 10, time.Second, 80, 24)
	if !v.press("q") || !v.press("ctrl+c") || !v.press("/", "ctrl+c") {
		t.Error("it stays")
	}
}

// What a node calls itself cannot steer the terminal.
func TestNamesAreHarmless(t *testing.T) {
	v := open(t, 300, 70*time.Second, 80, 24)
	v.source.host = "evil\x1b]0;title\x07\x1b[2J"
	v.second()
	for _, keys := range [][]string{nil, {"enter"}, {"e"}} {
		v.press(keys...)
		if s := v.screen(); strings.Contains(s, "\x1b]") || strings.Contains(s, "\x1b[2J") || strings.Contains(s, "\x07") {
			t.Errorf("%q", s)
		}
	}
}

// The program runs in a terminal: it draws, takes keys, and leaves.
func TestRunsInATerminal(t *testing.T) {
	v := open(t, 1000, 70*time.Second, 80, 24)
	in, keys := io.Pipe()
	out := &screenBuffer{}
	p := tea.NewProgram(v.Model, tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24),
		tea.WithEnvironment([]string{"TERM=xterm-256color", "NO_COLOR=1"}), tea.WithoutSignals())
	ended := make(chan error, 1)
	go func() { _, err := p.Run(); ended <- err }()
	out.await(t, "rack14-node18")
	fmt.Fprint(keys, "?")
	out.await(t, "The list shows the stuck nodes first")
	if strings.Contains(out.String(), "\x1b[31m") {
		t.Error("colours though NO_COLOR is set")
	}
	fmt.Fprint(keys, "?q")
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		p.Kill()
		t.Fatal("q does not end it")
	}
}

// screenBuffer collects what is written to a terminal.
type screenBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *screenBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *screenBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until a text was drawn.
func (s *screenBuffer) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(ansi.Strip(s.String()), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q was not drawn", text)
		}
	}
}

func TestWithoutADaemonItEndsWithTheReason(t *testing.T) {
	s := &source{site: apitest.New(1), fail: errors.New("no daemon runs here")}
	if err := Run(context.Background(), s); !errors.Is(err, s.fail) {
		t.Errorf("%v", err)
	}
}
