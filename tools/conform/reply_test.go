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

	"bootstorm/pcap"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// reply is what a server sent: fields and options under their names, in the
// order in which they are compared.
type reply struct {
	kind   dhcp.Type
	yiaddr proto.Addr
	fields []pcap.Field
}

// decode reads a frame as gopacket does; ok is false if it is no BOOTP reply.
func decode(frame []byte) (r reply, xid uint32, ok bool) {
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy)
	ether, _ := p.LinkLayer().(*layers.Ethernet)
	ip, _ := p.NetworkLayer().(*layers.IPv4)
	udp, _ := p.TransportLayer().(*layers.UDP)
	if ether == nil || ip == nil || udp == nil || udp.SrcPort != 67 || dhcp.View(udp.Payload) == nil {
		return r, 0, false
	}
	h := dhcp.View(udp.Payload)
	r.yiaddr = h.YIAddr()
	options, order := readOptions(udp.Payload)
	if v := options[dhcp.OptMessageType]; len(v) == 1 {
		r.kind = dhcp.Type(v[0])
	}
	r.fields = []pcap.Field{
		{Name: "ethernet destination", Value: ether.DstMAC.String()},
		{Name: "from", Value: fmt.Sprintf("%s:%d", ip.SrcIP, udp.SrcPort)}, {Name: "to", Value: fmt.Sprintf("%s:%d", ip.DstIP, udp.DstPort)},
		{Name: "op", Value: strconv.Itoa(int(h.Op()))}, {Name: "htype", Value: strconv.Itoa(int(h.HType()))},
		{Name: "hlen", Value: strconv.Itoa(int(h.HLen()))}, {Name: "hops", Value: strconv.Itoa(int(h.Hops()))},
		{Name: "secs", Value: strconv.Itoa(int(h.Secs()))}, {Name: "flags", Value: fmt.Sprintf("%04x", h.Flags())},
		{Name: "ciaddr", Value: h.CIAddr().String()}, {Name: "yiaddr", Value: h.YIAddr().String()},
		{Name: "siaddr", Value: h.SIAddr().String()}, {Name: "giaddr", Value: h.GIAddr().String()},
		{Name: "chaddr", Value: hex.EncodeToString(h.CHAddr()[:])},
	}
	overload := byte(0)
	if v := options[dhcp.OptOverload]; len(v) == 1 {
		overload = v[0]
	}
	if overload&2 == 0 {
		r.fields = append(r.fields, pcap.Field{Name: "sname", Value: field(h.SName()[:])})
	}
	if overload&1 == 0 {
		r.fields = append(r.fields, pcap.Field{Name: "file", Value: field(h.File()[:])})
	}
	var codes []string
	for _, code := range order {
		codes = append(codes, strconv.Itoa(int(code)))
		r.fields = append(r.fields, pcap.Field{Name: "option " + strconv.Itoa(int(code)), Value: value(code, options[code])})
	}
	r.fields = append(r.fields, pcap.Field{Name: wireOrder, Value: strings.Join(codes, ",")},
		pcap.Field{Name: length, Value: strconv.Itoa(len(udp.Payload))})
	return r, h.XID(), true
}

// The fields that tell of a whole message. An option that one server alone sends
// is a difference by itself: it is left out of the order, and the length is then
// not compared.
const (
	wireOrder = "order of options"
	length    = "length"
)

// field renders a text field up to its first zero; bytes behind it are shown too.
func field(b []byte) string { return strconv.Quote(strings.TrimRight(string(b), "\x00")) }

// value renders times as numbers, short texts as texts, all else as bytes.
func value(code byte, v []byte) string {
	switch {
	case slices.Contains(times, code) && len(v) == 4:
		return strconv.FormatUint(uint64(binary.BigEndian.Uint32(v)), 10)
	case len(v) > 2 && !slices.ContainsFunc(v, func(c byte) bool { return c < ' ' || c > '~' }):
		return strconv.Quote(string(v))
	}
	return "0x" + hex.EncodeToString(v)
}

// times are the options that count seconds down: the servers answer one after
// the other.
var times = []byte{dhcp.OptLeaseTime, dhcp.OptRenewalTime, dhcp.OptRebindingTime}

