package lease

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// draft is a record while its statements are read.
type draft struct {
	lease           batch.Lease
	stated          bool // a binding state was given
	reserved, bootp bool
	extra           []byte // statements that batch.Lease has no place for, as written
}

// rules says what each statement of a record does. dhcpd gives up a record with
// a statement that it does not know, and so do we: a flipped bit in "binding"
// must not turn a lease into a free address.
var rules = map[string]func(d *draft, args []token) bool{
	"starts":          func(d *draft, a []token) bool { return parseDate(a, &d.lease.Starts) },
	"ends":            func(d *draft, a []token) bool { return parseDate(a, &d.lease.Ends) },
	"cltt":            func(d *draft, a []token) bool { return parseDate(a, &d.lease.CLTT) },
	"binding":         (*draft).binding,
	"hardware":        (*draft).hardware,
	"uid":             (*draft).uid,
	"client-hostname": (*draft).hostname,
	"set":             (*draft).set,
	"abandoned":       (*draft).abandoned,
	"reserved":        func(d *draft, _ []token) bool { d.reserved = true; return true },
	"dynamic-bootp":   func(d *draft, _ []token) bool { d.bootp = true; return true },
	"bootp":           func(d *draft, _ []token) bool { d.bootp = true; return true },
	"next":            ignored,
	"rewind":          ignored,
	"timestamp":       ignored,
	"tstp":            ignored,
	"tsfp":            kept,
	"atsfp":           kept,
	"class":           ignored,
	"billing":         (*draft).billing,
	"on":              kept,
	"option":          kept,
	"supersede":       kept,
	"ddns-fwd-name":   kept,
	"ddns-rev-name":   kept,
}

// ignored is the rule of statements that the record's own fields replace.
func ignored(*draft, []token) bool { return true }

// kept is the rule of statements that are carried along unread.
func kept(*draft, []token) bool { return true }

// carried tells whether a statement belongs to the extra text.
func carried(key string, args []token) bool {
	switch key {
	case "tsfp", "atsfp", "billing", "on", "option", "supersede", "ddns-fwd-name", "ddns-rev-name":
		return true
	}
	return key == "set" && len(args) > 0 && string(args[0].val) != "vendor-class-identifier" && string(args[0].val) != billingName
}

// apply reads one statement into the draft.
func (d *draft) apply(src []byte, st statement) *fault {
	if len(st.toks) == 0 {
		return nil // a lone semicolon
	}
	key := string(st.toks[0].val)
	rule, known := rules[key]
	if !known || st.toks[0].kind != tokWord {
		return &fault{st.off, fmt.Sprintf("unknown statement %q", cut(st.toks[0].val))}
	}
	args := st.toks[1:]
	if !rule(d, args) {
		return &fault{st.off, fmt.Sprintf("cannot read %q", cut(src[st.off:st.end]))}
	}
	if carried(key, args) {
		d.extra = append(append(append(d.extra, "  "...), src[st.off:st.end]...), '\n')
	}
	return nil
}

// finish settles the state as dhcpd does: a record without one is active while
// it runs, and the flags of a BOOTP or reserved lease are states here.
func (d *draft) finish(now int64) {
	if !d.stated && d.lease.Ends > now {
		d.lease.State = batch.LeaseActive
	}
	// With both flags the lease is a reserved one: that is the one that must
	// never be given to another client.
	if d.lease.State == batch.LeaseActive && d.bootp {
		d.lease.State = batch.LeaseBootp
	}
	if d.lease.State == batch.LeaseActive && d.reserved {
		d.lease.State = batch.LeaseReserved
	}
}

// binding reads "binding state NAME". A state that is not known spoils the
// record: to guess could give an address away twice.
func (d *draft) binding(args []token) bool {
	if len(args) != 2 || string(args[0].val) != "state" {
		return false
	}
	for s, name := range stateNames {
		if string(args[1].val) == name {
			d.lease.State, d.stated = batch.LeaseState(s), true
			return true
		}
	}
	return false
}

