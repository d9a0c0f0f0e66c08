//go:build linux

package peers

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bootstorm/tools/lab"
)

// running is a server at work in a namespace.
type running struct {
	processes []*lab.Process
	meters    []*meter
	logs      []string // files with what the daemons wrote
}

const (
	startPatience = 20 * time.Second
	settle        = 300 * time.Millisecond // after the ports are bound: dhcpd binds some before its last preparation
)

// limits are the file descriptors that a service gets from systemd by default,
// and what an expert gives to one that serves thousands.
var limits = map[bool]string{false: "-Sn 1024", true: "-n 65536"}

// start starts the daemons of a server on node0, pinned to a core, and waits
// until both ports are bound.
func start(node0 *lab.Host, s *Server, site *Site, core int) (*running, error) {
	commands, err := s.commands(site)
	if err != nil {
		return nil, err
	}
	r := new(running)
	for i, c := range commands {
		log := filepath.Join(site.Dir, fmt.Sprintf("output-%d", i+1))
		// A shell stops until it is measured, redirects, sets the limit, and
		// becomes the daemon: so nothing that the daemon starts is missed.
		args := append([]string{"env"}, c.env...)
		args = append(args, "taskset", "-c", strconv.Itoa(core), "sh", "-c", `kill -STOP $$; log=$0; ulimit $1; shift; exec "$@" >"$log" 2>&1 </dev/null`,
			log, cmp.Or(c.limit, limits[s.Tuned]))
		p, err := node0.Start(append(args, c.args...)...)
		if err != nil {
			return r, err
		}
		r.processes, r.logs = append(r.processes, p), append(r.logs, log)
		m, err := r.attach(p)
		if err != nil {
			return r, err
		}
		r.meters = append(r.meters, m)
	}
	if err := r.waitReady(node0); err != nil {
		return r, err
	}
	if s.Tuned {
		for _, p := range r.processes {
			if n, err := enlarge(p.Pid()); err != nil || n == 0 {
				return r, fmt.Errorf("receive buffers: %d of process %d enlarged: %w", n, p.Pid(), err)
			}
		}
	}
	return r, nil
}

// attach waits until the shell has stopped, attaches a meter and lets it go on.
func (r *running) attach(p *lab.Process) (*meter, error) {
	for end := time.Now().Add(startPatience); ; time.Sleep(2 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
		if f := afterName(string(text)); len(f) > 0 && f[0] == "T" {
			break
		}
		if err != nil || !p.Running() || time.Now().After(end) {
			return nil, fmt.Errorf("it cannot be started: %s", p.Output())
		}
	}
	m := attach(p.Pid())
	return m, p.Signal(syscall.SIGCONT)
}

// waitReady waits until the ports for DHCP and TFTP are bound.
func (r *running) waitReady(node0 *lab.Host) error {
	for end := time.Now().Add(startPatience); ; time.Sleep(20 * time.Millisecond) {
		for i, p := range r.processes {
			if !p.Running() {
				return fmt.Errorf("it ended at once: %s", r.words(i))
			}
		}
		var table []byte
		err := node0.Do(func() (err error) {
			table, err = os.ReadFile("/proc/thread-self/net/udp")
			return err
		})
		if err != nil {
			return err
		}
		if bound(string(table), 67) && bound(string(table), 69) {
			time.Sleep(settle)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("ports 67 and 69 are not both bound after %s:\n%s", startPatience, r.words(0)+r.words(len(r.logs)-1))
		}
	}
}

// bound tells whether a UDP port is in the kernel's table (/proc/net/udp: the
// second field is ADDRESS:PORT in hexadecimal).
func bound(table string, port int) bool {
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasSuffix(f[1], suffix) {
			return true
		}
	}
	return false
}

// words are the last lines that a daemon wrote.
func (r *running) words(i int) string {
	const lines = 8
	text, _ := os.ReadFile(r.logs[i])
	all := strings.Split(strings.TrimSpace(string(text)+"\n"+r.processes[i].Output()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n") + "\n"
}

// collections is how many garbage collections the daemons have reported (the
// environment variable GODEBUG=gctrace=1 makes a Go program write a line for
// each), those of before the storm included.
func (r *running) collections() (n int) {
	for _, name := range r.logs {
		text, _ := os.ReadFile(name)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "gc ") && strings.Contains(line, " @") {
				n++
			}
		}
	}
	return n
}

// cpu is what the server has used since it was started.
func (r *running) cpu() (sum time.Duration) {
	for _, m := range r.meters {
		sum += m.read()
	}
	return sum
}

// pids are the processes of the server now.
func (r *running) pids() (all []int) {
	for _, p := range r.processes {
		all = append(all, tree(p.Pid())...)
	}
	return all
}

// dead says which daemon has ended and what it wrote last, "" if none has.
func (r *running) dead() string {
	for i, p := range r.processes {
		if !p.Running() {
			status, _ := p.Wait(0)
			return fmt.Sprintf("daemon %d, exit status %d (-1: a signal) %s", i+1, status, firstLine(r.words(i)))
		}
	}
	return ""
}

// stop ends everything that start started.
func (r *running) stop() (err error) {
	for _, m := range r.meters {
		m.close()
	}
	for _, p := range r.processes {
		if e := p.Stop(); !errors.Is(e, lab.ErrKilled) {
			err = errors.Join(err, e)
		}
	}
	return err
}
