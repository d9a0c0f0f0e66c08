package clients

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/tools/lab"
)

// subnet is a configuration with the guide's pool of four and leases of a
// number of seconds; more stands in the subnet.
func subnet(seconds int, more string) string {
	return fmt.Sprintf(`default-lease-time %d;
max-lease-time %d;
option domain-name "lab.example";
subnet 192.168.1.0 netmask 255.255.255.0 {
  range 192.168.1.2 192.168.1.5;
  option routers 192.168.1.1;
  next-server 192.168.1.1;
  %s
}
`, seconds, seconds, more)
}

// dhclientScript configures the interface and keeps what the client was told.
// Once, when told to, it fails on a new lease, which dhclient takes for a
// conflict and answers with DHCPDECLINE (dhclient-script(8)).
const dhclientScript = `#!/bin/sh
case $reason in
PREINIT) ip link set dev $interface up ;;
BOUND|RENEW|REBIND|REBOOT)
	if [ "$reason" = BOUND ] && rm "$0.decline" 2>/dev/null; then exit 1; fi
	env >"$0.env"
	ip addr flush dev $interface scope global
	ip addr add $new_ip_address/$new_subnet_mask dev $interface ;;
EXPIRE|FAIL|RELEASE|STOP) ip addr flush dev $interface scope global ;;
esac
exit 0
`

// dhclientConf has the client renew after 2 s and rebind after 5 s, instead of
// half and 7/8 of the lease's time (dhclient.conf(5)).
const dhclientConf = "supersede dhcp-renewal-time 2;\nsupersede dhcp-rebinding-time 5;\n"

// dhclient starts ISC dhclient in the foreground.
func (s *site) dhclient(h *lab.Host, args ...string) *lab.Process {
	s.Helper()
	if s.read("script") == "" {
		s.write("script", dhclientScript)
		s.write("dhclient.conf", dhclientConf)
	}
	p, err := h.Start(append([]string{"dhclient", "-4", "-d", "-v", "-sf", s.path("script"), "-cf", s.path("dhclient.conf"),
		"-lf", s.path(h.Name + ".leases"), "-pf", s.path(h.Name + ".pid")}, append(args, h.Interface)...)...)
	s.must(err)
	return p
}

func TestDhclientAcquires(t *testing.T) {
	s := newSite(t, subnet(600, `filename "ipxe.efi"; option ntp-servers 192.168.1.1;`))
	s.serve()
	c := s.client("c1", macOf(1))
	p := s.dhclient(c)
	s.said(p, "bound to 192.168.1.2 -- renewal in")
	if got := s.address(c); got != "192.168.1.2/24" {
		t.Errorf("address %q", got)
	}
	told := s.read("script.env")
	for _, want := range []string{"new_routers=192.168.1.1", "new_domain_name=lab.example", "new_dhcp_lease_time=600",
		"new_subnet_mask=255.255.255.0", "new_dhcp_server_identifier=192.168.1.1", "new_next_server=192.168.1.1"} {
		if !strings.Contains(told, want+"\n") {
			t.Errorf("the client was not told %s", want)
		}
	}
	for _, step := range []string{"DHCPDISCOVER on eth0", "DHCPOFFER of 192.168.1.2 from 192.168.1.1", "DHCPREQUEST for 192.168.1.2", "DHCPACK of 192.168.1.2 from 192.168.1.1"} {
		if n := strings.Count(p.Output(), step); n != 1 {
			t.Errorf("%s: %d times, want once", step, n)
		}
	}
	s.inState("192.168.1.2", "active")
}

// TestDhclientRenews waits for T1, when the client asks its server by unicast.
func TestDhclientRenews(t *testing.T) {
	s := newSite(t, subnet(60, ""))
	s.serve()
	p := s.dhclient(s.client("c1", macOf(1)))
	s.times(p, "DHCPACK of 192.168.1.2", 3, 3*patience)
	if out := p.Output(); !strings.Contains(out, "DHCPREQUEST for 192.168.1.2 on eth0 to 192.168.1.1 port 67") {
		t.Errorf("no renewal by unicast:\n%s", out)
	} else if strings.Contains(out, "EXPIRE") || strings.Count(out, "DHCPDISCOVER") != 1 {
		t.Errorf("the lease was not kept:\n%s", out)
	}
}

