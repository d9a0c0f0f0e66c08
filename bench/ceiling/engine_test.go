//go:build linux

package ceiling

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// The daemon answers a lockstep client and a crowd, and both are measured
// beside the calls alone. What the figures are is not for a test.
func TestEngine(t *testing.T) {
	daemon, err := lab.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := Engine(t.Context(), EngineOptions{Options: Options{Rounds: 1, Each: 100 * time.Millisecond}, Daemon: daemon, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if r.Engine.Count == 0 || r.Bare.Count == 0 || r.Turn() <= 0 || len(r.Rates) != len(engineWindows) {
		t.Errorf("%+v", r)
	}
	for _, rate := range r.Rates {
		if rate.PerCPU <= 0 || rate.Alone <= 0 || rate.Frames <= 0 {
			t.Errorf("%+v", rate)
		}
	}
}

// The table says whether the aims are reached.
func TestEngineTable(t *testing.T) {
	r := &EngineResult{Rounds: 3, Bare: Echo{Count: 10, P50: 10 * time.Microsecond}, Engine: Echo{Count: 9, P50: 12 * time.Microsecond},
		Rates: []EngineRate{{Window: 1, PerCPU: 700, Alone: 1000}, {Window: 4, PerCPU: 900, Alone: 1000}}}
	var b bytes.Buffer
	r.WriteTable(&b)
	for _, want := range []string{"reached: the engine's median is 1.20 times", "MISSED: the least share is 70 %", "90 %"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &b)
		}
	}
	r.Rates, r.Engine.P50 = r.Rates[1:], 14*time.Microsecond
	b.Reset()
	r.WriteTable(&b)
	for _, want := range []string{"MISSED: the engine's median is 1.40 times", "reached: the least share is 90 %"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &b)
		}
	}
}

// Figures that cannot be are said to be so, and reach no aim.
func TestDisturbed(t *testing.T) {
	good := EngineResult{Bare: Echo{P50: 20}, Engine: Echo{P50: 21}, Rates: []EngineRate{{PerCPU: 700, Alone: 1000}}}
	slow, idle := good, good
	slow.Bare.P50 = 2000
	idle.Rates = []EngineRate{{PerCPU: 1600, Alone: 1000}}
	for _, c := range []struct {
		name string
		r    EngineResult
		want bool
	}{{"as it is", good, false}, {"an echo that stalls", slow, true}, {"calls that starve", idle, true}} {
		var b bytes.Buffer
		c.r.WriteTable(&b)
		if c.r.Disturbed() != c.want || strings.Contains(b.String(), "DISTURBED") != c.want || strings.Contains(b.String(), "reached") == c.want {
			t.Errorf("%s: disturbed: %v\n%s", c.name, c.r.Disturbed(), &b)
		}
	}
}

// Both ends can run at a time, also in a program that was started on one core, which
// has what it had when the measurement is over.
func TestEachEndHasAThread(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r, err := newRig(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	during := runtime.GOMAXPROCS(0)
	r.close()
	if after := runtime.GOMAXPROCS(0); during < ownThreads || after != 1 {
		t.Errorf("GOMAXPROCS is %d during the measurement and %d after it", during, after)
	}
}
