package pcap

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Kinds of adaptation, the keys of Result.Adapted.
const (
	AdaptPort     = "transfer port of the captured server replaced by 69"
	AdaptAddress  = "address given by the captured server replaced by ours"
	AdaptServer   = "address of the captured server replaced by ours"
	AdaptWindow   = "window limited to what the captured server granted"
	AdaptFilled   = "acknowledgements filled in that the capture leaves out"
	AdaptContents = "bytes of files that are not in the capture replaced by a pattern"
	AdaptNeighbor = "ARP requests of ours answered in the name of a host of the capture"
	AdaptDecline  = "DHCPDECLINE of an address that we did not give left out"
	AdaptLeases   = "leases restored that clients had before the capture began"
	AdaptTags     = "VLAN tags removed, as an interface of that VLAN does"
	AdaptPadded   = "client frames whose end was not captured filled up with zeros"
)

// translator rewrites client frames for our side. The tables of addresses are
// per client: two servers may have given one address to different machines.
type translator struct {
	theirs, ours Server
	ports        map[uint16]bool
	given        map[proto.MAC]map[proto.Addr]proto.Addr // captured server's choice -> ours
	adapted      map[string]int
}

// learn notes that our side gave another address than the captured server.
func (t *translator) learn(client proto.MAC, theirs, ours proto.Addr) {
	if t.given[client] == nil {
		if theirs == ours {
			return
		}
		t.given[client] = make(map[proto.Addr]proto.Addr)
	}
	t.given[client][theirs] = ours
}

// frame is a client's frame ready for the engine.
type frame struct {
	data     []byte
	checksum bool // the UDP checksum is finished
	client   proto.MAC
}

// client adapts one captured frame; ok is false if the server's interface would
// not have received it.
func (t *translator) client(r *Record) (f frame, ok bool) {
	if len(r.Data) < proto.EthernetLen || dstMAC(r.Data) != t.theirs.MAC && r.Data[0]&1 == 0 {
		return f, false
	}
	// As long as on the wire, so that every length field holds, but no longer
	// than a driver would hand over.
	tags := look(r.Data).network - proto.EthernetLen
	if tags > 0 {
		t.adapted[AdaptTags]++
	}
	tags = max(tags, 0)
	f.data = make([]byte, min(r.Length-tags, batch.FrameCap))
	have := copy(f.data, r.Data[:proto.EthernetLen-2])
	have += copy(f.data[have:], r.Data[have+tags:])
	cut := have < r.Length-tags
	if cut {
		t.adapted[AdaptPadded]++
	}
	f.client = srcMAC(f.data)
	if dstMAC(f.data) == t.theirs.MAC {
		copy(f.data, t.ours.MAC[:])
	}
	v := look(f.data)
	if t.declines(&f, &v) {
		t.adapted[AdaptDecline]++
		return f, false
	}
	switch v.etherType {
	case proto.EtherTypeARP:
		t.arp(&f, v.network)
	case proto.EtherTypeIPv4:
		if v.transport > 0 {
			t.ipv4(&f, &v, cut)
		}
	}
	return f, true
}

// declines tells whether the client refuses an address that only the captured
// server gave it. What is wrong with that address says nothing about ours.
func (t *translator) declines(f *frame, v *view) bool {
	if !v.udp() || v.dstPort != proto.PortBOOTPServer {
		return false
	}
	m, ok := parseDHCP(v.body(f.data))
	if !ok || m.typ != dhcp.Decline {
		return false
	}
	refused := m.addr(dhcp.OptRequestedAddr)
	ours, known := t.given[f.client][refused]
	return known && ours != refused
}

// replace rewrites one address field; it returns whether it did.
func (t *translator) replace(f *frame, at int) bool {
	if at+4 > len(f.data) {
		return false
	}
	field := (*[4]byte)(f.data[at:])
	a := proto.AddrFrom(field)
	// The server's own address goes first: no client is given that.
	if a == t.theirs.Addr && a != t.ours.Addr {
		t.ours.Addr.Put(field)
		t.adapted[AdaptServer]++
		return true
	}
	if b, ok := t.given[f.client][a]; ok && a != b {
		b.Put(field)
		t.adapted[AdaptAddress]++
		return true
	}
	return false
}

// arp rewrites sender and target (RFC 826: bytes 14 and 24 of the message).
func (t *translator) arp(f *frame, at int) {
	t.replace(f, at+14)
	t.replace(f, at+24)
}

