package lease

import (
	"errors"
	"fmt"
	"time"
)

// held tells whether the journal's name still means the file that is written
// to. In the dual stage of a compaction it may mean either of two.
func (w *writer) held() error {
	if w.comp != nil && w.comp.dual {
		return nil // looked at when the rename is over
	}
	return w.file.Holds(w.j.path, w.size)
}

// inspect looks after the file of a journal that has nothing to write, so that
// what was done to it is known before the next lease waits for it.
func (w *writer) inspect() {
	if time.Since(w.seen) < w.o.Inspect || w.j.ring.len() > 0 {
		return
	}
	w.seen = time.Now()
	if err := w.held(); err != nil {
		w.lostFile(err)
		return
	}
	if err := w.keepLock(); err != nil && w.ousted != nil {
		w.suspect = true // which fails, and is said, from now on
	} // else the disk takes no lock file: the lease file's own lock holds
}

// lostFile has a fresh file made from memory. What stands under the name now is
// somebody's, who may want it back, so it keeps another name.
func (w *writer) lostFile(err error) {
	w.suspect = true
	w.abandon(nil)
	if w.keepLock(); w.ousted != nil {
		return // it is another daemon's file, and the rewrite will say so
	}
	kept := ""
	if !errors.Is(err, errGone) {
		kept = "; no copy of what was found could be kept"
		if w.o.FS.Link(w.j.path, w.j.path+replacedSuffix) == nil {
			kept = "; what was found is kept as " + w.j.path + replacedSuffix
		}
	}
	w.o.Notify(Notice{Err: fmt.Errorf("lease file %s was changed while in use: %w", w.j.path, err),
		Text: "it is written anew from memory, nothing is lost" + kept +
			". Stop the daemon before the file is moved, edited or restored"})
}
