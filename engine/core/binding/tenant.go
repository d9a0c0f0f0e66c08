package binding

import "bootstorm/proto/dhcp"

// A client that an address was leased to is its tenant, until somebody else
// leases the address: an offer, or the word of an ARP message, costs nothing to
// make up, so neither takes a tenant's place. While the slot names another client
// for such a reason, the tenant is set aside; it may have its address back at
// once, and the address remembers it again when the offer comes to nothing.
//
// What was never leased is given away before what has a tenant, and an offer to a
// client of whom nothing is known may be taken back (Loose).

// tenant is who is set aside; a hardware address of length 0 says nobody.
type tenant struct {
	hw   dhcp.HW
	host uint64
}

// key is where the tenant is found in the index: by its host declaration, if
// that is its identity.
func (t *Table) tenantKey(hw *dhcp.HW, host uint64) uint64 {
	if host != 0 {
		return host
	}
	return t.hashHW(hw)
}

// setAside keeps the client of slot i as its tenant while another is named.
func (t *Table) setAside(i int32) {
	s := &t.slots[i]
	if s.Flags&Tenant == 0 || s.HW.Len == 0 {
		return
	}
	t.tenants[i] = tenant{s.HW, s.Host}
	t.aside.insert(t.tenantKey(&s.HW, s.Host), i)
	t.waiting++
}

// dropAside forgets who was set aside.
func (t *Table) dropAside(i int32) {
	x := &t.tenants[i]
	if x.hw.Len == 0 {
		return
	}
	t.aside.remove(t.tenantKey(&x.hw, x.host), i)
	*x = tenant{}
	t.waiting--
}

// isAside tells whether the client is the one who was set aside.
func (t *Table) isAside(i int32, c *Client) bool {
	x := &t.tenants[i]
	return x.hw.Len != 0 && (x.hw == c.HW || c.Host != 0 && x.host == c.Host)
}

// restoreTenant makes the tenant that was set aside the client of slot i again.
func (t *Table) restoreTenant(i int32) {
	x := t.tenants[i]
	if x.hw.Len == 0 {
		return
	}
	t.dropAside(i)
	t.identify(i, &Client{HW: x.hw, Host: x.host}, false)
	t.slots[i].Flags |= Tenant
}

// name makes slot i the client's for an offer, or for what ARP says: a tenant
// that is another client is set aside, one that comes back is a tenant again.
func (t *Table) name(i int32, c *Client, keepID bool) {
	s := &t.slots[i]
	tenant := t.Owns(i, c) && s.Flags&Tenant != 0
	if !tenant {
		t.setAside(i)
	}
	back := t.isAside(i, c)
	t.identify(i, c, keepID)
	if back {
		t.dropAside(i)
	}
	if tenant || back {
		s.Flags |= Tenant
	}
}

// Aside returns the address on a network whose tenant the client is though the
// slot names another client, or is abandoned; None if there is none.
func (t *Table) Aside(c *Client, network int32) int32 {
	if t.waiting == 0 || c.HW.Len == 0 {
		return None
	}
	if i := t.findAside(c, network, t.hashHW(&c.HW)); i != None || c.Host == 0 {
		return i
	}
	return t.findAside(c, network, c.Host)
}

func (t *Table) findAside(c *Client, network int32, key uint64) int32 {
	for i := t.aside.first(key); i != None; i = t.aside.next[i] {
		if t.slots[i].Network == network && t.isAside(i, c) {
			return i
		}
	}
	return None
}

// TenantOf tells whether the client is the tenant of slot i, named or set aside.
func (t *Table) TenantOf(i int32, c *Client) bool {
	return t.slots[i].Flags&Tenant != 0 && t.Owns(i, c) || t.isAside(i, c)
}

// Tenanted tells whether slot i has a tenant.
func (t *Table) Tenanted(i int32) bool {
	return t.slots[i].Flags&Tenant != 0 || t.tenants[i].hw.Len != 0
}

// Loose marks the offer of slot i as one that may be taken back before its time:
// nothing but its own message is known of the client.
func (t *Table) Loose(i int32) {
	s := &t.slots[i]
	if s.Flags&Offered != 0 && s.Flags&Reserved == 0 && !t.queue[i].in() {
		t.push(inLoose, i)
	}
}

// OldestLoose returns the address of the pool whose loose offer was made first.
func (t *Table) OldestLoose(pool int32) int32 { return t.pools[pool].queues[inLoose].head }
