//go:build linux

// Package link moves frames between the core's batches and Ethernet
// interfaces, by AF_PACKET sockets (packet(7)). It is the only package that
// knows the kernel's interface to the wire.
//
// A Set is driven by one goroutine: Recv, Send and Wait allocate nothing and
// never block, apart from Wait. Each interface has one socket for IPv4, one for
// ARP, one for the router solicitations of IPv6 and one to send. Sending uses the
// best mechanism that the kernel has, receiving likewise; see Rung. Several Sets
// can share the interfaces, see OpenShared.
//
// The kernel keeps its address on the interface. Reserve keeps it from
// answering on our ports.
package link

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
)

// Options for Open. The zero value means: the best mechanisms, default buffers.
type Options struct {
	RX string // receive rung: "mmsg" or "single"; "" is the best that works
	TX string // send rung: "gso", "csum", "mmsg" or "single"; "" is the best that works

	// SocketBuffer is the receive buffer of each socket in bytes, 0 for 32 MB:
	// drivers charge up to 4.4 KB for a 300 byte frame, so a burst of 7,000 fits.
	SocketBuffer int
	// SendBuffer limits what one interface may have queued in the kernel, in
	// bytes as the kernel counts them, 0 for 160 KB. More than half of the
	// interface's queue turns waiting into loss, and every byte of it is waited for
	// by clients that read block by block: with 1 MB, on a link of 100 Mbit/s, iPXE
	// waited 80 ms for each. With 384 KB, at 1 Gbit/s, the mean of 1,000 nodes was
	// done after 0.79 of the storm, with 192 KB after 0.61, with 128 KB after 0.58,
	// and the last at the same time. Much less would be short for a card of 10 Gbit/s
	// that reports what it has sent only every 0.1 ms.
	SendBuffer int

	Opener Opener // nil: this process
}

const (
	defaultReceiveBuffer = 32 << 20
	defaultSendBuffer    = 160 << 10
)

// Set is a number of interfaces that are served together. The index of a name
// in Open's list is Frame.Link and Message.Link.
type Set struct {
	links []port
	event int // eventfd(2) of Wake
	woken atomic.Bool
	rx    receiver
	tx    sender
	poll  poller
	stats counters

	wakeLock sync.Mutex // keeps Wake from writing to a descriptor that Close has closed
	closed   bool
}

// port is one interface of a Set.
type port struct {
	name    string
	index   int            // interface index in the kernel
	in      [receivers]int // receiving sockets, in the order in which they are read
	send    int            // sending socket; -1: the interface did not exist at Open
	rung    Rung
	forced  bool // the rung must not change
	blocked blocking
	buffer  [2]int // receive and send buffer as the kernel granted them, bytes
	down    DownError
	isDown  bool // down was reported; cleared when the interface moves a frame again
}

// Open opens all sockets of the named interfaces. It needs CAP_NET_RAW. An
// interface that is down is opened all the same and works when it comes up. One
// that does not exist is passed over, and is stale from the beginning (see
// Set.Stale); only if none exists that is an error, a *DownError with Gone set.
func Open(names []string, o Options) (*Set, error) {
	return open(names, o, &share{members: 1, groups: make([]int, len(names))})
}

// open opens the sockets of one of the Sets that share the interfaces.
func open(names []string, o Options, sh *share) (*Set, error) {
	rx, err := parseReceiveRung(o.RX)
	if err != nil {
		return nil, err
	}
	s := &Set{event: -1}
	s.rx.init(rx)
	var missing error
	for i, name := range names {
		p, err := openPort(uint8(i), name, o, sh)
		if gone := new(DownError); errors.As(err, &gone) && gone.Gone {
			sh.groups[i] = alone
			p.isDown = true // Send need not report it
			missing = err
		} else if err != nil {
			s.Close()
			return nil, err
		}
		s.links = append(s.links, p)
	}
	if missing != nil && !slices.ContainsFunc(s.links, func(p port) bool { return p.exists() }) {
		s.Close()
		return nil, missing
	}
	if s.event, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		s.Close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	s.tx.init()
	s.poll.init(s)
	return s, nil
}

// Close closes all sockets. The Set must not be used any more, except that Wake
// from another goroutine does no harm.
func (s *Set) Close() error {
	s.wakeLock.Lock()
	defer s.wakeLock.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for i := range s.links {
		s.links[i].close()
	}
	if s.event >= 0 {
		unix.Close(s.event)
	}
	return nil
}

// Describe says for each interface what was chosen, in words for the log.
func (s *Set) Describe() []string {
	lines := make([]string, len(s.links))
	for i := range s.links {
		p := &s.links[i]
		if !p.exists() {
			lines[i] = p.name + ": does not exist"
			continue
		}
		lines[i] = fmt.Sprintf("%s: receive %s, buffer %d KB; send %s (%s), buffer %d KB", p.name,
			s.rx.rung, p.buffer[0]>>10, p.rung, p.rung.explain(), p.buffer[1]>>10)
	}
	return lines
}

// Stale returns the names of interfaces that did not exist at Open, or were
// removed, or removed and made again, since: they have no sockets or dead ones,
// and the Set has to be opened anew. An interface that is merely down is not stale.
func (s *Set) Stale() []string {
	var names []string
	for i := range s.links {
		if p := &s.links[i]; !p.exists() || p.gone() {
			names = append(names, s.links[i].name)
		}
	}
	return names
}

// compact removes the messages that were dealt with from tx and keeps the order
// of the others.
func compact(tx *batch.Tx, done *[batch.TxCap]bool) {
	kept := 0
	for i := range tx.N {
		if !done[i] {
			tx.Messages[kept], tx.Messages[i] = tx.Messages[i], tx.Messages[kept]
			kept++
		}
	}
	tx.N = kept
}
