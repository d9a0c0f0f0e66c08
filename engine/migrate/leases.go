package migrate

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// ethernet is the hardware type of Ethernet (RFC 1700).
const ethernet = 1

// lastSecond is the end of the year 9999, the last that a lease file can name.
const lastSecond = 253402300799

// takeDnsmasqLeases converts dnsmasq's lease file: a line for each lease with
// the time at which it ends, hardware address, address, name and client
// identifier, a star where there is none. Leases of DHCPv6 follow a line "duid".
func (h *host) takeDnsmasqLeases(name string) error {
	text, ok, err := h.read(name)
	if err != nil || !ok {
		return err
	}
	var written int64 // when dnsmasq last wrote it: no lease in it began later
	if info, err := os.Stat(h.path(name)); err == nil {
		written = info.ModTime().Unix()
	}
	var out []byte
	count := 0
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if fields[0] == "duid" {
			h.note(name, i+1, line, Needless, "what follows concerns DHCPv6")
			break
		}
		l, why := parseLease(fields, written)
		if why != "" {
			h.note(name, i+1, line, Lost, "%s", why)
			continue
		}
		out = lease.AppendRecord(out, &l)
		count++
	}
	if count > 0 {
		h.Leases, h.LeaseFile, h.LeaseCount = out, name, count
		h.note(name, 0, "", Taken, "converted: %s", several(count, "lease"))
	}
	return nil
}

// parseLease reads one line of a file that was written at that time. Why says
// what is wrong with the line.
func parseLease(fields []string, written int64) (l batch.Lease, why string) {
	if len(fields) < 4 {
		return l, "it is not a lease: time, hardware address, address and name are wanted"
	}
	ends, err := strconv.ParseUint(fields[0], 10, 63)
	if err != nil {
		return l, "it does not begin with a time"
	}
	a, err := netip.ParseAddr(fields[2])
	if err != nil || !a.Is4() {
		return l, "it is not of an IPv4 address"
	}
	if !macForm.MatchString(fields[1]) {
		return l, "its hardware address is not one of Ethernet"
	}
	mac, err := hex.DecodeString(strings.ReplaceAll(fullMAC(fields[1]), ":", ""))
	if err != nil {
		return l, "its hardware address is not one of Ethernet"
	}
	b := a.As4()
	l = batch.Lease{Addr: proto.Addr(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])),
		State: batch.LeaseActive, HW: dhcp.HW{Type: ethernet, Len: uint8(len(mac))}}
	copy(l.HW.Addr[:], mac)
	l.Ends = batch.Forever
	if ends != 0 {
		l.Ends = int64(min(ends, lastSecond))
	}
	l.Starts = min(written, l.Ends)
	l.CLTT = l.Starts
	if name := fields[3]; name != "*" {
		l.HostnameLen = uint8(copy(l.Hostname[:], name))
	}
	if len(fields) > 4 && fields[4] != "*" {
		if id, err := hex.DecodeString(strings.ReplaceAll(fields[4], ":", "")); err == nil && len(id) < 256 {
			copy(l.ClientID[:], id)
			l.ClientIDLen = uint8(len(id))
		}
	}
	return l, ""
}
