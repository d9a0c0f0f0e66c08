package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

// written is what migrate wrote, file by file, with times of the machine left out.
func written(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "==> %s\n%s", e.Name(), text)
	}
	return b.String()
}

// TestMigrateHosts takes over whole hosts: what is shown, what is written, and
// that check accepts it. The trees are the guide's pair, a dhcpd and tftpd-hpa
// that have grown, and a dnsmasq with tags for architectures.
func TestMigrateHosts(t *testing.T) {
	for name, args := range map[string][]string{"guide": nil, "grown": nil, "dnsmasq": {"--address", "192.168.50.1/24"}} {
		t.Run(name, func(t *testing.T) {
			tree := "testdata/migrate/" + name
			if name == "dnsmasq" { // the leases began when the file was written
				at := time.Unix(1795840000, 0)
				if err := os.Chtimes(tree+"/var/lib/misc/dnsmasq.leases", at, at); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			flags := append([]string{"migrate", "--root", tree, "--write", dir}, args...)
			status, out, errs := call(flags...)
			if status != 0 || errs != "" {
				t.Fatalf("status %d\n%s%s", status, out, errs)
			}
			golden(t, "migrate-"+name, strings.ReplaceAll(out, dir, "DIR"))
			golden(t, "migrate-"+name+"-files", written(t, dir))
			check := []string{"check", filepath.Join(dir, "dhcpd.conf"), "--tftp-root", dir}
			if _, err := os.Stat(filepath.Join(dir, "dhcpd.leases")); err == nil {
				check = append(check, "--lease-file", filepath.Join(dir, "dhcpd.leases"))
			}
			if status, out, errs := call(check...); status != 0 {
				t.Errorf("check does not accept the result:\n%s%s", out, errs)
			}
		})
	}
}

// TestMigrateChangesNothingUnasked: without --write the tree and the working
// directory stay as they are, and what is there is never overwritten.
func TestMigrateChangesNothingUnasked(t *testing.T) {
	status, out, _ := call("migrate", "--root", "testdata/migrate/guide")
	if status != 0 || !strings.Contains(out, "Nothing was changed. To write the result: bootstorm migrate --root testdata/migrate/guide --write /etc/bootstorm\n") {
		t.Errorf("status %d\n%s", status, out)
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "dhcpd.conf")
	if err := os.WriteFile(conf, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, errs := call("migrate", "--root", "testdata/migrate/guide", "--write", dir)
	text, _ := os.ReadFile(conf)
	if status != 1 || string(text) != "mine" || !strings.Contains(errs, "is there already, and nothing was written") {
		t.Errorf("status %d, the file holds %.20q\n%s", status, text, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "dhcpd.leases")); err == nil {
		t.Error("a part of the result was written")
	}
	// With --force the old file is kept, as often as that is asked for.
	for _, kept := range []string{"dhcpd.conf.old", "dhcpd.conf.old2"} {
		if status, out, errs = call("migrate", "--root", "testdata/migrate/guide", "--write", dir, "--force"); status != 0 || !strings.Contains(out, kept) {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
	}
	if text, _ := os.ReadFile(conf + ".old"); string(text) != "mine" {
		t.Errorf("the file put aside holds %.20q", text)
	}
}

// TestMigrateSaysWhatIsWrong are hosts with nothing to take over, or with what
// only the operator can settle.
func TestMigrateSaysWhatIsWrong(t *testing.T) {
	const dhcpd = "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20; }\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		flags []string
		want  string
	}{
		{"nothing there", nil, nil, "NOTHING TO TAKE OVER"},
		{"dnsmasq for DNS alone", map[string]string{"etc/dnsmasq.conf": "server=9.9.9.9\n"}, nil, "NOTHING TO TAKE OVER"},
		{"both", map[string]string{"etc/dhcp/dhcpd.conf": dhcpd, "etc/dnsmasq.conf": "dhcp-range=10.0.0.1,10.0.0.2\n"}, nil, "--from dhcpd or --from dnsmasq"},
		{"the guide's placeholder", map[string]string{"etc/dhcp/dhcpd.conf": dhcpd + "host a { hardware ethernet xx:xx:xx:xx:xx:xx; }\n"}, nil, "NOT USABLE"},
		{"a server that is not there", map[string]string{"etc/dhcp/dhcpd.conf": dhcpd}, []string{"--from", "dnsmasq"}, "no configuration of dnsmasq"},
		{"another server", map[string]string{"etc/dhcp/dhcpd.conf": dhcpd}, []string{"--from", "kea"}, "dhcpd and dnsmasq are what can be taken over"},
		{"an address without its prefix", nil, []string{"--address", "10.0.0.1"}, "an IPv4 address with its prefix is wanted"},
		{"no such tree", nil, []string{"--root", "/nonexistent"}, "is no directory"},
		{"Kea", map[string]string{"etc/kea/kea-dhcp4.conf": "{}"}, nil, "Kea's configuration is not read"},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		status, out, errs := call(append([]string{"migrate", "--root", dir}, c.flags...)...)
		if status == 0 || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: status %d\n%s%s", c.name, status, out, errs)
		}
	}
}

// TestMigratedBootFilesAreThoseOfDnsmasq asks the real dnsmasq for each kind of
// client and compares with what the converted configuration gives it.
func TestMigratedBootFilesAreThoseOfDnsmasq(t *testing.T) {
	l := lab.ForTest(t)
	node0, err := l.Node0("192.168.50.1/24")
	if err != nil {
		t.Fatal(err)
	}
	client, err := l.Client("c", "52:54:00:aa:00:50")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.IP("addr add 192.168.50.250/24 dev eth0", "route add default dev eth0"); err != nil {
		t.Fatal(err)
	}
	// dnsmasq gets the tree's lines on boot files, without what needs more of the
	// machine, and not the services: dnsmasq offers those as a menu.
	tree := t.TempDir()
	text, err := os.ReadFile("testdata/migrate/dnsmasq/etc/dnsmasq.d/pxe.conf")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^(pxe-.*|enable-tftp|tftp-.*|.*odd.*)\n`).ReplaceAllString(string(text), "")
	conf := filepath.Join(tree, "etc/dnsmasq.conf")
	lines = "port=0\ninterface=eth1\nno-ping\ndhcp-range=192.168.50.100,192.168.50.199,255.255.255.0,1h\ndhcp-host=52:54:00:aa:00:03,set:rescue\n" + lines
	if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	server, err := node0.Start("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--user=root", "--conf-file="+conf,
		"--dhcp-leasefile="+filepath.Join(tree, "leases"), "--pid-file="+filepath.Join(tree, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WaitLine("started", 20*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, server.Output())
	}
	result := t.TempDir()
	if status, out, errs := call("migrate", "--root", tree, "--address", "192.168.50.1/24", "--write", result); status != 0 {
		t.Fatal(out, errs)
	}
	file := regexp.MustCompile(`boot file \(file\) +"([^"]*)"`)
	seen := map[string]bool{}
	for _, mac := range []string{"52:54:00:aa:00:50", "52:54:00:aa:00:03"} {
		for _, arch := range []byte{0, 6, 7, 9, 11} {
			for _, ipxe := range []bool{false, true} {
				want := askDnsmasq(t, client, mac, arch, ipxe)
				args := []string{"explain", "--config", filepath.Join(result, "dhcpd.conf"), "--tftp-root", result, "--lease-file", filepath.Join(result, "none"),
					"--mac", mac, "--arch", fmt.Sprint(arch)}
				if ipxe {
					args = append(args, "--user-class", "iPXE")
				}
				_, out, errs := call(args...)
				m := file.FindStringSubmatch(out)
				if m == nil || m[1] != want {
					t.Errorf("%s, architecture %d, iPXE %v: dnsmasq says %q, explain says\n%s%s", mac, arch, ipxe, want, out, errs)
				}
				seen[want] = true
			}
		}
	}
	if len(seen) < 6 {
		t.Errorf("only %d different files were asked for: %v", len(seen), seen)
	}
}

