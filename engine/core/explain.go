package core

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Why says how an address was chosen.
type Why uint8

// The ways in which a client comes to an address, in the order in which they
// are tried.
const (
	WhyNone      Why = iota // no address was chosen
	WhyFixed                // fixed-address of its host declaration
	WhyExisting             // the lease or offer that it holds
	WhyPrevious             // the address that it had before, still free
	WhyRequested            // the address that it asked for, free and permitted
	WhyLongest              // the free address that was used by nobody for the longest time
	WhyReclaimed            // an abandoned address, since no other is free
	WhyTakenBack            // offered to a client of whom nothing is known, since no other is free
	WhyClaimed              // used by somebody without a lease, as ARP says, since no other is free
)

// Explanation is the answer that a message would get, and why. Indexes are
// those of the plan, -1 if there is none.
type Explanation struct {
	Type     dhcp.Type    // of the message; BOOTP for one without a type
	Reply    dhcp.Type    // Offer, Ack, Nak; BOOTP (0) for a BOOTP reply or none: see Frame
	Frame    []byte       // the reply as it would be sent, nil if there is none
	Reason   batch.Reason // why there is no reply, or why it is a NAK
	Drop     string       // name of the counter under which the frame was dropped, "" if it was not
	Rule     int32        // index into Plan.Origins of what refused, -1
	Network  int32        // that the message was located in
	Subnet   int32        // likewise; the address may be of another one of the network
	Pool     int32        // of the address; -1 for a fixed one
	Host     int32        // host declaration whose statements apply
	Addr     proto.Addr   // address chosen, 0 if none
	Why      Why          // it was this one
	Seconds  uint32       // lease time, 0xffffffff without end
	Client   Client       // what software the client is
	Hints    Hints        // what the reply carries of the server's own accord
	Marked   bool         // the boot file is that of its Mark
	Advert   bool         // its router solicitations are answered from now on
	Repeated bool         // the reply is sent once more if nothing of the node follows it
	ARP      bool         // its ARP requests for the server are answered if the kernel does not
}

// Explain tells what the core would answer to a frame that came in by a link,
// without changing any lease. Cold: it allocates. Eval then holds the
// evaluation of the message, for origins.
func (c *Core) Explain(frame []byte, link uint8, now batch.Time) Explanation {
	x := Explanation{Rule: -1, Network: -1, Subnet: -1, Pool: -1, Host: -1}
	before := *c.count // what is only asked is not counted
	x.Drop = c.explainDrop(frame, link, now)
	if x.Drop != "" {
		*c.count = before
		return x
	}
	v := c.decide()
	if n := c.composable(&v); n > 0 {
		x.Frame = append([]byte(nil), c.build[:n]...)
	}
	*c.count = before
	m := &c.msg
	x.Type, x.Network, x.Subnet, x.Host, x.Client = m.kind, m.network, m.subnet, m.host, m.software
	x.Reason, x.Rule, x.Pool, x.Addr, x.Why, x.Seconds = v.reason, v.rule, v.pool, v.addr, v.why, v.seconds
	x.Hints, x.Marked = v.hints, v.marked
	if x.Frame != nil {
		x.Reply = replyTypes[v.do]
		x.Advert = c.advertises(&v) && m.giaddr == 0
		x.Repeated = c.repeatable(&v)
		x.ARP = c.answersARP(&v) && reachable(&c.request.HW)
	}
	return x
}

// composable builds the reply, if the verdict is one.
func (c *Core) composable(v *verdict) int {
	switch v.do {
	case silent, release, decline:
		return 0
	}
	return c.compose(v)
}

// explainDrop parses the frame and returns why it would be dropped, "" if it
// would be answered or deliberately not.
func (c *Core) explainDrop(frame []byte, link uint8, now batch.Time) string {
	if drop := proto.ParseFrame(&c.packet, frame, true); drop != proto.OK {
		return "drop_" + drop.String()
	}
	if int(link) >= len(c.links) || c.packet.Kind != proto.KindUDP || !c.forUs(&c.links[link]) ||
		c.packet.DstPort != proto.PortBOOTPServer && c.packet.DstPort != proto.PortPXE {
		return "drop_port"
	}
	bad := c.read(now, link)
	for _, n := range c.count.named() {
		if n.at == bad {
			return n.name
		}
	}
	return ""
}
