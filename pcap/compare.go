package pcap

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// reply is a DHCP answer of one side.
type reply struct {
	message
	fields  []Field // those of the message and how it was delivered
	request string  // what it answers
	record  int     // index of the client's frame
	at      int64   // its time
	mac     proto.MAC
	paired  bool
}

// name is the answer's kind as differences call it.
func (r *reply) name() string {
	if r.typ == dhcp.BOOTP {
		return "BOOTREPLY"
	}
	return r.typ.String()
}

// delivery describes by what addresses an answer travelled, relative to its
// content, so that two servers' choices compare.
func delivery(b []byte, v *view, m *message) []Field {
	to := dstMAC(b).String()
	switch dstMAC(b) {
	case proto.Broadcast:
		to = "broadcast"
	case m.mac():
		to = "chaddr"
	}
	// In this order: an address that is both new and old is told as the new one.
	h := dhcp.View(v.body(b))
	ip := v.dst.String()
	switch v.dst {
	case proto.Limited:
	case h.YIAddr():
		ip = "yiaddr"
	case h.CIAddr():
		ip = "ciaddr"
	case h.GIAddr():
		ip = "giaddr"
	}
	return []Field{
		{"sent to", fmt.Sprintf("%s %s:%d", to, ip, v.dstPort)},
		{"sent from", fmt.Sprintf("%s:%d", v.src, v.srcPort)},
		{"length", strconv.Itoa(v.length)},
	}
}

// pair matches our answers with the captured server's: same transaction,
// hardware address and type; of several, first one that answers an equal
// request (the answer repeats its secs), else in order.
func pair(ours, theirs []*reply) (with map[*reply]*reply) {
	open := make(map[identity][]*reply)
	for _, r := range ours {
		open[r.identity] = append(open[r.identity], r)
	}
	with = make(map[*reply]*reply)
	for _, t := range theirs {
		list := open[t.identity]
		if len(list) == 0 {
			continue
		}
		best := 0
		for i, o := range list {
			if o.secs == t.secs {
				best = i
				break
			}
		}
		// Each answer of ours stands for one of theirs.
		with[t], list[best].paired = list[best], true
		open[t.identity] = append(list[:best:best], list[best+1:]...)
	}
	return with
}

// compareDHCP lists the differences between two servers' answers.
func compareDHCP(ours, theirs []*reply) (list []Difference) {
	with := pair(ours, theirs)
	for _, t := range theirs {
		d := t.difference()
		o := with[t]
		if o == nil {
			d.Field, d.Ours, d.Theirs = "missing", Absent, "yiaddr "+t.yiaddr.String()
			list = append(list, d)
			continue
		}
		list = append(list, d.fields(o.fields, t.fields)...)
	}
	for _, o := range ours {
		if !o.paired {
			d := o.difference()
			d.Field, d.Ours, d.Theirs = "extra", "yiaddr "+o.yiaddr.String(), Absent
			list = append(list, d)
		}
	}
	return list
}

// difference begins the differences of one answer: everything but the field.
func (r *reply) difference() Difference {
	return Difference{Record: r.record + 1, At: r.at, Client: r.mac.String(), Message: r.name(), Request: r.request}
}

// fields lists the fields in which two messages differ. A field that occurs
// twice is compared as one.
func (d Difference) fields(ours, theirs []Field) (list []Difference) {
	o, names := merge(ours, nil)
	t, names := merge(theirs, names)
	for _, name := range names {
		a, inOurs := o[name]
		b, inTheirs := t[name]
		if name == orderOfOptions {
			a, b = common(a, b), common(b, a)
		}
		if inOurs && inTheirs && a == b {
			continue
		}
		d.Field, d.Ours, d.Theirs = name, a, b
		if !inOurs {
			d.Ours = Absent
		}
		if !inTheirs {
			d.Theirs = Absent
		}
		list = append(list, d)
	}
	return list
}

