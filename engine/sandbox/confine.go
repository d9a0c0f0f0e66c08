package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Paths are what the daemon may still reach when it runs.
type Paths struct {
	Read  []string // directories; one that is missing stands for the next one above it that is there
	Write []string // directories that exist

	Sockets bool // the process opens sockets itself: there is no keeper
}

// resolver are the files that host names in a configuration are looked up with.
var resolver = []string{"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/localtime"}

// dnsPort is where name servers listen.
const dnsPort = 53

// Confine leaves the engine the paths and the system calls of its loops, and no
// capability, unless it has to open sockets itself.
func Confine(p Paths) *Report {
	r := &Report{}
	set := uint64(0)
	if p.Sockets {
		set = needed
	}
	if err := keep(set | superuserOf()); err != nil {
		r.lacks("%v", err)
	}
	r.done("keeps %s, no new privileges", held())
	r.landlock(landlocked(p), fmt.Sprintf("reads %s, writes %s", join(p.Read), join(p.Write)))
	r.seccomp(engineRules(p.Sockets))
	return r
}

// landlock notes what became of the Landlock rules.
func (r *Report) landlock(err error, what string) {
	if err != nil {
		r.lacks("no Landlock rules: %v", err)
	} else if level, err := ll.LandlockGetABIVersion(); err != nil || level < 1 {
		r.lacks("no Landlock rules: this kernel has none; files are guarded by their owners and modes alone")
	} else {
		r.done("Landlock level %d: %s", level, what)
	}
}

// seccomp puts a filter on the process and notes what became of it.
func (r *Report) seccomp(rules rules) {
	n, err := rules.filter()
	if err != nil {
		r.lacks("no seccomp filter: %v", err)
		return
	}
	exec := "no exec"
	if slices.Contains(rules.names, "execve") {
		exec = "exec of itself alone"
	}
	r.done("seccomp: %d system calls, %s", n, exec)
}

// landlocked applies the rules, as far as the kernel knows them. Signals and
// abstract Unix sockets stay out of them: systemd may listen on one of those.
func landlocked(p Paths) error {
	var read []string
	for _, dir := range p.Read {
		if there, ok := nearest(dir); ok {
			read = append(read, there)
		}
	}
	// Level 9 would take the path of the notify socket away.
	c := landlock.V8.BestEffort()
	err := c.RestrictPaths(landlock.RODirs(read...), landlock.RWDirs(p.Write...), landlock.ROFiles(resolver...).IgnoreIfMissing())
	if err != nil {
		return fmt.Errorf("paths: %w", err)
	}
	if err := c.RestrictNet(landlock.ConnectTCP(dnsPort)); err != nil {
		return fmt.Errorf("TCP: %w", err)
	}
	return nil
}

// nearest finds the directory, or the first above it that exists; the root of
// the file system is none.
func nearest(dir string) (string, bool) {
	dir, err := filepath.Abs(dir)
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, true
		}
	}
	return "", false
}
