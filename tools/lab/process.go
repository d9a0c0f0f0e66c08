package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopPatience is how long Stop waits between SIGTERM and SIGKILL.
const stopPatience = 5 * time.Second

// Process is a command that runs in the background. What it writes to standard
// output and standard error is kept, together, in the order of arrival.
type Process struct {
	Args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu     sync.Mutex
	output bytes.Buffer
	tee    *os.File
	grown  chan struct{} // replaced, after being closed, at each write
}

// startProcess starts args in a process group of its own.
func startProcess(tee *os.File, env []string, args ...string) (*Process, error) {
	p := &Process{Args: args, done: make(chan struct{}), grown: make(chan struct{}), tee: tee}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A grandchild that keeps the pipe open must not keep Wait from returning.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(args, " "), err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Write keeps output of the command; it is not for callers.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output.Write(b)
	if p.tee != nil {
		p.tee.Write(b)
	}
	close(p.grown)
	p.grown = make(chan struct{})
	return len(b), nil
}

// Output is what the command has written so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Forget drops what the command has written so far: WaitLine then finds only what
// comes after, and a run of hours takes no more memory.
func (p *Process) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output = bytes.Buffer{}
}

func (p *Process) snapshot() (string, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String(), p.grown
}

// Pid is the process id inside the private world.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Running tells whether the command has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// WaitLine waits until a line of the output contains text, and returns that
// line. It fails at once when the command ends without having written it.
func (p *Process) WaitLine(text string, limit time.Duration) (string, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		ended := !p.Running() // before the look at the output: what it wrote last is seen
		out, grown := p.snapshot()
		if line, ok := findLine(out, text); ok {
			return line, nil
		}
		if ended {
			return "", fmt.Errorf("%s ended (%s) without writing %q:\n%s", p.Args[0], p.cmd.ProcessState, text, out)
		}
		select {
		case <-grown:
		case <-p.done:
		case <-timer.C:
			return "", fmt.Errorf("%s did not write %q within %s:\n%s", p.Args[0], text, limit, out)
		}
	}
}

func findLine(out, text string) (string, bool) {
	for line := range strings.Lines(out) {
		if strings.Contains(line, text) {
			return strings.TrimRight(line, "\r\n"), true
		}
	}
	return "", false
}

// Signal sends s to the command itself.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Wait waits for the end of the command and returns its exit status, -1 if a
// signal ended it.
func (p *Process) Wait(limit time.Duration) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return -1, fmt.Errorf("%s still runs after %s:\n%s", strings.Join(p.Args, " "), limit, p.Output())
	}
}

// ErrKilled says that a command ignored SIGTERM and had to be killed.
var ErrKilled = errors.New("had to be killed")

// Stop ends the command with SIGTERM to its process group, then SIGKILL. It is
// not an error if it had ended before.
func (p *Process) Stop() error {
	group := -p.Pid()
	defer unix.Kill(group, unix.SIGKILL) // what it may have left behind
	if !p.Running() {
		return nil
	}
	unix.Kill(group, unix.SIGTERM)
	if _, err := p.Wait(stopPatience); err == nil {
		return nil
	}
	unix.Kill(group, unix.SIGKILL)
	<-p.done
	return fmt.Errorf("%s %w after %s", p.Args[0], ErrKilled, stopPatience)
}

// run runs a command of the lab itself to its end.
func run(args ...string) (string, error) {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return string(out), nil
}
