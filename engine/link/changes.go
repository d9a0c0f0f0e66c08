//go:build linux

package link

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Changes calls onChange whenever the kernel says that something about any
// interface or its IPv4 addresses has changed (rtnetlink(7)), until stop is closed.
// It says that something has changed, not what: whoever wants to know looks.
func Changes(onChange func(), stop <-chan struct{}) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "rtnetlink") // read by the runtime's poller, so that Close ends it
	defer f.Close()
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-stop:
			f.Close()
		case <-ended:
		}
	}()
	buf := make([]byte, 16<<10)
	for {
		// An overflow of the socket's buffer is an error once, and a change as well.
		if _, err := f.Read(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return err
		}
		onChange()
	}
}
