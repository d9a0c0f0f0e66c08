package peers

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"bootstorm/bench"
	"bootstorm/tools/guide"
)

// guideConf is the guide's dhcpd.conf with the network of the comparison.
func (s *Site) guideConf() string {
	first, last := s.pool()
	text := string(guide.Config(bench.DefaultFirst.String()))
	for _, r := range [][2]string{
		{"subnet 192.168.1.0 netmask 255.255.255.240", "subnet 192.168.0.0 netmask 255.255.0.0"},
		{"range 192.168.1.2 192.168.1.5", fmt.Sprintf("range %s %s", first, last)},
		{"broadcast-address 192.168.1.15", "broadcast-address 192.168.255.255"},
	} {
		text = strings.Replace(text, r[0], r[1], 1)
	}
	return text
}

// bootstorm runs out of the box, with the guide's file. It reports its garbage
// collections, which costs nothing as long as there is none.
func bootstorm(s *Site, more ...string) ([]command, error) {
	conf, err := s.write("dhcpd.conf", s.guideConf())
	return []command{{args: append([]string{s.Daemon, "serve", "--interface", serverIf, "--config", conf, "--tftp-root", s.Root,
		"--lease-file", filepath.Join(s.Dir, "dhcpd.leases")}, more...), env: []string{"GODEBUG=gctrace=1"}, ready: "INFO ready: "}}, err
}

// dnsmasqTransfers is as many as its descriptors allow: a repeated request is a
// transfer of its own there, which lasts until it has been given up.
const dnsmasqTransfers = 50000

// dnsmasq makes the same choices as the guide's dhcpd.conf. As installed it
// grants 1,000 leases, has 50 transfers at once, pings addresses first and logs
// every message (dnsmasq(8)).
func dnsmasq(s *Site, tuned bool) ([]command, error) {
	program, err := find(s.Deps, "dnsmasq")
	if err != nil {
		return nil, err
	}
	first, last := s.pool()
	args := []string{program, "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=" + serverIf, "--bind-interfaces",
		"--user=root", "--log-facility=" + filepath.Join(s.Dir, "dnsmasq.log"), "--dhcp-leasefile=" + filepath.Join(s.Dir, "dnsmasq.leases"),
		fmt.Sprintf("--dhcp-range=%s,%s,255.255.0.0,192.168.255.255,2h", first, last),
		"--enable-tftp", "--tftp-root=" + s.Root, "--dhcp-userclass=set:ipxe,iPXE", "--dhcp-match=set:x64,option:client-arch,7",
		"--dhcp-boot=tag:x64,tag:!ipxe,ipxe.efi", "--dhcp-boot=tag:x64,tag:ipxe,refind.pxe"}
	if tuned {
		args = append(args, "--dhcp-lease-max="+strconv.Itoa(max(10000, s.Clients*leasesEach)), "--tftp-max="+strconv.Itoa(dnsmasqTransfers),
			"--no-ping", "--dhcp-authoritative", "--quiet-dhcp", "--quiet-tftp")
	}
	return []command{{args: args}}, nil
}

// dhcpdTuning takes out the guide's ping check and lets one fsync serve several
// ACKs (dhcpd.conf(5): delayed-ack, max-ack-delay in microseconds).
const dhcpdTuning = "ping-check off;\nauthoritative;\ndelayed-ack 28;\nmax-ack-delay 5000;\none-lease-per-client on;\n"

