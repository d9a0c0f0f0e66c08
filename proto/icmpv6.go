package proto

import "encoding/binary"

// Neighbor discovery (RFC 4861), as far as a node that boots over IPv4 needs it:
// its router solicitation, and the advertisement that says that there is no
// router to wait for.
const (
	EtherTypeIPv6  = 0x86dd
	IPv6Len        = 40
	ProtocolICMPv6 = 58

	solicitLen = 8  // router solicitation without options: type, code, checksum, 4 reserved bytes
	advertLen  = 16 // router advertisement without options (RFC 4861 section 4.2)
	linkOptLen = 8  // source link-layer address option of Ethernet (RFC 4861 section 4.6.1)

	// AdvertLen is the length of the frame that PutAdvert writes.
	AdvertLen = EthernetLen + IPv6Len + advertLen + linkOptLen
)

// Types of ICMPv6 messages and of their options.
const (
	RouterSolicitation  = 133
	routerAdvertisement = 134
	sourceLinkAddress   = 1
	nextHopLimit        = 255 // what neighbor discovery travels with: no router has passed it on
)

// Addr6 is an IPv6 address, in transmission order.
type Addr6 [16]byte

// AllNodes is the link's group of all nodes, ff02::1 (RFC 4291 section 2.7.1).
var AllNodes = Addr6{0: 0xff, 1: 2, 15: 1}

// AllRouters is the link's group of all routers, ff02::2, which solicitations
// are sent to.
var AllRouters = Addr6{0: 0xff, 1: 2, 15: 2}

// GroupMAC is the Ethernet address of an IPv6 multicast address (RFC 2464
// section 7).
func GroupMAC(a Addr6) MAC { return MAC{0x33, 0x33, a[12], a[13], a[14], a[15]} }

// LinkLocal is the link-local address that an interface has by its MAC (RFC
// 2464 section 5): fe80:: and the modified EUI-64.
func LinkLocal(m MAC) Addr6 {
	return Addr6{0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]}
}

// Solicit is a router solicitation.
type Solicit struct {
	MAC MAC   // of the frame's sender
	Src Addr6 // zero if the sender has no address yet
}

// ParseSolicit reads a frame that is a sound router solicitation into s, and
// tells whether it is one, by the rules of RFC 4861 section 6.1.1. checksum is
// false when the kernel says that it is not finished yet.
func ParseSolicit(s *Solicit, frame []byte, checksum bool) bool {
	if len(frame) < EthernetLen+IPv6Len+solicitLen {
		return false
	}
	h := (*[EthernetLen + IPv6Len + solicitLen]byte)(frame)
	if h[12] != EtherTypeIPv6>>8 || h[13] != EtherTypeIPv6&0xff || h[14]>>4 != 6 {
		return false
	}
	size := int(h[18])<<8 | int(h[19])
	if h[20] != ProtocolICMPv6 || h[21] != nextHopLimit || size < solicitLen || size > len(frame)-EthernetLen-IPv6Len {
		return false
	}
	icmp := frame[EthernetLen+IPv6Len : EthernetLen+IPv6Len+size]
	if icmp[0] != RouterSolicitation || icmp[1] != 0 || checksum && Fold(sum6(h[22:54], icmp)) != 0xffff {
		return false
	}
	s.MAC, s.Src = MAC(h[6:12]), Addr6(h[22:38])
	return s.MAC[0]&1 == 0 && s.Src[0] != 0xff && soundOptions(icmp[solicitLen:], s.Src)
}

// soundOptions walks the options: type, length in units of 8 bytes, value. None
// may be of length 0, and a sender without an address names no link address.
func soundOptions(b []byte, src Addr6) bool {
	for len(b) > 0 {
		if len(b) < 8 || b[1] == 0 || int(b[1])*8 > len(b) {
			return false
		}
		if b[0] == sourceLinkAddress && src == (Addr6{}) {
			return false
		}
		b = b[int(b[1])*8:]
	}
	return true
}

// sum6 is the running sum of an ICMPv6 message and its pseudo header (RFC 8200
// section 8.1), of which addrs is source and destination.
func sum6(addrs, message []byte) uint64 {
	return Sum(Sum(uint64(len(message))+ProtocolICMPv6, addrs), message)
}

// PutAdvert writes a frame with a router advertisement from the link-local
// address of src: no router (lifetime 0), no prefix, and neither DHCPv6 for
// addresses nor for anything else (flags M and O clear), so that its receiver
// knows at once that it need not wait for any of them. It names the link
// address that it comes from. Its layout behind the IPv6 header is
//
//	type 0  code 1  checksum 2..3  hop limit 4  flags 5  lifetime 6..7  reachable 8..11  retransmit 12..15
//	option: type 16  length 17  MAC 18..23
func PutAdvert(b *[AdvertLen]byte, src, dst MAC, to Addr6) {
	clear(b[:])
	copy(b[0:6], dst[:])
	copy(b[6:12], src[:])
	binary.BigEndian.PutUint16(b[12:14], EtherTypeIPv6)
	b[14] = 6 << 4
	binary.BigEndian.PutUint16(b[18:20], advertLen+linkOptLen)
	b[20], b[21] = ProtocolICMPv6, nextHopLimit
	from := LinkLocal(src)
	copy(b[22:38], from[:])
	copy(b[38:54], to[:])
	m := b[EthernetLen+IPv6Len:]
	m[0] = routerAdvertisement
	m[advertLen], m[advertLen+1] = sourceLinkAddress, linkOptLen/8
	copy(m[advertLen+2:], src[:])
	binary.BigEndian.PutUint16(m[2:4], ^Fold(sum6(b[22:54], m)))
}
