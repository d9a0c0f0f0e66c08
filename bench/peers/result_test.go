package peers

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/ceiling"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a comparison in which everything occurs: a server that boots all, one
// that does not, one that boots none, one that cannot be started.
func sample() *Result {
	run := func(server, title string, tuned bool, done int, wall, cpu time.Duration) Run {
		r := Run{Server: server, Title: title, Tuned: tuned, Ours: server == "bootstorm", Round: 1, Done: done, Failed: 300 - done,
			Wall: wall, P50: wall / 2, P99: wall - wall/50, CPU: cpu, CPUBy: "perf task-clock", Memory: 16.3e6, Load: 0.2}
		if done > 0 {
			r.Series = []Point{{0, 0}, {wall / 2, done / 2}, {wall, done}}
		}
		return r
	}
	r := &Result{Format: format, Nodes: 300, Sequence: "guide", Limit: 100 * time.Second, Rounds: 1,
		Machine: Machine{Processor: "AMD EPYC", Cores: 2, Memory: 25e9, Kernel: "6.18.44", Day: "2026-01-31",
			Versions: map[string]string{"dnsmasq": "2.90", "kea-dhcp4": "2.2.0", "atftpd": "0.8.0"}},
		Runs: []Run{
			run("bootstorm", "bootstorm", false, 300, 966*time.Millisecond, 830*time.Millisecond),
			run("dnsmasq", "dnsmasq", false, 120, 100*time.Second, 1400*time.Millisecond),
			run("dnsmasq-tuned", "dnsmasq, tuned", true, 298, 16400*time.Millisecond, 3800*time.Millisecond),
			run("dhcpd", "dhcpd + tftpd-hpa", false, 0, 100*time.Second, 0),
			{Server: "dhcpd-tuned", Title: "dhcpd + tftpd-hpa, tuned", Tuned: true, Failed: 300, Error: "it ended at once: bad\nconfiguration\n"},
			run("kea-tuned", "Kea + atftpd, tuned", true, 300, 32600*time.Millisecond, 17*time.Second),
		}}
	r.Ceiling = []ceiling.EngineResult{{Rounds: 3, Bare: ceiling.Echo{P50: 10000}, Engine: ceiling.Echo{P50: 12000},
		Rates: []ceiling.EngineRate{{Window: 4, PerCPU: 400_000, Alone: 480_000}}}}
	r.Runs[0].Load = 0.95
	r.Runs[1].Repeated.Discover, r.Runs[1].Repeated.Request = 1000, 17
	r.Runs[1].Failures = []bench.Failure{{Reason: "ipxe.efi: the server fell silent", Count: 176}, {Reason: "a", Count: 1}, {Reason: "b", Count: 1},
		{Reason: "c", Count: 1}, {Reason: "d", Count: 1}}
	for _, s := range []struct{ server, title string }{{"bootstorm", "bootstorm"}, {"kea-tuned", "Kea + atftpd, tuned"}} {
		r.Perf = append(r.Perf,
			Perf{Server: s.server, Title: s.title, Load: "2000/s", Offered: 2000, Clients: 10000, Rate: 1990.5,
				Discover: Exchange{Sent: 10000, Received: 9993, Drops: 7, Average: 408 * time.Microsecond}, Request: Exchange{Received: 9990, Average: 2 * time.Millisecond}},
			Perf{Server: s.server, Title: s.title, Load: "avalanche", Clients: 10000, Rate: 959, Took: 6190 * time.Millisecond, Resent: 8236})
	}
	part := func(p *Part, server, title string, tuned bool, cpu time.Duration) Run {
		return Run{Part: p.Name, Nodes: p.Nodes, Window: p.Window, Server: server, Title: title, Tuned: tuned, Ours: !tuned, Done: p.Nodes,
			Wall: 2 * time.Second, CPU: cpu, Moved: 400_000, Verified: 600e6, Asked: 40 * time.Millisecond, Offered: 60 * time.Millisecond, After: 90e6}
	}
	for _, p := range Parts(nil, 1000) {
		r.Parts = append(r.Parts, part(&p, "bootstorm", "bootstorm", false, 200*time.Millisecond))
		if p.Window > 0 {
			r.Parts = append(r.Parts, part(&p, "kea-tuned", "Kea + atftpd, tuned", true, 3*time.Second))
		}
	}
	return r
}

// A document shows what was put between its marks, and keeps the rest.
func TestBlock(t *testing.T) {
	text := []byte("before\n" + blockBegin + "old\n" + blockEnd + "after\n")
	if got, ok := Block(text); !ok || string(got) != "old\n" {
		t.Errorf("%q, %v", got, ok)
	}
	got, err := PutBlock(text, []byte("| new |\n"))
	if want := "before\n" + blockBegin + "| new |\n" + blockEnd + "after\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"", "before\n" + blockBegin + "no end", "no begin" + blockEnd} {
		if _, err := PutBlock([]byte(text), nil); err == nil {
			t.Errorf("%q was accepted", text)
		}
		if _, ok := Block([]byte(text)); ok {
			t.Errorf("%q has a block", text)
		}
	}
}

