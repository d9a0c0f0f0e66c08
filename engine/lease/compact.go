package lease

import (
	"errors"
	"fmt"

	"bootstorm/engine/reason"
)

// deltaBytes is the most that may be left to copy when the switch to the
// compacted file begins; more is copied in the background first.
const deltaBytes = 64 << 10

// maxPasses bounds those copies: under a load that outruns them the switch
// happens with whatever is left.
const maxPasses = 8

// compaction is a smaller file in the making. It goes through three stages:
//
//	copy    the replica is written to a side file, piece by piece, by a job in
//	        the background; groups go to the old file, and to delta
//	catch   what gathered in delta is copied after it and synced, again and
//	        again until little is left
//	dual    the rest of delta is copied and synced by the writer itself; from
//	        here on both files hold everything and each group goes to both,
//	        while a job renames the side file and syncs the directory
//
// Whichever file a crash leaves under the journal's name, it holds all that was
// acknowledged. The writer waits for one sync of its own, at the switch.
type compaction struct {
	file   File
	size   int64
	next   int    // index of the next entry of the replica to copy
	delta  []byte // groups that the side file lacks
	passes int
	busy   bool // a job is in the background
	dual   bool
}

// due tells whether the file has outgrown its content.
func (w *writer) due() bool {
	return w.size > w.floor && w.size > compactFactor*w.rep.live
}

// advance takes the compaction one step further, or begins one.
func (w *writer) advance() {
	select {
	case err := <-w.jobs:
		w.finished(err)
	default:
	}
	c := w.comp
	switch {
	case c == nil && w.due():
		w.begin()
	case c == nil || c.busy:
	case c.next < w.rep.count():
		w.copyChunk(nil)
	case c.passes == 0 || len(c.delta) > deltaBytes && c.passes < maxPasses:
		w.catchUp()
	default:
		w.takeOver()
	}
}

// begin opens the side file.
func (w *writer) begin() {
	f, err := w.o.FS.Open(w.j.path+freshSuffix, true)
	if err != nil {
		w.postpone(err)
		return
	}
	w.comp = &compaction{file: f}
	w.copyChunk(w.rep.head)
}

// copyChunk lets a piece of the replica be written.
func (w *writer) copyChunk(head []byte) {
	c := w.comp
	chunk := append(make([]byte, 0, chunkBytes+4096), head...)
	chunk, c.next = w.rep.appendFrom(chunk, c.next, chunkBytes)
	c.size += int64(len(chunk))
	w.job(func() error {
		_, err := c.file.Write(chunk)
		return err
	})
}

// catchUp lets the delta be copied and synced.
func (w *writer) catchUp() {
	c := w.comp
	delta := c.delta
	c.delta = nil // groups that come meanwhile gather in a new one
	c.passes++
	c.size += int64(len(delta))
	w.job(func() error {
		if _, err := c.file.Write(delta); err != nil {
			return err
		}
		return c.file.Sync()
	})
}

// takeOver begins the dual stage.
func (w *writer) takeOver() {
	// No group is under way now, so after this sync both files hold all that
	// was ever acknowledged.
	c := w.comp
	err := w.keepLock() // the rename must not hit another daemon's file
	if err == nil {
		_, err = c.file.Write(c.delta)
	}
	if err == nil {
		err = c.file.Sync()
	}
	if err != nil {
		w.abandon(err) // the name still means the old file
		return
	}
	c.size += int64(len(c.delta))
	c.delta, c.dual = nil, true
	w.job(w.install)
}

// storeBoth is store in the dual stage: both files at once, so that the group
// waits for one sync only. If either fails nobody knows which one the name
// means, so both are given up for a fresh one.
func (w *writer) storeBoth() error {
	c, group := w.comp, w.group
	side := make(chan error, 1)
	go func() {
		_, err := c.file.Write(group)
		if err == nil {
			err = c.file.Sync()
		}
		side <- err
	}()
	err := w.appendSync(w.file, group)
	if err = errors.Join(err, <-side); err != nil {
		w.suspect = true
		return err
	}
	w.size += int64(len(group))
	c.size += int64(len(group))
	return nil
}

// job runs f in the background; advance or wait hears of its end.
func (w *writer) job(f func() error) {
	w.comp.busy = true
	go func() { w.jobs <- f() }()
}

// finished takes note of the end of a job.
func (w *writer) finished(err error) {
	c := w.comp
	c.busy = false
	if err != nil {
		w.abandon(err)
		return
	}
	if !c.dual {
		return
	}
	before := w.size
	w.file.Close() // replaced: its content is in the new file
	w.file, w.size, w.comp = c.file, c.size, nil
	w.floor = w.o.CompactBytes
	w.j.counters.compactions.Add(1)
	w.count()
	w.o.Notify(Notice{Text: fmt.Sprintf("lease file compacted: %d to %d bytes, %d addresses", before, w.size, w.rep.count())})
}

// abandon gives a compaction up; the old file goes on as if nothing had been.
// In the dual stage the rename may have happened already, and then only a fresh
// file is certain.
func (w *writer) abandon(err error) {
	c := w.comp
	if c == nil {
		return
	}
	if c.busy { // the job uses the file
		err = errors.Join(err, <-w.jobs)
	}
	w.comp = nil
	if c.dual {
		w.suspect = true
	}
	c.file.Close()                        // its content is given up
	w.o.FS.Remove(w.j.path + freshSuffix) // gone already if it was renamed
	if err != nil {
		w.postpone(err)
	}
}

// postpone reports a compaction that failed, and tries the next one only when
// the file has doubled.
func (w *writer) postpone(err error) {
	w.floor = max(2*w.size, w.o.CompactBytes)
	w.o.Notify(Notice{Err: fmt.Errorf("lease file %s could not be compacted: %w", w.j.path, reason.Of(err)),
		Text: "leases are written as before; the file goes on growing until there is room for a second one beside it"})
}
