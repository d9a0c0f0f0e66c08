package view_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// scrape reads /metrics as Prometheus would.
func (r *rig) scrape() map[string]*dto.MetricFamily {
	r.t.Helper()
	w := r.ask("GET", "/metrics", "")
	if w.Code != 200 {
		r.t.Fatalf("/metrics: %d %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return families
}

// metric finds a value by name and the value of its label, if it has one.
func (r *rig) metric(name, label string) *dto.Metric {
	r.t.Helper()
	f := r.scrape()[name]
	for _, m := range f.GetMetric() {
		if len(m.Label) == 0 && label == "" {
			return m
		}
		for _, l := range m.Label {
			if l.GetValue() == label {
				return m
			}
		}
	}
	r.t.Fatalf("no metric %s{%s} in %v", name, label, f)
	return nil
}

// event makes an event of a node.
func event(kind batch.EventKind, node byte, name string) *batch.Event {
	e := &batch.Event{Kind: kind, HWLen: 6}
	e.HW[5] = node
	copy(e.Name[:], name)
	return e
}

func TestMetricsOfEvents(t *testing.T) {
	r := newRig(t)
	see := func(ms int, e *batch.Event) { r.handler.Observe(noon.Add(time.Duration(ms)*time.Millisecond), e) }
	see(0, event(batch.EventDiscover, 1, ""))
	see(4000, event(batch.EventDiscover, 1, "")) // asked again: the first counts
	see(5500, event(batch.EventAck, 1, ""))
	see(5600, event(batch.EventAck, 1, "")) // a renewal has no DISCOVER
	done := event(batch.EventTransferDone, 1, "ipxe.efi")
	done.Value, done.Nanos, done.Extra = 1_000_000, 2e9, 3
	see(9000, done)
	see(9000, done)
	see(9000, event(batch.EventTransferError, 1, "ipxe.efi"))
	see(9000, event(batch.EventNotFound, 1, "made/up/by/a/stranger"))
	silence := event(batch.EventSilence, 2, "")
	silence.Reason = batch.ReasonNoFreeAddress
	see(9000, silence)
	if h := r.metric("bootstorm_lease_duration_seconds", "").Histogram; h.GetSampleCount() != 1 || h.GetSampleSum() != 5.5 {
		t.Errorf("leases: %v", h)
	}
	if h := r.metric("bootstorm_file_load_duration_seconds", "").Histogram; h.GetSampleCount() != 2 || h.GetSampleSum() != 4 {
		t.Errorf("files: %v", h)
	}
	for _, c := range []struct {
		name, label string
		want        float64
	}{{"bootstorm_file_sent_bytes_total", "ipxe.efi", 2e6}, {"bootstorm_file_loads_total", "done", 2}, {"bootstorm_file_loads_total", "error", 1},
		{"bootstorm_file_loads_total", "not_found", 1}, {"bootstorm_refused_messages_total", "no_free_address", 1}, {"bootstorm_file_resent_frames_total", "", 6}} {
		if v := r.metric(c.name, c.label).Counter.GetValue(); v != c.want {
			t.Errorf("%s{%s} = %v, not %v", c.name, c.label, v, c.want)
		}
	}
}

// Each phase that a node stayed in is one more, and all are there from the beginning.
func TestMetricsOfPhases(t *testing.T) {
	r := newRig(t)
	r.handler.Stayed(story.PhaseOffer, 3*time.Second)
	r.handler.Stayed(story.PhaseOffer, time.Second)
	for _, p := range []story.Phase{story.PhaseDiscover, story.PhaseOffer, story.PhaseRequest, story.PhaseLease, story.PhaseLoad, story.PhaseNext} {
		want := uint64(0)
		if p == story.PhaseOffer {
			want = 2
		}
		if h := r.metric("bootstorm_boot_phase_duration_seconds", string(p)).Histogram; h.GetSampleCount() != want || h.GetSampleSum() != 2*float64(want) {
			t.Errorf("%s: %d, %v s; want %d", p, h.GetSampleCount(), h.GetSampleSum(), want)
		}
	}
}

func TestMetricsOfBoots(t *testing.T) {
	r := newRig(t)
	r.handler.Tell([]story.Told{{Kind: story.ToldBooted, Node: story.Node{Started: noon, Finished: noon.Add(40 * time.Second)}}, {Kind: story.ToldStuck}})
	if h := r.metric("bootstorm_boot_duration_seconds", "").Histogram; h.GetSampleCount() != 1 || h.GetSampleSum() != 40 {
		t.Errorf("boots: %v", h)
	}
	if v := r.metric("bootstorm_events_total", story.ToldStuck).Counter.GetValue(); v != 1 {
		t.Errorf("stuck: %v", v)
	}
}

func TestMetricsOfTheBook(t *testing.T) {
	r := newRig(t, func(o *view.Options) { o.Hooks = func() view.HookCounts { return view.HookCounts{Sent: 5, Lost: 2} } })
	s := get[story.Summary](r, "/api/summary")
	for _, c := range []struct {
		name, label string
		want        float64
	}{{"bootstorm_nodes", "stuck", float64(s.States[story.StateStuck])}, {"bootstorm_boot_phase_nodes", "done", float64(s.Phases[story.PhaseDone])},
		{"bootstorm_pool_addresses", s.Pools[0].Range, 1000}, {"bootstorm_pool_used_addresses", s.Pools[0].Range, float64(s.Pools[0].Used)},
		{"bootstorm_build_info", "1.4.0", 1}, {"bootstorm_up", "", 1}, {"bootstorm_health", "degraded", 1}, {"bootstorm_health", "ok", 0},
		{"bootstorm_dropped_frames_total", "ip_checksum", 0}, {"bootstorm_received_frames_total", "", float64(s.Counters["frames"])}, {"bootstorm_journal_sync_seconds_total", "", float64(s.Counters["journal_sync_ns"]) / 1e9},
		{"bootstorm_dhcp_sent_messages_total", "offer", float64(s.Counters["offer"])}, {"bootstorm_hook_calls_total", "lost", 2}, {"bootstorm_rogues", "address-conflict", 1}} {
		m := r.metric(c.name, c.label)
		if v := m.Gauge.GetValue() + m.Counter.GetValue(); math.Abs(v-c.want) > 1e-6 {
			t.Errorf("%s{%s} = %v, not %v", c.name, c.label, v, c.want)
		}
	}
	r.fed = noon.Add(-time.Minute)
	if v := r.metric("bootstorm_up", "").Gauge.GetValue(); v != 0 {
		t.Errorf("up though nothing is heard: %v", v)
	}
}

// Names that nodes make up must not make series without end.
func TestFileLabelsAreBounded(t *testing.T) {
	r := newRig(t)
	for i := range 3 * view.MaxFiles {
		r.handler.Observe(noon, event(batch.EventTransferDone, 1, fmt.Sprintf("file-%d", i)))
	}
	if n := len(r.scrape()["bootstorm_file_sent_bytes_total"].Metric); n != view.MaxFiles+1 {
		t.Errorf("%d series", n)
	}
	r.handler.Observe(noon, event(batch.EventTransferDone, 1, "\xff\xfe"))
	r.scrape()
}

func TestNamesFollowTheConventions(t *testing.T) {
	r := newRig(t)
	w := r.ask("GET", "/metrics", "")
	problems, err := promlint.New(w.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestCountersHaveMetricNames(t *testing.T) {
	for counter, want := range map[string]string{
		"drop_ip_checksum": "bootstorm_dropped_frames_total reason ip_checksum 1", "discover": "bootstorm_dhcp_received_messages_total type discover 1",
		"nak": "bootstorm_dhcp_sent_messages_total type nak 1", "frames": "bootstorm_received_frames_total   1", "journal_sync_ns": "bootstorm_journal_sync_seconds_total   1e-09",
		"sent_bytes": "bootstorm_sent_bytes_total   1", "transfers_now": "bootstorm_transfers   1", "records": "bootstorm_records_total   1",
		"held": "bootstorm_held   1", "tftp": "bootstorm_tftp_frames_total   1", "pool_used:10.0.0.1-10.0.0.9": "   0", "Odd name-1": "bootstorm_odd_name_1_total   1",
	} {
		name, label, value, factor := view.CounterMetric(counter)
		if got := fmt.Sprintf("%s %s %s %v", name, label, value, factor); got != want {
			t.Errorf("%s: %q, not %q", counter, got, strings.TrimSpace(want))
		}
	}
}
