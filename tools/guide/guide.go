// Package guide holds the files of the OVHcloud guide "Manage your server reboot
// with the OVHcloud Link Aggregation feature", as they stand there, for the
// demo, the boot test and the tests with real clients.
package guide

import (
	"bytes"
	_ "embed" // the files
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The guide's files, unchanged.
var (
	//go:embed dhcpd.conf
	dhcpdConf []byte
	//go:embed refind.pxe
	refindPXE []byte
	//go:embed refind.conf
	refindConf []byte
)

// The network of the guide: Node 0's address, and its pool of four.
const (
	Address = "192.168.1.1/28"
	Server  = "192.168.1.1"
)

// Pool are the addresses that the guide's dhcpd.conf gives out.
var Pool = []string{"192.168.1.2", "192.168.1.3", "192.168.1.4", "192.168.1.5"}

const placeholder = "xx:xx:xx:xx:xx:xx"

// Config is the guide's dhcpd.conf with its placeholder replaced by a MAC address.
func Config(mac string) []byte {
	return bytes.Replace(dhcpdConf, []byte(placeholder), []byte(mac), 1)
}

// Where Debian's packages ipxe and refind keep the boot programs.
const (
	debianIPXE   = "/usr/lib/ipxe/ipxe.efi"
	debianRefind = "/usr/share/refind/refind/refind_x64.efi"
)

// Files are the names of the files that an x64 machine fetches, in that order.
var Files = []string{"ipxe.efi", "refind.pxe", "refind.conf", "refind_x64.efi"}

// WriteRoot fills dir with the guide's TFTP directory, except ipxe32.efi, which
// Debian does not have. deps is where tools/deps.sh unpacked packages, or "".
func WriteRoot(dir, deps string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ipxe, err1 := readEither(debianIPXE, deps)
	refind, err2 := readEither(debianRefind, deps)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("%w\ninstall Debian's packages ipxe and refind", err)
	}
	for name, text := range map[string][]byte{
		"ipxe.efi": ipxe, "refind_x64.efi": refind, "refind.pxe": refindPXE, "refind.conf": refindConf,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func readEither(file, deps string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil && deps != "" {
		return os.ReadFile(filepath.Join(deps, file))
	}
	return text, err
}
