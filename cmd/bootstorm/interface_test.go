package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// interfaceFault is something that happens to Node 0's interface, and its end.
type interfaceFault struct {
	name        string
	begin, end  func(s *site)
	says, after string // lines of the log
}

// interfaceFaults are those that a running transfer outlives.
var interfaceFaults = []interfaceFault{
	{"down", func(s *site) { s.ip("link set eth1 down") }, func(s *site) { s.ip("link set eth1 up") },
		"interface eth1 is down: nobody is served there; waiting for it to come up", "interface eth1 is up: serving again"},
	{"address lost", func(s *site) { s.ip("address flush dev eth1") }, func(s *site) { s.ip("address add 192.168.1.1/28 broadcast + dev eth1") },
		"interface eth1 has lost its address: nobody is served there until it has one", "the interfaces changed: DHCP and TFTP on eth1 (192.168.1.1/28)"},
	{"MTU", func(s *site) { s.ip("link set eth1 mtu 1300") }, func(s *site) { s.ip("link set eth1 mtu 1500") },
		"the interfaces changed: ", "the interfaces changed: "},
	{"replaced", func(s *site) { s.ip("link del eth1") }, func(s *site) { s.plugIn("02:00:00:00:00:01") },
		"interface eth1 does not exist: nobody is served there; waiting for it", "opening the interfaces again"},
}

func (s *site) ip(commands ...string) {
	s.t.Helper()
	if err := s.node0.IP(commands...); err != nil {
		s.t.Fatal(err)
	}
}

// plugIn makes Node 0's interface anew, with another index.
func (s *site) plugIn(mac string) {
	s.t.Helper()
	if err := s.lab.Join(s.node0, "eth1", s.lab.Segment, "p0"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.lab.Plug("p0"); err != nil {
		s.t.Fatal(err)
	}
	s.ip("link set eth1 address "+mac, "address add 192.168.1.1/28 broadcast + dev eth1")
}

// fetch starts a real client that reads a file, and waits until it is under way.
func (s *site) fetch(name string) *lab.Process {
	s.t.Helper()
	os.Remove(s.path("got"))
	p, err := s.client.Start("tftp", "-m", "binary", "192.168.1.1", "-c", "get", name, s.path("got"))
	if err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if st, err := os.Stat(s.path("got")); err == nil && st.Size() > 0 {
			return p
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s does not arrive: %s", name, p.Output())
		}
	}
}

// fetched waits for the end of a fetch and compares.
func (s *site) fetched(p *lab.Process, want []byte) {
	s.t.Helper()
	if status, err := p.Wait(2 * patience); err != nil || status != 0 {
		s.t.Fatalf("tftp: %d %v\n%s", status, err, p.Output())
	}
	if have, err := os.ReadFile(s.path("got")); err != nil || !bytes.Equal(have, want) {
		s.t.Fatalf("%d bytes of %d, %v", len(have), len(want), err)
	}
}

// largeFile is read in lock step, so it takes a while.
func (s *site) largeFile() []byte {
	s.t.Helper()
	data := bytes.Repeat([]byte("0123456789abcde\n"), 6<<16)
	s.write("root/large", string(data))
	return data
}

// TestInterfaceFaults does to the interface what a reconfiguration does while a
// node boots: the daemon says what is wrong, goes on without a restart, and so does
// the transfer. After that a node that knows nothing boots from an interface with
// another hardware address.
func TestInterfaceFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := s.largeFile()
	p := s.start()
	s.said(p, "ready: ")
	address := s.boot()
	for _, f := range interfaceFaults {
		get := s.fetch("large")
		p.Forget()
		f.begin(s)
		if !get.Running() {
			t.Errorf("%s: the file was there before the fault: nothing is shown", f.name)
		}
		s.said(p, f.says)
		p.Forget()
		f.end(s)
		s.said(p, f.after)
		s.fetched(get, want)
	}
	s.ip("link del eth1")
	s.plugIn("02:00:00:00:00:99")
	s.said(p, "interface eth1 is up: serving again")
	if err := s.client.IP("neigh flush all"); err != nil {
		t.Fatal(err)
	}
	if got := s.boot(); got != address {
		t.Errorf("%s from the new interface, %s before", got, address)
	}
	if out := p.Output(); strings.Contains(out, "ERROR") || !p.Running() {
		t.Errorf("the log:\n%s", out)
	}
}

