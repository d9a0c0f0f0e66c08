package lease

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/reason"
)

// Names of the files beside the lease file.
const (
	lockSuffix     = ".lock"
	freshSuffix    = ".new"      // a rewrite under way
	replacedSuffix = ".replaced" // what somebody put in the place of the file while it was in use
	damagedSuffix  = ".damaged"  // the file as it was found, when something in it could not be read
)

// Options are the settings of a Journal. The zero value suits a daemon.
type Options struct {
	FS           FS               // nil: the operating system's
	QueueRecords int              // records that may wait for the disk; 0: 16384
	GroupRecords int              // records in one write at most; 0: 4096
	CompactBytes int64            // a smaller file is never compacted; 0: 4 MiB
	Inspect      time.Duration    // an idle journal looks so often whether its file is still there; 0: 1 s
	Retry        time.Duration    // first pause after an error, doubling to 20 times as much; 0: 50 ms
	Now          func() time.Time // nil: time.Now
	Notify       func(Notice)     // what the operator should read; called by the writing goroutine
}

// Notice is something that happened to the journal.
type Notice struct {
	Err  error  // nil: no fault, or the end of one
	Text string // what happened, what it means, and what to do
}

// compactFactor is how many times its live content a file may grow to.
const compactFactor = 4

// filled returns the options with the defaults in place of zero values.
func (o Options) filled() Options {
	if o.FS == nil {
		o.FS = systemFS{}
	}
	if o.QueueRecords == 0 {
		o.QueueRecords = 16384
	}
	if o.GroupRecords == 0 {
		o.GroupRecords = 4096
	}
	if o.CompactBytes == 0 {
		o.CompactBytes = 4 << 20
	}
	if o.Retry == 0 {
		o.Retry = 50 * time.Millisecond
	}
	if o.Inspect == 0 {
		o.Inspect = time.Second
	}
	if o.Notify == nil {
		o.Notify = func(Notice) {}
	}
	return o
}

// wall returns the wall clock in seconds.
func (o Options) wall() int64 {
	if o.Now == nil {
		return time.Now().Unix()
	}
	return o.Now().Unix()
}

// Journal is an open lease file. Append belongs to one goroutine, the worker;
// the other methods may be called by any.
type Journal struct {
	path    string
	rep     *replica
	ring    *ring
	lock    Lock
	wake    chan struct{} // holds one token: something waits, or the end is near
	closing atomic.Bool
	done    chan struct{}

	durable   atomic.Uint64
	failure   atomic.Pointer[error]
	onDurable atomic.Pointer[func()]
	counters  counters
	closeErr  error // valid when done is closed
}

// counters are the Stats while they change.
type counters struct {
	records, syncs, compactions atomic.Uint64
	bytes, live                 atomic.Int64
	syncTime                    atomic.Int64
}

// Stats are figures of a Journal since Open, for status and tests.
type Stats struct {
	Records     uint64 // records made durable
	Syncs       uint64 // groups, each with one fdatasync
	Compactions uint64
	Bytes, Live int64         // size of the file, and of the records in force
	Waiting     int           // records in the queue
	SyncTime    time.Duration // spent in fdatasync of groups
}

// Open locks the lease file at path, reads it, repairs its end, and starts the
// goroutine that writes. A missing file and its directory are made. If
// something before the end could not be read, the file as it was is kept beside
// it (".damaged") and a clean one takes its place.
func Open(path string, o Options) (*Journal, *Recovered, error) {
	// The lock file beside the lease file comes first: nothing is read that
	// another daemon may be changing.
	if real, err := filepath.EvalSymlinks(path); err == nil && o.FS == nil {
		path = real // a rewrite must replace the file, not the link to it
	}
	o = o.filled()
	if err := o.FS.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, nil, fmt.Errorf("directory of lease file %s: %w; make it, or give another --lease-file", path, reason.Of(err))
	}
	lock, err := o.FS.Lock(path + lockSuffix)
	if err != nil {
		var held *LockedError
		if !errors.As(err, &held) {
			err = fmt.Errorf("lease file %s cannot be locked: %w; is the directory writable for this user?", path, reason.Of(err))
		}
		return nil, nil, err
	}
	j := &Journal{path: path, ring: newRing(o.QueueRecords), lock: lock, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w, r, err := openWriter(j, o)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	go w.run()
	return j, r, nil
}

// openWriter reads the file and brings it into a state to be appended to.
func openWriter(j *Journal, o Options) (*writer, *Recovered, error) {
	r, err := read(o.FS, j.path, o)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, nil, err
	}
	if missing {
		r = &Recovered{}
	}
	w := newWriter(j, o, r)
	j.rep = w.rep
	if err := w.repair(r, missing); err != nil {
		return nil, nil, fmt.Errorf("lease file %s cannot be written: %w; nothing can be leased without it: "+
			"free space, make it writable, or give another --lease-file", j.path, reason.Of(err))
	}
	w.count()
	return w, r, nil
}

// Append takes the records of l, which become durable in their order. It never
// blocks and never allocates. false: there is no room for all of them and none
// was taken; keep them and try again after the next sync.
func (j *Journal) Append(l *batch.Leases) bool {
	if l.N == 0 {
		return true
	}
	if !j.ring.put(l) {
		return false
	}
	j.poke()
	return true
}

// poke wakes the writing goroutine; it does not wait.
func (j *Journal) poke() {
	// The token stays until it is taken, so a wake between the writer's last
	// look and its sleep is not lost.
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Durable returns the sequence number up to which all records are on disk.
func (j *Journal) Durable() uint64 { return j.durable.Load() }

// OnDurable sets what is called after each sync, by the writing goroutine, when
// Durable has risen. It must not block.
func (j *Journal) OnDurable(f func()) { j.onDurable.Store(&f) }

// Err returns why the disk does not take records at the moment, nil if it does.
// Records are kept and tried again meanwhile.
func (j *Journal) Err() error {
	if p := j.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// Stats returns the figures of the moment.
func (j *Journal) Stats() Stats {
	c := &j.counters
	return Stats{
		Records: c.records.Load(), Syncs: c.syncs.Load(), Compactions: c.compactions.Load(),
		Bytes: c.bytes.Load(), Live: c.live.Load(), Waiting: j.ring.len(),
		SyncTime: time.Duration(c.syncTime.Load()),
	}
}

// Leases returns the record in force of every address in the file, those that
// are not durable yet included, by address; Seq is 0. It is for a reload: an
// address that comes back into a pool comes back with its lease.
func (j *Journal) Leases() []batch.Lease { return j.rep.list() }

// Close makes what was appended durable, which Durable then shows, and gives up
// the lock. Nothing may be appended any more. An error says that records could
// not be written.
func (j *Journal) Close() error {
	if !j.closing.Swap(true) {
		j.poke()
	}
	<-j.done
	return j.closeErr
}
