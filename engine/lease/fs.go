package lease

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FS is the part of a file system that the journal uses. Tests put one in its
// place that fails on demand and remembers the order of writes.
type FS interface {
	ReadFile(name string) ([]byte, error)
	Open(name string, create bool) (File, error) // for writing, at the end; create empties it
	Rename(from, to string) error
	Link(from, to string) error // replaces to
	Remove(name string) error
	SyncDir(name string) error // makes renames and new names in it durable
	MkdirAll(name string) error
	Lock(name string) (Lock, error)
}

// File is one file open for appending.
type File interface {
	io.WriteCloser
	Sync() error // fdatasync: the data and the size are on disk
	Truncate(size int64) error
	// Holds returns nil if name still means this file and the file has that size:
	// errGone, errReplaced or errResized if not.
	Holds(name string, size int64) error
}

// What may be done to a lease file while it is in use.
var (
	errGone     = errors.New("it was deleted")
	errReplaced = errors.New("another file took its place")
	errResized  = errors.New("another program changed its size")
)

// LockedError says that another process holds the lease file.
type LockedError struct {
	Path string
	PID  string // as the other process wrote it into the lock file; empty if it did not
}

// Error names the holder and the way out.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != "" {
		who = "process " + e.PID
	}
	return fmt.Sprintf("lease file %s is in use by %s: two servers must not write one lease file; "+
		"stop that one first, or give this one a --lease-file of its own", e.Path, who)
}

// SystemFS returns the operating system's file system, for tests that put
// something before it.
func SystemFS() FS { return systemFS{} }

// systemFS is the operating system's file system.
type systemFS struct{}

// The calls that are the same as package os has them.
func (systemFS) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }
func (systemFS) Rename(from, to string) error         { return os.Rename(from, to) }
func (systemFS) Remove(name string) error             { return os.Remove(name) }
func (systemFS) MkdirAll(name string) error           { return os.MkdirAll(name, 0o755) }

// Open opens a file to be appended to, and locks it for as long as it is open: a
// second daemon is refused by the lease file itself, should the lock file be
// gone. With create it is a new one, or an old one emptied: only ever the side
// file, never the journal itself.
func (systemFS) Open(name string, create bool) (File, error) {
	flags := os.O_WRONLY | os.O_APPEND
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return nil, err
	}
	if err = flock(f, unix.LOCK_EX); err == nil && create {
		err = f.Truncate(0) // not before it is known to be nobody's
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return systemFile{f}, nil
}

// Link gives the file a second name and takes that name from what had it.
func (systemFS) Link(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Link(from, to)
}

// SyncDir calls fsync(2) on a directory: without it a rename may be undone by a
// crash, although the file itself was synced.
func (systemFS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// systemFile is an *os.File whose Sync is fdatasync: the times of the file are
// not worth a second write to the disk.
type systemFile struct{ *os.File }

// Sync calls fdatasync(2), which also brings the size to disk; EINTR is no
// failure, though Go's scheduler signals make it likely.
func (f systemFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil || !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Holds looks the name up again: a file that was deleted or replaced goes on
// taking writes, which nobody would ever read.
func (f systemFile) Holds(name string, size int64) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errGone
	case err != nil:
		return err
	case !os.SameFile(mine, named):
		return errReplaced
	case mine.Size() != size:
		return errResized
	}
	return nil
}

// syncParent makes the names in the directory of path durable.
func syncParent(fsys FS, path string) error { return fsys.SyncDir(filepath.Dir(path)) }
