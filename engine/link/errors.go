//go:build linux

package link

import (
	"errors"

	"golang.org/x/sys/unix"
)

// DownError says that an interface is down or gone. Recv and Send report each
// such event once. An interface that is down needs nothing but patience: its
// sockets work again when it comes up. One that is gone (see Set.Stale) needs a
// new Open when it is there again.
type DownError struct {
	Link uint8 // index in Open's list
	Name string
	Gone bool // the interface does not exist; false: not known, or it is just down
	Err  error
}

// Error names the interface.
func (e *DownError) Error() string {
	if e.Gone {
		return "interface " + e.Name + " does not exist"
	}
	return "interface " + e.Name + " is down: " + e.Err.Error()
}

// Unwrap returns the kernel's error.
func (e *DownError) Unwrap() error { return e.Err }

// isDown tells whether the kernel's error means that the interface is down or
// gone.
func isDown(e unix.Errno) bool {
	return e == unix.ENETDOWN || e == unix.ENXIO || e == unix.ENODEV
}

// markDown returns the error for an interface that turned out to be down, and
// nil if that was reported already.
func (p *port) markDown(e unix.Errno) error {
	if p.isDown {
		return nil
	}
	p.isDown = true
	p.down.Err = e
	p.down.Gone = p.gone()
	return &p.down
}

// errWrongRung is wrapped when a forced rung turns out not to work.
var errWrongRung = errors.New("the kernel refuses this way of sending")
