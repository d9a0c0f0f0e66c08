package proto

import "encoding/binary"

// ARP operations (RFC 826).
const (
	ARPRequest = 1
	ARPReply   = 2
)

// ARP is an Ethernet/IPv4 ARP message.
type ARP struct {
	Op         uint16
	SenderMAC  MAC
	SenderAddr Addr // 0.0.0.0 in a probe (RFC 5227)
	TargetMAC  MAC
	TargetAddr Addr
}

func parseARP(p *Packet, b []byte) Drop {
	if len(b) < ARPLen {
		return DropShort
	}
	h := (*[ARPLen]byte)(b)
	if binary.BigEndian.Uint32(h[0:4]) != 0x0001_0800 || h[4] != 6 || h[5] != 4 {
		return DropARP
	}
	a := &p.ARP
	a.Op = binary.BigEndian.Uint16(h[6:8])
	a.SenderMAC, a.SenderAddr = MAC(h[8:14]), AddrFrom((*[4]byte)(h[14:18]))
	a.TargetMAC, a.TargetAddr = MAC(h[18:24]), AddrFrom((*[4]byte)(h[24:28]))
	p.Kind = KindARP
	return OK
}

// PutARP writes an Ethernet frame with a into b: 42 bytes, which the driver
// pads to the Ethernet minimum.
func PutARP(b *[EthernetLen + ARPLen]byte, srcMAC, dstMAC MAC, a *ARP) {
	copy(b[0:6], dstMAC[:])
	copy(b[6:12], srcMAC[:])
	binary.BigEndian.PutUint16(b[12:14], EtherTypeARP)
	binary.BigEndian.PutUint32(b[14:18], 0x0001_0800)
	b[18], b[19] = 6, 4
	binary.BigEndian.PutUint16(b[20:22], a.Op)
	copy(b[22:28], a.SenderMAC[:])
	a.SenderAddr.Put((*[4]byte)(b[28:32]))
	copy(b[32:38], a.TargetMAC[:])
	a.TargetAddr.Put((*[4]byte)(b[38:42]))
}
