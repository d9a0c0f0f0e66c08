//go:build linux

// Package segment is the end of an Ethernet segment at which simulated nodes
// stand: an AF_PACKET socket (packet(7)) that sees every frame of an
// interface, in batches, and sends frames from any hardware address.
//
// It is the counterpart of engine/link and stays apart from it on purpose: the
// daemon's socket layer is part of what is measured here.
package segment

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

const (
	slots    = 64              // frames moved by one system call
	vnetLen  = 10              // virtio_net_hdr, in front of every frame (PACKET_VNET_HDR)
	frameCap = vnetLen + 1<<16 // a run that the kernel has not cut yet is up to 64 KiB
	sendCap  = vnetLen + 1514
	buffer   = 32 << 20 // asked for in both directions
)

// Conn is an open end. It is not safe for use by several goroutines.
type Conn struct {
	fd      int
	recv    batch
	send    batch
	queued  int // frames in send that the kernel has not taken
	cut     []byte
	Dropped uint64 // frames that the kernel dropped for want of room, as of the last Statistics
}

// Open opens the interface in promiscuous mode. It needs CAP_NET_RAW.
func Open(ifname string) (*Conn, error) {
	ifi, err := net.InterfaceByName(ifname)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ifname, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	c := &Conn{fd: fd, recv: newBatch(slots, frameCap), send: newBatch(slots, sendCap), cut: make([]byte, 2048)}
	if err := c.configure(ifi.Index); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", ifname, err), unix.Close(fd))
	}
	return c, nil
}

// configure sets the options and binds last, so that no frame is taken with
// other options than the rest.
func (c *Conn) configure(index int) error {
	for _, o := range []struct {
		name          string
		level, option int
		value         int
	}{
		{"PACKET_VNET_HDR", unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1},
		{"PACKET_IGNORE_OUTGOING", unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
	} {
		if err := unix.SetsockoptInt(c.fd, o.level, o.option, o.value); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	c.enlarge(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	c.enlarge(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(c.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
		return fmt.Errorf("promiscuous mode: %w", err)
	}
	return unix.Bind(c.fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index})
}

// enlarge sets a buffer size beyond the system's limit if it may, else up to
// it: neither is needed to work, only to lose nothing in a burst.
func (c *Conn) enlarge(force, plain int) {
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, force, buffer) != nil {
		_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, plain, buffer)
	}
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

// Close closes the socket.
func (c *Conn) Close() error { return unix.Close(c.fd) }

// Statistics adds what the kernel has dropped since the last call to Dropped.
func (c *Conn) Statistics() {
	if s, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		c.Dropped += uint64(s.Drops)
	}
}

// Wait returns when a frame can be received, when queued frames can be sent, or
// after so many nanoseconds.
func (c *Conn) Wait(nanos int64) error {
	p := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
	if c.queued > 0 {
		p[0].Events |= unix.POLLOUT
	}
	t := unix.NsecToTimespec(max(nanos, 0))
	_, err := unix.Ppoll(p, &t, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("ppoll: %w", err)
	}
	return nil
}
