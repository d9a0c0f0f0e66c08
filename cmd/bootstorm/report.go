package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"bootstorm/engine"
	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/fill"
	"bootstorm/engine/image"
	"bootstorm/engine/optiontext"
	"bootstorm/engine/plan"
	"bootstorm/engine/span"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// report prints what the core answered.
type report struct {
	out    io.Writer
	setup  *engine.Setup
	core   *core.Core
	link   plan.Link
	node   *node
	root   string
	answer core.Explanation
}

// itself marks what no line of the configuration decides.
const itself = "the server itself"

// Defaults of the server that the configuration can change.
const (
	defaultIPXE = "the server's default for iPXE; boot-hints off leaves it out"
	defaultUEFI = "the server's default for UEFI firmware; boot-hints off leaves it out"
)

// emptyIfNil returns the files of a setup, an empty set if they are not known.
func emptyIfNil(s *engine.Setup) *image.Set {
	if s.Files != nil {
		return s.Files
	}
	return image.Build(0, "", nil)
}

// print writes the whole answer: who asks, the reply or the reason for none, and
// whether its boot file can be had.
func (r *report) print() {
	fmt.Fprintf(r.out, "%s\n", r.who())
	fmt.Fprintf(r.out, "  heard on %s, configuration %s\n\n", r.heardOn(), r.setup.Source)
	if r.answer.Frame == nil {
		r.whyNot()
		return
	}
	fmt.Fprintln(r.out, r.answer.Reply)
	t := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	payload := r.answer.Frame[proto.HeadersLen:]
	r.header(t, dhcp.View(payload))
	r.options(t, payload)
	t.Flush()
	if r.answer.Advert {
		fmt.Fprintln(r.out, "\nits router solicitation (IPv6) is answered at once: there is no router "+
			"(the server's default for iPXE; ipv6-router-advertisement off leaves it unanswered)")
	}
	if r.answer.Repeated {
		fmt.Fprintf(r.out, "\nif nothing of the node follows within %s, the answer is sent once more "+
			"(the server's default for a booting node; repeat-answers off leaves it at one)\n", span.Exact(time.Duration(core.RepeatAfter)))
	}
	if r.answer.ARP {
		fmt.Fprintln(r.out, "\nif it asks for the server by ARP and the kernel does not answer, the server does "+
			"(its default; answer-arp off leaves that to the kernel)")
	}
	r.bootFile(dhcp.View(payload), payload)
}

// who describes the node and its message.
func (r *report) who() string {
	text := fmt.Sprintf("DISCOVER of %s", r.node.mac)
	if r.answer.Host >= 0 && int(r.answer.Host) < len(r.setup.Plan.Hosts) {
		text += " (host " + r.setup.Plan.Hosts[r.answer.Host].Name + ")"
	}
	if r.node.arch >= 0 {
		text += fmt.Sprintf(", architecture %d", r.node.arch)
		if name := optiontext.Archs[r.node.arch]; name != "" {
			text += " (" + name + ")"
		}
	}
	if r.answer.Client != core.ClientUnknown {
		text += ", " + r.answer.Client.String()
	}
	if r.node.relay != 0 {
		text += ", through the relay " + r.node.relay.String()
	}
	return text
}

// heardOn names the interface.
func (r *report) heardOn() string {
	at := "without an address"
	if len(r.link.Addrs) > 0 {
		at = r.link.Addrs[0].Addr.String()
	}
	if r.link.Name == assumed {
		return "an interface with the address " + at + " (assumed)"
	}
	return r.link.Name + " (" + at + ")"
}

// whyNot says why there is no reply.
func (r *report) whyNot() {
	if r.answer.Drop != "" {
		fmt.Fprintf(r.out, "NO REPLY: the message is not one for this server (%s)\n", r.answer.Drop)
		return
	}
	if r.answer.Reason == batch.ReasonNoSubnet && r.node.relay != 0 {
		fmt.Fprintf(r.out, "NO REPLY: no subnet is declared that the relay %s is in; add \"subnet … netmask … { range … ; }\" with its network\n", r.node.relay)
		return
	}
	// The daemon's log says it in the same words.
	e := batch.Event{Kind: batch.EventSilence, Reason: r.answer.Reason, Rule: r.answer.Rule, Addr: r.answer.Addr}
	advice := engine.Advice{Setup: r.setup, Links: []plan.Link{r.link}}
	fmt.Fprintf(r.out, "NO REPLY: %s\n", advice.Refusal(&e))
}