// common keeps those of the comma-separated words that other has too: an option
// that one side lacks is a difference of its own, not one of the order.
func common(list, other string) string {
	var kept []string
	for _, word := range strings.Split(list, ",") {
		if slices.Contains(strings.Split(other, ","), word) {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, ",")
}

// merge indexes fields by name and appends names not seen yet.
func merge(fields []Field, names []string) (map[string]string, []string) {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	values := make(map[string]string, len(fields))
	for _, f := range fields {
		if old, twice := values[f.Name]; twice {
			values[f.Name] = old + " " + f.Value
			continue
		}
		values[f.Name] = f.Value
		if !seen[f.Name] {
			seen[f.Name] = true
			names = append(names, f.Name)
		}
	}
	return values, names
}

// compare lists the differences of one TFTP exchange. contents tells that our
// files are the real ones, so that bytes are comparable.
func (e *exchange) compare(contents bool) (list []Difference) {
	d := Difference{Record: e.record + 1, At: e.at, Client: e.mac.String(), Request: e.request.describe()}
	list = append(list, d.presence("OACK", e.ours.oacked, e.theirs.oacked, optionText(e.ours.oack), optionText(e.theirs.oack))...)
	if e.ours.oacked && e.theirs.oacked {
		d.Message = "OACK"
		list = append(list, d.fields(lower(e.ours.oack), lower(e.theirs.oack))...)
	}
	list = append(list, d.presence("ACK", e.ours.acked, e.theirs.acked, "0", "0")...)
	list = append(list, d.presence("UNREACHABLE", e.ours.unreachable, e.theirs.unreachable, "port", "port")...)
	list = append(list, d.presence("ERROR", e.ours.failed, e.theirs.failed, e.ours.failure(), e.theirs.failure())...)
	if e.ours.failed && e.theirs.failed {
		d.Message = "ERROR"
		list = append(list, d.fields(e.ours.failureFields(), e.theirs.failureFields())...)
	}
	list = append(list, e.compareData(d, contents)...)
	if e.ours.repeats != e.theirs.repeats {
		d.Message, d.Field = "TFTP", "repeats"
		d.Ours, d.Theirs = strconv.Itoa(e.ours.repeats), strconv.Itoa(e.theirs.repeats)
		list = append(list, d)
	}
	return list
}

// presence is the difference of a message that only one side sent.
func (d Difference) presence(message string, ours, theirs bool, a, b string) []Difference {
	if ours == theirs {
		return nil
	}
	d.Message, d.Field, d.Ours, d.Theirs = message, "missing", Absent, b
	if ours {
		d.Field, d.Ours, d.Theirs = "extra", a, Absent
	}
	return []Difference{d}
}

// failure is an ERROR in one line, for a side that sent one alone.
func (s *side) failure() string { return fmt.Sprintf("%d %s", s.code, clean(s.text)) }

// failureFields are what two ERRORs are compared by. The code matters to
// clients (U-Boot starts over on codes other than 1 and 2), the text to people.
func (s *side) failureFields() []Field {
	return []Field{{"code", strconv.Itoa(int(s.code))}, {"text", clean(s.text)}}
}

// lower makes option names comparable: RFC 2347 has them in any case, and a
// server may return them as the client wrote them or not.
func lower(options []Field) []Field {
	f := make([]Field, len(options))
	for i, o := range options {
		f[i] = Field{strings.ToLower(o.Name), clean(o.Value)}
	}
	return f
}

// optionText is an OACK in one line, for a side that sent one alone.
func optionText(options []Field) string {
	var parts []string
	for _, o := range lower(options) {
		parts = append(parts, o.Name+"="+o.Value)
	}
	return strings.Join(parts, " ")
}

// compareData compares two block sequences. When the sides agreed on different
// block sizes, that is one difference, already listed, and not one per block.
func (e *exchange) compareData(d Difference, contents bool) (list []Difference) {
	// Counts instead of one difference per block: a missing tail of a file would
	// otherwise bury everything else.
	d.Message = "DATA"
	list = append(list, d.presence("DATA", e.ours.last > 0, e.theirs.last > 0, "yes", "yes")...)
	if len(list) > 0 || e.ours.blksize() != e.theirs.blksize() {
		return list
	}
	missing, differ, ours, theirs := e.compareBlocks(contents)
	if missing > 0 {
		d.Field, d.Ours, d.Theirs = "blocks missing", Absent, strconv.Itoa(missing)
		list = append(list, d)
	}
	if ours != theirs {
		d.Field, d.Ours, d.Theirs = "block length", strconv.Itoa(ours), strconv.Itoa(theirs)
		list = append(list, d)
	}
	if differ > 0 {
		d.Field, d.Ours, d.Theirs = "bytes", fmt.Sprintf("%d blocks differ", differ), Absent
		list = append(list, d)
	}
	return append(list, e.extraData(d)...)
}

// compareBlocks counts the blocks that we did not send and those whose bytes
// differ, and returns the lengths of the last one whose length differs.
func (e *exchange) compareBlocks(contents bool) (missing, differ, ours, theirs int) {
	for i := 1; i <= e.theirs.last; i++ {
		t, sent := e.theirs.blocks[i]
		o, ok := e.ours.blocks[i]
		switch {
		case !sent: // an excerpt's gap
		case !ok:
			missing++
		case o.length != t.length:
			ours, theirs = o.length, t.length
		case contents && t.known && o.known && t.sum != o.sum:
			differ++
		}
	}
	return missing, differ, ours, theirs
}

// extraData counts the blocks that only our side sent, without those that an
// excerpt leaves out of the capture.
func (e *exchange) extraData(d Difference) []Difference {
	extra := 0
	for i := range e.ours.blocks {
		if i > e.theirs.last {
			extra++
		}
	}
	if extra == 0 {
		return nil
	}
	d.Field, d.Ours, d.Theirs = "blocks extra", strconv.Itoa(extra), Absent
	return []Difference{d}
}
