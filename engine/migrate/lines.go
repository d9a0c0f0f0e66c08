package migrate

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// addressRange is one dhcp-range.
type addressRange struct {
	network    netip.Prefix
	start, end netip.Addr // not valid for "static": reserved addresses only
	want, set  []string   // tags
	seconds    uint32     // lease time, forever for "infinite"
	broadcast  string
}

const (
	forever      = 1<<32 - 1
	defaultLease = 3600 // dnsmasq's
)

// takeRange reads START[,END|,static][,NETMASK[,BROADCAST]][,LEASE TIME].
func (m *dnsmasq) takeRange(d directive) {
	want, set, rest := cutTags(fields(d.value))
	start, err := netip.ParseAddr(first(rest))
	if err != nil || !start.Is4() {
		if strings.Contains(first(rest), ":") {
			m.lost(d, "it concerns IPv6: keep dnsmasq for it")
		} else {
			m.lost(d, "it does not begin with an address; addresses that follow an interface are not supported")
		}
		return
	}
	r := addressRange{want: want, set: set, seconds: defaultLease}
	var mask netip.Addr
	for _, f := range rest[1:] {
		a, err := netip.ParseAddr(f)
		seconds, isTime := leaseTime(f)
		switch {
		case f == "proxy":
			m.lost(d, "this server gives out addresses; it does not add boot information to another server's answers")
			return
		case f == "static":
		case err == nil && a.Is4() && isMask(a):
			mask = a
		case err == nil && a.Is4() && !r.end.IsValid() && !mask.IsValid():
			r.start, r.end = start, a
		case err == nil && a.Is4():
			r.broadcast = a.String()
		case isTime:
			r.seconds = seconds
		default:
			m.lost(d, "%q is not understood", f)
			return
		}
	}
	guessed := ""
	r.network, guessed = m.network(start, r.end, mask)
	if r.start.IsValid() && (r.end.Less(r.start) || !r.network.Contains(r.end)) {
		m.lost(d, "its last address, %s, is not behind its first in the network %s%s: correct the line", r.end, r.network, guessed)
		return
	}
	if tag := m.tags.unknown(want); tag != "" {
		m.lost(d, "nothing that can be taken over sets the tag %s", tag)
		return
	}
	m.ranges = append(m.ranges, r)
	m.taken(d, "subnet %s%s", r.network.Masked(), guessed)
}

// network finds the network of a range whose mask may be missing, and says where
// it is from if it is not from the line. A guess has room for the end, where
// there is one.
func (m *dnsmasq) network(start, end, mask netip.Addr) (p netip.Prefix, guessed string) {
	if mask.IsValid() {
		return netip.PrefixFrom(start, bits(mask)).Masked(), ""
	}
	for _, own := range m.h.o.Addresses {
		if own.Contains(start) {
			return own.Masked(), ", the mask as that of this host's interface"
		}
	}
	p = netip.PrefixFrom(start, 24).Masked()
	for end.IsValid() && !p.Contains(end) && p.Bits() > 8 {
		p = netip.PrefixFrom(start, p.Bits()-1).Masked()
	}
	return p, fmt.Sprintf("; no mask is named, dnsmasq takes the interface's: %s is a guess, correct it or name the address with --address", maskOf(p))
}

// bits counts the ones of a mask.
func bits(mask netip.Addr) int {
	a := mask.As4()
	v := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n := 0
	for ; v&0x80000000 != 0; v <<= 1 {
		n++
	}
	return n
}

// isMask tells whether an address can only be a netmask.
func isMask(a netip.Addr) bool {
	b := a.As4()
	n := bits(a)
	return b[0] == 255 && netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), n).Masked().Addr() == a
}

var timeForm = regexp.MustCompile(`^([0-9]+)([smhdw]?)$`)

// leaseTime reads 45m, 12h, 7d, infinite or seconds.
func leaseTime(f string) (uint32, bool) {
	if f == "infinite" {
		return forever, true
	}
	p := timeForm.FindStringSubmatch(f)
	if p == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(p[1], 10, 32)
	unit := map[string]uint64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[p[2]]
	if err != nil || n*unit >= forever {
		return forever, true
	}
	return uint32(max(n*unit, 120)), true // dnsmasq gives two minutes at least
}

// first is the first of a list, or nothing.
func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// reservation is one dhcp-host.
type reservation struct {
	macs      []string
	address   netip.Addr
	name      string
	id        string
	want, set []string
	seconds   uint32 // 0: that of the range
	ignore    bool
	odd       string // what could not be read
}

