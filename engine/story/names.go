package story

import (
	"bytes"
	"path"
	"strings"
	"time"
)

// Names is what a book needs to know of a generation of configuration and boot
// files to tell its stories. The engine sends it at start and with each reload.
type Names struct {
	Version    string            `json:"version"`
	Started    time.Time         `json:"started"` // of the daemon
	Interfaces []string          `json:"interfaces"`
	Root       string            `json:"root"`  // where the boot files are
	Hosts      map[string]string `json:"hosts"` // hardware address, as in "52:54:00:12:34:01", to the name of its declaration
	Files      []File            `json:"files"`
	Pools      []Range           `json:"pools"`
}

// File is one boot file.
type File struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Leads bool   `json:"leads"` // see Leads
}

// Range is one range of addresses: Name is "192.168.1.2-192.168.1.5", which
// also names its counter (PoolUsed).
type Range struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Names of counters that the book looks at in what Counters is given. All of
// them may be absent. The other names are those of core.Counters, and those of
// transfer.Counters behind "tftp_".
const (
	CounterLost         = "events_lost"     // events that did not reach the book
	CounterLinksDown    = "links_down"      // interfaces that are gone or down
	CounterJournalFails = "journal_failing" // 1 while the lease file cannot be written
	CounterHeld         = "held"            // acknowledgements that wait for the disk
	CounterBytes        = "tftp_data_bytes" // file bytes sent
	poolUsed            = "pool_used:"
)

// PoolUsed is the name of the counter of addresses in use of a range.
func PoolUsed(r Range) string { return poolUsed + r.Name }

// Leads tells whether a node that has this boot file will ask for more, as far
// as can be known beforehand: iPXE asks for an address of its own, boot loaders
// read their configuration by TFTP, and an iPXE script says what it fetches.
func Leads(name string, data []byte) bool {
	switch kindOf(name) {
	case fileIPXE, fileLoader:
		return true
	case fileScript:
		if data == nil {
			return true
		}
	}
	return bytes.HasPrefix(data, []byte("#!ipxe")) && scriptFetches(data)
}

// fileKind is what a name tells about a file.
type fileKind uint8

const (
	fileOther fileKind = iota
	fileIPXE
	fileLoader
	fileScript
)

// kindOf judges a boot file by its name: those under which iPXE, GRUB, shim and
// SYSLINUX are built and packaged.
func kindOf(name string) fileKind {
	base := strings.ToLower(path.Base(strings.ReplaceAll(name, "\\", "/")))
	ext := path.Ext(base)
	for _, p := range [...]string{"ipxe", "snponly", "undionly", "snp"} {
		if !strings.HasPrefix(base, p) {
			continue
		}
		switch ext {
		case ".efi", ".kpxe", ".kkpxe", ".kkkpxe", ".pxe", ".lkrn", ".0":
			return fileIPXE
		}
	}
	if ext == ".ipxe" || ext == ".pxe" {
		return fileScript
	}
	for _, p := range [...]string{"grub", "shim", "syslinux", "pxelinux.0", "lpxelinux.0", "gpxelinux.0"} {
		if strings.HasPrefix(base, p) && (ext == ".efi" || ext == ".0") {
			return fileLoader
		}
	}
	return fileOther
}

// optional tells whether a name is one that boot programs try on the chance
// that it is there.
func optional(name string) bool {
	name = strings.ToLower(name)
	base := path.Base(name)
	return base == "autoexec.ipxe" || strings.Contains(name, "pxelinux.cfg/") || strings.HasPrefix(base, "grub.cfg-") ||
		strings.HasSuffix(base, ".lst") || strings.HasSuffix(base, ".mod") || strings.Contains(name, "/fonts/") ||
		strings.Contains(name, "icons/")
}

// scriptFetches tells whether an iPXE script asks this server for more.
func scriptFetches(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "chain", "kernel", "initrd", "module", "imgfetch", "imgload", "imgexec", "boot":
		default:
			continue
		}
		for _, w := range words[1:] {
			scheme, _, uri := strings.Cut(w, "://")
			if uri && scheme == "tftp" || !uri && !strings.HasPrefix(w, "-") && strings.ContainsAny(w, "./") {
				return true
			}
		}
	}
	return false
}
