package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// hosts makes the host declarations and the index that finds them.
func (c *compiler) hosts() {
	for _, s := range c.tree.Hosts {
		if s.Host == nil || s.Host.Deleted {
			continue
		}
		at := int32(len(c.plan.Hosts))
		c.plan.Hosts = append(c.plan.Hosts, plan.Host{
			Name: s.Name, Fixed: s.Host.Fixed, Scope: c.scope(s), Origin: c.origin(s.Pos),
		})
		c.hostKeys(s, at)
		c.fixedAddresses(s)
	}
	c.indexHosts()
}

// hostKeys notes what the host is found by.
func (c *compiler) hostKeys(s *config.Scope, at int32) {
	for i := range s.Host.Hardware {
		h := &s.Host.Hardware[i]
		c.hostKey(plan.HostByHardware, append([]byte{h.Type}, h.Addr...), at)
	}
	if s.Host.ClientID != nil {
		c.hostKey(plan.HostByClientID, s.Host.ClientID, at)
	}
	if s.Host.Identifier != nil {
		c.hostKey(plan.HostByOption+plan.HostKey(c.identifier(s.Host.Identifier)), s.Host.IDValue, at)
	}
}

// hostKey adds one entry; chains are made when all are known.
func (c *compiler) hostKey(kind plan.HostKey, key []byte, host int32) {
	c.prog.Hosts.Entries = append(c.prog.Hosts.Entries, plan.HostEntry{
		Kind: kind, Off: c.bytes(key), Len: uint32(len(key)), Host: host, Next: -1,
	})
}

// maxIdentifiers is how many different options may identify hosts.
const maxIdentifiers = 250

// identifier returns the index of the expression that reads an option which
// identifies hosts; options are few, hosts many.
func (c *compiler) identifier(o *config.OptionDef) int {
	want := c.reading(o, plan.OpOption, plan.OpSubOption)
	for i, at := range c.prog.Hosts.Identifiers {
		x := c.prog.Exprs[at]
		x.First, x.N = 0, 0
		if x == want {
			return i
		}
	}
	if len(c.prog.Hosts.Identifiers) == maxIdentifiers {
		c.error(o.Pos, "identify hosts by fewer different options", "more than %d options identify hosts", maxIdentifiers)
		return 0
	}
	c.prog.Hosts.Identifiers = append(c.prog.Hosts.Identifiers, c.node(want))
	return len(c.prog.Hosts.Identifiers) - 1
}

// indexHosts builds the open addressing table, at most half full.
func (c *compiler) indexHosts() {
	entries := c.prog.Hosts.Entries
	slots := table(len(entries))
	// Entries with the same key are chained in the order of declaration; only the
	// head of a chain takes a place in the table.
	mask := uint64(len(slots) - 1)
	tails := make([]int32, len(entries)) // of chains, by their head
	for i := range entries {
		e := &entries[i]
		key := c.prog.Data[e.Off : e.Off+e.Len]
		for at := plan.HashKey(uint32(e.Kind), key) & mask; ; at = (at + 1) & mask {
			head := slots[at]
			if head < 0 {
				slots[at], tails[i] = int32(i), int32(i)
				break
			}
			if h := &entries[head]; h.Kind == e.Kind && h.Off == e.Off && h.Len == e.Len { // equal bytes are stored once
				c.sameKey(e.Kind, h.Host, e.Host)
				entries[tails[head]].Next = int32(i)
				tails[head] = int32(i)
				break
			}
		}
	}
	c.prog.Hosts.Slots = slots
}

// table returns an empty open addressing table for n entries.
func table(n int) []int32 {
	size := 4
	for size < 2*n {
		size *= 2
	}
	t := make([]int32, size)
	for i := range t {
		t[i] = -1
	}
	return t
}

// sameKey warns where the second of two declarations can never be chosen. For
// hardware addresses the parser has done so.
func (c *compiler) sameKey(kind plan.HostKey, first, second int32) {
	a, b := &c.plan.Hosts[first], &c.plan.Hosts[second]
	if kind == plan.HostByHardware || first == second || len(a.Fixed) > 0 || len(b.Fixed) > 0 {
		return
	}
	c.repeated("same key", c.place(b.Origin), "remove one of them, or give them fixed addresses on different networks",
		"host %q is identified as host %q is at line %d, which is the one that is used", b.Name, a.Name, c.plan.Origins[a.Origin].Line)
}

// fixedAddresses checks the addresses of one host.
func (c *compiler) fixedAddresses(s *config.Scope) {
	for _, a := range s.Host.Fixed {
		if c.plan.SubnetOf(-1, a) < 0 {
			c.repeated("elsewhere", s.Pos, "declare the subnet, or correct the address",
				"fixed-address %s of host %q is in no declared subnet: it is never given", a, s.Name)
		} else if c.inRange(a) {
			c.repeated("in a range", s.Pos, "take the address out of the range",
				"fixed-address %s of host %q is also in a range: another client may get it", a, s.Name)
		}
	}
}
