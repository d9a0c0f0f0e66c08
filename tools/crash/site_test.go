// Package crash ends bootstorm serve by kill -9 in the middle of storms, takes
// its disk and its interface away, floods it, and moves its lease file, always with
// a real process in a namespace, and asks each time whether a client was told what
// is not so. It has tests only.
//
// In the environment: KILLS says how often TestKills kills (20), HOURS and SECONDS
// how long TestSoak goes on (6 s), SEED from which number their random moments
// follow (else a new one, which is logged).
package crash

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bootstorm/bench/segment"
	"bootstorm/tools/lab"
)

// program is the bootstorm under test, built once.
var program string

func TestMain(m *testing.M) { lab.MainWith(m, &program) }

// patience is how long a step may take on a busy machine.
const patience = 30 * time.Second

// poolConf has 131,072 addresses; every acknowledgement writes a record.
const poolConf = `ping-check off;
subnet 10.0.0.0 netmask 255.0.0.0 {
    range 10.1.0.0 10.2.255.255;
    next-server 10.0.0.1;
    if exists user-class and option user-class = "iPXE" { filename "script"; } else { filename "loader"; }
}
`

// site is Node 0 with its files, and the end of the segment at which the
// simulated nodes stand.
type site struct {
	testing.TB
	lab    *lab.Lab
	node0  *lab.Host
	conn   *segment.Conn
	server *lab.Process
	dir    string
	leases string
}

// newSite makes Node 0 on 10.0.0.1/8.
func newSite(t testing.TB, conf string) *site {
	t.Helper()
	l := lab.ForTest(t)
	s := &site{TB: t, lab: l, dir: t.TempDir()}
	s.leases = filepath.Join(s.dir, "dhcpd.leases")
	s.must(os.Mkdir(filepath.Join(s.dir, "root"), 0o755))
	s.must(os.WriteFile(filepath.Join(s.dir, "dhcpd.conf"), []byte(conf), 0o644))
	for name, data := range bootFiles {
		s.must(os.WriteFile(filepath.Join(s.dir, "root", name), data, 0o644))
	}
	var err error
	s.node0, err = l.Node0("10.0.0.1/8")
	s.must(err)
	nodes, err := l.Client("nodes", "")
	s.must(err)
	s.must(nodes.Do(func() (err error) {
		s.conn, err = segment.Open("eth0")
		return err
	}))
	t.Cleanup(func() { s.conn.Close() })
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		if s.server != nil {
			s.Logf("the server's log:\n%s", s.server.Output())
		}
		s.Fatal(err)
	}
}

// start starts the server without waiting for it.
func (s *site) start(flags ...string) {
	s.Helper()
	var err error
	s.server, err = s.node0.Start(append([]string{program, "serve", "--interface", "eth1", "--log-level", "warn", "--view", "off",
		"--config", filepath.Join(s.dir, "dhcpd.conf"), "--tftp-root", filepath.Join(s.dir, "root"), "--lease-file", s.leases}, flags...)...)
	s.must(err)
}

// serve starts the server, or starts it again, and waits until it is ready.
func (s *site) serve() {
	s.Helper()
	s.start("--log-level", "info")
	s.said("ready: ")
}

// said waits for a line of the server.
func (s *site) said(text string) {
	s.Helper()
	_, err := s.server.WaitLine(text, patience)
	s.must(err)
}

// kill ends the server as a power cut would, but for the kernel.
func (s *site) kill() {
	s.Helper()
	s.must(s.server.Signal(os.Kill))
	_, err := s.server.Wait(patience)
	s.must(err)
}
