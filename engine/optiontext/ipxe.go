package optiontext

import (
	"slices"
	"sync"

	"bootstorm/engine/config"
)

// ipxe is the space dhcp with iPXE's options, which are on the wire whether or not a
// configuration defines them.
var ipxe = sync.OnceValue(func() *config.Space {
	t := config.ParseText("ipxe", []byte(ipxeOptions), config.Options{})
	return t.Universe.Spaces[slices.IndexFunc(t.Universe.Spaces, func(s *config.Space) bool { return s.Name == config.SpaceDHCP })]
})

// complete adds to a space what another one defines for codes that it has nothing
// for, in the spaces inside, too. Neither is changed.
func complete(s, more *config.Space) *config.Space {
	whole := *s
	whole.Options = nil
	for _, d := range more.Options {
		if define(s, d.Code) == nil {
			whole.Options = append(whole.Options, d)
		}
	}
	for _, d := range s.Options {
		if other := define(more, d.Code); other != nil && d.Encapsulate != nil && other.Encapsulate != nil && other.Encapsulate.Name == d.Encapsulate.Name {
			both := *d
			both.Encapsulate = complete(d.Encapsulate, other.Encapsulate)
			d = &both
		}
		whole.Options = append(whole.Options, d)
	}
	return &whole
}

// ipxeOptions are the sub-options of option 175, as iPXE documents them (ipxe.org,
// "ISC dhcpd").
const ipxeOptions = `
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.priority code 1 = signed integer 8;
option ipxe.keep-san code 8 = unsigned integer 8;
option ipxe.skip-san-boot code 9 = unsigned integer 8;
option ipxe.pxeext code 16 = unsigned integer 8;
option ipxe.iscsi code 17 = unsigned integer 8;
option ipxe.aoe code 18 = unsigned integer 8;
option ipxe.http code 19 = unsigned integer 8;
option ipxe.https code 20 = unsigned integer 8;
option ipxe.tftp code 21 = unsigned integer 8;
option ipxe.ftp code 22 = unsigned integer 8;
option ipxe.dns code 23 = unsigned integer 8;
option ipxe.bzimage code 24 = unsigned integer 8;
option ipxe.multiboot code 25 = unsigned integer 8;
option ipxe.slam code 26 = unsigned integer 8;
option ipxe.srp code 27 = unsigned integer 8;
option ipxe.nbi code 32 = unsigned integer 8;
option ipxe.pxe code 33 = unsigned integer 8;
option ipxe.elf code 34 = unsigned integer 8;
option ipxe.comboot code 35 = unsigned integer 8;
option ipxe.efi code 36 = unsigned integer 8;
option ipxe.fcoe code 37 = unsigned integer 8;
option ipxe.vlan code 38 = unsigned integer 8;
option ipxe.menu code 39 = unsigned integer 8;
option ipxe.sdi code 40 = unsigned integer 8;
option ipxe.nfs code 41 = unsigned integer 8;
option ipxe.syslogs code 85 = string;
option ipxe.cert code 91 = string;
option ipxe.privkey code 92 = string;
option ipxe.crosscert code 93 = string;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;
option ipxe.bus-id code 177 = string;
option ipxe.san-filename code 188 = string;
option ipxe.bios-drive code 189 = unsigned integer 8;
option ipxe.username code 190 = string;
option ipxe.password code 191 = string;
option ipxe.reverse-username code 192 = string;
option ipxe.reverse-password code 193 = string;
option ipxe.version code 235 = string;
`
