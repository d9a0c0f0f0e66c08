package view

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
	"bootstorm/engine/view/dissect"
)

// Limits of what one request may take.
const (
	maxQuery    = 1 << 10          // bytes of a query string
	maxPath     = 256              // bytes of a path
	maxBody     = 4 << 10          // bytes of a body
	maxBusy     = 32               // requests under way besides streams; more are told to come again
	maxCaptures = 2                // readers of kept frames under way
	answerTime  = 15 * time.Second // an answer must be on its way by then
	captureTime = time.Minute      // a capture likewise
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	maxHeader   = 16 << 10 // bytes of all headers
)

// Handler answers the HTTP requests of browsers, programs and Prometheus.
type Handler struct {
	book     Book
	requests Requests
	now      func() time.Time
	fed      func() time.Time
	guard    *guard
	hub      *hub
	metrics  *metrics
	cache    cache
	token    string // where it is
	busy     chan struct{}
	captures chan struct{}
	words    atomic.Pointer[dissect.Words] // for frames
	mux      *http.ServeMux
}

// New makes the handler. Run must run for streams to bring anything.
func New(book Book, requests Requests, o Options) *Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fed == nil {
		o.Fed = o.Now
	}
	h := &Handler{book: book, requests: requests, now: o.Now, fed: o.Fed, guard: newGuard(o), token: o.TokenPath,
		busy: make(chan struct{}, maxBusy), captures: make(chan struct{}, maxCaptures), mux: http.NewServeMux()}
	if o.Token == "" {
		h.token = ""
	}
	h.Define("") // until the engine says what there is
	h.hub = newHub(h.now)
	h.metrics = newMetrics(h, o.Hooks)
	h.routes()
	return h
}

// routes lists what there is.
func (h *Handler) routes() {
	get := func(path string, f http.HandlerFunc) { h.mux.Handle("GET "+path, h.bounded(f)) }
	get("/api/summary", h.summary)
	get("/api/nodes", h.nodes)
	get("/api/nodes/{who}", h.node)
	get("/api/nodes/{who}/explain", h.explain)
	get("/api/nodes/{who}/frames", h.frames)
	get("/api/nodes/{who}/capture.pcapng", h.capture)
	get("/api/stuck", h.stuck)
	get("/api/boots", h.boots)
	get("/api/history", h.history)
	get("/api/capture.pcapng", h.capture)
	get("/api/page", h.about)
	get("/healthz", h.healthy)
	get("/readyz", h.ready)
	get("/metrics", h.metrics.ServeHTTP)
	h.mux.HandleFunc("GET /api/events", h.events) // streams have limits of their own
	h.mux.HandleFunc("GET /api/log", h.log)
	h.mux.Handle("/control/", h.bounded(h.control))
	h.mux.Handle("/", h.bounded(page().ServeHTTP))
}

// Observe takes one event of the core, for the metrics. at is when it happened.
// It must not be called from several goroutines at a time.
func (h *Handler) Observe(at time.Time, e *batch.Event) { h.metrics.observe(at, e) }

// Stayed takes how long a node was in a phase of its boot, for metrics: see
// story.Book.Stays.
func (h *Handler) Stayed(in story.Phase, took time.Duration) { h.metrics.stayed(in, took) }

// Tell takes what the story told, for streams and metrics. It never waits.
func (h *Handler) Tell(told []story.Told) {
	for i := range told {
		h.metrics.tell(&told[i])
		h.hub.tell(&told[i])
	}
}

// Tick sends what is due once a second to those who listen.
func (h *Handler) Tick() {
	if h.hub.watched() {
		h.hub.tick(h.book, h.cache.summary(h))
	}
}

// Server is an http.Server for h with the time limits that h counts on.
func Server(h http.Handler) *http.Server {
	// Streams last, so writes are limited one by one (events.go), not here.
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
}

// policy is what a browser lets the page do: nothing but this server's own
// scripts and styles, and no text that becomes code.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// ServeHTTP checks what holds for all requests and hands over.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	if no := h.guard.look(r); no != nil {
		refuse(w, no)
		return
	}
	if len(r.URL.RawQuery) > maxQuery || len(r.URL.Path) > maxPath {
		refuse(w, &refusal{http.StatusRequestURITooLong, "The address is too long."})
		return
	}
	h.mux.ServeHTTP(w, r)
}

// bounded limits the body, the time of the answer, and how many are answered at
// a time.
func (h *Handler) bounded(f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case h.busy <- struct{}{}:
			defer func() { <-h.busy }()
		default:
			w.Header().Set("Retry-After", "1")
			refuse(w, &refusal{http.StatusServiceUnavailable, "Too many requests at a time. Try again in a second."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		limit(w, answerTime)
		f(w, r)
	})
}

// limit gives the answer d from now on to be taken by the client. A writer
// without deadlines is a test's.
func limit(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

// refuse answers with words: text for people, JSON for programs that ask for it.
func refuse(w http.ResponseWriter, no *refusal) {
	w.Header().Set("Content-Type", "application/json")
	if no.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="bootstorm"`)
	}
	w.WriteHeader(no.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": no.text})
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil { // a number that JSON cannot say
		refuse(w, &refusal{http.StatusInternalServerError, fmt.Sprintf("The answer cannot be written as JSON: %v", err)})
		return
	}
	answerBytes(w, b)
}

func answerBytes(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n')) // the client may be gone
}

// answerText sends words.
func answerText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, strings.TrimRight(text, "\n"))
}
