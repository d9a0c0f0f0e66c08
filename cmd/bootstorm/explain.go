package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/cmd/usage"
	"bootstorm/engine"
	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/lease"
	"bootstorm/engine/link"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// question is the command line of explain.
type question struct {
	files
	who, mac, arch, userClass, vendor, uuid, relay, iface string
}

// explainCommand makes "bootstorm explain".
func explainCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "explain {NODE | --mac MAC}",
		Short: "Show the reply a node would get, and the lines that decide it",
		Long: `explain makes the DISCOVER that a node would send, lets the server's own
machinery answer it, and prints the reply field by field: each with the line of
the configuration that decided it. If there would be no reply it says why, and
what to change. Nothing is sent and no lease changes.

NODE is a MAC address, the name of a host declaration, or an address that is
leased. Without --arch, its three replies are shown: to 64-bit UEFI firmware, to
iPXE, and to the installed system. With --mac it is the last of them alone.

Without --interface, the server is taken to have an address in the node's
subnet; it needs neither root nor the network then.

Exit status: 0 if there is a reply to each, 1 if there is none to one.`,
		Example: `  # what does node_1 get, at each stage of its boot?
  bootstorm explain node_1

  # a node's UEFI firmware (64 bits) boots for the first time
  bootstorm explain --mac 52:54:00:12:34:01 --arch 7

  # its iPXE asks next
  bootstorm explain --mac 52:54:00:12:34:01 --arch 7 --user-class iPXE

  # an old BIOS: the guide has no file for it
  bootstorm explain --mac 52:54:00:12:34:01 --arch 0

  # the installed system; a node behind a relay
  bootstorm explain --mac 52:54:00:12:34:01
  bootstorm explain --mac 52:54:00:12:34:01 --arch 7 --giaddr 192.168.2.1`,
		Args: usage.Args(0, 1, "", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				q.who = args[0]
			}
			if (q.mac == "") == (q.who == "") {
				return usageError{errors.New("name the node, once: its MAC address, the name of its host declaration, or an address that it has leased")}
			}
			n, err := q.node()
			if err != nil {
				return usageError{err}
			}
			return q.explain(cmd.OutOrStdout(), cmd.ErrOrStderr(), n)
		},
	}
	q.add(cmd)
	q.addLeases(cmd, "lease `FILE`: who has which address already; ignored if it does not exist")
	flags := cmd.Flags()
	flags.StringVar(&q.mac, "mac", "", "hardware address of the node, `MAC`")
	flags.StringVar(&q.arch, "arch", "", "its architecture, option 93 as a `NUMBER`: 7 UEFI 64 bits, 6 UEFI 32 bits, 0 BIOS, 11 ARM; none for an installed system")
	flags.StringVar(&q.userClass, "user-class", "", "its user class, option 77, `TEXT`: iPXE for iPXE")
	flags.StringVar(&q.vendor, "vendor-class", "", "its vendor class, option 60, `TEXT` (default: as firmware of the architecture)")
	flags.StringVar(&q.uuid, "uuid", "", "its system `UUID`, option 97")
	flags.StringVar(&q.relay, "giaddr", "", "`ADDRESS` of the relay that it is behind")
	flags.StringVarP(&q.iface, "interface", "i", "", "the `IF` that it is heard on")
	cmd.RegisterFlagCompletionFunc("interface", completeInterfaces)
	return cmd
}

// node reads the flags that describe the node.
func (q *question) node() (*node, error) {
	var mac proto.MAC
	var err1 error
	if q.mac != "" {
		mac, err1 = parseMAC(q.mac)
	}
	arch, err2 := parseArch(q.arch)
	uuid, err3 := parseUUID(q.uuid)
	relay, err4 := parseRelay(q.relay)
	n := &node{mac: mac, arch: arch, uuid: uuid, relay: relay, userClass: q.userClass, vendor: q.vendor}
	return n, errors.Join(err1, err2, err3, err4)
}

