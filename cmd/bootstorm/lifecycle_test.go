package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// site is Node 0 with its files, and a client on its segment.
type site struct {
	t      *testing.T
	lab    *lab.Lab
	node0  *lab.Host
	client *lab.Host
	dir    string
}

// patience is how long a step may take on a busy machine.
const patience = 20 * time.Second

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, lab: lab.ForTest(t), dir: t.TempDir()}
	var err error
	if s.node0, err = s.lab.Node0("192.168.1.1/28"); err != nil {
		t.Fatal(err)
	}
	if s.client, err = s.lab.Client("c1", "52:54:00:12:34:01"); err != nil {
		t.Fatal(err)
	}
	s.write("root/ipxe.efi", strings.Repeat("0123456789", 10000))
	guide, err := os.ReadFile("testdata/guide.conf")
	if err != nil {
		t.Fatal(err)
	}
	s.write("dhcpd.conf", string(guide))
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start starts a daemon on Node 0, on eth1 unless the flags name interfaces;
// they come after the usual ones, so they win.
func (s *site) start(flags ...string) *lab.Process {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	args := append([]string{"env", asMain + "=1", "NOTIFY_SOCKET=" + s.path("notify"), self, "serve",
		"--config", s.path("dhcpd.conf"), "--tftp-root", s.path("root"), "--lease-file", s.path("dhcpd.leases"), "--run-dir", s.path("run")}, flags...)
	if !slices.Contains(flags, "--interface") {
		args = append(args, "--interface", "eth1")
	}
	p, err := s.node0.Start(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// said waits for a line of a daemon.
func (s *site) said(p *lab.Process, text string) string {
	s.t.Helper()
	line, err := p.WaitLine(text, patience)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, p.Output())
	}
	return line
}

// ends waits for the end of a daemon and checks its status.
func (s *site) ends(p *lab.Process, status int) {
	s.t.Helper()
	if got, err := p.Wait(patience); err != nil || got != status {
		s.t.Errorf("status %d, want %d, %v\n%s", got, status, err, p.Output())
	}
}

