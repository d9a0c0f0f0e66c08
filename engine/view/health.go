package view

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// fedTime is how long the engine may say nothing; it reports once a second.
const fedTime = 10 * time.Second

// stale says in words that the engine is not heard of, "" if it is.
func (h *Handler) stale() string {
	fed := h.fed()
	switch silent := h.now().Sub(fed); {
	case fed.IsZero():
		return "the engine has not reported yet: it is starting, or not running (systemctl status 'bootstorm@*')"
	case silent > fedTime:
		return fmt.Sprintf("the engine has not reported for %s: it hangs or has ended (systemctl status 'bootstorm@*')", span.Text(silent))
	}
	return ""
}

// healthy answers GET /healthz: this process lives and hears the engine.
func (h *Handler) healthy(w http.ResponseWriter, _ *http.Request) {
	if why := h.stale(); why != "" {
		answerText(w, http.StatusServiceUnavailable, why)
		return
	}
	answerText(w, http.StatusOK, "ok")
}

// ready answers GET /readyz: nodes can be booted. Stuck nodes do not make it
// unready; a lease that cannot be written does.
func (h *Handler) ready(w http.ResponseWriter, _ *http.Request) {
	if why := h.stale(); why != "" {
		answerText(w, http.StatusServiceUnavailable, why)
		return
	}
	s := h.book.Summary(h.now())
	if s.Health == story.HealthFailing {
		answerText(w, http.StatusServiceUnavailable, "failing: "+strings.Join(s.Problems, "\n"))
		return
	}
	answerText(w, http.StatusOK, "ok")
}
