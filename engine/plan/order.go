package plan

import (
	"math/bits"

	"bootstorm/proto/dhcp"
)

// codes is a set of option codes.
type codes [4]uint64

// first tells whether code was not in the set, and puts it there.
func (c *codes) first(code byte) bool {
	if c[code>>6]>>(code&63)&1 != 0 {
		return false
	}
	c[code>>6] |= 1 << (code & 63)
	return true
}

// list makes the order in which options are tried, each code once.
func (e *Eval) list(kind dhcp.Type) {
	e.orderUsed = 0
	seen := e.nothing()
	if kind == dhcp.Nak {
		e.enlist(&seen, dhcp.OptServerID)
		e.enlistAll(&seen, e.forced[:e.forcedUsed])
		return
	}
	e.enlistAll(&seen, always[:])
	if prl := e.requested(); len(prl) > 0 {
		e.enlistRequested(&seen, prl)
	} else {
		e.enlistEverything(&seen)
	}
	e.maskBeforeRouters()
}

// apart are the codes that are no options, or that WriteOptions itself places.
var apart = codes{
	1<<dhcp.OptPad | 1<<dhcp.OptOverload | 1<<dhcp.OptMessageType,
	1 << (dhcp.OptRelayAgent - 64), 0, 1 << (dhcp.OptEnd - 192),
}

// nothing is the set of codes that cannot be sent, so that they are not tried:
// those that are not set and enclose no space. The mask and the routers are
// kept, because their places in a request list depend on each other.
func (e *Eval) nothing() (seen codes) {
	if e.isSet(SlotOf(SiteOptionSpace)) { // the codes mean something else
		return apart
	}
	for i := range seen {
		seen[i] = ^(e.set[i] | e.prog.Enclosing[i]) | apart[i]
	}
	seen[0] &^= 1<<dhcp.OptSubnetMask | 1<<dhcp.OptRouters
	return seen
}

// requested returns the parameter request list in force.
func (e *Eval) requested() []byte {
	if e.isSet(dhcp.OptParameterList) {
		v, _ := e.slotValue(dhcp.OptParameterList)
		return v
	}
	v, _ := e.req.Options.Get(dhcp.OptParameterList)
	return v
}

// enlist adds a code to the order unless it stands there already, or cannot be
// sent at all.
func (e *Eval) enlist(seen *codes, code byte) {
	if seen.first(code) {
		e.order[e.orderUsed] = code
		e.orderUsed++
	}
}

// enlistAll enlists codes in their order; only the first of repeated ones counts.
func (e *Eval) enlistAll(seen *codes, list []byte) {
	for _, c := range list {
		e.enlist(seen, c)
	}
}

// enlistRequested: the core's own options, the list, and the mask, which some
// clients need and do not ask for. An FQDN is answered without being asked for.
func (e *Eval) enlistRequested(seen *codes, prl []byte) {
	if e.isSet(dhcp.OptSubnetSelection) {
		e.enlist(seen, dhcp.OptSubnetSelection)
	}
	e.enlistAll(seen, e.forced[:e.forcedUsed])
	e.enlistAll(seen, prl)
	if v, ok := e.req.Options.Get(dhcp.OptFQDN); ok && len(v) >= fqdnNameOff {
		e.enlist(seen, dhcp.OptFQDN)
	}
	if e.req.Type == dhcp.Discover || e.req.Type == dhcp.Request {
		e.enlist(seen, dhcp.OptSubnetMask)
	}
}

// enlistEverything: a few leading options, then all that are set, in the order
// of dhcpd's hash, then the enclosing options of other spaces.
func (e *Eval) enlistEverything(seen *codes) {
	e.enlistAll(seen, leading[:])
	e.enlistAll(seen, e.forced[:e.forcedUsed])
	var keys [256]uint64
	n := 0
	// Insertion sort: replies have a dozen options, not hundreds.
	for word, set := range e.set {
		for ; set != 0; set &= set - 1 {
			code := uint32(word<<6 + bits.TrailingZeros64(set))
			if seen[code>>6]>>(code&63)&1 == 0 {
				n = insert(&keys, n, e.rank(code))
			}
		}
	}
	for _, k := range keys[:n] {
		e.enlist(seen, byte(k))
	}
	e.enlistSpaces(seen)
	e.enlist(seen, dhcp.OptVendorSpecific)
}

// rank orders options as dhcpd's hash does: by bucket, then the one set last
// first. The lowest byte is the code.
func (e *Eval) rank(code uint32) uint64 {
	return uint64(Bucket(code))<<40 | uint64(^e.slots[code].sequence)<<8 | uint64(code)
}

// insert puts a key into a sorted run of n and returns the new length.
func insert(keys *[256]uint64, n int, k uint64) int {
	i := n
	for ; i > 0 && keys[i-1] > k; i-- {
		keys[i] = keys[i-1]
	}
	keys[i] = k
	return n + 1
}

// enlistSpaces adds the codes of the site-option-space and of the options that
// enclose spaces. Whether those have anything in them is seen when they are
// written.
func (e *Eval) enlistSpaces(seen *codes) {
	if e.isSet(SlotOf(SiteOptionSpace)) {
		if s := e.spaceNamed(SiteOptionSpace); s >= 0 {
			for _, at := range e.prog.Spaces[s].Slots {
				if c := e.prog.SubOptions[at-int32(SlotSub)].Code; c < 256 {
					e.enlist(seen, byte(c))
				}
			}
		}
	}
	for i := range e.prog.Spaces {
		if s := &e.prog.Spaces[i]; s.Parent == -1 && s.Code < 256 {
			e.enlist(seen, byte(s.Code))
		}
	}
}

// maskBeforeRouters: RFC 2132 section 3.3 wants the subnet mask before the
// routers, whatever the list says; dhcpd exchanges the two.
func (e *Eval) maskBeforeRouters() {
	routers := -1
	for i, c := range e.order[:e.orderUsed] {
		switch c {
		case dhcp.OptRouters:
			routers = i
		case dhcp.OptSubnetMask:
			if routers >= 0 {
				e.order[routers], e.order[i] = dhcp.OptSubnetMask, dhcp.OptRouters
			}
			return
		}
	}
}
