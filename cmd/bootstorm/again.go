package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"bootstorm/engine/keeper"
)

// A service manager gives a process that is not root its capabilities as ambient
// ones (capabilities(7)). To give them up takes capset(2), a call that systemd
// counts among those of the privileged, and that the unit refuses. But a program
// that is executed while nothing is ambient has none. So serve, started that way,
// starts the keeper, which needs them, and then executes itself again, in the same
// process; the keeper opens the first sockets, too.

// againVariable hands over what was begun, through the environment: the descriptor
// and the process of the keeper, and the descriptors of the memory for frames.
const againVariable = "BOOTSTORM_AGAIN"

// ambient tells whether this process passes capabilities on to what it executes
// without being root.
func ambient() bool {
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

// executeAgain executes this program again with nothing ambient. It returns only
// if that fails. The caller has locked its thread, whose the ambient set is.
func executeAgain(started *keeper.Started, frames []*os.File) error {
	words := []string{fmt.Sprint(started.Conn.Fd()), fmt.Sprint(started.PID)}
	for _, f := range frames {
		words = append(words, fmt.Sprint(f.Fd()))
	}
	program, err := os.Executable()
	if there, e := os.Stat(program); err != nil || e != nil || !isRunning(there) {
		program = keeper.Program // the file was replaced
	}
	for _, f := range append(frames, started.Conn) {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	return &os.PathError{Op: "execute", Path: program, Err: syscall.Exec(program, os.Args, append(os.Environ(), againVariable+"="+strings.Join(words, ",")))}
}

// isRunning tells whether a file is the program of this process.
func isRunning(file os.FileInfo) bool {
	mine, err := os.Stat(keeper.Program)
	return err == nil && os.SameFile(mine, file)
}

// takeOver goes on with what executeAgain handed over.
func (o *serveOptions) takeOver(text string) (*keeper.Client, error) {
	os.Unsetenv(againVariable)
	var numbers []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%s=%s in the environment: only the program itself sets it; start it without", againVariable, text)
		}
		numbers = append(numbers, n)
	}
	if len(numbers) < 2 {
		return nil, fmt.Errorf("%s=%s in the environment: only the program itself sets it; start it without", againVariable, text)
	}
	var frames []*os.File
	for _, fd := range numbers[2:] {
		unix.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "frames")
		defer f.Close()
		frames = append(frames, f)
	}
	if err := o.adoptFrames(frames); err != nil {
		return nil, err
	}
	unix.CloseOnExec(numbers[0])
	return (&keeper.Started{Conn: os.NewFile(uintptr(numbers[0]), "keeper"), PID: numbers[1]}).Client()
}