// TestDhclientRebinds takes the server away until the client asks everybody
// (T2), then brings it back with the leases that it has on disk.
func TestDhclientRebinds(t *testing.T) {
	s := newSite(t, subnet(60, ""))
	s.serve()
	p := s.dhclient(s.client("c1", macOf(1)))
	s.said(p, "bound to 192.168.1.2")
	s.stop()
	// The first one belongs to the first lease.
	s.times(p, "DHCPREQUEST for 192.168.1.2 on eth0 to 255.255.255.255 port 67", 2, 2*patience)
	s.serve()
	s.times(p, "bound to 192.168.1.2", 2, 3*patience) // the client asks less and less often
	if n := strings.Count(p.Output(), "DHCPDISCOVER"); n != 1 {
		t.Errorf("%d DISCOVERs: the lease was lost:\n%s", n, p.Output())
	}
}

// TestDhclientReboots: a client that remembers its lease asks for it
// (INIT-REBOOT, RFC 2131 section 3.2), also of a server that was restarted.
func TestDhclientReboots(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	c := s.client("c1", macOf(1))
	p := s.dhclient(c)
	s.said(p, "bound to 192.168.1.2")
	s.must(p.Stop())
	s.stop()
	s.serve()
	p = s.dhclient(c)
	s.said(p, "bound to 192.168.1.2")
	if out := p.Output(); strings.Contains(out, "DHCPDISCOVER") || !strings.Contains(out, "DHCPREQUEST for 192.168.1.2") {
		t.Errorf("no INIT-REBOOT:\n%s", out)
	}
}

// foreignLease is a lease of another network in dhclient's file.
const foreignLease = `lease {
  interface "eth0"; fixed-address 10.9.8.7; option subnet-mask 255.255.255.0; option dhcp-lease-time 864000;
  option dhcp-message-type 5; option dhcp-server-identifier 10.9.8.1;
  renew 2 2037/01/01 00:00:00; rebind 3 2037/01/02 00:00:00; expire 4 2037/01/03 00:00:00;
}
`

// TestForeignLease: an authoritative server refuses it at once, another one
// keeps silent and serves the DISCOVER that follows.
func TestForeignLease(t *testing.T) {
	cases := []struct {
		name, config string
		nak          bool
	}{{"authoritative", "authoritative;\n", true}, {"not authoritative", "", false}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.config+subnet(600, ""))
			s.serve()
			s.write("c1.leases", foreignLease)
			p := s.dhclient(s.client("c1", macOf(1)))
			_, err := p.WaitLine("bound to 192.168.1.2", 4*patience)
			s.must(err)
			if got := strings.Contains(p.Output(), "DHCPNAK"); got != c.nak {
				t.Errorf("NAK %v, want %v:\n%s", got, c.nak, p.Output())
			}
		})
	}
}

func TestDhclientReleases(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	c := s.client("c1", macOf(1))
	p := s.dhclient(c)
	s.said(p, "bound to 192.168.1.2")
	s.must(p.Stop())
	status, out, err := c.Run(patience, "dhclient", "-4", "-r", "-v", "-sf", s.path("script"), "-cf", s.path("dhclient.conf"), "-lf", s.path("c1.leases"), "-pf", s.path("c1.pid"), "eth0")
	s.must(err)
	if status != 0 || !strings.Contains(out, "DHCPRELEASE of 192.168.1.2") {
		t.Fatalf("status %d:\n%s", status, out)
	}
	s.givenBack("192.168.1.2")
}

// TestDhclientDeclines: an address that the client declines is taken out of
// service, and the client gets another one.
func TestDhclientDeclines(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	s.write("script.decline", "")
	p := s.dhclient(s.client("c1", macOf(1)))
	s.said(p, "DHCPDECLINE of 192.168.1.2")
	s.inState("192.168.1.2", "abandoned")
	_, err := p.WaitLine("bound to 192.168.1.3", 2*patience) // dhclient waits ten seconds after a DECLINE
	s.must(err)
}

