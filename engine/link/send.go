//go:build linux

package link

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
)

// blocking says why an interface takes no more for now.
type blocking uint8

const (
	notBlocked     blocking = iota
	blockedFull             // EAGAIN: the socket's buffer is full, POLLOUT tells when it is not
	blockedRefused          // ENOBUFS: the interface's queue dropped a frame
)

// Send hands the messages of tx to the kernel, as many as it takes now, and
// removes them. What remains keeps its order per interface; a run of DATA frames
// may remain in part. A full queue is not an error: Wait then also waits for
// room. Messages for an interface that is down are given up, counted, and
// reported once as a *DownError; those for other interfaces are sent.
func (s *Set) Send(tx *batch.Tx) error {
	if tx.N == 0 {
		s.unblock()
		return nil
	}
	clear(s.tx.done[:tx.N])
	var failure error
	for i := range s.links {
		if err := s.sendLink(tx, uint8(i)); err != nil {
			failure = err
		}
	}
	for i := range tx.N { // a link that does not exist: nothing can ever be sent
		if int(tx.Messages[i].Link) >= len(s.links) {
			s.giveUp(tx, i)
		}
	}
	compact(tx, &s.tx.done)
	return failure
}

// unblock forgets that interfaces were blocked: nothing waits for them.
func (s *Set) unblock() {
	for i := range s.links {
		s.links[i].blocked = notBlocked
	}
}

// sendLink sends the messages of one interface.
func (s *Set) sendLink(tx *batch.Tx, link uint8) error {
	p := &s.links[link]
	p.blocked = notBlocked
	// More than one round when a batch has more kernel messages than fit, or
	// after a change of rung.
	for s.build(tx, link, p.rung) > 0 {
		for sent := 0; sent < s.tx.count; {
			n, errno := s.transmit(p, sent)
			if errno == 0 {
				// If the kernel took fewer than it was offered, the next call begins
				// with the one that it refused, and gets the reason.
				p.isDown = false
				s.account(tx, sent, n)
				sent += n
				continue
			}
			if again, err := s.sendFailed(tx, p, sent, errno); !again {
				return err
			}
			break // what was not sent is built anew
		}
	}
	return nil
}

// build makes kernel messages of what is not sent yet, in order, and returns
// how many.
func (s *Set) build(tx *batch.Tx, link uint8, r Rung) int {
	t := &s.tx
	t.count, t.used = 0, 0
	for i := 0; i < tx.N && t.count < batch.TxCap; i++ {
		m := tx.Messages[i]
		switch {
		case m.Link != link || t.done[i]:
		case m.Segments == 0:
			t.single(i, m, r)
		default:
			t.run(i, m, 0, r)
		}
	}
	return t.count
}

// transmit sends the entries from first on and returns how many the kernel took.
func (s *Set) transmit(p *port, first int) (n int, errno unix.Errno) {
	h := &s.tx.headers[first]
	var r uintptr
	if p.rung == SendSingle {
		if _, _, errno = unix.Syscall(unix.SYS_SENDMSG, uintptr(p.send), uintptr(unsafe.Pointer(&h.hdr)), unix.MSG_DONTWAIT); errno == 0 {
			r = 1
		}
	} else {
		r, _, errno = unix.Syscall6(unix.SYS_SENDMMSG, uintptr(p.send), uintptr(unsafe.Pointer(h)), uintptr(s.tx.count-first), unix.MSG_DONTWAIT, 0, 0)
	}
	s.stats.sendCalls.Add(1)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// account takes what was sent out of the batch.
func (s *Set) account(tx *batch.Tx, first, n int) {
	var frames uint64
	for _, e := range s.tx.entries[first : first+n] {
		m := tx.Messages[e.message]
		// The message itself remembers how far it got: its run becomes shorter.
		frames += uint64(e.frames)
		if m.Segments > 0 {
			advance(m, int(e.frames))
		}
		s.tx.done[e.message] = m.Segments == 0
	}
	s.stats.sentFrames.Add(frames)
	s.stats.sentBatch.Add(uint64(n))
}

// sendFailed decides what to do about an error of the entry at: try again, or
// leave the interface for now.
func (s *Set) sendFailed(tx *batch.Tx, p *port, at int, errno unix.Errno) (again bool, err error) {
	e := &s.tx.entries[at]
	switch {
	case errno == unix.EINTR:
		return true, nil
	case errno == unix.EAGAIN:
		p.blocked = blockedFull
		s.stats.full.Add(1)
		return false, nil
	case errno == unix.ENOBUFS:
		p.blocked = blockedRefused
		s.stats.refused.Add(1)
		return false, nil
	case isDown(errno), !p.exists():
		s.giveUpLink(tx, p.down.Link)
		return false, p.markDown(errno)
	case s.stepDown(p, e, errno):
		return true, nil
	case errno == unix.EBADF, errno == unix.ENOTSOCK, errno == unix.EFAULT:
		return false, errno // a defect of the program: no message is to blame
	}
	s.giveUp(tx, int(e.message))
	if e.offload && p.forced {
		return false, fmt.Errorf("%s: send rung %s: %w: %w", p.name, p.rung, errWrongRung, errno)
	}
	return true, nil
}

// stepDown changes to a lower rung if the error says that the kernel lacks what
// this one needs. It is for good: each further try would cost a failed call.
func (s *Set) stepDown(p *port, e *entry, errno unix.Errno) bool {
	lacks := errno == unix.ENOSYS && p.rung < SendSingle
	if e.offload {
		lacks = lacks || errno == unix.EINVAL || errno == unix.EOPNOTSUPP || errno == unix.ENOPROTOOPT || errno == unix.EIO
	}
	if !lacks || p.forced {
		return false
	}
	next := p.rung + 1
	if errno == unix.ENOSYS {
		next = SendSingle
	}
	if p.setRung(next) != nil {
		return false
	}
	s.stats.downgrades.Add(1)
	return true
}

// giveUp takes a message out of the batch that cannot be sent.
func (s *Set) giveUp(tx *batch.Tx, i int) {
	if !s.tx.done[i] {
		s.tx.done[i] = true
		s.stats.dropped.Add(uint64(tx.Messages[i].Frames()))
	}
}

// giveUpLink does so for all messages of an interface that is down: their
// clients will ask again, and by then the answer may be another.
func (s *Set) giveUpLink(tx *batch.Tx, link uint8) {
	for i := range tx.N {
		if tx.Messages[i].Link == link {
			s.giveUp(tx, i)
		}
	}
}
