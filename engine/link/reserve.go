//go:build linux

package link

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"bootstorm/proto"
)

// reservedPorts are the UDP ports that we serve.
var reservedPorts = [...]uint16{proto.PortBOOTPServer, proto.PortTFTP, proto.PortPXE}

// Reservation is the ports of one interface: the descriptors of silent sockets.
type Reservation []int

// Close gives the ports back.
func (r Reservation) Close() error {
	for _, fd := range r {
		unix.Close(fd)
	}
	return nil
}

// Stale tells whether the interface has been removed, so that nothing is held any
// more, whatever has its name now.
func (r Reservation) Stale() bool {
	for _, fd := range r {
		// Asked for the name of a device that is gone, the kernel has none.
		if _, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); errors.Is(err, unix.ENODEV) {
			return true
		}
	}
	return false
}

// Reserve binds ordinary UDP sockets to ports 67, 69 and 4011 of an interface,
// with a filter that drops everything. They keep the kernel from answering our
// frames with ICMP port unreachable, on which edk2 gives up, and make a second
// DHCP or TFTP server on the host an error at its start or ours. The error for a
// port that is taken names the process that holds it, where /proc tells, and
// what to do.
func Reserve(ifname string) (Reservation, error) {
	var r Reservation
	for _, port := range reservedPorts {
		fd, err := reservePort(ifname, port)
		if err != nil {
			r.Close()
			return nil, err
		}
		r = append(r, fd)
	}
	return r, nil
}

// Free finds out whether the ports of an interface can be had. Reserve is what
// takes them; this one is asked before a daemon gives up its rights, while it may
// still see which process holds a port. An interface that is not there is no
// finding: it may come.
func Free(ifname string) error {
	r, err := Reserve(ifname)
	var down *DownError
	if errors.As(err, &down) {
		return nil
	}
	return errors.Join(err, r.Close())
}

// reservePort opens one silent socket.
func reservePort(ifname string, port uint16) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := bindSilent(fd, ifname, port); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// bindSilent binds a socket to a port of one interface. The filter comes before
// the port, so that no datagram is ever queued.
func bindSilent(fd int, ifname string, port uint16) error {
	if err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, ifname); err != nil {
		if errors.Is(err, unix.ENODEV) {
			return &DownError{Name: ifname, Gone: true, Err: err}
		}
		return fmt.Errorf("bind UDP port %d to %s: %w", port, ifname, err)
	}
	drop, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return err
	}
	if err := attachFilter(fd, drop); err != nil {
		return fmt.Errorf("attach a filter to UDP port %d: %w", port, err)
	}
	switch err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)}); {
	case errors.Is(err, unix.EADDRINUSE):
		return &PortError{Port: port, Interface: ifname, Holder: findHolder("/proc", port)}
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("bind UDP port %d: %w: run as root or with CAP_NET_BIND_SERVICE", port, err)
	case err != nil:
		return fmt.Errorf("bind UDP port %d: %w", port, err)
	}
	return nil
}