// abandoned reads the one-word form that dhcpd 3.0 wrote.
func (d *draft) abandoned([]token) bool {
	d.lease.State, d.stated = batch.LeaseAbandoned, true
	return true
}

// hardware reads "hardware TYPE ADDRESS". dhcpd writes a type without an
// address for infiniband, whose addresses do not fit the header.
func (d *draft) hardware(args []token) bool {
	if len(args) == 0 {
		return false
	}
	hw := dhcp.HW{}
	var ok bool
	if hw.Type, ok = hardwareType(string(args[0].val)); !ok {
		return false
	}
	var raw []byte
	if len(args) == 2 {
		if raw, ok = parseHex(args[1].val); !ok || len(raw) > len(hw.Addr) {
			return false
		}
	}
	hw.Len = byte(copy(hw.Addr[:], raw))
	d.lease.HW = hw
	return len(args) <= 2
}

// uid reads a client identifier, quoted or as hexadecimal bytes.
func (d *draft) uid(args []token) bool {
	if len(args) != 1 {
		return false
	}
	raw := args[0].val
	if args[0].kind == tokWord {
		var ok bool
		if raw, ok = parseHex(raw); !ok {
			return false
		}
	}
	copy(d.lease.ClientID[:], raw)
	d.lease.ClientIDLen = byte(min(len(raw), 255))
	return true
}

// hostname reads the client's own name, quoted or, as dhcpd 2 wrote it, bare.
func (d *draft) hostname(args []token) bool {
	if len(args) != 1 {
		return false
	}
	d.lease.HostnameLen = byte(copy(d.lease.Hostname[:], args[0].val))
	return true
}

// billing reads what dhcpd counts a lease against: "billing class NAME", or
// "billing subclass NAME VALUE". Its statement is carried along as well.
func (d *draft) billing(args []token) bool {
	switch {
	case len(args) == 2 && string(args[0].val) == "class":
		d.lease.Billing = plan.InstanceKey(string(args[1].val), nil)
	case len(args) == 3 && string(args[0].val) == "subclass":
		v := args[2].val
		if args[2].kind == tokWord {
			v, _ = parseHex(v)
		}
		d.lease.Billing = plan.InstanceKey(string(args[1].val), v)
	}
	return true
}

// set reads "set NAME = VALUE"; only the vendor class and what the lease counts
// against are of use here, other variables belong to the extra text.
func (d *draft) set(args []token) bool {
	if len(args) < 3 || !args[1].is('=') {
		return false
	}
	if string(args[0].val) == "vendor-class-identifier" {
		d.lease.VendorLen = byte(copy(d.lease.Vendor[:], args[2].val))
	}
	if string(args[0].val) == billingName {
		key, err := strconv.ParseUint(string(args[2].val), 16, 64)
		d.lease.Billing = key
		return err == nil
	}
	return true
}

// parseAddr reads a dotted IPv4 address.
func parseAddr(b []byte) (proto.Addr, bool) {
	parts := bytes.Split(b, []byte{'.'})
	if len(parts) != 4 {
		return 0, false
	}
	var a proto.Addr
	for _, part := range parts {
		n, err := strconv.ParseUint(string(part), 10, 8)
		if err != nil {
			return 0, false
		}
		a = a<<8 | proto.Addr(n)
	}
	return a, true
}

// parseHex reads colon-separated hexadecimal bytes, of one or two digits each.
func parseHex(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return nil, true
	}
	var out []byte
	for part := range bytes.SplitSeq(b, []byte{':'}) {
		n, err := strconv.ParseUint(string(part), 16, 8)
		if err != nil {
			return nil, false
		}
		out = append(out, byte(n))
	}
	return out, true
}

// hardwareType reads the name of a hardware type as dhcpd writes it.
func hardwareType(name string) (byte, bool) {
	for t, n := range hardwareNames {
		if n == name {
			return t, true
		}
	}
	digits, ok := strings.CutPrefix(name, "unknown-")
	n, err := strconv.ParseUint(digits, 10, 8)
	return byte(n), ok && err == nil
}