// udhcpcScript sets the address; udhcpc(8).
const udhcpcScript = `#!/bin/sh
case $1 in
deconfig) ip addr flush dev $interface scope global; ip link set $interface up ;;
bound|renew) ip addr flush dev $interface scope global; ip addr add $ip/${mask:-24} dev $interface; env >"$0.env" ;;
esac
exit 0
`

// udhcpc is the command line of busybox udhcpc, in the foreground.
func (s *site) udhcpc(args ...string) []string {
	s.Helper()
	if s.read("udhcpc") == "" {
		s.write("udhcpc", udhcpcScript)
	}
	return append([]string{"busybox", "udhcpc", "-f", "-i", "eth0", "-s", s.path("udhcpc"), "-t", "3", "-T", "2"}, args...)
}

func TestUdhcpcLife(t *testing.T) {
	s := newSite(t, subnet(600, `filename "ipxe.efi";`))
	s.serve()
	c := s.client("c1", macOf(1))
	p, err := c.Start(s.udhcpc("-x", "hostname:node-1", "-O", "bootfile", "-V", "lab-vendor")...)
	s.must(err)
	s.said(p, "lease of 192.168.1.2 obtained from 192.168.1.1, lease time 600")
	for end := time.Now().Add(patience); s.read("udhcpc.env") == "" && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond) // the script runs after the line
	}
	if env := s.read("udhcpc.env"); !strings.Contains(env, "boot_file=ipxe.efi") || !strings.Contains(env, "siaddr=192.168.1.1") {
		t.Errorf("the client was told:\n%s", env)
	}
	s.must(p.Signal(unix.SIGUSR1)) // renew now
	s.times(p, "lease of 192.168.1.2 obtained", 2, patience)
	s.must(p.Signal(unix.SIGUSR2)) // release now
	s.said(p, "unicasting a release of 192.168.1.2 to 192.168.1.1")
	s.givenBack("192.168.1.2")
	if !strings.Contains(s.read("dhcpd.leases"), `client-hostname "node-1";`) {
		t.Errorf("the host name is not in the journal:\n%s", s.read("dhcpd.leases"))
	}
}

// TestUdhcpcVariants: the broadcast flag, no client identifier, a wish.
func TestUdhcpcVariants(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	cases := []struct {
		name string
		args []string
		want string
	}{
		{"broadcast", []string{"-B"}, "192.168.1.2"},
		{"without client identifier", []string{"-C"}, "192.168.1.3"},
		{"wishes an address", []string{"-r", "192.168.1.5"}, "192.168.1.5"},
		{"wishes one of another network", []string{"-r", "10.1.1.1"}, "192.168.1.4"},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := s.client(fmt.Sprint("v", i), macOf(i+1))
			status, out, err := h.Run(patience, s.udhcpc(append(c.args, "-n", "-q")...)...)
			if err != nil || status != 0 || !strings.Contains(out, "lease of "+c.want+" obtained") {
				t.Errorf("status %d, %v, want %s:\n%s", status, err, c.want, out)
			}
		})
	}
}

// TestPoolExhaustion: the fifth client gets nothing until an address is free.
func TestPoolExhaustion(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	var holders []*lab.Process
	for i := 1; i <= 4; i++ {
		p, err := s.client(fmt.Sprint("c", i), macOf(i)).Start(s.udhcpc("-R")...)
		s.must(err)
		s.said(p, "obtained from 192.168.1.1")
		holders = append(holders, p)
	}
	fifth := s.client("c5", macOf(5))
	status, out, err := fifth.Run(patience, s.udhcpc("-n", "-q", "-T", "1")...)
	if err != nil || status == 0 || !strings.Contains(out, "no lease") {
		t.Fatalf("status %d, %v; want no lease:\n%s", status, err, out)
	}
	s.must(holders[2].Stop()) // -R: releases when it ends
	s.givenBack("192.168.1.4")
	status, out, err = fifth.Run(patience, s.udhcpc("-n", "-q")...)
	if err != nil || status != 0 || !strings.Contains(out, "lease of 192.168.1.4 obtained") {
		t.Errorf("status %d, %v; want the address that was given back:\n%s\n%s", status, err, out, s.server.Output())
	}
}

