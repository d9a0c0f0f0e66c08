package view_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

type nodes struct {
	Total int
	Nodes []struct {
		story.Node
		Bars []view.Bar
	}
}

func TestSummaryAndHistory(t *testing.T) {
	r := newRig(t)
	s := get[story.Summary](r, "/api/summary")
	if s.Nodes < 900 || s.States[story.StateStuck] < 5 || s.Health != story.HealthDegraded || len(s.Problems) == 0 {
		t.Errorf("summary: %+v", s)
	}
	h := get[[]story.Sample](r, "/api/history")
	if len(h) != 90 || !h[0].At.Before(h[89].At) || h[89].Phases[story.PhaseDone] < 800 {
		t.Errorf("%d samples, the last %+v", len(h), h[len(h)-1])
	}
}

func TestNodesInParts(t *testing.T) {
	r := newRig(t)
	all := get[nodes](r, "/api/nodes")
	if len(all.Nodes) != 50 || all.Total < 900 || all.Nodes[0].State != story.StateStuck || all.Nodes[0].Steps != nil || all.Nodes[0].Bars != nil {
		t.Errorf("%d of %d, the first %+v", len(all.Nodes), all.Total, all.Nodes[0])
	}
	second := get[nodes](r, "/api/nodes?from=50&limit=20&bars=1")
	if len(second.Nodes) != 20 || second.Total != all.Total || len(second.Nodes[0].Bars) < 2 {
		t.Errorf("%d of %d, the first %+v", len(second.Nodes), second.Total, second.Nodes[0])
	}
	if some := get[nodes](r, "/api/nodes?text=rack03&state=done&sort=name"); some.Total == 0 || some.Total > 40 || !strings.HasPrefix(some.Nodes[0].Host, "rack03") {
		t.Errorf("filtered: %+v", some)
	}
	if none := r.ask("GET", "/api/nodes?text=nothing+like+it", ""); !strings.Contains(none.Body.String(), `"nodes":[]`) {
		t.Errorf("no node: %s", none.Body)
	}
	if beyond := get[nodes](r, "/api/nodes?from=100000"); len(beyond.Nodes) != 0 || beyond.Total != all.Total {
		t.Errorf("beyond the end: %d of %d", len(beyond.Nodes), beyond.Total)
	}
}

func TestMistypedQueriesAreErrors(t *testing.T) {
	r := newRig(t)
	for query, words := range map[string]string{
		"state=sutck": "there are booting, stuck", "phase=x": "there are", "sort=best": "worst, name", "limit=0": "from 1 to 1000", "limit=1001": "from 1 to 1000",
		"limit=ten": "must be a number", "from=-1": "from 0", "filter=x": "unknown parameter", "bars=1&limit=500": "at most 100",
	} {
		r.refused(r.ask("GET", "/api/nodes?"+query, ""), http.StatusBadRequest, words)
	}
	r.refused(r.ask("GET", "/api/nodes?text="+strings.Repeat("x", 2000), ""), http.StatusRequestURITooLong, "too long")
	r.refused(r.ask("GET", "/api/log?last=9999", ""), http.StatusBadRequest, "last must be")
	r.refused(r.ask("GET", "/api/events?only=gossip", ""), http.StatusBadRequest, "summary, nodes and event")
}

func TestOneNode(t *testing.T) {
	r := newRig(t)
	for _, who := range []string{"52:54:00:00:00:29", "rack02-node02", "10.20.0.43"} {
		n := get[struct {
			story.Node
			Bars []view.Bar
		}](r, "/api/nodes/"+who)
		if n.MAC != "52:54:00:00:00:29" || len(n.Steps) < 5 || len(n.Bars) < 3 || n.Reason == "" || n.Expected == "" {
			t.Errorf("%s: %+v", who, n)
		}
	}
	r.refused(r.ask("GET", "/api/nodes/nobody", ""), http.StatusNotFound, "check its link")
	r.refused(r.ask("GET", "/api/nodes/nobody/explain", ""), http.StatusNotFound, "nobody")
	w := r.ask("GET", "/api/nodes/rack02-node02/explain", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "DISCOVER of 52:54:00:00:00:29") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("explain: %d %s", w.Code, w.Body)
	}
}

func TestCaptureIsADownload(t *testing.T) {
	r := newRig(t)
	for path, name := range map[string]string{"/api/capture.pcapng": "bootstorm.pcapng", "/api/nodes/rack02-node02/capture.pcapng": "bootstorm-52-54-00-00-00-29.pcapng"} {
		w := r.ask("GET", path, "")
		if w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte{0x0a, 0x0d, 0x0d, 0x0a}) || !strings.Contains(w.Header().Get("Content-Disposition"), name) {
			t.Errorf("%s: %d %v %q", path, w.Code, w.Header(), w.Body.Bytes())
		}
	}
}

