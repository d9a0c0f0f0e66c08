package core

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// compose builds the frame of the reply in c.build and returns its length, 0
// if no reply can be made. It changes nothing else. An ACK is made from the
// same statements as the OFFER before it, so it repeats all of it: edk2 takes
// its boot data from the ACK. Options never overload the header fields, since
// iPXE and Linux do not read them there.
func (c *Core) compose(v *verdict) int {
	if v.do == nak { // it has the options of no address, pool or host
		c.begin()
		c.eval.Decide(-1, -1, 0, 0)
	}
	c.msg.self = c.self(v.addr)
	if c.marks.live > 0 {
		c.mark(v)
	}
	payload := c.build[proto.HeadersLen:]
	total, agent := c.limits(v)
	if total-agent < dhcp.MinLen { // a relay that leaves no room for an answer
		c.count.Options++
		return 0
	}
	h := c.writer.Reset(payload[:total])
	c.fillHeader(h, v)
	c.setOptions(v)
	c.setHints(v, h)
	n := c.writeOptions(v, payload)
	c.address(v, h, n)
	return proto.HeadersLen + n
}

// limits returns the largest payload that the reply may have, and how much of
// it the echoed agent options take. A client that says nothing takes an IP
// datagram of 576 bytes, and one that says less takes that, too (RFC 2132
// section 9.10). The relay removes the agent options before the client counts.
func (c *Core) limits(v *verdict) (total, agent int) {
	m := &c.msg
	size := 576
	asked, said := c.options.Uint16(dhcp.OptMaxMessageSize)
	if said {
		size = max(size, int(asked))
	} else if own, ok := c.eval.Option(dhcp.OptMaxMessageSize); ok && len(own) == 2 {
		size = max(size, int(binary.BigEndian.Uint16(own)))
	}
	if v.do == reply && !said {
		size = dhcp.MinLen + proto.IPv4Len + proto.UDPLen // a BOOTP client has room for no more
	}
	if m.agent != nil && !m.stashed {
		agent = len(m.agent) + 2*max(1, (len(m.agent)+254)/255)
	}
	if m.giaddr != 0 || v.do == reply {
		size += agent
	}
	if mtu := m.link.MTU; mtu > 0 {
		size = min(size, mtu)
	}
	return min(size-proto.IPv4Len-proto.UDPLen, batch.HeadCap-proto.HeadersLen), agent
}

// fillHeader copies what a reply repeats (RFC 2131 table 3) and sets what it
// says.
func (c *Core) fillHeader(h *dhcp.Header, v *verdict) {
	m, from := &c.msg, c.request.Header
	copy(h[0:12], from[0:12])   // op, htype, hlen, hops, xid, secs, flags
	copy(h[24:44], from[24:44]) // giaddr, chaddr
	h.SetOp(dhcp.BootReply)
	// A client that refuses its address, or has said none, cannot be found by it.
	// One that has its address already (INFORM) can (RFC 2131 section 4.3.5).
	switch {
	case v.do == nak, v.do == inform && m.giaddr != 0 && m.ciaddr == 0,
		v.do != inform && c.eval.Bool(plan.AlwaysBroadcast, false):
		h.SetFlags(h.Flags() | dhcp.FlagBcast)
	}
	if v.do == nak {
		return
	}
	h.SetCIAddr(m.ciaddr)
	if v.do != inform && v.do != pxe {
		h.SetYIAddr(v.addr)
	}
	c.setBoot(h, v)
}

