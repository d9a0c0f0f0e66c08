package migrate

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// render writes what was taken from dnsmasq as a dhcpd.conf.
func (m *dnsmasq) render() []byte {
	var b bytes.Buffer
	b.WriteString("# Taken over from dnsmasq by bootstorm migrate.\n\n")
	if m.authoritative {
		b.WriteString("authoritative;\n")
	}
	if m.knownOnly {
		b.WriteString("deny unknown-clients;\n")
	}
	if m.domain != "" {
		fmt.Fprintf(&b, "option domain-name %q;\n", m.domain)
	}
	var body bytes.Buffer // first: what it uses is to be defined above it
	for _, network := range m.networks() {
		m.subnet(&body, network)
	}
	for i := range m.hosts {
		m.hosts[i].render(&body)
	}
	m.definitions(&b)
	m.renderClasses(&b)
	b.Write(body.Bytes())
	return b.Bytes()
}

// definitions writes the options that have no standard name.
func (m *dnsmasq) definitions(b *bytes.Buffer) {
	if m.used["ipxe"] {
		b.WriteString("option space ipxe;\noption ipxe-encap-opts code 175 = encapsulate ipxe;\noption ipxe.no-pxedhcp code 176 = unsigned integer 8;\n")
	}
	var rest []string
	for text := range m.used {
		if text != "ipxe" {
			rest = append(rest, text)
		}
	}
	sort.Strings(rest)
	for _, text := range rest {
		b.WriteString(text + "\n")
	}
}

// className is the class of the clients that a range asks for.
func className(want []string) string { return "dnsmasq " + strings.Join(want, " ") }

// renderClasses writes a class for each set of tags that a range asks for.
func (m *dnsmasq) renderClasses(b *bytes.Buffer) {
	done := map[string]bool{}
	for _, r := range m.ranges {
		if name := className(r.want); len(r.want) > 0 && !done[name] {
			done[name] = true
			condition := m.tags.all(r.want, nil)
			if condition == "" || condition == always {
				condition = "known and not known" // a tag of another range: nobody
			}
			fmt.Fprintf(b, "class %q {\n    match if %s;\n}\n", name, whole(condition))
		}
	}
}

// networks are those of the ranges, in order.
func (m *dnsmasq) networks() (list []netip.Prefix) {
	for _, r := range m.ranges {
		if !slices.Contains(list, r.network) {
			list = append(list, r.network)
		}
	}
	return list
}

// subnet writes a network with its ranges, options and boot files.
func (m *dnsmasq) subnet(b *bytes.Buffer, network netip.Prefix) {
	fmt.Fprintf(b, "\nsubnet %s netmask %s {\n", network.Addr(), maskOf(network))
	var ranges []addressRange
	broadcast := ""
	for _, r := range m.ranges {
		if r.network == network {
			ranges = append(ranges, r)
			broadcast = max(broadcast, r.broadcast)
		}
	}
	// One range is the subnet's own; several differ in who may use them, for how
	// long, or in what is sent, and each is a pool.
	var here []string
	if len(ranges) == 1 && len(ranges[0].want) == 0 {
		here = ranges[0].set
		ranges[0].render(b, "    ")
	} else {
		for _, r := range ranges {
			m.pool(b, network, r)
		}
	}
	if broadcast == "" {
		broadcast = last(network).String()
	}
	fmt.Fprintf(b, "    option broadcast-address %s;\n", broadcast)
	m.choices(b, network, here, "    ")
	b.WriteString("}\n")
}

// pool writes one of several ranges.
func (m *dnsmasq) pool(b *bytes.Buffer, network netip.Prefix, r addressRange) {
	if !r.start.IsValid() {
		return // reserved addresses only
	}
	b.WriteString("    pool {\n")
	if len(r.want) > 0 {
		fmt.Fprintf(b, "        allow members of %q;\n", className(r.want))
	}
	r.render(b, "        ")
	if len(r.set) > 0 {
		m.choices(b, network, r.set, "        ")
	}
	b.WriteString("    }\n")
}

// render writes lease time and range.
func (r *addressRange) render(b *bytes.Buffer, indent string) {
	fmt.Fprintf(b, "%sdefault-lease-time %d;\n%smax-lease-time %d;\n", indent, r.seconds, indent, r.seconds)
	if r.start.IsValid() {
		fmt.Fprintf(b, "%srange %s %s;\n", indent, r.start, r.end)
	}
}

// choices writes the options and the boot files for clients of a range that sets
// the tags of here.
func (m *dnsmasq) choices(b *bytes.Buffer, network netip.Prefix, here []string, indent string) {
	self, known := m.self(network)
	m.byDefault(b, network, self, known, indent)
	var order []string
	for _, o := range m.options {
		if !slices.Contains(order, o.name) {
			order = append(order, o.name)
		}
	}
	for _, name := range order {
		// dnsmasq looks from the last line to the first, and at those without a
		// tag when none with a tag is true.
		var c chain
		for _, tagged := range []bool{true, false} {
			for i := len(m.options) - 1; i >= 0; i-- {
				if o := &m.options[i]; o.name == name && len(o.want) > 0 == tagged {
					c.add(m.tags.all(o.want, here), m.optionText(o, network, self, known))
				}
			}
		}
		c.write(b, indent)
	}
	m.bootChain(here, self, known).write(b, indent)
}

