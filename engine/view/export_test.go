package view

import "time"

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
