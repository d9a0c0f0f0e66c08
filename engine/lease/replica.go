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
	mu     sync.Mutex
	leases []*[chunkLeases]batch.Lease // in pieces: a storm of new addresses must not move the old ones
	sizes  []int32                     // bytes as text, by record
	extras map[int32][]byte            // further statements, from a file that dhcpd wrote
	index  map[proto.Addr]int32
	live   int64 // bytes that all records take as text
	head   []byte
}

// chunkLeases is how many records are allocated together. Room for startLeases
// more than the file had is there from the start, so that a storm need not wait for
// its memory.
const (
	chunkLeases = 256
	startLeases = 16384
)

// wholeChunks rounds a number of records up to whole pieces.
func wholeChunks(n int) int { return (n + chunkLeases - 1) / chunkLeases * chunkLeases }

// at returns record i.
func (p *replica) at(i int) *batch.Lease { return &p.leases[i/chunkLeases][i%chunkLeases] }

// count is how many records there are.
func (p *replica) count() int { return len(p.sizes) }

// grow adds room for more records.
func (p *replica) grow() {
	chunk := new([chunkLeases]batch.Lease)
	clear(chunk[:]) // the pages are made now
	p.leases = append(p.leases, chunk)
}

// header opens a file that the journal has written anew. dhcpd skips comments.
const header = "# Lease database in the format of dhcpd.leases(5), kept by bootstorm.\n" +
	"# The last record of an address is the one in force. All times are UTC.\n\n"

// newReplica takes over a recovered file, its memory with it.
func newReplica(r *Recovered) *replica {
	n := len(r.Leases)
	p := &replica{sizes: slices.Grow(r.sizes, startLeases), extras: r.extras, index: r.index, head: []byte(header)}
	if p.index == nil {
		p.extras, p.index = map[int32][]byte{}, make(map[proto.Addr]int32, startLeases)
	}
	whole := wholeChunks(n)
	list := slices.Grow(r.Leases, whole-n)[:whole]
	for ; len(list) > 0; list = list[chunkLeases:] {
		p.leases = append(p.leases, (*[chunkLeases]batch.Lease)(list))
	}
	for range startLeases / chunkLeases {
		p.grow()
	}
	for _, item := range r.foreign {
		p.head = append(append(p.head, item...), '\n')
	}
	p.live = int64(len(p.head))
	for _, size := range r.sizes { // as they are in the file: to write all anew would take a while
		p.live += int64(size)
	}
	return p
}

// set makes l the record in force of its address; size is its length as text.
func (p *replica) set(l *batch.Lease, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Records are never removed, so an index stays valid while a compaction walks
	// through them.
	i, known := p.index[l.Addr]
	if !known {
		i = int32(p.count())
		if int(i) == len(p.leases)*chunkLeases {
			p.grow()
		}
		p.index[l.Addr] = i
		p.sizes = append(p.sizes, 0)
	}
	p.live += int64(size) - int64(p.sizes[i])
	*p.at(int(i)), p.sizes[i] = *l, int32(size)
	delete(p.extras, i)
}

// appendFrom appends the records from index i on until limit bytes are reached,
// and returns the index to go on with.
func (p *replica) appendFrom(b []byte, i, limit int) ([]byte, int) {
	for ; i < p.count() && len(b) < limit; i++ {
		start := len(b)
		b = appendRecord(b, p.at(i), p.extras[int32(i)])
		p.live += int64(len(b)-start) - int64(p.sizes[i]) // as found, it may have been longer or shorter
		p.sizes[i] = int32(len(b) - start)
	}
	return b, i
}

// list returns a copy of all records, by address.
func (p *replica) list() []batch.Lease {
	p.mu.Lock()
	out := make([]batch.Lease, p.count())
	for i := range out {
		out[i] = *p.at(i)
		out[i].Seq = 0
	}
	p.mu.Unlock()
	slices.SortFunc(out, func(a, b batch.Lease) int { return cmp.Compare(a.Addr, b.Addr) })
	return out
}
