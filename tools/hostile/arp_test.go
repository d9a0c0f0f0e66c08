package hostile

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
)

// silentConf has an address for each node.
const silentConf = `ping-check off;
subnet 10.0.0.0 netmask 255.0.0.0 {
    range 10.1.0.1 10.1.255.254;
    next-server 10.0.0.1;
    if exists user-class and option user-class = "iPXE" { filename "script"; } else { filename "loader"; }
}
`

// A kernel that answers no ARP request at all keeps no node from booting; and
// without the answers of the server it does, so that it is them that help. A full
// table of the kernel has the same effect, but it is one for the whole machine:
// see TestFullTable.
func TestNodesBootWhileTheKernelAnswersNoARP(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		booted     int
		limit      int64
	}{{"as installed", "", 40, int64(patience / 2)}, {"answer-arp off", "answer-arp off;\n", 0, int64(3 * time.Second)}} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.conf+silentConf)
			s.must(s.node0.Do(func() error { // 8: do not reply for all local addresses (ip-sysctl)
				return os.WriteFile("/proc/sys/net/ipv4/conf/eth1/arp_ignore", []byte("8"), 0)
			}))
			r := s.storm(bench.Config{Nodes: 40, Sequence: bench.Guide, Seed: 1, Limit: c.limit})
			if r.Done != c.booted {
				t.Errorf("%d nodes booted, want %d: %+v", r.Done, c.booted, r.Failures)
			}
		})
	}
}

// While the kernel answers, nobody else does.
func TestKernelIsLeftToAnswerARP(t *testing.T) {
	s := newSite(t, silentConf)
	r := s.storm(bench.Config{Nodes: 40, Sequence: bench.Guide, Seed: 1})
	if n := s.counter("arp_answers", 120); r.Done != 40 || n > int(r.Repeated.ARP) {
		t.Errorf("%d nodes booted, %d ARP requests repeated, %d answers", r.Done, r.Repeated.ARP, n)
	}
}

// TestFullTable storms Node 0 with more nodes than the kernel's ARP table holds,
// as it is installed: 1,024. NODES says how many; without it the test is left out,
// since the table is one for all namespaces of the machine, and other tests would
// find no neighbours meanwhile.
func TestFullTable(t *testing.T) {
	nodes, _ := strconv.Atoi(os.Getenv("NODES"))
	if nodes == 0 {
		t.Skip("NODES is not set: it fills the ARP table of the whole machine")
	}
	for _, c := range []struct{ name, conf string }{{"answer-arp off", "answer-arp off;\n"}, {"as installed", ""}} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.conf+silentConf)
			r := s.storm(bench.Config{Nodes: nodes, Sequence: bench.Guide, Seed: 1, Limit: int64(30 * time.Second)})
			t.Logf("%d booted, %d failed, the last after %v; %d ARP requests repeated, %d answered by the server", r.Done, r.Failed,
				r.LastNode.Round(time.Millisecond), r.Repeated.ARP, s.counter("arp_answers", 3*r.Done))
			for _, f := range r.Failures {
				t.Logf("%d: %s", f.Count, f.Reason)
			}
			if c.conf != "" && r.Done == nodes {
				t.Error("the kernel answered all of them, so nothing is shown: see net.ipv4.neigh.default.gc_thresh3")
			}
			if c.conf == "" && r.Done != nodes {
				t.Errorf("%d of %d nodes booted", r.Done, nodes)
			}
		})
	}
}

// counter reads one of the server's counters, once it counts that many files as
// sent: the view has them a second late.
func (s *site) counter(name string, files int) int {
	s.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		text := s.metrics()
		switch {
		case number(text, "tftp_done") >= files:
			return number(text, name)
		case time.Now().After(end):
			s.Fatalf("no counter says that %d files were sent:\n%s", files, text)
		}
	}
}

// number finds a counter in the text of the metrics, 0 if it is not there.
func number(text, name string) int {
	_, rest, _ := strings.Cut(text, "\nbootstorm_"+name+"_total ")
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseFloat(line, 64)
	return int(n)
}

// metrics asks the view.
func (s *site) metrics() string {
	s.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", "/run/bootstorm/eth1/view.sock")
	}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://bootstorm/metrics")
	s.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	s.must(err)
	return string(body)
}
