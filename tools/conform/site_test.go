// Package conform sends the same messages to ISC dhcpd and to bootstorm serve,
// both on the same dhcpd.conf and each alone in a namespace, and compares what
// comes back, field by field and option by option. A difference is meant, with
// its reason in testdata/differences.txt, or it fails. It has tests only.
//
// CONFORM in the environment is how many configurations and conversations
// TestRandom makes up (none), SEED the first of them.
package conform

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bootstorm/bench/segment"
	"bootstorm/proto"
	"bootstorm/tools/lab"
)

// program is the bootstorm under test, built once.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8") // cases mostly wait for answers that nobody gives
	lab.MainWith(m, &program)
}

// How long a client waits. Where a difference is found that is not meant, the
// conversation is had again with patience: the machine may have been busy.
type waits struct {
	silence time.Duration // for an answer that nobody gives; a later one is found at the end
	other   time.Duration // for an answer that the other server gave
}

var (
	quick   = waits{150 * time.Millisecond, 700 * time.Millisecond}
	patient = waits{500 * time.Millisecond, 5 * time.Second}
)

const patience = 60 * time.Second // for a program to start

// node0 is the address of both servers, each on a cable of its own.
var (
	node0    = proto.AddrOf(192, 168, 1, 1)
	node0MAC = proto.MAC{0x02, 0, 0, 0, 0, 1}
)

// off switches off what bootstorm does beyond dhcpd, as the operator would.
const off = `boot-hints off; ipv6-router-advertisement off; repeat-answers off; answer-arp off;
known-clients-first off; dhcp-rate-limit 0; tftp-rate-limit 0;
`

// alike makes both servers identify clients alike, return the identifier alike,
// and look for conflicts alike, which is not at all: dhcpd would wait a second
// before each offer.
const alike = "ignore-client-uids off; echo-client-id off; ping-check off;\n"

// site is a pair of servers and the client that talks to both.
type site struct {
	*testing.T
	lab          *lab.Lab
	clients      *lab.Host
	dir          string
	waits        waits
	theirs, ours *server
}

// server is one of the two, as the client sees it.
type server struct {
	host    *lab.Host
	process *lab.Process
	conn    *segment.Conn
	dir     string
	args    []string
	given   map[byte]proto.Addr      // to whom it gave which address
	owners  map[proto.Addr]proto.MAC // who answers ARP for an address
	replies map[uint32][]reply       // by transaction
}

// newSite makes three hosts: a server at each end of the client's two cables.
func newSite(t *testing.T, w waits) *site {
	t.Helper()
	s := &site{T: t, lab: lab.ForTest(t), dir: t.TempDir(), waits: w}
	s.must(os.Chmod(s.dir, 0o777)) // dhcpd gives up root's rights
	var err error
	s.clients, err = s.lab.Host("cl")
	s.must(err)
	s.theirs, s.ours = s.server("isc"), s.server("bs")
	return s
}

// server makes a host for a server: 192.168.1.1/24, with relays behind
// 192.168.1.254.
func (s *site) server(name string) *server {
	s.Helper()
	v := &server{dir: filepath.Join(s.dir, name)}
	s.must(os.Mkdir(v.dir, 0o777))
	s.must(os.Chmod(v.dir, 0o777))
	var err error
	v.host, err = s.lab.Host(name)
	s.must(err)
	s.must(s.lab.Join(v.host, "eth1", s.clients, name))
	s.must(v.host.IP("link set eth1 address "+node0MAC.String(), "addr add 192.168.1.1/24 broadcast + dev eth1",
		"route add 10.0.0.0/8 via 192.168.1.254"))
	s.must(s.clients.Do(func() (err error) {
		v.conn, err = segment.Open(name)
		return err
	}))
	s.Cleanup(func() { v.conn.Close() })
	return v
}

// begin gives both servers their configuration and starts them.
func (s *site) begin(theirs, ours string) {
	s.Helper()
	s.write(s.theirs, "dhcpd.conf", theirs)
	s.write(s.ours, "dhcpd.conf", ours)
	if _, err := os.Stat(s.theirs.path("dhcpd.leases")); err != nil { // dhcpd makes none
		s.write(s.theirs, "dhcpd.leases", "")
	}
	s.must(os.Mkdir(s.ours.path("root"), 0o755))
	for _, v := range []*server{s.theirs, s.ours} {
		v.given, v.owners, v.replies = map[byte]proto.Addr{}, map[proto.Addr]proto.MAC{proto.AddrOf(192, 168, 1, 254): relayMAC}, map[uint32][]reply{}
	}
	s.theirs.args = dhcpd(s.theirs)
	s.ours.args = bootstorm(s.ours)
	s.start(s.theirs, "Server starting service.")
	s.start(s.ours, "ready: ")
}

func dhcpd(v *server) []string {
	return []string{"dhcpd", "-4", "-f", "-d", "-user", "root", "-group", "root", "-cf", v.path("dhcpd.conf"), "-lf", v.path("dhcpd.leases"),
		"-pf", v.path("dhcpd.pid"), "eth1"}
}

func bootstorm(v *server) []string {
	return []string{program, "serve", "--interface", "eth1", "--config", v.path("dhcpd.conf"), "--tftp-root", v.path("root"),
		"--lease-file", v.path("dhcpd.leases"), "--run-dir", v.path("run"), "--view", "off"}
}

// start starts a server's program.
func (s *site) start(v *server, ready string) {
	s.Helper()
	var err error
	v.process, err = v.host.Start(v.args...)
	s.must(err)
	_, err = v.process.WaitLine(ready, patience)
	s.must(err)
}

func (v *server) path(name string) string { return filepath.Join(v.dir, name) }

func (s *site) write(v *server, name, text string) {
	s.Helper()
	s.must(os.WriteFile(v.path(name), []byte(text), 0o666))
	s.must(os.Chmod(v.path(name), 0o666))
}

func (s *site) must(err error) {
	s.Helper()
	if err == nil {
		return
	}
	s.logs()
	s.Fatal(err)
}

// logs shows what both servers said.
func (s *site) logs() {
	s.Helper()
	for _, v := range []*server{s.theirs, s.ours} {
		if v != nil && v.process != nil {
			s.Logf("%s:\n%s", v.args[0], v.process.Output())
		}
	}
}
