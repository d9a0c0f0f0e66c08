package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/proto/dhcp"
)

// TestServe is one life: start, a lease, the end.
func TestServe(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("bootstorm test starts on eth1")
	s.said("the boot file \"ipxe.efi\" is not below")
	s.said("leases: 0 in ")
	s.said("eth1: in memory")
	if line := s.said("ready: "); line != "ready: DHCP and TFTP on eth1 (192.168.1.1/28); 1 subnet, 4 addresses in pools, 1 host; 0 boot files" {
		t.Error(line)
	}
	if a := n.sock().lease(t, nodeMAC(1)); a.String() != "192.168.1.2" {
		t.Error(a)
	}
	s.said("192.168.1.2 leased to 52:54:00:12:34:01 (node_1) for 2 hours")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
	s.said("stopping")
	s.said("stopped: ")
	r, err := lease.Read(filepath.Join(s.dir, "dhcpd.leases"))
	if err != nil || len(r.Leases) != 1 || r.Leases[0].State != batch.LeaseActive {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRestart finds the leases of the life before.
func TestRestart(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	first := n.sock().lease(t, nodeMAC(7))
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	again := serve(t, n, guideText, func(c *Config) { c.LeaseFile = filepath.Join(s.dir, "dhcpd.leases") })
	again.said("leases: 1 in ")
	again.said("ready: ")
	n.sock().deliver(dhcpFrame(nodeMAC(8), dhcp.Discover, 0, 0))
	if a := dhcp.View(n.sock().reply(t)).YIAddr(); a == first {
		t.Errorf("%v is offered to another node", a)
	}
	if a := n.sock().lease(t, nodeMAC(7)); a != first {
		t.Errorf("%v, had %v", a, first)
	}
}

// TestReload brings a new configuration into force, refuses a broken one, and
// gives an address that left the configuration its lease back when it returns.
func TestReload(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	had := n.sock().lease(t, nodeMAC(1))
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 4 pool addresses, 1 host, 0 classes; boot files unchanged")

	s.write(strings.Replace(guideText, "range 192.168.1.2 192.168.1.5", "range 192.168.1.5 192.168.1.6", 1) +
		"host node_2 { hardware ethernet 52:54:00:12:34:02; }")
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 2 pool addresses (4 before), 2 hosts (1 before), 0 classes; boot files unchanged")
	if a := n.sock().lease(t, nodeMAC(2)); a.String() != "192.168.1.5" {
		t.Errorf("%v is not in the new range", a)
	}

	s.write("subnet 192.168.1.0 netmask 255.255.255.240 { rang 192.168.1.2; }")
	hangUp(t)
	line := s.said("SIGHUP: the old configuration and files stay in force: the configuration ")
	if !strings.Contains(line, "dhcpd.conf:1:") || !strings.Contains(line, "^") {
		t.Errorf("the finding is not rendered:\n%s", line)
	}
	if a := n.sock().lease(t, nodeMAC(2)); a.String() != "192.168.1.5" {
		t.Errorf("%v after a refused reload", a)
	}

	s.write(guideText)
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 4 pool addresses (2 before)")
	for node := byte(20); node < 22; node++ { // two of four are taken
		if a := n.sock().lease(t, nodeMAC(node)); a == had {
			t.Errorf("%v is given to another node", a)
		}
	}
	if a := n.sock().lease(t, nodeMAC(1)); a != had {
		t.Errorf("%v, had %v before the mistaken reload", a, had)
	}
	if err := os.Remove(filepath.Join(s.dir, "dhcpd.conf")); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	s.said("stay in force: configuration file ")
}

// hangUp sends this process, and so the server in it, a SIGHUP.
func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// TestDerived serves without a configuration file, and follows the interface.
func TestDerived(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, "")
	line := s.said("no configuration file: derived from eth1 (192.168.1.1/28):\n")
	if !strings.Contains(line, "subnet 192.168.1.0 netmask 255.255.255.240 {") {
		t.Error(line)
	}
	s.said("ready: ")
	if a := n.sock().lease(t, nodeMAC(1)); a.String() != "192.168.1.2" {
		t.Error(a)
	}
	n.set("eth1", true)
	s.said("the interfaces changed: the old configuration and files stay in force: no interface has an IPv4 address")
	n.set("eth1", true, "192.168.1.17")
	s.said("no configuration file: derived from eth1 (192.168.1.17/28):\n")
	s.said("the interfaces changed: reloaded")
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	if a := dhcp.View(n.sock().reply(t)).YIAddr(); a.String() != "192.168.1.18" {
		t.Errorf("%v after the interface's address changed", a)
	}
}

// TestSeveralDerived derives a configuration for each of two interfaces.
func TestSeveralDerived(t *testing.T) {
	n := newNetwork()
	n.set("eth2", true, "10.0.0.1")
	s := serve(t, n, "", func(c *Config) { c.Interfaces = []string{"eth1", "eth2"} })
	s.said("no configuration file: derived from eth1 (192.168.1.1/28), eth2 (10.0.0.1/28):\n")
	s.said("ready: DHCP and TFTP on eth1 (192.168.1.1/28), eth2 (10.0.0.1/28); 2 subnets, 26 addresses in pools")
}

// TestDefaultFiles uses the first of the usual files that declares a subnet.
func TestDefaultFiles(t *testing.T) {
	old := DefaultFiles
	defer func() { DefaultFiles = old }()
	dir := t.TempDir()
	DefaultFiles = []string{filepath.Join(dir, "bootstorm.conf"), filepath.Join(dir, "dhcpd.conf")}
	usual := func(c *Config) {
		c.world.exists = func(path string) bool { _, err := os.Stat(path); return err == nil }
		c.Interfaces = []string{"eth1", "eth1"}
	}
	put := func(i int, text string) {
		t.Helper()
		if err := os.WriteFile(DefaultFiles[i], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(1, "default-lease-time 600;\n")
	s := serve(t, newNetwork(), "", usual)
	s.said("dhcpd.conf declares no subnet and is left aside; name it with --config if it is meant")
	s.said("no configuration file: derived from eth1")
	s.said("ready: DHCP and TFTP on eth1 (192.168.1.1/28); 1 subnet, 13 addresses")
	put(0, guideText)
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 4 pool addresses (13 before), 1 host (0 before)")
}

// TestWait starts on an interface that appears, comes up and gets an address
// only later.
func TestWait(t *testing.T) {
	n := newNetwork()
	n.remove("eth1")
	s := serve(t, n, guideText)
	s.said("waiting: interface eth1 does not exist; check the name with \"ip link\", it is served as soon as it is there")
	n.set("eth1", false)
	s.said("waiting: interface eth1 is down; \"ip link set eth1 up\"")
	n.set("eth1", true)
	s.said("waiting: interface eth1 has no IPv4 address; \"ip address add ADDRESS/PREFIX dev eth1\"")
	n.set("eth1", true, "192.168.1.1")
	s.said("ready: ")
}

// TestStopWhileWaiting ends cleanly, though it never was ready.
func TestStopWhileWaiting(t *testing.T) {
	n := newNetwork()
	n.set("eth1", false)
	s := serve(t, n, guideText)
	s.said("waiting: ")
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestLinkChanges follows an interface that goes down, changes, vanishes and is
// made again.
func TestLinkChanges(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	n.set("eth1", false, "192.168.1.1")
	s.said("interface eth1 is down: nobody is served there; waiting for it to come up")
	n.set("eth1", true, "192.168.1.1")
	s.said("interface eth1 is up: serving again")
	n.set("eth1", true)
	s.said("interface eth1 has lost its address: nobody is served there until it has one")
	n.set("eth1", true, "192.168.1.14")
	s.said("the interfaces changed: DHCP and TFTP on eth1 (192.168.1.14/28)")
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	var o dhcp.Options
	o.Parse(n.sock().reply(t))
	if id, _ := o.Uint32(dhcp.OptServerID); id != uint32(addr("192.168.1.14")) {
		t.Errorf("server identifier %x after the address changed", id)
	}
	n.remove("eth1")
	s.said("interface eth1 does not exist: nobody is served there; waiting for it")
	n.mu.Lock()
	n.stale = []string{"eth1"}
	n.mu.Unlock()
	n.set("eth1", true, "192.168.1.14")
	s.said("opening the interfaces again")
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && n.sock().pop() == nil; time.Sleep(5 * time.Millisecond) {
		n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.opened != 2 {
		t.Errorf("opened %d times", n.opened)
	}
}

// TestOwnAddress never gives away the server's own address, though the range
// covers it and though the lease file says otherwise, and says so.
func TestOwnAddress(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, strings.Replace(guideText, "192.168.1.2 192.168.1.5", "192.168.1.1 192.168.1.2", 1), func(c *Config) {
		l := batch.Lease{Addr: addr("192.168.1.1"), State: batch.LeaseActive, Ends: batch.Forever, HW: dhcp.HW{Type: 1, Len: 6}}
		copy(l.HW.Addr[:], []byte{0x52, 0x54, 0, 0x12, 0x34, 1})
		if err := os.WriteFile(c.LeaseFile, lease.AppendRecord(nil, &l), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	s.said("the server's own address 192.168.1.1 is in a range (")
	s.said("ready: ")
	if a := n.sock().lease(t, nodeMAC(1)); a.String() != "192.168.1.2" {
		t.Error(a)
	}
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Discover, 0, 0))
	s.said("no address is free: all 2 of 192.168.1.1 to 192.168.1.2 (subnet 192.168.1.0/28) are leased")
	s.write(guideText)
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 4 pool addresses (2 before)")
	s.write(strings.Replace(guideText, "192.168.1.2 192.168.1.5", "192.168.1.1 192.168.1.3", 1))
	hangUp(t)
	s.said("SIGHUP: reloaded, 1 subnet, 3 pool addresses (4 before)")
	for node := byte(2); node < 4; node++ {
		n.sock().deliver(dhcpFrame(nodeMAC(node), dhcp.Discover, 0, 0))
	}
	s.said("no address is free: all 3 of 192.168.1.1 to 192.168.1.3")
}

// TestNoSubnet warns of an interface that the configuration forgets.
func TestNoSubnet(t *testing.T) {
	n := newNetwork()
	n.set("eth2", true, "10.0.0.1")
	s := serve(t, n, guideText, func(c *Config) { c.Interfaces = []string{"eth1", "eth2"} })
	s.said("nobody gets an address on eth2: no subnet is declared for interface eth2 (10.0.0.1/28)")
	s.said("ready: ")
	if strings.Contains(s.text(), "nobody gets an address on eth1") {
		t.Error(s.text())
	}
}

// TestLosses warns of frames that were lost, once for each loss.
func TestLosses(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	for range 2 {
		sock := n.sock()
		sock.mu.Lock()
		sock.stat.KernelDrops += 7
		sock.stat.Dropped += 3
		sock.mu.Unlock()
		s.said("7 frames were lost in the kernel")
		s.said("3 frames could not be sent")
	}
}

// TestStartErrors are the messages of a start that cannot succeed.
func TestStartErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		change func(n *network, c *Config)
		want   string
	}{
		"no interface":     {guideText, func(_ *network, c *Config) { c.Interfaces = nil }, "name one with --interface"},
		"no such file":     {"", func(_ *network, c *Config) { c.File = "/nonexistent/dhcpd.conf" }, "name another with --config"},
		"no Ethernet":      {guideText, func(_ *network, c *Config) { c.Interfaces = []string{"lo"} }, "has no Ethernet address"},
		"bad file":         {"subnet 1.2.3.4;", func(*network, *Config) {}, "cannot be used:\n"},
		"port taken":       {guideText, func(n *network, _ *Config) { n.taken = errors.New("port 67 is taken by dhcpd (pid 7)") }, "taken by dhcpd"},
		"no packet socket": {guideText, func(n *network, _ *Config) { n.openErr = syscall.EPERM }, "not permitted"},
		"lease file":       {guideText, func(_ *network, c *Config) { c.LeaseFile = "/proc/x/dhcpd.leases" }, "give another --lease-file"},
	} {
		n := newNetwork()
		s := serve(t, n, c.text, func(conf *Config) { c.change(n, conf) })
		select {
		case err := <-s.end:
			s.end <- err
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the server runs", name)
		}
	}
}

// TestWireFails ends the server when the sockets fail for good, so that systemd
// starts it again.
func TestWireFails(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	sock := n.sock()
	sock.mu.Lock()
	sock.fail = syscall.EIO
	sock.mu.Unlock()
	select {
	case err := <-s.end:
		s.end <- err
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "the worker failed") {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the server runs on")
	}
}
