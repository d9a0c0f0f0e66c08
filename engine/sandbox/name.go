package sandbox

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxName is the longest name of a thread, without the zero at its end
// (PR_SET_NAME of prctl(2)).
const maxName = 15

// threadName is what the kernel reads; like capHeader, it does not move.
var threadName [maxName + 1]byte

// Name gives all threads of this process a name of up to 15 bytes, which ps, top
// and systemd show. A program that was started as /proc/self/exe is called "exe"
// otherwise, as one would be that hides.
func Name(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("%s is longer than a process's name can be", name)
	}
	clear(threadName[:])
	copy(threadName[:], name)
	return prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&threadName)))
}

// IgnoreOperator has this process go on when a signal meant for the engine
// reaches it as well, as with "pkill -HUP bootstorm" or "pkill bootstorm": it ends
// when the engine does. The signals are caught, not ignored, since a program that
// this one starts, as a hook's command, would go on ignoring them.
func IgnoreOperator() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGTERM)
}
