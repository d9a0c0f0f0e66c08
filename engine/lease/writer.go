package lease

import (
	"errors"
	"fmt"
	"time"

	"bootstorm/engine/reason"
)

// tornTail is the longest torn end that is cut off without keeping a copy of
// the file: one group is at most this long.
const tornTail = 4 << 20

// closeAttempts is how often Close tries to write what is left.
const closeAttempts = 3

// recordBytes is about what a record takes as text.
const recordBytes = 320

// writer is the goroutine that writes, and what belongs to it.
type writer struct {
	j    *Journal
	o    Options
	rep  *replica
	file File
	size int64     // bytes of file that are known to be whole and durable
	seen time.Time // when the name was last known to mean file

	group   []byte // text of the records taken from the queue and not durable yet
	records int    // their number
	last    uint64 // their highest sequence number

	ousted  error       // another process has taken the lease file: nothing is written any more
	suspect bool        // what the file holds is not known: a fresh one must take its place
	comp    *compaction // nil: none under way
	jobs    chan error  // result of the compaction's job in the background
	floor   int64       // compaction is tried again above this size
	pause   time.Duration
}

// newWriter makes the writer for a file that was read; repair opens it.
func newWriter(j *Journal, o Options, r *Recovered) *writer {
	return &writer{j: j, o: o, rep: newReplica(r), jobs: make(chan error, 1), floor: o.CompactBytes,
		group: make([]byte, 0, o.GroupRecords*recordBytes)}
}

// run writes until the journal is closed. The order of each turn matters: what
// waits is made durable before anything is done for the file's size.
func (w *writer) run() {
	defer close(w.j.done)
	for attempts := 0; ; {
		w.gather()
		closing := w.j.closing.Load()
		if err := w.commit(); err != nil {
			w.failed(err)
			if attempts++; closing && attempts >= closeAttempts {
				w.close(err)
				return
			}
			w.rest()
			continue
		}
		attempts = 0
		if closing && w.j.ring.len() == 0 {
			w.close(nil)
			return
		}
		w.advance()
		if w.j.ring.len() == 0 && !w.suspect {
			w.wait()
			w.inspect()
		}
	}
}

// wait sleeps until there are records, the end, a finished job, or it is time
// to look after the file.
func (w *writer) wait() {
	timer := time.NewTimer(w.o.Inspect)
	defer timer.Stop()
	select {
	case <-w.j.wake:
	case err := <-w.jobs:
		w.finished(err)
	case <-timer.C:
	}
}

// rest sleeps after a failure, longer each time, but not once the journal is
// being closed.
func (w *writer) rest() {
	w.pause = min(max(2*w.pause, w.o.Retry), 20*w.o.Retry)
	timer := time.NewTimer(w.pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-w.j.wake:
			if w.j.closing.Load() {
				w.j.poke() // the token is for the loop, too
				return
			}
		}
	}
}

// gather takes what waits in the queue, up to one group, and turns it to text.
// The replica follows at once: a rewrite then holds these records, too.
func (w *writer) gather() {
	// While the disk fails the group grows up to its limit, and then the queue
	// fills: the worker notices, and the core stops giving leases.
	n := min(w.j.ring.len(), w.o.GroupRecords-w.records)
	for i := range n {
		l := w.j.ring.at(i)
		at := len(w.group)
		w.group = AppendRecord(w.group, l)
		w.rep.set(l, len(w.group)-at)
		w.last = l.Seq
	}
	w.records += n
	w.j.ring.drop(n)
}

// commit makes the group durable and publishes it.
func (w *writer) commit() error {
	if w.records == 0 && !w.suspect {
		return nil
	}
	if err := w.store(); err != nil {
		return err
	}
	// A record is durable only if it is found under the journal's name.
	if err := w.held(); err != nil {
		w.lostFile(err)
		if err := w.rewrite(); err != nil {
			return err
		}
	}
	// On disk. First the figure, then the call: who is woken finds it risen.
	c := &w.j.counters
	c.records.Add(uint64(w.records))
	c.syncs.Add(1)
	if w.records > 0 {
		w.j.durable.Store(w.last)
	}
	w.group, w.records = w.group[:0], 0
	w.count()
	w.healed()
	if f := w.j.onDurable.Load(); f != nil {
		(*f)()
	}
	return nil
}

// store brings the group to disk by the way that the state of things asks for.
func (w *writer) store() error {
	switch {
	case w.suspect:
		return w.rewrite()
	case w.comp != nil && w.comp.dual:
		return w.storeBoth()
	}
	if err := w.appendSync(w.file, w.group); err != nil {
		return err // the group stays and is tried again
	}
	w.size += int64(len(w.group))
	if w.comp != nil {
		w.comp.delta = append(w.comp.delta, w.group...)
	}
	return nil
}

// appendSync is one write and one fdatasync. After a failed write the file is
// cut back to its whole part, and the group may be tried again; after a failed
// sync the kernel may have dropped the pages and reported it only once, so the
// file is not trusted any more.
func (w *writer) appendSync(f File, text []byte) error {
	if _, err := f.Write(text); err != nil {
		if f.Truncate(w.size) != nil {
			w.suspect = true
		}
		return err
	}
	begin := time.Now()
	err := f.Sync()
	w.j.counters.syncTime.Add(int64(time.Since(begin)))
	if err != nil {
		w.suspect = true
	}
	return err
}

// failedText is what a disk that takes nothing means.
const failedText = "no address is given until the disk takes it, and no lease is prolonged; leases are kept in memory and tried again. " +
	"Offers, boot files and renewals of young leases (dhcp-cache-threshold) go on. Free space, make it writable, or look at the kernel's log for the disk"

// oustedText is what it means that another process has the lease file.
const oustedText = "somebody deleted lease file and lock file, and another daemon took their place: this one gives and prolongs no lease any more. " +
	"End one of the two; restart this one if it is to go on, it then reads what the other wrote"

// failed reports the first of a row of failures.
func (w *writer) failed(err error) {
	first := w.j.failure.Load() == nil
	err = fmt.Errorf("lease file %s cannot be written: %w", w.j.path, reason.Of(err))
	w.j.failure.Store(&err)
	if first {
		text := failedText
		if w.ousted != nil {
			text = oustedText
		}
		w.o.Notify(Notice{Err: err, Text: text})
	}
}

// healed reports the end of a row of failures.
func (w *writer) healed() {
	w.pause = 0
	if w.j.failure.Swap(nil) != nil {
		w.o.Notify(Notice{Text: "the lease file can be written again; nothing that was acknowledged is lost"})
	}
}

// close ends the writing goroutine.
func (w *writer) close(err error) {
	w.abandon(nil) // the next start compacts if there is need
	if err != nil {
		err = fmt.Errorf("%d leases are not on disk: %w", w.records+w.j.ring.len(), reason.Of(err))
	}
	w.j.closeErr = errors.Join(err, w.file.Close(), w.j.lock.Close())
}

// count publishes the sizes.
func (w *writer) count() {
	w.j.counters.bytes.Store(w.size)
	w.j.counters.live.Store(w.rep.live)
}
