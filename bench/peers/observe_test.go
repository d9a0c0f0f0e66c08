//go:build linux

package peers

import (
	"os"
	"testing"
	"time"
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
