package migrate

import (
	"fmt"
	"os"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/lease"
)

const (
	dhcpdDefaults = "/etc/default/isc-dhcp-server"
	dhcpdConf     = "/etc/dhcp/dhcpd.conf"
	dhcpdLeases   = "/var/lib/dhcp/dhcpd.leases"
)

// dhcpdFiles is where dhcpd has its files, by its settings.
type dhcpdFiles struct {
	found          bool
	config, leases string
}

// readDhcpdDefaults reads the settings that Debian's dhcpd is started with, and
// finds its files by them.
func (h *host) readDhcpdDefaults() (dhcpdFiles, error) {
	d := dhcpdFiles{config: dhcpdConf, leases: dhcpdLeases}
	text, _, err := h.read(dhcpdDefaults)
	if err != nil {
		return d, err
	}
	for _, a := range assignments(text) {
		switch a.name {
		case "INTERFACESv4", "INTERFACES":
			h.Interfaces = append(h.Interfaces, strings.Fields(a.value)...)
			if a.value == "" {
				h.note(dhcpdDefaults, a.line, a.text, Needless, "no interface is named: you name it when you start bootstorm@IF")
			} else {
				h.note(dhcpdDefaults, a.line, a.text, Taken, "%s", servedBy(h.Interfaces[:1], h.Interfaces))
			}
		case "INTERFACESv6":
			if a.value == "" {
				h.note(dhcpdDefaults, a.line, a.text, Needless, "no interface is named")
			} else {
				h.note(dhcpdDefaults, a.line, a.text, Lost, "this is a DHCPv4 server: keep dhcpd -6 for IPv6")
			}
		case "DHCPDv4_CONF", "DHCPD_CONF":
			d.config = a.value
			h.note(dhcpdDefaults, a.line, a.text, Taken, "its configuration is read from there")
		case "OPTIONS":
			h.dhcpdOptions(a, &d)
		case "DHCPDv6_CONF", "DHCPDv6_PID", "DHCPDv4_PID", "DHCPD_PID":
			h.note(dhcpdDefaults, a.line, a.text, Needless, "it concerns how dhcpd is started")
		default:
			h.note(dhcpdDefaults, a.line, a.text, Lost, "unknown setting")
		}
	}
	d.found = exists(h.path(d.config))
	return d, nil
}

// servedBy says how interfaces are served: the first of all by a unit of its own,
// the others by the same daemon.
func servedBy(first, names []string) string {
	text := "served by bootstorm@" + first[0]
	for _, name := range names {
		if name != first[0] {
			text += ", with --interface " + name
		}
	}
	return text
}

// dhcpdOptions goes through flags of dhcpd(8).
func (h *host) dhcpdOptions(a assignment, d *dhcpdFiles) {
	fields := strings.Fields(a.value)
	if len(fields) == 0 {
		h.note(dhcpdDefaults, a.line, a.text, Needless, "no flags")
	}
	for i := 0; i < len(fields); i++ {
		argument := ""
		if i+1 < len(fields) {
			argument = fields[i+1]
		}
		switch flag := fields[i]; flag {
		case "-cf":
			d.config = argument
			h.note(dhcpdDefaults, a.line, flag+" "+argument, Taken, "its configuration is read from there")
			i++
		case "-lf":
			d.leases = argument
			h.note(dhcpdDefaults, a.line, flag+" "+argument, Taken, "its leases are read from there")
			i++
		case "-p":
			h.note(dhcpdDefaults, a.line, flag+" "+argument, Lost, "DHCP is served on port 67 alone, which is where firmware asks")
			i++
		case "-pf", "-tf", "-user", "-group", "-chroot":
			h.note(dhcpdDefaults, a.line, flag+" "+argument, Needless, "it concerns how dhcpd is started")
			i++
		case "-4", "-q", "-f", "-d", "--no-pid":
			h.note(dhcpdDefaults, a.line, flag, Needless, "it concerns how dhcpd is started")
		default:
			h.note(dhcpdDefaults, a.line, flag, Lost, "unknown flag")
		}
	}
}

// takeDhcpd takes dhcpd's configuration as it stands, which is the language that
// bootstorm reads, and its leases.
func (h *host) takeDhcpd(d dhcpdFiles) error {
	text, ok, err := h.read(d.config)
	if err != nil || !ok {
		return err
	}
	h.ConfigName = d.config
	h.Config = append(fmt.Appendf(nil, "# Taken over from %s by bootstorm migrate.\n\n", d.config), text...)
	tree := config.ParseText(d.config, []byte(text), config.Options{})
	h.note(d.config, 0, "", Taken, "word for word: %s, %s", several(subnets(tree), "subnet"), several(len(tree.Hosts), "host"))
	for _, f := range tree.Findings {
		line := sourceLine(tree, f.Pos)
		switch {
		case f.Severity == config.Error:
			h.note(f.File, f.Line, line, Lost, "%s; %s", f.Message, f.Remedy)
		default:
			h.note(f.File, f.Line, line, Needless, "%s", f.Message)
		}
	}
	for _, s := range tree.Sources {
		if s.Name != d.config {
			h.note(s.Name, 0, "", Taken, "included, and read from where it is: keep it there")
		}
	}
	return h.takeDhcpdLeases(d.leases)
}

// several writes a count with its noun.
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// subnets counts the subnets of a configuration.
func subnets(tree *config.Tree) (n int) {
	for _, s := range tree.Networks {
		if s.Subnet != nil {
			n++
		}
		for _, inner := range s.Children {
			if inner.Subnet != nil {
				n++
			}
		}
	}
	return n
}

// sourceLine is the text of the line that a finding is about.
func sourceLine(tree *config.Tree, pos config.Pos) string {
	for _, s := range tree.Sources {
		if s.Name == pos.File {
			lines := strings.Split(string(s.Text), "\n")
			if pos.Line >= 1 && pos.Line <= len(lines) {
				return lines[pos.Line-1]
			}
		}
	}
	return ""
}

// takeDhcpdLeases takes the lease file as it is: the daemon keeps that format.
func (h *host) takeDhcpdLeases(name string) error {
	text, ok, err := h.read(name)
	if err != nil {
		return err
	}
	if !ok || text == "" {
		h.note(name, 0, "", Needless, "there are no leases to take over")
		return nil
	}
	r, err := lease.Read(h.path(name))
	if err != nil {
		return err
	}
	h.Leases, h.LeaseFile, h.LeaseCount = []byte(text), name, len(r.Leases)
	h.note(name, 0, "", Taken, "word for word: %s from %s", several(len(r.Leases), "lease"), several(r.Records, "record"))
	for _, w := range r.Warnings {
		h.note(name, w.Line, "", Lost, "%s", w.Text)
	}
	if r.More > 0 {
		h.note(name, 0, "", Lost, "%d more places like these", r.More)
	}
	if info, err := os.Stat(h.path(name + "~")); err == nil && info.Size() > 0 {
		h.note(name+"~", 0, "", Needless, "dhcpd's backup of its lease file")
	}
	return nil
}
