package view

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
)

// Limits of what is kept for metrics.
const (
	maxFileLabels = 100   // names of files; further ones are counted as "other"
	maxAsking     = 65536 // nodes whose DISCOVER waits for its acknowledgement
)

// metrics are what Prometheus reads. Distributions are gathered from the core's
// events and the story; everything else is read from the book when it is asked for.
type metrics struct {
	http.Handler
	registry *prometheus.Registry

	lease, file, boot prometheus.Histogram
	phase             *prometheus.HistogramVec
	fileBytes         *prometheus.CounterVec
	fileLoads         *prometheus.CounterVec
	refused           *prometheus.CounterVec
	resent            prometheus.Counter
	told              *prometheus.CounterVec

	mu     sync.Mutex
	asking map[[16]byte]time.Time // first DISCOVER that has no acknowledgement yet
	names  map[string]bool        // files with a label of their own
}

// newMetrics registers everything.
func newMetrics(h *Handler, hooks func() HookCounts) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), asking: map[[16]byte]time.Time{}, names: map[string]bool{}}
	m.make()
	m.registry.MustRegister(m.lease, m.file, m.boot, m.phase, m.fileBytes, m.fileLoads, m.refused, m.resent, m.told,
		&bookCollector{h: h, hooks: hooks},
		// Of the process that serves the metrics; the engine has its counters above.
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{Namespace: "bootstorm_view"}))
	m.Handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: answerTime})
	return m
}

// make makes the distributions and counters.
func (m *metrics) make() {
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m.lease = histogram("bootstorm_lease_duration_seconds", "Time from a node's first DISCOVER to the acknowledgement of its lease.",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
	m.file = histogram("bootstorm_file_load_duration_seconds", "Time of a file's transfer, from its request to its last acknowledgement.",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300)
	m.boot = histogram("bootstorm_boot_duration_seconds", "Time from a boot's first message to the last byte of its last file.",
		.1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 600, 1800)
	m.phase = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bootstorm_boot_phase_duration_seconds",
		Help: "Time that nodes stayed in a phase of a boot before the next: discover, offer, request, lease (until a file is asked for), " +
			"load, next (until the program that was loaded asks for an address or a file).",
		Buckets: []float64{.0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 2.5, 5, 10, 30, 60, 300}}, []string{"phase"})
	for _, p := range story.Phases {
		if p != story.PhaseDone { // which no other follows
			m.phase.WithLabelValues(string(p)) // a rate needs the zero before the first
		}
	}
	m.fileBytes = counter("bootstorm_file_sent_bytes_total", "Bytes of files that arrived whole, by file.", "file")
	m.fileLoads = counter("bootstorm_file_loads_total", "Transfers that have ended, by file and result (done, error, not_found, refused).", "file", "result")
	m.refused = counter("bootstorm_refused_messages_total", "Messages refused or left unanswered on purpose, by reason.", "reason")
	m.resent = prometheus.NewCounter(prometheus.CounterOpts{Name: "bootstorm_file_resent_frames_total", Help: "Frames of files that were sent again."})
	m.told = counter("bootstorm_events_total", "What became true of nodes and the network, by kind (node-booted, node-stuck, …).", "kind")
	for _, k := range []string{story.ToldBooted, story.ToldStuck, story.ToldRecovered, story.ToldPool, story.ToldRogue, story.ToldConflict} {
		m.told.WithLabelValues(k) // a rate needs the zero before the first
	}
}

// observe takes one event of the core.
func (m *metrics) observe(at time.Time, e *batch.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e.Kind {
	case batch.EventDiscover:
		if _, ok := m.asking[e.HW]; !ok && len(m.asking) < maxAsking {
			m.asking[e.HW] = at
		}
	case batch.EventAck:
		if from, ok := m.asking[e.HW]; ok {
			delete(m.asking, e.HW)
			m.lease.Observe(max(0, at.Sub(from).Seconds()))
		}
	case batch.EventTransferDone:
		file := m.label(e)
		m.fileBytes.WithLabelValues(file).Add(float64(max(0, e.Value)))
		m.fileLoads.WithLabelValues(file, "done").Inc()
		m.file.Observe(float64(e.Nanos) / 1e9)
		m.resent.Add(float64(e.Extra))
	case batch.EventTransferError:
		m.fileLoads.WithLabelValues(m.label(e), "error").Inc()
	case batch.EventNotFound: // names that strangers make up are no labels
		m.fileLoads.WithLabelValues("", "not_found").Inc()
	case batch.EventRefused:
		m.fileLoads.WithLabelValues("", "refused").Inc()
	case batch.EventSilence, batch.EventNak, batch.EventFull:
		m.refused.WithLabelValues(cmp.Or(e.Reason.String(), "none")).Inc()
	}
}

// label is the file's name as a label. Only files that exist come here, and not
// more than maxFileLabels, so that there is an end to the series.
func (m *metrics) label(e *batch.Event) string {
	name, _, _ := strings.Cut(string(e.Name[:]), "\x00")
	name = strings.ToValidUTF8(name, "?")
	if !m.names[name] {
		if len(m.names) >= maxFileLabels {
			return "other"
		}
		m.names[name] = true
	}
	return name
}

// stayed takes how long a node was in a phase of its boot.
func (m *metrics) stayed(in story.Phase, took time.Duration) {
	m.phase.WithLabelValues(string(in)).Observe(took.Seconds())
}

// tell takes one thing that the story told.
func (m *metrics) tell(t *story.Told) {
	m.told.WithLabelValues(t.Kind).Inc()
	if n := &t.Node; t.Kind == story.ToldBooted && n.Finished.After(n.Started) {
		m.boot.Observe(n.Finished.Sub(n.Started).Seconds())
	}
}
