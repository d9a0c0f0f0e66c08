package pcap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// identity is what pairs a DHCP answer with another one: RFC 2131 section 4.1
// binds answers to the transaction id, and clients also check chaddr.
type identity struct {
	xid    uint32
	length byte
	chaddr [16]byte
	typ    dhcp.Type
}

// message is a DHCP or BOOTP message as far as it was captured.
type message struct {
	identity
	hw      dhcp.HW
	op      byte
	secs    uint16
	yiaddr  proto.Addr
	fields  []Field // everything that is compared, in wire order
	options []tlv
}

// tlv is one option as it stands in the message.
type tlv struct {
	code byte
	at   int // offset of data in the message
	data []byte
}

// parseDHCP decodes a UDP payload; ok is false if it is shorter than the fixed
// header.
func parseDHCP(b []byte) (m message, ok bool) {
	h := dhcp.View(b)
	if h == nil {
		return m, false
	}
	m.op, m.secs, m.yiaddr = h.Op(), h.Secs(), h.YIAddr()
	m.xid, m.length, m.chaddr = h.XID(), h.HLen(), *h.CHAddr()
	m.hw, _ = h.HW()
	m.options = scanOptions(b)
	if v := m.get(dhcp.OptMessageType); len(v) == 1 {
		m.typ = dhcp.Type(v[0])
	}
	m.fields = append(headerFields(h), optionFields(m.options)...)
	return m, true
}

// headerFields renders the fixed header under the names of RFC 2131 figure 1.
// Of chaddr only hlen bytes count; what stands behind them is padding.
func headerFields(h *dhcp.Header) []Field {
	n := min(int(h.HLen()), 16)
	return []Field{
		{"op", strconv.Itoa(int(h.Op()))}, {"htype", strconv.Itoa(int(h.HType()))}, {"hlen", strconv.Itoa(int(h.HLen()))},
		{"hops", strconv.Itoa(int(h.Hops()))}, {"secs", strconv.Itoa(int(h.Secs()))}, {"flags", fmt.Sprintf("%04x", h.Flags())},
		{"ciaddr", h.CIAddr().String()}, {"yiaddr", h.YIAddr().String()}, {"siaddr", h.SIAddr().String()}, {"giaddr", h.GIAddr().String()},
		{"chaddr", hex.EncodeToString(h.CHAddr()[:n])}, {"sname", text(h.SName()[:])}, {"file", text(h.File()[:])},
	}
}

// scanOptions lists the options in the order of the message; overloaded fields
// are not searched (a server here never overloads).
func scanOptions(b []byte) (list []tlv) {
	if len(b) < dhcp.OptionsOff || binary.BigEndian.Uint32(b[dhcp.CookieOff:]) != dhcp.Cookie {
		return nil
	}
	// A damaged tail ends the list: what stands before it was sent, and is compared.
	for i := dhcp.OptionsOff; i < len(b) && b[i] != dhcp.OptEnd; {
		if b[i] == dhcp.OptPad {
			i++
			continue
		}
		if i+1 >= len(b) || i+2+int(b[i+1]) > len(b) {
			return list
		}
		n := 2 + int(b[i+1])
		list = append(list, tlv{b[i], i + 2, b[i+2 : i+n]})
		i += n
	}
	return list
}

// orderOfOptions is the field that lists the option codes in wire order.
const orderOfOptions = "order of options"

// optionFields renders the options, each under its number and name, and their
// order.
func optionFields(list []tlv) (f []Field) {
	var order []string
	for _, o := range list {
		f = append(f, Field{optionName(o.code), optionValue(o.code, o.data)})
		order = append(order, strconv.Itoa(int(o.code)))
	}
	return append(f, Field{orderOfOptions, strings.Join(order, ",")})
}

// get returns the first option of that code.
func (m *message) get(code byte) []byte {
	for _, o := range m.options {
		if o.code == code {
			return o.data
		}
	}
	return nil
}

// addr returns an option that holds one address, 0 if it is absent.
func (m *message) addr(code byte) proto.Addr {
	if v := m.get(code); len(v) == 4 {
		return proto.AddrFrom((*[4]byte)(v))
	}
	return 0
}

// field returns a field's value; ok is false if the message has none of that
// name.
func (m *message) field(name string) (value string, ok bool) {
	for _, f := range m.fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// mac is the link address of an Ethernet client.
func (m *message) mac() proto.MAC { return proto.MAC(m.chaddr[:6]) }

// ordinary are the header values of a common request, which need no mention.
var ordinary = map[string]string{"op": "1", "htype": "1", "hlen": "6", "hops": "0", "secs": "", "flags": "0000", "ciaddr": "0.0.0.0",
	"yiaddr": "0.0.0.0", "siaddr": "0.0.0.0", "giaddr": "0.0.0.0", "chaddr": "", "sname": `""`, "file": `""`}

// describe renders a client's message by its type and what is unusual or
// decides the answer, for the reader of a report.
func (m *message) describe() string {
	parts := []string{m.typ.String()}
	for _, f := range m.fields {
		if usual, header := ordinary[f.Name]; header && usual != "" && usual != f.Value {
			parts = append(parts, f.Name+"="+f.Value)
		}
	}
	for _, code := range []byte{dhcp.OptClientArch, dhcp.OptUserClass, dhcp.OptRequestedAddr, dhcp.OptServerID, dhcp.OptClientID} {
		for _, o := range m.options {
			if o.code == code {
				parts = append(parts, optionLabel(code)+"="+optionValue(code, o.data))
			}
		}
	}
	return strings.Join(parts, " ")
}

// text renders a zero-padded text field.
func text(b []byte) string {
	return strconv.Quote(strings.TrimRight(string(b), "\x00"))
}
