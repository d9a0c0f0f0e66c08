package lease

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
)

// powerCut is what a power cut leaves of a recorded sequence: the files as of the
// last sync, and what came after it, of which any part may have reached the disk.
type powerCut struct {
	files  map[int]*cutFile
	synced map[string]int // names that are certain, to inodes
	names  []op           // changes of names since the directory was synced
}

// cutFile is one inode.
type cutFile struct {
	synced  []byte
	pending [][]byte // the content after each unsynced write or truncation, in order
}

// cutAt replays the first k operations on top of the files found at start.
func cutAt(start map[string][]byte, trace []op) *powerCut {
	c := &powerCut{files: map[int]*cutFile{}, synced: map[string]int{}}
	for i, name := range slices.Sorted(maps.Keys(start)) {
		c.files[-1-i] = &cutFile{synced: start[name]}
		c.synced[name] = -1 - i
	}
	now := maps.Clone(c.synced)
	open := map[int]int{} // inode of the journal opened as it was found: 0
	for _, o := range trace {
		id := o.inode
		if id == 0 {
			id = open[0]
		}
		f := c.files[id]
		switch o.kind {
		case opOpen:
			open[0] = now[o.from]
		case opCreate:
			c.files[id] = &cutFile{}
			c.change(now, o)
		case opWrite:
			f.pending = append(f.pending, append(slices.Clone(f.last()), o.data...))
		case opTruncate:
			f.pending = append(f.pending, slices.Clone(f.last()[:o.size]))
		case opSync:
			f.synced, f.pending = f.last(), nil
		case opRename, opLink:
			c.change(now, op{kind: opCreate, from: o.to, inode: now[o.from]})
			if o.kind == opRename {
				c.change(now, op{kind: opRemove, from: o.from})
			}
		case opRemove:
			c.change(now, o)
		case opSyncDir:
			c.synced, c.names = maps.Clone(now), nil
		}
	}
	return c
}

// last is the content that a running system sees.
func (f *cutFile) last() []byte {
	if n := len(f.pending); n > 0 {
		return f.pending[n-1]
	}
	return f.synced
}

// change notes that a name got an inode, or was removed. A rename is both, and a
// disk may know of one and not of the other.
func (c *powerCut) change(now map[string]int, o op) {
	apply(now, o)
	c.names = append(c.names, o)
}

// apply carries out a change of names.
func apply(names map[string]int, o op) {
	if o.kind == opRemove {
		delete(names, o.from)
		return
	}
	names[o.from] = o.inode
}

// namings calls f with the names that may be on disk: with every subset of the
// unsynced changes, for a file system need not keep their order.
func (c *powerCut) namings(f func(names map[string]int)) {
	for set := range 1 << len(c.names) {
		names := maps.Clone(c.synced)
		for i, o := range c.names {
			if set>>i&1 != 0 {
				apply(names, o)
			}
		}
		f(names)
	}
}

// contents calls use with what a file may hold: what was synced; each unsynced
// state torn at every byte (step 1) or some; and at every fifth of those places
// with zeroes for the rest, or with the rest there and zeroes before it
// (reordered).
func (f *cutFile) contents(step int, use func([]byte)) {
	use(f.synced)
	for _, whole := range f.pending {
		use(whole)
		common := min(len(f.synced), len(whole))
		for at := common; at < len(whole); at += step {
			use(whole[:at])
			if (at-common)%(5*step) != 0 {
				continue
			}
			zeroes := append(slices.Clone(whole[:at]), make([]byte, len(whole)-at)...)
			use(zeroes)
			late := slices.Clone(whole) // what lies before at is not there, what follows is
			clear(late[common:at])
			use(late)
		}
	}
}

// recording is a run of a journal to be cut at every operation.
type recording struct {
	start     map[string][]byte
	mem       *memFS
	addresses int
}

