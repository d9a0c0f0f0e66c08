package capture

import (
	"encoding/binary"

	"bootstorm/proto"
)

// Filter chooses the frames of one node; the zero value chooses all.
type Filter struct {
	MAC  proto.MAC  // of the node, zero: all nodes
	Addr proto.Addr // the node's address, 0: the last that it was given, as far as the ring knows
}

// all tells whether nothing is filtered.
func (f *Filter) all() bool { return f.MAC == proto.MAC{} }

// complete finds out the address from the acknowledgements in the records.
func (f *Filter) complete(list []record) {
	if f.all() || f.Addr != 0 {
		return
	}
	for i := range list {
		r := &list[i]
		if b := r.data; r.flags&flagSent != 0 && f.owns(b) {
			if a := proto.AddrFrom((*[4]byte)(b[proto.HeadersLen+16:])); a != 0 { // yiaddr, RFC 2131 section 2
				f.Addr = a
			}
		}
	}
}

// owns tells whether a frame is a DHCP message from or to the node, whoever
// carries it.
func (f *Filter) owns(b []byte) bool {
	const chaddr = proto.HeadersLen + 28 // RFC 2131 section 2
	if len(b) < chaddr+6 || !isUDP(b) {
		return false
	}
	dhcp := false
	for _, at := range []int{34, 36} {
		switch binary.BigEndian.Uint16(b[at:]) {
		case proto.PortBOOTPServer, proto.PortBOOTPClient, proto.PortPXE:
			dhcp = true
		}
	}
	return dhcp && proto.MAC(b[chaddr:chaddr+6]) == f.MAC
}

// match tells whether a frame is the node's.
func (f *Filter) match(b []byte) bool {
	if f.all() {
		return true
	}
	if len(b) < proto.EthernetLen {
		return false
	}
	if proto.MAC(b[0:6]) == f.MAC || proto.MAC(b[6:12]) == f.MAC || f.owns(b) {
		return true
	}
	if f.Addr == 0 {
		return false
	}
	// Through a relay, and where somebody else uses its address.
	at := []int(nil)
	switch {
	case binary.BigEndian.Uint16(b[12:]) == proto.EtherTypeARP && len(b) >= proto.EthernetLen+proto.ARPLen:
		at = []int{28, 38} // sender's and target's protocol address, RFC 826
	case isIPv4(b):
		at = []int{26, 30}
	}
	for _, i := range at {
		if proto.AddrFrom((*[4]byte)(b[i:])) == f.Addr {
			return true
		}
	}
	return false
}
