package core

import (
	"slices"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// tenant is a fixed-address of a host declaration and one of the Ethernet
// addresses of that host.
type tenant struct {
	addr  proto.Addr
	mac   proto.MAC
	asker binding.Asker
}

// fixedTenants lists the fixed addresses that are on a link of ours with who may
// use them, by address. A host that is declared by client identifier alone may
// have any hardware and is left out. Cold: it allocates.
func (c *Core) fixedTenants() []tenant {
	var all []tenant
	for _, e := range c.plan.Program.Hosts.Entries {
		key := c.plan.Program.Data[e.Off : e.Off+e.Len]
		if e.Kind != plan.HostByHardware || len(key) != 7 || key[0] != ethernet {
			continue
		}
		for _, a := range c.plan.Hosts[e.Host].Fixed {
			all = append(all, tenant{addr: a, mac: proto.MAC(key[1:])})
		}
	}
	slices.SortStableFunc(all, func(a, b tenant) int { return int(int64(a.addr) - int64(b.addr)) })
	return all
}

// firstTenant returns the index in c.fixed of the first entry of an address, or of
// what would follow it.
func (c *Core) firstTenant(addr proto.Addr) int {
	lo, hi := 0, len(c.fixed)
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); c.fixed[m].addr < addr {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// fixedClaimed reports the sender of the ARP message in work if it uses the fixed
// address of a host that it is not: once a minute, as other servers are. The
// host keeps its address: the configuration says so.
func (c *Core) fixedClaimed(now int64, via uint8) {
	a := &c.packet.ARP
	lo := c.firstTenant(a.SenderAddr)
	if lo == len(c.fixed) || c.fixed[lo].addr != a.SenderAddr || !c.links[via].reaches(a.SenderAddr) {
		return
	}
	for ; lo < len(c.fixed) && c.fixed[lo].addr == a.SenderAddr; lo++ {
		if c.fixed[lo].mac == a.SenderMAC {
			return
		}
	}
	if c.isProxy(a.SenderMAC) {
		return
	}
	c.count.Conflicts++
	from := dhcp.HW{Type: ethernet, Len: 6}
	copy(from.Addr[:], a.SenderMAC[:])
	if ok, _ := c.guard.servers.Take(c.table.HashHW(&from)^uint64(a.SenderAddr)*0x9e3779b97f4a7c15, now); !ok {
		return
	}
	if ok, _ := c.guard.news.Take(now, newsPeriod, newsBurst); !ok {
		return
	}
	e := c.events.Add(batch.EventConflict, now)
	e.SetHW(&from)
	e.Addr, e.Link, e.Reason = a.SenderAddr, via, batch.ReasonDuplicateAddress
}

// reaches tells whether a is in a network that the link has an address in.
func (l *link) reaches(a proto.Addr) bool {
	for i := range l.Addrs {
		if (a^l.Addrs[i].Addr)&l.Addrs[i].Mask == 0 {
			return true
		}
	}
	return false
}
