package view_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// serve runs the handler behind a real listener with its time limits.
func (r *rig) serve() string {
	s := httptest.NewUnstartedServer(nil)
	s.Config = view.Server(r.handler)
	s.Start()
	r.t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// follow opens a stream; what it brings comes line by line.
func follow(t *testing.T, url string) <-chan string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	q, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, a.Status)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		defer a.Body.Close()
		s := bufio.NewScanner(a.Body)
		for s.Buffer(nil, 8<<20); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

// expect reads lines until one contains words.
func expect(t *testing.T, lines <-chan string, words string) string {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("the stream ended before %q", words)
			}
			if strings.Contains(l, words) {
				return l
			}
		case <-late:
			t.Fatalf("%q never came", words)
		}
	}
}

func told(kind, text string) []story.Told {
	return []story.Told{{At: noon, Kind: kind, Text: text, Node: story.Node{MAC: "52:54:00:00:00:01", Steps: []story.Step{{Text: "left out"}}}}}
}

func TestEventsComeAsTheyHappen(t *testing.T) {
	r := newRig(t)
	lines := follow(t, r.serve()+"/api/events")
	expect(t, lines, "event: summary") // at once, not in a second
	var s story.Summary
	if err := json.Unmarshal([]byte(strings.TrimPrefix(expect(t, lines, "data: "), "data: ")), &s); err != nil || s.Nodes == 0 {
		t.Errorf("summary %+v, %v", s, err)
	}
	r.handler.Tell(told(story.ToldStuck, "n1 is stuck"))
	expect(t, lines, "event: event")
	if l := expect(t, lines, "n1 is stuck"); strings.Contains(l, "left out") {
		t.Errorf("steps in an event: %s", l)
	}
	r.handler.Tick()
	expect(t, lines, "event: nodes")
	var changed []story.Node
	if err := json.Unmarshal([]byte(strings.TrimPrefix(expect(t, lines, "data: "), "data: ")), &changed); err != nil || len(changed) != 200 {
		t.Errorf("%d changed nodes, %v", len(changed), err)
	}
}

func TestEventsOnlyOfKindsThatAreWanted(t *testing.T) {
	r := newRig(t)
	lines := follow(t, r.serve()+"/api/events?only=event")
	r.handler.Tick()
	r.handler.Tell(told(story.ToldBooted, "n1 booted"))
	for l := range lines {
		if strings.Contains(l, "summary") || strings.Contains(l, "event: nodes") {
			t.Fatalf("unwanted: %s", l)
		}
		if strings.Contains(l, "n1 booted") {
			return
		}
	}
	t.Error("the event never came")
}

func TestLogIsJSONLines(t *testing.T) {
	r := newRig(t)
	url := r.serve()
	for i := range 600 {
		r.handler.Tell(told(story.ToldBooted, fmt.Sprintf("n%d booted", i)))
	}
	lines := follow(t, url+"/api/log?last=3")
	for i := 597; i < 600; i++ {
		var v story.Told
		if err := json.Unmarshal([]byte(<-lines), &v); err != nil || v.Text != fmt.Sprintf("n%d booted", i) {
			t.Errorf("line %+v, %v", v, err)
		}
	}
	r.handler.Tell(told(story.ToldRogue, "another server"))
	expect(t, lines, "another server")
	n := 0
	for range follow(t, url+"/api/log?last=20&follow=0") {
		n++
	}
	if n != 20 {
		t.Errorf("%d lines of 20 asked for, without following", n)
	}
}

func TestStreamsHaveAHeartbeat(t *testing.T) {
	defer view.Heartbeat(20 * time.Millisecond)()
	r := newRig(t)
	lines := follow(t, r.serve()+"/api/events?only=event")
	expect(t, lines, ": still here")
	expect(t, lines, ": still here")
}

// One who does not read is dropped, and nobody waits for him.
func TestSlowListenersAreDropped(t *testing.T) {
	r := newRig(t)
	url := r.serve()
	slow, err := http.Get(url + "/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	quick := follow(t, url+"/api/events?only=event")
	go func() {
		for range quick { // takes all
		}
	}()
	big := strings.Repeat("x", 1<<18)
	begin := time.Now()
	for i := 0; i < 50*view.QueueLength && r.handler.Dropped() == 0; i++ {
		r.handler.Tell(told(story.ToldBooted, big))
	}
	if r.handler.Dropped() == 0 {
		t.Error("it was never dropped")
	}
	if d := time.Since(begin); d > 15*time.Second {
		t.Errorf("telling took %v: somebody waited", d)
	}
}

func TestListenersAreLimited(t *testing.T) {
	r := newRig(t)
	url := r.serve()
	for range view.MaxListeners {
		follow(t, url+"/api/log?last=0")
	}
	a, err := http.Get(url + "/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %s", a.Status)
	}
}

// Who goes away makes room.
func TestListenersLeave(t *testing.T) {
	r := newRig(t)
	url := r.serve()
	for range 2 * view.MaxListeners {
		ctx, cancel := context.WithCancel(context.Background())
		q, _ := http.NewRequestWithContext(ctx, "GET", url+"/api/log", nil)
		for try := 0; ; try++ {
			a, err := http.DefaultClient.Do(q)
			if err == nil && a.StatusCode == http.StatusOK {
				break
			}
			if try == 200 {
				t.Fatalf("no room: %v", err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		cancel()
	}
}

func TestBusyServerSaysSo(t *testing.T) {
	r := newRig(t)
	defer r.handler.Busy(view.MaxBusy)()
	w := r.ask("GET", "/api/summary", "")
	r.refused(w, http.StatusServiceUnavailable, "Try again")
}
