package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"bootstorm/proto"
)

// Where the server stands. The pool begins well after its own address.
const (
	serverAddr = "192.168.1.1"
	serverCIDR = "192.168.1.1/16"
	serverIf   = "eth1"
	relayCIDR  = "192.168.1.2/16" // of perfdhcp, which stands for a relay agent
	nodesIf    = "nodes"
)

var (
	poolFirst = proto.AddrOf(192, 168, 16, 1)
	poolLast  = proto.AddrOf(192, 168, 255, 254)
)

// Site is what one server is given: its directory, the files to serve, and for
// how many clients there must be addresses.
type Site struct {
	Dir     string // for configuration, leases and logs; on a real disk
	Root    string // TFTP root
	Clients int
	Daemon  string // path of bootstorm
	Deps    string // where tools/deps.sh unpacks packages
}

// leasesEach is how many addresses one node may take: some servers count a
// node's firmware and its iPXE, which sends a client identifier, as two clients,
// and the boot after a reboot as more.
const leasesEach = 4

// pool returns the first and the last address to give out.
func (s *Site) pool() (first, last proto.Addr) {
	return poolFirst, min(poolFirst+proto.Addr(s.Clients*leasesEach)-1, poolLast)
}

// write puts a file into the server's directory and returns its path. Servers
// that drop their privileges write there, so everybody may.
func (s *Site) write(name, text string) (string, error) {
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o666)
}

// find returns the path of a program: installed, or unpacked by tools/deps.sh.
func find(deps, program string) (string, error) {
	path := os.Getenv("PATH") + ":/usr/sbin:/sbin"
	for _, sub := range []string{"usr/sbin", "usr/bin"} {
		path += ":" + filepath.Join(deps, sub)
	}
	for _, dir := range filepath.SplitList(path) {
		if full, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return full, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run tools/deps.sh peers", program)
}

// Missing returns the programs that the servers and perfdhcp's loads need and
// that are not there.
func Missing(servers []Server, loads []PerfLoad, deps string) (missing []string) {
	var needed []string
	for _, s := range servers {
		needed = append(needed, s.Programs...)
	}
	if len(loads) > 0 {
		needed = append(needed, "perfdhcp")
	}
	for _, p := range needed {
		if _, err := find(deps, p); err != nil && !slices.Contains(missing, p) {
			missing = append(missing, p)
		}
	}
	return missing
}