// golden compares with a file in testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; go test -update writes it anew. Got:\n%s", path, got)
	}
}

func TestTableGolden(t *testing.T) {
	var b bytes.Buffer
	sample().WriteTable(&b)
	golden(t, "table.txt", b.Bytes())
}

func TestMarkdownGolden(t *testing.T) {
	text := sample().Markdown()
	golden(t, "table.md", text)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") < 3 {
			t.Errorf("not a row: %s", line)
		}
	}
}

func TestPictureGolden(t *testing.T) {
	picture := sample().Picture()
	golden(t, "picture.svg", picture)
	if n := wellFormed(t, picture); n < 20 {
		t.Errorf("%d elements", n)
	}
}

// wellFormed counts the elements of an XML document.
func wellFormed(t *testing.T, text []byte) (elements int) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
}

// A picture of nothing, and of one that is done at once, is drawn all the same.
func TestPictureOfLittle(t *testing.T) {
	for name, runs := range map[string][]Run{
		"no run":  nil,
		"nobody":  {{Server: "dnsmasq", Title: "a < b & c", Failed: 5}},
		"at once": {{Server: "bootstorm", Title: "bootstorm", Ours: true, Done: 5, Wall: time.Microsecond, Series: []Point{{time.Microsecond, 5}}}},
	} {
		t.Run(name, func(t *testing.T) {
			picture := (&Result{Nodes: 5, Runs: runs}).Picture()
			wellFormed(t, picture)
			if bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
				t.Errorf("not a number in\n%s", picture)
			}
		})
	}
}

func TestThinKeepsTheEnd(t *testing.T) {
	series := make([]Point, 1001)
	for i := range series {
		series[i].Done = i
	}
	kept := thin(series)
	if len(kept) > 302 || kept[0].Done != 0 || kept[len(kept)-1].Done != 1000 {
		t.Errorf("%d points kept, the last is %+v", len(kept), kept[len(kept)-1])
	}
	if len(thin(nil)) != 0 {
		t.Error("points out of nothing")
	}
}

func TestMedians(t *testing.T) {
	r := Result{}
	for _, v := range []struct {
		server string
		done   int
		wall   time.Duration
	}{{"a", 10, 3}, {"b", 9, 1}, {"a", 10, 1}, {"b", 10, 9}, {"a", 10, 2}, {"b", 9, 2}} {
		r.Runs = append(r.Runs, Run{Server: v.server, Done: v.done, Wall: v.wall})
	}
	m := r.Medians()
	if len(m) != 2 || m[0].Server != "a" || m[0].Wall != 2 || m[1].Done != 9 || m[1].Wall != 1 {
		t.Errorf("%+v", m)
	}
}

func TestStandings(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		wall, cpu := sample().Standings()
		// 298 of 300 count as done; untuned dnsmasq is the only one with any.
		if len(wall) != 2 || wall[0].Against != "dnsmasq, tuned" || wall[1].Against != "dnsmasq" || !wall[0].OK() || !wall[1].OK() {
			t.Errorf("wall time %+v", wall)
		}
		if len(cpu) != 2 || cpu[0].OK() == (cpu[0].Ratio > 0.25) || cpu[1].Ratio < 0.216 || cpu[1].Ratio > 0.218 {
			t.Errorf("processor time %+v", cpu)
		}
	})
	t.Run("incomplete", func(t *testing.T) {
		r := sample()
		r.Runs[0].Done, r.Runs[0].Failed = 299, 1
		if wall, cpu := r.Standings(); wall != nil || cpu != nil {
			t.Error("there are no standings when not all nodes booted")
		}
	})
	t.Run("alone", func(t *testing.T) {
		r := sample()
		r.Runs = r.Runs[:1]
		if wall, cpu := r.Standings(); len(wall)+len(cpu) != 0 {
			t.Errorf("against nobody: %+v %+v", wall, cpu)
		}
	})
}

func TestBestPeer(t *testing.T) {
	run := func(title string, done int, wall time.Duration) *Run {
		return &Run{Title: title, Done: done, Failed: 100 - done, Wall: wall}
	}
	for _, c := range []struct {
		name string
		runs []*Run
		want string
	}{
		{"faster of two that did it", []*Run{run("slow", 100, 9), run("fast", 96, 5)}, "fast"},
		{"one that did it before one that was fast", []*Run{run("half", 50, 1), run("all", 100, 9)}, "all"},
		{"the other order", []*Run{run("all", 100, 9), run("half", 50, 1)}, "all"},
		{"none did it", []*Run{run("few", 10, 1), run("half", 50, 9), run("nobody", 0, 1)}, "half"},
		{"nobody", []*Run{run("nobody", 0, 1)}, ""},
	} {
		got := ""
		if best := bestPeer(c.runs, false); best != nil {
			got = best.Title
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFraction(t *testing.T) {
	for v, want := range map[float64]string{0.25: "1/4.0", 0.9: "1/1.1", 1: "1.00 times", 3.333: "3.33 times", 0: "0.00 times"} {
		if got := fraction(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