// dhcpdAndHPA is the pair that the guide installs.
func dhcpdAndHPA(s *Site, tuned bool) ([]command, error) {
	text := s.guideConf()
	if tuned {
		text = dhcpdTuning + strings.Replace(text, "ping-check = 1;", "", 1)
	}
	conf, err := s.write("dhcpd.conf", text)
	if err != nil {
		return nil, err
	}
	leases, err := s.write("dhcpd.leases", "")
	if err != nil {
		return nil, err
	}
	pair := Pair{Deps: s.Deps, Interface: serverIf, Address: serverAddr, Config: conf, Leases: leases, PID: filepath.Join(s.Dir, "dhcpd.pid"), Root: s.Root}
	dhcpd, tftpd, err := pair.Commands()
	if err != nil {
		return nil, err
	}
	var env []string
	if tuned {
		names, err := s.write("nsswitch.conf", plainNames)
		if err != nil {
			return nil, err
		}
		env = []string{"LD_BIND_NOW=1"}
		tftpd = append([]string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/nsswitch.conf && exec "$@"`, names}, tftpd...)
	}
	return []command{{args: dhcpd}, {args: tftpd, env: env}}, nil
}

// plainNames is the nsswitch.conf(5) of a tuned in.tftpd. It forks for each
// request, and each child asks for its user's groups: where the machine's file
// names systemd, every one of them loads and links that library first. For the
// same reason its own symbols are bound once, before it forks (ld.so(8)).
const plainNames = "passwd: files\ngroup: files\nhosts: files\n"

// keaTuning matches by hardware address, so that a node has one lease. Kea's own
// queue (dhcp-queue-control) is not used: it drops the oldest requests, and
// completed 10 leases a second at 12,000 offered.
const keaTuning = `
  "match-client-id": false,`

// keaConf is a kea-dhcp4 configuration with the guide's choices. The classes
// compare the raw options: user class (77) and architecture (93).
func keaConf(s *Site, tuned bool) string {
	tuning, severity := "", "INFO"
	if tuned {
		tuning, severity = keaTuning, "WARN"
	}
	first, last := s.pool()
	return fmt.Sprintf(`{ "Dhcp4": {
  "interfaces-config": { "interfaces": [ "%s" ] },
  "lease-database": { "type": "memfile", "persist": true, "name": "%s", "lfc-interval": 3600 },%s
  "valid-lifetime": 7200,
  "next-server": "%s",
  "client-classes": [
    { "name": "ipxe", "test": "option[93].hex == 0x0007 and option[77].hex == 'iPXE'", "boot-file-name": "refind.pxe" },
    { "name": "x64", "test": "option[93].hex == 0x0007 and not member('ipxe')", "boot-file-name": "ipxe.efi" } ],
  "subnet4": [ { "subnet": "192.168.0.0/16", "pools": [ { "pool": "%s - %s" } ],
    "option-data": [ { "name": "routers", "data": "%s" } ] } ],
  "loggers": [ { "name": "kea-dhcp4", "severity": "%s", "output_options": [ { "output": "%s" } ] } ]
} }
`, serverIf, filepath.Join(s.Dir, "kea-leases4.csv"), tuning, serverAddr, first, last, serverAddr, severity, filepath.Join(s.Dir, "kea-dhcp4.log"))
}

// atftpdThreads is as many transfers as atftpd can have at once: it waits with
// select(2), which ends the program for a descriptor of 1,024 or above, and a
// transfer takes two, its socket and its file. A request beyond that it drops
// without a word, and the client repeats it.
const atftpdThreads = 500

// keaAndAtftpd: atftpd with the options of Debian's /etc/default/atftpd.
func keaAndAtftpd(s *Site, tuned bool) ([]command, error) {
	kea, err := find(s.Deps, "kea-dhcp4")
	if err != nil {
		return nil, err
	}
	tftpd, err := find(s.Deps, "atftpd")
	if err != nil {
		return nil, err
	}
	conf, err := s.write("kea-dhcp4.conf", keaConf(s, tuned))
	options := []string{"--maxthread", "100", "--verbose=5", "--retry-timeout", "5"}
	if tuned {
		options = []string{"--maxthread", strconv.Itoa(atftpdThreads), "--verbose=1", "--retry-timeout", "1"}
	}
	args := append([]string{tftpd, "--daemon", "--no-fork", "--user", "root.root", "--bind-address", serverAddr, "--tftpd-timeout", "300",
		"--logfile", filepath.Join(s.Dir, "atftpd.log")}, options...)
	return []command{
		{args: []string{kea, "-c", conf}, env: []string{"KEA_PIDFILE_DIR=" + s.Dir, "KEA_LOCKFILE_DIR=" + s.Dir}},
		{args: append(args, s.Root), limit: "-Sn 1024"}, // also when tuned: see atftpdThreads
	}, err
}