var (
	macForm  = regexp.MustCompile(`^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
)

// parseHost reads the parts of a dhcp-host, which may stand in any order.
func parseHost(list []string) (r reservation) {
	for _, f := range list {
		a, err := netip.ParseAddr(f)
		seconds, isTime := leaseTime(f)
		switch {
		case f == "":
		case macForm.MatchString(f):
			r.macs = append(r.macs, fullMAC(f))
		case strings.HasPrefix(f, "set:"), strings.HasPrefix(f, "net:"):
			r.set = append(r.set, f[4:])
		case strings.HasPrefix(f, "tag:"):
			r.want = append(r.want, f[4:])
		case strings.HasPrefix(f, "id:"):
			r.id = f[3:]
		case err == nil && a.Is4():
			r.address = a
		case strings.HasPrefix(f, "["):
			// an address of IPv6
		case f == "ignore":
			r.ignore = true
		case isTime:
			r.seconds = seconds
		case nameForm.MatchString(f):
			r.name = f
		default:
			r.odd = f
		}
	}
	return r
}

// fullMAC writes each byte with two digits.
func fullMAC(mac string) string {
	list := strings.Split(strings.ToLower(mac), ":")
	for i, b := range list {
		if len(b) == 1 {
			list[i] = "0" + b
		}
	}
	return strings.Join(list, ":")
}

func (m *dnsmasq) takeHost(d directive) {
	r := parseHost(fields(d.value))
	switch {
	case r.odd != "":
		m.lost(d, "%q is not understood", r.odd)
	case r.id != "" && r.id != "*":
		m.lost(d, "a node is its hardware address, so that firmware, iPXE and system are one: name its address, or write uid into a host by hand")
	case len(r.want) > 0:
		m.lost(d, "a reservation that depends on a tag: write a pool or a class by hand")
	case len(r.macs) == 0:
		m.lost(d, "it names no hardware address: a client is not known by the name that it sends")
	default:
		if r.name == "" {
			r.name = "node-" + strings.ReplaceAll(r.macs[0], ":", "")
		}
		for _, other := range m.hosts {
			if other.name == r.name {
				r.name += "-" + strings.ReplaceAll(r.macs[0], ":", "")
			}
		}
		m.hosts = append(m.hosts, r)
		m.taken(d, "host %s", r.name)
	}
}

// bootChoice is a boot file and the tags that lead to it.
type bootChoice struct {
	want                 []string
	condition            string // instead of tags, for pxe-service
	file, server, nextIP string
}

// takeBoot reads FILE[,SERVER NAME[,SERVER ADDRESS]].
func (m *dnsmasq) takeBoot(d directive) {
	want, _, rest := cutTags(fields(d.value))
	if first(rest) == "" {
		m.lost(d, "it names no file")
		return
	}
	if tag := m.tags.unknown(want); tag != "" {
		m.lost(d, "nothing that can be taken over sets the tag %s", tag)
		return
	}
	b := bootChoice{want: want, file: rest[0]}
	if len(rest) > 1 {
		b.server = rest[1]
	}
	if len(rest) > 2 && rest[2] != "" && rest[2] != "0.0.0.0" {
		b.nextIP = rest[2]
	}
	m.boots = append(m.boots, b)
	m.taken(d, "filename %q%s", b.file, under(want))
}

// under says which tags a line asks for.
func under(want []string) string {
	if len(want) == 0 {
		return ""
	}
	return " if " + strings.Join(want, " and ")
}

// architectures are the names of pxe-service, with the numbers of option 93 that
// mean them in the field: firmware with 64 bits says 7 or 9.
var architectures = map[string][]int{
	"x86PC": {0}, "PC98": {1}, "IA64_EFI": {2}, "Alpha": {3}, "Arc_x86": {4}, "Intel_Lean_Client": {5}, "IA32_EFI": {6},
	"X86-64_EFI": {7, 9}, "x86-64_EFI": {7, 9}, "BC_EFI": {7, 9}, "Xscale_EFI": {8}, "ARM32_EFI": {10}, "ARM64_EFI": {11},
}

// takeService reads ARCHITECTURE,MENU TEXT[,BASENAME[,SERVER]].
func (m *dnsmasq) takeService(d directive) {
	want, _, rest := cutTags(fields(d.value))
	arch, ok := architectures[first(rest)]
	if n, err := strconv.ParseUint(first(rest), 10, 16); err == nil {
		arch, ok = []int{int(n)}, true
	}
	switch {
	case !ok:
		m.lost(d, "the architecture %q is not known", first(rest))
		return
	case len(rest) < 3 || rest[2] == "" || rest[2] == "0":
		m.lost(d, "a menu's entry that boots from the disk: there is no menu, a node boots what it is given")
		return
	case !strings.ContainsAny(rest[2], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		m.lost(d, "a boot server that clients look for by its type: name a file instead")
		return
	}
	if tag := m.tags.unknown(want); tag != "" {
		m.lost(d, "nothing that can be taken over sets the tag %s", tag)
		return
	}
	b := bootChoice{want: want, file: rest[2]}
	if !strings.Contains(b.file[strings.LastIndexByte(b.file, '/')+1:], ".") {
		b.file += ".0" // the layer, which dnsmasq adds to a name without a suffix
	}
	var terms []string
	name := m.optionName(optArch)
	for _, n := range arch {
		terms = append(terms, fmt.Sprintf("option %s = %02x:%02x", name, n>>8, n&0xff))
	}
	b.condition = strings.Join(terms, " or ")
	if len(rest) > 3 && rest[3] != "" {
		if a, err := netip.ParseAddr(rest[3]); err == nil {
			b.nextIP = a.String()
		} else {
			b.server = rest[3]
		}
	}
	m.boots = append(m.boots, b)
	m.taken(d, "filename %q for that architecture; the menu and its text are left out", b.file)
}
