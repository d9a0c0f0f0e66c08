package proto

// parseICMP accepts destination unreachable / port unreachable (RFC 792, type
// 3 code 3) that quotes a UDP header, which is how edk2 says that it has closed
// the port of a transfer. Such a message is believed only if it comes from the
// host that the quoted datagram was sent to, and goes to its sender (RFC 1122
// section 3.2.2.1: the destination itself reports an unused port), so that no
// third host can end a transfer by naming it.
func parseICMP(p *Packet, b []byte) Drop {
	if len(b) < ICMPLen+IPv4Len {
		return DropICMP
	}
	if b[0] != 3 || b[1] != 3 || Fold(Sum(0, b)) != 0xffff {
		return DropICMP
	}
	q := b[ICMPLen:]
	headerLen := int(q[0]&15) * 4
	if q[0]>>4 != 4 || headerLen < IPv4Len || headerLen+4 > len(q) || q[9] != ProtocolUDP {
		return DropICMP
	}
	if q[6]&0x1f != 0 || q[7] != 0 { // a later fragment quotes no UDP header
		return DropICMP
	}
	src, dst := AddrFrom((*[4]byte)(q[12:16])), AddrFrom((*[4]byte)(q[16:20]))
	if src != p.Dst || dst != p.Src {
		return DropICMP
	}
	p.Src, p.Dst = src, dst
	ports := (*[4]byte)(q[headerLen : headerLen+4])
	p.SrcPort, p.DstPort = uint16(ports[0])<<8|uint16(ports[1]), uint16(ports[2])<<8|uint16(ports[3])
	p.Payload = nil
	p.Kind = KindUnreachable
	return OK
}
