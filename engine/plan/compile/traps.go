package compile

import (
	"bytes"
	"path"

	"bootstorm/engine/config"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// shortLease is the least lease time, in seconds, that is not warned about: no boot
// from a DISCOVER to a running system is shorter.
const shortLease = 60

// Sub-options of option 43 (PXE 2.1, table 2-1).
const (
	firstMTFTP     = 1 // 1 to 5: where to load by multicast TFTP
	lastMTFTP      = 5
	firstDiscovery = 6 // 6 to 10: how to find boot servers, and the menu
	lastDiscovery  = 10
)

// traps collects what is needed to warn of values that are valid, and at which
// clients are known to stop. Each needs more than one statement to be judged, or is
// of no other use than to mislead, so all are judged when all statements were seen.
type traps struct {
	files       []*config.Statement // constant boot file names, in file or option 67
	names       []*config.Statement // server-name and option tftp-server-name
	leases      []*config.Statement // default-lease-time, if less than shortLease
	limits      []*config.Statement // max-lease-time, likewise
	noMinimum   bool                // a min-lease-time is less than that, too
	minimum     bool                // a min-lease-time is not
	nextServer  bool                // something sets it
	tellsIPXE   bool                // something depends on what iPXE says of itself
	vendorAt    config.Pos          // option 60 "PXEClient"; Line 0: nowhere
	vendor43    bool                // something mentions option 43
	computed43  bool                // its value depends on the message
	subs43      map[uint32]bool     // sub-options of its constant values and of its spaces
	vendorNames map[string]bool     // spaces that a vendor-option-space names
}

// findTraps collects from all statements and class conditions.
func (c *compiler) findTraps() *traps {
	t := &traps{subs43: map[uint32]bool{}, vendorNames: map[string]bool{}, vendor43: c.has43Space()}
	var all []*config.Statement
	c.allScopes(func(s *config.Scope) {
		config.Walk(s.Statements, func(s *config.Statement) {
			all = append(all, s)
			t.expression(s.Expr)
			for i := range s.Cases {
				t.expression(s.Cases[i].Value)
			}
			if s.Kind == config.StatementVendorSpace {
				t.vendor43, t.vendorNames[s.Name] = true, true
			}
		})
	})
	for _, class := range c.tree.Classes {
		t.expression(class.MatchIf)
		t.expression(class.Match)
		t.expression(class.Spawn)
	}
	for _, s := range all { // the names of the spaces are known now
		if s.Kind == config.StatementOption {
			c.trap(t, s)
		}
	}
	return t
}

// expression looks for what tells iPXE from firmware: option 77 or 175, or a look
// at the whole message. Variables get their values from such expressions, too.
func (t *traps) expression(x *config.Expr) {
	if x == nil {
		return
	}
	if x.Op == config.OpPacket {
		t.tellsIPXE = true
	}
	if o := x.Option; o != nil && (x.Op == config.OpOption || x.Op == config.OpExists) {
		dhcpSpace := o.Space.Name == config.SpaceDHCP
		if !dhcpSpace || o.Code == dhcp.OptUserClass || o.Code == dhcp.OptEncapsulatedIPXE {
			t.tellsIPXE = true
		}
	}
	for _, arg := range x.Args {
		t.expression(arg)
	}
}

// trap notes one option statement, and warns of what is wrong by itself.
func (c *compiler) trap(t *traps, s *config.Statement) {
	value, constant := constantBytes(s.Expr)
	switch code := c.dhcpCode(s.Option); {
	case isParameter(s, "filename"), code == dhcp.OptBootfileName:
		if constant && len(value) > 0 && !bytes.Contains(value, []byte("://")) {
			t.files = append(t.files, s)
		}
	case isParameter(s, "server-name"), code == dhcp.OptTFTPServerName:
		t.names = append(t.names, s)
	case isParameter(s, "next-server"):
		t.nextServer = true
		c.nextInRange(s, value)
	case isParameter(s, "default-lease-time") && staticNumber(s, s.Option.Name, shortLease) < shortLease:
		t.leases = append(t.leases, s)
	case isParameter(s, "min-lease-time"):
		short := staticNumber(s, s.Option.Name, shortLease) < shortLease
		t.noMinimum, t.minimum = t.noMinimum || short, t.minimum || !short
	case isParameter(s, "max-lease-time") && staticNumber(s, s.Option.Name, shortLease) < shortLease:
		t.limits = append(t.limits, s)
	case code == dhcp.OptBootSize && constant && allZero(value):
		c.repeated("boot-size", s.Pos, "leave it out; \"boot-hints off;\" is the way to send no size",
			"option boot-size 0 is taken for the size of the boot file by UEFI firmware (OVMF): it gives up with PXE-E99")
	case code == dhcp.OptSubnetMask && constant && allZero(value):
		c.repeated("subnet-mask", s.Pos, "leave it out: the mask of the subnet declaration is sent",
			"UEFI firmware declines an address with the subnet mask 0.0.0.0, and does not boot")
	case code == dhcp.OptVendorClass && t.vendorAt.Line == 0 && c.isPXEClient(s.Expr):
		t.vendorAt = s.Pos
	case code == dhcp.OptVendorSpecific:
		t.vendor43 = true
		t.vendorValue(value, constant)
	case s.Option.Name == "vendor-option-space":
		t.vendor43, t.computed43 = true, true
	case code < 0 && (t.vendorNames[s.Option.Space.Name] || c.in43Space(s.Option.Space)):
		t.subs43[s.Option.Code] = true
	}
}

// in43Space tells whether a space is the one that option 43 always encapsulates.
func (c *compiler) in43Space(s *config.Space) bool {
	at := c.prog.Encapsulated[dhcp.OptVendorSpecific]
	return at >= 0 && c.prog.Spaces[at].Name == s.Name
}

// vendorValue notes the sub-options of a value of option 43.
func (t *traps) vendorValue(v []byte, constant bool) {
	if !constant {
		t.computed43 = true
		return
	}
	for len(v) >= 2 && v[0] != dhcp.OptEnd {
		if v[0] == dhcp.OptPad {
			v = v[1:]
			continue
		}
		t.subs43[uint32(v[0])] = true
		v = v[min(len(v), 2+int(v[1])):]
	}
}

// subs tells how many of a run of sub-options something sets.
func (t *traps) subs(first, last uint32) (n int) {
	for code := first; code <= last; code++ {
		if t.subs43[code] {
			n++
		}
	}
	return n
}

// warnTraps warns of what is wrong in the whole.
func (c *compiler) warnTraps() {
	t := c.findTraps()
	if t.noMinimum { // else the server's own minimum, 300 s, is given instead
		for _, s := range t.leases {
			c.leaseTime(s)
		}
	}
	if !t.minimum { // which would be given all the same
		for _, s := range t.limits {
			c.leaseTime(s)
		}
	}
	c.vendorOptions(t)
	c.nobodysFiles(t)
	c.endlessIPXE(t)
}

// vendorOptions judges option 60 by what stands in option 43 (edk2, PxeBcDhcp4.c).
// Which of the values of 43 goes with it depends on the message; what none of them
// has is certainly wrong.
func (c *compiler) vendorOptions(t *traps) {
	const remedy = "send option 43 too, for example \"option vendor-encapsulated-options 06:01:08;\", or leave option 60 out"
	switch {
	case t.vendorAt.Line == 0, t.computed43, t.subs(firstDiscovery, lastDiscovery) > 0:
	case !t.vendor43:
		c.warn(t.vendorAt, remedy,
			"option 60 \"PXEClient\" without option 43: UEFI firmware then waits for an answer from port 4011 and fails with PXE-E16")
	case t.subs(firstMTFTP, lastMTFTP) == lastMTFTP:
		c.warn(t.vendorAt, "send sub-option 6 of option 43 too (a byte, 8), or leave option 60 out",
			"option 60 \"PXEClient\" with the sub-options 1 to 5 of option 43 (multicast TFTP) and none of 6 to 10: UEFI firmware discards such an offer")
	default:
		c.warn(t.vendorAt, "send sub-option 6 of option 43 too (a byte, 8), or leave option 60 out",
			"option 60 \"PXEClient\" without the sub-options 6 to 10 of option 43: UEFI firmware then waits for an answer from port 4011 and fails with PXE-E16")
	}
}

// nobodysFiles warns where replies with a boot file have no server in siaddr: a
// server's name says that it is another machine, and iPXE and U-Boot do not read it.
func (c *compiler) nobodysFiles(t *traps) {
	if t.nextServer || len(t.files) == 0 {
		return
	}
	for _, s := range t.names {
		c.repeated("nobodysFiles", s.Pos, "write next-server with the address of the machine that has the boot files",
			"a server name without next-server: iPXE and U-Boot take the address from next-server alone, and find no boot file")
	}
}

// programsOfIPXE are the names under which iPXE's programs are built and packaged.
var programsOfIPXE = []string{"ipxe*.efi", "snp*.efi", "ipxe*.pxe", "ipxe*.kpxe", "undionly*.kpxe", "undionly*.pxe", "undionly*.kkpxe"}

// endlessIPXE warns where nothing tells iPXE from the firmware that loads it: iPXE
// is then told to load iPXE.
func (c *compiler) endlessIPXE(t *traps) {
	if t.tellsIPXE {
		return
	}
	for _, s := range t.files {
		name, _ := joined(s.Expr)
		for _, pattern := range programsOfIPXE {
			if ok, _ := path.Match(pattern, path.Base(string(bytes.ToLower(name)))); ok {
				c.repeated("endlessIPXE", s.Pos,
					"write: if exists user-class and option user-class = \"iPXE\" { filename \"SCRIPT\"; } else { filename \""+string(name)+"\"; }",
					"nothing here tells iPXE from the firmware that loads it: iPXE loads %q, itself, again and again, unless a script is built into it", name)
				break
			}
		}
	}
}

// nextInRange warns of a server whose address may be leased to a node.
func (c *compiler) nextInRange(s *config.Statement, value []byte) {
	if len(value) < 4 {
		return
	}
	next := proto.AddrFrom((*[4]byte)(value))
	for i := range c.plan.Ranges {
		if r := &c.plan.Ranges[i]; r.First <= next && next <= r.Last {
			c.repeated("nextInRange", s.Pos, "leave the address out of the range, or correct it",
				"next-server %s is in the range at line %d: a node may get the address that all load their boot files from",
				next, c.plan.Origins[r.Origin].Line)
			return
		}
	}
}

// leaseTime warns of leases that end before a boot does. iPXE knows the number of
// the lease time (src/include/ipxe/dhcp.h) and nothing that reads it.
func (c *compiler) leaseTime(s *config.Statement) {
	c.repeated(s.Option.Name, s.Pos, "write at least 600 seconds",
		"%s %d: iPXE never renews a lease, so this one ends before the boot, and another node may get the address meanwhile",
		s.Option.Name, staticNumber(s, s.Option.Name, 0))
}

// allZero tells whether a value has bytes, all of them 0.
func allZero(v []byte) bool { return len(v) > 0 && len(bytes.Trim(v, "\x00")) == 0 }
