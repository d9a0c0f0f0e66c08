package conform

import (
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bootstorm/pcap"
)

// leasesConf has statements that leave their traces in the lease file: variables
// of leases, spawned classes, endless leases, a failover peer that is gone.
const leasesConf = alike + `
min-lease-time 1; default-lease-time 3000; max-lease-time 6000;
class "spawned" { spawn with option agent.circuit-id; lease limit 2; }
set vendor-string = option vendor-class-identifier;
set seen = concat("x\"y\\", binary-to-ascii(16, 8, ":", hardware));
subnet 192.168.1.0 netmask 255.255.255.0 {
  range dynamic-bootp 192.168.1.10 192.168.1.60;
  option routers 192.168.1.1;
  on commit { set committed = option host-name; }
}
subnet 10.1.0.0 netmask 255.255.255.0 { range 10.1.0.10 10.1.0.60; }
`

// leasesBefore are records that a server has from an earlier life: of a failover
// pair, with reservations, in states that pass, and with what dhcpd of old wrote.
const leasesBefore = `authoring-byte-order little-endian;
failover peer "gone" state {
  my state normal at 5 2026/11/20 10:00:00;
  partner state communications-interrupted at 5 2026/11/20 10:00:00;
  mclt 1800;
}
lease 192.168.1.40 {
  starts 5 2026/11/20 10:00:00;
  ends 5 2026/11/20 11:00:00;
  tstp 5 2026/11/20 11:30:00;
  tsfp 5 2026/11/20 11:30:00;
  atsfp 5 2026/11/20 11:30:00;
  cltt 5 2026/11/20 10:00:00;
  binding state backup;
  hardware ethernet 02:00:00:00:0c:28;
  uid "\001\002\000\000\000\014(";
}
lease 192.168.1.41 {
  starts 5 2026/11/20 10:00:00;
  ends 2 2036/11/25 10:00:00;
  tstp 2 2036/11/25 10:00:00;
  cltt 5 2026/11/20 10:00:00;
  binding state active;
  next binding state expired;
  rewind binding state free;
  hardware ethernet 02:00:00:00:0c:29;
  set ddns-fwd-name = "a.example.org";
  set vendor-class-identifier = "MSFT 5.0";
  client-hostname "forty-one";
}
lease 192.168.1.42 {
  starts 5 2026/11/20 10:00:00;
  ends never;
  cltt 5 2026/11/20 10:00:00;
  binding state active;
  reserved;
  hardware ethernet 02:00:00:00:0c:2a;
}
lease 192.168.1.43 {
  starts 5 2026/11/20 10:00:00;
  ends 5 2026/11/20 11:00:00;
  cltt 5 2026/11/20 10:00:00;
  binding state expired;
  next binding state free;
  hardware ethernet 02:00:00:00:0c:2b;
}
lease 192.168.1.44 {
  starts 5 2026/11/20 10:00:00;
  ends 5 2026/11/20 11:00:00;
  cltt 5 2026/11/20 10:00:00;
  binding state released;
  hardware ethernet 02:00:00:00:0c:2c;
}
lease 192.168.1.45 {
  starts 5 2026/11/20 10:00:00;
  ends 2 2036/11/25 10:00:00;
  binding state abandoned;
  client-hostname "nobody";
}
lease 192.168.1.46 {
  starts epoch 1763632800; # in the other form of db-time-format
  ends epoch 2110870800;
  cltt epoch 1763632800;
  binding state active;
  next binding state free;
  hardware ethernet 02:00:00:00:0c:2e;
}
`

// leasesMade is what happens under the first server: leases that stand, that
// are given back, refused, endless, counted, run out.
const leasesMade = `
dora 1 61="one" 12="host-one" 60=0x73617920225c7822
dora 2 12="two;}" 60="PXEClient:Arch:00007"
dora 3 12="three"
release 3 unicast ciaddr=given server=192.168.1.1
dora 4
decline 4 want=given server=192.168.1.1
bootp 5
dora 6 61=0x00ff80017b7d22 12=0xe4f6fc
dora 7 giaddr=10.1.0.1 82=0x01046369726302020102
dora 8 51=0,0,0,1
dora 9 61=0x01020000000c09 51=0,0,20,0
dora 41
`

// leasesTaken is what happens under the server that takes the file over.
const leasesTaken = `
request 1 61="one" 12="host-one" unicast ciaddr=given
request 2 want=given
dora 3
dora 8
bootp 5
request 6 61=0x00ff80017b7d22 want=given
request 7 giaddr=10.1.0.1 82=0x01046369726302020102 want=given
request 9 61=0x01020000000c09 ciaddr=given
discover 1 61="one"
request 41 want=192.168.1.41
request 42 want=192.168.1.42
request 46 unicast ciaddr=192.168.1.46
request 50 want=192.168.1.41
discover 43 55=1
discover 44 55=1
request 4 want=given
discover 51 want=192.168.1.45
`

// takeOver is the name of the case in the list of differences.
const takeOver = "takeover"

// TestTakeOver has dhcpd and bootstorm go on with the file that the other wrote,
// beside the one that wrote it: both have to answer alike.
func TestTakeOver(t *testing.T) {
	needDhcpd(t)
	t.Parallel()
	list := review(t)
	var mu sync.Mutex
	t.Run("cases", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			writer func(*site) *server
		}{
			{"bootstorm takes over", func(s *site) *server { return s.theirs }},
			{"dhcpd takes over", func(s *site) *server { return s.ours }},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				twice(t, &mu, list, func(w waits) ([]pcap.Difference, *site) { return handOver(t, w, c.writer) })
			})
		}
	})
	unused(t, list, func(e *pcap.Entry) bool { return e.Captures[0] == takeOver })
}

// handOver has both servers make leases, gives the file of one to both, and
// compares what they make of it.
func handOver(t *testing.T, w waits, writer func(*site) *server) ([]pcap.Difference, *site) {
	t.Helper()
	s := newSite(t, w)
	s.write(s.theirs, "dhcpd.leases", leasesBefore)
	s.write(s.ours, "dhcpd.leases", leasesBefore)
	s.begin(leasesConf, off+leasesConf)
	s.talk("before", 0x1000, leasesMade) // each chooses its own addresses
	time.Sleep(1500 * time.Millisecond)  // client 8's lease ends
	s.must(s.theirs.process.Stop())
	s.must(s.ours.process.Stop())
	from := writer(s)
	text, err := os.ReadFile(from.path("dhcpd.leases"))
	s.must(err)
	given := maps.Clone(from.given)
	for _, v := range []*server{s.theirs, s.ours} {
		s.write(v, "dhcpd.leases", string(text))
		v.given = maps.Clone(given)
	}
	s.start(s.theirs, "Server starting service.")
	s.start(s.ours, "ready: ")
	s.unharmed()
	return s.talk(takeOver, 0x2000, leasesTaken), s
}

// unharmed fails the test if a server complains of the lease file.
func (s *site) unharmed() {
	s.Helper()
	for line := range strings.Lines(s.theirs.process.Output()) {
		if strings.Contains(line, "dhcpd.leases line") && !strings.Contains(line, "unknown failover peer") || strings.Contains(line, "orrupt") {
			s.Errorf("dhcpd says of the lease file: %s", line)
		}
	}
	for line := range strings.Lines(s.ours.process.Output()) {
		if strings.Contains(line, "dhcpd.leases:") && !strings.Contains(line, "failover state is kept") {
			s.Errorf("bootstorm says of the lease file: %s", line)
		}
	}
}
