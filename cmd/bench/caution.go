package main

import (
	"errors"
	"fmt"

	"bootstorm/bench"

	"golang.org/x/sys/unix"
)

// caution is what is said before a storm goes out over an interface that may
// reach other machines.
const caution = `WARNING: %s is not one end of a virtual cable (veth). Everything on its segment will see
this storm: every DHCP server there is asked for %s addresses by %s to %s,
keeps them as leases until they end, and sends up to the speed of the link.
How to rehearse without harm: bench/REHEARSAL.md.
`

// isVeth tells whether an interface is one end of a virtual cable, behind which
// there is a namespace or a container and no network of somebody else's.
func isVeth(ifname string) (bool, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, ifname)
	switch err {
	case nil:
		return unix.ByteSliceToString(info.Driver[:]) == "veth", nil
	case unix.EOPNOTSUPP: // it has no driver to ask, so it is no veth
		return false, nil
	}
	return false, err
}

// cautionFor is the warning for an interface, "" if none is due.
func cautionFor(ifname string, c *bench.Config) (string, error) {
	veth, err := isVeth(ifname)
	if err != nil {
		if errors.Is(err, unix.ENODEV) {
			return "", fmt.Errorf("--interface %s: there is no such interface (ip link lists them)", ifname)
		}
		return "", fmt.Errorf("--interface %s: %w", ifname, err)
	}
	if veth {
		return "", nil
	}
	return fmt.Sprintf(caution, ifname, bench.Count(c.Nodes), c.MAC(0), c.MAC(c.Nodes-1)), nil
}