// TestInterfaceAddressChanges serves from the new address: a node is told it, and
// loads from it.
func TestInterfaceAddressChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start("--config", "")
	s.said(p, "ready: DHCP and TFTP on eth1") // the derived text says "already: "
	s.ip("address flush dev eth1", "address add 192.168.1.14/28 broadcast + dev eth1")
	s.said(p, "derived from eth1 (192.168.1.14/28)")
	s.said(p, "the interfaces changed: reloaded, 1 subnet, 13 pool addresses")
	status, out, err := s.client.Run(patience, "dhclient", "-4", "-1", "-v", "-sf", "/bin/true", "-lf", s.path("l"), "-pf", s.path("p"), "eth0")
	if err != nil || status != 0 || !strings.Contains(out, "from 192.168.1.14") {
		t.Errorf("%d %v\n%s\n%s", status, err, out, p.Output())
	}
	pid, _ := os.ReadFile(s.path("p"))
	s.client.Run(patience, "kill", strings.TrimSpace(string(pid)))
}

// TestBridgeReformed takes an interface made of others apart and puts it together
// again, as it happens to a bond: another index, and its ports join later.
func TestBridgeReformed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := []string{"link add bond0 type bridge", "address add 192.168.1.1/28 broadcast + dev bond0", "link set bond0 up", "link set eth1 master bond0"}
	s.ip("address flush dev eth1")
	s.ip(form...)
	p := s.start("--interface", "bond0")
	s.said(p, "INFO ready: ")
	address := s.boot()
	for range 2 {
		p.Forget()
		s.ip("link del bond0")
		s.said(p, "interface bond0 does not exist: nobody is served there; waiting for it")
		s.ip(form...)
		s.said(p, "interface bond0 is up: serving again")
		s.said(p, "opening the interfaces again")
		if got := s.boot(); got != address {
			t.Errorf("%s from the bridge made anew, %s before", got, address)
		}
	}
}

// TestInterfaceMissing serves one interface while another does not exist: at the
// start, and when the first is made anew. The other is served as soon as it is
// there.
func TestInterfaceMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start("--config", "", "--interface", "eth1", "--interface", "eth2")
	s.said(p, `nobody is served there: interface eth2 does not exist; check the name with "ip link"`)
	s.said(p, "ready: DHCP and TFTP on eth1")
	address := s.boot()
	plug := func() {
		t.Helper()
		if err := s.lab.Join(s.node0, "eth2", s.client, "eth2"); err != nil {
			t.Fatal(err)
		}
		s.ip("address add 192.168.7.1/24 broadcast + dev eth2")
	}
	plug()
	s.said(p, "interface eth2 is up: serving again")
	s.said(p, "192.168.7.0")
	if status, out, err := s.client.Run(patience, "udhcpc", "-i", "eth2", "-f", "-q", "-n", "-s", "/bin/true"); err != nil || status != 0 || !strings.Contains(out, "192.168.7.") {
		t.Errorf("%d %v\n%s\n%s", status, err, out, p.Output())
	}
	s.ip("link del eth2")
	s.said(p, "interface eth2 does not exist: nobody is served there; waiting for it")
	p.Forget()
	s.ip("link del eth1")
	s.plugIn("02:00:00:00:00:01")
	s.said(p, "eth1: receive")
	if got := s.boot(); got != address {
		t.Errorf("%s from the interface made anew, %s before", got, address)
	}
	p.Forget()
	plug()
	s.said(p, "eth2: receive")
}
