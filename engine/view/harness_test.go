package view_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
	"bootstorm/engine/view/rehearse"
)

const secret = "a-token-of-the-test"

// age is how long ago the power came back when the tests look: most nodes have
// booted, and those that will not are overdue.
const age = 75 * time.Second

// rig is a handler on a storm of 1,000 nodes.
type rig struct {
	t       *testing.T
	handler *view.Handler
	engine  *rehearse.Engine
	storm   *story.Book
	now     time.Time
	fed     time.Time
}

// noon is when the tests look.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newRig(t *testing.T, change ...func(*view.Options)) *rig {
	r := &rig{t: t, engine: &rehearse.Engine{}, storm: storm(), now: noon, fed: noon}
	o := view.Options{Token: secret, TokenPath: "/run/bootstorm/eth1/token", Now: func() time.Time { return r.now }, Fed: func() time.Time { return r.fed }}
	for _, c := range change {
		c(&o)
	}
	r.handler = view.New(r.storm, r.engine, o)
	return r
}

// storm is the same for all tests, which only read it.
var storm = sync.OnceValue(func() *story.Book {
	s := rehearse.New(1000, noon.Add(-age), true)
	s.Play(noon)
	return s.Book
})

// ask sends a request as a browser on this machine would; headers are name,
// value, name, value, …
func (r *rig) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.do(method, path, body, headers...)
}

// cacheTime is longer than answers are kept.
const cacheTime = time.Second

func (r *rig) clock() time.Time { return r.now }

func (r *rig) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, path, strings.NewReader(body))
	q.Host = "127.0.0.1:8067"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			q.Host = headers[i+1]
			continue
		}
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, q)
	return w
}

// get reads JSON from an answer that must be good.
func get[T any](r *rig, path string) (v T) {
	r.t.Helper()
	w := r.ask("GET", path, "")
	if w.Code != http.StatusOK {
		r.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		r.t.Fatalf("GET %s: %v in %.200s", path, err, w.Body)
	}
	return v
}

// refused checks the status of a refusal and that it says why in words.
func (r *rig) refused(w *httptest.ResponseRecorder, status int, words string) {
	r.t.Helper()
	var said struct{ Error string }
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != status || !strings.Contains(said.Error, words) {
		r.t.Errorf("answered %d %s (%v), not %d with %q", w.Code, w.Body, err, status, words)
	}
}
