package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"bootstorm/engine/keeper"
	"bootstorm/engine/sandbox"
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
	if err := sandbox.PassOn(append(frames, started.Conn)...); err != nil {
		return err
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
	_ = sandbox.Name(engineName) // where the file was replaced, it is "exe"
	var numbers []int
	for word := range strings.SplitSeq(text, ",") {
		n, _ := strconv.Atoi(word)
		numbers = append(numbers, n)
	}
	if len(numbers) < 2 || slices.Min(numbers) <= 0 {
		return nil, fmt.Errorf("%s=%s in the environment: only the program itself sets it; start it without", againVariable, text)
	}
	var frames []*os.File
	for _, fd := range numbers[2:] {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "frames")
		defer f.Close()
		frames = append(frames, f)
	}
	if err := o.adoptFrames(frames); err != nil {
		return nil, err
	}
	syscall.CloseOnExec(numbers[0])
	return (&keeper.Started{Conn: os.NewFile(uintptr(numbers[0]), "keeper"), PID: numbers[1]}).Client()
}
