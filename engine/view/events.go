package view

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bootstorm/engine/story"
)

// Limits of the streams.
const (
	maxListeners = 64
	queueLength  = 64  // messages that may wait for one listener; one that falls behind further is dropped
	keptEvents   = 512 // events kept for who comes later
	maxChanged   = 200 // nodes in one message
)

// Times of the streams; variables so that tests need not wait.
var (
	heartbeat  = 15 * time.Second // a comment keeps proxies and tunnels open, and finds who is gone
	streamTime = 10 * time.Second // one write may take
)

// message is one message of the stream, made once for all listeners.
type message struct {
	kind string // "summary", "nodes" or "event"
	data []byte // JSON, one line
}

// listener is one who reads a stream.
type listener struct {
	queue chan message
	kinds []string
}

// hub hands messages to all listeners and waits for none.
type hub struct {
	now     func() time.Time
	mu      sync.Mutex
	list    map[*listener]bool
	recent  [][]byte // the last events, oldest first
	ticked  time.Time
	dropped atomic.Int64 // listeners that were too slow
}

func newHub(now func() time.Time) *hub { return &hub{now: now, list: map[*listener]bool{}} }

// join adds a listener to messages of some kinds, with the last events if it
// wants them. It is nil if there are too many.
func (b *hub) join(kinds []string, last int) (*listener, [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) >= maxListeners {
		return nil, nil
	}
	l := &listener{make(chan message, queueLength), kinds}
	b.list[l] = true
	return l, b.last(last)
}

// last returns the last n events.
func (b *hub) last(n int) [][]byte {
	return slices.Clone(b.recent[max(0, len(b.recent)-n):])
}

// leave takes a listener out, if it was not dropped already.
func (b *hub) leave(l *listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list[l] {
		delete(b.list, l)
		close(l.queue)
	}
}

// watched tells whether anybody listens.
func (b *hub) watched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list) > 0
}

// wanted tells whether anybody listens to a kind.
func (b *hub) wanted(kind string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.list {
		if slices.Contains(l.kinds, kind) {
			return true
		}
	}
	return false
}

// send hands a message to all who want it; mu is held.
func (b *hub) send(m message) {
	for l := range b.list {
		if !slices.Contains(l.kinds, m.kind) {
			continue
		}
		select {
		case l.queue <- m:
		default: // it does not read: whoever waits for it would make all wait
			delete(b.list, l)
			close(l.queue)
			b.dropped.Add(1)
		}
	}
}

// tell sends one event and keeps it for who comes later.
func (b *hub) tell(t *story.Told) {
	short := *t
	short.Node.Steps = nil // the node's own page has them
	data, err := json.Marshal(&short)
	if err != nil {
		return // nothing in it can fail but a number that is none
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.recent) >= keptEvents {
		b.recent = append(b.recent[:0], b.recent[len(b.recent)-keptEvents/2:]...)
	}
	b.recent = append(b.recent, data)
	b.send(message{"event", data})
}

// tick sends the summary, and the nodes that changed since the last time.
func (b *hub) tick(book Book, summary []byte) {
	var changed []byte
	now := b.now()
	if b.wanted("nodes") {
		changed = changedNodes(book, now, b.ticked)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ticked = now
	b.send(message{"summary", summary})
	if changed != nil {
		b.send(message{"nodes", changed})
	}
}

// changedNodes lists as JSON the nodes that gave a sign of life after since, the
// latest first; nil if there is none.
func changedNodes(book Book, now, since time.Time) []byte {
	list, _ := book.Nodes(now, story.Query{Limit: math.MaxInt32})
	list = slices.DeleteFunc(list, func(n story.Node) bool { return !n.Seen.After(since) })
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b story.Node) int { return b.Seen.Compare(a.Seen) })
	b, err := json.Marshal(list[:min(len(list), maxChanged)])
	if err != nil {
		return nil // nothing in it can fail but a number that is none
	}
	return b
}

// eventKinds are the kinds of message on /api/events.
var eventKinds = []string{"summary", "nodes", "event"}

// events answers GET /api/events with server-sent events (HTML standard, section
// 9.2). ?only=summary,event leaves out what is not wanted.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	kinds := eventKinds
	if only := r.URL.Query().Get("only"); only != "" {
		kinds = strings.Split(only, ",")
	}
	for _, k := range kinds {
		if !slices.Contains(eventKinds, k) {
			refuse(w, &refusal{http.StatusBadRequest, fmt.Sprintf("unknown kind of event %q: there are summary, nodes and event", clip(k))})
			return
		}
	}
	first := []byte("retry: 2000\n\n")
	if slices.Contains(kinds, "summary") {
		first = fmt.Appendf(first, "event: summary\ndata: %s\n\n", h.cache.summary(h))
	}
	h.stream(w, r, stream{kind: "text/event-stream", kinds: kinds, first: first, beat: []byte(": still here\n\n"),
		form: func(m message) []byte { return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", m.kind, m.data) }})
}

// log answers GET /api/log with one JSON object a line for each event. ?last=N
// begins with the last N events, ?follow=0 ends after them.
func (h *Handler) log(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	last, err := number(v, "last", 0, 0, keptEvents)
	if err != nil {
		refuse(w, &refusal{http.StatusBadRequest, err.Error()})
		return
	}
	if v.Get("follow") == "0" {
		h.hub.mu.Lock()
		lines := h.hub.last(last)
		h.hub.mu.Unlock()
		limit(w, answerTime)
		w.Header().Set("Content-Type", "application/jsonl")
		for _, l := range lines {
			_, _ = w.Write(append(l, '\n'))
		}
		return
	}
	// An empty line says nothing to a reader of JSON lines.
	h.stream(w, r, stream{kind: "application/jsonl", kinds: []string{"event"}, last: last, beat: []byte("\n"),
		form: func(m message) []byte { return append(slices.Clip(m.data), '\n') }})
}

// stream is how messages are written.
type stream struct {
	kind  string // of content
	kinds []string
	last  int // events of the past to begin with
	first []byte
	beat  []byte
	form  func(message) []byte
}

// stream writes messages until the client goes or is too slow.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, s stream) {
	l, past := h.hub.join(s.kinds, s.last)
	if l == nil {
		w.Header().Set("Retry-After", "10")
		refuse(w, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("%d programs are reading events already, which is all this server allows. Close one.", maxListeners)})
		return
	}
	defer h.hub.leave(l)
	out := http.NewResponseController(w)
	put := func(b []byte) bool {
		limit(w, streamTime)
		_, err := w.Write(b)
		return err == nil && out.Flush() == nil
	}
	w.Header().Set("Content-Type", s.kind)
	ok := put(s.first)
	for _, p := range past {
		ok = ok && put(s.form(message{"event", p}))
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok {
		select {
		case m, open := <-l.queue:
			ok = open && put(s.form(m))
		case <-beat.C:
			ok = put(s.beat)
		case <-r.Context().Done():
			return
		}
	}
}