// record runs f on a journal over the files found at start.
func record(t *testing.T, start map[string][]byte, addresses int, o Options, f func(m *memFS, j *Journal)) *recording {
	t.Helper()
	m := newMemFS()
	for name, data := range start {
		m.names[name] = &inode{data: slices.Clone(data)}
	}
	o.FS, o.Retry, o.GroupRecords = m, time.Millisecond, 4
	j, _, err := Open("l", o)
	if err != nil {
		t.Fatal(err)
	}
	j.OnDurable(func() { m.ack(j.Durable()) })
	f(m, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return &recording{start, m, addresses}
}

// feed appends records one small group after the other, each waited for.
func feed(t *testing.T, j *Journal, from, to uint64, addresses int) {
	for seq := from; seq <= to; seq += 3 {
		end := min(seq+2, to)
		appendAll(j, seq, end, addresses, 3)
		waitDurable(t, j, end)
	}
}

// check recovers what a cut left and demands every acknowledged lease, and none
// that was never written.
func (r *recording) check(t *testing.T, where string, text []byte, there bool, acked uint64) {
	t.Helper()
	if !there && len(r.start) == 0 && acked == 0 {
		return // the very first start did not get so far
	}
	got := parse(text, noon)
	if bad := lost(got, acked, r.addresses); bad != nil || !there {
		t.Fatalf("%s: acknowledged %d, there %v, lost %v\n%q", where, acked, there, bad, text[max(0, len(text)-600):])
	}
	for i := range got.Leases {
		l := got.Leases[i]
		if l.Addr>>24 != 10 {
			continue // of the file that was found
		}
		if want := numbered(uint64(l.Starts), r.addresses); l.Addr != want.Addr || l.HW != want.HW || l.Ends != want.Ends {
			t.Fatalf("%s: a lease that never was: %+v", where, l)
		}
	}
	if r.start == nil {
		return
	}
	for _, l := range parse(r.start["l"], noon).Leases {
		if !slices.ContainsFunc(got.Leases, func(g batch.Lease) bool { return g.Addr == l.Addr && g.State == l.State && g.HW == l.HW }) {
			t.Fatalf("%s: %v of the file that was found is lost", where, l.Addr)
		}
	}
}

// everyCut cuts the power after every operation and checks all that may be left.
func (r *recording) everyCut(t *testing.T, step int) (states int) {
	t.Helper()
	acked := uint64(0)
	for k := range len(r.mem.trace) + 1 {
		if k > 0 && r.mem.trace[k-1].kind == opAck {
			acked = uint64(r.mem.trace[k-1].size) // from here on, whatever comes next
		}
		c := cutAt(r.start, r.mem.trace[:k])
		seen := map[int]bool{}
		c.namings(func(names map[string]int) {
			id, there := names["l"]
			if !there {
				r.check(t, fmt.Sprintf("operation %d, no file", k), nil, false, acked)
				return
			}
			if seen[id] {
				return
			}
			seen[id] = true
			c.files[id].contents(step, func(text []byte) {
				states++
				r.check(t, fmt.Sprintf("operation %d", k), text, true, acked)
			})
		})
	}
	return states
}

// powerCase is a run to be cut.
type powerCase struct {
	name    string
	start   map[string][]byte
	step    int
	options Options
	run     func(m *memFS, j *Journal)
	compact bool
}

// powerCases are runs over files of every kind that may be found.
func powerCases(t *testing.T) []powerCase {
	t.Helper()
	found, err := os.ReadFile("testdata/dhcpd-4.4.leases")
	if err != nil {
		t.Fatal(err)
	}
	dhcpd := map[string][]byte{"l": found}
	torn := map[string][]byte{"l": append(slices.Clone(found), "lease 192.168.1.99 {\n  starts 3 20"...)}
	damaged := map[string][]byte{"l": append(slices.Clone(found), "junk; lease 192.168.1.77 { binding state free; }\n"...)}
	small := Options{CompactBytes: 2 << 10}
	plain := func(m *memFS, j *Journal) { feed(t, j, 1, 60, 4) }
	return []powerCase{
		{"a new file, appended to and compacted", nil, 1, small, plain, true},
		{"dhcpd's file taken over", dhcpd, 3, Options{}, func(m *memFS, j *Journal) { feed(t, j, 1, 12, 4) }, false},
		{"dhcpd's file taken over and compacted", dhcpd, 37, small, func(m *memFS, j *Journal) { feed(t, j, 1, 150, 4) }, true},
		{"a torn file repaired", torn, 3, Options{}, func(m *memFS, j *Journal) { feed(t, j, 1, 12, 4) }, false},
		{"a damaged file replaced", damaged, 5, Options{}, func(m *memFS, j *Journal) { feed(t, j, 1, 12, 4) }, false},
		{"failing syncs and writes", nil, 3, small, func(m *memFS, j *Journal) {
			n := 0
			m.setFail(func(k opKind) error {
				if n++; n%11 == 0 && (k == opSync || k == opWrite) {
					return shortWrite{syscall.EIO}
				}
				return nil
			})
			feed(t, j, 1, 60, 4)
			m.setFail(nil)
		}, false},
		{"deleted and replaced underneath", nil, 2, Options{}, func(m *memFS, j *Journal) {
			feed(t, j, 1, 12, 4)
			m.meddle(func() { delete(m.names, "l") })
			feed(t, j, 13, 24, 4)
		}, false},
	}
}

// TestPowerCut cuts the power after every operation of recorded runs, and tries
// all that a disk may then hold: each unsynced write torn, followed by nothing or
// by zeroes, or its end without its beginning; each subset of the unsynced changes
// of names.
func TestPowerCut(t *testing.T) {
	for _, c := range powerCases(t) {
		t.Run(c.name, func(t *testing.T) {
			r := record(t, c.start, 4, c.options, c.run)
			if n := r.mem.count(opRename); c.compact && n < 2 {
				t.Errorf("%d renames: nothing was compacted", n)
			}
			t.Logf("%d operations, %d states recovered", len(r.mem.trace), r.everyCut(t, c.step))
		})
	}
}

// meddle changes names behind the journal's back. What is cut later is judged
// by the journal's own operations: the change is one that reached the disk.
func (m *memFS) meddle(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// count is how often an operation is in the trace.
func (m *memFS) count(kind opKind) (n int) {
	for _, o := range m.trace {
		if o.kind == kind {
			n++
		}
	}
	return n
}
