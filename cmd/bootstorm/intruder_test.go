package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"bootstorm/tools/lab"
)

// asIntruder, in the environment of a daemon that a test starts, names a file
// that an intruder would make.
const asIntruder = "BOOTSTORM_TEST_INTRUDER"

// intrude waits inside a process of the daemon for SIGUSR1, and then tries what
// somebody would who had taken it over. It is that process, with its threads.
func intrude(file string) {
	role := os.Args[1]
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	fmt.Fprintf(os.Stderr, "intruder in %s: waits\n", role) // a signal before this one would be lost
	<-asked
	socket := func(family, kind int) error {
		fd, err := unix.Socket(family, kind, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	_, read := os.ReadFile("/etc/shadow")
	_, self := os.ReadFile("/proc/self/mem")
	// Not a thread; with shared signal handlers but no shared memory a
	// kernel that got to see it would find it invalid, so nothing is ever forked.
	_, _, fork := syscall.RawSyscall(syscall.SYS_CLONE, unix.CLONE_SIGHAND, 0, 0)
	// The other processes of the daemon have the next numbers, or those before.
	trace, signal := error(unix.EPERM), error(unix.EPERM)
	for pid := os.Getpid() - 20; pid < os.Getpid()+20; pid++ {
		if pid <= 1 || pid == os.Getpid() {
			continue
		}
		if err := unix.PtraceAttach(pid); !errors.Is(err, unix.EPERM) {
			trace = err
		}
		if err := unix.Tgkill(pid, pid, 0); !errors.Is(err, unix.EPERM) {
			signal = err
		}
	}
	limit := unix.Rlimit{}
	_, code := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
	for _, try := range []struct {
		what string
		err  error
	}{
		{"read /etc/shadow", read},
		{"read /proc/self/mem", self},
		{"create a file", os.WriteFile(file, []byte("x"), 0o644)},
		{"packet socket", socket(unix.AF_PACKET, unix.SOCK_RAW)},
		{"UDP socket", socket(unix.AF_INET, unix.SOCK_DGRAM)},
		{"TCP socket", socket(unix.AF_INET, unix.SOCK_STREAM)},
		{"IPv6 socket", socket(unix.AF_INET6, unix.SOCK_DGRAM)},
		{"vsock socket", socket(unix.AF_VSOCK, unix.SOCK_STREAM)},
		{"alg socket", socket(unix.AF_ALG, unix.SOCK_SEQPACKET)},
		{"start a program", exec.Command("/bin/true").Run()},
		{"fork", fork},
		{"exec", unix.Exec("/bin/true", []string{"true"}, nil)},
		{"mount", unix.Mount("none", "/mnt", "tmpfs", 0, "")},
		{"ptrace of the other processes", trace},
		{"a signal to them", signal},
		{"limits of another process", unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, &limit)},
		{"unshare", unix.Unshare(unix.CLONE_NEWUSER)},
		{"become root", syscall.Setuid(0)},
		{"executable memory", code},
	} {
		word := "DONE"
		if errors.Is(try.err, unix.EPERM) || errors.Is(try.err, unix.EACCES) {
			word = "refused"
		}
		fmt.Fprintf(os.Stderr, "intruder in %s: %s: %s (%v)\n", role, try.what, word, try.err)
	}
	fmt.Fprintf(os.Stderr, "intruder in %s: end\n", role)
}

// status reads one field of a thread's status in /proc.
func status(t *testing.T, file, field string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	t.Fatalf("%s has no %s", file, field)
	return ""
}

// startConfined starts a daemon that becomes nobody, in a directory that nobody
// may enter and write leases in.
func startConfined(t *testing.T, s *site, flags ...string) *lab.Process {
	t.Helper()
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	leases := s.path("leases")
	if err := os.MkdirAll(leases, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chown(leases, 65534, 65534) // refused in a user namespace, where the daemon stays root
	return s.start(append([]string{"--user", "nobody", "--lease-file", filepath.Join(leases, "dhcpd.leases")}, flags...)...)
}

// mapped tells whether user 65534 exists here: in a user namespace it does not.
func mapped(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(text))
	return len(f) == 3 && f[2] != "1"
}

// confined checks user and rights of every thread of a process.
func confined(t *testing.T, pid int, uid, caps string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) < 3 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, file := range threads {
		for field, want := range map[string]string{"Uid": uid, "CapEff": caps, "CapPrm": caps, "CapInh": "0000000000000000",
			"CapBnd": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"} {
			if got := status(t, file, field); got != want {
				t.Errorf("%s: %s is %s, want %s", file, field, got, want)
			}
		}
	}
}

