package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/core/transfer"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// standing is what is known of who sent the request for a file in work: a node
// with a lease, or a machine that had the address and nobody after it, or a host
// that is declared with it. Nobody has any where known-clients-first is off.
func (c *Core) standing(via uint8) transfer.Standing {
	p := &c.packet
	switch {
	case !c.plan.Guard.KnownFirst:
		return transfer.Stranger
	case c.asker(p.Src, p.SrcMAC) != nil:
		return transfer.Known
	}
	i := c.table.Find(p.Src)
	if !c.links[via].reaches(p.Src) { // the hardware address is a router's
		if i != binding.None && c.table.At(i).State == batch.LeaseActive || c.isFixed(p.Src) {
			return transfer.Routed
		}
		return transfer.Stranger
	}
	if i == binding.None {
		return transfer.Stranger
	}
	client := binding.Client{HW: dhcp.HW{Type: ethernet, Len: 6}}
	copy(client.HW.Addr[:], p.SrcMAC[:])
	if c.table.TenantOf(i, &client) {
		return transfer.Known
	}
	return transfer.Stranger
}

// isFixed tells whether an address is the fixed one of a host.
func (c *Core) isFixed(a proto.Addr) bool {
	i := c.firstTenant(a)
	return i < len(c.fixed) && c.fixed[i].addr == a
}

// keepRoom has the transfers keep a share for known nodes if there can be any.
func (c *Core) keepRoom() {
	c.transfers.KeepRoom(c.plan.Guard.KnownFirst && c.table.Len()+int32(len(c.fixed)) > 0)
}
