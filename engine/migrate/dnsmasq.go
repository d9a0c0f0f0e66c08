package migrate

import (
	"net/netip"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/plan/compile"
)

// Where dnsmasq begins to read, and what bounds the reading.
const (
	dnsmasqConf   = "/etc/dnsmasq.conf"
	dnsmasqLeases = "/var/lib/misc/dnsmasq.leases"
	maxFiles      = 200 // of a configuration, whatever they include
)

// directive is one line of dnsmasq.conf.
type directive struct {
	file       string
	line       int
	key, value string
	text       string
}

// dnsmasq is a configuration while it is read. What concerns the same thing is
// kept in the order of the files.
type dnsmasq struct {
	h          *host
	directives []directive
	seen       map[string]bool // files read

	tags    tags
	ranges  []addressRange
	hosts   []reservation
	boots   []bootChoice // dhcp-boot and pxe-service
	options []optionChoice
	used    map[string]bool // kinds of condition that need a definition

	authoritative bool
	knownOnly     bool // dhcp-ignore=tag:!known
	domain        string
	leases        string // its lease file
	tftp          bool
	tftpRoot      directive
	flags         []assignment // of its command line
}

// serves tells whether dnsmasq gives out addresses.
func (m *dnsmasq) serves() bool {
	for _, d := range m.directives {
		if d.key == "dhcp-range" {
			return true
		}
	}
	return false
}

// takeDnsmasq sorts all lines into what they mean, and writes the configuration.
func (h *host) takeDnsmasq(m *dnsmasq) error {
	h.Interfaces = nil // those of dhcpd's settings are not dnsmasq's
	// Tags first: a line may use one that a later line sets.
	m.tags.readAll(m.directives)
	for _, d := range m.directives {
		if m.tags.reads(d.key) {
			continue
		}
		if take, ok := handlers[d.key]; ok {
			take(m, d)
		} else if why, ok := needless[d.key]; ok {
			h.note(d.file, d.line, d.text, Needless, "%s", why)
		} else if why, ok := lost[d.key]; ok {
			h.note(d.file, d.line, d.text, Lost, "%s", why)
		} else {
			h.note(d.file, d.line, d.text, Needless, "it does not concern DHCPv4 or TFTP: leave it with dnsmasq")
		}
	}
	for _, a := range m.flags {
		h.note(dnsmasqDefaults, a.line, a.text, Lost, "flags of the command line are not read: write them into a file, without the dashes, and run this again")
	}
	h.DNS = true
	for _, d := range m.directives {
		if d.key == "port" && d.value == "0" {
			h.DNS = false
		}
	}
	m.takeRoot()
	h.ConfigName = dnsmasqConf
	h.Config = m.render()
	h.readBack()
	return h.takeDnsmasqLeases(m.leases)
}

// readBack reads the result as the server will: what it does not accept is told of
// here, where the lines are at hand.
func (h *host) readBack() {
	tree := config.ParseText("dhcpd.conf", h.Config, config.Options{})
	_, more := compile.Compile(tree)
	for _, f := range append(tree.Findings, more...) {
		if f.Severity == config.Error {
			h.note(h.ConfigName, 0, sourceLine(tree, f.Pos), Lost, "what it became is not accepted: %s; %s; correct it in the result", f.Message, f.Remedy)
		}
	}
}

// takeRoot takes the directory of the boot files, if dnsmasq serves them.
func (m *dnsmasq) takeRoot() {
	d := m.tftpRoot
	switch {
	case m.tftp && d.key != "":
		m.h.takeRoot(d.file, d.line, d.text, fields(d.value)[0])
	case d.key != "":
		m.h.note(d.file, d.line, d.text, Needless, "dnsmasq does not serve it: there is no enable-tftp")
	}
}

