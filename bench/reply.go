package bench

import (
	"bytes"
	"hash/fnv"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// reply is what a node keeps of an OFFER or ACK.
type reply struct {
	leaseFacts
	kind      dhcp.Type
	flags     uint16
	noProxy   bool   // 175.176 = 1: iPXE need not wait for a ProxyDHCP server
	pxeClient bool   // option 60 begins with PXEClient
	boot      uint64 // hash of option 60 and 43, which must be the same in OFFER and ACK
	file67    string // option 67; edk2 prefers it, iPXE prefers the header's
	size      int    // bytes of the message
	tolerant  bool   // Config.Tolerant
}

// read takes what is needed from a BOOTREPLY for the node and says what is
// wrong with it as a message, whoever it is for; "" is praise.
func (r *reply) read(p *proto.Packet, o *dhcp.Options) string {
	h := dhcp.View(p.Payload)
	r.size = len(p.Payload)
	// Faults of form first. Each is one that some client of the storm stumbles
	// over, though not every client over every one: the server cannot know whom
	// it talks to, so its replies must suit all.
	if !o.Parse(p.Payload) {
		return "its options cannot be read"
	}
	r.kind, _ = o.MessageType()
	switch {
	case !hasEnd(p.Payload):
		return "END (option 255) is missing"
	case r.size < dhcp.MinLen && !r.tolerant:
		return "it is shorter than 300 bytes"
	case r.size > 1472:
		return "it is longer than the 1472 bytes that the client takes"
	case o.Has(dhcp.OptOverload):
		return "it uses option overload (52), which iPXE and Linux do not read"
	case h.HType() != 1 || h.HLen() != 6:
		return "hardware type or length are not those of the request"
	case h.GIAddr() != 0:
		return "giaddr is set though there is no relay"
	}
	r.flags = h.Flags()
	r.addr, r.siaddr, r.file = h.YIAddr(), h.SIAddr(), cstring(h.File()[:])
	r.server = optionAddr(o, dhcp.OptServerID)
	if r.kind != dhcp.Offer && r.kind != dhcp.Ack { // a NAK carries nothing else
		return ""
	}
	r.mask, r.router = optionAddr(o, dhcp.OptSubnetMask), optionAddr(o, dhcp.OptRouters)
	r.seconds, _ = o.Uint32(dhcp.OptLeaseTime)
	if v, ok := o.Uint16(dhcp.OptBootSize); ok {
		r.bootBlocks = int(v)
	}
	r.readBoot(o)
	return ""
}

// readBoot takes the options that steer a network boot.
func (r *reply) readBoot(o *dhcp.Options) {
	class, _ := o.Get(dhcp.OptVendorClass)
	vendor, _ := o.Get(dhcp.OptVendorSpecific)
	// edk2 takes them from the ACK and decides by those of the OFFER, so they
	// must be equal to the byte; a hash is enough to compare.
	hash := fnv.New64a()
	hash.Write(class)
	hash.Write([]byte{0})
	hash.Write(vendor)
	r.boot = hash.Sum64()
	r.pxeClient = bytes.HasPrefix(class, []byte("PXEClient"))
	if v, ok := o.Get(dhcp.OptBootfileName); ok {
		r.file67 = cstring(v)
	}
	if v, ok := o.Get(dhcp.OptEncapsulatedIPXE); ok {
		if p := subOption(v, 176); len(p) == 1 {
			r.noProxy = p[0] != 0
		}
	}
}

// differs says in what an ACK is not what its OFFER promised. edk2 takes its
// boot data from the ACK, and drops one with another address.
func (r *reply) differs(offer *reply) string {
	switch {
	case r.addr != offer.addr:
		return "its address is not the offered one"
	case r.server != offer.server:
		return "its server identifier is not that of the OFFER"
	case r.siaddr != offer.siaddr || r.file != offer.file || r.file67 != offer.file67 || r.boot != offer.boot:
		return "siaddr, file, or options 60, 43 or 67 are not those of the OFFER"
	case r.mask != offer.mask || r.router != offer.router:
		return "mask or router are not those of the OFFER"
	}
	return ""
}

// judge says what an OFFER or ACK lacks for this node; it also settles which
// file and server the client would use.
func (n *node) judge(p *proto.Packet, r *reply) string {
	switch {
	case r.addr == 0 || r.addr == proto.Limited:
		return "no address"
	case r.server == 0:
		return "no server identifier (54)"
	case r.mask == 0:
		return "no subnet mask (1)"
	case r.addr == r.server:
		return "the address is the server's own"
	case r.seconds == 0:
		return "no lease time (51)"
	}
	if complaint := n.judgeDelivery(p, r); complaint != "" || n.dhcp.who == linux {
		return complaint
	}
	return n.judgeBoot(r)
}

// judgeDelivery checks how the reply was addressed (RFC 2131 section 4.1).
func (n *node) judgeDelivery(p *proto.Packet, r *reply) string {
	if n.dhcp.phase == renewing {
		if p.DstMAC != n.mac || p.Dst != n.addr {
			return "an answer to a renewal does not go to the client's address"
		}
		return ""
	}
	// edk2 always asks for broadcasts. iPXE of 2019 and Linux do not: the reply
	// goes to an address that they do not have yet, without ARP.
	asked := n.dhcp.who == edk2 || n.dhcp.who == rom || n.dhcp.who == ipxe && n.storm.config.Fresh
	if asked && (p.DstMAC != proto.Broadcast && !r.tolerant || p.Dst != proto.Limited || r.flags != dhcp.FlagBcast) {
		return "not broadcast although the client set the broadcast flag"
	}
	if !asked && (p.DstMAC != n.mac || p.Dst != r.addr) {
		return "not sent to the client's hardware address and new IP address although the broadcast flag is clear"
	}
	return ""
}

// judgeBoot checks what firmware and iPXE need to go on.
func (n *node) judgeBoot(r *reply) string {
	if r.pxeClient && r.file == "" && r.file67 == "" {
		return "option 60 is PXEClient, but there is no file: the client would ask port 4011"
	}
	if n.storm.config.Sequence == DORA {
		return ""
	}
	// Option 67 comes first with edk2, the header's field with iPXE.
	if n.dhcp.who == edk2 && r.file67 != "" || r.file == "" {
		r.file = r.file67
	}
	switch {
	case r.file == "" && n.readsBootFile():
		return "no boot file"
	case r.siaddr == 0:
		return "no boot server (siaddr)"
	}
	return ""
}

// hasEnd walks the options as a client without length checks would.
func hasEnd(msg []byte) bool {
	for i := dhcp.OptionsOff; i < len(msg); {
		switch msg[i] {
		case dhcp.OptEnd:
			return true
		case dhcp.OptPad:
			i++
		default:
			if i+1 >= len(msg) {
				return false
			}
			i += 2 + int(msg[i+1])
		}
	}
	return false
}

// optionAddr reads the first address of an option, zero if there is none.
func optionAddr(o *dhcp.Options, code byte) proto.Addr {
	if v, ok := o.Get(code); ok && len(v) >= 4 {
		return proto.AddrFrom((*[4]byte)(v))
	}
	return 0
}

// subOption finds a sub-option in an encapsulated space, nil if none.
func subOption(b []byte, code byte) []byte {
	for len(b) >= 2 && b[0] != dhcp.OptEnd {
		if b[0] == dhcp.OptPad {
			b = b[1:]
			continue
		}
		n := int(b[1])
		if 2+n > len(b) {
			return nil
		}
		if b[0] == code {
			return b[2 : 2+n]
		}
		b = b[2+n:]
	}
	return nil
}

// cstring is a field up to its first zero byte.
func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
