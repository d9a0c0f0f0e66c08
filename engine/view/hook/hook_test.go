package hook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
	"bootstorm/engine/view/hook"
)

// heard is what arrived, and what the log said.
type heard struct {
	mu   sync.Mutex
	told []story.Told
	log  []string
}

func (h *heard) take(t story.Told) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, t)
	return len(h.told)
}

func (h *heard) say(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, s)
}

func (h *heard) texts() (got []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.told {
		got = append(got, t.Text)
	}
	return got
}

func (h *heard) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.log, "\n")
}

// server answers the nth call with the nth status; after them with 200.
func server(t *testing.T, h *heard, statuses ...int) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v story.Told
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &v); err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %s", r.Method, err, body)
		}
		if n := h.take(v); n <= len(statuses) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(statuses[n-1])
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// start runs a hook with short pauses.
func start(t *testing.T, c hook.Config) *hook.Hook {
	t.Helper()
	if c.Pause == 0 {
		c.Pause = time.Millisecond
	}
	h, err := hook.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return h
}

// wait waits for counts.
func wait(t *testing.T, h *hook.Hook, want view.HookCounts) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); h.Counts() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("counts %+v, not %+v", h.Counts(), want)
		}
	}
}

func stuck(text string) []story.Told {
	return []story.Told{{At: time.Now(), Kind: story.ToldStuck, Text: text, Node: story.Node{MAC: "52:54:00:00:00:01", Host: "n1", Steps: make([]story.Step, 9)}}}
}

func TestEventsArriveInOrder(t *testing.T) {
	var got heard
	h := start(t, hook.Config{URL: server(t, &got).URL})
	for i := range 50 {
		h.Tell(stuck(fmt.Sprint(i)))
	}
	wait(t, h, view.HookCounts{Sent: 50})
	for i, text := range got.texts() {
		if text != fmt.Sprint(i) {
			t.Fatalf("event %d is %s", i, text)
		}
	}
	if got.told[0].Node.Host != "n1" || got.told[0].Node.Steps != nil {
		t.Errorf("%+v", got.told[0])
	}
}

func TestFailuresAreRepeated(t *testing.T) {
	var got heard
	h := start(t, hook.Config{URL: server(t, &got, 500, 503, 429).URL, Log: got.say})
	h.Tell(stuck("a"))
	h.Tell(stuck("b"))
	wait(t, h, view.HookCounts{Sent: 2, Retried: 3})
	if s := strings.Join(got.texts(), ""); s != "aaaab" || got.logged() != "" {
		t.Errorf("arrived %q, logged %q", s, got.logged())
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	var got heard
	s := server(t, &got)
	s.Close()
	h := start(t, hook.Config{URL: s.URL + "/secret-path", Log: got.say, Tries: 3})
	h.Tell(stuck("a"))
	wait(t, h, view.HookCounts{Failed: 1, Retried: 2})
	if l := got.logged(); !strings.Contains(l, "was not told of an event") || !strings.Contains(l, "refused") || strings.Contains(l, "secret-path") {
		t.Errorf("logged %q", l)
	}
}

// What is refused for good is not repeated, and a redirection is not followed.
func TestRefusalsAreFinal(t *testing.T) {
	for _, status := range []int{400, 401, 404, 302, 307} {
		var got heard
		h := start(t, hook.Config{URL: server(t, &got, status).URL, Log: got.say})
		h.Tell(stuck("a"))
		wait(t, h, view.HookCounts{Failed: 1})
		if n := len(got.texts()); n != 1 {
			t.Errorf("%d: called %d times", status, n)
		}
	}
}

func TestSlowServerIsNotWaitedFor(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	var got heard
	h := start(t, hook.Config{URL: s.URL, Log: got.say, Queue: 10, Time: 50 * time.Millisecond, Tries: 1})
	begin := time.Now()
	for range 1000 {
		h.Tell(stuck("a"))
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("telling took %v", d)
	}
	if n := h.Counts().Lost; n < 980 || n > 990 {
		t.Errorf("%d of 1000 lost with a queue of 10", n)
	}
	for end := time.Now().Add(20 * time.Second); !strings.Contains(got.logged(), "too slow for so many"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the loss is not logged: %q", got.logged())
		}
	}
}

// script writes a program.
func script(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandGetsTheEvent(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	t.Setenv("SECRET", "of the daemon")
	h := start(t, hook.Config{Command: script(t, "{ cat; echo; echo $BOOTSTORM_KIND $BOOTSTORM_MAC $BOOTSTORM_HOST; env; } >"+out)})
	h.Tell(stuck("it\nfell silent"))
	wait(t, h, view.HookCounts{Sent: 1})
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{`"kind":"node-stuck"`, "node-stuck 52:54:00:00:00:01 n1", "BOOTSTORM_TEXT=it fell silent"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "SECRET") {
		t.Error("the command sees the daemon's environment")
	}
}

func TestCommandThatFails(t *testing.T) {
	var got heard
	h := start(t, hook.Config{Command: script(t, "echo no pager >&2; exit 3"), Log: got.say, Tries: 2})
	h.Tell(stuck("a"))
	wait(t, h, view.HookCounts{Failed: 1, Retried: 1})
	if l := got.logged(); !strings.Contains(l, "exit status 3") || !strings.Contains(l, "no pager") {
		t.Errorf("logged %q", l)
	}
}

// A command that hangs is ended, with what it started.
func TestCommandThatHangs(t *testing.T) {
	var got heard
	h := start(t, hook.Config{Command: script(t, "sleep 600 & wait"), Log: got.say, Tries: 1, Time: 100 * time.Millisecond})
	h.Tell(stuck("a"))
	wait(t, h, view.HookCounts{Failed: 1})
	if l := got.logged(); !strings.Contains(l, "longer than 100 ms") {
		t.Errorf("logged %q", l)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []hook.Config{{}, {URL: "http://a", Command: "/bin/true"}, {URL: "ftp://a"}, {URL: "http://"}, {URL: "a b"}, {Command: "true"}, {Command: "/no/such"}, {Command: text}} {
		if _, err := hook.New(c); err == nil || !strings.Contains(err.Error(), "hook") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
