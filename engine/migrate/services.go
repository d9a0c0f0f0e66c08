package migrate

import (
	"bufio"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Service is a systemd unit that answers DHCP or TFTP.
type Service struct {
	Name    string // without .service
	Enabled bool   // it starts with the machine
}

// Names of units, as Debian's packages have them.
const (
	serviceDhcpd   = "isc-dhcp-server"
	serviceDnsmasq = "dnsmasq"
)

var services = []string{serviceDhcpd, serviceDnsmasq, "tftpd-hpa", "atftpd", "kea-dhcp4-server", "xinetd"}

// findServices looks which units the host has, and which start with it. Those of
// old packages have a script instead of a unit, which runs unless it is off.
func (h *host) findServices() {
	for _, name := range services {
		unit := false
		for _, dir := range []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
			unit = unit || exists(h.path(dir+"/"+name+".service"))
		}
		if !unit && !exists(h.path("/etc/init.d/"+name)) {
			continue
		}
		wants, _ := filepath.Glob(h.path("/etc/systemd/system/*.wants/" + name + ".service")) // the pattern is a good one
		scripts, _ := filepath.Glob(h.path("/etc/rc[2345].d/S[0-9][0-9]" + name))
		h.Services = append(h.Services, Service{name, len(wants)+len(scripts) > 0})
	}
}

// exists also finds a link whose target is outside of the tree.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Holder is a process that has a port that bootstorm needs.
type Holder struct {
	Port    int    // UDP
	Process string // its name, "" if it cannot be seen (only root sees others' sockets)
	PID     string
}

// ports are those that bootstorm serves on, as /proc/net/udp writes them.
var ports = map[string]int{"0043": 67, "0045": 69, "0FAB": 4011}

// findHolders asks /proc who has the ports (proc(5), /proc/net/udp).
func (h *host) findHolders() {
	f, err := os.Open(h.path("/proc/net/udp"))
	if err != nil {
		return // a tree, or a machine without /proc: nothing runs there
	}
	defer f.Close()
	inodes := map[string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 10 {
			continue
		}
		_, port, _ := strings.Cut(fields[1], ":")
		if n := ports[port]; n != 0 {
			inodes["socket:["+fields[9]+"]"] = n
		}
	}
	if len(inodes) == 0 {
		return
	}
	fds, _ := filepath.Glob(h.path("/proc/[0-9]*/fd/*"))
	seen := map[Holder]bool{}
	held := map[int]bool{}
	for _, fd := range fds {
		link, err := os.Readlink(fd)
		port := inodes[link]
		if err != nil || port == 0 {
			continue
		}
		process := filepath.Dir(filepath.Dir(fd))
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		seen[Holder{port, strings.TrimSpace(string(name)), filepath.Base(process)}] = true
		held[port] = true
	}
	for _, port := range inodes {
		if !held[port] {
			seen[Holder{Port: port}] = true
		}
	}
	for holder := range seen {
		h.Holders = append(h.Holders, holder)
	}
	sort.Slice(h.Holders, func(i, j int) bool {
		a, b := h.Holders[i], h.Holders[j]
		return a.Port < b.Port || a.Port == b.Port && a.PID < b.PID
	})
}