// explain asks the core and prints its answer.
func (q *question) explain(out, warn io.Writer, n *node) error {
	setup, l, err := q.configuration()
	if err != nil {
		return err
	}
	held, unread := lease.Read(q.leases)
	if q.who != "" {
		var leases []batch.Lease
		if unread == nil {
			leases = held.Leases
		}
		if n.mac, err = findNode(q.who, setup, leases); err != nil {
			return err
		}
	}
	if q.iface == "" {
		if l, err = assume(setup.Plan, n, setup); err != nil {
			return err
		}
	}
	if err := setup.LoadFiles(q.root, nil); err != nil {
		fmt.Fprintf(warn, "warning: boot files: %v\n", err)
		setup.Files = nil
	}
	// This is the daemon's own core, on the leases of its file: what it answers
	// here it answers there. Its answer is a copy, and nothing is written.
	c := core.New(core.Config{Plan: setup.Plan, Files: emptyIfNil(setup), Links: []plan.Link{l}})
	now := batch.Time{Mono: 1, Wall: time.Now().Unix()}
	if unread == nil {
		c.Restore(now, held.Leases)
	} else if !errors.Is(unread, fs.ErrNotExist) {
		fmt.Fprintf(warn, "warning: %v; explained as if there were no leases\n", unread)
	}
	if orders, _, err := engine.ReadOrders(engine.OrdersFile(q.leases)); err == nil {
		c.SetMarks(engine.Marks(orders))
	} else {
		fmt.Fprintf(warn, "warning: %v\n", err)
	}
	stages := []node{*n}
	if q.who != "" && q.arch == "" {
		stages = n.stages()
	}
	silent := false
	for i := range stages {
		if i > 0 {
			fmt.Fprintln(out)
		}
		p := report{out: out, setup: setup, core: c, link: l, node: &stages[i], root: q.root}
		p.answer = c.Explain(stages[i].discover(), 0, now)
		p.print()
		silent = silent || p.answer.Frame == nil
	}
	if silent {
		return errFound
	}
	return nil
}

// configuration reads the configuration, and what the interface that the node is
// heard on is like, if one was named.
func (q *question) configuration() (*engine.Setup, plan.Link, error) {
	path := q.config
	if path == "" {
		path = engine.FindConfig()
	}
	var own plan.Link
	if q.iface != "" {
		var err error
		if own, _, err = link.Interface(q.iface); err != nil {
			return nil, own, err
		}
	}
	var setup *engine.Setup
	var err error
	switch {
	case path != "":
		setup = engine.ParseConfig(path)
	case q.iface == "":
		err = errors.New("there is no configuration file: name one with --config, or the interface to derive one from with --interface")
	default:
		setup, err = engine.DeriveConfig([]plan.Link{own})
	}
	if err == nil {
		err = setup.Err()
	}
	return setup, own, err
}

// assumed is the name of an interface that explain makes up.
const assumed = "(assumed)"

// assume invents the interface that a server for this configuration would have
// in the node's subnet.
func assume(p *plan.Plan, n *node, setup *engine.Setup) (plan.Link, error) {
	s := subnetOf(p, n, setup)
	if s < 0 {
		return plan.Link{}, fmt.Errorf("the configuration %s declares no subnet, so no node can get an address; add \"subnet … netmask … { range … ; }\"", setup.Source)
	}
	sub := &p.Subnets[s]
	return plan.Link{Name: assumed, MAC: proto.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500,
		Addrs: []plan.LinkAddr{{Addr: serverAddr(p, s), Mask: sub.Mask}}}, nil
}

// subnetOf picks the subnet to explain: that of the node's fixed address, else
// the first one with a pool, else the first. A relayed node's is the core's
// matter.
func subnetOf(p *plan.Plan, n *node, setup *engine.Setup) int {
	hw := dhcp.HW{Type: 1, Len: 6}
	copy(hw.Addr[:], n.mac[:])
	name := setup.Hosts[hw]
	for i := range p.Hosts {
		for _, a := range p.Hosts[i].Fixed {
			if k := slices.IndexFunc(p.Subnets, func(s plan.Subnet) bool { return s.Contains(a) }); k >= 0 && p.Hosts[i].Name == name {
				return k
			}
		}
	}
	// Ranges are sorted by address, subnets stand as in the file.
	for _, r := range p.Ranges {
		if first := p.Ranges[0]; r.Subnet < first.Subnet {
			return int(r.Subnet)
		}
	}
	if len(p.Ranges) > 0 {
		return int(p.Ranges[0].Subnet)
	}
	return min(0, len(p.Subnets)-1)
}

// serverAddr is an address of the subnet that is in no pool: where a server
// would be. The first one is the custom.
func serverAddr(p *plan.Plan, subnet int) proto.Addr {
	s := &p.Subnets[subnet]
	for a := s.Net + 1; s.Contains(a + 1); a++ {
		if p.RangeOf(a) < 0 {
			return a
		}
	}
	return s.Net + 1
}
