package config

import (
	"bytes"
	"fmt"

	"bootstorm/proto"
)

// maxDerived is how many addresses a derived pool has at most: a /16 in 10.0.0.0
// is no reason to prepare 65,000 leases.
const maxDerived = 4096

// Derive writes the configuration that is used when there is none: what the
// guide does by hand, with the subnet, the server's address and the pool taken
// from an interface. The text is parsed as any other file and printed for the
// operator, who can save it and go on from there.
func Derive(ifname string, addr, mask proto.Addr) []byte {
	var b bytes.Buffer
	net := addr & mask
	broadcast := net | ^mask
	fmt.Fprintf(&b, derivedHead, ifname)
	fmt.Fprintf(&b, "subnet %s netmask %s {\n", net, mask)
	derivedPool(&b, net, broadcast, addr)
	fmt.Fprintf(&b, derivedBody, broadcast, addr, addr)
	return b.Bytes()
}

const derivedHead = `# Derived from the interface %s, since there is no configuration file.
# Save it as /etc/bootstorm/dhcpd.conf to change it.

default-lease-time 7200;
max-lease-time 7200;

# The architecture of a node's firmware (option 93), and the options of iPXE.
option arch code 93 = unsigned integer 16;
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;

`

const derivedBody = `
    option broadcast-address %s;
    option routers %s;
    ping-check on;

    # The boot files come from this machine.
    next-server %s;

    if suffix (option user-class, 4) = "iPXE" {
        # iPXE is what runs: give it its script, and save it the wait for a
        # second DHCP server.
        option ipxe.no-pxedhcp 1;
        filename "refind.pxe";
    } elsif option arch = 00:07 or option arch = 00:09 {
        # UEFI, 64 bits
        filename "ipxe.efi";
    } elsif option arch = 00:06 {
        # UEFI, 32 bits
        filename "ipxe32.efi";
    }
    # Others, such as legacy BIOS (00:00) and ARM (00:0b), get an address and
    # no boot file: add a branch with a program that they can run.
}
`

// derivedPool writes the ranges: all host addresses around the server's own, the
// lowest first, up to maxDerived.
func derivedPool(b *bytes.Buffer, net, broadcast, server proto.Addr) {
	low, high := net+1, broadcast-1
	if broadcast-net < 3 || low+1 > high {
		b.WriteString("    # This network has no address besides the server's: give the interface\n" +
			"    # a shorter prefix, or declare a subnet with a range.\n")
		return
	}
	b.WriteString("    # All addresses of the network but this machine's own")
	if high-low > maxDerived {
		fmt.Fprintf(b, ", the first %d of them", maxDerived)
	}
	b.WriteString(".\n")
	left := proto.Addr(maxDerived)
	for _, r := range [][2]proto.Addr{{low, server - 1}, {server + 1, high}} {
		if r[0] > r[1] || left == 0 || r[1] < low || r[0] > high {
			continue
		}
		last := min(r[1], high)
		if last-r[0] >= left {
			last = r[0] + left - 1
		}
		left -= last - r[0] + 1
		fmt.Fprintf(b, "    range %s %s;\n", r[0], last)
	}
}
