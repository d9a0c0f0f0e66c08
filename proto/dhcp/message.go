// Package dhcp holds the BOOTP and DHCP wire format: a view of the fixed header
// (RFC 951, RFC 2131 section 2), an index of the options (RFC 2132, RFC 3396)
// and a writer for replies. It has no state between messages and does not
// allocate.
package dhcp

import (
	"encoding/binary"

	"bootstorm/proto"
)

// Layout of a message: byte offsets from the start of the UDP payload.
const (
	HeaderLen  = 236            // op 0 … file 108..235
	CookieOff  = 236            // magic cookie 99.130.83.99 (RFC 1497)
	OptionsOff = 240            // first option of a DHCP message
	MinLen     = 300            // the BOOTP minimum (RFC 1542 section 2.1), which replies are padded to
	MaxUDP     = 576 - 20 - 8   // what every client must accept (RFC 2131 section 2): 548 bytes of payload
	Cookie     = 0x63825363     // RFC 1497
	FlagBcast  = uint16(0x8000) // broadcast flag (RFC 1542 section 3.1.1)
)

// Values of op.
const (
	BootRequest = 1
	BootReply   = 2
)

// Type is the DHCP message type, option 53 (RFC 2132 section 9.6); zero stands
// for a BOOTP message, which has none.
type Type uint8

// The message types.
const (
	BOOTP Type = iota
	Discover
	Offer
	Request
	Decline
	Ack
	Nak
	Release
	Inform
)

var typeNames = [...]string{"BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"}

// String returns the RFC 2131 name without its DHCP prefix.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "TYPE?"
}

// Header is a view of the fixed part of a message; getters and setters are
// named after the fields of RFC 2131 figure 1.
type Header [HeaderLen]byte

// View returns the fixed header of payload, or nil if it is too short.
func View(payload []byte) *Header {
	if len(payload) < HeaderLen {
		return nil
	}
	return (*Header)(payload)
}

// Op returns BootRequest or BootReply: offset 0, 1 byte (RFC 951 section 3).
func (h *Header) Op() byte { return h[0] }

// HType returns the hardware address type, 1 for Ethernet: offset 1, 1 byte
// (RFC 951 section 3, numbers of RFC 1700).
func (h *Header) HType() byte { return h[1] }

// HLen returns the length of the hardware address as the client states it, 6
// for Ethernet; values above 16 occur only in damaged messages: offset 2, 1
// byte (RFC 951 section 3).
func (h *Header) HLen() byte { return h[2] }

// Hops returns how many relays passed the message on: offset 3, 1 byte (RFC
// 1542 section 4.1.1).
func (h *Header) Hops() byte { return h[3] }

// XID returns the transaction identifier, chosen by the client and repeated in
// every reply: offset 4, 4 bytes (RFC 2131 section 2).
func (h *Header) XID() uint32 { return binary.BigEndian.Uint32(h[4:8]) }

// Secs returns the seconds since the client began, as far as it keeps to RFC
// 2131; iPXE puts a counter there: offset 8, 2 bytes (RFC 2131 section 2).
func (h *Header) Secs() uint16 { return binary.BigEndian.Uint16(h[8:10]) }

// Flags returns the flags, of which FlagBcast alone is defined: offset 10, 2
// bytes (RFC 2131 section 2, figure 2).
func (h *Header) Flags() uint16 { return binary.BigEndian.Uint16(h[10:12]) }

// CIAddr returns the address that the client has and answers ARP for: offset
// 12, 4 bytes (RFC 2131 section 2).
func (h *Header) CIAddr() proto.Addr { return proto.AddrFrom((*[4]byte)(h[12:16])) }

// YIAddr returns the address given to the client: offset 16, 4 bytes (RFC 2131
// section 2).
func (h *Header) YIAddr() proto.Addr { return proto.AddrFrom((*[4]byte)(h[16:20])) }

