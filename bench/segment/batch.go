//go:build linux

package segment

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is struct mmsghdr of recvmmsg(2): a message and, on return, its
// length.
type header struct {
	msg unix.Msghdr
	len uint32
	_   [4]byte
}

// batch is the memory of one recvmmsg or sendmmsg: it is allocated once, and
// the kernel finds frame i in buf[i].
type batch struct {
	headers []header
	vectors []unix.Iovec
	buf     [][]byte
}

func newBatch(n, size int) batch {
	b := batch{make([]header, n), make([]unix.Iovec, n), make([][]byte, n)}
	// One piece of memory for all: the kernel writes to it through pointers that
	// keep it alive.
	all := make([]byte, n*size)
	for i := range b.buf {
		b.buf[i] = all[i*size : (i+1)*size : (i+1)*size]
		b.vectors[i].Base = &b.buf[i][0]
		b.vectors[i].SetLen(size)
		b.headers[i].msg.Iov = &b.vectors[i]
		b.headers[i].msg.SetIovlen(1)
	}
	return b
}

// call makes the system call for entries from..to and returns how many the
// kernel has done; none if it would block.
func (b *batch) call(trap uintptr, fd, from, to int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&b.headers[from])), uintptr(to-from),
			unix.MSG_DONTWAIT, 0, 0)
		runtime.KeepAlive(b)
		switch {
		case errno == 0:
			return int(n), nil
		case errno == unix.EINTR:
		case errno == unix.EAGAIN || errno == unix.ENOBUFS:
			return 0, nil
		default:
			return 0, fmt.Errorf("packet socket: %w", errno)
		}
	}
}

// Receive calls f for each frame that has arrived, at most a batch of them, and
// returns how many it took from the kernel. A run of datagrams that the kernel
// has kept in one piece is cut as a network card would. checksum is false when
// the UDP checksum is unfinished. The frame is valid until f returns.
func (c *Conn) Receive(f func(frame []byte, checksum bool)) (int, error) {
	n, err := c.recv.call(unix.SYS_RECVMMSG, c.fd, 0, slots)
	if errors.Is(err, unix.ENETDOWN) {
		return 0, nil // reported once by the kernel; frames may come again
	}
	for i := range n {
		b := c.recv.buf[i]
		// A frame that did not fit is cut by the kernel, which still tells its length.
		if size := int(c.recv.headers[i].len); size > vnetLen && size <= len(b) {
			c.deliver(b[:vnetLen], b[vnetLen:size], f)
		}
	}
	return n, err
}

// Queue copies a frame to be sent by Flush; false if there is no room until
// Flush makes some.
func (c *Conn) Queue(frame []byte) bool {
	if c.queued == slots || len(frame) > sendCap-vnetLen {
		return false
	}
	b := c.send.buf[c.queued]
	clear(b[:vnetLen])
	c.send.vectors[c.queued].SetLen(vnetLen + copy(b[vnetLen:], frame))
	c.queued++
	return true
}

// Flush sends what is queued as far as the kernel takes it; the rest stays
// queued.
func (c *Conn) Flush() error {
	sent := 0
	for sent < c.queued {
		n, err := c.send.call(unix.SYS_SENDMMSG, c.fd, sent, c.queued)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		sent += n
	}
	c.keep(sent)
	return nil
}

// Queued is how many frames wait for the next Flush.
func (c *Conn) Queued() int { return c.queued }

// keep moves the unsent frames to the front.
func (c *Conn) keep(sent int) {
	for i := sent; sent > 0 && i < c.queued; i++ {
		k := copy(c.send.buf[i-sent], c.send.buf[i][:c.send.vectors[i].Len])
		c.send.vectors[i-sent].SetLen(k)
	}
	c.queued -= sent
}
