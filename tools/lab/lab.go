package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Lab is a set of hosts. Its own host, Segment, holds the bridge br0 that joins
// them: the private network between Node 0 and the nodes.
type Lab struct {
	Segment *Host

	prefix string
	mu     sync.Mutex
	undo   []func() // run in reverse order by Close
}

var labs atomic.Int32

// New makes a lab with an empty segment. Programs that use it call Enter first.
func New() (*Lab, error) {
	if !Inside() {
		return nil, fmt.Errorf("lab: Enter was not called")
	}
	l := &Lab{prefix: fmt.Sprintf("l%d", labs.Add(1))}
	var err error
	if l.Segment, err = l.Host("sw"); err != nil {
		return nil, err
	}
	if err := l.Segment.IP("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "link set br0 up"); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// TB is the part of *testing.T that ForTest uses.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
	TempDir() string
}

// ForTest is New for a test: a failure ends it, and its end closes the lab.
func ForTest(t TB) *Lab {
	t.Helper()
	// What is registered first is cleaned up last: the programs that write below
	// the test's temporary folder have ended before it is removed.
	t.TempDir()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// Close stops every process that was started and removes all hosts.
func (l *Lab) Close() {
	l.mu.Lock()
	undo := l.undo
	l.undo = nil
	l.mu.Unlock()
	for i := len(undo) - 1; i >= 0; i-- {
		undo[i]()
	}
}

// onClose has f run by Close, before what was registered earlier.
func (l *Lab) onClose(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undo = append(l.undo, f)
}

// Host makes a host without interfaces other than lo: an empty namespace.
// IPv6 is off in it, so that its segment carries nothing that nobody asked for.
func (l *Lab) Host(name string) (*Host, error) {
	h := &Host{lab: l, Name: name, NS: l.prefix + "-" + name}
	if _, err := run("ip", "netns", "add", h.NS); err != nil {
		return nil, err
	}
	l.onClose(func() { run("ip", "netns", "del", h.NS) })
	if err := h.IP("link set lo up"); err != nil {
		return nil, err
	}
	return h, h.Do(quiet)
}

// quiet switches off what a host would send by itself, and the firewall hooks
// of bridges. Settings that the kernel does not have need no switching off.
func quiet() error {
	zero, _ := filepath.Glob("/proc/sys/net/bridge/bridge-nf-call-*")
	one, _ := filepath.Glob("/proc/sys/net/ipv6/conf/*/disable_ipv6")
	for _, f := range zero {
		os.WriteFile(f, []byte("0"), 0)
	}
	for _, f := range one {
		os.WriteFile(f, []byte("1"), 0)
	}
	return nil
}

// Node0 makes the serving host as in the guide: its interface eth1 with MAC
// 02:00:00:00:00:01 and the address cidr (such as 192.168.1.1/28), on the segment.
func (l *Lab) Node0(cidr string) (*Host, error) {
	h, err := l.attach("n0", "eth1", "02:00:00:00:00:01", "p0")
	if err != nil {
		return nil, err
	}
	return h, h.IP("addr add " + cidr + " broadcast + dev eth1")
}

// Client makes a client host on the segment: interface eth0, up, without an
// address. mac may be empty. The name is at most 8 bytes; the port of the
// segment's bridge bears it too.
func (l *Lab) Client(name, mac string) (*Host, error) {
	return l.attach(name, "eth0", mac, name)
}

func (l *Lab) attach(name, ifname, mac, port string) (*Host, error) {
	h, err := l.Host(name)
	if err != nil {
		return nil, err
	}
	if err := l.Join(h, ifname, l.Segment, port); err != nil {
		return nil, err
	}
	if err := l.Plug(port); err != nil {
		return nil, err
	}
	if mac != "" {
		if err := h.IP("link set " + ifname + " address " + mac); err != nil {
			return nil, err
		}
	}
	h.Interface = ifname
	return h, nil
}

// Join connects two hosts with a cable of their own: a veth pair, both ends up.
func (l *Lab) Join(a *Host, ifA string, b *Host, ifB string) error {
	if _, err := run("ip", "-n", a.NS, "link", "add", ifA, "type", "veth", "peer", "name", ifB, "netns", b.NS); err != nil {
		return err
	}
	if err := a.IP("link set " + ifA + " up"); err != nil {
		return err
	}
	if err := b.IP("link set " + ifB + " up"); err != nil {
		return err
	}
	return errors.Join(a.WaitUp(ifA), b.WaitUp(ifB))
}

// Plug puts an interface of the host Segment into the segment, and waits until the
// bridge forwards for it. The kernel comes to that up to a second later, and what
// is sent before is lost.
func (l *Lab) Plug(port string) error {
	if err := l.Segment.IP("link set " + port + " master br0"); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		out, err := run("bridge", "-n", l.Segment.NS, "link", "show", "dev", port)
		switch {
		case err != nil:
			return err
		case strings.Contains(out, " state forwarding "):
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the bridge does not forward for %s: %s", port, out)
		}
	}
}

// Tap makes a tap device on the segment, for a virtual machine that is started
// on the host Segment.
func (l *Lab) Tap(name string) error {
	return l.Segment.IP("tuntap add "+name+" mode tap", "link set "+name+" master br0 up")
}

// lines joins commands for the batch mode of ip(8), tc(8) and bridge(8).
func lines(commands []string) string { return strings.Join(commands, "\n") + "\n" }