// bootChain is the choice of a boot file: by tags, then by the services for PXE,
// then the file for everybody.
func (m *dnsmasq) bootChain(here []string, self netip.Addr, known bool) *chain {
	var c chain
	fromLast := func(tagged bool) {
		for i := len(m.boots) - 1; i >= 0; i-- {
			if f := &m.boots[i]; f.condition == "" && len(f.want) > 0 == tagged {
				c.add(m.tags.all(f.want, here), f.text(self, known))
			}
		}
	}
	fromLast(true)
	for i := range m.boots { // of services the first counts
		f := &m.boots[i]
		condition := m.tags.all(f.want, here)
		switch {
		case f.condition == "" || condition == "":
			continue
		case condition == always:
			condition = f.condition
		default:
			condition = "(" + condition + ") and (" + f.condition + ")"
		}
		c.add(condition, f.text(self, known))
	}
	fromLast(false)
	return &c
}

// byDefault writes what dnsmasq sends without being told: itself as router and
// as name server.
func (m *dnsmasq) byDefault(b *bytes.Buffer, network netip.Prefix, self netip.Addr, known bool, indent string) {
	for _, o := range []struct {
		code int
		name string
		on   bool
	}{{optRouter, "routers", true}, {optDNS, "domain-name-servers", m.h.DNS}} {
		told := slices.ContainsFunc(m.options, func(c optionChoice) bool { return c.code == o.code && len(c.want) == 0 })
		switch {
		case told || !o.on:
		case known:
			fmt.Fprintf(b, "%soption %s %s;\n", indent, o.name, self)
		default:
			m.h.note(dnsmasqConf, 0, "", Lost, "dnsmasq sends its own address as option %s in %s, and which that is is not known: name it with --address ADDRESS/PREFIX", o.name, network)
		}
	}
}

// optionText is the statement of an option; "" where there is nothing to send.
func (m *dnsmasq) optionText(o *optionChoice, network netip.Prefix, self netip.Addr, known bool) string {
	switch {
	case o.self && known:
		return fmt.Sprintf("option %s %s;", o.name, self)
	case o.self:
		m.h.note(dnsmasqConf, 0, "", Lost, "option %s is to be this host's own address in %s, and which that is is not known: name it with --address ADDRESS/PREFIX", o.name, network)
		return ""
	case o.value == "":
		return ""
	}
	return fmt.Sprintf("option %s %s;", o.name, o.value)
}

// text are the statements of a boot file.
func (f *bootChoice) text(self netip.Addr, known bool) string {
	text := fmt.Sprintf("filename %q;", f.file)
	if f.server != "" {
		text += fmt.Sprintf(" server-name %q;", f.server)
	}
	switch {
	case f.nextIP != "":
		text += fmt.Sprintf(" next-server %s;", f.nextIP)
	case known:
		text += fmt.Sprintf(" next-server %s;", self)
	}
	return text
}

// chain is a choice by conditions, of which the first that is true counts.
type chain struct {
	tagged   []link
	untagged string
	settled  bool // there is one for all others: what comes after it never counts
}

// whole puts a condition into parentheses where its first parenthesis would end
// it too early.
func whole(condition string) string {
	if strings.HasPrefix(condition, "(") {
		return "(" + condition + ")"
	}
	return condition
}

// link is one branch.
type link struct{ condition, text string }

// add adds a branch, those with tags first; of those that count when no other
// does, it is the first that is added.
func (c *chain) add(condition string, text string) {
	switch {
	case condition == "" || c.settled:
	case condition == always:
		c.settled, c.untagged = true, text
	default:
		c.tagged = append(c.tagged, link{condition, text})
	}
}

func (c *chain) write(b *bytes.Buffer, indent string) {
	if len(c.tagged) == 0 {
		if c.untagged != "" {
			fmt.Fprintf(b, "%s%s\n", indent, c.untagged)
		}
		return
	}
	word := "if"
	for _, l := range c.tagged {
		text := l.text
		if text == "" {
			text = "# not sent"
		}
		fmt.Fprintf(b, "%s%s %s {\n%s    %s\n%s}\n", indent, word, whole(l.condition), indent, text, indent)
		word = "elsif"
	}
	if c.untagged != "" {
		fmt.Fprintf(b, "%selse {\n%s    %s\n%s}\n", indent, indent, c.untagged, indent)
	}
}

// render writes a host declaration.
func (r *reservation) render(b *bytes.Buffer) {
	fmt.Fprintf(b, "\nhost %s {\n", r.name)
	for _, mac := range r.macs {
		fmt.Fprintf(b, "    hardware ethernet %s;\n", mac)
	}
	if r.address.IsValid() {
		fmt.Fprintf(b, "    fixed-address %s;\n", r.address)
	}
	if !strings.HasPrefix(r.name, "node-") {
		fmt.Fprintf(b, "    option host-name %q;\n", r.name)
	}
	if r.seconds != 0 {
		fmt.Fprintf(b, "    default-lease-time %d;\n    max-lease-time %d;\n", r.seconds, r.seconds)
	}
	if r.ignore {
		b.WriteString("    deny booting;\n")
	}
	b.WriteString("}\n")
}

// maskOf is the netmask of a network.
func maskOf(p netip.Prefix) netip.Addr {
	all := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return netip.PrefixFrom(all, p.Bits()).Masked().Addr()
}

// last is the broadcast address of a network.
func last(p netip.Prefix) netip.Addr {
	a, mask := p.Masked().Addr().As4(), maskOf(p).As4()
	for i := range a {
		a[i] |= ^mask[i]
	}
	return netip.AddrFrom4(a)
}
