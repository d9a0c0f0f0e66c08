package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/proto"
)

// What TestSoak's storms are made of.
const (
	soakNodes  = 120 // in each storm
	soakSwitch = 300 * time.Millisecond
	soakLimit  = 90 * time.Second // for a storm with a fault in it; nodes wait 4, 8, 16 s for what was lost
	soakReport = time.Minute
)

// soak is a long test: storms over and over, something going wrong in each.
type soak struct {
	*site
	crowd  *crowd
	random *rand.Rand
	mount  string

	began         time.Time
	storms, boots int
	offered       int // frames of floods
	happened      map[string]int
	samples       []sample
}

// act is what goes wrong in a storm, at a random moment, and what puts it right.
type act struct {
	name  string
	lasts time.Duration
	begin func(*soak)
	end   func(*soak) // nil: it is over at once
	hard  bool        // the daemon forgets offers and transfers: the storm ends there, and the nodes come back
}

// acts is everything that goes wrong.
var acts = []act{
	{name: "nothing", begin: func(*soak) {}},
	{name: "reload", lasts: soakLimit, begin: (*soak).reload, end: func(s *soak) { s.said(": reloaded, ") }}, // before: two cores
	{name: "files changed", begin: (*soak).changeFiles},
	{name: "flood", begin: (*soak).flood},
	{name: "kill", begin: (*soak).killAndStart, hard: true},
	{name: "disk full", lasts: 700 * time.Millisecond, begin: func(s *soak) { s.fill(s.mount) },
		end: func(s *soak) { s.must(os.Remove(filepath.Join(s.mount, "ballast"))) }},
	{name: "disk read-only", lasts: 700 * time.Millisecond, begin: func(s *soak) { diskFaults["read-only"].begin(s.site, s.mount) },
		end: func(s *soak) { diskFaults["read-only"].end(s.site, s.mount) }},
	{name: "lease file deleted", begin: func(s *soak) { s.must(os.Remove(s.leases)) }},
	{name: "interface down", lasts: 1200 * time.Millisecond, begin: func(s *soak) { s.must(s.node0.IP("link set eth1 down")) },
		end: func(s *soak) { s.must(s.node0.IP("link set eth1 up")) }},
	{name: "address lost", lasts: 1200 * time.Millisecond, begin: func(s *soak) { s.must(s.node0.IP("address flush dev eth1")) },
		end: func(s *soak) { s.must(s.node0.IP("address add 10.0.0.1/8 broadcast + dev eth1")) }},
	{name: "MTU changed", lasts: 1200 * time.Millisecond, begin: func(s *soak) { s.must(s.node0.IP("link set eth1 mtu 1400")) },
		end: func(s *soak) { s.must(s.node0.IP("link set eth1 mtu 1500")) }},
	{name: "interface replaced", lasts: 1200 * time.Millisecond, begin: func(s *soak) { s.must(s.node0.IP("link del eth1")) },
		end: (*soak).plugIn},
}

// plugIn makes Node 0's interface anew.
func (s *soak) plugIn() {
	s.must(s.lab.Join(s.node0, "eth1", s.lab.Segment, "p0"))
	s.must(s.lab.Plug("p0"))
	s.must(s.node0.IP("link set eth1 address 02:00:00:00:00:01", "address add 10.0.0.1/8 broadcast + dev eth1"))
}

// reload has the pool end elsewhere and SIGHUP read it.
func (s *soak) reload() {
	end := fmt.Sprintf("10.2.255.%d;", 100+s.random.IntN(155))
	s.write("dhcpd.conf", "dhcp-cache-threshold 0;\n"+strings.Replace(poolConf, "10.2.255.255;", end, 1))
	s.must(s.server.Signal(syscall.SIGHUP))
}

// changeFiles puts the same contents into new files, and another file comes,
// changes or goes.
func (s *soak) changeFiles() {
	for name, data := range bootFiles {
		s.write("root/.new", string(data))
		s.must(os.Rename(filepath.Join(s.dir, "root/.new"), filepath.Join(s.dir, "root", name)))
	}
	if s.random.IntN(3) == 0 {
		os.Remove(filepath.Join(s.dir, "root/other"))
		return
	}
	s.write("root/other", strings.Repeat("x", s.random.IntN(1<<20)))
}

func (s *soak) write(name, text string) {
	s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644))
}

// flood sends what nobody boots with: DISCOVERs of made-up nodes, requests for
// files that are never acknowledged, ARP for everybody, and rubbish.
func (s *soak) flood() {
	const frames = 4000
	for i := range frames {
		mac := proto.MAC{0x02, 0xbb, byte(s.random.Uint32()), byte(s.random.Uint32()), byte(i >> 8), byte(i)}
		var frame []byte
		switch i % 4 {
		case 0:
			frame = message(mac, 1, 0, 0)
		case 1:
			frame = readRequest(mac, proto.AddrOf(10, 200, byte(i>>8), byte(i)), "kernel")
		case 2:
			var b [proto.EthernetLen + proto.ARPLen]byte
			proto.PutARP(&b, mac, proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: mac,
				SenderAddr: proto.AddrOf(10, 200, byte(i>>8), byte(i)), TargetAddr: proto.Addr(s.random.Uint32())})
			frame = b[:]
		default:
			frame = message(mac, 1, 0, 0)
			for range 8 {
				frame[12+s.random.IntN(len(frame)-12)] = byte(s.random.Uint32())
			}
		}
		for !s.conn.Queue(frame) {
			s.must(s.conn.Flush())
		}
	}
	s.must(s.conn.Flush())
	s.offered += frames
}