func TestStuckNodesByReason(t *testing.T) {
	r := newRig(t)
	got := get[struct {
		Total, Reasons int
		Groups         []view.Group
	}](r, "/api/stuck")
	sum := 0
	for i, g := range got.Groups {
		sum += g.Count
		if g.Reason == "" || len(g.Nodes) == 0 || len(g.Nodes) > g.Count || g.Since.IsZero() || i > 0 && g.Count > got.Groups[i-1].Count {
			t.Errorf("group %d: %+v", i, g)
		}
	}
	if sum != got.Total || len(got.Groups) != got.Reasons || got.Reasons < 4 || got.Reasons > 6 {
		t.Errorf("%d nodes and %d reasons in %d groups of %d nodes", got.Total, got.Reasons, len(got.Groups), sum)
	}
}

// The same reason is one group, whatever the node is called and however long it
// has waited; another line of the configuration is another.
func TestGroupsLeaveOutWhatIsTheNodes(t *testing.T) {
	node := func(host, address, reason string) story.Node {
		return story.Node{MAC: "52:54:00:00:00:" + host[1:], Host: host, Address: address, Reason: reason, State: story.StateStuck}
	}
	got := view.Groups([]story.Node{
		node("n01", "10.0.0.1", "n01 at 10.0.0.1 fell silent after 12 s; look at its console"),
		node("n02", "10.0.0.2", "n02 at 10.0.0.2 fell silent after 3.5 s; look at its console"),
		node("n03", "", "denied by dhcpd.conf \"deny unknown-clients;\""),
		node("n04", "10.0.0.4", "n04 at 10.0.0.4 fell silent after 900 ms; look at its console"),
	})
	if len(got) != 2 || got[0].Count != 3 || got[1].Count != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBarsFollowTheTimeline(t *testing.T) {
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	n := story.Node{Started: noon, State: story.StateBooting, Phase: story.PhaseLoad, Since: at(5000), File: "b", Steps: []story.Step{
		{At: at(0), Kind: "discover"}, {At: at(10), Kind: "offer"}, {At: at(900), Kind: "request"}, {At: at(1000), Kind: "ack", Text: "leased"},
		{At: at(3000), Kind: "transfer_done", Took: 1500 * time.Millisecond, Text: "a"}, {At: at(3200), Kind: "not_found", Bad: true, Text: "c"},
	}}
	want := []view.Bar{{"dhcp", 0, 1000, "DHCP: leased", false}, {"wait", 1000, 1500, "the node is busy with itself", false}, {"file", 1500, 3000, "a", false},
		{"wait", 3000, 3200, "the node is busy with itself", false}, {"bad", 3200, 3200, "c", false}, {"wait", 3200, 5000, "the node is busy with itself", false},
		{"file", 5000, 6000, "b", true}}
	got, _ := json.Marshal(view.Bars(&n, at(6000)))
	if w, _ := json.Marshal(want); !bytes.Equal(got, w) {
		t.Errorf("bars\n%s, not\n%s", got, w)
	}
	n.State, n.Reason = story.StateStuck, "because"
	if b := view.Bars(&n, at(9000)); b[len(b)-1] != (view.Bar{"stuck", 3200, 9000, "because", true}) {
		t.Errorf("stuck: %+v", b)
	}
	for range 200 {
		n.Steps = append(n.Steps, story.Step{At: at(8000), Kind: "refused", Bad: true})
	}
	if b := view.Bars(&n, at(9000)); len(b) > 49 {
		t.Errorf("%d bars", len(b))
	}
	// A clock that was set back makes no bar that ends before it begins.
	n.Steps = []story.Step{{At: at(-500), Kind: "ack"}, {At: at(100), Kind: "transfer_done", Took: time.Hour}}
	for _, b := range view.Bars(&n, at(-100)) {
		if b.From < 0 || b.To < b.From {
			t.Errorf("bar %+v", b)
		}
	}
}

func TestHealthFollowsTheFeed(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := r.ask("GET", path, ""); w.Code != 200 || w.Body.String() != "ok\n" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	r.fed = noon.Add(-11 * time.Second)
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := r.ask("GET", path, ""); w.Code != 503 || !strings.Contains(w.Body.String(), "has not reported for 11 s") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	r.fed = time.Time{}
	if w := r.ask("GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "not reported yet") {
		t.Errorf("never fed: %d %q", w.Code, w.Body)
	}
}

// The page names nothing outside, and no text becomes markup.
func TestPageIsWhole(t *testing.T) {
	r := newRig(t)
	w := r.ask("GET", "/", "")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	for _, file := range []string{"style.css", "app.js", "icon.svg", "chart.js", "rows.js", "node.js", "overview.js", "live.js", "dom.js", "format.js", "bars.js"} {
		w := r.ask("GET", "/"+file, "")
		if w.Code != 200 || w.Body.Len() < 100 {
			t.Errorf("%s: %d, %d bytes", file, w.Code, w.Body.Len())
		}
		for _, outside := range []string{"http://", "https://", "//cdn", "innerHTML", "eval("} {
			if body := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", ""); strings.Contains(body, outside) {
				t.Errorf("%s contains %s", file, outside)
			}
		}
	}
}
