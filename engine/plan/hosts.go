package plan

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// HostKey says what a host declaration is found by.
type HostKey uint8

// The kinds of key. HostByOption+i is the i-th entry of HostIndex.Identifiers.
const (
	HostByHardware HostKey = iota // type byte, then address
	HostByClientID                // option 61
	HostByOption
)

// HostIndex finds host declarations by what identifies a client. It is an open
// addressing table: Slots holds indexes into Entries, -1 for an empty place,
// and is at most half full; its length is a power of two.
type HostIndex struct {
	Slots       []int32
	Entries     []HostEntry
	Identifiers []int32 // expressions that read the options of "host-identifier option"
}

// HostEntry is one key of one host. Hosts with the same key form a chain in
// the order of declaration, of which Slots holds the head.
type HostEntry struct {
	Kind HostKey
	Off  uint32 // of the key in Program.Data
	Len  uint32
	Host int32
	Next int32 // same key; -1: last
}

// HashKey is the hash of a key of the index. The keys are the configuration's,
// not the network's, so a client can lengthen nobody's search but its own.
func HashKey(kind uint32, key []byte) uint64 {
	h := uint64(14695981039346656037) ^ uint64(kind) // FNV-1a
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>29
}

// lookup returns the first entry of a key, -1 if no host has it.
func (p *Program) lookup(kind HostKey, key []byte) int32 {
	x := &p.Hosts
	if len(x.Slots) == 0 {
		return -1
	}
	mask := uint64(len(x.Slots) - 1)
	for i := HashKey(uint32(kind), key) & mask; ; i = (i + 1) & mask {
		at := x.Slots[i]
		if at < 0 {
			return -1
		}
		e := &x.Entries[at]
		if e.Kind == kind && string(p.Data[e.Off:e.Off+e.Len]) == string(key) {
			return at
		}
	}
}

// ByEthernet returns the first entry of the hosts that list an Ethernet address, -1
// if none does; the others follow by Next.
func (p *Program) ByEthernet(mac proto.MAC) int32 {
	var key [1 + len(mac)]byte
	key[0] = 1 // RFC 826's number for it
	copy(key[1:], mac[:])
	return p.lookup(HostByHardware, key[:])
}

// FindHost finds the client's host declaration as dhcpd does: by client
// identifier, then by hardware address, then by the host-identifier options;
// the first of these that any declaration answers to decides. Of the
// declarations with the same key one with a fixed-address on the network wins
// and fixed is that address. Without one, host is a declaration that has no
// fixed-address at all: its statements apply to a client with an address from
// a pool. known tells whether any declaration matched.
func (e *Eval) FindHost() (host int32, fixed proto.Addr, known bool) {
	head := e.firstKey()
	e.known = head >= 0
	for at := head; at >= 0; at = e.prog.Hosts.Entries[at].Next {
		h := e.prog.Hosts.Entries[at].Host
		if a := e.fixedOn(h); a != 0 {
			e.host = h
			return h, a, true
		}
	}
	e.host = e.withoutAddress(head)
	if head >= 0 && e.host < 0 {
		e.host = e.addressless()
	}
	return e.host, 0, e.known
}

// firstKey returns the chain of the first key that any declaration has.
func (e *Eval) firstKey() int32 {
	if id, ok := e.req.Options.Get(dhcp.OptClientID); ok {
		if at := e.prog.lookup(HostByClientID, id); at >= 0 {
			return at
		}
	}
	if at := e.byHardware(); at >= 0 {
		return at
	}
	return e.byOption()
}

// byHardware looks the client's hardware address up with its type in front: a
// token-ring node and an Ethernet node with the same bytes are two clients.
func (e *Eval) byHardware() int32 {
	var key [17]byte
	key[0] = e.req.HW.Type
	n := copy(key[1:], e.req.HW.Addr[:min(e.req.HW.Len, 16)])
	return e.prog.lookup(HostByHardware, key[:1+n])
}

// byOption tries the options of "host-identifier option" in the order in which
// the configuration first uses each; one lookup each, however many hosts there
// are. This is how a host is declared by its UUID (option 97) or switch port.
func (e *Eval) byOption() int32 {
	for i, expr := range e.prog.Hosts.Identifiers {
		v, ok := e.eval(expr).asData()
		if !ok {
			continue
		}
		if at := e.prog.lookup(HostByOption+HostKey(i), v); at >= 0 {
			return at
		}
	}
	return -1
}

// addressless returns the first declaration without any fixed-address that the
// client answers to: each kind of key is tried, because one with an address
// elsewhere does not hide one without.
func (e *Eval) addressless() int32 {
	if id, ok := e.req.Options.Get(dhcp.OptClientID); ok {
		if h := e.withoutAddress(e.prog.lookup(HostByClientID, id)); h >= 0 {
			return h
		}
	}
	if h := e.withoutAddress(e.byHardware()); h >= 0 {
		return h
	}
	return e.withoutAddress(e.byOption())
}

// withoutAddress returns the first declaration of a chain that has no
// fixed-address, -1 if all have one.
func (e *Eval) withoutAddress(at int32) int32 {
	for ; at >= 0; at = e.prog.Hosts.Entries[at].Next {
		if h := e.prog.Hosts.Entries[at].Host; len(e.plan.Hosts[h].Fixed) == 0 {
			return h
		}
	}
	return -1
}

// fixedOn returns the host's first fixed-address in a subnet of the network, 0
// if it has none there.
func (e *Eval) fixedOn(host int32) proto.Addr {
	if e.network < 0 {
		return 0
	}
	for _, a := range e.plan.Hosts[host].Fixed {
		if e.plan.SubnetOf(e.network, a) >= 0 {
			return a
		}
	}
	return 0
}
