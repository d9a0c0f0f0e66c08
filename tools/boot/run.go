package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// run is one execution of the command.
type run struct {
	options
	lab      *lab.Lab
	node0    *lab.Host
	capture  *lab.Capture
	server   *lab.Process
	machines []*machine
	started  time.Time

	pair   *lab.Process // dhcpd, where the guide's pair serves and server is in.tftpd
	more   string       // appended to the guide's dhcpd.conf
	toMenu bool         // rEFInd's menu is the end, not the local disk
}

// goal is the number of stages that a boot has.
func (r *run) goal() int {
	if r.toMenu {
		return menuStage + 1
	}
	return len(stages)
}

// say prints a progress line with the time since the start.
func (r *run) say(format string, args ...any) {
	fmt.Printf("%7.1f s  %s\n", time.Since(r.started).Seconds(), fmt.Sprintf(format, args...))
}

func (r *run) file(name string) string { return filepath.Join(r.out, name) }

// build makes what the machines and the server need: TFTP root, configuration,
// the disk's image.
func (r *run) build() error {
	if err := guide.WriteRoot(r.file("tftp"), os.Getenv("BOOTSTORM_DEPS")); err != nil {
		return err
	}
	if err := os.WriteFile(r.file("dhcpd.conf"), append(guide.Config(macOf(1)), r.more...), 0o644); err != nil {
		return err
	}
	return makeDisk(r.file("disk.img"))
}

// network makes Node 0 and starts the capture, on the far end of Node 0's cable.
// Without segmentation offload that shows what a network card would send.
func (r *run) network() (err error) {
	if r.node0, err = r.lab.Node0(guide.Address); err != nil {
		return err
	}
	if err = r.node0.Offload(r.node0.Interface, false, false); err != nil {
		return err
	}
	r.capture, err = r.lab.Segment.Capture("p0", r.file("boot.pcap"))
	return err
}

// serve starts the server and waits until it is ready.
func (r *run) serve() error {
	log, err := os.Create(r.file("server.log"))
	if err != nil {
		return err
	}
	command := []string{r.bootstorm, "serve", "--interface", r.node0.Interface, "--config", r.file("dhcpd.conf"),
		"--tftp-root", r.file("tftp"), "--lease-file", r.file("dhcpd.leases"), "--run-dir", r.file("run")}
	if r.options.server != "" {
		command = []string{"env", "LAB_IF=" + r.node0.Interface, "LAB_CONF=" + r.file("dhcpd.conf"), "LAB_ROOT=" + r.file("tftp"),
			"LAB_LEASES=" + r.file("dhcpd.leases"), "sh", "-c", r.options.server}
	}
	if r.server, err = r.node0.StartTee(log, command...); err != nil {
		return err
	}
	if r.options.server != "" {
		return r.waitBound()
	}
	line, err := r.server.WaitLine("ready: ", 15*time.Second)
	if err == nil {
		r.say("Node 0: %s", line[strings.Index(line, "ready: "):])
	}
	return err
}

// waitBound waits until some process has bound the DHCP and TFTP ports.
func (r *run) waitBound() error {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		table, err := r.node0.Must("cat", "/proc/self/net/udp")
		if err != nil {
			return err
		}
		if strings.Contains(table, ":0043 ") && strings.Contains(table, ":0045 ") {
			r.say("Node 0: the server has bound UDP 67 and 69")
			return nil
		}
	}
	return fmt.Errorf("the server did not bind UDP 67 and 69:\n%s", r.server.Output())
}

func (r *run) powerOn() error {
	for i := 1; i <= r.options.machines; i++ {
		m := &machine{number: i, dir: r.file(fmt.Sprintf("node%d", i))}
		if err := m.powerOn(r); err != nil {
			return err
		}
		r.machines = append(r.machines, m)
	}
	what := "a machine is"
	if r.options.machines > 1 {
		what = fmt.Sprintf("%d machines are", r.options.machines)
	}
	r.say("%s switched on; a boot takes about 20 s of processor time", what)
	return nil
}

// watch follows the machines' consoles until all have booted often enough.
func (r *run) watch() error {
	for end := time.Now().Add(r.timeout); ; time.Sleep(100 * time.Millisecond) {
		done := 0
		for _, m := range r.machines {
			if err := m.follow(r); err != nil {
				return err
			}
			if m.done(r) {
				done++
			}
		}
		switch {
		case done == len(r.machines):
			return nil
		case !r.server.Running():
			return fmt.Errorf("the server ended")
		case time.Now().After(end):
			return fmt.Errorf("not all machines have booted within %s", r.timeout)
		}
	}
}

// explain adds to an error what helps to understand it.
func (r *run) explain(err error) error {
	var b strings.Builder
	for _, m := range r.machines {
		if !m.done(r) {
			fmt.Fprintf(&b, "\n%s %s; end of its console:\n%s", m, m.where(), indent(m.lastLines(6)))
			m.screenshot("failed.png")
		}
	}
	if r.server != nil {
		fmt.Fprintf(&b, "\nend of the server's log:\n%s", indent(tail(r.server.Output(), 8)))
	}
	return fmt.Errorf("%w%s\nlogs, capture and screenshots are in %s", err, b.String(), r.out)
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ")
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
