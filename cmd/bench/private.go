package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"bootstorm/tools/lab"
)

// private enters the private world, which runs the program again in there, with a
// priority.
func private(nice int) error {
	if err := prioritize(nice); err != nil {
		return err
	}
	if err := lab.Enter(); err != nil {
		return err
	}
	return apart(nice)
}

// interruptible is a context that ends with the signals at which the lab would end
// the program: there are files to remove first.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// prioritize sets the priority of this thread and of what it starts.
func prioritize(nice int) error {
	if nice == 0 {
		return nil
	}
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, nice); err != nil {
		return fmt.Errorf("--nice: %w", err)
	}
	return nil
}

// apart makes a session of the private world. Where the kernel shares out the
// processor by session first (sched(7), autogroup), priorities count only within
// one: the session gets the priority, too.
func apart(nice int) error {
	if nice == 0 {
		return nil
	}
	if _, err := unix.Setsid(); err != nil {
		return fmt.Errorf("setsid: %w", err)
	}
	err := os.WriteFile("/proc/self/autogroup", []byte(strconv.Itoa(nice)), 0o644)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // this kernel has none
	}
	return err
}
