package peers

// Pair is where the pair that the guide installs is to serve: dhcpd and
// tftpd-hpa. The files and their directories exist.
type Pair struct {
	Deps      string // where tools/deps.sh unpacks packages, or ""
	Interface string // of dhcpd
	Address   string // of in.tftpd, without a port
	Config    string // dhcpd.conf
	Leases    string // dhcpd.leases
	PID       string // dhcpd's PID file, which need not exist
	Root      string // TFTP root
}

// Commands are the two daemons as Debian's services run them, but in the
// foreground: dhcpd(8), and in.tftpd(8) with --secure.
func (p *Pair) Commands() (dhcpd, tftpd []string, err error) {
	programs := [2]string{"dhcpd", "in.tftpd"}
	for i, name := range programs {
		if programs[i], err = find(p.Deps, name); err != nil {
			return nil, nil, err
		}
	}
	return []string{programs[0], "-4", "-d", "-f", "-cf", p.Config, "-lf", p.Leases, "-pf", p.PID, p.Interface},
		[]string{programs[1], "-L", "--user", "nobody", "--address", p.Address + ":69", "--secure", p.Root}, nil
}
