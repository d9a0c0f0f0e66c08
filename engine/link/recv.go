//go:build linux

package link

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
)

// mmsghdr is struct mmsghdr of sendmmsg(2): the compiler pads it as C does.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32 // bytes of this message that were moved
}

// controlCap holds the PACKET_AUXDATA control message (40 bytes on 64 bit).
const controlCap = 64

// receiver holds the memory that the kernel writes frames to. Slot i of its
// arrays becomes frame i of the batch, whichever socket it came from.
type receiver struct {
	rung    ReceiveRung
	first   int // socket to begin with, so that a busy one cannot starve the others
	headers [batch.RxCap]mmsghdr
	vectors [batch.RxCap]unix.Iovec
	control *[batch.RxCap][controlCap / 8]uint64 // aligned for struct cmsghdr
	frames  *[batch.RxCap][batch.FrameCap]byte
}

func (r *receiver) init(rung ReceiveRung) {
	r.rung = rung
	r.control = new([batch.RxCap][controlCap / 8]uint64)
	r.frames = new([batch.RxCap][batch.FrameCap]byte)
	for i := range r.headers {
		v := &r.vectors[i]
		v.Base = &r.frames[i][0]
		v.SetLen(batch.FrameCap)
		h := &r.headers[i].hdr
		h.Iov = v
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&r.control[i]))
		h.SetControllen(controlCap)
	}
}

// Recv fills rx with the frames that are there, at most batch.RxCap, and sets
// rx.N; it never blocks. Their data is valid until the next Recv. When nothing
// is known to be there it costs one non-blocking ppoll for all interfaces, which
// makes it the cheap thing to call in a loop before Wait. An error of one
// interface (*DownError) does not invalidate the frames of the others.
func (s *Set) Recv(rx *batch.Rx) error {
	rx.N = 0
	if !s.poll.readable() {
		// Without the eventfd: a Wake is for Wait alone.
		if err := s.ppoll(0, s.poll.sockets); err != nil {
			return err
		}
	}
	var failure error
	at := s.rx.first
	for range s.poll.sockets {
		if s.poll.ready[at] {
			if err := s.drain(at, rx); err != nil {
				failure = err
			}
		}
		if at++; at == s.poll.sockets {
			at = 0
		}
		if rx.N == batch.RxCap {
			// The next batch begins with the next socket, whoever is busy.
			s.rx.first = at
			return failure
		}
	}
	s.rx.first = 0
	return failure
}

// drain reads one socket until rx is full or the socket is empty. The sockets of
// interface i are numbered from receivers*i on.
func (s *Set) drain(socket int, rx *batch.Rx) error {
	p := &s.links[socket/receivers]
	fd := p.in[socket%receivers]
	for rx.N < batch.RxCap {
		room := batch.RxCap - rx.N
		if s.rx.rung == ReceiveSingle {
			room = 1
		}
		n, errno := s.receive(fd, rx.N, room)
		if errno != 0 {
			return s.receiveFailed(socket, errno)
		}
		s.accept(uint8(socket/receivers), rx, n)
		p.isDown = false
		if n < room {
			s.poll.ready[socket] = false
			break
		}
	}
	return nil
}

// receive moves up to room frames from the kernel into the slots from at on.
func (s *Set) receive(fd, at, room int) (n int, errno unix.Errno) {
	h := &s.rx.headers[at]
	var r uintptr
	if s.rx.rung == ReceiveSingle {
		if r, _, errno = unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&h.hdr)), unix.MSG_DONTWAIT); errno == 0 {
			h.len, r = uint32(r), 1
		}
	} else {
		r, _, errno = unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), uintptr(room), unix.MSG_DONTWAIT, 0, 0)
	}
	s.stats.receiveCalls.Add(1)
	if errno != 0 {
		s.stats.receiveEmpty.Add(1)
		return 0, errno
	}
	return int(r), 0
}

// receiveFailed decides what an error means: an empty socket and an interrupted
// call are none.
func (s *Set) receiveFailed(socket int, errno unix.Errno) error {
	p := &s.links[socket/receivers]
	switch {
	case errno == unix.EINTR:
		return nil // still marked as ready
	// An old kernel, or a seccomp filter that does not know the call.
	case errno == unix.ENOSYS && s.rx.rung == ReceiveBatch:
		s.rx.rung = ReceiveSingle
		return nil
	case isDown(errno):
		s.poll.ready[socket] = false
		// All sockets of the interface carry the news: one is enough.
		for _, fd := range p.in {
			unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		}
		return p.markDown(errno)
	}
	s.poll.ready[socket] = false
	if errno == unix.EAGAIN {
		return nil
	}
	return errno
}

// accept turns the n slots behind the batch's last frame into frames of it.
func (s *Set) accept(link uint8, rx *batch.Rx, n int) {
	var truncated, unfinished uint64
	for i := rx.N; i < rx.N+n; i++ {
		h := &s.rx.headers[i]
		// A frame longer than its slot is cut, and the parser drops it by its
		// length fields: here it is only counted.
		size := min(int(h.len), batch.FrameCap)
		finished := checksumFinished(s.controlOf(i))
		rx.Frames[i] = batch.Frame{Data: s.rx.frames[i][:size:size], Link: link, Checksum: finished}
		if h.hdr.Flags&unix.MSG_TRUNC != 0 {
			truncated++
		}
		if !finished {
			unfinished++
		}
		h.hdr.SetControllen(controlCap) // the kernel has set it to what it wrote
	}
	rx.N += n
	s.stats.frames.Add(uint64(n))
	if truncated != 0 {
		s.stats.truncated.Add(truncated)
	}
	if unfinished != 0 {
		s.stats.unfinished.Add(unfinished)
	}
}

func (s *Set) controlOf(i int) []byte {
	n := min(int(s.rx.headers[i].hdr.Controllen), controlCap)
	return unsafe.Slice((*byte)(unsafe.Pointer(&s.rx.control[i])), controlCap)[:n]
}

// checksumFinished looks for TP_STATUS_CSUMNOTREADY in the control messages of
// a frame. Others may stand before PACKET_AUXDATA, so the list is walked.
func checksumFinished(control []byte) bool {
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(control) {
			break
		}
		if h.Level == unix.SOL_PACKET && h.Type == unix.PACKET_AUXDATA && size >= unix.CmsgLen(int(unsafe.Sizeof(unix.TpacketAuxdata{}))) {
			aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
			return aux.Status&unix.TP_STATUS_CSUMNOTREADY == 0
		}
		control = control[min(unix.CmsgSpace(size-unix.CmsgLen(0)), len(control)):]
	}
	return true
}
