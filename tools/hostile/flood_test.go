package hostile

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// conf has one address for each of 64 nodes and leases that end at once, so that
// every node comes back as somebody who had an address, in a pool that is full.
const conf = `default-lease-time 2; max-lease-time 2; min-lease-time 2;
subnet 10.0.0.0 netmask 255.0.0.0 {
    range 10.1.0.1 10.1.0.64;
    next-server 10.0.0.1;
    if exists user-class and option user-class = "iPXE" { filename "script"; } else { filename "loader"; }
}
`

const knownNodes = 64

// forged builds the frames of number i of a flood, from senders that do not exist:
// a DISCOVER, a request for a file, and to the server alone, since the simulated
// nodes would rightly take offence, an ARP message that claims an address of the
// pool, and one that claims the server's.
func forged(i int, server proto.MAC) [][]byte {
	mac := proto.MAC{0x0e, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 9}
	datagram := func(src proto.Addr, from, to uint16, dst proto.Addr, payload []byte) []byte {
		var head [proto.HeadersLen]byte
		proto.PutHeaders(&head, mac, proto.Broadcast, src, dst, from, to, 0, len(payload))
		proto.FinishUDP(&head, payload, nil)
		return append(head[:], payload...)
	}
	var buf [400]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6
	h.SetXID(uint32(i))
	copy(h.CHAddr()[:], mac[:])
	w.Option(dhcp.OptMessageType, []byte{byte(dhcp.Discover)})
	payload := buf[:w.End()]
	arp := func(a proto.Addr) []byte {
		var f [proto.EthernetLen + proto.ARPLen]byte
		proto.PutARP(&f, mac, server, &proto.ARP{Op: proto.ARPRequest, SenderMAC: mac, SenderAddr: a, TargetAddr: a})
		return f[:]
	}
	frames := [][]byte{datagram(0, 68, 67, proto.Limited, payload),
		datagram(proto.AddrOf(10, 200, byte(i>>8), byte(i)), uint16(1024+i%60_000), 69, proto.AddrOf(10, 0, 0, 1),
			[]byte("\x00\x01kernel\x00octet\x00blksize\x001468\x00windowsize\x0064\x00")),
		arp(proto.AddrOf(10, 1, 0, byte(1+i%knownNodes)))}
	if i%100 == 0 {
		frames = append(frames, arp(proto.AddrOf(10, 0, 0, 1)))
	}
	return frames
}

// flood sends frames until there were n of each kind, or stop is closed, evenly
// over a time, and tells how many left.
func flood(c *segment.Conn, server proto.MAC, n int, over time.Duration, stop <-chan struct{}) (sent int, err error) {
	begin := time.Now()
	for i := range n {
		select {
		case <-stop:
			return sent, c.Flush()
		default:
		}
		for _, f := range forged(i, server) {
			if c.Queue(f) {
				sent++
			}
		}
		if i%16 == 15 {
			if err := c.Flush(); err != nil {
				return sent, err
			}
			if _, err := c.Receive(func([]byte, bool) {}); err != nil {
				return sent, err
			}
			if due := begin.Add(over * time.Duration(i) / time.Duration(n)); time.Until(due) > time.Millisecond {
				time.Sleep(time.Until(due))
			}
		}
	}
	return sent, c.Flush()
}

// Nodes that are known boot beside a flood of DISCOVERs, TFTP requests and ARP
// messages whose senders do not exist: all of them, the memory stays where it was,
// and the log stays readable.
func TestKnownNodesBootBesideAFlood(t *testing.T) {
	n := 20_000
	if text := os.Getenv("FLOOD"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal("FLOOD:", err)
		}
	}
	s := newSite(t, conf)
	config := bench.Config{Nodes: knownNodes, Sequence: bench.Guide, Seed: 1, First: proto.MAC{0x52, 0x54, 0, 0, 0, 1}}
	if r := s.storm(config); !r.OK() {
		t.Fatalf("without a flood: %d of %d nodes booted: %+v", r.Done, r.Boots, r.Failures)
	}
	time.Sleep(2500 * time.Millisecond) // all leases have ended
	before, lines := s.resident(), strings.Count(s.server.Output(), "\n")

	enemy, _ := s.attach("enemy")
	server := s.serverMAC()
	stop, ended := make(chan struct{}), make(chan error)
	sent := 0
	go func() {
		var err error
		sent, err = flood(enemy, server, n, time.Duration(n)*150*time.Microsecond, stop)
		ended <- err
	}()
	time.Sleep(500 * time.Millisecond) // the pool is taken, the table of transfers is full
	begin := time.Now()
	r := s.storm(config)
	took := time.Since(begin)
	close(stop)
	s.must(<-ended)
	if !r.OK() {
		t.Errorf("beside the flood %d of %d nodes booted: %+v", r.Done, r.Boots, r.Failures)
	}
	if r.NAKs != 0 {
		t.Errorf("%d NAKs", r.NAKs)
	}
	// Memory: nothing grows with the flood. The log holds back what it repeats.
	after := s.resident()
	if after > before+24<<10 {
		t.Errorf("resident memory grew from %d to %d KiB", before, after)
	}
	s.must(s.server.Stop())
	_, err := s.server.Wait(patience)
	s.must(err)
	out := s.server.Output()
	written := strings.Count(out, "\n") - lines
	if most := 1200 + int(took.Seconds()+5)*150; written > most {
		t.Errorf("%d lines in the log", written)
	}
	for _, want := range []string{"10.0.0.1, the address of this server, is used by ", "more address conflicts are reported than can be true", "offers taken back"} {
		if !strings.Contains(out, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	t.Logf("%d nodes in %v beside %d frames; %d KiB resident before, %d after; %d lines of log; %s", r.Done, took.Round(time.Millisecond), sent,
		before, after, written, regexp.MustCompile(`kept off: .*`).FindString(out))
}

// serverMAC is the hardware address of Node 0.
func (s *site) serverMAC() (mac proto.MAC) {
	s.Helper()
	out, err := s.node0.Must("ip", "-o", "link", "show", "eth1")
	s.must(err)
	m := regexp.MustCompile(`ether ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})`).FindStringSubmatch(out)
	if m == nil {
		s.Fatalf("no hardware address in %q", out)
	}
	hw, err := net.ParseMAC(m[1])
	s.must(err)
	copy(mac[:], hw)
	return mac
}

// resident is the server's resident memory in KiB (proc_pid_status(5)).
func (s *site) resident() (kib int) {
	s.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.server.Pid()))
	s.must(err)
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		s.Fatal("no VmRSS")
	}
	kib, err = strconv.Atoi(string(m[1]))
	s.must(err)
	return kib
}
