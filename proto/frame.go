package proto

import "encoding/binary"

// Sizes and numbers of the headers below UDP.
const (
	EthernetLen = 14 // destination MAC 0, source MAC 6, EtherType 12
	IPv4Len     = 20 // without options; we never send options
	UDPLen      = 8
	HeadersLen  = EthernetLen + IPv4Len + UDPLen // 42: where a UDP payload starts in our frames
	ICMPLen     = 8
	ARPLen      = 28 // Ethernet and IPv4 (RFC 826)

	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	ProtocolICMP  = 1
	ProtocolUDP   = 17
)

// UDP ports of the protocols served here.
const (
	PortBOOTPServer = 67   // RFC 951
	PortBOOTPClient = 68   // RFC 951
	PortTFTP        = 69   // RFC 1350
	PortPXE         = 4011 // PXE 2.1: boot server discovery
)

// Drop says why a frame was not parsed. Each is counted under its name.
type Drop uint8

// The reasons for which ParseFrame refuses a frame.
const (
	OK              Drop = iota
	DropShort            // shorter than its headers say
	DropEtherType        // neither IPv4 nor ARP
	DropIPHeader         // version not 4, or header length below 20 or beyond the frame
	DropIPLength         // total length below the header's or beyond the frame
	DropIPChecksum       // header checksum wrong
	DropFragment         // a fragment: nothing we serve may be fragmented
	DropProtocol         // neither UDP nor ICMP
	DropUDPLength        // UDP length below 8 or beyond the IP payload
	DropUDPChecksum      // UDP checksum present, finished and wrong
	DropICMP             // an ICMP message other than a sound port unreachable for a datagram of UDP
	DropARP              // not Ethernet/IPv4 ARP
	Drops                // how many reasons there are
)

var dropNames = [Drops]string{"ok", "short", "ethertype", "ip_header", "ip_length", "ip_checksum", "fragment",
	"protocol", "udp_length", "udp_checksum", "icmp", "arp"}

// String returns the name under which the reason is counted.
func (d Drop) String() string {
	if d < Drops {
		return dropNames[d]
	}
	return "unknown"
}

// Kind tells what ParseFrame found.
type Kind uint8

// The kinds of frame that reach the engine.
const (
	KindNone        Kind = iota
	KindUDP              // Packet's addresses, ports and Payload are valid
	KindARP              // Packet.ARP is valid
	KindUnreachable      // ICMP port unreachable (type 3, code 3): Packet describes the datagram of ours that was refused
)

// Packet is one parsed frame. It is caller owned and reused; Payload is a view
// into the frame and dies with it.
//
// For KindUnreachable, Src, SrcPort, Dst and DstPort are those of the quoted
// datagram, so Src is our address and Dst the client's.
type Packet struct {
	Kind             Kind
	SrcMAC, DstMAC   MAC
	Src, Dst         Addr
	SrcPort, DstPort uint16
	Payload          []byte
	ARP              ARP
}

// ParseFrame parses an untagged Ethernet frame into p. checksum is false when
// the kernel says that the UDP checksum is not finished yet
// (TP_STATUS_CSUMNOTREADY, packet(7)); it is then not verified. Padding behind
// the IP datagram is ignored. On a Drop the content of p is undefined.
func ParseFrame(p *Packet, frame []byte, checksum bool) Drop {
	p.Kind = KindNone
	if len(frame) < EthernetLen {
		return DropShort
	}
	h := (*[EthernetLen]byte)(frame)
	p.DstMAC, p.SrcMAC = MAC(h[0:6]), MAC(h[6:12])
	switch uint16(h[12])<<8 | uint16(h[13]) {
	case EtherTypeIPv4:
		return parseIPv4(p, frame[EthernetLen:], checksum)
	case EtherTypeARP:
		return parseARP(p, frame[EthernetLen:])
	}
	return DropEtherType
}