// readRequest builds a TFTP read request with a window.
func readRequest(mac proto.MAC, from proto.Addr, file string) []byte {
	payload := []byte("\x00\x01" + file + "\x00octet\x00blksize\x001468\x00windowsize\x004\x00")
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, mac, proto.MAC{2, 0, 0, 0, 0, 1}, from, proto.AddrOf(10, 0, 0, 1), 2000, proto.PortTFTP, 0, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}

// killAndStart is kill -9, and what systemd does then.
func (s *soak) killAndStart() {
	s.kill()
	s.drain(s.crowd)
	s.crowd.killed()
	s.serve()
	s.askOn(s.crowd)
}

// round is one storm with one act in it. All its nodes boot in the end, with the
// bytes that they should have.
func (s *soak) round(a *act, first int) {
	s.Helper()
	storm, err := bench.NewStorm(bench.Config{Nodes: soakNodes, Sequence: bench.Guide, Seed: s.random.Uint64(), Ramp: int64(soakSwitch),
		First: proto.MAC{0x52, 0x54, 0, byte(first >> 16), byte(first >> 8), byte(first)}}, contents())
	s.must(err)
	from := time.Duration(s.random.Int64N(int64(soakSwitch)))
	begun, ended := false, false
	s.run(storm, s.crowd, func(now time.Duration) bool {
		if !begun && now >= from {
			begun = true
			a.begin(s)
		}
		if begun && !ended && now >= from+a.lasts {
			ended = true
			if a.end != nil {
				a.end(s)
			}
		}
		return now > soakLimit || begun && a.hard
	})
	if begun && !ended && a.end != nil { // the nodes were faster
		a.end(s)
	}
	r := storm.Result()
	if s.storms, s.boots = s.storms+1, s.boots+r.Done; !a.hard && !r.OK() || s.crowd.wrong != nil {
		s.Fatalf("storm %d (%s): %d of %d nodes booted, %+v, wrong: %v\n%s", s.storms, a.name, r.Done, soakNodes, r.Failures, s.crowd.wrong, s.server.Output())
	}
	s.happened[a.name]++
	if a.hard {
		s.drain(s.crowd)
		back := s.crowd.some(soakNodes)
		if got := s.ask(s.crowd, back, patience); got != len(back) || s.crowd.wrong != nil {
			s.Fatalf("storm %d (%s): %d of %d nodes came back, wrong: %v", s.storms, a.name, got, len(back), s.crowd.wrong)
		}
	}
	if s.storms%10 == 0 || a.hard {
		if bad := s.crowd.missing(s.leases); bad != nil {
			s.Fatalf("storm %d (%s): %d faults in the lease file: %v", s.storms, a.name, len(bad), bad[:min(9, len(bad))])
		}
	}
	s.server.Forget()
}

// TestSoak storms a daemon for HOURS or SECONDS (6), with all acts or the one that
// ACT names. In the first half new nodes
// come all the time and the daemon is killed now and then. In the second one
// process goes through everything else with nodes that it knows: what it holds
// must not grow.
func TestSoak(t *testing.T) {
	total := time.Duration(setting(t, "SECONDS", 6)+3600*setting(t, "HOURS", 0)) * time.Second
	seed := setting(t, "SEED", uint64(time.Now().UnixNano()))
	t.Logf("SEED=%d", seed)
	s := newSoak(t, seed)
	s.serve()
	s.half("new nodes, kills", total/2, func(a *act) bool { return true }, true)
	s.samples = nil
	s.half("one process", total, func(a *act) bool { return !a.hard }, false)
	s.flat()
	s.goroutines()
	if bad := s.crowd.missing(s.leases); bad != nil {
		t.Errorf("in the lease file: %v", bad[:min(9, len(bad))])
	}
	s.report("end")
	t.Logf("%d kills: %s", s.happened["kill"], s.crowd.restarts())
}

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{site: newSite(t, "dhcp-cache-threshold 0;\n"+poolConf), crowd: newCrowd(), random: rand.New(rand.NewPCG(seed, 2)),
		began: time.Now(), happened: map[string]int{}}
	s.mount = s.onDisk("64m")
	return s
}

// half storms until the soak is so old. Each act comes once before any comes
// again.
func (s *soak) half(name string, until time.Duration, wanted func(*act) bool, fresh bool) {
	s.Helper()
	var open []int
	reported := time.Now()
	for first := 0; time.Since(s.began) < until || len(s.samples) < 4; {
		if len(open) == 0 {
			open = s.random.Perm(len(acts))
		}
		a := &acts[open[0]]
		if open = open[1:]; !wanted(a) || !strings.HasPrefix(a.name, os.Getenv("ACT")) {
			continue
		}
		s.round(a, first)
		if fresh {
			first += soakNodes / 2 // half of them have been there
			first %= 100_000
		}
		s.samples = append(s.samples, s.sample())
		if time.Since(reported) > soakReport {
			reported = time.Now()
			s.report(name)
		}
	}
}

// report prints the counts.
func (s *soak) report(name string) {
	var what []string
	for n, k := range s.happened {
		what = append(what, fmt.Sprintf("%s %d", n, k))
	}
	slices.Sort(what)
	fmt.Fprintf(os.Stderr, "soak %v, %s: %d storms, %d boots, %d nodes with a lease, %d ACKs, %d frames of floods; %s; %s\n",
		time.Since(s.began).Round(time.Second), name, s.storms, s.boots, len(s.crowd.address), s.crowd.acks, s.offered, strings.Join(what, ", "), s.sample())
}
