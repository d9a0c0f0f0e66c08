package pcap

import (
	"encoding/binary"

	"bootstorm/proto"
)

// Numbers of headers that only captures meet.
const (
	etherTypeIPv6  = 0x86dd
	etherTypeVLAN  = 0x8100 // IEEE 802.1Q
	etherTypeOuter = 0x88a8 // IEEE 802.1ad
	ipv6Len        = 40
	protocolTCP    = 6
	protocolICMPv6 = 58
	protocolHop    = 0  // IPv6 hop-by-hop options
	protocolFrag   = 44 // IPv6 fragment header
)

// layers of one captured frame: offsets from its first byte. Unlike
// proto.ParseFrame, which is the engine's strict gate, look accepts frames that
// are cut, tagged, fragmented or damaged: a capture holds whatever passed.
type view struct {
	etherType uint16 // behind VLAN tags
	network   int    // first byte of the network header
	protocol  byte   // of the transport; meaningless if transport is 0
	transport int    // first byte of the transport header, 0 if there is none in this frame
	rest      bool   // a fragment other than the first: what follows the IP header has no transport header
	first     bool   // the first of several fragments
	src, dst  proto.Addr
	srcPort   uint16 // UDP and TCP
	dstPort   uint16
	payload   int // first byte behind the UDP or TCP header, at most the length captured
	length    int // UDP: bytes of payload that the UDP header announces
}

// udp tells whether v is IPv4 UDP with its whole header captured.
func (v *view) udp() bool {
	return v.etherType == proto.EtherTypeIPv4 && v.transport > 0 && v.protocol == proto.ProtocolUDP && !v.rest
}

// look finds the layers of a frame as far as they were captured.
func look(b []byte) (v view) {
	if len(b) < proto.EthernetLen {
		return v
	}
	v.network = proto.EthernetLen
	v.etherType = binary.BigEndian.Uint16(b[12:])
	for (v.etherType == etherTypeVLAN || v.etherType == etherTypeOuter) && len(b) >= v.network+4 {
		v.etherType = binary.BigEndian.Uint16(b[v.network+2:])
		v.network += 4
	}
	switch v.etherType {
	case proto.EtherTypeIPv4:
		v.lookIPv4(b)
	case etherTypeIPv6:
		v.lookIPv6(b)
	}
	if v.transport > 0 && !v.rest {
		v.lookPorts(b)
	}
	return v
}

// lookIPv4 reads the header of RFC 791: version and length 0, flags and fragment
// offset 6..7, protocol 9, source 12..15, destination 16..19.
func (v *view) lookIPv4(b []byte) {
	h := b[v.network:]
	if len(h) < proto.IPv4Len || h[0]>>4 != 4 {
		return
	}
	n := int(h[0]&15) * 4
	if n < proto.IPv4Len || n > len(h) {
		return
	}
	v.src, v.dst = proto.AddrFrom((*[4]byte)(h[12:16])), proto.AddrFrom((*[4]byte)(h[16:20]))
	fragment := binary.BigEndian.Uint16(h[6:])
	v.rest = fragment&0x1fff != 0
	v.first = !v.rest && fragment&0x2000 != 0
	v.protocol, v.transport = h[9], v.network+n
	v.payload = v.transport
}

// lookIPv6 knows the two extension headers that occur on a boot network:
// hop-by-hop options (multicast listener reports) and fragments.
func (v *view) lookIPv6(b []byte) {
	h := b[v.network:]
	if len(h) < ipv6Len {
		return
	}
	v.protocol, v.transport = h[6], v.network+ipv6Len
	for (v.protocol == protocolHop || v.protocol == protocolFrag) && len(b) >= v.transport+8 {
		e := b[v.transport:]
		length := 8
		if v.protocol == protocolHop {
			length += int(e[1]) * 8
		} else if binary.BigEndian.Uint16(e[2:])&0xfff8 != 0 {
			v.rest = true
		}
		v.protocol, v.transport = e[0], min(v.transport+length, len(b))
	}
	v.payload = v.transport
}

// lookPorts reads the header of UDP (RFC 768: ports 0..3, length 4..5) or TCP
// (RFC 9293: ports 0..3, data offset in the high half of byte 12). A transport
// header that was not captured whole counts as none.
func (v *view) lookPorts(b []byte) {
	t := b[v.transport:]
	switch {
	case v.protocol == proto.ProtocolUDP && len(t) >= proto.UDPLen:
		v.payload = v.transport + proto.UDPLen
		v.length = int(binary.BigEndian.Uint16(t[4:])) - proto.UDPLen
	case v.protocol == protocolTCP && len(t) >= 20:
		v.payload = min(v.transport+int(t[12]>>4)*4, len(b))
	default:
		if v.protocol == proto.ProtocolUDP || v.protocol == protocolTCP {
			v.transport = 0
		}
		return
	}
	v.srcPort, v.dstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
}

// body returns the captured part of a UDP payload, without Ethernet padding.
func (v *view) body(b []byte) []byte {
	end := v.payload + max(v.length, 0)
	return b[v.payload:min(end, len(b))]
}

// srcMAC and dstMAC read the Ethernet header, whose presence the caller knows.
func srcMAC(b []byte) proto.MAC { return proto.MAC(b[6:12]) }
func dstMAC(b []byte) proto.MAC { return proto.MAC(b[0:6]) }
