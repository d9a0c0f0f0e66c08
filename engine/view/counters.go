package view

import (
	"regexp"
	"strings"
)

// metricName is how a counter of the engine is called for Prometheus.
type metricName struct {
	name   string  // of the metric
	label  string  // the name of its label, "" if it has none
	value  string  // of the label
	factor float64 // to base units
	gauge  bool    // may fall
}

// received and sent are the messages of DHCP among the core's counters.
var received = map[string]bool{"discover": true, "request": true, "decline": true, "release": true, "inform": true, "bootp": true, "pxe": true}
var sent = map[string]bool{"offer": true, "ack": true, "nak": true, "bootp_reply": true}

// gauges are counters that may fall, although their name does not say so.
var gauges = map[string]bool{"links_down": true, "journal_failing": true, "held": true}

// unfit is what a metric's name may not hold.
var unfit = regexp.MustCompile(`[^a-z0-9_]+`)

// counterMetric tells how a counter of the engine is called for Prometheus; the
// name is empty if it is none:
//
//	drop_X            bootstorm_dropped_frames_total{reason="X"}
//	discover, …       bootstorm_dhcp_received_messages_total{type="discover"}
//	offer, ack, …     bootstorm_dhcp_sent_messages_total{type="offer"}
//	frames            bootstorm_received_frames_total
//	X_ns              bootstorm_X_seconds_total, in seconds
//	X_bytes           bootstorm_X_bytes_total
//	X_now, links_down, journal_failing, held
//	                  bootstorm_X, a gauge
//	arp, tftp         bootstorm_arp_frames_total, bootstorm_tftp_frames_total
//	pool_used:RANGE   none: the pools have metrics of their own, and so has events_lost
//	any other X       bootstorm_X_total
func counterMetric(counter string) metricName {
	if strings.HasPrefix(counter, "pool_used:") || counter == "events_lost" {
		return metricName{}
	}
	x := unfit.ReplaceAllString(strings.ToLower(counter), "_")
	plain := func(n string) metricName { return metricName{name: "bootstorm_" + n, factor: 1} }
	if reason, ok := strings.CutPrefix(x, "drop_"); ok {
		return metricName{"bootstorm_dropped_frames_total", "reason", reason, 1, false}
	}
	if ns, ok := strings.CutSuffix(x, "_ns"); ok {
		return metricName{name: "bootstorm_" + ns + "_seconds_total", factor: 1e-9}
	}
	if now, ok := strings.CutSuffix(x, "_now"); ok {
		return metricName{name: "bootstorm_" + now, factor: 1, gauge: true}
	}
	switch {
	case received[x]:
		return metricName{"bootstorm_dhcp_received_messages_total", "type", x, 1, false}
	case sent[x]:
		return metricName{"bootstorm_dhcp_sent_messages_total", "type", x, 1, false}
	case gauges[x]:
		return metricName{name: "bootstorm_" + x, factor: 1, gauge: true}
	case x == "arp", x == "tftp":
		return plain(x + "_frames_total")
	case x == "frames":
		return plain("received_frames_total")
	case strings.HasSuffix(x, "_total"):
		return plain(x)
	}
	return plain(x + "_total")
}
