package core

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// target is where a reply goes.
type target struct {
	mac  proto.MAC
	addr proto.Addr
	port uint16
}

// address writes the headers below the message of n bytes. The checksum is
// finished here and not left to the kernel, so a capture shows what a client
// sees.
func (c *Core) address(v *verdict, h *dhcp.Header, n int) {
	m := &c.msg
	to := c.destination(v, h)
	from := uint16(proto.PortBOOTPServer)
	if m.port == proto.PortPXE {
		from = proto.PortPXE
	}
	head := (*[proto.HeadersLen]byte)(c.build[:])
	c.ipID++
	proto.PutHeaders(head, m.link.MAC, to.mac, m.self, to.addr, from, to.port, c.ipID, n)
	proto.FinishUDP(head, c.build[proto.HeadersLen:proto.HeadersLen+n], nil)
}

// destination follows RFC 2131 section 4.1: to the relay; to a client that has
// an address, there; else by broadcast if the client asks for it or cannot be
// reached otherwise; else to the address that it is about to get, which it does
// not answer ARP for yet, so straight to its hardware address.
func (c *Core) destination(v *verdict, h *dhcp.Header) target {
	// The order of the cases is that of precedence.
	m := &c.msg
	back := c.packet.SrcMAC // the client's, or that of the relay or router in between
	switch {
	case v.do == pxe: // edk2 asks from 68, PXE ROMs from 4011: back to where it came from
		return target{back, m.ciaddr, c.packet.SrcPort}
	case v.do == inform && m.ciaddr != 0:
		return target{back, m.ciaddr, proto.PortBOOTPClient}
	case m.giaddr != 0:
		return target{back, m.giaddr, proto.PortBOOTPServer}
	case v.do == inform: // ciaddr 0, no relay: the sender's address is all there is
		return target{back, c.packet.Src, proto.PortBOOTPClient}
	case v.do == nak:
		return target{proto.Broadcast, proto.Limited, proto.PortBOOTPClient}
	// A client that names a server has not got the address yet, whatever it says
	// in ciaddr.
	case v.do == ack && m.ciaddr != 0 && m.server == 0 && h.Flags()&dhcp.FlagBcast == 0:
		return target{back, m.ciaddr, proto.PortBOOTPClient}
	case h.Flags()&dhcp.FlagBcast != 0 || !reachable(&c.request.HW):
		return target{proto.Broadcast, proto.Limited, proto.PortBOOTPClient}
	}
	return target{c.request.HW.MAC(), v.addr, proto.PortBOOTPClient}
}

// ethernet is the hardware type of Ethernet (RFC 1700).
const ethernet = 1

// reachable tells whether the hardware address is one that a frame can be sent
// to: Ethernet, not a group, not zero.
func reachable(hw *dhcp.HW) bool {
	mac := hw.MAC()
	return hw.Type == ethernet && hw.Len == 6 && mac[0]&1 == 0 && mac != proto.MAC{}
}
