//go:build linux

package link

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Holder is a process that has a UDP port bound; its Pid is 0 if /proc does not
// tell.
type Holder struct {
	Pid  int
	Name string // as /proc/PID/comm has it
}

// PortError says that a port that we need is taken.
type PortError struct {
	Port      uint16
	Interface string
	Holder    Holder
}

// Error is one line for the operator: the port, who holds it and what to do.
func (e *PortError) Error() string {
	who := "another process (ss -ulpn shows which)"
	if e.Holder.Pid != 0 {
		who = fmt.Sprintf("%s (process %d)", e.Holder.Name, e.Holder.Pid)
	}
	return fmt.Sprintf("UDP port %d on %s is in use by %s: %s", e.Port, e.Interface, who, e.Holder.remedy())
}

// Unwrap is "address already in use".
func (e *PortError) Unwrap() error { return unix.EADDRINUSE }

// units are the services that usually hold our ports, by process name.
var units = map[string]string{
	"dhcpd":           "isc-dhcp-server",
	"kea-dhcp4":       "kea-dhcp4-server",
	"in.tftpd":        "tftpd-hpa",
	"atftpd":          "atftpd",
	"dnsmasq":         "dnsmasq",
	"inetd":           "inetutils-inetd",
	"openbsd-inetd":   "openbsd-inetd",
	"xinetd":          "xinetd",
	"systemd-network": "", // DHCPServer= of a .network file; the name is cut at 15 bytes
}

// remedy says what to do, as a command where there is one.
func (h Holder) remedy() string {
	unit, known := units[h.Name]
	switch {
	case h.Name == "systemd-network":
		return "remove DHCPServer=yes from the interface's .network file"
	case known:
		return "systemctl disable --now " + unit
	case h.Name == "bootstorm":
		return "another bootstorm serves this interface; stop it first"
	case h.Pid != 0:
		return "stop it, or serve another interface"
	}
	return "stop it: only one DHCP and TFTP server can serve an interface"
}

// findHolder finds the process that has a UDP port bound. It sees what /proc
// shows: with less than root's rights often nothing.
func findHolder(proc string, port uint16) Holder {
	inodes := socketInodes(filepath.Join(proc, "thread-self/net/udp"), port)
	if len(inodes) == 0 {
		return Holder{}
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*/fd/*"))
	for _, l := range links {
		target, err := os.Readlink(l)
		if err != nil || !inodes[target] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(l))
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(dir, "comm"))
		return Holder{Pid: pid, Name: string(bytes.TrimSpace(name))}
	}
	return Holder{}
}

// socketInodes reads the sockets bound to a port from /proc/net/udp, in the form
// that /proc/PID/fd links have.
func socketInodes(file string, port uint16) map[string]bool {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	inodes := make(map[string]bool)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// sl local rem st queues tr:tm retrnsmt uid timeout inode ...
		if field := strings.Fields(lines.Text()); len(field) > 9 && strings.HasSuffix(field[1], suffix) {
			inodes["socket:["+field[9]+"]"] = true
		}
	}
	return inodes
}
