package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// node is the machine that explain asks for.
type node struct {
	mac               proto.MAC
	arch              int // option 93, -1: not a network boot client
	userClass, vendor string
	uuid              []byte // 16 bytes, nil if not given
	relay             proto.Addr
}

// Parameter request lists (option 55): what each kind of client asks for, from
// its source. A reply holds what is asked for, so explain must ask alike.
var (
	askFirmware = []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
		128, 129, 130, 131, 132, 133, 134, 135}
	askIPXE   = []byte{1, 3, 6, 12, 15, 17, 26, 42, 43, 60, 66, 67, 119, 121, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203}
	askSystem = []byte{1, 28, 2, 3, 15, 6, 119, 12, 42, 26, 51, 58, 59}
)

// maxMessage is option 57 of firmware and iPXE, in bytes.
const maxMessage = 1472

// discover builds the DISCOVER that the node would send, as a whole frame.
func (n *node) discover() []byte {
	// What is left out here, such as the UUID of a node that is not known, no
	// line of the configuration can see.
	var buf [1024]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6 // Ethernet, six bytes
	h.SetXID(0x626f6f74)
	h.SetGIAddr(n.relay)
	copy(h.CHAddr()[:], n.mac[:])
	w.Option(dhcp.OptMessageType, []byte{byte(dhcp.Discover)})
	w.Option(dhcp.OptParameterList, n.asks())
	if n.arch >= 0 {
		if !n.ipxe() {
			h.SetFlags(dhcp.FlagBcast) // edk2 always does, iPXE never
		}
		w.Option(dhcp.OptMaxMessageSize, binary.BigEndian.AppendUint16(nil, maxMessage))
		w.Option(dhcp.OptClientArch, binary.BigEndian.AppendUint16(nil, uint16(n.arch)))
		w.Option(dhcp.OptClientNDI, []byte{1, 3, 16})
	}
	if v := n.vendorClass(); v != "" {
		w.Option(dhcp.OptVendorClass, []byte(v))
	}
	if n.userClass != "" {
		w.Option(dhcp.OptUserClass, []byte(n.userClass))
	}
	if n.uuid != nil {
		w.Option(dhcp.OptClientUUID, append([]byte{0}, n.uuid...))
	}
	return n.frame(buf[:w.End()])
}

// frame puts the message into a broadcast frame, as from the node itself or from
// its relay.
func (n *node) frame(payload []byte) []byte {
	from := uint16(proto.PortBOOTPClient)
	if n.relay != 0 {
		from = proto.PortBOOTPServer
	}
	out := append(make([]byte, proto.HeadersLen), payload...)
	head := (*[proto.HeadersLen]byte)(out)
	proto.PutHeaders(head, n.mac, proto.Broadcast, n.relay, proto.Limited, from, proto.PortBOOTPServer, 0, len(payload))
	proto.FinishUDP(head, payload, nil)
	return out
}

// ipxe tells whether the node is past its firmware and runs iPXE, which sends
// its name as raw text and without a length byte.
func (n *node) ipxe() bool { return n.userClass == "iPXE" }

// asks returns the parameter request list of the node's software.
func (n *node) asks() []byte {
	switch {
	case n.ipxe():
		return askIPXE
	case n.arch >= 0:
		return askFirmware
	}
	return askSystem
}

// vendorClass is option 60: what was given, else what firmware of that
// architecture sends.
func (n *node) vendorClass() string {
	switch {
	case n.vendor != "" || n.arch < 0:
		return n.vendor
	case n.ipxe():
		return fmt.Sprintf("PXEClient:Arch:%05d:UNDI:003010", n.arch)
	case n.arch >= 0x0f && n.arch <= 0x13: // RFC 5970 and the IANA list: HTTP boot
		return fmt.Sprintf("HTTPClient:Arch:%05d:UNDI:003001", n.arch)
	}
	return fmt.Sprintf("PXEClient:Arch:%05d:UNDI:003001", n.arch)
}

// parseMAC reads the usual forms of a hardware address.
func parseMAC(s string) (m proto.MAC, err error) {
	raw, err := hex.DecodeString(strings.NewReplacer(":", "", "-", "", ".", "").Replace(s))
	if err != nil || len(raw) != len(m) {
		return m, fmt.Errorf("--mac %q is no Ethernet address: six bytes are needed, like 52:54:00:12:34:01", s)
	}
	return proto.MAC(raw), nil
}

// parseArch reads an architecture: decimal, hexadecimal (0x07) or as dhcpd.conf
// compares it (00:07).
func parseArch(s string) (int, error) {
	if s == "" {
		return -1, nil
	}
	base := 0 // by prefix: 0x07, 7
	text := s
	if strings.Contains(s, ":") {
		base, text = 16, strings.ReplaceAll(s, ":", "")
	}
	n, err := strconv.ParseUint(text, base, 16)
	if err != nil {
		return 0, fmt.Errorf("--arch %q is no architecture: give option 93 as a number, such as 7 for 64 bit UEFI, 6 for 32 bit UEFI, 0 for BIOS", s)
	}
	return int(n), nil
}

// parseUUID reads a UUID as dmidecode prints it. On the wire the first three
// parts are little endian (RFC 4578 section 2.3, SMBIOS), as firmware sends it.
func parseUUID(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("--uuid %q is no UUID: 32 hexadecimal digits are needed, like 4c4c4544-0042-3510-8052-b4c04f303233", s)
	}
	for _, part := range [][2]int{{0, 4}, {4, 6}, {6, 8}} {
		for i, j := part[0], part[1]-1; i < j; i, j = i+1, j-1 {
			raw[i], raw[j] = raw[j], raw[i]
		}
	}
	return raw, nil
}

// parseRelay reads the address of a relay.
func parseRelay(s string) (proto.Addr, error) {
	if s == "" {
		return 0, nil
	}
	parts := strings.Split(s, ".")
	var b [4]byte
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(parts) != len(b) {
			return 0, fmt.Errorf("--giaddr %q is no IPv4 address", s)
		}
		b[i] = byte(n)
	}
	return proto.AddrFrom(&b), nil
}
