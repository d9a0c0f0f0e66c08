package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// message is what the core reads out of one DHCP or BOOTP message. Its views
// die with the frame.
type message struct {
	now  batch.Time
	link *link
	via  uint8 // index of link
	port uint16

	kind      dhcp.Type
	ciaddr    proto.Addr
	giaddr    proto.Addr
	asked     proto.Addr // option 50, 0 if it is absent
	server    proto.Addr // option 54, 0 if it is absent
	agent     []byte     // option 82, nil if it is absent
	stashed   bool       // the agent options that are evaluated are the lease's, not the message's
	self      proto.Addr // our address for this client
	client    binding.Client
	software  Client
	located   bool // subnet and network are valid
	subnet    int32
	network   int32
	host      int32
	fixed     proto.Addr // of host, on this network; 0 if none
	known     bool
	plainBOOT bool // no magic cookie
	begun     bool // the Eval is about this message
}

// handle answers one DHCP or BOOTP message.
func (c *Core) handle(now batch.Time, via uint8, tx *batch.Tx) {
	if !c.within(now, via) {
		return
	}
	if bad := c.read(now, via); bad != nil {
		*bad++
		return
	}
	if c.request.HW.Len == 6 {
		c.repeats.heard(c.request.HW.MAC())
	}
	c.announce()
	v := c.decide()
	c.answer(&v, tx)
}

// read is the gate: it parses the datagram in c.packet into c.request and
// c.msg. It returns the counter of what is wrong with it, nil if nothing is.
func (c *Core) read(now batch.Time, via uint8) (bad *uint64) {
	h := dhcp.View(c.packet.Payload)
	if h == nil {
		return &c.count.Short
	}
	if h.Op() != dhcp.BootRequest {
		return &c.count.NotBoot
	}
	hw, ok := h.HW()
	if !ok {
		return &c.count.Hardware
	}
	if len(c.links[via].Addrs) == 0 {
		return &c.count.NoLink
	}
	c.now = now
	// From here on the message is one that events can name.
	m := &c.msg
	*m = message{now: now, link: &c.links[via], via: via, port: c.packet.DstPort, host: -1, subnet: -1, network: -1,
		ciaddr: h.CIAddr(), giaddr: h.GIAddr()}
	// Without the cookie it is BOOTP as of RFC 951; with it, options that cannot be
	// read are damage.
	if !c.options.Parse(c.packet.Payload) {
		if hasCookie(c.packet.Payload) {
			return &c.count.Options
		}
		m.plainBOOT = true
	}
	c.request.Header, c.request.Options, c.request.Payload = h, &c.options, c.packet.Payload
	c.request.HW, c.request.Link, c.request.Now = hw, &m.link.Link, now.Wall
	if bad = c.readOptions(); bad != nil {
		return bad
	}
	m.client.HW = hw
	c.recallAgent()
	c.place()
	return nil
}

// hasCookie tells whether the message claims to have options at all.
func hasCookie(b []byte) bool {
	return len(b) >= dhcp.OptionsOff && [4]byte(b[dhcp.CookieOff:]) == [4]byte{0x63, 0x82, 0x53, 0x63}
}

// readOptions reads the options that decide what kind of message it is.
func (c *Core) readOptions() (bad *uint64) {
	m, o := &c.msg, &c.options
	if o.Has(dhcp.OptMessageType) {
		kind, ok := o.MessageType()
		if !ok || !fromClient(kind) {
			return &c.count.Type
		}
		m.kind = kind
	}
	c.request.Type = m.kind
	// An empty identifier identifies nobody.
	if id, ok := o.Get(dhcp.OptClientID); ok && len(id) > 0 {
		m.client.ID = id
	}
	if c.request.HW.Len == 0 && m.client.ID == nil {
		return &c.count.Hardware
	}
	for _, want := range [...]struct {
		code byte
		at   *proto.Addr
	}{{dhcp.OptRequestedAddr, &m.asked}, {dhcp.OptServerID, &m.server}} {
		v, ok := o.Uint32(want.code)
		if !ok && o.Has(want.code) {
			return &c.count.Options
		}
		*want.at = proto.Addr(v)
	}
	m.agent, _ = o.Get(dhcp.OptRelayAgent)
	m.software = Recognise(o)
	return nil
}

// fromClient tells whether the type is one that clients send. LEASEQUERY (RFC
// 4388) is relays' business and not served.
func fromClient(t dhcp.Type) bool {
	switch t {
	case dhcp.Discover, dhcp.Request, dhcp.Decline, dhcp.Release, dhcp.Inform:
		return true
	}
	return false
}

// place finds the network of the message. A renewal that was routed here tells
// no more than its address where it comes from.
func (c *Core) place() {
	m := &c.msg
	m.subnet, m.located = c.plan.Locate(&c.request)
	// Unlike a REQUEST with option 50, it may come from beyond a router: the
	// subnet of its address is then the better guess.
	if m.kind == dhcp.Request && m.ciaddr != 0 && m.giaddr == 0 && m.asked == 0 {
		if s := c.plan.SubnetOf(-1, m.ciaddr); s >= 0 {
			m.subnet, m.located = s, true
		}
	}
	if m.located {
		m.network = c.plan.Subnets[m.subnet].Network
	}
}

// recallAgent gives a renewal that comes straight from the client the relay
// agent information that its lease was made with, since classes and pools may
// depend on it (stash-agent-options, dhcpd.conf(5)): the message is parsed
// again with the option in front. It is evaluated, not echoed.
func (c *Core) recallAgent() {
	m := &c.msg
	if m.kind != dhcp.Request || m.ciaddr == 0 || m.giaddr != 0 || m.agent != nil {
		return
	}
	i := c.table.Find(m.ciaddr)
	if i == binding.None || c.table.At(i).State != batch.LeaseActive || !c.table.Owns(i, &m.client) {
		return
	}
	x := c.table.Text(i)
	if x.AgentLen == 0 || len(c.packet.Payload)+int(x.AgentLen)+2 > len(c.stash) {
		return
	}
	n := copy(c.stash[:], c.packet.Payload[:dhcp.OptionsOff])
	c.stash[n], c.stash[n+1] = dhcp.OptRelayAgent, x.AgentLen
	n += 2 + copy(c.stash[n+2:], x.Agent[:x.AgentLen])
	n += copy(c.stash[n:], c.packet.Payload[dhcp.OptionsOff:])
	m.stashed = c.options.Parse(c.stash[:n])
	if !m.stashed { // it was readable before: the lease's options are at fault
		c.options.Parse(c.packet.Payload)
	}
	// Views of the first parse are stale now.
	m.client.ID, _ = c.options.Get(dhcp.OptClientID)
	if len(m.client.ID) == 0 {
		m.client.ID = nil
	}
}
