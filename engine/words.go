package engine

import (
	"fmt"
	"math/bits"
	"strings"

	"go.uber.org/zap"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/fill"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// quietReasons are refusals that belong to the protocol: a client of another
// server, one that is told to ask anew. They are details, not warnings.
var quietReasons = map[batch.Reason]bool{
	batch.ReasonNone: true, batch.ReasonOtherServer: true, batch.ReasonUnknownLease: true,
	batch.ReasonNotOurAddress: true, batch.ReasonTaken: true, batch.ReasonIgnored: true,
}

// refused logs a message that got a NAK or no answer.
func (o *observer) refused(e *batch.Event) {
	if quietReasons[e.Reason] {
		o.detail(e)
		return
	}
	text := Advice{Setup: o.view.Load().setup, Links: o.view.Load().links}.Refusal(e)
	kind := dhcp.Type(e.Value)
	answer := "is left without answer"
	if e.Kind == batch.EventNak {
		kind, answer = dhcp.Request, "is refused"
	}
	o.once(e, fmt.Sprint(e.Kind, e.Reason, e.Rule, e.Link), fmt.Sprintf("%v of %s %s: %s", kind, o.node(e), answer, text))
}

// warn logs the events that somebody may have to act on.
func (o *observer) warn(e *batch.Event) {
	v := o.view.Load()
	switch e.Kind {
	case batch.EventNotFound:
		o.once(e, "missing"+name(e), o.node(e)+" asks for "+notFound(v, e))
	case batch.EventConflict:
		o.once(e, fmt.Sprint(e.Kind, e.Addr), conflict(e))
	case batch.EventExcess:
		o.once(e, fmt.Sprint(e.Kind, e.Extra), excess(e, o.node(e)))
	case batch.EventRogue:
		o.once(e, fmt.Sprint(e.Kind, e.Addr, hwText(hw(e))), rogueServer(e))
	case batch.EventRival:
		o.once(e, fmt.Sprint(e.Kind, hwText(hw(e))), o.node(e)+" "+rival(e))
	case batch.EventDoubtful:
		o.once(e, fmt.Sprint(e.Kind), doubtful(e))
	case batch.EventAbandoned:
		o.once(e, fmt.Sprint(e.Kind, e.Addr), abandoned(e))
	case batch.EventTransferError:
		o.once(e, fmt.Sprint("transfer", e.Extra, name(e)), fmt.Sprintf("%s to %s broke off after %s: %s", name(e), o.node(e), size(e.Value), brokeOff(e)))
	case batch.EventRefused:
		o.once(e, fmt.Sprint("refused", e.Extra, name(e)), fmt.Sprintf("TFTP request of %s for %q is refused: %s", o.node(e), name(e), tftpError(e.Extra)))
	case batch.EventFull:
		o.once(e, fmt.Sprint(e.Kind, e.Reason), fmt.Sprintf("%s must ask again: %s", o.node(e), full(e.Reason)))
	default:
		o.log.Debug("unknown event", zap.Int("kind", int(e.Kind)))
	}
}

// words explains an event to somebody who looks at the node that it is about:
// what the log says without the node's name. It is for the events that
// feed.Explained names.
func (o *observer) words(e *batch.Event) string {
	v := o.view.Load()
	switch e.Kind {
	case batch.EventNak, batch.EventSilence:
		return Advice{Setup: v.setup, Links: v.links}.Refusal(e)
	case batch.EventNotFound:
		return "it asks for " + notFound(v, e)
	case batch.EventConflict:
		return conflict(e)
	case batch.EventRival:
		return "it " + rival(e)
	case batch.EventAbandoned:
		return abandoned(e)
	case batch.EventTransferError:
		return brokeOff(e)
	case batch.EventRefused:
		return fmt.Sprintf("its request for %q is refused: %s", name(e), tftpError(e.Extra))
	case batch.EventFull:
		return full(e.Reason)
	}
	return ""
}

// excess says who sends too much.
func excess(e *batch.Event, who string) string {
	what, statement := "DHCP messages", "dhcp-rate-limit"
	if e.Extra == proto.PortTFTP {
		what, statement = "TFTP requests", "tftp-rate-limit"
	}
	return fmt.Sprintf("%s sends more than %d %s a second, as no boot does: what exceeds that is dropped until it is quiet; "+
		"look at that machine, or at the network for a loop; %s sets the limit", who, e.Value, what, statement)
}

// rogueServer says which other server answers, and what to do.
func rogueServer(e *batch.Event) string {
	return fmt.Sprintf("another DHCP server answers on this network: %s at %s sent %s with address %s; nodes that follow it do not boot from here. "+
		"Find it by that MAC in the switch's table and stop it; if it is meant to be there, write \"permitted-servers %s;\" into the configuration",
		e.Addr, hwText(hw(e)), dhcp.Type(e.Value), proto.Addr(e.Extra), e.Addr)
}

// rival says which other server answered a node.
func rival(e *batch.Event) string {
	return fmt.Sprintf("was answered by another DHCP server, %s: %s with address %s; if it does not boot, that is why",
		e.Addr, dhcp.Type(e.Value), proto.Addr(e.Extra))
}

// doubtful says that conflicts are not believed any more.
func doubtful(e *batch.Event) string {
	return fmt.Sprintf("more address conflicts are reported than can be true, the last by %s for %s: beyond %d an hour they are not believed, and the addresses stay in service; "+
		"find that machine: it answers ARP for addresses that are not its own, or declines every offer", hwText(hw(e)), e.Addr, e.Value)
}

// notFound names the file that was asked for, and what may have been meant.
func notFound(v *view, e *batch.Event) string {
	if e.Reason == batch.ReasonNotFilled {
		return fmt.Sprintf("%q, which could not be filled in for it: see the log's warning about %s", name(e), name(e)+fill.Suffix)
	}
	text := fmt.Sprintf("%q, which is not there", name(e))
	if v.setup.Files == nil {
		return text
	}
	if near := nearest(v.setup.Files, name(e)); near != "" {
		return text + fmt.Sprintf("; did you mean %q? Correct the name in the configuration or the boot script, or put the file into %s", near, v.setup.Files.Root)
	}
	return text + fmt.Sprintf("; put it into %s, or ignore this if the client only tries its luck", v.setup.Files.Root)
}

// conflict says who uses an address of somebody else.
func conflict(e *batch.Event) string {
	if e.Reason == batch.ReasonServerAddress {
		return fmt.Sprintf("%s, the address of this server, is used by %s too: nodes reach the one or the other; "+
			"find that machine by its MAC and give it another address", e.Addr, hwText(hw(e)))
	}
	return fmt.Sprintf("address conflict: %s is used by %s, to whom it is not leased; "+
		"give that machine another address, or take this one out of the configuration", e.Addr, hwText(hw(e)))
}

// abandoned says which address is out of service, and why.
func abandoned(e *batch.Event) string {
	return fmt.Sprintf("%s is taken out of service for a day: %s", e.Addr, abandonedFor(e.Reason))
}

// brokeOff says why a transfer did not come to its end.
func brokeOff(e *batch.Event) string {
	switch e.Extra { // an error code, or one of the two other ways to end
	case transfer.EndedByICMP:
		return "the client closed its port; it rebooted, or its loader gave up"
	case transfer.EndedByTime:
		return "the client fell silent; look at its console, its link and the switch"
	}
	return fmt.Sprintf("the client ended it with TFTP error %d (%s)", e.Extra, tftpError(e.Extra))
}

// tftpError explains an error code of RFC 1350 and RFC 2347.
func tftpError(code uint32) string {
	texts := []string{"not defined", "file not found", "access violation: this server is read-only and serves nothing outside its root",
		"disk full", "illegal operation", "unknown transfer", "file exists", "no such user", "option refused"}
	if int(code) < len(texts) {
		return texts[code]
	}
	return fmt.Sprintf("code %d", code)
}

// abandonedFor says why an address was taken out of service.
func abandonedFor(r batch.Reason) string {
	if r == batch.ReasonDeclinedByClient {
		return "the client found it in use (DHCPDECLINE); look for a machine with that address set by hand"
	}
	return "a machine that it is not leased to answers for it; look for a machine with that address set by hand"
}

// full says which table is full and what to do.
func full(r batch.Reason) string {
	switch r {
	case batch.ReasonTransfersFull:
		return "all transfers that this server can have at a time are in use, or the three quarters of them that are for clients without an address from here"
	case batch.ReasonNotFilled:
		return "its file is filled in for it now; it gets it when it asks again"
	case batch.ReasonHoldFull:
		return "too many acknowledgements wait for the disk; put the lease file on a faster one"
	case batch.ReasonNoJournal:
		return "the lease file cannot be written, and no lease is given that would not survive a crash; see the message about the lease file"
	}
	return "a table is full"
}

// Advice puts refusals into words, with what to change in the configuration.
type Advice struct {
	Setup *Setup
	Links []plan.Link
}

// Refusal says why a message was refused and what to do about it.
func (a Advice) Refusal(e *batch.Event) string {
	switch e.Reason {
	case batch.ReasonNoSubnet:
		return a.noSubnet(e)
	case batch.ReasonNoFreeAddress:
		return "no address is free: " + a.pools(e) + "; widen a range, shorten max-lease-time, or remove leases of machines that are gone"
	case batch.ReasonNotPermitted:
		return "no pool admits this client" + a.by(e.Rule) + "; change the pool's allow and deny statements, or declare the host"
	case batch.ReasonDenied:
		return "the configuration denies it" + a.by(e.Rule)
	case batch.ReasonIgnored:
		return "the configuration tells to ignore it" + a.by(e.Rule)
	case batch.ReasonLeaseLimit:
		return "its class has as many leases as \"lease limit\" grants" + a.by(e.Rule)
	case batch.ReasonDuplicateAddress:
		return fmt.Sprintf("%s is in use by another machine", e.Addr)
	case batch.ReasonMalformed:
		return "the message is incomplete or its options cannot be read"
	case batch.ReasonOtherServer:
		if e.Extra != 0 {
			return fmt.Sprintf("the client chose another DHCP server, %s", proto.Addr(e.Extra))
		}
		return "the client chose another DHCP server"
	case batch.ReasonNotOurAddress:
		return fmt.Sprintf("%s is not an address for the network that the client is on", e.Addr)
	case batch.ReasonUnknownLease:
		return "nothing is known of that lease, and the server is not authoritative (dhcpd.conf(5)), so another server may know"
	case batch.ReasonTaken:
		return fmt.Sprintf("%s is leased to somebody else", e.Addr)
	}
	return full(e.Reason)
}

// by names the statement that decided.
func (a Advice) by(rule int32) string {
	if a.Setup == nil || a.Setup.Plan == nil || rule < 0 || int(rule) >= len(a.Setup.Plan.Origins) {
		return ""
	}
	return ", by " + place(&a.Setup.Plan.Origins[rule])
}

// noSubnet says which declaration is missing.
func (a Advice) noSubnet(e *batch.Event) string {
	if int(e.Link) >= len(a.Links) {
		return "no subnet is declared for its network"
	}
	l := &a.Links[e.Link]
	if len(l.Addrs) == 0 {
		return fmt.Sprintf("interface %s has no address; give it one", l.Name)
	}
	first := l.Addrs[0]
	return fmt.Sprintf("no subnet is declared for interface %s (%s) or the relay; add \"subnet %s netmask %s { range … ; }\" to the configuration",
		l.Name, cidr(first), first.Addr&first.Mask, first.Mask)
}

// pools describes the pools of the network that the event's interface is on.
func (a Advice) pools(e *batch.Event) string {
	if a.Setup == nil || a.Setup.Plan == nil {
		return "every pool is used up"
	}
	// dhcpd says "no free leases" and leaves it to the operator to find out
	// which pool is meant and how large it is.
	network := a.network(e)
	var parts []string
	for i := range a.Setup.Plan.Ranges {
		r := &a.Setup.Plan.Ranges[i]
		s := &a.Setup.Plan.Subnets[r.Subnet]
		if network >= 0 && s.Network != network {
			continue
		}
		parts = append(parts, fmt.Sprintf("all %d of %s to %s (subnet %s/%d)", r.Last-r.First+1, r.First, r.Last, s.Net, bits.OnesCount32(uint32(s.Mask))))
	}
	if parts == nil {
		return "the subnet declares no range"
	}
	const most = 3
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more ranges", len(parts)-most))
	}
	return strings.Join(parts, ", ") + " are leased, offered or out of service"
}

// network finds the network of the event's interface, -1 if that is not known,
// as for a relayed message.
func (a Advice) network(e *batch.Event) int32 {
	if int(e.Link) >= len(a.Links) {
		return -1
	}
	for _, own := range a.Links[e.Link].Addrs {
		for i := range a.Setup.Plan.Subnets {
			if s := &a.Setup.Plan.Subnets[i]; s.Contains(own.Addr) {
				return s.Network
			}
		}
	}
	return -1
}