// readOptions reads the options of the message, then of file and sname where
// they are overloaded (RFC 2131 section 4.1); parts of one option are joined
// (RFC 3396).
func readOptions(b []byte) (options map[byte][]byte, order []byte) {
	options = map[byte][]byte{}
	if len(b) < dhcp.OptionsOff || binary.BigEndian.Uint32(b[dhcp.CookieOff:]) != dhcp.Cookie {
		return options, nil
	}
	read := func(b []byte) {
		for i := 0; i < len(b) && b[i] != dhcp.OptEnd; {
			if b[i] == dhcp.OptPad {
				i++
				continue
			}
			if i+1 >= len(b) || i+2+int(b[i+1]) > len(b) {
				order = append(order, 255) // damaged
				return
			}
			n := i + 2 + int(b[i+1])
			if _, ok := options[b[i]]; !ok {
				order = append(order, b[i])
			}
			options[b[i]] = append(options[b[i]], b[i+2:n]...)
			i = n
		}
	}
	read(b[dhcp.OptionsOff:])
	h := dhcp.View(b)
	if v := options[dhcp.OptOverload]; len(v) == 1 {
		if v[0]&1 != 0 {
			read(h.File()[:])
		}
		if v[0]&2 != 0 {
			read(h.SName()[:])
		}
	}
	return options, order
}

// compare lists in what our answers to a message differ from dhcpd's.
func compare(name string, m *message, theirs, ours []reply) (list []pcap.Difference) {
	differ := func(kind dhcp.Type, field, o, t string) {
		list = append(list, pcap.Difference{Capture: name, Client: macOf(m.client).String(), Message: called(kind), Request: m.line, Field: field, Ours: o, Theirs: t})
	}
	for i := range max(len(theirs), len(ours)) {
		switch {
		case i >= len(ours):
			differ(theirs[i].kind, "missing", pcap.Absent, "yiaddr "+theirs[i].yiaddr.String())
			continue
		case i >= len(theirs):
			differ(ours[i].kind, "extra", "yiaddr "+ours[i].yiaddr.String(), pcap.Absent)
			continue
		case ours[i].kind != theirs[i].kind:
			differ(theirs[i].kind, "kind", called(ours[i].kind), called(theirs[i].kind))
			continue
		}
		o, t := fieldsOf(ours[i]), fieldsOf(theirs[i])
		if a, b := common(o, t), common(t, o); a != o[wireOrder] || b != t[wireOrder] {
			o[wireOrder], t[wireOrder], o[length], t[length] = a, b, "", ""
		}
		for _, f := range theirs[i].fields {
			if v, ok := o[f.Name]; !ok {
				differ(ours[i].kind, f.Name, pcap.Absent, f.Value)
			} else if v != t[f.Name] && !near(f.Name, v, f.Value) {
				differ(ours[i].kind, f.Name, v, t[f.Name])
			}
		}
		for _, f := range ours[i].fields {
			if _, ok := t[f.Name]; !ok {
				differ(ours[i].kind, f.Name, f.Value, pcap.Absent)
			}
		}
	}
	return list
}

// common is the order of those of a's options that b has too.
func common(a, b map[string]string) string {
	codes := strings.Split(a[wireOrder], ",")
	return strings.Join(slices.DeleteFunc(codes, func(c string) bool { _, ok := b["option "+c]; return !ok }), ",")
}

func called(t dhcp.Type) string {
	if t == dhcp.BOOTP {
		return "BOOTREPLY"
	}
	return t.String()
}

func fieldsOf(r reply) map[string]string {
	m := map[string]string{}
	for _, f := range r.fields {
		m[f.Name] = f.Value
	}
	return m
}

// near tells whether two times differ by no more than the servers' answers lie
// apart on a busy machine.
func near(name, a, b string) bool {
	if !slices.ContainsFunc(times, func(code byte) bool { return name == "option "+strconv.Itoa(int(code)) }) {
		return false
	}
	x, e1 := strconv.Atoi(a)
	y, e2 := strconv.Atoi(b)
	return e1 == nil && e2 == nil && max(x-y, y-x) <= 5
}
