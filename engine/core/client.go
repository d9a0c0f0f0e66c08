package core

import (
	"bytes"

	"bootstorm/proto/dhcp"
)

// Client is the software that sent a message, as far as its options tell.
type Client uint8

// The clients that are told apart. What each sends is known from its source.
const (
	ClientUnknown Client = iota
	ClientIPXE           // option 77 "iPXE", in either form, or encapsulated options 175
	ClientPXE            // PXE firmware of a PC with BIOS: option 60 PXEClient, architecture 0
	ClientUEFI           // PXE firmware under UEFI (edk2): PXEClient, another architecture
	ClientHTTP           // UEFI HTTP boot: option 60 HTTPClient
	ClientUBoot          // option 60 "U-Boot" or "u-boot"
	ClientUDHCP          // busybox: option 60 "udhcp"
	ClientDHCPCD         // dhcpcd: option 60 "dhcpcd"
	ClientWindows        // option 60 "MSFT"
	Clients              // how many there are
)

var clientNames = [Clients]string{"unknown", "ipxe", "pxe", "uefi", "http", "u-boot", "udhcpc", "dhcpcd", "windows"}

// String returns a short name.
func (c Client) String() string {
	if c < Clients {
		return clientNames[c]
	}
	return clientNames[ClientUnknown]
}

var (
	textIPXE   = []byte("iPXE")
	textPXE    = []byte("PXEClient")
	textHTTP   = []byte("HTTPClient")
	textUDHCP  = []byte("udhcp")
	textDHCPCD = []byte("dhcpcd")
	textMSFT   = []byte("MSFT")
	textUBoot  = []byte("u-boot")
	textUBoot2 = []byte("U-Boot")
)

// Recognise tells which client sent a message with these options.
func Recognise(o *dhcp.Options) Client {
	if isIPXE(o) {
		return ClientIPXE
	}
	v, _ := o.Get(dhcp.OptVendorClass)
	switch {
	case bytes.HasPrefix(v, textPXE):
		if Arch(o) == 0 {
			return ClientPXE
		}
		return ClientUEFI
	case bytes.HasPrefix(v, textHTTP):
		return ClientHTTP
	case bytes.HasPrefix(v, textUBoot), bytes.HasPrefix(v, textUBoot2):
		return ClientUBoot
	case bytes.HasPrefix(v, textUDHCP):
		return ClientUDHCP
	case bytes.HasPrefix(v, textDHCPCD):
		return ClientDHCPCD
	case bytes.HasPrefix(v, textMSFT):
		return ClientWindows
	}
	return ClientUnknown
}

// isIPXE knows the user class as iPXE sends it, raw text, and as RFC 3004 has
// it, with a length byte before each of its classes.
func isIPXE(o *dhcp.Options) bool {
	v, _ := o.Get(dhcp.OptUserClass)
	if bytes.Equal(v, textIPXE) || len(v) == 5 && v[0] == 4 && bytes.Equal(v[1:], textIPXE) {
		return true
	}
	return o.Has(dhcp.OptEncapsulatedIPXE)
}

// noArch is what Arch returns when the client does not say.
const noArch = 0xffff

// Arch returns the client's architecture (option 93, RFC 4578): the first of
// its list. A single byte, which some clients send, counts too.
func Arch(o *dhcp.Options) uint16 {
	v, _ := o.Get(dhcp.OptClientArch)
	switch {
	case len(v) >= 2:
		return uint16(v[0])<<8 | uint16(v[1])
	case len(v) == 1:
		return uint16(v[0])
	}
	return noArch
}
