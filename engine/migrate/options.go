package migrate

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"bootstorm/engine/config"
)

// Codes of options (RFC 2132, RFC 4578) that are treated by themselves.
const (
	optMask   = 1
	optRouter = 3
	optDNS    = 6
	optDomain = 15
	optVendor = 43
	optArch   = 93
	optIPXE   = 175
)

// standard are the options that need no definition.
var standard = config.ParseText("", nil, config.Options{}).Universe.Space(config.SpaceDHCP)

// definition is the standard definition of a code, nil if there is none.
func definition(code int) *config.OptionDef { return standard.ByCode(uint32(code)) }

// oneByte tells whether an option is a number of one byte.
func oneByte(code int) bool {
	f := definition(code).Format
	return len(f.Fields) == 1 && (f.Fields[0].Kind == config.FieldUint8 || f.Fields[0].Kind == config.FieldInt8)
}

// optionName is how the configuration calls an option; one that has no standard
// name gets a definition.
func (m *dnsmasq) optionName(code int) string {
	if code == optIPXE {
		m.used["ipxe"] = true
		return "ipxe-encap-opts"
	}
	if def := definition(code); def != nil {
		return def.Name
	}
	name := fmt.Sprintf("dnsmasq-%d", code)
	m.used[fmt.Sprintf("option %s code %d = string;", name, code)] = true
	return name
}

// names are dnsmasq's names of options that dhcpd calls otherwise
// ("dnsmasq --help dhcp").
var names = map[string]int{
	"netmask": 1, "time-offset": 2, "router": 3, "dns-server": 6, "log-server": 7, "lpr-server": 9, "hostname": 12, "boot-file-size": 13,
	"domain-name": 15, "swap-server": 16, "root-path": 17, "extension-path": 18, "ip-forward-enable": 19, "mtu": 26, "broadcast": 28,
	"router-solicitation": 32, "static-route": 33, "nis-domain": 40, "nis-server": 41, "ntp-server": 42, "vendor-encap": 43,
	"netbios-ns": 44, "netbios-dd": 45, "netbios-nodetype": 46, "netbios-scope": 47, "lease-time": 51, "T1": 58, "T2": 59,
	"vendor-class": 60, "tftp-server": 66, "bootfile-name": 67, "user-class": 77, "client-arch": 93, "client-interface-id": 94,
	"client-machine-id": 97, "tftp-server-address": 150, "server-ip-address": 150, "domain-search": 119, "sip-server": 120,
	"classless-static-route": 121, "ipxe": 175,
}

// optionCode reads "3", "option:router" or "router".
func optionCode(f string) (int, bool) {
	f = strings.TrimPrefix(f, "option:")
	if n, err := strconv.ParseUint(f, 10, 8); err == nil && n > 0 && n < 255 {
		return int(n), true
	}
	n, ok := names[f]
	return n, ok
}

// optionChoice is a value of an option and the tags that lead to it.
type optionChoice struct {
	want  []string
	name  string // of the option
	code  int    // 0 for a sub-option
	value string // "" : the option is not sent
	self  bool   // the value is this host's address
}

// takeOption reads [encap:N,]OPTION[,VALUE]...
func (m *dnsmasq) takeOption(d directive) {
	want, _, rest := cutTags(fields(d.value))
	if tag := m.tags.unknown(want); tag != "" {
		m.lost(d, "nothing that can be taken over sets the tag %s", tag)
		return
	}
	if strings.HasPrefix(first(rest), "encap:") {
		m.takeEncapsulated(d, want, rest)
		return
	}
	if strings.HasPrefix(first(rest), "vendor:") || strings.HasPrefix(first(rest), "vi-encap:") || strings.HasPrefix(first(rest), "option6:") {
		m.lost(d, "options inside a vendor's option are not converted: write them with an option space (dhcpd.conf(5)); what it concerns is seldom needed, nodes boot what they are given")
		return
	}
	code, ok := optionCode(first(rest))
	if !ok {
		m.lost(d, "the option %q is not known", first(rest))
		return
	}
	c := optionChoice{want: want, code: code}
	values := rest[1:]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		c.name = m.optionName(code)
		m.options = append(m.options, c)
		m.taken(d, "option %s is not sent", c.name)
		return
	}
	c.self = len(values) == 1 && values[0] == "0.0.0.0"
	var why string
	if c.value, why = m.optionValue(code, values); why != "" {
		m.lost(d, "%s", why)
		return
	}
	c.name = m.optionName(code)
	m.options = append(m.options, c)
	m.taken(d, "option %s%s", c.name, under(want))
}

// takeEncapsulated reads encap:175,N,VALUE: the options of iPXE.
func (m *dnsmasq) takeEncapsulated(d directive, want, rest []string) {
	if rest[0] != "encap:175" || len(rest) < 3 {
		m.lost(d, "options inside option %s are not converted: write them with an option space (dhcpd.conf(5))", strings.TrimPrefix(rest[0], "encap:"))
		return
	}
	n, err := strconv.ParseUint(rest[1], 10, 8)
	value := strings.ToLower(strings.TrimSuffix(rest[2], "b"))
	if err != nil || !byteForm.MatchString(value) {
		m.lost(d, "only numbers of one byte are converted: define the option in the space ipxe (dhcpd.conf(5))")
		return
	}
	m.used["ipxe"] = true
	name := fmt.Sprintf("ipxe.option-%d", n)
	if n == 176 {
		name = "ipxe.no-pxedhcp"
	} else {
		m.used[fmt.Sprintf("option %s code %d = unsigned integer 8;", name, n)] = true
	}
	m.options = append(m.options, optionChoice{want: want, name: name, value: value})
	m.taken(d, "option %s %s;", name, value)
}

var byteForm = regexp.MustCompile(`^[0-9]{1,3}$`)

// optionValue writes the values as the option's format wants them.
func (m *dnsmasq) optionValue(code int, values []string) (text, why string) {
	if len(values) == 1 && hexBytes.MatchString(values[0]) {
		if def := definition(code); def == nil || def.Format.Fields[0].Kind == config.FieldString {
			return values[0], ""
		}
	}
	def := definition(code)
	if def == nil {
		return strconv.Quote(strings.Join(values, ",")), ""
	}
	if len(def.Format.Fields) != 1 {
		return "", fmt.Sprintf("values of option %s are not converted: write it by hand", def.Name)
	}
	var out []string
	for _, v := range values {
		switch k := def.Format.Fields[0].Kind; k {
		case config.FieldIP:
			a, err := netip.ParseAddr(v)
			if err != nil || !a.Is4() {
				return "", fmt.Sprintf("%q is not an address", v)
			}
			out = append(out, a.String())
		case config.FieldText, config.FieldString:
			return strconv.Quote(strings.Join(values, ",")), ""
		case config.FieldDomainName, config.FieldDomainList:
			out = append(out, strconv.Quote(v))
		case config.FieldBoolean:
			out = append(out, map[string]string{"0": "off", "1": "on"}[v])
		default:
			n, err := strconv.ParseInt(strings.TrimRight(v, "bsi"), 0, 64)
			if err != nil {
				return "", fmt.Sprintf("%q is not a number", v)
			}
			out = append(out, strconv.FormatInt(n, 10))
		}
	}
	if f := def.Format.Fields[0]; f.Array || def.Format.Array || f.Kind == config.FieldDomainList || len(out) == 1 {
		return strings.Join(out, ", "), ""
	}
	return "", fmt.Sprintf("option %s has one value", def.Name)
}