// header prints the fields of the fixed header that matter to a client.
func (r *report) header(w io.Writer, h *dhcp.Header) {
	r.line(w, "", "address (yiaddr)", h.YIAddr().String(), r.why())
	server := r.param(plan.NextServer)
	if r.answer.Marked {
		server = markedOnce
	}
	r.line(w, "", "server (siaddr)", h.SIAddr().String(), server)
	r.text(w, "boot file (file)", h.File()[:], plan.Filename)
	r.text(w, "server name (sname)", h.SName()[:], plan.ServerName)
	if h.GIAddr() != 0 {
		r.line(w, "", "relay (giaddr)", h.GIAddr().String(), "the request")
	}
	reach := "unicast to the node"
	if h.Flags()&dhcp.FlagBcast != 0 {
		reach = "broadcast"
	}
	r.line(w, "", "flags", reach, "the request")
}

// line prints one row: code, name, value, and what decided.
func (r *report) line(w io.Writer, code, name, value, origin string) {
	fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", code, name, value, origin)
}

// text prints a zero-padded field.
func (r *report) text(w io.Writer, name string, field []byte, p plan.Param) {
	field, _, _ = bytes.Cut(field, []byte{0})
	if len(field) == 0 {
		r.line(w, "", name, "-", "nothing sets it")
		return
	}
	origin := r.param(p)
	if p == plan.Filename && r.answer.Marked {
		origin = markedOnce
	}
	r.line(w, "", name, optiontext.Quote(field), origin)
}

// markedOnce is where a boot file comes from that no line of the configuration
// names.
const markedOnce = "for one boot, by \"bootstorm boot\"; --cancel takes it back"

// why says how the address was chosen.
func (r *report) why() string {
	a := &r.answer
	if a.Why == core.WhyFixed && a.Host >= 0 {
		return "fixed-address of its host, " + r.origin(r.setup.Plan.Hosts[a.Host].Origin)
	}
	reasons := map[core.Why]string{
		core.WhyExisting: "the lease or offer it holds", core.WhyPrevious: "the address it had before",
		core.WhyRequested: "the address it asks for", core.WhyLongest: "free, and unused for the longest time",
		core.WhyReclaimed: "out of service until now, but no other is free",
		core.WhyTakenBack: "offered to a client of whom nothing is known, but no other is free",
		core.WhyClaimed:   "used by somebody without a lease, but no other is free",
	}
	// The range that holds the address says which pool it came from.
	out := reasons[a.Why]
	if i := r.setup.Plan.RangeOf(a.Addr); i >= 0 {
		out += ", " + r.origin(r.setup.Plan.Ranges[i].Origin)
	}
	return out
}

// origin names a place of the configuration and its text.
func (r *report) origin(i int32) string {
	if i < 0 || int(i) >= len(r.setup.Plan.Origins) {
		return itself
	}
	o := &r.setup.Plan.Origins[i]
	return fmt.Sprintf("%s:%d: %s", o.File, o.Line, strings.TrimSuffix(o.Text, " {"))
}

// param says which line set a parameter, as of the message just evaluated.
func (r *report) param(p plan.Param) string {
	return r.origin(r.core.Eval().OriginOf(p))
}

