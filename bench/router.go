package bench

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// seeking is the part of iPXE that configures IPv6. It runs beside DHCP, and iPXE
// goes on when both have ended (src/usr/ifmgmt.c): when a router has answered, or
// when it has asked often enough. What a router would bring, addresses and DHCPv6,
// is not modelled: the advertisement that ends it has neither (src/net/ndp.c,
// ipv6conf_rx_router_advertisement).
type seeking struct {
	deadline int64 // of the next solicitation, or of giving up; never if it has ended
	wait     int64 // until deadline
}

// iPXE's timer for solicitations doubles from the first wait on and ends the search
// when the next wait would be longer than the last: after six solicitations and
// 15.75 s with the timer's own limits, as in Debian's iPXE of 2019, after five and
// 3.875 s with those that it was given in 2020 (src/net/ndp.c, IPV6CONF_MIN_TIMEOUT).
const (
	seekFirst      = ipxeWait
	seekLast       = ipxeLongest
	seekFirstFresh = batch.Second / 8
	seekLastFresh  = 3 * batch.Second
)

// seeks tells whether a node's iPXE configures IPv6: that for BIOS is built
// without it.
func (n *node) seeks() bool { return n.storm.config.Waits && n.storm.config.IPv6 && !n.bios }

// seekRouter sends the first solicitation.
func (n *node) seekRouter(now int64) {
	n.seek.wait = seekFirst
	if n.storm.config.Fresh {
		n.seek.wait = seekFirstFresh
	}
	n.solicit(now)
}

// solicit asks for a router.
func (n *node) solicit(now int64) {
	n.storm.out.solicitation(n.mac)
	n.storm.stats.framesOut++
	n.seek.deadline = now + n.seek.wait
}

// seekAgain repeats the solicitation, or gives up.
func (n *node) seekAgain(now int64) {
	last := seekLast
	if n.storm.config.Fresh {
		last = seekLastFresh
	}
	if n.seek.wait *= 2; n.seek.wait <= last {
		n.solicit(now)
		return
	}
	n.sought(now)
}

// sought ends the search, and the step that waits for it, if it has been reached.
func (n *node) sought(now int64) {
	n.seek.deadline = never
	if n.steps[n.at].kind == stepRouter {
		n.complete(now, n.steps[n.at].phase)
	}
}

// solicitation appends a router solicitation to all routers from the link-local
// address of a node, which it names (RFC 4861 section 4.1). Layout behind the IPv6
// header, at 54: type, code, checksum 56..57, 4 reserved bytes, option 62..69.
func (o *Out) solicitation(mac proto.MAC) {
	const size = 16
	b := o.grow(proto.EthernetLen + proto.IPv6Len + size)
	clear(b)
	group, from, to := proto.GroupMAC(proto.AllRouters), proto.LinkLocal(mac), proto.AllRouters
	copy(b[0:6], group[:])
	copy(b[6:12], mac[:])
	binary.BigEndian.PutUint16(b[12:], proto.EtherTypeIPv6)
	b[14], b[19], b[20], b[21] = 6<<4, size, proto.ProtocolICMPv6, 255
	copy(b[22:38], from[:])
	copy(b[38:54], to[:])
	b[54] = proto.RouterSolicitation
	b[62], b[63] = 1, 1 // source link-layer address, in units of 8 bytes
	copy(b[64:70], mac[:])
	put16(b[56:], ^proto.Fold(sumICMPv6(b)))
}

// sumICMPv6 is the running sum of an ICMPv6 frame and its pseudo header (RFC 8200
// section 8.1).
func sumICMPv6(b []byte) uint64 {
	return proto.Sum(proto.Sum(uint64(len(b)-54)+proto.ProtocolICMPv6, b[22:54]), b[54:])
}

// advertised takes a frame that is no IPv4 and no ARP. If it is an advertisement
// that ends a search (RFC 4861 section 6.1.2; neither DHCPv6 nor a prefix follows),
// it reaches the node that it is for, or all.
func (s *Storm) advertised(now int64, b []byte) {
	if !endsSearch(b) {
		return
	}
	if b[0]&1 == 0 {
		if id := s.config.nodeOf(proto.MAC(b[0:6])); id >= 0 {
			s.nodes[id].hearRouter(now)
		}
		return
	}
	for id := range s.nodes {
		s.nodes[id].hearRouter(now)
	}
}

// hearRouter is what an advertisement does.
func (n *node) hearRouter(now int64) {
	if !n.on || n.seek.deadline == never {
		return
	}
	n.storm.stats.framesIn++
	n.sought(now)
	n.storm.timers.set(n.id, n.next())
}

// endsSearch tells whether a frame is a sound router advertisement without flags.
func endsSearch(b []byte) bool {
	const icmp, least = proto.EthernetLen + proto.IPv6Len, 16
	if len(b) < icmp+least || binary.BigEndian.Uint16(b[12:]) != proto.EtherTypeIPv6 || b[20] != proto.ProtocolICMPv6 || b[21] != 255 || b[icmp] != 134 {
		return false
	}
	size := int(binary.BigEndian.Uint16(b[18:]))
	if size < least || icmp+size > len(b) || proto.Fold(sumICMPv6(b[:icmp+size])) != 0xffff {
		return false
	}
	const managed, other = 0x80, 0x40
	return b[icmp+5]&(managed|other) == 0 && b[22] == 0xfe && b[23] == 0x80
}
