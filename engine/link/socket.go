//go:build linux

package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"bootstorm/proto"
)

// The receiving sockets of an interface, in the order in which they are read.
// ARP goes first: a client that sends a DHCPRELEASE asks for our address by ARP
// before, and must not seem to use its own address after. Solicitations go last:
// the DISCOVER that the core knows their sender by comes before them.
const (
	inARP = iota
	inIP
	inSolicit
	receivers
)

// openPort opens the sockets of an interface.
func openPort(number uint8, name string, o Options, sh *share) (port, error) {
	p := port{name: name, in: [receivers]int{-1, -1, -1}, send: -1}
	p.down = DownError{Link: number, Name: name}
	ifi, err := findInterface(name)
	if err != nil {
		return p, err
	}
	p.index = ifi.Index
	// Receive first: what comes while the rest is opened waits in the socket.
	if err := p.openReceivers(ifi, o, sh); err != nil {
		p.close()
		return p, err
	}
	if err := p.openSender(ifi, o); err != nil {
		p.close()
		return p, err
	}
	return p, nil
}

// openReceivers opens the receiving sockets. One socket for all protocols
// would see VLAN frames with their tag and our own frames again.
func (p *port) openReceivers(ifi *net.Interface, o Options, sh *share) (err error) {
	buffer := o.SocketBuffer
	if buffer == 0 {
		buffer = defaultReceiveBuffer
	}
	for i, kind := range [receivers]struct {
		protocol int
		filter   []bpf.Instruction
	}{inARP: {proto.EtherTypeARP, arpFilter()}, inIP: {proto.EtherTypeIPv4, sh.firstFilter()}, inSolicit: {proto.EtherTypeIPv6, solicitFilter()}} {
		if !sh.receives(p.down.Link, i) {
			continue // -1 is a descriptor that ppoll(2) passes over
		}
		fd, err := o.rawSocket(p.down.Link, ifi, kind.protocol, kind.filter)
		if err != nil {
			return err
		}
		p.in[i] = fd
		// Tells which checksums are unfinished.
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
			return fmt.Errorf("%s: PACKET_AUXDATA: %w", p.name, err)
		}
		p.buffer[0] = setBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, buffer)
	}
	p.joinRouters()
	return sh.join(p.down.Link, p.in[inIP], ifi.Flags&net.FlagUp != 0)
}

// joinRouters has the card pass what is sent to the group of all routers, which
// a host that forwards no IPv6 is not in (packet(7)). Without it nodes wait for
// a router as long as they like: slower, not wrong.
func (p *port) joinRouters() {
	group := proto.GroupMAC(proto.AllRouters)
	m := unix.PacketMreq{Ifindex: int32(p.index), Type: unix.PACKET_MR_MULTICAST, Alen: uint16(len(group))}
	copy(m.Address[:], group[:])
	unix.SetsockoptPacketMreq(p.in[inSolicit], unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m)
}

// openSender opens the sending socket. Protocol 0 means that it receives nothing.
func (p *port) openSender(ifi *net.Interface, o Options) (err error) {
	buffer := o.SendBuffer
	if buffer == 0 {
		buffer = defaultSendBuffer
	}
	if p.send, err = o.rawSocket(p.down.Link, ifi, 0, nil); err != nil {
		return err
	}
	// The kernel doubles what it is told; the limit is meant after doubling.
	p.buffer[1] = setBuffer(p.send, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, buffer/2)
	return p.chooseRung(o)
}

// close closes what is open; it may be called at any stage of opening.
func (p *port) close() {
	for _, fd := range []*int{&p.in[inARP], &p.in[inIP], &p.in[inSolicit], &p.send} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

// Opener opens a packet socket. It is the one step that needs CAP_NET_RAW, which
// the process may have given up to another one by the time it is taken.
type Opener interface {
	// Packet returns a socket as the function Packet does, for an interface given by
	// its place in Open's list.
	Packet(number int) (fd int, err error)
}

// Packet opens a non-blocking AF_PACKET socket of type SOCK_RAW on an interface by
// this process's own right. It receives nothing yet (protocol 0, packet(7)). What
// is returned is a duplicate of the library's descriptor, which is closed again:
// the duplicate is not in the runtime's epoll set, so no runtime thread wakes for
// each frame.
func Packet(name string) (int, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return -1, &DownError{Name: name, Gone: true, Err: errors.Join(err, unix.ENODEV)}
	}
	conn, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var dup error
	if err := raw.Control(func(own uintptr) { fd, dup = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return -1, err
	}
	return fd, dup
}

// packet opens a packet socket by whoever may.
func (o *Options) packet(number int, name string) (int, error) {
	if o.Opener != nil {
		return o.Opener.Packet(number)
	}
	return Packet(name)
}

// rawSocket opens an AF_PACKET socket bound to the interface.
func (o *Options) rawSocket(number uint8, ifi *net.Interface, protocol int, filter []bpf.Instruction) (int, error) {
	fd, err := o.packet(int(number), ifi.Name)
	if err != nil {
		return -1, explainOpen(ifi.Name, err)
	}
	if err := bindPacket(fd, ifi.Index, protocol, filter); err != nil {
		unix.Close(fd)
		return -1, explainOpen(ifi.Name, err)
	}
	return fd, nil
}

// bindPacket has a packet socket receive a protocol from an interface; 0 is none.
// The filter comes first, so that nothing gets past it.
func bindPacket(fd, index, protocol int, filter []bpf.Instruction) error {
	if filter != nil {
		raw, err := bpf.Assemble(filter)
		if err != nil {
			return fmt.Errorf("socket filter: %w", err)
		}
		if err := attachFilter(fd, raw); err != nil {
			return fmt.Errorf("socket filter: %w", err)
		}
	}
	// The protocol is in network byte order.
	wire := binary.BigEndian.AppendUint16(nil, uint16(protocol))
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(wire), Ifindex: index}))
}

// attachFilter attaches a classic BPF program (socket(7), SO_ATTACH_FILTER).
func attachFilter(fd int, raw []bpf.RawInstruction) error {
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
}

// explainOpen says what a user can do about an error.
func explainOpen(name string, err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("open a packet socket on %s: %w: run as root or with CAP_NET_RAW", name, err)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return &DownError{Name: name, Gone: true, Err: err}
	}
	return fmt.Errorf("open a packet socket on %s: %w", name, err)
}

// setBuffer sets a socket buffer beyond the system's limit if it may, else up
// to it, and returns what the kernel granted. A small buffer is slower, not wrong.
func setBuffer(fd, force, plain, bytes int) int {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bytes) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, bytes)
	}
	granted, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, plain)
	return granted
}