// options prints the options in the order of the message.
func (r *report) options(w io.Writer, payload []byte) {
	// The order is the message's own: a client with a small buffer sees the
	// first ones only.
	names := optiontext.New(r.setup.Tree)
	// A configuration may have a space for each vendor class: this node's is known.
	if space, ok := r.core.Eval().Value(plan.VendorOptionSpace); ok {
		names = names.InVendorSpace(string(space))
	}
	for _, code := range optiontext.Order(payload) {
		var all dhcp.Options
		all.Parse(payload)
		v, _ := all.Get(code)
		for i, d := range names.Decode(code, v) {
			origin := ""
			switch {
			case r.answer.Hints&core.HintNoProxy != 0 && d.Code == noProxy:
				origin = defaultIPXE // the rest of the option may be the configuration's
			case i == 0:
				origin = r.optionOrigin(code)
			}
			r.line(w, d.Code, d.Name, d.Value, origin)
		}
	}
}

// noProxy is how package optiontext names the sub-option that the server adds for iPXE.
const noProxy = "175.176"

// optionOrigin says what decided an option. Lease time and identity are the
// server's to compute, from parameters that the configuration may set.
func (r *report) optionOrigin(code byte) string {
	if i := r.core.Eval().OriginOfOption(code); i >= 0 {
		return r.origin(i)
	}
	switch {
	case code == dhcp.OptLeaseTime:
		return r.leaseTime()
	case code == dhcp.OptEncapsulatedIPXE && r.answer.Hints&core.HintNoProxy != 0:
		return defaultIPXE
	case code == dhcp.OptBootSize && r.answer.Hints&core.HintBootSize != 0:
		return defaultUEFI
	}
	return itself
}

// leaseTime finds the parameter that the lease time comes from: what a client
// without a wish gets is the default, kept within the limits; who has a lease
// that runs longer keeps that.
func (r *report) leaseTime() string {
	for _, p := range []plan.Param{plan.DefaultLeaseTime, plan.MaxLeaseTime, plan.MinLeaseTime} {
		if v, ok := r.core.Eval().Uint32(p); ok && v == r.answer.Seconds {
			return r.param(p)
		}
	}
	if r.answer.Why == core.WhyExisting {
		return "what is left of its lease"
	}
	return itself
}

// bootFile says whether the file that the reply names can be loaded from here.
func (r *report) bootFile(h *dhcp.Header, payload []byte) {
	// A reply that is right in itself is no help to a node whose file is not
	// there: the most frequent mistake of all.
	name := r.fileName(h, payload)
	switch {
	case name == "" && r.node.arch >= 0:
		fmt.Fprintf(r.out, "\nNO BOOT FILE: the configuration names none for this client, so it gets an address but will not boot from the network; "+
			"add a \"filename\" for %s\n", r.kind())
	case name == "" || r.setup.Files == nil:
	case h.SIAddr() != 0 && len(r.link.Addrs) > 0 && h.SIAddr() != r.link.Addrs[0].Addr && r.link.Name != assumed:
		fmt.Fprintf(r.out, "\nboot file %q is loaded from %s, another server\n", name, h.SIAddr())
	default:
		r.inRoot(name)
	}
}

// inRoot says whether the file is among those that are served.
func (r *report) inRoot(name string) {
	if i, ok := r.setup.Files.Lookup([]byte(name)); ok {
		f := r.setup.Files.File(i)
		if f.Template {
			fmt.Fprintf(r.out, "\nboot file %q is there: filled in for the node from %s\n", name, f.Name+fill.Suffix)
			return
		}
		fmt.Fprintf(r.out, "\nboot file %q is there: %d bytes\n", name, len(f.Data))
		return
	}
	fmt.Fprintf(r.out, "\nNO FILE: %q is not below %s: the node will not boot; put it there\n", name, r.root)
}

// fileName is the boot file of the reply: option 67 or the header.
func (r *report) fileName(h *dhcp.Header, payload []byte) string {
	var all dhcp.Options
	all.Parse(payload)
	v, ok := all.Get(dhcp.OptBootfileName)
	if !ok {
		v = h.File()[:]
	}
	v, _, _ = bytes.Cut(v, []byte{0})
	return string(v)
}

// kind says in dhcpd.conf's terms what tells this client from others.
func (r *report) kind() string {
	if r.node.ipxe() {
		return "user class \"iPXE\""
	}
	return fmt.Sprintf("option arch %02x:%02x", r.node.arch>>8, r.node.arch&0xff)
}
