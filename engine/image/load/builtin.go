package load

import _ "embed"

// The two small files of the guide in our own words: builtin/refind.pxe is the
// iPXE script that starts rEFInd, builtin/refind.conf tells rEFInd to boot the
// local disk at once.
var (
	//go:embed builtin/refind.pxe
	refindScript []byte
	//go:embed builtin/refind.conf
	refindConf []byte
)

// Builtin returns the files of the guide for Options.Fallback, for a server
// whose root does not have them: two that are built in, and the boot programs
// from where Debian's packages put them. Debian packages no 32-bit EFI iPXE; the
// places looked at are those of people who build one.
func Builtin() []File {
	return []File{
		{Name: "refind.pxe", Data: refindScript},
		{Name: "refind.conf", Data: refindConf},
		{Name: "ipxe.efi", Paths: []string{"/usr/lib/ipxe/ipxe.efi", "/usr/lib/ipxe/x86_64-efi/ipxe.efi"},
			Remedy: "apt install ipxe, or put ipxe.efi into the root; without it 64-bit UEFI machines cannot boot"},
		{Name: "ipxe32.efi", Paths: []string{"/usr/lib/ipxe/ipxe32.efi", "/usr/lib/ipxe/ipxe-i386.efi", "/usr/lib/ipxe/i386-efi/ipxe.efi"},
			Remedy: "only 32-bit UEFI machines need it and Debian does not package it: build iPXE's bin-i386-efi/ipxe.efi and put it into the root"},
		{Name: "refind_x64.efi", Paths: []string{"/usr/share/refind/refind/refind_x64.efi"},
			Remedy: "apt install refind, or put refind_x64.efi into the root; without it machines cannot go on to their disks"},
	}
}
