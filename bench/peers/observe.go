//go:build linux

package peers

import (
	"fmt"
	"os"
	"time"
)

// Observation watches what a process that runs already, with its children,
// spends: processor time and memory.
type Observation struct {
	meter  *meter
	before time.Duration
	most   uint64
	stop   chan struct{}
	done   chan struct{}
}

// observeEvery is how often the memory is looked at.
const observeEvery = 50 * time.Millisecond

// Observe begins to watch.
func Observe(pid int) (*Observation, error) {
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/stat", pid)); err != nil {
		return nil, fmt.Errorf("no process %d: %w", pid, err)
	}
	// Not perf's clock: it would count the threads that are yet to come only.
	o := &Observation{meter: &meter{pid: pid, clock: -1}, stop: make(chan struct{}), done: make(chan struct{})}
	o.before = o.meter.read()
	go o.watch()
	return o, nil
}

func (o *Observation) watch() {
	defer close(o.done)
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		o.most = max(o.most, memory(tree(o.meter.pid)))
		select {
		case <-tick.C:
		case <-o.stop:
			return
		}
	}
}

// End stops watching and returns the time spent since Observe and the most
// memory seen, in bytes.
func (o *Observation) End() (cpu time.Duration, memory uint64) {
	close(o.stop)
	<-o.done
	return max(o.meter.read()-o.before, 0), o.most
}
