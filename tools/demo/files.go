package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bootstorm/bench"
	"bootstorm/engine/image/load"
	"bootstorm/proto"
	"bootstorm/tools/guide"
)

// bootFile is a file of the guide and its bytes.
type bootFile struct {
	name string
	data []byte
}

// needed are the files without which the guide's sequence cannot be shown.
var needed = []string{"ipxe.efi", "refind.pxe", "refind.conf", "refind_x64.efi"}

// findFiles takes the guide's two texts as the daemon has them built in, and
// the boot programs from Debian's packages.
func findFiles() ([]bootFile, error) {
	var found []bootFile
	var missing []string
	for _, name := range needed {
		f := builtin(name)
		data := f.Data
		for _, p := range f.Paths {
			if data == nil {
				data = readEither(p)
			}
		}
		if data == nil {
			missing = append(missing, fmt.Sprintf("  %s, looked for at %s", name, strings.Join(f.Paths, " and ")))
		}
		found = append(found, bootFile{name, data})
	}
	if missing != nil {
		return nil, fmt.Errorf("boot programs are missing:\n%s\nDebian has them: apt-get install ipxe refind", strings.Join(missing, "\n"))
	}
	return found, nil
}

// readEither reads a file of a Debian package, installed or unpacked by
// tools/deps.sh, which the Makefile names; nil if it is in neither place.
func readEither(path string) []byte {
	b, err := os.ReadFile(path)
	if deps := os.Getenv("BOOTSTORM_DEPS"); err != nil && deps != "" {
		b, _ = os.ReadFile(filepath.Join(deps, path))
	}
	return b
}

// builtin finds what the daemon knows of a file.
func builtin(name string) load.File {
	for _, f := range load.Builtin() {
		if f.Name == name {
			return f
		}
	}
	return load.File{Name: name}
}

// makeRoot writes the TFTP root.
func makeRoot(dir string, files []bootFile) (root string, contents *bench.Contents, err error) {
	root = filepath.Join(dir, "tftp")
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", nil, err
	}
	var expected []*bench.File
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, f.name), f.data, 0o644); err != nil {
			return "", nil, err
		}
		expected = append(expected, &bench.File{Name: f.name, Data: f.data})
	}
	return root, bench.NewContents(expected...), nil
}

// network is Node 0's address and the pool.
type network struct {
	cidr                          string // of Node 0
	subnet, mask, last, broadcast proto.Addr
	first                         proto.Addr
}

// guideNetwork is the guide's: four addresses.
var guideNetwork = network{cidr: guide.Address, subnet: proto.AddrOf(192, 168, 1, 0), mask: proto.AddrOf(255, 255, 255, 240),
	first: proto.AddrOf(192, 168, 1, 2), last: proto.AddrOf(192, 168, 1, 5), broadcast: proto.AddrOf(192, 168, 1, 15)}

// crowdNetwork has exactly as many addresses as nodes.
func crowdNetwork(nodes int) network {
	first := proto.AddrOf(192, 168, 16, 1)
	return network{cidr: "192.168.1.1/16", subnet: proto.AddrOf(192, 168, 0, 0), mask: proto.AddrOf(255, 255, 0, 0),
		first: first, last: first + proto.Addr(nodes) - 1, broadcast: proto.AddrOf(192, 168, 255, 255)}
}

// config is the guide's file with a real hardware address in its host block,
// and with the network's numbers where they are not the guide's.
func (n *network) config(host proto.MAC) string {
	g := &guideNetwork // replaced by itself in the first act, which leaves the file as it is
	text := string(guide.Config(host.String()))
	for _, r := range [][2]string{
		{fmt.Sprintf("subnet %s netmask %s", g.subnet, g.mask), fmt.Sprintf("subnet %s netmask %s", n.subnet, n.mask)},
		{fmt.Sprintf("range %s %s", g.first, g.last), fmt.Sprintf("range %s %s", n.first, n.last)},
		{fmt.Sprintf("broadcast-address %s", g.broadcast), fmt.Sprintf("broadcast-address %s", n.broadcast)},
	} {
		text = strings.Replace(text, r[0], r[1], 1)
	}
	return text
}
