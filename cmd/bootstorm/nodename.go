package main

import (
	"bytes"
	"fmt"
	"net/netip"

	"bootstorm/engine"
	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// findNode is the hardware address of a node that is named as in the commands
// that ask a daemon: by MAC address, by its host declaration, or by an address
// that is leased to it. A host with several links is known by the lowest.
func findNode(who string, setup *engine.Setup, leases []batch.Lease) (mac proto.MAC, err error) {
	if mac, err := parseMAC(who); err == nil {
		return mac, nil
	}
	if a, err := netip.ParseAddr(who); err == nil && a.Is4() {
		four := a.As4()
		addr := proto.AddrFrom(&four)
		for i := range leases {
			if l := &leases[i]; l.Addr == addr && l.HW.Len == 6 {
				return proto.MAC(l.HW.Addr[:6]), nil
			}
		}
		return mac, fmt.Errorf("nobody has leased %s: give the node's MAC address or the name of its host declaration, or name the lease file with --lease-file", who)
	}
	found := false
	for hw, name := range setup.Hosts {
		if name == who && hw.Len == 6 && (!found || bytes.Compare(hw.Addr[:6], mac[:]) < 0) {
			mac, found = proto.MAC(hw.Addr[:6]), true
		}
	}
	if !found {
		return mac, fmt.Errorf("no host is declared as %q in %s: give its MAC address, the name of its host declaration, or an address that it has leased", who, setup.Source)
	}
	return mac, nil
}

// stages are the three clients that a node is during a boot: its firmware, the
// iPXE that this loads, and the system that it ends in.
func (n node) stages() []node {
	firmware, ipxe, system := n, n, n
	firmware.arch, ipxe.arch, system.arch = archUEFI, archUEFI, -1
	ipxe.userClass = "iPXE"
	return []node{firmware, ipxe, system}
}
