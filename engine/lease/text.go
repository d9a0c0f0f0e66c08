package lease

import (
	"strconv"

	"bootstorm/engine/batch"
)

// stateNames are the names of the binding states in the file, by
// batch.LeaseState. reserved and bootp are read as states, as dhcpd before 3.1
// wrote them; today they are flags of an active lease.
var stateNames = [batch.LeaseStates]string{
	batch.LeaseFree:      "free",
	batch.LeaseActive:    "active",
	batch.LeaseExpired:   "expired",
	batch.LeaseReleased:  "released",
	batch.LeaseAbandoned: "abandoned",
	batch.LeaseReset:     "reset",
	batch.LeaseBackup:    "backup",
	batch.LeaseReserved:  "reserved",
	batch.LeaseBootp:     "bootp",
}

// StateName returns the name of a binding state as dhcpd.leases(5) spells it.
func StateName(s batch.LeaseState) string {
	if s < batch.LeaseStates {
		return stateNames[s]
	}
	return "state " + strconv.Itoa(int(s))
}

// hardwareNames are the hardware types that have a name in the file (RFC 1700);
// others are written unknown-N.
var hardwareNames = map[byte]string{1: "ethernet", 6: "token-ring", 8: "fddi", 32: "infiniband"}

// AppendRecord appends the record of l in the form that dhcpd 4.4 writes and
// reads. A client identifier longer than batch.MaxClientID is filled up with
// zero bytes to its full length, which is what it is compared by.
func AppendRecord(b []byte, l *batch.Lease) []byte { return appendRecord(b, l, nil) }

// appendRecord is AppendRecord with further statements, as written before.
func appendRecord(b []byte, l *batch.Lease, extra []byte) []byte {
	b = append(b, "lease "...)
	b = l.Addr.AppendTo(b)
	b = append(b, " {\n"...)
	b = appendTimes(b, l)
	b = appendState(b, l.State)
	b = appendHardware(b, l)
	if l.ClientIDLen > 0 {
		b = append(b, "  uid "...)
		b = appendQuoted(b, clientID(l))
		b = append(b, ";\n"...)
	}
	if n := min(l.VendorLen, batch.MaxVendor); n > 0 {
		b = append(b, "  set vendor-class-identifier = "...)
		b = appendQuoted(b, l.Vendor[:n])
		b = append(b, ";\n"...)
	}
	if l.Billing != 0 {
		b = append(b, "  set "+billingName+" = \""...)
		b = appendKey(b, l.Billing)
		b = append(b, "\";\n"...)
	}
	b = append(b, extra...)
	if name := l.Hostname[:min(l.HostnameLen, batch.MaxHostname)]; len(name) > 0 && printable(name) {
		b = append(b, "  client-hostname "...)
		b = appendQuoted(b, name)
		b = append(b, ";\n"...)
	}
	return append(b, "}\n"...)
}

// billingName is the variable of a record that keeps what a lease counts against:
// a hash, since the class's name and match value would be as long as the rest.
// dhcpd reads the statement without effect; its own "billing" is read here.
const billingName = "billing-instance"

// appendKey appends 16 hexadecimal digits.
func appendKey(b []byte, key uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[key>>shift&15])
	}
	return b
}

// clientID returns the identifier at its full length.
func clientID(l *batch.Lease) []byte {
	if l.ClientIDLen <= batch.MaxClientID {
		return l.ClientID[:l.ClientIDLen]
	}
	var full [255]byte
	copy(full[:], l.ClientID[:])
	return full[:l.ClientIDLen]
}

// appendTimes writes the three times in dhcpd's order. tstp, the time told to a
// failover peer, is left out: its reader takes ends for it.
func appendTimes(b []byte, l *batch.Lease) []byte {
	b = appendTime(b, "  starts ", l.Starts)
	b = appendTime(b, "  ends ", l.Ends)
	return appendTime(b, "  cltt ", l.CLTT)
}

// appendTime leaves out a time that is not known, as dhcpd does.
func appendTime(b []byte, key string, sec int64) []byte {
	if sec <= 0 {
		return b
	}
	return append(appendDate(append(b, key...), sec), '\n')
}

// appendState writes the state, and for a state that ends by time the one that
// follows: without it dhcpd would keep the address out of its pool for ever.
func appendState(b []byte, s batch.LeaseState) []byte {
	flag := ""
	switch s {
	case batch.LeaseReserved:
		s, flag = batch.LeaseActive, "  reserved;\n"
	case batch.LeaseBootp:
		s, flag = batch.LeaseActive, "  dynamic-bootp;\n"
	}
	b = append(b, "  binding state "...)
	b = append(b, StateName(s)...)
	b = append(b, ";\n"...)
	switch s {
	case batch.LeaseActive:
		b = append(b, "  next binding state free;\n  rewind binding state free;\n"...)
	case batch.LeaseExpired, batch.LeaseReleased, batch.LeaseAbandoned, batch.LeaseReset:
		b = append(b, "  next binding state free;\n"...)
	}
	return append(b, flag...)
}

// appendHardware writes the hardware address; a BOOTP record of a reserved or
// abandoned address may have none.
func appendHardware(b []byte, l *batch.Lease) []byte {
	if l.HW.Len == 0 {
		return b
	}
	b = append(b, "  hardware "...)
	if name, ok := hardwareNames[l.HW.Type]; ok {
		b = append(b, name...)
	} else {
		b = strconv.AppendUint(append(b, "unknown-"...), uint64(l.HW.Type), 10)
	}
	b = append(b, ' ')
	for i, v := range l.HW.Addr[:min(l.HW.Len, 16)] {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return append(b, ";\n"...)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends v as a string: backslash and quote escaped, what is not
// printable ASCII in octal. No line end ever stands in a string, so a record
// always begins on a line of its own.
func appendQuoted(b, v []byte) []byte {
	b = append(b, '"')
	for _, c := range v {
		switch {
		case c < 0x20 || c > 0x7e:
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// printable tells whether every byte is printable ASCII. dhcpd records no other
// host name, since tools take them from the file unescaped.
func printable(v []byte) bool {
	for _, c := range v {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
