package conform

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// A conversation is text, one message a line:
//
//	discover 1 bcast 60="PXEClient" 93=0,7 55=1,3,6
//
// The first word is the kind, the second the client's number. dora stands for
// discover and the request that follows. Then, in any order:
//
//	bcast               the broadcast flag
//	unicast             to the server's address, as a renewal is
//	ciaddr=ADDR         an address, or given: the one that the server gave
//	giaddr=ADDR         the message comes through that relay
//	want=ADDR           option 50; server=ADDR  option 54
//	secs=N hops=N htype=N hlen=N file="TEXT" sname="TEXT"
//	N="TEXT" N=0xHEX N=1,2,3 N=1.2.3.4   option N
//	none                no option list at all (plain BOOTP)
//	edk2 ipxe linux …   the options of a real client, see clients
type message struct {
	line   string
	kind   dhcp.Type
	client byte
	words  []string
}

// kinds are the first words.
var kinds = map[string]dhcp.Type{"bootp": dhcp.BOOTP, "discover": dhcp.Discover, "request": dhcp.Request, "decline": dhcp.Decline,
	"release": dhcp.Release, "inform": dhcp.Inform}

// clients are the options that clients send in each message.
var clients = map[string]string{
	"edk2": `bcast 57=0xff00 55=1,2,3,4,5,6,12,13,15,17,18,22,23,28,40,41,42,43,50,51,54,58,59,60,66,67,97,128,129,130,131,132,133,134,135 ` +
		`97=0x0000112233445566778899aabbccddeeff 94=1,3,0 93=0,7 60="PXEClient:Arch:00007:UNDI:003000"`,
	"ipxe": `57=0x05c0 93=0,7 94=1,3,10 60="PXEClient:Arch:00007:UNDI:003010" 77="iPXE" ` +
		`55=1,3,6,7,12,15,17,26,43,60,66,67,119,128,129,130,131,132,133,134,135,175,203 175=0xb105011af41000 97=0x0000112233445566778899aabbccddeeff`,
	"rom": `bcast 55=1,2,3,4,5,6,12,13,15,17,18,22,23,28,40,41,42,43,50,51,54,58,59,60,66,67,128,129,130,131,132,133,134,135 57=0x04ec ` +
		`97=0x0000112233445566778899aabbccddeeff 93=0,0 94=1,2,1 60="PXEClient:Arch:00000:UNDI:002001"`,
	"uboot": `57=0x0240 60="U-Boot.armv8" 93=0,22 94=1,0,0 55=1,3,6,12,17`,
	"linux": `55=1,28,2,3,15,6,119,12,44,47,26,121,42 57=0x05c0`,
	"http":  `bcast 57=0xff00 55=1,3,6,15,28,43,54,60,66,67 97=0x0000112233445566778899aabbccddeeff 94=1,3,0 93=0,16 60="HTTPClient:Arch:00016:UNDI:003000"`,
	"win":   `bcast 55=1,15,3,6,44,46,47,31,33,121,249,43 60="MSFT 5.0" 12="pc"`,
}

var relayMAC = proto.MAC{0x02, 0, 0, 0, 0xee, 0xee}

func macOf(client byte) proto.MAC { return proto.MAC{0x02, 0, 0, 0, 0x0c, client} }

// parseMessages reads a conversation.
func parseMessages(text string) (list []message, err error) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		words := split(line)
		if len(words) == 0 {
			continue
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("%q: a kind and a client's number are needed", line)
		}
		client, err := strconv.ParseUint(words[1], 10, 8)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		rest := []string{}
		for _, w := range words[2:] {
			if options, ok := clients[w]; ok {
				rest = append(rest, split(options)...)
			} else {
				rest = append(rest, w)
			}
		}
		line = strings.Join(words, " ")
		if words[0] == "dora" {
			list = append(list, message{"discover " + strings.TrimPrefix(line, "dora "), dhcp.Discover, byte(client), rest},
				message{"request " + strings.TrimPrefix(line, "dora ") + " (selecting)", dhcp.Request, byte(client), append([]string{"want=given", "server=192.168.1.1"}, rest...)})
			continue
		}
		kind, ok := kinds[words[0]]
		if !ok {
			return nil, fmt.Errorf("%q: no such kind", line)
		}
		list = append(list, message{line, kind, byte(client), rest})
	}
	return list, nil
}

// needsGiven tells whether the message is about an address that was given.
func (m *message) needsGiven() bool {
	return slices.ContainsFunc(m.words, func(w string) bool { return strings.HasSuffix(w, "=given") })
}

// split cuts a line at spaces outside quotes.
func split(line string) (words []string) {
	quoted := false
	return strings.FieldsFunc(line, func(r rune) bool {
		quoted = quoted != (r == '"')
		return r == ' ' && !quoted
	})
}

