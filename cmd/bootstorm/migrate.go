package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/config"
	"bootstorm/engine/migrate"
)

// migrateCommand makes "bootstorm migrate".
func migrateCommand() *cobra.Command {
	var o migrateOptions
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Take over from dhcpd and tftpd-hpa, or from dnsmasq",
		Long: `migrate looks at what this host serves DHCP and TFTP with now, and shows line by
line what it takes over, what has no meaning here, and what is lost and why. It
reads

  dhcpd      dhcpd.conf, dhcpd.leases, /etc/default/isc-dhcp-server
  tftpd-hpa  /etc/default/tftpd-hpa
  dnsmasq    /etc/dnsmasq.conf, /etc/dnsmasq.d and what they include: dhcp-range,
             dhcp-host, dhcp-boot, dhcp-option, dhcp-match and the other lines that
             set tags, pxe-service, enable-tftp, tftp-root; dnsmasq.leases

It changes nothing unless --write names a directory for the result: dhcpd.conf,
dhcpd.leases, and IF.options with the flags of the unit bootstorm@IF. A file that is
there already is kept, unless --force puts it aside as FILE.old. Services are never
stopped or started: the steps for that are printed, for you to choose the moment.

dhcpd's configuration is taken word for word, since bootstorm reads that language
("bootstorm check" may be all that you need); dnsmasq's is written anew as dhcpd.conf.

Exit status: 0 the result can be used; 1 it cannot, or there is nothing to take over.`,
		Example: `  # what would be taken over from this host? nothing is changed
  bootstorm migrate

  # write the result where the service looks for it, then follow the steps shown
  bootstorm migrate --write /etc/bootstorm

  # look at another machine's files, copied here with their paths
  bootstorm migrate --root ./old-server --address 192.168.1.1/24 --write ./result`,
		Args: usage.None("--write %s"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.root, "root", "/", "look at the tree below `DIR` instead of this host")
	flags.StringVar(&o.from, "from", "", "take `SERVER`'s configuration, dhcpd or dnsmasq, where both are there")
	flags.StringVar(&o.write, "write", "", "write the result to `DIR`, such as /etc/bootstorm")
	flags.BoolVar(&o.force, "force", false, "put files that are there already aside as FILE.old")
	flags.StringSliceVar(&o.addresses, "address", nil, "`ADDRESS/PREFIX` of the server on the private network (default: this host's, with --root none)")
	cmd.MarkFlagDirname("root")
	cmd.MarkFlagDirname("write")
	cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"dhcpd", "dnsmasq"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// migrateOptions are the flags of migrate.
type migrateOptions struct {
	root, from, write string
	addresses         []string
	force             bool
}

// run looks, shows, and writes if it is to.
func (o *migrateOptions) run(cmd *cobra.Command) error {
	if o.from != "" && o.from != "dhcpd" && o.from != "dnsmasq" {
		return usageError{fmt.Errorf("--from %s: dhcpd and dnsmasq are what can be taken over", o.from)}
	}
	own, err := o.ownAddresses()
	if err != nil {
		return usageError{err}
	}
	if info, err := os.Stat(o.root); err != nil || !info.IsDir() {
		return fmt.Errorf("--root %s is no directory: name the one that holds etc and var", o.root)
	}
	r, err := migrate.Look(migrate.Options{Root: o.root, From: o.from, Addresses: own})
	if err != nil {
		return err
	}
	m := migration{out: cmd.OutOrStdout(), r: r, o: o}
	m.print()
	if r.Config == nil {
		fmt.Fprintf(m.out, "\nNOTHING TO TAKE OVER: neither dhcpd nor dnsmasq is configured below %s to give out addresses.\n"+
			"    bootstorm needs no configuration for the guide's setup: bootstorm serve --interface IF\n", o.root)
		return errFound
	}
	if setup := engine.ParseConfigText("the result", r.Config); setup.Err() != nil {
		m.unusable(setup)
		return errFound
	}
	if o.write == "" {
		fmt.Fprintf(m.out, "\nNothing was changed. To write the result: bootstorm migrate%s --write /etc/bootstorm\n", o.again())
		return nil
	}
	return m.write()
}

// again repeats the flags for a command that is suggested.
func (o *migrateOptions) again() (text string) {
	if o.root != "/" {
		text += " --root " + o.root
	}
	if o.from != "" {
		text += " --from " + o.from
	}
	for _, a := range o.addresses {
		text += " --address " + a
	}
	return text
}

// ownAddresses are the addresses named, or those of this host if it is this host
// that is looked at.
func (o *migrateOptions) ownAddresses() (list []netip.Prefix, err error) {
	for _, text := range o.addresses {
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().Is4() {
			return nil, fmt.Errorf("--address %s: an IPv4 address with its prefix is wanted, such as 192.168.1.1/24", text)
		}
		list = append(list, p)
	}
	if o.addresses != nil || o.root != "/" {
		return list, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, errors.New("the addresses of this host cannot be read: name the private one with --address ADDRESS/PREFIX")
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			list = append(list, p)
		}
	}
	return list, nil
}

// unusable shows why the result cannot be used.
func (m *migration) unusable(setup *engine.Setup) {
	fmt.Fprintf(m.out, "\nNOT USABLE: the configuration has errors, and bootstorm would refuse it as it is:\n\n")
	for _, f := range setup.Tree.Findings {
		if f.Severity == config.Error {
			fmt.Fprintln(m.out, strings.TrimRight(setup.Tree.Render(f), "\n"))
		}
	}
	if m.r.Source == "dhcpd" {
		fmt.Fprintf(m.out, "\n    correct %s (lines here are two further down than there), and run this again\n", m.r.ConfigName)
		return
	}
	fmt.Fprintf(m.out, "\n    the lines of dnsmasq above that it comes from have no equal here: leave them out, and run this again\n")
}
