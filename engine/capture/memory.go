//go:build linux

package capture

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// New makes a ring of about size bytes, rounded to whole blocks. The file is its
// memory (memfd_create(2)), which another process maps with Open; it is sealed:
// nobody else can write it or cut it off. Closing the file leaves the ring as it
// is.
func New(size int) (*Ring, *os.File, error) {
	f, err := prepare(size)
	if err != nil {
		return nil, nil, err
	}
	r, err := adopt(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, f, nil
}

// prepare makes the memory of an empty ring, which a reader may map already; adopt
// makes the ring.
func prepare(size int) (*os.File, error) {
	size = max(size/blockLen, minBlocks) * blockLen
	fd, err := unix.MemfdCreate("bootstorm-capture", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("bootstorm-capture", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("memory for captured frames: memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "capture")
	err = unix.Ftruncate(fd, int64(pageLen+size))
	if err == nil {
		_, err = f.WriteAt(firstPage(size), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("memory for captured frames: %w", err), f.Close())
	}
	return f, nil
}

// adopt makes the ring in prepared memory.
func adopt(f *os.File) (*Ring, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	mem, err := mapped(int(f.Fd()), int(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("memory for captured frames: %w", err)
	}
	return newRing(mem), nil
}

// mapped maps and seals the memory. All pages are there before the first frame:
// the worker must not wait for one. That they are populated is not enough for a virtual
// machine with shadow page tables, where the first write of this process takes 10 us
// for each page, as long as all else that a DISCOVER needs: so each is written.
func mapped(fd, size int) ([]byte, error) {
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("mmap of %d bytes: %w", size, err)
	}
	for at := 0; at < len(mem); at += pageLen {
		(*atomic.Uint64)(word(mem, at)).Add(0) // what firstPage wrote stays
	}
	// The mapping that exists stays writable.
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_FUTURE_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals|unix.F_SEAL_SEAL); err != nil {
		return nil, errors.Join(fmt.Errorf("F_ADD_SEALS: %w", err), unix.Munmap(mem))
	}
	return mem, nil
}

// firstPage is the beginning of the page before a ring of size bytes.
func firstPage(size int) []byte {
	b := make([]byte, atReserved+8)
	order.PutUint64(b[atMagic:], magic)
	order.PutUint64(b[atSize:], uint64(size))
	order.PutUint64(b[atReserved:], 2*blockLen)
	return b
}

// newRing begins a ring in memory that prepare has made.
func newRing(mem []byte) *Ring {
	r := &Ring{page: mem[:pageLen:len(mem)], mem: mem[pageLen:], end: blockLen}
	r.head = (*atomic.Uint64)(word(mem, atHead))
	r.reserved = (*atomic.Uint64)(word(mem, atReserved))
	r.wall = (*atomic.Int64)(word(mem, atWall))
	return r
}

// word is the address of eight bytes of the page, which a mapping aligns.
func word(mem []byte, at int) unsafe.Pointer { return unsafe.Pointer(&mem[at : at+8][0]) }

// Name says what interface a link is, before the first frame of it.
func (r *Ring) Name(link int, name string) {
	if r == nil || link < 0 || link >= names {
		return
	}
	field := r.page[atNames+link*nameLen:][:nameLen]
	clear(field)
	copy(field[:nameLen-1], name)
}

// Size is the memory taken, in bytes.
func (r *Ring) Size() int {
	if r == nil {
		return 0
	}
	return pageLen + len(r.mem)
}

// Close gives the memory back. The ring must not be used any more; readers keep
// what they have mapped.
func (r *Ring) Close() error {
	if r == nil {
		return nil
	}
	return unix.Munmap(r.page[:pageLen+len(r.mem)])
}

// Reader is the reading end, in this process or another. Its methods may be used
// while the worker writes, and by several goroutines.
type Reader struct {
	mem            []byte
	head, reserved *atomic.Uint64
	wall           *atomic.Int64
}

// Open maps the memory of a ring. The descriptor stays the caller's, who may
// close it.
func Open(fd int) (*Reader, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("captured frames: fstat: %w", err)
	}
	if st.Size < pageLen+minBlocks*blockLen || (st.Size-pageLen)%blockLen != 0 || st.Size > 1<<40 {
		return nil, fmt.Errorf("captured frames: %w: a size of %d bytes", errNoRing, st.Size)
	}
	mem, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("captured frames: mmap: %w", err)
	}
	if order.Uint64(mem[atMagic:]) != magic || order.Uint64(mem[atSize:]) != uint64(st.Size-pageLen) {
		return nil, errors.Join(fmt.Errorf("captured frames: %w: its first page is another's", errNoRing), unix.Munmap(mem))
	}
	return &Reader{mem: mem, head: (*atomic.Uint64)(word(mem, atHead)), reserved: (*atomic.Uint64)(word(mem, atReserved)),
		wall: (*atomic.Int64)(word(mem, atWall))}, nil
}

// errNoRing says that a descriptor is not the memory of a ring of this version.
var errNoRing = errors.New("not the memory of a capture ring")

// Close gives the mapping back.
func (r *Reader) Close() error { return unix.Munmap(r.mem) }
