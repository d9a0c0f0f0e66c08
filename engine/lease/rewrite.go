package lease

import (
	"errors"
	"path/filepath"
)

// chunkBytes is how much of a rewrite is turned to text at a time: a fraction
// of a millisecond, so that a group of acknowledgements never waits for it.
const chunkBytes = 256 << 10

// repair brings the file that Open found into a state to be appended to.
func (w *writer) repair(r *Recovered, missing bool) error {
	if missing {
		return w.rewrite()
	}
	// What could not be read may still mean something to a person, so the file
	// keeps existing under another name. Appending behind the damage would hide
	// it from us, but dhcpd would stumble over it.
	if r.Damaged || r.Bytes-r.GoodEnd > tornTail {
		if err := w.o.FS.Link(w.j.path, w.j.path+damagedSuffix); err != nil {
			return err
		}
		return w.rewrite()
	}
	f, err := w.o.FS.Open(w.j.path, false)
	if err != nil {
		return err
	}
	if err := w.trim(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	w.file = f
	return nil
}

// trim cuts a torn end off and makes the rest durable: another program may have
// written it a moment ago, and renewals will rely on it.
func (w *writer) trim(f File, r *Recovered) error {
	if r.GoodEnd < r.Bytes {
		if err := f.Truncate(r.GoodEnd); err != nil {
			return err
		}
	}
	w.size = r.GoodEnd
	if r.openLine {
		if _, err := f.Write([]byte{'\n'}); err != nil {
			return err
		}
		w.size++
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncParent(w.o.FS, w.j.path)
}

// rewrite puts a fresh file with the whole replica in the place of the present
// one, and waits for it. It serves a new journal, a damaged one, and recovery
// from an I/O error; the everyday way to a smaller file is compaction.
func (w *writer) rewrite() error {
	w.abandon(nil)
	w.suspect = true // until the very end
	if err := w.keepLock(); err != nil {
		return err
	}
	f, size, err := w.writeFresh()
	if err != nil {
		return err
	}
	if err := w.install(); err != nil {
		return errors.Join(err, f.Close())
	}
	if w.file != nil {
		w.file.Close() // nothing in it matters any more
	}
	w.file, w.size, w.suspect = f, size, false
	return nil
}

// writeFresh writes the replica to the side file and syncs it.
func (w *writer) writeFresh() (f File, size int64, err error) {
	if err = w.o.FS.MkdirAll(filepath.Dir(w.j.path)); err != nil { // it may have been removed, too
		return nil, 0, err
	}
	if f, err = w.o.FS.Open(w.j.path+freshSuffix, true); err != nil {
		return nil, 0, err
	}
	chunk, next := append(make([]byte, 0, chunkBytes+4096), w.rep.head...), 0
	for {
		chunk, next = w.rep.appendFrom(chunk, next, chunkBytes)
		_, err = f.Write(chunk)
		size += int64(len(chunk))
		if err != nil || next == w.rep.count() {
			break
		}
		chunk = chunk[:0]
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close(), w.o.FS.Remove(w.j.path+freshSuffix))
	}
	return f, size, nil
}

// install gives the side file the journal's name, durably.
func (w *writer) install() error {
	if err := w.o.FS.Rename(w.j.path+freshSuffix, w.j.path); err != nil {
		return err
	}
	return syncParent(w.o.FS, w.j.path)
}