// TestPrivileges looks at every thread of a running daemon, has intruders in its
// processes try what must be refused, and then asks the daemon for all that must
// still work.
func TestPrivileges(t *testing.T) {
	s := newSite(t)
	t.Setenv(asIntruder, s.path("intruded"))
	p := startConfined(t, s)
	s.said(p, "no new privileges")
	s.said(p, "ready: ")
	s.boot()
	keeper, view := s.family(p)
	for _, role := range []string{"serve", "keeper", "view"} {
		s.said(p, "intruder in "+role+": waits")
	}
	s.ask("view.sock", "GET", "/api/summary") // what answers is confined
	uid, caps := "65534 65534 65534 65534", "0000000000000000"
	if !mapped(t) { // as root CAP_DAC_OVERRIDE, bit 1
		uid, caps = "0 0 0 0", "0000000000000002"
		s.said(p, "stays root: cannot become nobody")
	}
	confined(t, p.Pid(), uid, caps)
	confined(t, keeper, uid, "0000000000002400") // CAP_NET_BIND_SERVICE is bit 10, CAP_NET_RAW 13
	confined(t, view, uid, "0000000000000000")
	for role, pid := range map[string]int{"serve": p.Pid(), "view": view} {
		syscall.Kill(pid, syscall.SIGUSR1)
		s.said(p, "intruder in "+role+": end")
	}
	for line := range strings.Lines(p.Output()) {
		if strings.Contains(line, "intruder in ") && strings.Contains(line, ": DONE") {
			t.Error(line)
		}
	}
	// An exec that the filter lets through is stopped by Landlock.
	syscall.Kill(keeper, syscall.SIGUSR1)
	s.said(p, "intruder in keeper: end")
	for _, what := range []string{"read /etc/shadow", "create a file", "exec", "ptrace of the other processes", "mount", "unshare", "become root"} {
		if !strings.Contains(p.Output(), "intruder in keeper: "+what+": refused") {
			t.Errorf("the keeper is not refused: %s\n%s", what, p.Output())
		}
	}
	s.write("root/more.efi", "more")
	s.said(p, "boot files changed: 1 new")
	s.signal(p, syscall.SIGHUP)
	s.said(p, "SIGHUP: reloaded, ")
	s.boot()
	if text, err := os.ReadFile(s.path("leases/dhcpd.leases")); err != nil || !strings.Contains(string(text), "52:54:00:12:34:01") {
		t.Errorf("the lease file: %v\n%s", err, text)
	}
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
}

// TestConfinedReplaced serves on an interface that is made anew under a daemon
// that has given up root.
func TestConfinedReplaced(t *testing.T) {
	s := newSite(t)
	p := startConfined(t, s)
	s.said(p, "ready: ")
	s.boot()
	if err := s.node0.IP("link del eth1"); err != nil {
		t.Fatal(err)
	}
	s.said(p, "interface eth1 does not exist")
	if err := s.lab.Join(s.node0, "eth1", s.lab.Segment, "p0"); err != nil {
		t.Fatal(err)
	}
	if err := s.lab.Plug("p0"); err != nil {
		t.Fatal(err)
	}
	if err := s.node0.IP("address add 192.168.1.1/28 broadcast + dev eth1"); err != nil {
		t.Fatal(err)
	}
	s.said(p, "opening the interfaces again")
	s.said(p, "interface eth1 is up: serving again")
	s.boot()
	if _, since, _ := strings.Cut(p.Output(), "opening the interfaces again"); strings.Contains(since, "not permitted") {
		t.Errorf("something was refused:\n%s", p.Output())
	}
}

// TestStrict starts where everything can be given up, and refuses to where
// something cannot be.
func TestStrict(t *testing.T) {
	s := newSite(t)
	p := startConfined(t, s, "--sandbox", "strict")
	if !mapped(t) {
		s.ends(p, exitFailed)
		s.said(p, "--sandbox strict: sandbox: stays root: cannot become nobody")
		return
	}
	s.said(p, "ready: ")
	keeper, view := s.family(p)
	s.boot()
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	gone(t, keeper)
	gone(t, view)
	p = s.start("--user", "root", "--sandbox", "strict")
	s.ends(p, exitFailed)
	s.said(p, "--sandbox strict: sandbox: stays root, as --user says")
}

// TestLeaseDirectoryUnwritable says at the start who may not write where, and
// what to do; nothing is left running.
func TestLeaseDirectoryUnwritable(t *testing.T) {
	s := newSite(t)
	if !mapped(t) {
		t.Skip("no second user exists here")
	}
	if err := os.Mkdir(s.path("roots"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := startConfined(t, s, "--lease-file", s.path("roots/dhcpd.leases"))
	s.ends(p, exitFailed)
	s.said(p, "user nobody may not write to "+s.path("roots")+", the directory of the lease file: permission denied; \"chown nobody ")
}
