//go:build cleanroot

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// What cleanroot.sh cannot see, since no systemd runs in its root: a machine of
// namespaces is booted, with systemd as its first process and the server's interface
// in it, and the package lives there from its installation to its purge.

// patience is how long a step may take on a busy machine.
const patience = 60 * time.Second

// notChecked is said where no machine can be booted.
const notChecked = "NOT CHECKED under a running systemd: that the unit starts and is ready, that the engine has no capability, reload, " +
	"upgrade, restart, removal and purge. Run this as root of a machine, or of a container with a control group hierarchy (version 2) that it may write"

// machine is a Debian that was booted.
type machine struct {
	*testing.T
	init   int    // its process 1, as numbered here
	root   string // its file system
	groups string // its control groups, as seen here
}

// boot boots the Debian in root on a host of the lab, in a control group.
func boot(t *testing.T, root, group string, host *lab.Host) *machine {
	t.Helper()
	m := &machine{T: t, root: root, groups: group}
	// unshare takes no notice of SIGTERM: the machine is switched off first.
	p, err := host.Start("sh", "-c", `echo 0 >"$1/cgroup.procs" && shift && exec "$@"`, "sh", m.groups,
		"unshare", "--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork", "--kill-child", "--propagation", "private", "tools/package/machine.sh", root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if m.init != 0 {
			unix.Kill(m.init, unix.SIGKILL)
		}
		p.Wait(patience)
	})
	state := ""
	for end := time.Now().Add(patience); state != "running"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) || !p.Running() {
			t.Fatalf("the machine does not boot: %q\n%s\n%s", state, p.Output(), m.failures())
		}
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.Pid()))
		if m.init, _ = strconv.Atoi(strings.TrimSpace(string(children))); m.init != 0 {
			_, state = m.try("systemctl", "is-system-running")
			state = strings.TrimSpace(state)
		}
	}
	return m
}

// ownGroup makes a control group for a machine, outside of which it sees none: to its
// systemd it is the whole hierarchy.
func ownGroup(t *testing.T) string {
	t.Helper()
	all := t.TempDir()
	if err := unix.Mount("lab", all, "cgroup2", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		t.Skipf("control groups (version 2) cannot be mounted: %v. %s", err, notChecked)
	}
	t.Cleanup(func() { unix.Unmount(all, unix.MNT_DETACH) })
	group, err := os.MkdirTemp(all, "bootstorm-package-test-")
	if err != nil {
		t.Skipf("no control group can be made: %v. %s", err, notChecked)
	}
	t.Cleanup(func() { // innermost first
		var dirs []string
		filepath.WalkDir(group, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			for end := time.Now().Add(patience); unix.Rmdir(dir) == unix.EBUSY && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond) // what was killed is still ending
			}
		}
	})
	return group
}

// try runs a command on the machine.
func (m *machine) try(args ...string) (status int, output string) {
	args = append([]string{"-t", strconv.Itoa(m.init), "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"}, args...)
	cmd := exec.Command("nsenter", args...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return -1, err.Error()
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// run runs a command that has to succeed.
func (m *machine) run(args ...string) string {
	m.Helper()
	status, out := m.try(args...)
	if status != 0 {
		m.Fatalf("%s: status %d\n%s\n%s", strings.Join(args, " "), status, out, m.failures())
	}
	return out
}

// service is what the test is about.
const service = "bootstorm@eth1.service"

// failures is what the machine says when something fails.
func (m *machine) failures() string {
	if m.init == 0 {
		return ""
	}
	_, units := m.try("systemctl", "list-units", "--no-pager", "--state=failed,activating")
	_, journal := m.try("journalctl", "--no-pager", "-n", "40", "-o", "cat", "-u", service)
	return units + journal
}

// property is what systemd says of the unit.
func (m *machine) property(name string) string {
	m.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--value", "-p", name, service))
}

// ready waits until the service runs and has said that it is ready, and returns its
// main process as the machine numbers it.
func (m *machine) ready() string {
	m.Helper()
	state := ""
	for end := time.Now().Add(patience); state != "active running"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			m.Fatalf("the service is %s\n%s", state, m.failures())
		}
		state = m.property("ActiveState") + " " + m.property("SubState")
	}
	if text := m.property("StatusText"); !strings.HasPrefix(text, "DHCP and TFTP on eth1 (192.168.1.1/28)") {
		m.Errorf("the service's status is %q", text)
	}
	if status, out := m.try("bootstorm", "status"); status != 0 {
		m.Errorf("bootstorm status: %d, %s", status, out)
	}
	return m.property("MainPID")
}

