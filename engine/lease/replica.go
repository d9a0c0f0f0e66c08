package lease

import (
	"cmp"
	"slices"
	"sync"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// replica is the journal's own copy of what the file says: every address that
// ever had a record, also outside of all present pools, so that a mistaken
// reload of the configuration loses nothing. Only the goroutine that writes
// changes it; the lock is for the others that read.
type replica struct {
	mu    sync.Mutex
	list  []*[chunkEntries]entry // in pieces: a storm of new addresses must not move the old ones
	count int
	index map[proto.Addr]int32
	live  int64 // bytes that the list takes as text
	head  []byte
}

// entry is the record in force of one address.
type entry struct {
	lease batch.Lease
	extra []byte // further statements, from a file that dhcpd wrote
	size  int32  // bytes as text
}

// chunkEntries is how many entries are allocated together. startEntries are there
// from the start, so that a storm need not wait for their memory.
const (
	chunkEntries = 256
	startEntries = 16384
)

// at returns entry i.
func (p *replica) at(i int) *entry { return &p.list[i/chunkEntries][i%chunkEntries] }

// grow adds room for more entries.
func (p *replica) grow() {
	chunk := new([chunkEntries]entry)
	clear(chunk[:]) // the pages are made now
	p.list = append(p.list, chunk)
}

// header opens a file that the journal has written anew. dhcpd skips comments.
const header = "# Lease database in the format of dhcpd.leases(5), kept by bootstorm.\n" +
	"# The last record of an address is the one in force. All times are UTC.\n\n"

// newReplica starts from a recovered file.
func newReplica(r *Recovered) *replica {
	p := &replica{index: make(map[proto.Addr]int32, max(len(r.Leases), startEntries)), head: []byte(header)}
	for range startEntries / chunkEntries {
		p.grow()
	}
	for _, item := range r.foreign {
		p.head = append(append(p.head, item...), '\n')
	}
	p.live = int64(len(p.head))
	for i := range r.Leases { // sizes as they are in the file: to write all anew would take a while
		p.set(&r.Leases[i], r.extras[i], int(r.sizes[i]))
	}
	return p
}

// set makes l the record in force of its address; size is its length as text.
func (p *replica) set(l *batch.Lease, extra []byte, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Entries are never removed, so an index into the list stays valid while a
	// compaction walks through it.
	i, known := p.index[l.Addr]
	if !known {
		if p.count == len(p.list)*chunkEntries {
			p.grow()
		}
		i = int32(p.count)
		p.index[l.Addr] = i
		p.count++
	}
	e := p.at(int(i))
	p.live += int64(size) - int64(e.size)
	e.lease, e.extra, e.size = *l, extra, int32(size)
}

// appendFrom appends the records from index i on until limit bytes are reached,
// and returns the index to go on with.
func (p *replica) appendFrom(b []byte, i, limit int) ([]byte, int) {
	for ; i < p.count && len(b) < limit; i++ {
		e, at := p.at(i), len(b)
		b = appendRecord(b, &e.lease, e.extra)
		p.live += int64(len(b)-at) - int64(e.size) // as found, it may have been longer or shorter
		e.size = int32(len(b) - at)
	}
	return b, i
}

// leases returns a copy of all records, by address.
func (p *replica) leases() []batch.Lease {
	p.mu.Lock()
	out := make([]batch.Lease, p.count)
	for i := range out {
		out[i] = p.at(i).lease
		out[i].Seq = 0
	}
	p.mu.Unlock()
	slices.SortFunc(out, func(a, b batch.Lease) int { return cmp.Compare(a.Addr, b.Addr) })
	return out
}