// ipv4 rewrites addresses, and what the transport says about them. Fragments
// keep their content: nothing that is served here may be fragmented.
func (t *translator) ipv4(f *frame, v *view, cut bool) {
	changed := t.replace(f, v.network+12) // source; then destination
	changed = t.replace(f, v.network+16) || changed
	if changed {
		finishIP(f.data, v)
	}
	switch {
	case v.rest || v.first:
	case v.protocol == proto.ProtocolUDP:
		t.udp(f, v, changed, cut)
	case v.protocol == proto.ProtocolICMP:
		if t.icmp(f, v) || cut {
			finishICMP(f.data, v)
		}
	}
}

// udp rewrites port and content, and completes the checksum if it was complete.
func (t *translator) udp(f *frame, v *view, changed, cut bool) {
	state := udpChecksum(f.data, v)
	f.checksum = !cut && state != unfinished
	if v.dst == t.theirs.Addr && t.ports[v.dstPort] {
		binary.BigEndian.PutUint16(f.data[v.transport+2:], proto.PortTFTP)
		t.adapted[AdaptPort]++
		changed = true
	}
	if v.dstPort == proto.PortBOOTPServer || v.dstPort == proto.PortPXE {
		changed = t.dhcp(f, v) || changed
	}
	// A checksum that was wrong before stays wrong: the engine has to drop it.
	if changed && f.checksum && state == valid {
		finishUDP(f.data, v)
	}
}

// dhcp rewrites ciaddr and the two address options that a client copies from a
// server's answer.
func (t *translator) dhcp(f *frame, v *view) bool {
	body := v.body(f.data)
	if dhcp.View(body) == nil {
		return false
	}
	changed := t.replace(f, v.payload+12) // ciaddr
	for _, o := range scanOptions(body) {
		if (o.code == dhcp.OptRequestedAddr || o.code == dhcp.OptServerID) && len(o.data) == 4 {
			changed = t.replace(f, v.payload+o.at) || changed
		}
	}
	return changed
}

// icmp rewrites the quoted datagram: ours came from port 69 and went to the
// address that we gave.
func (t *translator) icmp(f *frame, v *view) bool {
	src, _, ok := quoted(f.data[v.transport:])
	if !ok {
		return false
	}
	at := v.transport + proto.ICMPLen
	t.replace(f, at+12)
	t.replace(f, at+16)
	if t.ports[src.port] {
		binary.BigEndian.PutUint16(f.data[at+int(f.data[at]&15)*4:], proto.PortTFTP)
		t.adapted[AdaptPort]++
	}
	return true
}

// State of a captured UDP checksum.
type checksumState byte

const (
	wrong      checksumState = iota
	valid                    // right, or absent
	unfinished               // the pseudo header's sum only: the sender left the rest to its hardware
)

// udpChecksum judges the checksum by the addresses that were captured, which
// v still has after a rewriting.
func udpChecksum(b []byte, v *view) checksumState {
	u := v.transport
	if v.length < 0 || v.payload+v.length > len(b) {
		return wrong
	}
	check := binary.BigEndian.Uint16(b[u+6:])
	size := proto.UDPLen + v.length
	pseudo := proto.PseudoSum(v.src, v.dst, size)
	switch {
	case check == 0 || proto.Fold(proto.Sum(pseudo, b[u:u+size])) == 0xffff:
		return valid
	case check == proto.Fold(pseudo):
		return unfinished
	}
	return wrong
}

// finishIP completes the IP header checksum after a change.
func finishIP(b []byte, v *view) {
	h := b[v.network:v.transport]
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], ^proto.Fold(proto.Sum(0, h)))
}

// finishUDP completes the UDP checksum after a change.
func finishUDP(b []byte, v *view) {
	u := b[v.transport : v.payload+v.length]
	if u[6] == 0 && u[7] == 0 {
		return // the sender does not use it
	}
	u[6], u[7] = 0, 0
	h := b[v.network:]
	src, dst := proto.AddrFrom((*[4]byte)(h[12:16])), proto.AddrFrom((*[4]byte)(h[16:20]))
	check := ^proto.Fold(proto.Sum(proto.PseudoSum(src, dst, len(u)), u))
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(u[6:], check)
}

// finishICMP completes the ICMP checksum after a change or a cut.
func finishICMP(b []byte, v *view) {
	total := int(binary.BigEndian.Uint16(b[v.network+2:]))
	end := min(v.network+total, len(b))
	if end < v.transport+proto.ICMPLen {
		return
	}
	m := b[v.transport:end]
	m[2], m[3] = 0, 0
	binary.BigEndian.PutUint16(m[2:], ^proto.Fold(proto.Sum(0, m)))
}
