package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Host is a machine of the lab: a network namespace.
type Host struct {
	Name      string
	NS        string // name of the namespace, for ip netns exec
	Interface string // the interface on the segment, if it has one

	lab *Lab
}

// IP runs commands of ip(8), each written as on its command line without "ip".
func (h *Host) IP(commands ...string) error { return h.batch("ip", commands) }

// TC runs commands of tc(8), such as "qdisc replace dev eth1 root netem loss 3%".
func (h *Host) TC(commands ...string) error { return h.batch("tc", commands) }

func (h *Host) batch(tool string, commands []string) error {
	cmd := exec.Command(tool, "-n", h.NS, "-batch", "-")
	cmd.Stdin = strings.NewReader(lines(commands))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %s %q: %w: %s", h.Name, tool, commands, err, bytes.TrimSpace(out))
	}
	return nil
}

// WaitUp waits until an interface that was set up really carries frames. The
// kernel finishes that in the background; what is sent before is lost.
func (h *Host) WaitUp(ifname string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		out, err := run("ip", "-n", h.NS, "-o", "link", "show", "dev", ifname)
		switch {
		case err != nil:
			return err
		case strings.Contains(out, " state UP ") && !strings.Contains(out, " qdisc noop "):
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%s: %s does not come up: %s", h.Name, ifname, out)
		}
	}
}

// Command is how a command line is run on the host.
func (h *Host) Command(args ...string) []string {
	return append([]string{"ip", "netns", "exec", h.NS}, args...)
}

// Start starts a command on the host; Close of the lab stops it.
func (h *Host) Start(args ...string) (*Process, error) { return h.StartTee(nil, args...) }

// StartTee is Start with the output copied to tee as well.
func (h *Host) StartTee(tee *os.File, args ...string) (*Process, error) {
	p, err := startProcess(tee, nil, h.Command(args...)...)
	if err != nil {
		return nil, err
	}
	h.lab.onClose(func() { p.Stop() })
	return p, nil
}

// Run runs a command on the host to its end and returns its exit status and
// all that it wrote. It is an error if it cannot be started or does not end
// within limit; then it is killed.
func (h *Host) Run(limit time.Duration, args ...string) (status int, output string, err error) {
	p, err := startProcess(nil, nil, h.Command(args...)...)
	if err != nil {
		return -1, "", err
	}
	status, err = p.Wait(limit)
	if err != nil {
		p.Stop()
	}
	return status, p.Output(), err
}

// Must runs a command that has to succeed within ten seconds.
func (h *Host) Must(args ...string) (string, error) {
	status, out, err := h.Run(10*time.Second, args...)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s: %s: exit status %d: %s", h.Name, strings.Join(args, " "), status, out)
	}
	return out, err
}

// Do calls f on a thread inside the host's namespace. Sockets that f opens stay
// there. Goroutines that f starts are not in the namespace.
func (h *Host) Do(f func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread, which is in the wrong namespace for
		// everybody else, ends with this goroutine.
		runtime.LockOSThread()
		result <- h.enterAnd(f)
	}()
	return <-result
}

func (h *Host) enterAnd(f func() error) error {
	ns, err := os.Open("/run/netns/" + h.NS)
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %s: %w", h.NS, err)
	}
	return f()
}

// Offload switches segmentation offload for UDP and checksum offload of an
// interface on or off. Off, a peer on a veth sees the frames that a plain
// network card would put on the wire.
func (h *Host) Offload(ifname string, udpSegmentation, checksum bool) error {
	word := map[bool]string{false: "off", true: "on"}
	_, err := h.Must("ethtool", "-K", ifname, "tx-udp-segmentation", word[udpSegmentation], "tx-checksumming", word[checksum])
	return err
}
