// Package clients has real DHCP and TFTP clients work against bootstorm serve,
// in namespaces: ISC dhclient, busybox udhcpc, perfdhcp, tftp-hpa, atftp, curl
// and busybox tftp. It has tests only.
package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// program is the bootstorm under test, built once.
var program string

func TestMain(m *testing.M) { lab.MainWith(m, &program) }

// site is Node 0 with a running server, and room for clients.
type site struct {
	*testing.T
	lab    *lab.Lab
	node0  *lab.Host
	server *lab.Process
	dir    string // dhcpd.conf, leases, tftp root, client files
}

const patience = 15 * time.Second // for what takes milliseconds on an idle machine

// newSite starts bootstorm on 192.168.1.1/24 with the configuration.
func newSite(t *testing.T, config string) *site {
	t.Helper()
	t.Parallel()
	s := &site{T: t, lab: lab.ForTest(t), dir: t.TempDir()}
	s.write("dhcpd.conf", config)
	s.must(os.Mkdir(s.path("root"), 0o755))
	var err error
	s.node0, err = s.lab.Node0("192.168.1.1/24")
	s.must(err)
	return s
}

// serve starts the server, or starts it again.
func (s *site) serve() {
	s.Helper()
	var err error
	s.server, err = s.node0.Start(program, "serve", "--interface", "eth1", "--config", s.path("dhcpd.conf"),
		"--tftp-root", s.path("root"), "--lease-file", s.path("dhcpd.leases"), "--run-dir", s.path("run"))
	s.must(err)
	_, err = s.server.WaitLine("ready: ", patience)
	s.must(err)
}

// stop ends the server, which must be clean.
func (s *site) stop() {
	s.Helper()
	s.must(s.server.Stop())
	if status, err := s.server.Wait(patience); err != nil || status != 0 {
		s.Fatalf("the server ended with status %d, %v:\n%s", status, err, s.server.Output())
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.Helper()
	s.must(os.WriteFile(s.path(name), []byte(text), 0o755))
}

func (s *site) read(name string) string {
	b, _ := os.ReadFile(s.path(name))
	return string(b)
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

// client makes a client host on the segment.
func (s *site) client(name, mac string) *lab.Host {
	s.Helper()
	h, err := s.lab.Client(name, mac)
	s.must(err)
	return h
}

// said waits for a line of a process and fails the test if it does not come.
func (s *site) said(p *lab.Process, text string) string {
	s.Helper()
	line, err := p.WaitLine(text, patience)
	s.must(err)
	return line
}

// times waits until a process has written text n times.
func (s *site) times(p *lab.Process, text string, n int, limit time.Duration) {
	s.Helper()
	for end := time.Now().Add(limit); strings.Count(p.Output(), text) < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) || !p.Running() {
			s.must(fmt.Errorf("%q did not come %d times:\n%s", text, n, p.Output()))
		}
	}
}

// address returns the IPv4 address of a client's interface, "" if it has none.
func (s *site) address(h *lab.Host) string {
	s.Helper()
	out, err := h.Must("ip", "-4", "-o", "addr", "show", "dev", h.Interface)
	s.must(err)
	if f := strings.Fields(out); len(f) > 3 {
		return f[3]
	}
	return ""
}

// state returns the last state that the lease journal has for an address.
func (s *site) state(addr string) string {
	state := ""
	for _, block := range strings.Split(s.read("dhcpd.leases"), "}") {
		if _, body, ok := strings.Cut(block, "lease "+addr+" {"); ok {
			if _, rest, ok := strings.Cut(body, "\n  binding state "); ok {
				state, _, _ = strings.Cut(rest, ";")
			}
		}
	}
	return state
}

// inState waits until the journal has the address in a state.
func (s *site) inState(addr, want string) {
	s.Helper()
	for end := time.Now().Add(patience); s.state(addr) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.must(fmt.Errorf("%s is %q in the journal, want %q:\n%s", addr, s.state(addr), want, s.read("dhcpd.leases")))
		}
	}
}

// macOf is a client's MAC address.
func macOf(i int) string { return fmt.Sprintf("02:00:00:00:0c:%02x", i) }
