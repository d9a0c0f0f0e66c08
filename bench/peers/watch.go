//go:build linux

package peers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"bootstorm/bench"
)

// How often the nodes that are done are counted, and the server's memory. To
// read the memory of a thousand processes takes 50 ms of the load's core.
const (
	sampleInterval = 10 * time.Millisecond
	memoryInterval = 500 * time.Millisecond
)

// watch notes what happens during a storm.
type watch struct {
	server  *running
	report  *bench.Reporter
	series  []Point
	memory  uint64
	weighed time.Duration
	shown   time.Duration
}

func newWatch(s *running, r *bench.Reporter) *watch {
	return &watch{server: s, report: r, memory: memory(s.pids())}
}

// show is called every sampleInterval by the storm.
func (w *watch) show(p bench.Progress) {
	if n := len(w.series); n == 0 || w.series[n-1].Done != p.Done {
		w.series = append(w.series, Point{p.Elapsed, p.Done})
	}
	if p.Elapsed-w.weighed >= memoryInterval {
		w.weighed = p.Elapsed
		w.memory = max(w.memory, memory(w.server.pids()))
	}
	if p.Elapsed-w.shown >= w.report.Interval() {
		w.shown = p.Elapsed
		w.report.Show(p)
	}
}

// end returns the most memory that was seen. For a server that is one process
// the kernel knows it better (VmHWM of /proc/PID/status, proc(5)).
func (w *watch) end() uint64 {
	w.report.End()
	pids := w.server.pids()
	peak := max(w.memory, memory(pids))
	if len(pids) == 1 {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pids[0]))
		peak = max(peak, highWater(string(text)))
	}
	return peak
}

// highWater is VmHWM in bytes; the file says kB.
func highWater(status string) uint64 {
	_, rest, _ := strings.Cut(status, "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, _ := strconv.ParseUint(fields[0], 10, 64)
	return kilobytes << 10
}