// SIAddr returns the address of the server that holds the boot file: offset
// 20, 4 bytes (RFC 2131 section 2).
func (h *Header) SIAddr() proto.Addr { return proto.AddrFrom((*[4]byte)(h[20:24])) }

// GIAddr returns the address of the relay on the client's link, zero without a
// relay: offset 24, 4 bytes (RFC 2131 section 2, RFC 1542 section 4.1.1).
func (h *Header) GIAddr() proto.Addr { return proto.AddrFrom((*[4]byte)(h[24:28])) }

// CHAddr returns the field of the client hardware address, of which HLen bytes
// count: offset 28, 16 bytes (RFC 951 section 3).
func (h *Header) CHAddr() *[16]byte { return (*[16]byte)(h[28:44]) }

// SName returns the server host name, ended by a zero byte unless it fills the
// field, or options (overload): offset 44, 64 bytes (RFC 2131 section 2).
func (h *Header) SName() *[64]byte { return (*[64]byte)(h[44:108]) }

// File returns the boot file name, ended by a zero byte unless it fills the
// field, or options (overload): offset 108, 128 bytes (RFC 2131 section 2).
func (h *Header) File() *[128]byte { return (*[128]byte)(h[108:236]) }

// SetOp sets op: offset 0, 1 byte (RFC 951 section 3).
func (h *Header) SetOp(v byte) { h[0] = v }

// SetHops sets hops: offset 3, 1 byte (RFC 1542 section 4.1.1).
func (h *Header) SetHops(v byte) { h[3] = v }

// SetXID sets the transaction identifier: offset 4, 4 bytes (RFC 2131 section
// 2).
func (h *Header) SetXID(v uint32) { binary.BigEndian.PutUint32(h[4:8], v) }

// SetSecs sets secs, in seconds: offset 8, 2 bytes (RFC 2131 section 2).
func (h *Header) SetSecs(v uint16) { binary.BigEndian.PutUint16(h[8:10], v) }

// SetFlags sets the flags: offset 10, 2 bytes (RFC 2131 section 2).
func (h *Header) SetFlags(v uint16) { binary.BigEndian.PutUint16(h[10:12], v) }

// SetCIAddr sets the client's own address: offset 12, 4 bytes (RFC 2131
// section 2).
func (h *Header) SetCIAddr(a proto.Addr) { a.Put((*[4]byte)(h[12:16])) }

// SetYIAddr sets the address given to the client: offset 16, 4 bytes (RFC 2131
// section 2).
func (h *Header) SetYIAddr(a proto.Addr) { a.Put((*[4]byte)(h[16:20])) }

// SetSIAddr sets the address of the boot file's server: offset 20, 4 bytes
// (RFC 2131 section 2).
func (h *Header) SetSIAddr(a proto.Addr) { a.Put((*[4]byte)(h[20:24])) }

// SetGIAddr sets the relay's address: offset 24, 4 bytes (RFC 2131 section 2).
func (h *Header) SetGIAddr(a proto.Addr) { a.Put((*[4]byte)(h[24:28])) }

// HW is a client's hardware address: type (RFC 1700), length and bytes. It is
// comparable, and what leases are keyed by.
type HW struct {
	Type byte
	Len  byte
	Addr [16]byte // zero behind Len
}

// HW returns the client hardware address; ok is false if hlen exceeds 16, the
// size of the field. A length of zero is not an error here: a client may be
// known by its identifier alone (RFC 4390), and whoever needs an address to
// answer to must look at Len.
func (h *Header) HW() (hw HW, ok bool) {
	if h.HLen() > 16 {
		return hw, false
	}
	hw.Type, hw.Len = h.HType(), h.HLen()
	copy(hw.Addr[:hw.Len], h[28:44])
	return hw, true
}

// MAC returns the first six bytes: the link address of an Ethernet client.
func (w HW) MAC() proto.MAC { return proto.MAC(w.Addr[:6]) }
