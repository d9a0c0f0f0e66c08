//go:build linux

package link

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"bootstorm/proto"
)

// Rung is a way of sending, best first. A Set starts with the best one that the
// kernel offers and steps down for good when a send shows that it does not work.
type Rung uint8

// The rungs of sending.
const (
	SendSegmented Rung = iota // "gso": a run of DATA frames as one super-frame that the kernel or the card cuts (GSO_UDP_L4 by PACKET_VNET_HDR, Linux 6.2)
	SendOffloaded             // "csum": frame by frame, the kernel or the card computes the UDP checksum (PACKET_VNET_HDR)
	SendBatch                 // "mmsg": frame by frame, complete, many per sendmmsg(2)
	SendSingle                // "single": one sendmsg(2) per frame
	rungs
)

var rungNames = [rungs]string{"gso", "csum", "mmsg", "single"}

// String returns the name that Options.TX knows.
func (r Rung) String() string { return rungNames[r] }

func (r Rung) explain() string {
	return [rungs]string{"a window per message", "kernel completes checksums", "many frames per call", "one frame per call"}[r]
}

// vnet tells whether the rung's frames carry a virtio_net_hdr.
func (r Rung) vnet() bool { return r <= SendOffloaded }

// ReceiveRung is a way of receiving.
type ReceiveRung uint8

// The rungs of receiving.
const (
	ReceiveBatch  ReceiveRung = iota // "mmsg": recvmmsg(2)
	ReceiveSingle                    // "single": recvmsg(2)
)

// String returns the name that Options.RX knows.
func (r ReceiveRung) String() string { return [...]string{"mmsg", "single"}[r] }

func parseReceiveRung(name string) (ReceiveRung, error) {
	switch name {
	case "", "mmsg":
		return ReceiveBatch, nil
	case "single":
		return ReceiveSingle, nil
	}
	return 0, fmt.Errorf("unknown way of receiving %q: mmsg, single", name)
}

// chooseRung finds the rung of the port's sending socket: the forced one, or
// the best that the kernel has.
func (p *port) chooseRung(o Options) error {
	if name := o.TX; name != "" {
		for r := SendSegmented; r < rungs; r++ {
			if r.String() == name {
				p.forced = true
				return p.forceRung(o, r)
			}
		}
		return fmt.Errorf("unknown way of sending %q: gso, csum, mmsg, single", name)
	}
	for r := SendSegmented; r < SendBatch; r++ {
		if p.tryRung(o, r) == nil {
			return p.setRung(r)
		}
	}
	return p.setRung(SendBatch)
}

func (p *port) forceRung(o Options, r Rung) error {
	if err := p.tryRung(o, r); err != nil {
		return fmt.Errorf("send rung %s is not possible on %s: %w", r, p.name, err)
	}
	return p.setRung(r)
}

// tryRung finds out whether the kernel has what a rung needs, without sending
// anything to the wire.
func (p *port) tryRung(o Options, r Rung) error {
	if !r.vnet() {
		return nil
	}
	if err := unix.SetsockoptInt(p.send, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return fmt.Errorf("PACKET_VNET_HDR: %w", err)
	}
	if r == SendSegmented {
		return probeSegmentation(p.down.Link, o)
	}
	return nil
}

// setRung switches the socket to a rung.
func (p *port) setRung(r Rung) error {
	on := 0
	if r.vnet() {
		on = 1
	}
	err := unix.SetsockoptInt(p.send, unix.SOL_PACKET, unix.PACKET_VNET_HDR, on)
	if err != nil && r.vnet() {
		return fmt.Errorf("PACKET_VNET_HDR on %s: %w", p.name, err)
	}
	p.rung = r
	return nil
}

// probeSegmentation sends a super-frame of two empty segments on the loopback
// interface, to a MAC address that nobody has there: the kernel takes it apart
// and drops it. Kernels before 6.2 refuse it with EINVAL. When lo is down there
// is nothing to be learnt, and the first real send decides.
func probeSegmentation(number uint8, o Options) error {
	lo, err := net.InterfaceByName("lo")
	if err != nil || lo.Flags&net.FlagUp == 0 {
		return nil
	}
	fd, err := o.rawSocket(number, lo, 0, nil)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return fmt.Errorf("PACKET_VNET_HDR: %w", err)
	}
	const segment, port = 8, 9 // two segments of 8 bytes to the discard port
	var frame [vnetLen + proto.HeadersLen + 2*segment]byte
	head := (*[proto.HeadersLen]byte)(frame[vnetLen:])
	nobody := proto.MAC{2, 0, 0, 0, 0, 1}
	home := proto.AddrOf(127, 0, 0, 1)
	proto.PutHeaders(head, nobody, nobody, home, home, port, port, 0, 2*segment)
	putVnet((*[vnetLen]byte)(frame[:]), segment)
	putPartialSum(head, 2*segment)
	if _, err := unix.Write(fd, frame[:]); err != nil {
		return fmt.Errorf("UDP segmentation for packet sockets (Linux 6.2): %w", err)
	}
	return nil
}
