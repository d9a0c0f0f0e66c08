package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// iPXE under UEFI configures IPv6 together with IPv4 and goes on when both have
// ended. Where there is no IPv6 router it asks for one 4 to 17 s long. An
// advertisement without a router, a prefix or DHCPv6 ends that at once; the
// protocol below is for nobody else.
//
// A node is sent one while it is known to run iPXE: from iPXE's DHCP message
// that we answered, for as long as it asks for routers, until its first TFTP
// request or any DHCP message of other software. So an installed system is told
// nothing, whatever it asks.
const (
	soliciting = 20 * batch.Second // iPXE's six solicitations take 17 s
	// A solicitation may overtake the DISCOVER that came before it, since they
	// come by different sockets: for so long it is kept for that.
	overtaking = batch.Second
)

// seekers is a table of the nodes that run iPXE, or have asked for a router and
// may turn out to: sets of few entries, of which the oldest gives way. Losing one
// costs a node its wait, not its boot.
type seekers [seekerSets * seekerWays]seeker

const (
	seekerSets = 1 << 12
	seekerWays = 4
)

// seeker is one node. Once it runs iPXE it is answered; before, its question is
// kept.
type seeker struct {
	at   int64 // Mono of its DHCP message or question; 0: the entry is free
	src  proto.Addr6
	mac  proto.MAC
	link uint8
	ipxe bool
}

// set returns where a node's entry would be.
func (t *seekers) set(mac proto.MAC) []seeker {
	i := binding.Hash(mac[:]) >> 32 % seekerSets * seekerWays
	return t[i : i+seekerWays]
}

// find returns the entry of a node on a link, nil if it has none.
func (t *seekers) find(mac proto.MAC, link uint8) *seeker {
	set := t.set(mac)
	for i := range set {
		if s := &set[i]; s.at != 0 && s.mac == mac && s.link == link {
			return s
		}
	}
	return nil
}

// enter returns the entry of a node, a new one in the place of the oldest if it
// has none.
func (t *seekers) enter(mac proto.MAC, link uint8) *seeker {
	if s := t.find(mac, link); s != nil {
		return s
	}
	set := t.set(mac)
	oldest := &set[0]
	for i := range set {
		if set[i].at < oldest.at {
			oldest = &set[i]
		}
	}
	*oldest = seeker{mac: mac, link: link}
	return oldest
}

// forget removes the entry of a node.
func (t *seekers) forget(mac proto.MAC, link uint8) {
	if s := t.find(mac, link); s != nil {
		*s = seeker{}
	}
}

// solicited handles a frame that may be a router solicitation, and tells whether
// it is one.
func (c *Core) solicited(now batch.Time, f *batch.Frame, tx *batch.Tx) bool {
	q := &c.solicit
	if int(f.Link) >= len(c.links) || !proto.ParseSolicit(q, f.Data, f.Checksum) {
		return false
	}
	c.count.Solicits++
	if s := c.seekers.find(q.MAC, f.Link); s != nil && s.ipxe && now.Mono-s.at < soliciting {
		c.advertise(f.Link, q.MAC, q.Src, tx)
		return true
	}
	s := c.seekers.enter(q.MAC, f.Link)
	s.at, s.src, s.ipxe = max(now.Mono, 1), q.Src, false
	return true
}

// follow notes what software a node runs, from the DHCP message that was just
// answered, and answers a question that came too early. Behind a relay there is
// none.
func (c *Core) follow(v *verdict, tx *batch.Tx) {
	m := &c.msg
	if m.giaddr != 0 || !reachable(&c.request.HW) {
		return
	}
	mac, now := c.request.HW.MAC(), max(m.now.Mono, 1)
	if !c.advertises(v) {
		c.seekers.forget(mac, m.via)
		return
	}
	s := c.seekers.enter(mac, m.via)
	early := s.at != 0 && !s.ipxe && now-s.at < overtaking
	s.at, s.ipxe = now, true
	if early {
		c.advertise(m.via, mac, s.src, tx)
	}
}

// advertises tells whether the node of the message in work is sent
// advertisements from now on.
func (c *Core) advertises(v *verdict) bool {
	return (v.do == offer || v.do == ack) && c.msg.software == ClientIPXE && c.eval.Bool(plan.RouterAdvertisement, true)
}

// advertise sends a router advertisement to the node alone, if it has an address
// already, else to all on the link.
func (c *Core) advertise(link uint8, mac proto.MAC, to proto.Addr6, tx *batch.Tx) {
	m := tx.Next()
	if m == nil {
		return
	}
	if to == (proto.Addr6{}) {
		to, mac = proto.AllNodes, proto.GroupMAC(proto.AllNodes)
	}
	proto.PutAdvert((*[proto.AdvertLen]byte)(m.Head[:]), c.links[link].MAC, mac, to)
	m.HeadLen, m.Link = proto.AdvertLen, link
	tx.Commit()
	c.count.Adverts++
}

// loading ends the answers to a node's solicitations with its first request for
// a file: its network is configured by then, and what it loads may be a system
// that configures it anew. It returns what is known of who sent the request.
func (c *Core) loading(now int64, via uint8) transfer.Standing {
	if p := &c.packet; len(p.Payload) >= 2 && p.Payload[0] == 0 && p.Payload[1] == readRequest {
		c.seekers.forget(p.SrcMAC, via)
		c.repeats.heard(p.SrcMAC)
		c.heardOf(now)
		return c.standing(via)
	}
	return transfer.Stranger
}

// readRequest is TFTP's operation RRQ (RFC 1350 section 5).
const readRequest = 1
