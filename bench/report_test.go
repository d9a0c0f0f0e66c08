package bench

import (
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
)

func TestQuantile(t *testing.T) {
	v := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, c := range []struct {
		q    float64
		want int64
	}{{0, 1}, {0.1, 1}, {0.5, 5}, {0.51, 6}, {0.99, 10}, {1, 10}} {
		if got := quantile(v, c.q); got != c.want {
			t.Errorf("quantile %v is %d, want %d", c.q, got, c.want)
		}
	}
	if quantile(nil, 0.5) != 0 || quantile([]int64{7}, 0.01) != 7 {
		t.Error("wrong for none or one")
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0.00 µs", 421400: "421 µs", 2410 * time.Microsecond: "2.41 ms", 59900 * time.Millisecond: "59.9 s",
		119 * time.Second: "119 s", 3*time.Minute + 1400*time.Millisecond: "3m1s"} {
		if got := Duration(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 23_400_000: "23.4 MB", 1_166_792_000: "1.17 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if Seconds(1.5) != 1500*batch.Millisecond {
		t.Errorf("1.5 s is %d", Seconds(1.5))
	}
}

func TestTableSaysWhatWentWrong(t *testing.T) {
	r := &Result{Nodes: 1000, Boots: 1000, Done: 997, Failed: 3, NAKs: 2, Damaged: 1, LinkLost: 5, CPU: time.Second, LastNode: 2 * time.Second,
		Phases:   []Phase{{Name: "firmware DHCP", Done: 1000, P50: 3 * time.Millisecond}},
		Failures: []Failure{{Reason: "no OFFER after 4 DISCOVERs", Count: 3, MAC: "52:54:00:00:00:07", Boot: 2, At: time.Minute}}}
	r.Repeated.ARP = 4
	r.Heap = &Heap{Allocations: 1234, Collections: 2}
	var b strings.Builder
	r.WriteTable(&b, "the title")
	for _, want := range []string{"the title", "firmware DHCP", "3.00 ms", "997 done, 3 failed, of 1,000", "no OFFER after 4 DISCOVERs",
		"52:54:00:00:00:07, boot 2, after 60.0 s", "NAKs", "1 damaged", "50 % of one core", "lost by the link", "ARP sent again", "1,234 objects allocated, 2 garbage"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if r.OK() || (&Result{}).OK() || !(&Result{Boots: 2, Done: 2}).OK() {
		t.Error("OK is wrong")
	}
}

func TestProgressInALog(t *testing.T) {
	var b strings.Builder
	r := NewReporter(&b, "storm")
	for i := range 13 {
		r.Show(Progress{Elapsed: time.Duration(i) * time.Second, Total: 4, Done: i / 4, Failed: i / 12, Running: 2, Verified: 5e6,
			Phases: []PhaseCount{{"iPXE DHCP", 2}}})
	}
	r.End()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[3], "4/4 boots, 1 FAILED") || !strings.Contains(lines[0], "2 in iPXE DHCP") ||
		strings.Contains(b.String(), "\r") {
		t.Errorf("%d lines:\n%s", len(lines), b.String())
	}
}

func TestProgressOnATerminal(t *testing.T) {
	var b strings.Builder
	r := &Reporter{w: &b, title: "storm", width: 40}
	r.Show(Progress{Total: 10, Done: 5, Phases: []PhaseCount{{"a phase with a rather long name", 5}}})
	r.End()
	line := strings.TrimSuffix(strings.TrimPrefix(b.String(), "\r"), "\x1b[K\n")
	if len([]rune(line)) > 39 || strings.Count(line, "█") != barCells/2 {
		t.Errorf("%q", line)
	}
	if r.Interval() >= time.Second || NewReporter(&b, "").Interval() != time.Second {
		t.Error("a terminal is not shown more often than a log")
	}
}

func TestProgress(t *testing.T) {
	files := testContents()
	k, link := newCore(t, guideConf(widePool, "boot-hints off;"), widePool.bits, files) // iPXE takes its time
	s, err := NewStorm(Config{Nodes: 20, Ramp: 2 * batch.Second, Waits: true, Loader: batch.Second}, files)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var last Progress
	r, err := Simulate(s, k, Simulation{Link: link}, 100*time.Millisecond, func(p Progress) {
		total := 0
		for i, c := range p.Phases {
			seen[c.Name] = true
			total += c.Nodes
			if i > 0 && c.Nodes > p.Phases[i-1].Nodes {
				t.Errorf("phases are not sorted: %+v", p.Phases)
			}
		}
		if total != p.Running || p.Done+p.Failed+p.Running > p.Total || p.Elapsed < last.Elapsed || p.Verified < last.Verified {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, r)
	for _, name := range []string{"firmware DHCP", "start of iPXE", "iPXE DHCP"} {
		if !seen[name] {
			t.Errorf("nobody was ever seen in %q; seen: %v", name, seen)
		}
	}
	if last.Done != 20 || last.Running != 0 || last.Total != 20 || last.Verified != r.Verified {
		t.Errorf("the last look: %+v", last)
	}
}

func TestPhaseName(t *testing.T) {
	s, err := NewStorm(Config{Nodes: 1}, testContents())
	if err != nil {
		t.Fatal(err)
	}
	n := &s.nodes[0]
	for _, c := range []struct {
		on   bool
		at   int
		want string
	}{{false, 0, "off"}, {true, 0, "firmware DHCP"}, {true, 1, "a file"}, {true, len(s.nodes[0].steps), "off"}} {
		if n.on, n.at, n.file.name = c.on, c.at, "a file"; n.phaseName() != c.want {
			t.Errorf("%+v: %q", c, n.phaseName())
		}
	}
}
