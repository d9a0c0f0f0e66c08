// Package proto holds the wire formats below UDP: Ethernet II, ARP, IPv4, UDP
// and ICMP. It has no state and imports nothing that could block, allocate per
// frame or read a clock.
//
// A frame is parsed once, at the gate (ParseFrame): every length is tested
// there and the result is a Datagram or an ARP value whose fields need no
// further checks. Bad input yields a Drop code, never an error value and never
// a panic.
package proto

// MAC is an IEEE 802 hardware address, in transmission order.
type MAC [6]byte

// Broadcast is the Ethernet broadcast address ff:ff:ff:ff:ff:ff.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

const hexDigits = "0123456789abcdef"

// AppendTo appends m as colon-separated lower-case hexadecimal, 17 bytes.
func (m MAC) AppendTo(b []byte) []byte {
	for i, v := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return b
}

// String returns the form that dhcpd.conf and ip-link(8) use: 52:54:00:12:34:01.
func (m MAC) String() string { return string(m.AppendTo(nil)) }

// Addr is an IPv4 address as a number: 192.168.1.2 is 0xc0a80102. Ranges are
// intervals of it. On the wire it is big endian.
type Addr uint32

// Limited is the limited broadcast address 255.255.255.255 (RFC 919).
const Limited Addr = 0xffffffff

// AddrFrom reads four bytes in network order.
func AddrFrom(b *[4]byte) Addr {
	return Addr(b[0])<<24 | Addr(b[1])<<16 | Addr(b[2])<<8 | Addr(b[3])
}

// AddrOf builds a.b.c.d.
func AddrOf(a, b, c, d byte) Addr {
	return Addr(a)<<24 | Addr(b)<<16 | Addr(c)<<8 | Addr(d)
}

// Put writes a in network order.
func (a Addr) Put(b *[4]byte) {
	b[0], b[1], b[2], b[3] = byte(a>>24), byte(a>>16), byte(a>>8), byte(a)
}

// Bytes returns a in network order.
func (a Addr) Bytes() (b [4]byte) {
	a.Put(&b)
	return b
}

// AppendTo appends the dotted form.
func (a Addr) AppendTo(b []byte) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		b = appendByte(b, byte(a>>shift))
		if shift > 0 {
			b = append(b, '.')
		}
	}
	return b
}

// String returns the dotted form: 192.168.1.2.
func (a Addr) String() string { return string(a.AppendTo(nil)) }

func appendByte(b []byte, v byte) []byte {
	if v >= 100 {
		b = append(b, '0'+v/100)
	}
	if v >= 10 {
		b = append(b, '0'+v/10%10)
	}
	return append(b, '0'+v%10)
}
