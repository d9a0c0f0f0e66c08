//go:build cleanroot

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bootstorm/tools/guide"
)

// large is a file whose transfer, block for block by a client of the simplest kind,
// takes longer than dpkg does between its first step and the new server.
const large = "large.img"

// conffile is what a later version of the package brings under the name of the
// operator's options, and dpkg would ask about.
const conffile = "# of a later version\nBOOTSTORM_OPTIONS=\"--log-level error\"\n"

// later makes a later version of the package, with other options.
func (m *machine) later() (path string) {
	m.Helper()
	dir := filepath.Join(m.root, "packages/later")
	for _, args := range [][]string{{"dpkg-deb", "-R", filepath.Join(m.root, "packages/new.deb"), dir}, {"sed", "-i", "s/^Version: .*/&+later/", dir + "/DEBIAN/control"}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			m.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	put(m.T, dir+"/etc/bootstorm/options", []byte(conffile), 0o644)
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "-b", dir, dir+".deb").CombinedOutput(); err != nil {
		m.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	os.RemoveAll(dir)
	return "/packages/later.deb"
}

// loaded is how a node got a file: with how many attempts, and in how long.
type loaded struct {
	attempts int
	took     time.Duration
}

// keepsLoading loads a file over and over until told to end, each until it is
// complete, as a machine does that starts its boot anew.
func (n node) keepsLoading(end <-chan struct{}, first chan<- struct{}, want []byte) (all []loaded) {
	got := filepath.Join(n.dir, "large")
	for {
		x, begin := loaded{}, time.Now()
		for complete := false; !complete; x.attempts++ {
			if time.Since(begin) > patience {
				n.Errorf("%s is not complete after %d attempts in %v", large, x.attempts, patience)
				return all
			}
			os.Remove(got)
			status, _, err := n.host.Run(patience, "busybox", "tftp", "-g", "-l", got, "-r", large, guide.Server)
			if complete = err == nil && status == 0; complete {
				if text, err := os.ReadFile(got); err != nil || !bytes.Equal(text, want) {
					n.Errorf("%s: %d bytes of %d are not those that were served, %v", large, len(text), len(want), err)
				}
			}
		}
		x.took = time.Since(begin)
		all = append(all, x)
		if len(all) == 1 {
			close(first)
		}
		select {
		case <-end:
			return all
		default:
		}
	}
}

// upgradesUnderTransfer installs a later version while a node loads files, and
// with a conffile that both the operator and the package have changed: the node gets
// its files whole, the operator keeps his, and the service runs with it. It
// returns the package's path.
func (m *machine) upgradesUnderTransfer(n node) (deb string) {
	m.Helper()
	want := make([]byte, 32<<20)
	rand.NewChaCha8([32]byte{1}).Read(want)
	put(m.T, filepath.Join(m.root, "srv/tftp", large), want, 0o644)
	m.said("boot files changed: 1 new", 1)
	deb = m.later()
	last := m.property("MainPID")
	end, first, done := make(chan struct{}), make(chan struct{}), make(chan []loaded, 1)
	go func() { done <- n.keepsLoading(end, first, want) }()
	select {
	case <-first: // the second has begun
	case <-time.After(patience):
		m.Fatalf("%s is not loaded\n%s", large, m.failures())
	}
	begin := time.Now()
	status, out := m.try("dpkg", "--force-confold", "-i", deb)
	upgrade := time.Since(begin)
	close(end)
	if status != 0 {
		m.Fatalf("dpkg: %d\n%s", status, out)
	}
	all := <-done
	if now := m.ready(); now == last {
		m.Errorf("the upgrade has not started the new program: still process %s", last)
	}
	slowest, failed := loaded{}, 0
	for _, x := range all {
		failed += x.attempts - 1
		if x.took > slowest.took {
			slowest = x
		}
	}
	if len(all) < 2 {
		m.Errorf("%d files were loaded around the upgrade", len(all))
	}
	m.Logf("upgraded in %.1f s while a node loaded %d bytes again and again: %d files, all whole; %d attempts were broken off; the first took %.1f s, the slowest %.1f s in %d attempts",
		upgrade.Seconds(), len(want), len(all), failed, all[0].took.Seconds(), slowest.took.Seconds(), slowest.attempts)
	for line := range strings.Lines(m.run("journalctl", "--no-pager", "-o", "cat", "-u", service)) {
		if strings.Contains(line, "before the restart") || strings.Contains(line, "transfers: ") || strings.Contains(line, "msg\":\"stopped") {
			m.Log(strings.TrimSpace(line))
		}
	}
	os.Remove(filepath.Join(m.root, "srv/tftp", large))
	m.keptConffile()
	return deb
}

// keptConffile checks that the operator's options are there and in force, and the
// package's beside them.
func (m *machine) keptConffile() {
	m.Helper()
	for path, want := range map[string]string{"etc/bootstorm/options": options, "etc/bootstorm/options.dpkg-dist": conffile} {
		if text, err := os.ReadFile(filepath.Join(m.root, path)); err != nil || string(text) != want {
			m.Errorf("after the upgrade %s is %q, %v", path, text, err)
		}
	}
	line := m.run("cat", "/proc/"+m.property("MainPID")+"/cmdline")
	if words := strings.ReplaceAll(line, "\x00", " "); !strings.Contains(words, " --log-level debug") {
		m.Errorf("the service does not run with the operator's options: %s", words)
	}
	m.Log("a conffile that the operator and the package have changed: his is kept and in force, the package's is beside it")
}

// limited checks the limits of the unit in the kernel's own files (control groups,
// version 2), where this machine may have those controllers.
func (m *machine) limited() {
	m.Helper()
	dir := filepath.Join(m.groups, m.property("ControlGroup"))
	for file, unit := range map[string]string{"memory.max": "MemoryMax", "pids.max": "TasksMax"} {
		want := m.property(unit)
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			m.Logf("NOT CHECKED: %s=%s in the kernel: there is no %s, since this machine's control groups of version 2 have no such controller (those of version 1 may have it)", unit, want, file)
			continue
		}
		got := strings.TrimSpace(string(text))
		if _, err := strconv.ParseUint(got, 10, 64); err != nil || got != want {
			m.Errorf("%s is %s in the unit and %s in %s", unit, want, got, file)
		}
		now, _ := os.ReadFile(filepath.Join(dir, strings.Replace(file, "max", "current", 1)))
		m.Logf("%s: %s, in use %s", unit, got, strings.TrimSpace(string(now)))
	}
}

// namedInPs checks how the operator sees the processes.
func (m *machine) namedInPs() {
	m.Helper()
	seen := map[string]bool{}
	for _, pid := range m.processes() {
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		seen[strings.TrimSpace(string(name))] = true
	}
	if len(seen) != 3 || !seen["bootstorm"] || !seen["bootstorm-keep"] || !seen["bootstorm-view"] {
		m.Errorf("the processes of the service are called %v", seen)
	}
}
