// Package migrate reads what a host serves DHCP and TFTP with now, and says what
// of it bootstorm takes over: dhcpd's configuration and leases, the settings of
// Debian's packages isc-dhcp-server and tftpd-hpa, and the lines of dnsmasq that
// concern DHCP and TFTP (dnsmasq(8)). It reads only; what it found is a Result,
// which the command shows and writes.
//
// Every line that is met ends as a Note: taken over, without a meaning here, or
// not taken over, with the reason. Nothing is skipped silently.
package migrate

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Fate is what becomes of a line.
type Fate uint8

// The fates. The order is that of the report.
const (
	Taken    Fate = iota // it is in the result
	Needless             // the result does the same without it, or it has no meaning here
	Lost                 // it is not in the result, and somebody may miss it
)

// Note says what becomes of one line of the host's configuration.
type Note struct {
	File string // as the host names it
	Line int    // 0: the file as a whole
	Text string // the line
	Fate Fate
	Why  string // what it becomes, or why it does not
}

// Place is file and line as a person writes them.
func (n *Note) Place() string {
	if n.Line == 0 {
		return n.File
	}
	return fmt.Sprintf("%s:%d", n.File, n.Line)
}

// Result is what was found and what it becomes.
type Result struct {
	Source     string   // the kind of server that the configuration is of: "dhcpd" or "dnsmasq"; "" if there is none
	Config     []byte   // dhcpd.conf for bootstorm
	ConfigName string   // the file that Config was taken from
	Interfaces []string // interfaces that were served
	TFTPRoot   string   // directory of the boot files; "" if nothing names one
	Leases     []byte   // dhcpd.leases for bootstorm, nil if there are none
	LeaseFile  string   // where they were
	LeaseCount int      // addresses with a record
	Notes      []Note
	Services   []Service
	Holders    []Holder // who has the ports now

	// DNS tells that dnsmasq also answers DNS, so that it is to go on without its
	// DHCP and TFTP lines.
	DNS bool
}

// Options are what the caller knows better than the files.
type Options struct {
	Root      string         // of the tree to look at, "/" for this host
	From      string         // "dhcpd" or "dnsmasq" where both are there; else ""
	Addresses []netip.Prefix // of the host's interfaces, where they are known
}

// host is a Result while it is made.
type host struct {
	Result
	o Options
}

// path is where a file of the host is for this process.
func (h *host) path(name string) string { return filepath.Join(h.o.Root, name) }

// read returns the text of a file of the host, and whether it is there.
func (h *host) read(name string) (string, bool, error) {
	text, err := os.ReadFile(h.path(name))
	switch {
	case err == nil:
		return string(text), true, nil
	case os.IsNotExist(err):
		return "", false, nil
	}
	return "", false, err
}

// note adds a note.
func (h *host) note(file string, line int, text string, fate Fate, why string, args ...any) {
	h.Notes = append(h.Notes, Note{file, line, strings.TrimSpace(text), fate, fmt.Sprintf(why, args...)})
}

// Look reads everything. An error is a file that is there and cannot be read, or
// a choice that only the operator can make.
func Look(o Options) (*Result, error) {
	h := &host{o: o}
	if h.o.Root == "" {
		h.o.Root = "/"
	}
	dhcpd, err := h.readDhcpdDefaults()
	if err != nil {
		return nil, err
	}
	masq, err := h.readDnsmasq()
	if err != nil {
		return nil, err
	}
	h.findServices()
	h.findHolders()
	if err := h.choose(dhcpd.found, masq.serves()); err != nil {
		return nil, err
	}
	if h.Source != fromDnsmasq { // tftpd-hpa serves beside dnsmasq's DHCP seldom, beside dhcpd mostly
		err = h.takeDhcpd(dhcpd)
	} else {
		err = h.takeDnsmasq(masq)
	}
	if err != nil {
		return nil, err
	}
	if err := h.readTftpdHpa(); err != nil {
		return nil, err
	}
	h.others()
	return &h.Result, nil
}

// The kinds of server that a configuration can come from.
const (
	fromDhcpd   = "dhcpd"
	fromDnsmasq = "dnsmasq"
)

// choose settles which server's configuration is taken.
func (h *host) choose(dhcpd, dnsmasq bool) error {
	switch {
	case h.o.From == fromDhcpd && !dhcpd:
		return fmt.Errorf("there is no configuration of dhcpd below %s", h.o.Root)
	case h.o.From == fromDnsmasq && !dnsmasq:
		return fmt.Errorf("no configuration of dnsmasq below %s has a dhcp-range", h.o.Root)
	case h.o.From != "":
		h.Source = h.o.From
	case dhcpd && dnsmasq:
		// Only one of them can be the one that runs.
		on := map[string]bool{}
		for _, s := range h.Services {
			on[s.Name] = s.Enabled
		}
		switch {
		case on[serviceDhcpd] && !on[serviceDnsmasq]:
			h.Source = fromDhcpd
		case on[serviceDnsmasq] && !on[serviceDhcpd]:
			h.Source = fromDnsmasq
		default:
			return fmt.Errorf("both dhcpd and dnsmasq are configured to give out addresses: say whose configuration to take with --from dhcpd or --from dnsmasq")
		}
	case dhcpd:
		h.Source = fromDhcpd
	case dnsmasq:
		h.Source = fromDnsmasq
	}
	return nil
}

// others names servers that are there and whose configuration is not read.
func (h *host) others() {
	for _, o := range []struct{ file, why string }{
		{"/etc/kea/kea-dhcp4.conf", "Kea's configuration is not read; write its subnets and reservations into a dhcpd.conf"},
		{"/etc/default/atftpd", "atftpd's settings are not read; name its directory with --tftp-root"},
		{"/etc/xinetd.d/tftp", "settings of xinetd are not read; name its server's directory with --tftp-root"},
	} {
		if _, err := os.Stat(h.path(o.file)); err == nil {
			h.note(o.file, 0, "", Lost, "%s", o.why)
		}
	}
}
