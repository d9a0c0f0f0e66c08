package core

import (
	"encoding/binary"
	"slices"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

type option struct {
	code byte
	v    []byte
}

// msg is a message to be sent; its zero value with a MAC is a sound one.
type msg struct {
	kind           dhcp.Type
	mac            proto.MAC
	htype, hlen    byte // 0: Ethernet
	noHW           bool // hlen 0
	op             byte // 0: BOOTREQUEST
	xid            uint32
	secs, flags    uint16
	hops           byte
	ciaddr, giaddr proto.Addr
	src, dst       proto.Addr // 0, 0: 0.0.0.0 to broadcast
	from           proto.MAC  // zero: mac
	to             proto.MAC  // zero: by dst
	sport, dport   uint16
	options        []option
	tail           []byte // instead of END
	cookie         uint32 // 0: the right one
	bare           bool   // nothing behind the fixed header
	raw            []byte // the payload, instead of all of it
}

func mac(n byte) proto.MAC { return proto.MAC{2, 0, 0, 0, 0x0c, n} }

// machine is a client without anything special.
func machine(n byte) msg { return msg{kind: dhcp.Discover, mac: mac(n), xid: uint32(n) << 8} }

func (m msg) with(code byte, v ...byte) msg {
	m.options = append(append([]option(nil), m.options...), option{code, v})
	return m
}

func (m msg) asking(a proto.Addr) msg {
	b := a.Bytes()
	m.options = slices.DeleteFunc(slices.Clone(m.options), func(o option) bool { return o.code == dhcp.OptRequestedAddr })
	return m.with(dhcp.OptRequestedAddr, b[:]...)
}

func (m msg) naming(server proto.Addr) msg {
	b := server.Bytes()
	return m.with(dhcp.OptServerID, b[:]...)
}

func (m msg) of(kind dhcp.Type) msg {
	m.kind = kind
	return m
}

// The four states of DHCPREQUEST.
func (m msg) selecting(a proto.Addr) msg { return m.of(dhcp.Request).naming(serverAddr).asking(a) }
func (m msg) rebooting(a proto.Addr) msg { return m.of(dhcp.Request).asking(a) }

func (m msg) renewing(a proto.Addr) msg {
	m = m.of(dhcp.Request)
	m.ciaddr, m.src, m.dst = a, a, serverAddr
	return m
}

func (m msg) rebinding(a proto.Addr) msg {
	m = m.of(dhcp.Request)
	m.ciaddr, m.src = a, a
	return m
}

// relayed has the message come from a relay.
func (m msg) relayed(giaddr proto.Addr) msg {
	m.giaddr, m.src, m.dst, m.from, m.hops = giaddr, giaddr, serverAddr, relayMAC, 1
	m.sport = proto.PortBOOTPServer
	return m
}

func (m msg) payload() []byte {
	if m.raw != nil {
		return m.raw
	}
	b := make([]byte, dhcp.HeaderLen, 576)
	h := (*dhcp.Header)(b)
	h.SetOp(or(m.op, dhcp.BootRequest))
	b[1], b[2] = or(m.htype, 1), or(m.hlen, 6)
	if m.noHW {
		b[2] = 0
	}
	h.SetHops(m.hops)
	h.SetXID(m.xid)
	h.SetSecs(m.secs)
	h.SetFlags(m.flags)
	h.SetCIAddr(m.ciaddr)
	h.SetGIAddr(m.giaddr)
	copy(h.CHAddr()[:], m.mac[:])
	if m.bare {
		return append(b, make([]byte, 64)...)
	}
	b = binary.BigEndian.AppendUint32(b, or(m.cookie, dhcp.Cookie))
	if m.kind != dhcp.BOOTP {
		b = append(b, dhcp.OptMessageType, 1, byte(m.kind))
	}
	for _, o := range m.options {
		b = append(append(b, o.code, byte(len(o.v))), o.v...)
	}
	if m.tail != nil {
		return append(b, m.tail...)
	}
	b = append(b, dhcp.OptEnd)
	for len(b) < dhcp.MinLen {
		b = append(b, 0)
	}
	return b
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (m msg) frame() []byte {
	payload := m.payload()
	b := make([]byte, proto.HeadersLen, proto.HeadersLen+len(payload))
	dst := or(m.dst, proto.Limited)
	to := m.to
	if to == (proto.MAC{}) {
		to = proto.Broadcast
		if m.dst == serverAddr {
			to = serverMAC
		}
	}
	proto.PutHeaders((*[proto.HeadersLen]byte)(b), or(m.from, m.mac), to, m.src, dst,
		or(m.sport, proto.PortBOOTPClient), or(m.dport, proto.PortBOOTPServer), 1, len(payload))
	proto.FinishUDP((*[proto.HeadersLen]byte)(b), payload, nil)
	return append(b, payload...)
}

func host(last byte) proto.Addr { return proto.AddrOf(192, 168, 1, last) }

// Boot stages of one machine, as the captures show them.
func (m msg) firmware() msg {
	m = m.with(dhcp.OptMaxMessageSize, 0x05, 0xc0).
		with(dhcp.OptParameterList, 1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97).
		with(dhcp.OptClientUUID, append([]byte{0}, make([]byte, 16)...)...).
		with(dhcp.OptClientArch, 0, 7).with(dhcp.OptClientNDI, 1, 3, 0).
		with(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003000")...)
	m.flags = dhcp.FlagBcast
	return m
}

func (m msg) ipxe() msg {
	id := append([]byte{1}, m.mac[:]...)
	return m.with(dhcp.OptMaxMessageSize, 0x05, 0xc0).with(dhcp.OptClientArch, 0, 7).
		with(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003010")...).
		with(dhcp.OptUserClass, []byte("iPXE")...).with(dhcp.OptClientID, id...).
		with(dhcp.OptParameterList, 1, 3, 6, 12, 15, 17, 43, 60, 66, 67, 175, 203)
}

func (m msg) system() msg {
	duid := append([]byte{255, 1, 2, 3, 4, 0, 1, 0, 1, 9, 9, 9, 9}, m.mac[:]...)
	return m.with(dhcp.OptClientID, duid...).with(dhcp.OptHostName, []byte("node")...).
		with(dhcp.OptParameterList, 1, 3, 6, 15)
}

// icmpFrame is a client's port unreachable (RFC 792) for a datagram that we
// sent it from port 69.
func icmpFrame(client proto.Addr) []byte {
	quoted := make([]byte, proto.HeadersLen)
	proto.PutHeaders((*[proto.HeadersLen]byte)(quoted), serverMAC, mac(1), serverAddr, client, proto.PortTFTP, 2000, 9, 4)
	body := append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, quoted[proto.EthernetLen:]...)
	binary.BigEndian.PutUint16(body[2:4], ^proto.Fold(proto.Sum(0, body)))
	b := make([]byte, proto.EthernetLen+proto.IPv4Len, 100)
	copy(b[0:6], serverMAC[:])
	copy(b[12:], []byte{8, 0, 0x45, 0, 0, byte(proto.IPv4Len + len(body)), 0, 0, 0, 0, 64, proto.ProtocolICMP})
	client.Put((*[4]byte)(b[26:30]))
	serverAddr.Put((*[4]byte)(b[30:34]))
	binary.BigEndian.PutUint16(b[24:26], ^proto.Fold(proto.Sum(0, b[14:34])))
	return append(b, body...)
}
