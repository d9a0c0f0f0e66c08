package view

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Heartbeat shortens the pause between signs of life of a stream.
func Heartbeat(d time.Duration) (restore func()) {
	old := heartbeat
	heartbeat = d
	return func() { heartbeat = old }
}

// Limits and names for tests.
const (
	MaxListeners = maxListeners
	QueueLength  = queueLength
	MaxBusy      = maxBusy
	MaxFiles     = maxFileLabels
)

// Busy occupies n places of requests under way.
func (h *Handler) Busy(n int) (free func()) {
	for range n {
		h.busy <- struct{}{}
	}
	return func() {
		for range n {
			<-h.busy
		}
	}
}

// Dropped is how many listeners were dropped.
func (h *Handler) Dropped() int64 { return h.hub.dropped.Load() }

// CounterMetric shows a metric's name, label and factor.
func CounterMetric(counter string) (name, label, value string, factor float64) {
	m := counterMetric(counter)
	return m.name, m.label, m.value, m.factor
}

// Pulse asks two handlers once what the view asks its own, and waits so long.
func Pulse(page, control http.Handler, patience time.Duration) error {
	p := newPulse(zap.NewNop())
	for _, s := range []struct {
		way     *way
		handler http.Handler
	}{{&p.page, page}, {&p.control, control}} {
		server := Server(s.handler)
		go server.Serve(s.way.inside)
		defer server.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.ask(ctx)
}

// Connections is what happens to a listener that may have so many.
func Connections(most int64, log *zap.Logger) (change func(http.ConnState)) {
	c := &crowd{where: "here", most: most, log: log}
	return func(s http.ConnState) { c.change(nil, s) }
}
