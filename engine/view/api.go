package view

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bootstorm/engine/feed"
	"bootstorm/engine/story"
)

// Limits of one list of nodes.
const (
	defaultNodes = 50
	maxNodes     = 1000
	maxBars      = 100 // where each comes with its bars
)

// sorts are the values of the query's sort.
var sorts = []string{"", "worst", "name", "mac", "address", "started"}

// states are the values of the query's state.
var states = []story.State{"", story.StateBooting, story.StateStuck, story.StateDone, story.StateSystem}

// summary answers GET /api/summary.
func (h *Handler) summary(w http.ResponseWriter, _ *http.Request) { answerBytes(w, h.cache.summary(h)) }

// history answers GET /api/history.
func (h *Handler) history(w http.ResponseWriter, _ *http.Request) {
	answerBytes(w, h.cache.get(h.now(), "history", func() any { return orEmpty(h.book.History()) }))
}

// orEmpty makes "no elements" an empty list in JSON, not null.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// row is a node in a list; with bars if they were asked for.
type row struct {
	story.Node
	Bars []Bar `json:"bars,omitempty"`
}

// nodes answers GET /api/nodes: a part of the list, and how long it is.
func (h *Handler) nodes(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	q, err := query(v)
	bars := v.Get("bars") == "1"
	if err == nil && bars && q.Limit > maxBars {
		err = fmt.Errorf("with bars=1, limit is at most %d", maxBars)
	}
	if err != nil {
		refuse(w, &refusal{http.StatusBadRequest, err.Error()})
		return
	}
	now := h.now()
	list, total := h.book.Nodes(now, q)
	rows := make([]row, len(list))
	for i, n := range list {
		n.Steps = nil
		rows[i].Node = n
		if !bars {
			continue
		}
		if full, ok := h.book.Node(now, n.MAC); ok {
			rows[i].Bars = Bars(&full, now)
		}
	}
	answer(w, map[string]any{"total": total, "nodes": rows})
}

// query reads a query string; what it does not know is an error, so that a
// mistyped filter does not look like an empty network.
func query(v url.Values) (story.Query, error) {
	q := story.Query{Text: strings.TrimSpace(v.Get("text")), State: story.State(v.Get("state")), Phase: story.Phase(v.Get("phase")),
		Sort: v.Get("sort"), Limit: defaultNodes}
	for name := range v {
		if !slices.Contains([]string{"text", "state", "phase", "sort", "from", "limit", "bars"}, name) {
			return q, fmt.Errorf("unknown parameter %q: there are text, state, phase, sort, from, limit and bars", clip(name))
		}
	}
	switch {
	case !slices.Contains(states, q.State):
		return q, fmt.Errorf("unknown state %q: there are booting, stuck, done and system", clip(string(q.State)))
	case q.Phase != "" && !slices.Contains(story.Phases, q.Phase):
		return q, fmt.Errorf("unknown phase %q: there are %v", clip(string(q.Phase)), story.Phases)
	case !slices.Contains(sorts, q.Sort):
		return q, fmt.Errorf("unknown sort %q: there are %s", clip(q.Sort), strings.Join(sorts[1:], ", "))
	}
	var err error
	if q.From, err = number(v, "from", 0, 0, 1<<30); err != nil {
		return q, err
	}
	q.Limit, err = number(v, "limit", defaultNodes, 1, maxNodes)
	return q, err
}

// number reads a parameter within bounds.
func number(v url.Values, name string, absent, least, most int) (int, error) {
	s := v.Get(name)
	if s == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s must be a number from %d to %d, not %q", name, least, most, clip(s))
	}
	return n, nil
}

// find answers with "no such node" unless there is one.
func (h *Handler) find(w http.ResponseWriter, r *http.Request) (story.Node, bool) {
	who := r.PathValue("who")
	n, ok := h.book.Node(h.now(), who)
	if !ok {
		refuse(w, &refusal{http.StatusNotFound, fmt.Sprintf("No node %q was seen since the daemon started. Look for it by MAC address, host or address; "+
			"if it is switched on, nothing of it arrives here: check its link, its VLAN and its boot order.", clip(who))})
	}
	return n, ok
}

// node answers GET /api/nodes/{who}.
func (h *Handler) node(w http.ResponseWriter, r *http.Request) {
	if n, ok := h.find(w, r); ok {
		n.Steps = orEmpty(n.Steps)
		answer(w, row{n, Bars(&n, h.now())})
	}
}

// explain answers GET /api/nodes/{who}/explain.
func (h *Handler) explain(w http.ResponseWriter, r *http.Request) {
	n, ok := h.find(w, r)
	if !ok {
		return
	}
	text, err := h.requests.Explain(n.MAC)
	if err != nil {
		refuse(w, &refusal{http.StatusServiceUnavailable, err.Error()})
		return
	}
	answerText(w, http.StatusOK, text)
}

// boots answers GET /api/boots: the nodes that load another file at their next
// boot; with taken=1 also the last that have done so.
func (h *Handler) boots(w http.ResponseWriter, r *http.Request) {
	list, err := h.requests.Marked()
	if err != nil {
		refuse(w, &refusal{http.StatusServiceUnavailable, err.Error()})
		return
	}
	if r.URL.Query().Get("taken") != "1" {
		list = slices.DeleteFunc(list, func(o feed.Order) bool { return !o.Taken.IsZero() })
	}
	answer(w, append([]feed.Order{}, list...))
}

// capture answers GET /api/capture.pcapng and that of one node.
func (h *Handler) capture(w http.ResponseWriter, r *http.Request) {
	mac, file := "", "bootstorm.pcapng"
	if r.PathValue("who") != "" {
		n, ok := h.find(w, r)
		if !ok {
			return
		}
		mac, file = n.MAC, "bootstorm-"+strings.ReplaceAll(n.MAC, ":", "-")+".pcapng"
	}
	select {
	case h.captures <- struct{}{}:
		defer func() { <-h.captures }()
	default:
		refuse(w, &refusal{http.StatusServiceUnavailable, "Other captures are being saved. Try again in a moment."})
		return
	}
	limit(w, captureTime)
	out := &lateHeader{w: w, file: file}
	err := h.requests.Capture(mac, out)
	if err != nil && !out.begun {
		refuse(w, &refusal{http.StatusServiceUnavailable, err.Error()})
	} else if err != nil {
		panic(http.ErrAbortHandler) // what was sent is not whole: the client must see that
	}
}

// lateHeader declares a download when its first byte comes, so that an error
// before it is still one.
type lateHeader struct {
	w     http.ResponseWriter
	file  string
	begun bool
}

var _ io.Writer = (*lateHeader)(nil)

// Write implements io.Writer.
func (l *lateHeader) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/x-pcapng")
		l.w.Header().Set("Content-Disposition", `attachment; filename="`+l.file+`"`)
	}
	return l.w.Write(p)
}

// about answers GET /api/page: what the page must know besides.
func (h *Handler) about(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"token_path": h.token})
}
