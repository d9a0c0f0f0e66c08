package reason

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func TestOf(t *testing.T) {
	plain := errors.New("plain")
	for _, c := range []struct{ err, want error }{
		{nil, nil}, {plain, plain},
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}, syscall.ENOENT},
		{fmt.Errorf("more: %w", &os.LinkError{Op: "rename", Old: "/x", New: "/y", Err: syscall.EXDEV}), syscall.EXDEV},
		{&fs.PathError{Op: "read", Path: "/x", Err: os.NewSyscallError("read", syscall.EIO)}, syscall.EIO},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
