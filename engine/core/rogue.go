package core

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Replies of other DHCP servers are overheard where they are broadcast, as those
// to most firmware are (edk2 always asks for it). Ours never come back: the
// socket does not see what this host sends. A relay's copy of one of ours bears
// the relay's address in giaddr.

const (
	rogueAgain = 60 * batch.Second       // a server is reported again after
	rivalAgain = 10 * batch.Second       // and a client of its
	newsPeriod = 100 * batch.Millisecond // of all of them together
	newsBurst  = 100                     // at once
)

// overhear looks at a message to a DHCP client that somebody else sent.
func (c *Core) overhear(now batch.Time, via uint8) {
	p := &c.packet
	h := dhcp.View(p.Payload)
	if h == nil || h.Op() != dhcp.BootReply || p.SrcPort != proto.PortBOOTPServer || c.ourMAC(p.SrcMAC) {
		c.count.Other++
		return
	}
	hw, ok := h.HW()
	if !ok || !c.options.Parse(p.Payload) && hasCookie(p.Payload) {
		c.count.Other++
		return
	}
	server := p.Src
	if id, ok := c.options.Uint32(dhcp.OptServerID); ok && id != 0 {
		server = proto.Addr(id)
	}
	kind, _ := c.options.MessageType()
	switch {
	case c.ours(server) && h.GIAddr() != 0: // a relay passes on what we said
		c.count.Other++
	case c.permittedServer(server) || c.permittedServer(p.Src):
		c.count.Permitted++
	default:
		c.count.Rogue++
		c.reportServer(now.Mono, via, server, kind, h, &hw)
	}
}

// reportServer makes the events of another server's reply, unless they were made
// lately.
func (c *Core) reportServer(now int64, via uint8, server proto.Addr, kind dhcp.Type, h *dhcp.Header, client *dhcp.HW) {
	from := dhcp.HW{Type: ethernet, Len: 6}
	copy(from.Addr[:], c.packet.SrcMAC[:])
	whose := c.table.HashHW(&from) ^ uint64(server)*0x9e3779b97f4a7c15
	if ok, _ := c.guard.servers.Take(whose, now); ok {
		c.reportOne(now, via, batch.EventRogue, &from, server, kind, h)
	}
	if client.Len == 0 {
		return
	}
	if ok, _ := c.guard.rivals.Take(c.table.HashHW(client), now); ok {
		c.reportOne(now, via, batch.EventRival, client, server, kind, h)
	}
}

// reportOne makes one of them.
func (c *Core) reportOne(now int64, via uint8, kind batch.EventKind, hw *dhcp.HW, server proto.Addr, reply dhcp.Type, h *dhcp.Header) {
	if ok, _ := c.guard.news.Take(now, newsPeriod, newsBurst); !ok {
		return
	}
	e := c.events.Add(kind, now)
	e.SetHW(hw)
	e.Link, e.Addr, e.XID = via, server, h.XID()
	e.Value, e.Extra = int64(reply), uint32(h.YIAddr())
}

// permittedServer tells whether the configuration names the server.
func (c *Core) permittedServer(a proto.Addr) bool {
	for _, s := range c.plan.Guard.Servers {
		if s == a {
			return true
		}
	}
	return false
}

// ourMAC tells whether a hardware address is that of one of our interfaces.
func (c *Core) ourMAC(mac proto.MAC) bool {
	for i := range c.links {
		if c.links[i].MAC == mac {
			return true
		}
	}
	return false
}

// impostor reports a machine that uses an address of this host.
func (c *Core) impostor(now batch.Time, via uint8) {
	a := &c.packet.ARP
	if c.ourMAC(a.SenderMAC) || a.SenderMAC[0]&1 != 0 {
		return
	}
	c.count.Conflicts++
	from := dhcp.HW{Type: ethernet, Len: 6}
	copy(from.Addr[:], a.SenderMAC[:])
	if ok, _ := c.guard.servers.Take(c.table.HashHW(&from), now.Mono); !ok {
		return
	}
	if ok, _ := c.guard.news.Take(now.Mono, newsPeriod, newsBurst); !ok {
		return
	}
	e := c.events.Add(batch.EventConflict, now.Mono)
	e.SetHW(&from)
	e.Addr, e.Link, e.Reason = a.SenderAddr, via, batch.ReasonServerAddress
}
