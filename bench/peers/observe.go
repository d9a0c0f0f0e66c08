//go:build linux

package peers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bootstorm/bench"
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

// heapPatience is how long the answer may take; heapEvery how old it may be, for the
// engine sends its counts once a second.
const (
	heapPatience = 2 * time.Second
	heapEvery    = 1100 * time.Millisecond
)

// ReadHeap asks a daemon, by the directory of its sockets (its flag --run-dir), what
// its engine has allocated since it was started. One that has just been started is
// waited for until it has told its counts for the first time.
func ReadHeap(runDir string) (h bench.Heap, err error) {
	for end := time.Now().Add(heapPatience); ; time.Sleep(heapEvery / 10) {
		if h, err = askHeap(runDir); !errors.Is(err, errNoHeap) || time.Now().After(end) {
			return h, err
		}
	}
}

// errNoHeap is an answer without the counts.
var errNoHeap = errors.New("it does not say what it allocates; a bootstorm of this version does")

// askHeap asks once.
func askHeap(runDir string) (h bench.Heap, err error) {
	path := filepath.Join(runDir, "view.sock")
	c := http.Client{Timeout: heapPatience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
	r, err := c.Get("http://bootstorm/metrics")
	if err != nil {
		return h, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return h, fmt.Errorf("%s: %s", path, r.Status)
	}
	return heapOf(r.Body)
}

// heapOf reads the two counters out of the text form of metrics.
func heapOf(text io.Reader) (h bench.Heap, err error) {
	found := 0
	for lines := bufio.NewScanner(text); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		to := map[string]*int{"bootstorm_memory_allocations_total": &h.Allocations, "bootstorm_memory_collections_total": &h.Collections}[name]
		if to == nil {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return h, fmt.Errorf("%s: %w", name, err)
		}
		*to = int(v)
		found++
	}
	if found < 2 {
		return h, errNoHeap
	}
	return h, nil
}

// HeapSince is what was allocated since a look at the heap. It waits until the engine
// has told of everything up to now.
func HeapSince(runDir string, before bench.Heap) (bench.Heap, error) {
	time.Sleep(heapEvery)
	h, err := ReadHeap(runDir)
	return bench.Heap{Allocations: h.Allocations - before.Allocations, Collections: h.Collections - before.Collections}, err
}