func (s *site) signal(p *lab.Process, sig os.Signal) {
	s.t.Helper()
	if err := p.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// boot runs the client's DHCP and fetches a file; it returns the address.
func (s *site) boot() string {
	s.t.Helper()
	lease := s.path("dhclient.leases")
	os.Remove(lease)
	status, out, err := s.client.Run(patience, "dhclient", "-4", "-1", "-v", "-sf", "/bin/true", "-lf", lease, "-pf", s.path("dhclient.pid"), "eth0")
	if err != nil || status != 0 {
		s.t.Fatalf("dhclient: %d %v\n%s", status, err, out)
	}
	_, rest, _ := strings.Cut(out, "bound to ")
	address, _, _ := strings.Cut(rest, " ")
	pid, _ := os.ReadFile(s.path("dhclient.pid"))
	s.client.Run(patience, "kill", strings.TrimSpace(string(pid)))
	if err := s.client.IP("address flush dev eth0", "address add "+address+"/28 dev eth0"); err != nil {
		s.t.Fatal(err)
	}
	got := s.path("got")
	os.Remove(got)
	status, out, err = s.client.Run(patience, "tftp", "-m", "binary", "192.168.1.1", "-c", "get", "ipxe.efi", got)
	if err != nil || status != 0 {
		s.t.Fatalf("tftp: %d %v\n%s", status, err, out)
	}
	want, _ := os.ReadFile(s.path("root/ipxe.efi"))
	if have, err := os.ReadFile(got); err != nil || string(have) != string(want) {
		s.t.Fatalf("ipxe.efi: %d bytes of %d, %v", len(have), len(want), err)
	}
	return address
}

// TestLife is the guide's setup from start to end: readiness by sd_notify, a
// boot, reload by SIGHUP, a changed file, a broken configuration, SIGTERM, and
// the same lease after a new start.
func TestLife(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.path("notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	p := s.start("--view", "off") // the log tells every step
	s.said(p, "ready: DHCP and TFTP on eth1 (192.168.1.1/28); 1 subnet, 4 addresses in pools, 1 host; 1 boot file")
	if got := heard(t, notify); !strings.HasPrefix(got, "READY=1\nSTATUS=DHCP and TFTP on eth1") {
		t.Errorf("sd_notify: %q", got)
	}
	address := s.boot()
	s.said(p, address+" leased to 52:54:00:12:34:01 (node_1) for 2 hours")
	s.said(p, "ipxe.efi sent to 52:54:00:12:34:01 (node_1): 100 KB in ")

	s.write("root/ipxe.efi", strings.Repeat("abcdefghij", 20000))
	s.said(p, "boot files changed: 0 new, 1 changed, 0 gone")
	s.boot()
	s.said(p, "ipxe.efi sent to 52:54:00:12:34:01 (node_1): 200 KB in ")

	guide, _ := os.ReadFile(s.path("dhcpd.conf"))
	s.write("dhcpd.conf", "subnet 192.168.1.0 netmask 255.255.255.240 { range 192.168.1.2 }\n")
	s.signal(p, syscall.SIGHUP)
	s.said(p, "SIGHUP: the old configuration and files stay in force")
	s.said(p, "dhcpd.conf:1:")
	if got := s.boot(); got != address {
		t.Errorf("%s after a refused reload, %s before", got, address)
	}
	s.write("dhcpd.conf", strings.Replace(string(guide), "192.168.1.5;", "192.168.1.9;", 1))
	s.signal(p, syscall.SIGHUP)
	s.said(p, "SIGHUP: reloaded, 1 subnet, 8 pool addresses (4 before), 1 host, 0 classes; boot files unchanged")

	begin := time.Now()
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("the end took %v", d)
	}
	s.said(p, "stopped: ")
	// The keeper once started the program without arguments in the view's place,
	// over and over, and each time its help came into the log.
	if out := p.Output(); strings.Contains(out, "Usage:") || strings.Contains(out, "the view") {
		t.Errorf("--view off, and yet there was one:\n%s", out)
	}
	p = s.start()
	s.said(p, "leases: 1 in ")
	s.said(p, "ready: ")
	if got := s.boot(); got != address {
		t.Errorf("%s after a new start, %s before", got, address)
	}
}

// heard receives one notification.
func heard(t *testing.T, l *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	l.SetReadDeadline(time.Now().Add(patience))
	n, err := l.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// TestSecondDaemon refuses a second daemon: on the same interface because of the
// ports, on another one because of the lease file, also when somebody deleted
// the lock file.
func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.start()
	s.said(first, "ready: ")
	second := s.start("--lease-file", s.path("other.leases"))
	s.ends(second, exitFailed)
	if out := second.Output(); !strings.Contains(out, fmt.Sprintf("UDP port 67 on eth1 is in use by %s (process %d)", comm(first.Pid()), first.Pid())) {
		t.Errorf("the message does not name port, interface and holder:\n%s", out)
	}
	if err := s.node0.IP("link add eth9 type veth peer name eth9p", "link set eth9 up", "link set eth9p up", "address add 192.168.1.14/28 dev eth9"); err != nil {
		t.Fatal(err)
	}
	third := s.start("--interface", "eth9")
	s.ends(third, exitFailed)
	if out := third.Output(); !strings.Contains(out, fmt.Sprintf("is in use by process %d:", first.Pid())) || !strings.Contains(out, "--lease-file") {
		t.Errorf("the message does not name the holder:\n%s", out)
	}
	// A lock is a file's, so it holds in another network as well.
	if err := s.client.IP("address add 192.168.1.13/28 dev eth0"); err != nil {
		t.Fatal(err)
	}
	elsewhere := *s
	elsewhere.node0 = s.client
	other := elsewhere.start("--interface", "eth0", "--run-dir", s.path("elsewhere"))
	s.ends(other, exitFailed)
	if out := other.Output(); !strings.Contains(out, "is in use by process") {
		t.Errorf("in another network:\n%s", out)
	}
	if err := os.Remove(s.path("dhcpd.leases.lock")); err != nil {
		t.Fatal(err)
	}
	fourth := s.start("--interface", "eth9")
	s.ends(fourth, exitFailed)
	if out := fourth.Output(); !strings.Contains(out, "is in use by ") || !strings.Contains(out, "--lease-file") {
		t.Errorf("without the lock file, which somebody deleted:\n%s", out)
	}
	s.said(first, "dhcpd.leases.lock was deleted or replaced while in use")
	if !first.Running() {
		t.Error("the first daemon has ended")
	}
	s.boot()
}

// comm is the name of a process.
func comm(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(b))
}

