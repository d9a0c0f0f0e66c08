package dissect

import (
	"bytes"
	"fmt"
	"strings"

	"bootstorm/engine/optiontext"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// dhcp is a message of DHCP or BOOTP (RFC 2131, RFC 951).
func (p *Packet) dhcp(w *Words, payload []byte) {
	p.Protocol, p.What = "DHCP", "malformed"
	h := dhcp.View(payload)
	if h == nil {
		p.Text = fmt.Sprintf("%d bytes, shorter than a DHCP message", len(payload))
		return
	}
	var options dhcp.Options
	sound := options.Parse(payload)
	kind, ok := options.MessageType()
	p.What = dhcp.BOOTP.String()
	if ok {
		p.What = kind.String()
	}
	p.Text = strings.Join(essence(w, h, &options), ", ")
	p.header(h, &options)
	if !sound {
		p.add("options", "none, or they run past the end of the message")
		return
	}
	for _, code := range optiontext.Order(payload) {
		if v, ok := options.Get(code); ok {
			for _, o := range w.decode(code, v) {
				p.Fields = append(p.Fields, Field{o.Code, o.Name, o.Value})
			}
		}
	}
}

// decode is an option in words.
func (w *Words) decode(code byte, v []byte) []optiontext.Option {
	list := w.names.Decode(code, v)
	switch {
	case code == dhcp.OptClientArch && len(v) == 2:
		list[0].Value = arch(v)
	case code == dhcp.OptClientUUID && len(v) == 17:
		list[0].Value = uuid(v)
	case code == dhcp.OptParameterList: // names, since numbers say nothing
		var asked []string
		for _, c := range v {
			asked = append(asked, fmt.Sprintf("%d %s", c, w.names.Decode(c, nil)[0].Name))
		}
		list[0].Value = strings.Join(asked, ", ")
	}
	return list
}

// essence is what an operator looks for first: who, which addresses, which file, and
// what the client says of itself.
func essence(w *Words, h *dhcp.Header, o *dhcp.Options) (parts []string) {
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	option := func(words string, code byte) {
		if v, ok := o.Get(code); ok {
			say(words, w.decode(code, v)[0].Value)
		}
	}
	say("xid %08x", h.XID())
	for _, a := range []struct {
		words string
		addr  proto.Addr
	}{{"gives %s", h.YIAddr()}, {"has %s", h.CIAddr()}, {"next server %s", h.SIAddr()}, {"relay %s", h.GIAddr()}} {
		if a.addr != 0 {
			say(a.words, a.addr)
		}
	}
	option("asks for %s", dhcp.OptRequestedAddr)
	option("server %s", dhcp.OptServerID)
	if file := text(h.File()[:]); file != "" && !overloaded(o, 1) {
		say("file %s", file)
	}
	option("file (67) %s", dhcp.OptBootfileName)
	option("boot server (66) %s", dhcp.OptTFTPServerName)
	option("%s blocks of 512 bytes (13)", dhcp.OptBootSize)
	option("arch %s", dhcp.OptClientArch)
	option("user class %s", dhcp.OptUserClass)
	option("vendor class %s", dhcp.OptVendorClass)
	option("client id %s", dhcp.OptClientID)
	option("UUID %s", dhcp.OptClientUUID)
	option("says %s", dhcp.OptMessage)
	if v, ok := o.Get(dhcp.OptEncapsulatedIPXE); ok {
		var subs []string
		for _, s := range w.names.Decode(dhcp.OptEncapsulatedIPXE, v)[1:] {
			name := strings.TrimPrefix(s.Name, "ipxe.")
			if name == "" {
				name = s.Code
			}
			subs = append(subs, name+" "+s.Value)
		}
		say("iPXE options: %s", strings.Join(subs, "; "))
	}
	return parts
}

// header writes the fixed fields (RFC 2131 section 2); those that are zero and mean
// nothing then are left out.
func (p *Packet) header(h *dhcp.Header, o *dhcp.Options) {
	op := map[byte]string{dhcp.BootRequest: "request", dhcp.BootReply: "reply"}[h.Op()]
	if op == "" {
		op = fmt.Sprint(h.Op())
	}
	p.add("op", op)
	p.add("xid", fmt.Sprintf("%08x", h.XID()))
	if hw, ok := h.HW(); ok {
		p.add("chaddr", fmt.Sprintf("%s (type %d)", optiontext.Hex(hw.Addr[:hw.Len]), hw.Type))
	} else {
		p.add("chaddr", fmt.Sprintf("a length of %d bytes, which no address has", h.HLen()))
	}
	p.add("secs", fmt.Sprint(h.Secs()))
	flags := fmt.Sprintf("%04x", h.Flags())
	if h.Flags()&dhcp.FlagBcast != 0 {
		flags += " (answer by broadcast)"
	}
	p.add("flags", flags)
	if h.Hops() != 0 {
		p.add("hops", fmt.Sprint(h.Hops()))
	}
	for _, a := range []struct {
		name string
		addr proto.Addr
	}{{"ciaddr", h.CIAddr()}, {"yiaddr", h.YIAddr()}, {"siaddr", h.SIAddr()}, {"giaddr", h.GIAddr()}} {
		if a.addr != 0 {
			p.add(a.name, a.addr.String())
		}
	}
	if s := text(h.SName()[:]); s != "" && !overloaded(o, 2) {
		p.add("sname", s)
	}
	if s := text(h.File()[:]); s != "" && !overloaded(o, 1) {
		p.add("file", s)
	}
}

// overloaded tells whether a field holds options (option 52, RFC 2132 section 9.3):
// 1 file, 2 sname.
func overloaded(o *dhcp.Options, field byte) bool {
	v, ok := o.Byte(dhcp.OptOverload)
	return ok && v&field != 0
}

// text is a field of the header up to its first zero; "" if there is nothing.
func text(field []byte) string {
	v, _, _ := bytes.Cut(field, []byte{0})
	if len(v) == 0 {
		return ""
	}
	return optiontext.Quote(v)
}

// arch is an architecture with its name.
func arch(v []byte) string {
	n := int(v[0])<<8 | int(v[1])
	if name := optiontext.Archs[n]; name != "" {
		return fmt.Sprintf("%d (%s)", n, name)
	}
	return fmt.Sprint(n)
}

// uuid writes option 97 as dmidecode does: behind the type, the first three parts
// are little endian (RFC 4578 section 2.3, SMBIOS).
func uuid(v []byte) string {
	b := v[1:]
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}