// said waits until the service has logged a text n times since the machine was
// booted.
func (m *machine) said(text string, n int) {
	m.Helper()
	journal := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if journal = m.run("journalctl", "--no-pager", "-o", "cat", "-u", service); strings.Count(journal, text) >= n {
			return
		}
	}
	m.Fatalf("the service does not say %q %d times:\n%s", text, n, journal)
}

// processes are those of the service, as numbered here.
func (m *machine) processes() []string {
	m.Helper()
	text, err := os.ReadFile(filepath.Join(m.groups, m.property("ControlGroup"), "cgroup.procs"))
	if err != nil {
		m.Fatal(err)
	}
	return strings.Fields(string(text))
}

// write writes a file of the machine.
func (m *machine) write(path, text string) {
	m.Helper()
	put(m.T, filepath.Join(m.root, path), []byte(text), 0o644)
}

// node is a machine of the segment that boots by real clients.
type node struct {
	*testing.T
	host *lab.Host
	dir  string
}

// boots gets an address and the first file from the server and returns the address.
func (n node) boots(want []byte) string {
	n.Helper()
	script, got := filepath.Join(n.dir, "script"), filepath.Join(n.dir, "got")
	put(n.T, script, []byte("#!/bin/sh\n[ $1 = bound ] || exit 0\nip addr flush dev $interface scope global\nip addr add $ip/28 dev $interface\n"), 0o755)
	os.Remove(got)
	status, out, err := n.host.Run(patience, "busybox", "udhcpc", "-f", "-q", "-n", "-i", "eth0", "-s", script, "-t", "10", "-T", "2")
	_, rest, bound := strings.Cut(out, "lease of ")
	if err != nil || status != 0 || !bound {
		n.Fatalf("udhcpc: %d, %v\n%s", status, err, out)
	}
	address, _, _ := strings.Cut(rest, " ")
	if status, out, err = n.host.Run(patience, "busybox", "tftp", "-g", "-l", got, "-r", "ipxe.efi", guide.Server); err != nil || status != 0 {
		n.Fatalf("tftp: %d, %v\n%s", status, err, out)
	}
	if text, err := os.ReadFile(got); err != nil || !bytes.Equal(text, want) {
		n.Fatalf("ipxe.efi: %d bytes of %d, %v", len(text), len(want), err)
	}
	return address
}