// givenBack waits until the journal says that an address is not leased any more.
func (s *site) givenBack(addr string) {
	s.Helper()
	for end := time.Now().Add(patience); s.state(addr) == "active"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.must(fmt.Errorf("%s is still active:\n%s", addr, s.read("dhcpd.leases")))
		}
	}
}

// TestFourMachinesOnFourAddresses: firmware, iPXE and system of a machine
// present different client identifiers. Each machine keeps its address through
// all of them and through any number of boots, and nobody goes without.
func TestFourMachinesOnFourAddresses(t *testing.T) {
	s := newSite(t, subnet(600, ""))
	s.serve()
	identities := [][]string{
		{"-C"},                                // firmware: none
		{},                                    // iPXE: hardware type and MAC address
		{"-C", "-x", "0x3d:ff00112233445566"}, // system: a DUID (RFC 4361)
		{"-C", "-x", "0x3d:00aabbccdd"},
	}
	var machines []*lab.Host
	for i := 1; i <= 4; i++ {
		machines = append(machines, s.client(fmt.Sprint("m", i), macOf(i)))
	}
	had := map[int]string{}
	for boot := range 3 {
		for machine := 1; machine <= 4; machine++ {
			for _, id := range identities {
				status, out, err := machines[machine-1].Run(patience, s.udhcpc(append(id, "-n", "-q")...)...)
				got := leased.FindStringSubmatch(out)
				if err != nil || status != 0 || got == nil {
					t.Fatalf("boot %d of machine %d as %v: status %d, %v:\n%s", boot+1, machine, id, status, err, out)
				}
				if had[machine] == "" {
					had[machine] = got[1]
				}
				if got[1] != had[machine] {
					t.Errorf("boot %d of machine %d as %v: %s, had %s", boot+1, machine, id, got[1], had[machine])
				}
			}
		}
	}
	var all []string
	for _, a := range had {
		all = append(all, a)
	}
	slices.Sort(all)
	if want := "[192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5]"; fmt.Sprint(all) != want {
		t.Errorf("addresses %v, want %s", all, want)
	}
}

var leased = regexp.MustCompile(`lease of (\S+) obtained`)

// TestPerfdhcp has 500 clients of a relay ask within five seconds.
func TestPerfdhcp(t *testing.T) {
	s := newSite(t, `default-lease-time 600;
subnet 192.168.1.0 netmask 255.255.255.0 { }
subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.1.1 10.1.9.254; option routers 10.1.0.9; }
`)
	s.serve()
	s.must(s.node0.IP("route add 10.1.0.0/16 via 192.168.1.9"))
	c := s.client("relay", "")
	s.must(c.IP("addr add 192.168.1.9/24 dev eth0", "addr add 10.1.0.9/32 dev eth0"))
	const clients = 500
	status, out, err := c.Run(4*patience, "perfdhcp", "-4", "-l", "10.1.0.9", "-r", "100", "-R", fmt.Sprint(clients), "-n", fmt.Sprint(clients), "-W", "1000000", "192.168.1.1")
	s.must(err)
	// 0: every DISCOVER and REQUEST was answered (perfdhcp(8): 3 if not all were).
	if status != 0 {
		t.Errorf("status %d:\n%s", status, out)
	}
	// It counts to -n and then stops its threads: a few more may be under way.
	var sent, received int
	parts := strings.Split(out, "***Statistics for: ")[1:]
	for _, part := range parts {
		fmt.Sscanf(part[strings.Index(part, "sent packets:"):], "sent packets: %d\nreceived packets: %d", &sent, &received)
		if sent < clients || received != sent {
			t.Errorf("%d sent, %d answered:\n%s", sent, received, out)
		}
	}
	if len(parts) != 2 {
		t.Errorf("%d exchanges instead of two:\n%s", len(parts), out)
	}
	if n := strings.Count(s.read("dhcpd.leases"), "binding state active;"); n < clients {
		t.Errorf("%d leases in the journal, want %d", n, clients)
	}
}
