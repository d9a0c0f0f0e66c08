package pcap

import (
	"encoding/binary"

	"bootstorm/proto"
)

// UDP ports whose whole payload is kept: none carries file contents.
var openPorts = map[uint16]bool{
	proto.PortBOOTPServer: true, proto.PortBOOTPClient: true, proto.PortPXE: true,
	546: true, 547: true, // DHCPv6 (RFC 8415)
}

// Cut removes file contents from a capture: TFTP DATA blocks keep their
// headers and four bytes, everything else keeps its headers only, unless it is
// known to carry no file (ARP, DHCP, DHCPv6, TFTP requests, acknowledgements
// and errors, ICMP other than quotations). Lengths and times stay. It returns
// how many frames were shortened.
func (c *Capture) Cut() (frames int) {
	for i := range c.Records {
		r := &c.Records[i]
		if n := keep(r.Data); n < len(r.Data) {
			r.Data = r.Data[:n:n]
			frames++
		}
	}
	return frames
}

// keep returns how many bytes of a frame may stay.
func keep(b []byte) int {
	v := look(b)
	// What is not known to be harmless is cut: a protocol that is forgotten here
	// costs a replay some bytes, not somebody a licence.
	switch {
	case v.etherType == proto.EtherTypeARP:
		return len(b)
	case v.transport == 0 || v.rest:
		return min(len(b), max(v.network, v.transport))
	case v.protocol == proto.ProtocolUDP:
		return v.keepUDP(b)
	case v.protocol == proto.ProtocolICMP:
		return keepICMP(b, v.transport, proto.IPv4Len, icmpErrors)
	case v.protocol == protocolICMPv6:
		return keepICMP(b, v.transport, ipv6Len, icmpv6Errors)
	}
	return v.payload
}

// keepUDP keeps what is metadata by its port or its TFTP opcode.
func (v *view) keepUDP(b []byte) int {
	body := v.body(b)
	if openPorts[v.srcPort] || openPorts[v.dstPort] || len(body) < 2 {
		return len(b)
	}
	// TFTP transfers run between any two ports, so a packet is told by its first
	// bytes. What is mistaken for one of the short kinds cannot hold much; what is
	// not recognised loses its payload.
	op := binary.BigEndian.Uint16(body)
	switch {
	case op == tftpData:
		return min(len(b), v.payload+4)
	case v.dstPort == proto.PortTFTP, op == tftpAck && len(body) == 4, op == tftpError, op == tftpOack:
		return len(b)
	}
	return v.payload
}

// icmpErrors are the ICMP messages that quote a datagram (RFC 792).
func icmpErrors(t byte) bool { return t == 3 || t == 4 || t == 5 || t == 11 || t == 12 }

// icmpv6Errors likewise (RFC 4443 section 2.1).
func icmpv6Errors(t byte) bool { return t < 128 }

// keepICMP keeps an ICMP message, but of an error only its header, the quoted
// IP header and eight bytes: the rest of a quotation may be a block of a file.
func keepICMP(b []byte, at, quoted int, isError func(byte) bool) int {
	if len(b) == at || !isError(b[at]) {
		return len(b)
	}
	return min(len(b), at+proto.ICMPLen+quoted+proto.UDPLen)
}
