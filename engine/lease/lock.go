package lease

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"bootstorm/engine/reason"
)

// Two locks (flock(2)) keep a second daemon from a lease file: one on a file of
// its own beside it, which nothing ever replaces, and one on the lease file that
// is open. Files can be deleted or replaced by anybody with the right to; with
// the lock file gone the lease file still refuses, with the lease file gone the
// lock file does, and the journal makes again what it misses. Both locks are
// the files', so they hold across network namespaces and containers, and end
// with the process, however that ends.

// Lock is the hold of a process on a lease file.
type Lock interface {
	io.Closer
	// Keep makes sure of the lock: a lock file that was deleted or replaced is
	// made anew, and restored tells so. A *LockedError says that another process
	// has the lease file now.
	Keep() (restored bool, err error)
}

// Lock takes the lock file with that name, and finds out that nobody has the
// lease file beside it. The lock file stays for ever, for a removed one could be
// locked twice.
func (systemFS) Lock(name string) (Lock, error) {
	f, err := lockFile(name)
	if err != nil {
		return nil, err
	}
	if err := unlocked(strings.TrimSuffix(name, lockSuffix)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	sign(f)
	return &systemLock{name: name, file: f}, nil
}

// systemLock is a locked lock file.
type systemLock struct {
	name string
	file *os.File
}

// Close gives the lock up.
func (l *systemLock) Close() error { return l.file.Close() }

// Keep looks the name up again.
func (l *systemLock) Keep() (restored bool, err error) {
	if mine, err := l.file.Stat(); err == nil {
		if named, err := os.Lstat(l.name); err == nil && os.SameFile(mine, named) {
			return false, nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(l.name), 0o755); err != nil {
		return false, err
	}
	f, err := lockFile(l.name)
	if err != nil {
		return false, err
	}
	sign(f)
	l.file.Close() // nobody can find it any more
	l.file = f
	return true, nil
}

// lockFile opens and locks a lock file. It is opened without O_EXCL: what counts
// is the lock, not the file.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_EX); err != nil {
		var held *LockedError
		if errors.As(err, &held) {
			pid, _ := io.ReadAll(io.LimitReader(f, 16))
			held.Path, held.PID = strings.TrimSuffix(name, lockSuffix), strings.TrimSpace(string(pid))
		}
		f.Close()
		return nil, err
	}
	return f, nil
}

// sign writes this process's number into its lock file, for the message of a
// second daemon only: failure is no harm.
func sign(f *os.File) {
	if f.Truncate(0) == nil {
		fmt.Fprintln(f, os.Getpid())
	}
}

// unlocked returns a *LockedError if a process has the lease file open for
// writing. What else may be wrong with the file is for others to find.
func unlocked(path string) error {
	// A shared lock is enough to find out and needs no right to write (flock on
	// NFS); O_NONBLOCK, for the name may be a pipe's.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	var held *LockedError
	if err := flock(f, unix.LOCK_SH); errors.As(err, &held) {
		return held
	}
	return nil
}

// flock locks an open file, at once or not at all.
func flock(f *os.File, how int) error {
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return &LockedError{Path: f.Name()}
	case err != nil:
		return &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	return nil
}

// keepLock makes sure that this process still is the one that writes the lease
// file. Once another has taken it there is no way back: what that one wrote is
// not known here, and must not be written over.
func (w *writer) keepLock() error {
	if w.ousted != nil {
		return w.ousted
	}
	restored, err := w.j.lock.Keep()
	var held *LockedError
	if errors.As(err, &held) {
		// A daemon that is started beside this one has the lock file for a moment,
		// until it finds the lease file locked. Only one that has the lease file,
		// too, has come to stay.
		if !w.named() {
			w.ousted = err
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("the lock file: %w", reason.Of(err))
	}
	if restored {
		w.o.Notify(Notice{Err: fmt.Errorf("lock file %s%s was deleted or replaced while in use", w.j.path, lockSuffix),
			Text: "it is made anew and locked again; no other daemon has taken the lease file meanwhile. Leave it alone, also when no daemon runs"})
	}
	return nil
}

// named tells whether the lease file's name still means the file that is open here.
func (w *writer) named() bool {
	if w.file == nil {
		return false
	}
	err := w.held()
	return err == nil || errors.Is(err, errResized)
}
