//go:build linux

package peers

import (
	"os"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
)

// This process itself: it spends time, and it holds memory.
func TestObserve(t *testing.T) {
	o, err := Observe(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for start := o.meter.read(); o.meter.read() < start+30*time.Millisecond; {
		for i := range 100000 {
			sum += i
		}
	}
	if cpu, memory := o.End(); cpu < 20*time.Millisecond || memory < 1<<20 || sum == 0 {
		t.Errorf("%s of processor time, %d bytes", cpu, memory)
	}
	if _, err := Observe(1 << 30); err == nil {
		t.Error("a process that does not exist is observed")
	}
}

func TestHeapOf(t *testing.T) {
	const text = "# HELP bootstorm_memory_allocations_total x\nbootstorm_memory_allocations_total 1.234e+06\nother 7\nbootstorm_memory_collections_total 3\n"
	if h, err := heapOf(strings.NewReader(text)); err != nil || h != (bench.Heap{Allocations: 1234000, Collections: 3}) {
		t.Errorf("%+v, %v", h, err)
	}
	for _, bad := range []string{"", "bootstorm_memory_allocations_total 5\n", "bootstorm_memory_collections_total x\n"} {
		if _, err := heapOf(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := ReadHeap(t.TempDir()); err == nil {
		t.Error("a directory without a daemon was accepted")
	}
}
