//go:build linux

package link

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// Interface returns what the core has to know of an interface: MAC, IPv4
// addresses with the primary one first (the kernel's order) and MTU. up tells
// whether it is administratively up. One that does not exist is a *DownError
// with Gone set.
func Interface(name string) (l plan.Link, up bool, err error) {
	ifi, err := findInterface(name)
	if err != nil {
		return l, false, err
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return l, false, fmt.Errorf("addresses of %s: %w", name, err)
	}
	l = plan.Link{Name: name, MAC: proto.MAC(ifi.HardwareAddr), MTU: ifi.MTU}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if v4 := n.IP.To4(); v4 != nil && len(n.Mask) == net.IPv4len {
			l.Addrs = append(l.Addrs, plan.LinkAddr{Addr: proto.AddrFrom((*[4]byte)(v4)), Mask: proto.AddrFrom((*[4]byte)(n.Mask))})
		}
	}
	return l, ifi.Flags&net.FlagUp != 0, nil
}

// findInterface finds an Ethernet interface by name.
func findInterface(name string) (*net.Interface, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, &DownError{Name: name, Gone: true, Err: errors.Join(err, unix.ENODEV)}
	}
	if len(ifi.HardwareAddr) != len(proto.MAC{}) {
		return nil, fmt.Errorf("interface %s has no Ethernet address: DHCP and TFTP need an Ethernet interface", name)
	}
	return ifi, nil
}

// currentIndex asks the kernel for the index that the port's interface name has
// now. Its socket is asked, so the answer is that of the namespace that the port
// was opened in.
func (p *port) currentIndex() (int, error) {
	request, err := unix.NewIfreq(p.name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(p.send, unix.SIOCGIFINDEX, request); err != nil {
		return 0, err
	}
	return int(request.Uint32()), nil
}

// exists tells whether the interface existed when it was opened.
func (p *port) exists() bool { return p.send >= 0 }

// gone tells whether the interface that was opened does not exist any more.
func (p *port) gone() bool {
	index, err := p.currentIndex()
	return err != nil || index != p.index
}