// setBoot fills in where and what to boot. A name that is too long for its
// field is of no use there: it goes into option 67 alone. Without next-server
// siaddr stays 0, as with dhcpd, unless the reply names a boot file and nothing
// says who has it: that is then this server, since iPXE and U-Boot look
// nowhere else.
func (c *Core) setBoot(h *dhcp.Header, v *verdict) {
	file, hasFile := c.eval.Value(plan.Filename)
	if len(file) > len(h.File()) {
		c.eval.DefaultOption(dhcp.OptBootfileName, file)
		file = nil
	}
	copy(h.File()[:], file) // no end mark is needed if it fills the field
	name, hasName := c.eval.Value(plan.ServerName)
	copy(h.SName()[:], name)
	if next, ok := c.eval.Value(plan.NextServer); ok && len(next) >= 4 {
		h.SetSIAddr(proto.AddrFrom((*[4]byte)(next)))
		return
	}
	if !hasFile {
		_, hasFile = c.eval.Option(dhcp.OptBootfileName)
	}
	_, other := c.eval.Option(dhcp.OptTFTPServerName)
	if v.do == reply || hasFile && !hasName && !other {
		h.SetSIAddr(c.msg.self)
	}
}

// setOptions sets what the core contributes to the options.
func (c *Core) setOptions(v *verdict) {
	m, e := &c.msg, c.eval
	if v.do != reply {
		self := m.self.Bytes() // unless server-identifier is configured
		e.DefaultOption(dhcp.OptServerID, self[:])
	}
	switch v.do {
	case offer, ack:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], v.seconds)
		e.SetOption(dhcp.OptLeaseTime, b[:])
	case nak:
		e.SetOption(dhcp.OptMessage, refusal(v.reason))
	case inform: // no lease, no times of one (RFC 2131 section 4.3.5); an empty value is not sent
		e.SetOption(dhcp.OptLeaseTime, nil)
		e.SetOption(dhcp.OptRenewalTime, nil)
		e.SetOption(dhcp.OptRebindingTime, nil)
	case pxe:
		c.setPXE()
	}
	if m.kind != dhcp.BOOTP {
		c.echoAll(v)
	}
	if m.agent != nil && !m.stashed { // comes last, unchanged (RFC 3046 section 2.2)
		e.SetOption(dhcp.OptRelayAgent, m.agent)
	}
}

// echoAll repeats the options of the client that identify it or its network:
// 61 (RFC 6842), 97 (RFC 4578 section 2.3) and 118 (RFC 3011).
func (c *Core) echoAll(v *verdict) {
	if c.eval.Bool(plan.EchoClientID, true) {
		c.echo(dhcp.OptClientID)
	}
	if v.do != nak {
		c.echo(dhcp.OptClientUUID)
		c.echo(dhcp.OptSubnetSelection)
	}
}

// echo sends an option back as it came.
func (c *Core) echo(code byte) {
	if v, ok := c.options.Get(code); ok {
		c.eval.SetOption(code, v)
	}
}

// writeOptions writes the options and END, and returns the length of the
// message.
func (c *Core) writeOptions(v *verdict, payload []byte) int {
	// A client that sends no cookie does not expect options (RFC 1497).
	if v.do == reply && c.msg.plainBOOT && !c.eval.Bool(plan.AlwaysReplyRFC1048, false) {
		clear(payload[dhcp.CookieOff:dhcp.MinLen]) // the vendor field of plain BOOTP
		return dhcp.MinLen
	}
	c.eval.WriteOptions(&c.writer, replyTypes[v.do])
	return c.writer.End()
}

// replyTypes are the message types of the replies.
var replyTypes = [...]dhcp.Type{offer: dhcp.Offer, ack: dhcp.Ack, nak: dhcp.Nak, reply: dhcp.BOOTP,
	inform: dhcp.Ack, pxe: dhcp.Ack}

// Texts of option 56 in a NAK.
var (
	textNetwork     = []byte("address is not on this network")
	textTaken       = []byte("address belongs to another client")
	textPermitted   = []byte("address is not permitted for this client")
	textDuplicate   = []byte("address is in use")
	textUnavailable = []byte("address is not available")
)

// refusal returns the text of a NAK.
func refusal(why batch.Reason) []byte {
	switch why {
	case batch.ReasonNotOurAddress:
		return textNetwork
	case batch.ReasonTaken:
		return textTaken
	case batch.ReasonNotPermitted:
		return textPermitted
	case batch.ReasonDuplicateAddress:
		return textDuplicate
	}
	return textUnavailable
}
