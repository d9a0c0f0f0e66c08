package peers

import (
	"fmt"
	"strings"
)

// Server is one column of the comparison: a daemon, or the pair of daemons that
// together do the job, in one state of tuning.
type Server struct {
	Name     string   // unique, for --servers and JSON: "dnsmasq-tuned"
	Title    string   // for tables: "dnsmasq, tuned"
	Tuned    bool     //
	Ours     bool     // bootstorm
	Programs []string // what must be installed
	Tuning   string   // what was done for it beyond the installation, "" if nothing

	commands func(s *Site) ([]command, error)
}

// command is one daemon, in the foreground.
type command struct {
	args  []string
	env   []string // NAME=value
	limit string   // of its descriptors, as ulimit takes it; "" is what limits says
}

// All returns every server, in the order of the tables: bootstorm, then the
// peers as installed, each followed by itself tuned.
func All() []Server {
	servers := []Server{{Name: "bootstorm", Title: "bootstorm", Ours: true, commands: func(s *Site) ([]command, error) { return bootstorm(s) }}}
	for _, p := range []struct {
		name, title string
		programs    []string
		tuning      string
		commands    func(s *Site, tuned bool) ([]command, error)
	}{
		{"dnsmasq", "dnsmasq", []string{"dnsmasq"}, dnsmasqTuned, dnsmasq},
		{"dhcpd", "dhcpd + tftpd-hpa", []string{"dhcpd", "in.tftpd"}, dhcpdTuned, dhcpdAndHPA},
		{"kea", "Kea + atftpd", []string{"kea-dhcp4", "atftpd"}, keaTuned, keaAndAtftpd},
	} {
		servers = append(servers,
			Server{Name: p.name, Title: p.title, Programs: p.programs,
				commands: func(s *Site) ([]command, error) { return p.commands(s, false) }},
			Server{Name: p.name + "-tuned", Title: p.title + ", tuned", Tuned: true, Programs: p.programs, Tuning: p.tuning,
				commands: func(s *Site) ([]command, error) { return p.commands(s, true) }})
	}
	return servers
}

// What an expert does for each peer, in the words of the report.
const (
	dnsmasqTuned = "no limit of leases and transfers that matters, no ping before an offer, authoritative, nothing logged for each message"
	dhcpdTuned   = "no ping check, one fsync for up to 28 ACKs (delayed-ack), one lease per client; in.tftpd looks up its user in files only and binds its symbols before it forks"
	keaTuned     = "leases by hardware address, warnings only; atftpd with 500 threads, since more end it in select(2), and a repetition after 1 s"
	allTuned     = "receive buffers of 32 MB, 65,536 descriptors (atftpd: 1,024), an ARP table of 32,768 entries"
)

// Select returns the servers with these names, in All's order; no names means
// all.
func Select(names []string) ([]Server, error) {
	all := All()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Server
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	var known []string
	for _, s := range all {
		known = append(known, s.Name)
		if wanted[s.Name] {
			chosen = append(chosen, s)
			delete(wanted, s.Name)
		}
	}
	for n := range wanted {
		return nil, fmt.Errorf("no server is called %q; there are %s", n, strings.Join(known, ", "))
	}
	return chosen, nil
}
