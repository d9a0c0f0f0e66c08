//go:build linux

package ceiling

import (
	"bytes"
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