// self is the address of this host in a network, where it is known.
func (m *dnsmasq) self(network netip.Prefix) (netip.Addr, bool) {
	for _, p := range m.h.o.Addresses {
		if network.Contains(p.Addr()) {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// handlers takes the lines that become part of the result.
var handlers map[string]func(*dnsmasq, directive)

func init() {
	handlers = map[string]func(*dnsmasq, directive){
		"dhcp-range": (*dnsmasq).takeRange, "dhcp-host": (*dnsmasq).takeHost, "dhcp-boot": (*dnsmasq).takeBoot,
		"pxe-service": (*dnsmasq).takeService, "dhcp-option": (*dnsmasq).takeOption, "dhcp-option-force": (*dnsmasq).takeOption,
		"interface":          (*dnsmasq).takeInterface,
		"dhcp-authoritative": func(m *dnsmasq, d directive) { m.authoritative = true; m.taken(d, "authoritative;") },
		"enable-tftp":        func(m *dnsmasq, d directive) { m.tftp = true; m.taken(d, "TFTP is always served") },
		"tftp-root":          func(m *dnsmasq, d directive) { m.tftpRoot = d },
		"dhcp-leasefile":     func(m *dnsmasq, d directive) { m.leases = d.value; m.taken(d, "its leases are read from there") },
		"domain":             (*dnsmasq).takeDomain,
		"dhcp-ignore":        (*dnsmasq).takeIgnore,
	}
}

// needless are the lines that change nothing here.
var needless = map[string]string{
	"tftp-secure": "files are served to everybody who may ask, and only such as the user bootstorm can read", "tftp-no-fail": "a missing directory never keeps the daemon from starting",
	"tftp-max": "there is no limit to take care of", "tftp-mtu": "the block size follows the interface's MTU", "tftp-no-blocksize": "the block size is what client and MTU allow",
	"tftp-lowercase": "names are found in any case", "tftp-port-range": "all of TFTP runs from port 69", "tftp-single-port": "all of TFTP runs from port 69",
	"dhcp-lease-max": "leases are limited by the ranges", "dhcp-sequential-ip": "the address unused for the longest time is given out", "dhcp-no-override": "file and server name are sent in their fields",
	"dhcp-rapid-commit": "clients that ask for it get an OFFER, as from any server", "log-dhcp": "use --log-level debug", "no-ping": "an OFFER never waits for a probe: addresses are probed ahead of demand",
	"bind-interfaces": "the interface that is served is named at start", "bind-dynamic": "the interface that is served is named at start", "except-interface": "the interface that is served is named at start",
	"no-dhcp-interface": "the interface that is served is named at start", "listen-address": "the interface that is served is named at start", "pxe-prompt": "nobody is asked: a node boots at once",
	"dhcp-name-match": "no line asks for names here", "dhcp-ttl": "it concerns DNS", "dhcp-fqdn": "it concerns DNS", "dhcp-generate-names": "it concerns DNS", "quiet-dhcp": "use --log-level warn", "quiet-tftp": "use --log-level warn",
}

// lost are the lines that mean something which the result does not do.
var lost = map[string]string{
	"dhcp-script": "no program is started when a lease changes: follow the log, or bootstorm leases --json", "dhcp-luascript": "no program is started when a lease changes: follow the log, or bootstorm leases --json",
	"tftp-unique-root": "every client sees the same files", "dhcp-proxy": "relays that hide are not supported", "dhcp-relay": "it does not relay to another server", "shared-network": "write a shared-network declaration by hand",
	"read-ethers": "/etc/ethers is not read: write host declarations for it", "dhcp-ignore-names": "host names of clients are kept in the lease file as they are sent", "dhcp-broadcast": "write always-broadcast on; where clients need it",
	"dhcp-alternate-port": "DHCP is served on port 67 alone", "dhcp-reply-delay": "replies are never delayed", "dhcp-pxe-vendor": "only PXEClient is known as a vendor of PXE", "dhcp-circuitid": "write a class with option agent.circuit-id",
	"dhcp-remoteid": "write a class with option agent.remote-id", "dhcp-subscrid": "write a class with option agent.subscriber-id", "bootp-dynamic": "write allow dynamic bootp clients in a pool", "dhcp-duid": "it concerns DHCPv6",
	"enable-ra": "it concerns IPv6: keep dnsmasq for it", "ra-param": "it concerns IPv6: keep dnsmasq for it",
	"dhcp-hostsdir": "a directory that is watched is not supported: use dhcp-hostsfile", "dhcp-optsdir": "a directory that is watched is not supported: use dhcp-optsfile",
}

// taken, needless and lost note the fate of a line.
func (m *dnsmasq) taken(d directive, why string, args ...any) {
	m.h.note(d.file, d.line, d.text, Taken, why, args...)
}
func (m *dnsmasq) lost(d directive, why string, args ...any) {
	m.h.note(d.file, d.line, d.text, Lost, why, args...)
}

func (m *dnsmasq) takeInterface(d directive) {
	for _, name := range fields(d.value) {
		switch {
		case name == "lo":
			m.h.note(d.file, d.line, d.text, Needless, "no node boots through it")
		case strings.HasSuffix(name, "*"):
			m.lost(d, "interfaces are named in full")
		default:
			m.h.Interfaces = append(m.h.Interfaces, name)
			m.taken(d, "%s", servedBy(m.h.Interfaces[:1], m.h.Interfaces[len(m.h.Interfaces)-1:]))
		}
	}
}

func (m *dnsmasq) takeDomain(d directive) {
	list := fields(d.value)
	if len(list) > 1 || list[0] == "" || list[0] == "#" {
		m.lost(d, "a domain for some addresses only: write option domain-name into their subnet")
		return
	}
	m.domain = list[0]
	m.taken(d, "option domain-name; DNS itself stays with dnsmasq")
}

func (m *dnsmasq) takeIgnore(d directive) {
	want, _, rest := cutTags(fields(d.value))
	if len(want) == 1 && want[0] == "!known" && len(rest) == 0 {
		m.knownOnly = true
		m.taken(d, "deny unknown-clients;")
		return
	}
	m.lost(d, "write a class for these clients and deny members of it in the pool")
}
