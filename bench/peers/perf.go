//go:build linux

package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bootstorm/tools/lab"
)

// PerfLoad is one way of running perfdhcp (perfdhcp(8), of Kea).
type PerfLoad struct {
	Name    string // unique: "2000/s", "avalanche"
	Rate    int    // exchanges offered each second, 0: avalanche
	Clients int    // how many different ones
}

const (
	perfSeconds     = 5
	perfLimit       = 100 * time.Second // dhcpd takes half a minute for an avalanche
	perfPause       = 5 * time.Millisecond
	avalancheOf     = 10000
	slowRate        = 2000
	fastRate        = 12000
	exitWaitMicros  = "500000" // answers may come this long after the last request
	rcvbufErrorName = "RcvbufErrors"
)

// PerfLoads are the loads of a comparison: what a good server can do, what it
// cannot, and everybody at once.
func PerfLoads() []PerfLoad {
	return []PerfLoad{
		{Name: fmt.Sprintf("%d/s", slowRate), Rate: slowRate, Clients: slowRate * perfSeconds},
		{Name: fmt.Sprintf("%d/s", fastRate), Rate: fastRate, Clients: fastRate * perfSeconds},
		{Name: "avalanche", Clients: avalancheOf},
	}
}

// args is perfdhcp's command line. It stands for a relay agent on the segment.
func (l *PerfLoad) args(program string) []string {
	args := []string{program, "-4", "-l", nodesIf, "-R", strconv.Itoa(l.Clients), "-W", exitWaitMicros}
	if l.Rate == 0 {
		return append(args, "--scenario", "avalanche")
	}
	return append(args, "-r", strconv.Itoa(l.Rate), "-p", strconv.Itoa(perfSeconds))
}

// perf runs one load against one server, which is started for it.
func (o *Options) perf(ctx context.Context, s *Server, load PerfLoad, round int, root string) Perf {
	p := Perf{Round: round, Server: s.Name, Title: s.Title, Load: load.Name, Offered: load.Rate, Clients: load.Clients}
	err := func() error {
		program, err := find(o.Deps, "perfdhcp")
		if err != nil {
			return err
		}
		w, err := o.open(s, load.Clients, root, fmt.Sprintf("-perf-%s-%d", strings.ReplaceAll(load.Name, "/", ""), round))
		if err != nil {
			return err
		}
		defer w.close()
		if err := w.nodes.IP("addr add " + relayCIDR + " dev " + nodesIf); err != nil {
			return err
		}
		cpu := w.server.cpu()
		text, err := runPerf(ctx, w.nodes, load, program, o)
		p.CPU = w.server.cpu() - cpu
		p.read(text)
		p.Lost = lostBySocket(w.nodes)
		return err
	}()
	if err != nil {
		p.Error = err.Error()
	}
	return p
}

// runPerf runs perfdhcp to its end and returns what it wrote.
func runPerf(ctx context.Context, nodes *lab.Host, load PerfLoad, program string, o *Options) (string, error) {
	p, err := nodes.Start(append([]string{"taskset", "-c", strconv.Itoa(o.LoadCore)}, load.args(program)...)...)
	if err != nil {
		return "", err
	}
	defer p.Stop()
	if err := prepare(p); err != nil {
		return p.Output(), err
	}
	start := time.Now()
	for pause := perfPause; p.Running() && ctx.Err() == nil; time.Sleep(pause) {
		switch took := time.Since(start); {
		case took < time.Second:
			enlarge(p.Pid()) // a socket that it opened since
		case took > perfLimit:
			return p.Output(), fmt.Errorf("not done after %s", seconds(perfLimit))
		default:
			pause = 10 * perfPause
		}
	}
	return p.Output(), ctx.Err()
}

// prepare stops perfdhcp as soon as it has its socket, enlarges the receive
// buffer, and lets it go on: it would measure its own losses otherwise, where a
// server answers a thousand requests in a few milliseconds.
func prepare(p *lab.Process) error {
	for end := time.Now().Add(startPatience); p.Running() && time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.Pid())) // until then it is ip or taskset
		if strings.TrimSpace(string(name)) != "perfdhcp" {
			continue
		}
		if n, _ := enlarge(p.Pid()); n == 0 {
			continue
		}
		// Once more with the process at rest, lest there are other sockets.
		err := p.Signal(syscall.SIGSTOP)
		_, e := enlarge(p.Pid())
		return errors.Join(err, e, p.Signal(syscall.SIGCONT))
	}
	return errors.New("perfdhcp opens no socket: " + firstLine(p.Output()))
}

// lostBySocket is how many datagrams the kernel dropped on the host because the
// program that they were for had no room for them.
func lostBySocket(h *lab.Host) (lost int) {
	h.Do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/snmp")
		lost = counterIn(string(text), "Udp:", rcvbufErrorName)
		return err
	})
	return lost
}
