package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Capture records the frames of an interface. It does by itself what tcpdump
// -w does, because tcpdump insists on changing its groups, which a user
// namespace forbids.
type Capture struct {
	File string

	fd   int
	out  *os.File
	stop chan struct{}
	done chan error
}

const (
	captureBuffer = 64 << 20 // bytes of socket buffer: a stalled machine must not lose frames
	captureFrame  = 256 << 10
	pcapMagicNano = 0xa1b23c4d // classic pcap with nanosecond times
	linkEthernet  = 1
)

// Capture records all frames of an interface into a pcap file, from now on.
func (h *Host) Capture(ifname, file string) (*Capture, error) {
	c := &Capture{File: file, stop: make(chan struct{}), done: make(chan error, 1)}
	if err := h.Do(func() (err error) { c.fd, err = captureSocket(ifname); return err }); err != nil {
		return nil, fmt.Errorf("%s: capture on %s: %w", h.Name, ifname, err)
	}
	var err error
	if c.out, err = os.Create(file); err != nil {
		unix.Close(c.fd)
		return nil, err
	}
	stop := c.stop
	go func() { c.done <- c.record(stop) }()
	h.lab.onClose(func() { c.Stop() })
	return c, nil
}

func captureSocket(ifname string) (int, error) {
	link, err := linkIndex(ifname)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, captureBuffer)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	tick := unix.Timeval{Usec: 50_000} // how soon Stop is noticed
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tick)
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// record writes frames until stop is closed and the socket is empty.
func (c *Capture) record(stop <-chan struct{}) error {
	w := bufio.NewWriterSize(c.out, 1<<20)
	header := binary.NativeEndian.AppendUint32(nil, pcapMagicNano)
	header = binary.NativeEndian.AppendUint32(header, 4<<16|2) // version 2.4
	header = append(header, make([]byte, 8)...)
	header = binary.NativeEndian.AppendUint32(header, captureFrame)
	w.Write(binary.NativeEndian.AppendUint32(header, linkEthernet))
	frame, control := make([]byte, captureFrame), make([]byte, 256)
	for {
		n, nc, _, _, err := unix.Recvmsg(c.fd, frame, control, 0)
		switch {
		case err == nil:
			writeRecord(w, frame[:n], control[:nc])
			continue
		case errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENETDOWN):
			continue
		case !errors.Is(err, unix.EAGAIN):
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

func writeRecord(w *bufio.Writer, frame, control []byte) {
	at := time.Now()
	if messages, err := unix.ParseSocketControlMessage(control); err == nil {
		for _, m := range messages {
			if m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
			}
		}
	}
	var h [16]byte
	binary.NativeEndian.PutUint32(h[0:], uint32(at.Unix()))
	binary.NativeEndian.PutUint32(h[4:], uint32(at.Nanosecond()))
	binary.NativeEndian.PutUint32(h[8:], uint32(len(frame)))
	binary.NativeEndian.PutUint32(h[12:], uint32(len(frame)))
	w.Write(h[:])
	w.Write(frame)
}

// Stop ends the capture; all that was seen until now is then in the file. A
// frame that the kernel dropped is an error: the file would be read as proof.
func (c *Capture) Stop() error {
	if c.stop == nil {
		return nil
	}
	close(c.stop)
	c.stop = nil
	err := <-c.done
	if stats, e := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); e == nil && stats.Drops > 0 && err == nil {
		err = fmt.Errorf("%s: the capture lost %d frames", c.File, stats.Drops)
	}
	unix.Close(c.fd)
	return errors.Join(err, c.out.Close())
}

func linkIndex(ifname string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(ifname)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, err
	}
	return int(ifr.Uint32()), nil
}
