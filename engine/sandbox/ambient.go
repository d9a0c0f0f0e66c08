package sandbox

import (
	"os"

	"golang.org/x/sys/unix"
)

// Ambient tells whether this thread passes capabilities on to what it executes
// without being root (capabilities(7)).
func Ambient() bool {
	if os.Geteuid() == 0 {
		return false
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		set, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c, 0, 0)
		if err == nil && set == 1 {
			return true
		}
	}
	return false
}

// PassOn prepares this thread to execute a program that has these files, and no
// capability that is ambient now.
func PassOn(files ...*os.File) error {
	for _, f := range files {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}
