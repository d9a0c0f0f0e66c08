package core

import (
	"bytes"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/proto/dhcp"
)

// decideInform answers DHCPINFORM (RFC 2131 section 4.3.5) with options and no
// lease, where the subnet is authoritative, as dhcpd does.
func (c *Core) decideInform(v *verdict) {
	m := &c.msg
	v.addr = m.ciaddr
	if v.addr == 0 { // some clients only fill in the IP header
		v.addr = c.packet.Src
	}
	if v.addr == 0 {
		v.refuse(batch.ReasonMalformed)
		return
	}
	if !m.located {
		v.refuse(batch.ReasonNoSubnet)
		return
	}
	// Of a network with several subnets the client's own one speaks for it.
	if s := c.plan.SubnetOf(m.network, v.addr); s >= 0 {
		m.subnet = s
	}
	if !c.plan.Subnets[m.subnet].Authoritative {
		v.refuse(batch.ReasonUnknownLease)
		return
	}
	c.begin()
	// An address of a pool brings the pool's statements, whoever has it.
	if i := c.table.Find(m.ciaddr); i != binding.None {
		v.pool = c.table.At(i).Pool
	}
	c.eval.Decide(v.pool, m.host, 0, 0)
	v.do = inform
}

// decidePXE answers the boot server request of a PXE client (PXE 2.1 section
// 2.2.3) on port 4011: the same boot file that its ACK named. It comes from a
// client that has its address already, from us.
func (c *Core) decidePXE(v *verdict) {
	m := &c.msg
	v.addr = m.ciaddr
	class, _ := c.options.Get(dhcp.OptVendorClass)
	if m.kind != dhcp.Request && m.kind != dhcp.Inform && m.kind != dhcp.Discover ||
		m.ciaddr == 0 || !bytes.HasPrefix(class, textPXE) {
		v.refuse(batch.ReasonMalformed)
		return
	}
	if !m.located {
		v.refuse(batch.ReasonNoSubnet)
		return
	}
	m.client.ByID = false // boot servers are asked by another program than the lease was
	c.begin()
	if m.fixed != m.ciaddr {
		i := c.table.Find(m.ciaddr)
		if i == binding.None || c.table.At(i).State != batch.LeaseActive || !c.table.Owns(i, &m.client) {
			v.refuse(batch.ReasonUnknownLease)
			return
		}
		v.pool = c.table.At(i).Pool
	}
	c.eval.Decide(v.pool, m.host, v.addr, 0)
	if c.admitted(v) {
		v.do = pxe
	}
}

// pxeBootItem is the sub-option of option 43 that names the boot server type
// and layer asked for (PXE 2.1 section 2.2.1).
const pxeBootItem = 71

// setPXE adds what a PXE client expects of a boot server: option 60, and the
// boot item that it asked for.
func (c *Core) setPXE() {
	// Without option 60 the client does not take it for a boot server's answer.
	c.eval.SetOption(dhcp.OptVendorClass, textPXE)
	vendor, _ := c.options.Get(dhcp.OptVendorSpecific)
	item, ok := subOption(vendor, pxeBootItem)
	if !ok || len(item) != 4 {
		return
	}
	c.eval.SetOption(dhcp.OptVendorSpecific, []byte{pxeBootItem, 4, item[0], item[1], item[2], item[3], dhcp.OptEnd})
}