func parseIPv4(p *Packet, b []byte, checksum bool) Drop {
	if len(b) < IPv4Len {
		return DropShort
	}
	h := (*[IPv4Len]byte)(b)
	headerLen := int(h[0]&15) * 4
	if h[0]>>4 != 4 || headerLen < IPv4Len || headerLen > len(b) {
		return DropIPHeader
	}
	total := int(h[2])<<8 | int(h[3])
	if total < headerLen || total > len(b) {
		return DropIPLength
	}
	if Fold(Sum(0, b[:headerLen])) != 0xffff {
		return DropIPChecksum
	}
	if (uint16(h[6])<<8|uint16(h[7]))&0x3fff != 0 { // more fragments, or an offset
		return DropFragment
	}
	p.Src, p.Dst = AddrFrom((*[4]byte)(h[12:16])), AddrFrom((*[4]byte)(h[16:20]))
	switch h[9] {
	case ProtocolUDP:
		return parseUDP(p, b[headerLen:total], checksum)
	case ProtocolICMP:
		return parseICMP(p, b[headerLen:total])
	}
	return DropProtocol
}

func parseUDP(p *Packet, b []byte, checksum bool) Drop {
	if len(b) < UDPLen {
		return DropUDPLength
	}
	h := (*[UDPLen]byte)(b)
	length := int(h[4])<<8 | int(h[5])
	if length < UDPLen || length > len(b) {
		return DropUDPLength
	}
	b = b[:length:length]
	if checksum && (h[6] != 0 || h[7] != 0) && Fold(Sum(PseudoSum(p.Src, p.Dst, length), b)) != 0xffff {
		return DropUDPChecksum
	}
	p.SrcPort, p.DstPort = uint16(h[0])<<8|uint16(h[1]), uint16(h[2])<<8|uint16(h[3])
	p.Payload = b[UDPLen:]
	p.Kind = KindUDP
	return OK
}

// PutHeaders writes the Ethernet, IPv4 and UDP headers of a datagram of
// payload bytes that is to be sent as one frame: TTL 64, don't fragment, IP
// header checksum complete, UDP checksum zero (FinishUDP, or the kernel,
// completes it). payload is at most 65,507, the largest that an IPv4 datagram
// holds (RFC 791: total length of 16 bits). No frame is fragmented, so any id is
// right for it (RFC 6864 section 4.1).
func PutHeaders(b *[HeadersLen]byte, srcMAC, dstMAC MAC, src, dst Addr, srcPort, dstPort uint16, id uint16, payload int) {
	copy(b[0:6], dstMAC[:])
	copy(b[6:12], srcMAC[:])
	binary.BigEndian.PutUint16(b[12:14], EtherTypeIPv4)
	b[14], b[15] = 0x45, 0
	binary.BigEndian.PutUint16(b[18:20], id)
	b[20], b[21] = 0x40, 0
	b[22], b[23] = 64, ProtocolUDP
	src.Put((*[4]byte)(b[26:30]))
	dst.Put((*[4]byte)(b[30:34]))
	binary.BigEndian.PutUint16(b[34:36], srcPort)
	binary.BigEndian.PutUint16(b[36:38], dstPort)
	SetPayloadLen(b, payload)
}

// SetPayloadLen sets the IPv4 and UDP lengths for a payload of that many bytes
// and recomputes the IP header checksum; the UDP checksum becomes zero.
func SetPayloadLen(b *[HeadersLen]byte, payload int) {
	binary.BigEndian.PutUint16(b[16:18], uint16(IPv4Len+UDPLen+payload))
	b[24], b[25] = 0, 0
	binary.BigEndian.PutUint16(b[24:26], ^Fold(Sum(0, b[14:34])))
	binary.BigEndian.PutUint16(b[38:40], uint16(UDPLen+payload))
	b[40], b[41] = 0, 0
}

// FinishUDP computes the UDP checksum over the header in b and the payload,
// given in up to two parts (the first of even length), and writes it.
func FinishUDP(b *[HeadersLen]byte, part1, part2 []byte) {
	src, dst := AddrFrom((*[4]byte)(b[26:30])), AddrFrom((*[4]byte)(b[30:34]))
	b[40], b[41] = 0, 0
	sum := PseudoSum(src, dst, UDPLen+len(part1)+len(part2))
	sum = Sum(Sum(Sum(sum, b[34:42]), part1), part2)
	check := ^Fold(sum)
	if check == 0 { // zero means "no checksum" (RFC 768)
		check = 0xffff
	}
	binary.BigEndian.PutUint16(b[40:42], check)
}
