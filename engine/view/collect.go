package view

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bootstorm/engine/story"
)

// bookCollector reads the summary when Prometheus asks.
type bookCollector struct {
	h     *Handler
	hooks func() HookCounts
}

// Describe implements prometheus.Collector. The engine's counters are known only
// when they come, so nothing is promised.
func (c *bookCollector) Describe(chan<- *prometheus.Desc) {}

// collection is one scrape.
type collection struct {
	out   chan<- prometheus.Metric
	descs map[string]*prometheus.Desc
}

// put adds a value; labels are name, value, name, value, …
func (c *collection) put(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	d := c.descs[name]
	if d == nil {
		d = prometheus.NewDesc(name, help, names, nil)
		c.descs[name] = d
	}
	if m, err := prometheus.NewConstMetric(d, kind, v, values...); err == nil {
		c.out <- m
	}
}

func (c *collection) gauge(name, help string, v float64, labels ...string) {
	c.put(prometheus.GaugeValue, name, help, v, labels...)
}

func (c *collection) counter(name, help string, v float64, labels ...string) {
	c.put(prometheus.CounterValue, name, help, v, labels...)
}

// Collect implements prometheus.Collector.
func (c *bookCollector) Collect(out chan<- prometheus.Metric) {
	now := c.h.now()
	s := c.h.book.Summary(now)
	o := &collection{out, map[string]*prometheus.Desc{}}
	c.whole(o, &s, now)
	c.nodes(o, &s)
	for _, p := range s.Pools {
		o.gauge("bootstorm_pool_addresses", "Addresses in a pool.", float64(p.Size), "range", p.Range)
		o.gauge("bootstorm_pool_used_addresses", "Addresses of a pool that are leased, offered or out of service.", float64(p.Used), "range", p.Range)
	}
	for name, v := range s.Counters {
		m := counterMetric(name)
		if m.name == "" {
			continue
		}
		kind := prometheus.CounterValue
		if m.gauge {
			kind = prometheus.GaugeValue
		}
		if m.label != "" {
			o.put(kind, m.name, helpOf(name, &m), float64(v)*m.factor, m.label, m.value)
		} else {
			o.put(kind, m.name, helpOf(name, &m), float64(v)*m.factor)
		}
	}
}

// whole puts what concerns the whole.
func (c *bookCollector) whole(o *collection, s *story.Summary, now time.Time) {
	o.gauge("bootstorm_build_info", "Always 1; the label is the version.", 1, "version", s.Version)
	o.gauge("bootstorm_start_time_seconds", "When the daemon started, in seconds since 1970.", seconds(s.Started))
	o.gauge("bootstorm_feed_last_time_seconds", "When the engine last reported, in seconds since 1970.", seconds(c.h.fed()))
	o.gauge("bootstorm_up", "1 while the engine reports, 0 when it has been silent for 10 s.", one(c.h.stale() == ""))
	for _, v := range []story.Health{story.HealthOK, story.HealthDegraded, story.HealthFailing} {
		o.gauge("bootstorm_health", "1 for the present state of the whole, 0 for the others.", one(s.Health == v), "state", string(v))
	}
	o.counter("bootstorm_feed_lost_events_total", "Events lost between engine and view: timelines and distributions have gaps.", float64(s.Lost))
	o.counter("bootstorm_view_dropped_listeners_total", "Readers of event streams that were too slow.", float64(c.h.hub.dropped.Load()))
	if c.hooks == nil {
		return
	}
	n := c.hooks()
	for _, r := range []struct {
		result string
		n      int64
	}{{"sent", n.Sent}, {"failed", n.Failed}, {"lost", n.Lost}} {
		o.counter("bootstorm_hook_calls_total", "Calls of hooks by result; lost ones were never tried, because too many waited.", float64(r.n), "result", r.result)
	}
	o.counter("bootstorm_hook_retries_total", "Calls of hooks that were tried again.", float64(n.Retried))
}

// nodes puts what concerns nodes and strangers.
func (c *bookCollector) nodes(o *collection, s *story.Summary) {
	for _, v := range states[1:] {
		o.gauge("bootstorm_nodes", "Nodes by state.", float64(s.States[v]), "state", string(v))
	}
	for _, p := range story.Phases {
		o.gauge("bootstorm_boot_phase_nodes", "Nodes that are booting, stuck or done, by phase.", float64(s.Phases[p]), "phase", string(p))
	}
	rogues := map[string]int{"dhcp-server": 0, "address-conflict": 0}
	for _, r := range s.Rogues {
		rogues[r.Kind]++
	}
	for kind, n := range rogues {
		o.gauge("bootstorm_rogues", "Other DHCP servers and users of leased addresses that were seen.", float64(n), "kind", kind)
	}
}

// seconds is a time as Prometheus counts it; the zero time is 0.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1e3
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
