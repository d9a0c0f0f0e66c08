package engine

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/capture"
	"bootstorm/engine/core"
	"bootstorm/engine/lease"
	"bootstorm/engine/link"
)

// wire moves frames: a *link.Set, or the stand-in of a test.
type wire interface {
	Recv(rx *batch.Rx) error
	Send(tx *batch.Tx) error
	Wait(nanos int64) error
	Wake()
}

// Durations of the worker's loop, in nanoseconds.
const (
	spinTime    = 50 * batch.Microsecond  // how long it looks for more before it sleeps: waking up takes as long; see spin
	beatTime    = 500 * batch.Millisecond // longest sleep: the watchdog wants signs of life
	fullTime    = batch.Millisecond       // longest sleep while an interface's queue is full
	stuckTime   = 200 * batch.Millisecond // a queue that takes nothing for so long belongs to a dead interface
	troubleTime = batch.Second            // a wire that fails for so long is given up
	troubleWait = 20 * batch.Millisecond
)

// worker is the hot loop and what belongs to it. Only its goroutine touches the
// fields above inbox.
type worker struct {
	core     *core.Core
	journal  *lease.Journal
	wire     wire
	notes    *notes
	ring     *capture.Lanes // remembers the frames; nil: nobody does
	tx       *batch.Tx
	rx       batch.Rx
	base     time.Time // zero of Time.Mono
	spin     int64     // spinTime, or 0 where looking for more would keep the journal from the only processor
	released uint64    // acknowledgements up to this record have left
	busy     int64     // Mono of the last turn with frames
	trouble  int64     // Mono of the first of a row of failures, 0 if the wire is well
	stuck    int64     // Mono since when the queue of the interface has taken nothing, 0 if it takes
	recorded int       // messages at the front of tx that the ring has already

	inbox    atomic.Pointer[errand]
	stopping atomic.Bool
	beats    atomic.Uint64
	dropped  atomic.Uint64 // messages given up because an interface took nothing
}

// errand is work on the worker's own goroutine, between two batches.
type errand struct {
	do   func(w *worker)
	done chan struct{}
}

// errPanic marks a failure of the worker itself.
var errPanic = errors.New("internal error")

// run moves frames until it is told to stop (nil) or the wire fails for good. A
// panic comes back as an error: the process must end with a clear message, not
// with half a server.
func (w *worker) run() (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	// Nothing in this loop allocates, waits for a lock or logs. It reads the
	// clock once per turn.
	for !w.stopping.Load() {
		w.beats.Add(1)
		w.errand()
		now, err := w.turn()
		if err == nil {
			w.trouble = 0
			err = w.rest(now)
		}
		if err != nil && w.troubled(now, err) {
			return err
		}
	}
	return nil
}

// errand does what the cold side asked for.
func (w *worker) errand() {
	if w.inbox.Load() == nil {
		return
	}
	e := w.inbox.Swap(nil)
	e.do(w)
	close(e.done)
}

// now reads the clock, once per batch.
func (w *worker) now() batch.Time {
	t := time.Now()
	mono := int64(t.Sub(w.base))
	w.ring.Clock(t.UnixNano(), mono)
	return batch.Time{Mono: mono, Wall: t.Unix()}
}

// turn handles one batch of frames and everything that is due.
func (w *worker) turn() (now batch.Time, err error) {
	w.rx.N = 0
	err = w.wire.Recv(&w.rx) // with an error, there may be frames of other interfaces
	now = w.now()
	w.rx.Now = now
	if w.rx.N > 0 {
		w.busy = now.Mono
	}
	for i := range w.rx.N {
		w.ring.Received(&w.rx.Frames[i], now.Mono)
	}
	for from := 0; from < w.rx.N; {
		next := w.core.Step(&w.rx, from, w.tx)
		w.collect()
		if e := w.send(now.Mono); e != nil {
			return now, e
		}
		if next == from { // no room in tx: the views stay valid while we wait
			if e := w.wire.Wait(fullTime); e != nil {
				return now, e
			}
			now = w.now()
		}
		from = next
	}
	// Acknowledgements first: their clients have waited for the disk already.
	if e := w.release(now.Mono); e != nil {
		return now, e
	}
	w.core.Tick(now, w.tx)
	w.collect()
	return now, errors.Join(err, w.send(now.Mono))
}

// collect takes what the core made for the cold side. Records that the journal
// has no room for stay, and the core holds back what needs them.
func (w *worker) collect() {
	if l := w.core.Leases(); l.N > 0 && w.journal.Append(l) {
		l.N = 0
	}
	if e := w.core.Events(); e.N > 0 {
		w.notes.put(e)
		e.Reset()
	}
}

// send hands over as much as the interfaces take. What an interface does not
// take for long is dropped: its clients ask again.
func (w *worker) send(now int64) error {
	before := w.tx.N
	if before == 0 {
		return nil
	}
	// Each message is recorded when it is handed over first, in its order; one
	// that is then dropped was meant to be sent, which is as good to know.
	for _, m := range w.tx.Messages[w.recorded:before] {
		w.ring.Sent(m, now)
	}
	err := w.wire.Send(w.tx)
	switch {
	case w.tx.N < before: // something went: the queue moves
		w.stuck = 0
	case w.stuck == 0:
		w.stuck = now
	case now-w.stuck > stuckTime:
		w.dropped.Add(uint64(w.tx.N))
		w.tx.Sent(w.tx.N)
		w.stuck = 0
	}
	w.recorded = w.tx.N
	return err
}

// release lets the acknowledgements go whose leases have reached the disk.
func (w *worker) release(now int64) error {
	durable := w.journal.Durable()
	if durable == w.released {
		return nil
	}
	for w.core.Durable(durable, w.tx) {
		before := w.tx.N
		if err := w.send(now); err != nil {
			return err
		}
		if w.tx.N == before {
			return nil // the interface is full: the next turn goes on here
		}
	}
	w.released = durable
	return w.send(now)
}

// rest sleeps until there is something to do; after a busy turn it looks again
// at once.
func (w *worker) rest(now batch.Time) error {
	if w.tx.N > 0 {
		return w.wire.Wait(fullTime)
	}
	// A deadline of 0 means at once, and math.MaxInt64 none: both come out right.
	due := w.core.Deadline() - now.Mono
	if due <= 0 || w.busy != 0 && now.Mono-w.busy < w.spin || w.journal.Durable() != w.released {
		return nil
	}
	return w.wire.Wait(min(due, beatTime))
}

// troubled tells whether the wire has failed for so long that it is given up. An
// interface that went down is no trouble: the manager sees it too, says so, and
// the sockets work again when it comes up.
func (w *worker) troubled(now batch.Time, err error) bool {
	var down *link.DownError
	if errors.As(err, &down) {
		return false
	}
	if w.trouble == 0 {
		w.trouble = now.Mono
	}
	if now.Mono-w.trouble > troubleTime {
		return true
	}
	time.Sleep(time.Duration(troubleWait))
	return false
}

// handOver gives the journal what it had no room for so far. The worker has
// stopped; the journal still writes.
func (w *worker) handOver(limit time.Duration) {
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		w.collect()
		if w.core.Leases().N == 0 || time.Now().After(end) {
			return
		}
	}
}

// finish sends the acknowledgements whose leases are on disk by now, for a
// limited time. The worker has stopped, and the journal is closed.
func (w *worker) finish(limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if w.release(w.now().Mono) != nil || w.released == w.journal.Durable() && w.tx.N == 0 {
			return
		}
		if w.send(w.now().Mono) != nil || w.wire.Wait(fullTime) != nil {
			return
		}
	}
}