// unpack makes the Debian that is booted, with both versions of the package.
func unpack(t *testing.T, clean string) (root string) {
	t.Helper()
	root = filepath.Join(filepath.Dir(clean), "live")
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xf", os.Getenv("BOOTSTORM_CLEAN_BASE"), "-C", root, "--exclude", "./dev/*").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"old.deb", "new.deb"} {
		text, err := os.ReadFile(filepath.Join(clean, "packages", name))
		if err != nil {
			t.Fatalf("%v: run make package-test", err)
		}
		put(t, filepath.Join(root, "packages", name), text, 0o644)
	}
	if err := guide.WriteRoot(filepath.Join(root, "srv/tftp"), os.Getenv("BOOTSTORM_DEPS")); err != nil {
		t.Fatal(err)
	}
	return root
}

// files lists the machine's files, but for what changes by itself or is dpkg's own.
func (m *machine) files() []string {
	m.Helper()
	return strings.Split(m.run("find", "/", "-xdev", "(", "-path", "/var/lib/dpkg", "-o", "-path", "/var/log", "-o", "-path", "/var/cache", "-o", "-path", "/var/tmp",
		")", "-prune", "-o", "-print"), "\n")
}

const (
	options  = "BOOTSTORM_OPTIONS=\"--log-level debug\"\n"
	ownConf  = "etc/bootstorm/dhcpd.conf"
	brokenAt = "subnet 192.168.1.0 netmask 255.255.255.240 { range 192.168.1.2 }\n"
)

// TestPackageLivesUnderSystemd installs, configures, enables, reloads, upgrades,
// restarts, removes and purges, while real clients boot.
func TestPackageLivesUnderSystemd(t *testing.T) {
	clean := os.Getenv("BOOTSTORM_CLEAN_ROOT")
	if clean == "" || os.Getenv("BOOTSTORM_CLEAN_BASE") == "" {
		t.Fatal("BOOTSTORM_CLEAN_ROOT is to be a Debian with the package, BOOTSTORM_CLEAN_BASE an archive of one without: run make package-test")
	}
	t.Chdir("../..")
	group := ownGroup(t)
	begin := time.Now()
	l := lab.ForTest(t)
	node0, err := l.Node0(guide.Address)
	if err != nil {
		t.Fatal(err)
	}
	var nodes [2]node
	for i := range nodes {
		host, err := l.Client(fmt.Sprint("node", i+1), fmt.Sprint("52:54:00:00:00:0", i+1))
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = node{T: t, host: host, dir: t.TempDir()}
	}
	root := unpack(t, clean)
	want, err := os.ReadFile(filepath.Join(root, "srv/tftp/ipxe.efi"))
	if err != nil {
		t.Fatal(err)
	}
	m := boot(t, root, group, node0)
	t.Logf("booted after %.0f s: %s", time.Since(begin).Seconds(), strings.SplitN(m.run("systemctl", "--version"), "\n", 2)[0])
	before := m.files()

	m.run("dpkg", "-i", "/packages/old.deb")
	if _, state := m.try("systemctl", "is-enabled", service); strings.TrimSpace(state) != "disabled" {
		t.Errorf("after the installation the unit is %q", state)
	}
	if got := m.property("ActiveState"); got != "inactive" {
		t.Errorf("after the installation the unit is %s", got)
	}
	m.write("etc/bootstorm/options", options)
	m.write(ownConf, string(guide.Config("52:54:00:00:00:01")))
	m.run("systemctl", "enable", "--now", service)
	first := m.ready()
	t.Log("installed, configured, enabled: " + m.property("StatusText"))
	var addresses [2]string
	for i, n := range nodes {
		addresses[i] = n.boots(want)
	}
	t.Logf("leases of %v, each with ipxe.efi, %d bytes", addresses, len(want))
	m.confined()
	m.namedInPs()
	m.limited()
	m.reloads()
	if now := m.ready(); now != first {
		t.Errorf("a reload has replaced process %s by %s", first, now)
	}

	// again checks what is to be the same after the service was started anew: the
	// leases, and the addresses of the nodes, whichever comes first.
	again := func(what, last string) (pid string) {
		t.Helper()
		if pid = m.ready(); pid == last {
			t.Errorf("%s: still process %s", what, pid)
		}
		leases := m.run("bootstorm", "leases")
		for i, n := range slices.Backward(nodes[:]) {
			if !strings.Contains(leases, addresses[i]) {
				t.Errorf("%s: no lease of %s:\n%s", what, addresses[i], leases)
			}
			if got := n.boots(want); got != addresses[i] {
				t.Errorf("%s: node %d gets %s, it had %s", what, i+1, got, addresses[i])
			}
		}
		if text, _ := os.ReadFile(filepath.Join(root, "etc/bootstorm/options")); string(text) != options {
			t.Errorf("%s: the operator's options are lost: %q", what, text)
		}
		if text, _ := os.ReadFile(filepath.Join(root, ownConf)); !bytes.Contains(text, []byte("# by the operator")) {
			t.Errorf("%s: the operator's configuration is lost", what)
		}
		t.Logf("%s: process %s (before: %s), both nodes have their addresses again; %.0f s so far", what, pid, last, time.Since(begin).Seconds())
		return pid
	}
	m.run("dpkg", "-i", "/packages/new.deb")
	second := again("upgraded to "+strings.TrimSpace(m.run("dpkg-query", "-f", "${Version}", "-W", "bootstorm")), first)
	latest := m.upgradesUnderTransfer(nodes[0])
	second = again("upgraded once more, under a transfer", second)
	m.namedInPs()
	m.run("systemctl", "restart", service)
	third := again("restarted", second)
	m.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", service)
	m.said(`"ready: `, 5)
	again("killed", third)

	m.run("dpkg", "-r", "bootstorm")
	m.stopped("removed")
	for _, path := range []string{"etc/bootstorm/options", ownConf, "var/lib/bootstorm/dhcpd.leases", "etc/systemd/system/multi-user.target.wants/" + service} {
		if _, err := os.Lstat(filepath.Join(root, path)); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
	// What was removed comes back as it was.
	if out := m.run("dpkg", "-i", latest); !strings.Contains(out, "is enabled and does not run: systemctl start "+service) {
		t.Errorf("installed again, nothing is said of the service:\n%s", out)
	}
	m.run("systemctl", "start", service)
	again("removed and installed again", "none")
	os.Remove(filepath.Join(root, latest)) // which is no part of it
	m.run("dpkg", "-P", "bootstorm")
	m.stopped("purged")
	m.left(before)
}

// confined checks what each process of the service may do: the keeper may open
// sockets, and nobody else anything; no thread is an exception.
func (m *machine) confined() {
	m.Helper()
	seen := map[string]int{}
	for _, pid := range m.processes() {
		command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		words := strings.Split(string(command), "\x00")
		if len(words) < 2 {
			m.Fatalf("process %s: %q", pid, command)
		}
		allowed := uint64(0)
		if words[1] == "keeper" {
			allowed = 1<<unix.CAP_NET_RAW | 1<<unix.CAP_NET_BIND_SERVICE
		}
		threads, _ := filepath.Glob("/proc/" + pid + "/task/*/status")
		for _, file := range threads {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // it has ended
			}
			seen[words[1]]++
			status := map[string]string{}
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(line, ":")
				status[name] = strings.TrimSpace(value)
			}
			for _, set := range []string{"CapEff", "CapPrm"} {
				if have, err := strconv.ParseUint(status[set], 16, 64); err != nil || have != allowed {
					m.Errorf("%s %s: %s %q, allowed %x", words[1], file, set, status[set], allowed)
				}
			}
			if status["NoNewPrivs"] != "1" || strings.HasPrefix(status["Uid"], "0\t") || status["Seccomp"] != "2" {
				m.Errorf("%s %s: NoNewPrivs %s, user %s, Seccomp %s", words[1], file, status["NoNewPrivs"], status["Uid"], status["Seccomp"])
			}
		}
	}
	if len(seen) != 3 || seen["serve"] == 0 || seen["keeper"] == 0 || seen["view"] == 0 {
		m.Errorf("threads by process: %v", seen)
	}
	m.Logf("threads by process: %v; CapEff and CapPrm 0 but for the keeper's sockets, NoNewPrivs 1, Seccomp 2", seen)
}

