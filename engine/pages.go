package engine

import (
	"os"
	"runtime"
	"syscall"

	"bootstorm/engine/plan"
)

// What a start with many leases costs is mostly memory that is touched for the
// first time: a page fault for every 4 KiB, some 30,000 of them for 100,000
// leases. In huge pages (2 MiB) there are a few hundred.

// What the start allocates for each pool address, and for each byte of the lease
// file, rounded up; and for everything else.
const (
	bytesPerAddress = 1 << 10
	bytesPerText    = 2
	bytesBesides    = 32 << 20
)

// prepareHeap has the kernel use huge pages for the heap that the tables of a
// plan and a lease file will take. Memory that is not used is never touched, so
// the estimate costs nothing.
func prepareHeap(p *plan.Plan, leaseFile string) {
	size := int64(bytesBesides)
	for i := range p.Pools {
		size += min(p.Pools[i].Size, 1<<20) * bytesPerAddress
	}
	if st, err := os.Stat(leaseFile); err == nil {
		size += st.Size() * bytesPerText
	}
	// Go asks for no huge pages itself, and gives no way to ask for those of an
	// allocation to come. But a piece of the heap keeps what was asked for it when
	// it is free again.
	piece := make([]byte, size)
	_ = syscall.Madvise(piece, syscall.MADV_HUGEPAGE) // a kernel without them is slower, no more
	runtime.GC()
}
