package ceiling

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 1}, {[]float64{5, 1, 9}, 5}, {[]float64{4, 1, 3, 2}, 2}} {
		if got := median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	sorted := make([]time.Duration, 100)
	for i := range sorted {
		sorted[i] = time.Duration(i)
	}
	for q, want := range map[float64]time.Duration{0: 0, 0.5: 50, 0.99: 99, 1: 99} {
		if got := quantile(sorted, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

func TestSummarize(t *testing.T) {
	var r Rate
	r.summarize([]sample{
		{frames: 1000, calls: 10, wall: time.Second, cpu: time.Second / 2},
		{frames: 3000, calls: 10, wall: time.Second, cpu: time.Second, lost: 5},
		{frames: 2000, calls: 20, wall: time.Second, cpu: time.Second / 4, lost: 2},
	})
	if r.Frames != 2000 || r.PerCPU != 3000 || r.Calls != 100 || r.Spread != 1 || r.Lost != 7 {
		t.Errorf("%+v", r)
	}
	r = Rate{}
	r.summarize([]sample{{}})
	if r.Frames != 0 || math.IsNaN(r.Calls) || math.IsInf(r.PerCPU, 0) || r.Spread != 0 {
		t.Errorf("of a measurement that saw nothing: %+v", r)
	}
}

func TestSummarizeEcho(t *testing.T) {
	e := summarizeEcho(true, []time.Duration{30, 10, 20})
	if !e.Spin || e.Count != 3 || e.P50 != 20 || e.P99 != 30 || math.Round(e.Rate) != 5e7 {
		t.Errorf("%+v", e)
	}
	if e := summarizeEcho(false, nil); e.Count != 0 || e.Rate != 0 {
		t.Errorf("of nothing: %+v", e)
	}
}

func TestTableGolden(t *testing.T) {
	r := Result{Rounds: 5, Rates: []Rate{
		{What: "receive, queued", Rung: "mmsg", Bytes: 342, Frames: 1234567.8, PerCPU: 1300000, Calls: 62.1, Spread: 0.071},
		{What: "send, runs", Rung: "gso", Segments: 44, Bytes: 1514, Frames: 2e6, PerCPU: 2.1e6, Calls: 2816, Spread: 0.2, Lost: 1200},
		{What: "send, runs", Rung: "csum", Segments: 44, Bytes: 1514, Missing: "PACKET_VNET_HDR: not supported"},
	}, Echoes: []Echo{{Count: 5410, P50: 48300, P99: 122 * time.Microsecond, Rate: 20230}, {Spin: true, Count: 3, P50: 12900, P99: 30400, Rate: 60000}}}
	var b bytes.Buffer
	r.WriteTable(&b)
	path := filepath.Join("testdata", "table.txt")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs; go test -update writes it anew. Got:\n%s", path, &b)
	}
}
