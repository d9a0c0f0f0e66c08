// Package lab makes networks to test in: Node 0, client machines and the
// Ethernet segment between them, each in a network namespace of its own.
//
// Everything lives in a private world: Enter starts the program again inside
// new mount, process and network namespaces, with /run on a tmpfs. When that
// process ends, for whatever reason, the kernel ends all that was started in it
// and removes every namespace, so nothing stays behind, not even after kill -9.
// An ordinary user gets the same through a user namespace, where the kernel
// allows it.
package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// marker exists only inside a private world, because /run is its own there.
const marker = "/run/bootstorm-lab"

// setupEnv tells the restarted program that it still has to furnish its world.
const setupEnv = "BOOTSTORM_LAB_SETUP"

// Main is the body of a TestMain: it runs the tests inside a private world and
// exits with their status.
func Main(m interface{ Run() int }) {
	if err := Enter(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Inside tells whether the process runs in a private world already.
func Inside() bool {
	_, err := os.Stat(marker)
	return err == nil
}

// Enter returns nil inside a private world. Outside of one it runs the program
// again in a new one, with the same arguments, and exits with its status; it
// returns an error, which says what is missing, only when that is not possible.
func Enter() error {
	if os.Getenv(setupEnv) != "" {
		os.Unsetenv(setupEnv)
		return furnish()
	}
	if Inside() {
		return nil
	}
	// The death signal below comes when the thread that started the child ends.
	runtime.LockOSThread()
	cmd, err := restart()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, Diagnose())
	}
	os.Exit(waitAndForward(cmd))
	return nil
}

// restart starts the program in new namespaces, as root if it is root, else in
// a user namespace that makes the user root.
func restart() (*exec.Cmd, error) {
	if os.Geteuid() == 0 {
		cmd, err := start(0)
		if !errors.Is(err, unix.EPERM) {
			return cmd, err
		}
	}
	return start(unix.CLONE_NEWUSER)
}

func start(more uintptr) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), setupEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | more,
		Pdeathsig:  unix.SIGKILL,
	}
	if more != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot make a private world of namespaces: %w", err)
	}
	return cmd, nil
}

// waitAndForward passes on the signals that end a program and returns the exit
// status of the child. An interrupt from the terminal reaches the child anyway.
func waitAndForward(cmd *exec.Cmd) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	go func() {
		for s := range signals {
			cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "lab:", err)
	return 1
}

// furnish mounts what a private world needs. The process is number 1 of its
// process namespace, for which the kernel ignores signals without a handler.
func furnish() error {
	endOnSignal()
	steps := []struct {
		what                   string
		source, target, fstype string
		flags                  uintptr
	}{
		{"make mounts private", "", "/", "", unix.MS_REC | unix.MS_PRIVATE},
		{"mount /run", "lab", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV},
		{"mount /sys", "lab", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	}
	for _, s := range steps {
		if err := unix.Mount(s.source, s.target, s.fstype, s.flags, ""); err != nil {
			return fmt.Errorf("%s in the private world: %w\n%s", s.what, err, Diagnose())
		}
	}
	// In a container with parts of /proc masked the kernel refuses a new one in
	// a user namespace. The old one still serves: only its process numbers are
	// those of the outside.
	unix.Mount("lab", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		return err
	}
	return loopback()
}

func endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		s := <-signals
		os.Exit(128 + int(s.(syscall.Signal)))
	}()
}

// loopback brings up the lo of the private world's own network namespace.
func loopback() error {
	_, err := run("ip", "link", "set", "lo", "up")
	return err
}