// askDnsmasq sends a DISCOVER from the client's host and returns the boot file of
// the answer.
func askDnsmasq(t *testing.T, client *lab.Host, mac string, arch byte, ipxe bool) string {
	t.Helper()
	hw, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	m := make([]byte, 240, 548)
	copy(m, []byte{1, 1, 6, 0, 1, 2, hw[4], hw[5] + arch, 0, 0, 0x80, 0})
	copy(m[28:], hw)
	copy(m[236:], []byte{99, 130, 83, 99})
	m = append(m, 53, 1, 1, 93, 2, 0, arch, 55, 2, 66, 67)
	m = append(m, append([]byte{60, 32}, fmt.Sprintf("PXEClient:Arch:%05d:UNDI:003001", arch)...)...)
	if ipxe {
		m = append(m, 77, 4, 'i', 'P', 'X', 'E')
	}
	m = append(m, 255)
	m = m[:548]
	var answer []byte
	err = client.Do(func() error {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{Port: 68})
		if err != nil {
			return err
		}
		defer c.Close()
		answer = make([]byte, 1500)
		for range 5 { // the first may come before dnsmasq listens
			if _, err := c.WriteTo(m, &net.UDPAddr{IP: net.IPv4bcast, Port: 67}); err != nil {
				return err
			}
			c.SetReadDeadline(time.Now().Add(4 * time.Second))
			n, _, err := c.ReadFrom(answer)
			if err == nil && n >= 240 {
				answer = answer[:n]
				return nil
			}
		}
		return fmt.Errorf("dnsmasq does not answer %s, architecture %d", mac, arch)
	})
	if err != nil {
		t.Fatal(err)
	}
	if name, _, _ := strings.Cut(string(answer[108:236]), "\x00"); name != "" {
		return name
	}
	for o := answer[240:]; len(o) > 2 && o[0] != 255; o = o[2+int(o[1]):] {
		if o[0] == 67 {
			return strings.TrimRight(string(o[2:2+int(o[1])]), "\x00")
		}
	}
	return ""
}
