// Package hostile floods bootstorm serve, a real process in a namespace, with
// frames that nobody should send, puts a second DHCP server beside it, and asks
// each time whether nodes boot and whether the log tells what happened. It has
// tests only.
//
// FLOOD in the environment is how many frames of each kind the flood has (20000),
// NODES how many nodes storm a kernel whose ARP table is too small for them (none).
package hostile

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/tools/lab"
)

// program is the bootstorm under test, built once.
var program string

func TestMain(m *testing.M) { lab.MainWith(m, &program) }

// patience is how long a step may take on a busy machine.
const patience = 60 * time.Second

var bootFiles = map[string][]byte{
	"loader": make([]byte, 60_000),
	"script": []byte("#!ipxe\nimgfetch tftp://${next-server}/kernel\n"),
	"kernel": make([]byte, 90_000),
}

// site is Node 0 with its files, and the segment.
type site struct {
	testing.TB
	lab    *lab.Lab
	node0  *lab.Host
	conn   *segment.Conn // of the nodes
	server *lab.Process
	dir    string
}

// newSite makes Node 0 on 10.0.0.1/8 and starts the server there.
func newSite(t testing.TB, conf string) *site {
	t.Helper()
	s := &site{TB: t, lab: lab.ForTest(t), dir: t.TempDir()}
	s.must(os.Mkdir(filepath.Join(s.dir, "root"), 0o755))
	s.must(os.WriteFile(filepath.Join(s.dir, "dhcpd.conf"), []byte(conf), 0o644))
	for name, data := range bootFiles {
		s.must(os.WriteFile(filepath.Join(s.dir, "root", name), data, 0o644))
	}
	var err error
	s.node0, err = s.lab.Node0("10.0.0.1/8")
	s.must(err)
	s.conn, _ = s.attach("nodes")
	s.server, err = s.node0.Start(program, "serve", "--interface", "eth1", "--config", filepath.Join(s.dir, "dhcpd.conf"),
		"--tftp-root", filepath.Join(s.dir, "root"), "--lease-file", filepath.Join(s.dir, "dhcpd.leases"))
	s.must(err)
	s.said("ready: ")
	return s
}

// attach makes a host on the segment and opens its end.
func (s *site) attach(name string) (c *segment.Conn, h *lab.Host) {
	s.Helper()
	h, err := s.lab.Client(name, "")
	s.must(err)
	s.must(h.Do(func() (err error) {
		c, err = segment.Open("eth0")
		return err
	}))
	s.Cleanup(func() { c.Close() })
	return c, h
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

// said waits for a line of the server.
func (s *site) said(text string) {
	s.Helper()
	_, err := s.server.WaitLine(text, patience)
	s.must(err)
}

// storm boots nodes until all are done.
func (s *site) storm(config bench.Config) *bench.Result {
	s.Helper()
	var files []*bench.File
	for name, data := range bootFiles {
		files = append(files, &bench.File{Name: name, Data: data})
	}
	storm, err := bench.NewStorm(config, bench.NewContents(files...))
	s.must(err)
	begin := time.Now()
	storm.Begin(0)
	for !storm.Done() {
		now := int64(time.Since(begin))
		if now > int64(patience) {
			s.Logf("the server's log:\n%s", s.server.Output())
			s.Fatalf("not done after %v: %+v", patience, storm.Result())
		}
		_, err := s.conn.Receive(func(frame []byte, checksum bool) { storm.Receive(now, frame, checksum) })
		s.must(err)
		storm.Advance(now)
		s.must(s.conn.Flush())
		storm.Drain(now, s.conn.Queue)
		s.must(s.conn.Flush())
		s.must(s.conn.Wait(min(max(storm.Deadline()-now, 0), int64(5*time.Millisecond))))
	}
	return storm.Result()
}