// reloads has the service read a configuration that is wrong, and one that is
// right.
func (m *machine) reloads() {
	m.Helper()
	good, err := os.ReadFile(filepath.Join(m.root, ownConf))
	if err != nil {
		m.Fatal(err)
	}
	m.write(ownConf, brokenAt)
	if status, out := m.try("systemctl", "reload", service); status == 0 {
		m.Errorf("systemctl reload does not fail for a configuration with an error\n%s", out)
	}
	m.said("the old configuration and files stay in force", 1)
	m.write(ownConf, string(good)+"# by the operator\nhost node_2 { hardware ethernet 52:54:00:00:00:02; }\n")
	m.run("systemctl", "reload", service)
	m.said(": reloaded, ", 1)
	m.Log("reloaded: a configuration with an error left aside, a good one taken")
}

// stopped checks that nothing of the package runs and that systemd has no complaint.
func (m *machine) stopped(when string) {
	m.Helper()
	if out := m.run("systemctl", "list-units", "--plain", "--no-legend", "--state=failed"); strings.TrimSpace(out) != "" {
		m.Errorf("%s: %s", when, out)
	}
	if status, _ := m.try("test", "-e", "/run/bootstorm"); status == 0 {
		m.Errorf("%s: /run/bootstorm is still there", when)
	}
	if state := m.property("ActiveState"); state != "inactive" {
		m.Errorf("%s: the service is %s", when, state)
	}
	groups, _ := filepath.Glob(filepath.Join(m.groups, "system.slice/system-bootstorm.slice/*.service"))
	if len(groups) > 0 {
		m.Errorf("%s: processes are left in %v", when, groups)
	}
}

// left checks what a purge leaves: what the operator wrote, and the user. That user
// has no files any more.
func (m *machine) left(before []string) {
	m.Helper()
	allowed := append(before, "/etc/bootstorm", "/"+ownConf, "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")
	slices.Sort(allowed)
	for _, path := range m.files() {
		if _, ok := slices.BinarySearch(allowed, path); !ok {
			m.Errorf("purged: %s is left", path)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(m.root, ownConf)); !bytes.Contains(text, []byte("# by the operator")) {
		m.Errorf("purged: %s, which the operator wrote, is gone", ownConf)
	}
	m.run("getent", "passwd", "bootstorm")
	m.Logf("purged: of %d files before the installation and after, those are left that the operator wrote, and the user", len(before))
}