// TestKilled starts again after kill -9: no lock is left, no lease is lost.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	address := s.boot()
	s.signal(p, syscall.SIGKILL)
	p.Wait(patience)
	p = s.start()
	s.said(p, "leases: 1 in ")
	s.said(p, "ready: ")
	if got := s.boot(); got != address {
		t.Errorf("%s, before the kill %s", got, address)
	}
}

// TestInterfaceStates starts on an interface that is down and has no address,
// and serves through its going down, losing its address, and being made anew.
func TestInterfaceStates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ip := func(commands ...string) {
		t.Helper()
		if err := s.node0.IP(commands...); err != nil {
			t.Fatal(err)
		}
	}
	ip("link set eth1 down", "address flush dev eth1")
	p := s.start()
	s.said(p, "waiting: interface eth1 is down")
	ip("link set eth1 up")
	s.said(p, "waiting: interface eth1 has no IPv4 address")
	ip("address add 192.168.1.1/28 dev eth1")
	s.said(p, "ready: ")
	address := s.boot()
	ip("link set eth1 down")
	s.said(p, "interface eth1 is down: nobody is served there")
	ip("link set eth1 up")
	s.said(p, "interface eth1 is up: serving again")
	if got := s.boot(); got != address {
		t.Errorf("%s after the link was down, %s before", got, address)
	}
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
}

// TestInterfaceReplaced serves on an interface that is removed and made again,
// as a VLAN or a bond is when its configuration is applied anew.
func TestInterfaceReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	host, err := s.lab.Client("c2", "")
	if err != nil {
		t.Fatal(err)
	}
	join := func() {
		t.Helper()
		if err := s.lab.Join(s.node0, "vlan7", host, "eth7"); err != nil {
			t.Fatal(err)
		}
		if err := s.node0.IP("address add 10.7.0.1/24 dev vlan7"); err != nil {
			t.Fatal(err)
		}
	}
	join()
	s.write("dhcpd.conf", "subnet 10.7.0.0 netmask 255.255.255.0 { range 10.7.0.10 10.7.0.20; }\n")
	p := s.start("--interface", "vlan7", "--interface", "eth1")
	s.said(p, "ready: ")
	ask := func() {
		t.Helper()
		os.Remove(s.path("l7"))
		status, out, err := host.Run(patience, "dhclient", "-4", "-1", "-v", "-sf", "/bin/true", "-lf", s.path("l7"), "-pf", s.path("p7"), "eth7")
		if err != nil || status != 0 || !strings.Contains(out, "DHCPACK of 10.7.0.") {
			t.Fatalf("dhclient: %d %v\n%s\n%s", status, err, out, p.Output())
		}
		pid, _ := os.ReadFile(s.path("p7"))
		host.Run(patience, "kill", strings.TrimSpace(string(pid)))
	}
	ask()
	if err := s.node0.IP("link del vlan7"); err != nil {
		t.Fatal(err)
	}
	s.said(p, "interface vlan7 does not exist: nobody is served there; waiting for it")
	join()
	s.said(p, "opening the interfaces again")
	s.said(p, "vlan7: receive ")
	ask()
}

// TestNoConfiguration derives one from the interface, and boots.
func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start("--config", "")
	s.said(p, "no configuration file: derived from eth1 (192.168.1.1/28):")
	s.said(p, "subnet 192.168.1.0 netmask 255.255.255.240 {")
	s.said(p, "ready: DHCP and TFTP on eth1") // the derived text says "already: "
	s.boot()
}

// TestUnprivileged says which right is missing.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	status, out, err := s.node0.Run(patience, "setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "env", asMain+"=1", self, "serve",
		"--interface", "eth1", "--config", s.path("dhcpd.conf"), "--tftp-root", s.path("root"), "--lease-file", s.path("dhcpd.leases"))
	if err != nil || status != exitFailed || !strings.Contains(out, "CAP_NET_") {
		t.Errorf("%d %v\n%s", status, err, out)
	}
}
