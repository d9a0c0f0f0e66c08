//go:build linux

package link

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// retryInterval is how long Wait waits after an interface's queue has refused a
// frame: the queue is full but the socket counts as writable, so there is
// nothing to poll for. A queue of 1,000 frames lasts 1.2 ms at 10 Gb/s.
const retryInterval = 200 * time.Microsecond

// shortWait is how long a Wait that follows traffic sleeps without telling Go's
// scheduler. What the scheduler knows to be asleep it takes for idle, and at each
// awakening its monitor thread looks around every 20 microseconds for a millisecond
// (sysmon in runtime/proc.go): where each frame is an answer to the one before, that
// is a fifth of the processor time. In this time, and no longer, a stop of the
// world has to wait for the signal that the runtime sends for it.
const shortWait = 2 * time.Millisecond

// poller holds the list for ppoll(2): the receiving sockets, interface by
// interface, then the sending sockets, then the eventfd.
type poller struct {
	list    []unix.PollFd
	ready   []bool // sockets with something to receive, as far as known
	sockets int
	quiet   bool // the last Wait saw nothing
	timeout unix.Timespec
	wakes   [8]byte // what the eventfd counted, not looked at
}

func (p *poller) init(s *Set) {
	p.sockets = receivers * len(s.links)
	p.ready = make([]bool, p.sockets)
	p.list = make([]unix.PollFd, p.sockets+len(s.links)+1)
	for i := range s.links {
		for k, fd := range s.links[i].in {
			p.list[receivers*i+k] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		}
		p.list[p.sockets+i] = unix.PollFd{Fd: -1, Events: unix.POLLOUT}
	}
	p.list[len(p.list)-1] = unix.PollFd{Fd: int32(s.event), Events: unix.POLLIN}
}

func (p *poller) readable() bool {
	for _, r := range p.ready {
		if r {
			return true
		}
	}
	return false
}

// Wait blocks until there is a frame to receive, room for what the last Send
// left over, a Wake, or the timeout in nanoseconds; negative means none. It may
// return early: after traffic it sleeps for shortWait at most, the next time for as
// long as it may. It needs about 20 microseconds to wake up: a caller that expects a
// frame sooner calls Recv a few times first.
func (s *Set) Wait(nanos int64) error {
	if s.poll.readable() {
		return nil
	}
	for i := range s.links {
		out := &s.poll.list[s.poll.sockets+i]
		out.Fd = -1
		switch s.links[i].blocked {
		case blockedFull:
			out.Fd = int32(s.links[i].send)
		case blockedRefused:
			if nanos < 0 || nanos > int64(retryInterval) {
				nanos = int64(retryInterval)
			}
		}
	}
	if !s.poll.quiet && (nanos < 0 || nanos > int64(shortWait)) {
		nanos = int64(shortWait)
	}
	s.poll.quiet = true // until something comes
	if err := s.ppoll(nanos, len(s.poll.list)); err != nil {
		return err
	}
	if s.poll.list[len(s.poll.list)-1].Revents != 0 {
		s.takeWake()
	}
	return nil
}

// ppoll calls ppoll(2) for the first count entries of the list and notes which
// sockets are ready.
func (s *Set) ppoll(nanos int64, count int) error {
	p := &s.poll
	var timeout *unix.Timespec
	if nanos >= 0 {
		p.timeout = unix.NsecToTimespec(nanos)
		timeout = &p.timeout
	}
	var n uintptr
	var errno unix.Errno
	list := unsafe.Pointer(&p.list[0])
	if nanos >= 0 && nanos <= int64(shortWait) { // so short that the scheduler need not know of it
		n, _, errno = unix.RawSyscall6(unix.SYS_PPOLL, uintptr(list), uintptr(count), uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_PPOLL, uintptr(list), uintptr(count), uintptr(unsafe.Pointer(timeout)), 0, 0, 0)
	}
	s.stats.polls.Add(1)
	switch {
	case errno == unix.EINTR, errno == 0 && n == 0:
		p.list[len(p.list)-1].Revents = 0 // the kernel wrote nothing
		return nil
	case errno != 0:
		return errno
	}
	p.quiet = false
	for i := range p.ready {
		// An error condition is found out by receiving.
		p.ready[i] = p.list[i].Revents != 0
	}
	return nil
}

// wakeOne is what Wake adds to the eventfd's counter: something, in any byte order.
var wakeOne = [8]byte{0, 0, 0, 1}

// Wake makes a Wait that runs, or else the next one, return. It may be called
// from any goroutine; calls before that Wait count as one.
func (s *Set) Wake() {
	if s.woken.Swap(true) {
		return
	}
	s.wakeLock.Lock()
	defer s.wakeLock.Unlock()
	if !s.closed {
		unix.Write(s.event, wakeOne[:])
	}
}

// takeWake empties the eventfd. The flag is cleared first: a Wake that comes in
// between is then merged into this one, never lost.
func (s *Set) takeWake() {
	s.woken.Store(false)
	unix.Read(s.event, s.poll.wakes[:])
	s.stats.wakes.Add(1)
}
