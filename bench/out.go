package bench

import "bootstorm/proto"

// Out collects the frames that nodes send until the driver takes them. Its
// memory grows to what a busy moment needs and is then used again.
type Out struct {
	buf  []byte
	ends []int
}

// Len returns how many frames are waiting.
func (o *Out) Len() int { return len(o.ends) }

// Frame returns frame i; it is valid until Reset.
func (o *Out) Frame(i int) []byte {
	from := 0
	if i > 0 {
		from = o.ends[i-1]
	}
	return o.buf[from:o.ends[i]:o.ends[i]]
}

// Reset forgets all frames.
func (o *Out) Reset() { o.buf, o.ends = o.buf[:0], o.ends[:0] }

// keepFrom forgets the first k frames.
func (o *Out) keepFrom(k int) {
	if k == len(o.ends) {
		o.Reset()
		return
	}
	if k == 0 {
		return
	}
	cut := o.ends[k-1]
	o.buf = o.buf[:copy(o.buf, o.buf[cut:])]
	o.ends = o.ends[:copy(o.ends, o.ends[k:])]
	for i := range o.ends {
		o.ends[i] -= cut
	}
}

// grow appends n bytes, not cleared, and returns them as a frame.
func (o *Out) grow(n int) []byte {
	at := len(o.buf)
	if cap(o.buf)-at < n { // twice as much as needed, so that it happens seldom
		o.buf = append(make([]byte, 0, 2*cap(o.buf)+n), o.buf...)
	}
	o.buf = o.buf[:at+n]
	o.ends = append(o.ends, at+n)
	return o.buf[at : at+n : at+n]
}

// address is where a datagram comes from or goes to.
type address struct {
	mac  proto.MAC
	ip   proto.Addr
	port uint16
}

// udp appends a datagram, complete with checksums.
func (o *Out) udp(src, dst address, id uint16, payload []byte) {
	b := o.grow(proto.HeadersLen + len(payload))
	copy(b[proto.HeadersLen:], payload)
	h := (*[proto.HeadersLen]byte)(b)
	proto.PutHeaders(h, src.mac, dst.mac, src.ip, dst.ip, src.port, dst.port, id, len(payload))
	proto.FinishUDP(h, payload, nil)
}

// arp appends an ARP message, padded to the Ethernet minimum as on a wire.
func (o *Out) arp(dst proto.MAC, a *proto.ARP) {
	b := o.grow(60)
	clear(b)
	proto.PutARP((*[proto.EthernetLen + proto.ARPLen]byte)(b), a.SenderMAC, dst, a)
}

// unreachable appends the ICMP port unreachable that answers the datagram p
// (RFC 792): the IPv4 header of p, rebuilt, and its UDP header are quoted.
func (o *Out) unreachable(p *proto.Packet) {
	// Layout: Ethernet 0, IPv4 14, ICMP 34 (type, code, checksum, 4 unused
	// bytes), quoted IPv4 42, quoted UDP 62: 70 bytes.
	const icmp = proto.EthernetLen + proto.IPv4Len
	const quote = icmp + proto.ICMPLen
	var q [proto.HeadersLen]byte
	proto.PutHeaders(&q, p.SrcMAC, p.DstMAC, p.Src, p.Dst, p.SrcPort, p.DstPort, 0, len(p.Payload))
	b := o.grow(quote + proto.IPv4Len + proto.UDPLen)
	var h [proto.HeadersLen]byte
	proto.PutHeaders(&h, p.DstMAC, p.SrcMAC, p.Dst, p.Src, 0, 0, 0, proto.ICMPLen+proto.IPv4Len)
	copy(b, h[:icmp])
	b[23] = proto.ProtocolICMP
	b[24], b[25] = 0, 0
	put16(b[24:], ^proto.Fold(proto.Sum(0, b[proto.EthernetLen:icmp])))
	clear(b[icmp:quote])
	b[icmp], b[icmp+1] = 3, 3
	copy(b[quote:], q[proto.EthernetLen:])
	put16(b[icmp+2:], ^proto.Fold(proto.Sum(0, b[icmp:])))
}

// put16 writes v in network order.
func put16(b []byte, v uint16) { b[0], b[1] = byte(v>>8), byte(v) }