// frame builds the message for a server, with what that server gave before.
func (m *message) frame(v *server, xid uint32) (frame []byte, err error) {
	b := make([]byte, dhcp.OptionsOff, 600)
	h := dhcp.View(b)
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6
	h.SetXID(xid)
	mac := macOf(m.client)
	copy(h.CHAddr()[:], mac[:])
	binary.BigEndian.PutUint32(b[dhcp.CookieOff:], dhcp.Cookie)
	if m.kind != dhcp.BOOTP {
		b = append(b, dhcp.OptMessageType, 1, byte(m.kind))
	}
	p := &packet{message: m, server: v, body: b}
	for _, w := range m.words {
		if err := p.word(w); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.line, w, err)
		}
	}
	return p.finish()
}

// packet is a message that is being built.
type packet struct {
	*message
	server  *server
	body    []byte
	unicast bool
	bare    bool
}

func (p *packet) word(w string) error {
	h := dhcp.View(p.body)
	name, value, _ := strings.Cut(w, "=")
	switch name {
	case "bcast":
		h.SetFlags(dhcp.FlagBcast)
		return nil
	case "unicast":
		p.unicast = true
		return nil
	case "none":
		p.bare = true
		return nil
	case "file", "sname":
		text := strings.Trim(value, `"`)
		if name == "file" {
			copy(h.File()[:], text)
		} else {
			copy(h.SName()[:], text)
		}
		return nil
	case "secs", "hops", "htype", "hlen":
		n, err := strconv.ParseUint(value, 10, 16)
		switch name {
		case "secs":
			h.SetSecs(uint16(n))
		case "hops":
			h.SetHops(byte(n))
		case "htype":
			h[1] = byte(n)
		case "hlen":
			h[2] = byte(n)
		}
		return err
	case "ciaddr", "giaddr", "want", "server":
		a, err := p.address(value)
		b := a.Bytes()
		switch name {
		case "ciaddr":
			h.SetCIAddr(a)
		case "giaddr":
			h.SetGIAddr(a)
		case "want":
			p.option(dhcp.OptRequestedAddr, b[:])
		case "server":
			p.option(dhcp.OptServerID, b[:])
		}
		return err
	}
	code, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return err
	}
	data, err := parseValue(value)
	p.option(byte(code), data)
	return err
}

func (p *packet) option(code byte, data []byte) {
	for len(data) > 255 { // RFC 3396
		p.body = append(append(p.body, code, 255), data[:255]...)
		data = data[255:]
	}
	p.body = append(append(p.body, code, byte(len(data))), data...)
}

// address reads an address, or the word given.
func (p *packet) address(s string) (proto.Addr, error) {
	if s == "given" {
		return p.server.given[p.client], nil
	}
	return parseAddr(s)
}

func parseAddr(s string) (proto.Addr, error) {
	var a, b, c, d byte
	if n, err := fmt.Sscanf(s, "%d.%d.%d.%d", &a, &b, &c, &d); n != 4 {
		return 0, fmt.Errorf("%q is no address: %w", s, err)
	}
	return proto.AddrOf(a, b, c, d), nil
}

// parseValue reads an option's value.
func parseValue(s string) (b []byte, err error) {
	switch {
	case s == "":
		return nil, nil
	case s[0] == '"':
		return []byte(strings.Trim(s, `"`)), nil
	case strings.HasPrefix(s, "0x"):
		return hex.DecodeString(s[2:])
	}
	for n := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '.' }) {
		v, err := strconv.ParseUint(n, 10, 8)
		if err != nil {
			return nil, err
		}
		b = append(b, byte(v))
	}
	return b, nil
}

// finish wraps the message as client, relay or renewing client send it, and
// notes who has which address, so that ARP for it is answered.
func (p *packet) finish() ([]byte, error) {
	if p.bare {
		p.body = p.body[:dhcp.HeaderLen]
		p.body = append(p.body, make([]byte, 64)...)
	} else {
		p.body = append(p.body, dhcp.OptEnd)
	}
	for len(p.body) < dhcp.MinLen {
		p.body = append(p.body, 0)
	}
	h := dhcp.View(p.body)
	mac, to, src, dst, port := macOf(p.client), proto.Broadcast, h.CIAddr(), proto.AddrOf(255, 255, 255, 255), layers.UDPPort(68)
	if p.unicast {
		to, dst = node0MAC, node0
		if h.CIAddr()>>24 == 10 { // through the router of its network
			mac = relayMAC
		}
	}
	if relay := h.GIAddr(); relay != 0 {
		p.server.owners[relay] = relayMAC
		mac, to, src, dst, port = relayMAC, node0MAC, relay, node0, 67
	}
	if a := h.CIAddr(); a != 0 {
		p.server.owners[a] = macOf(p.client)
	}
	s, d := src.Bytes(), dst.Bytes()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: s[:], DstIP: d[:]}
	udp := &layers.UDP{SrcPort: port, DstPort: 67}
	udp.SetNetworkLayerForChecksum(ip)
	buffer := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: mac[:], DstMAC: to[:], EthernetType: layers.EthernetTypeIPv4}, ip, udp, gopacket.Payload(p.body))
	return buffer.Bytes(), err
}
