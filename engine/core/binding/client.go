package binding

import (
	"bytes"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

const (
	activeState    = batch.LeaseActive
	freeState      = batch.LeaseFree
	abandonedState = batch.LeaseAbandoned
)

// Client is who asks: the hardware address, the client identifier if the
// configuration has leases kept by it (ignore-client-uids off), and the key of
// the host declaration if that lists several hardware addresses, which are then
// one node. The identifier is a view that is copied when it is kept.
type Client struct {
	HW   dhcp.HW
	ID   []byte // nil if the message has none
	Host uint64 // 0 if none
	// ByID: leases with another identifier, and with one if the message has
	// none, are another client's though the hardware address is the same.
	ByID bool
}

// Owns tells whether what slot i says, lease, offer or memory, is the
// client's.
func (t *Table) Owns(i int32, c *Client) bool {
	s := &t.slots[i]
	if c.Host != 0 && s.Host == c.Host { // whichever of its links it uses
		return true
	}
	if c.ByID && s.Flags&HasID != 0 {
		return c.ID != nil && t.sameID(i, c.ID)
	}
	if s.HW.Len == 0 { // known by its identifier alone
		return c.HW.Len == 0 && s.Flags&HasID != 0 && c.ID != nil && t.sameID(i, c.ID)
	}
	return s.HW == c.HW
}

// sameID compares what is kept of an identifier, and its length.
func (t *Table) sameID(i int32, id []byte) bool {
	x := &t.texts[i]
	return int(x.IDLen) == min(len(id), 255) && bytes.Equal(x.ClientID[:min(int(x.IDLen), batch.MaxClientID)], cutID(id))
}

// cutID returns the part of an identifier that is kept.
func cutID(id []byte) []byte { return id[:min(len(id), batch.MaxClientID)] }

// hashID hashes that part alone, so that a restored identifier is found.
func (t *Table) hashID(id []byte) uint64 { return hashFrom(t.seed, cutID(id)) }

// AnyNetwork has Lookup search all networks.
const AnyNetwork int32 = -1

// Lookup returns the slot that the client has on a network, None if it has
// none: its lease or offer, else the address that it had before and that is
// still free. skip is left out of the search (None to search all), so that a
// client with several leases can be enumerated one by one.
func (t *Table) Lookup(c *Client, network, skip int32) int32 {
	best := None
	if c.ID != nil && (c.ByID || c.HW.Len == 0) {
		best = t.better(best, c, network, skip, &t.id, t.hashID(c.ID))
	}
	if c.HW.Len != 0 {
		best = t.better(best, c, network, skip, &t.hw, t.hashHW(&c.HW))
	}
	if c.Host != 0 {
		best = t.better(best, c, network, skip, &t.host, c.Host)
	}
	return best
}

// better walks one chain of an index for a slot to be preferred to best.
func (t *Table) better(best int32, c *Client, network, skip int32, x *index, hash uint64) int32 {
	for i := x.first(hash); i != None; i = x.next[i] {
		if i == skip || network != AnyNetwork && t.slots[i].Network != network ||
			t.slots[i].State == abandonedState || !t.Owns(i, c) {
			continue
		}
		if best == None || t.rank(i) > t.rank(best) ||
			t.rank(i) == t.rank(best) && t.slots[i].CLTT > t.slots[best].CLTT {
			best = i
		}
	}
	return best
}

// Earlier goes through the addresses of a network that the client was offered or
// had before and that are not leased: it returns the first behind slot after (None to begin), None
// behind the last. Their order is that of no time.
func (t *Table) Earlier(c *Client, network, after int32) int32 {
	x, hash := &t.hw, uint64(0)
	switch {
	case c.Host != 0: // of whichever of its links
		x, hash = &t.host, c.Host
	case c.HW.Len != 0:
		hash = t.hashHW(&c.HW)
	default:
		x, hash = &t.id, t.hashID(c.ID)
	}
	i := x.first(hash)
	if after != None {
		i = x.next[after]
	}
	for ; i != None; i = x.next[i] {
		if s := &t.slots[i]; s.Network == network && s.State == freeState && t.Owns(i, c) {
			return i
		}
	}
	return None
}

// Claimed returns the n-th free address that remembers the hardware address and
// was heard of since a moment of the monotonic clock, None if there are fewer.
func (t *Table) Claimed(hw *dhcp.HW, since int64, n int) int32 {
	for i := t.hw.first(t.hashHW(hw)); i != None; i = t.hw.next[i] {
		if s := &t.slots[i]; s.HW == *hw && s.State == freeState && s.Heard > since {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return None
}

// rank orders what a client may have: a lease before an offer before a memory.
func (t *Table) rank(i int32) int {
	s := &t.slots[i]
	switch {
	case s.State == activeState:
		return 2
	case s.Flags&Offered != 0:
		return 1
	}
	return 0
}

// identify makes slot i the client's in the indexes. keepID: the identifier
// becomes part of the identity.
func (t *Table) identify(i int32, c *Client, keepID bool) {
	if !t.Owns(i, c) {
		t.wipe(i)
	}
	t.forget(i) // the old client's chains first: its hashes are needed for that
	s, x := &t.slots[i], &t.texts[i]
	s.HW, s.Host = c.HW, c.Host
	if s.HW.Len != 0 {
		t.hw.insert(t.hashHW(&s.HW), i)
	}
	if s.Host != 0 {
		t.host.insert(s.Host, i)
	}
	if c.ID != nil && (keepID || s.HW.Len == 0) {
		s.Flags |= HasID
		x.IDLen = uint8(min(len(c.ID), 255))
		copy(x.ClientID[:], c.ID)
		t.id.insert(t.hashID(c.ID), i)
	}
}

// wipe forgets what the client calls itself and where it is.
func (t *Table) wipe(i int32) {
	x := &t.texts[i]
	x.HostnameLen, x.VendorLen, x.AgentLen = 0, 0, 0
}

// forget takes slot i out of the indexes; its client is nobody then.
func (t *Table) forget(i int32) {
	s, x := &t.slots[i], &t.texts[i]
	if s.HW.Len != 0 {
		t.hw.remove(t.hashHW(&s.HW), i)
	}
	if s.Host != 0 {
		t.host.remove(s.Host, i)
	}
	if s.Flags&HasID != 0 {
		t.id.remove(t.hashID(x.ClientID[:min(int(x.IDLen), batch.MaxClientID)]), i)
	}
	s.HW, s.Host, s.Client = dhcp.HW{}, 0, 0
	s.Flags &^= HasID | Warned | Tenant
	x.IDLen = 0
}
