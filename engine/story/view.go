package story

import (
	"fmt"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/span"
	"bootstorm/proto/dhcp"
)

// view is a node as it is shown.
func (b *Book) view(n *node, now int64, steps bool) Node {
	v := Node{
		Host: b.hosts[n.hw], Stage: stageNames[n.stage], Phase: phaseNames[n.phase], State: stateNames[n.state],
		Started: b.clock.wall(n.started), Since: b.clock.wall(n.since), Seen: b.clock.wall(n.seen),
		File: b.text(n.file), Bytes: n.bytes, Resent: int(n.resent), Asked: int(n.again), Boots: int(n.boots),
		Reason: b.reason(n), Expected: b.expected(n, now),
	}
	if n.hw.n > 0 {
		v.MAC = n.hw.String()
	}
	if n.addr != 0 {
		v.Address = n.addr.String()
	}
	if n.client != core.ClientUnknown {
		v.Client = n.client.String()
	}
	if n.state == done {
		v.Finished = b.clock.wall(n.ended)
	}
	switch {
	case n.size > 0:
		v.Percent = min(100*float64(n.got)/float64(n.size), 100)
	case n.file != 0 && n.phase >= between: // an empty file
		v.Percent = 100
	}
	if n.took > 0 {
		v.Rate = float64(n.got) / float64(n.took) * float64(second)
	}
	if s := n.lastStep(); s != nil {
		v.Last = b.stepText(s)
	}
	if steps {
		v.Omitted = int(n.omitted)
		v.Steps = make([]Step, 0, len(n.steps))
		n.eachStep(func(s *step) { v.Steps = append(v.Steps, b.step(s)) })
	}
	return v
}

// step is a line as it is shown.
func (b *Book) step(s *step) Step {
	v := Step{At: b.clock.wall(s.at), Kind: s.kind.String(), Text: b.stepText(s), File: b.text(s.file), Bad: bad(s)}
	switch s.kind {
	case batch.EventTransferDone:
		v.Bytes, v.Took, v.Resent = s.bytes, time.Duration(s.took), int(s.extra)
	case batch.EventTransferError:
		v.Bytes, v.Took = s.bytes, time.Duration(s.took)
	}
	return v
}

// bad tells whether a line is a refusal, an error or a conflict.
func bad(s *step) bool {
	switch s.kind {
	case batch.EventNak, batch.EventDecline, batch.EventConflict, batch.EventAbandoned, batch.EventTransferError,
		batch.EventNotFound, batch.EventRefused, batch.EventFull, batch.EventRival:
		return true
	case batch.EventSilence:
		return s.reason != batch.ReasonUnknownLease && s.reason != batch.ReasonNone
	}
	return false
}

// stepText puts a line into words.
func (b *Book) stepText(s *step) string {
	text := b.stepWords(s)
	if s.times > 1 {
		text += fmt.Sprintf(", %d times", s.times)
	}
	return text
}

// stepWords puts the event of a line into words.
func (b *Book) stepWords(s *step) string {
	switch s.kind {
	case batch.EventDiscover:
		return "asked for an address (DISCOVER)" + asWhom(s)
	case batch.EventOffer:
		if s.file == 0 && s.stage != stageSystem {
			return "was offered " + s.addr.String() + " (OFFER), without a boot file"
		}
		return "was offered " + s.addr.String() + " (OFFER)"
	case batch.EventRequest:
		return "took " + s.addr.String() + " (REQUEST)"
	case batch.EventAck, batch.EventBootp:
		return b.ackWords(s)
	case batch.EventNak:
		return "was refused " + s.addr.String() + " (NAK)" + b.why(s)
	case batch.EventRelease:
		return "gave " + s.addr.String() + " back (RELEASE)"
	case batch.EventDecline:
		return "found " + s.addr.String() + " in use (DECLINE)"
	case batch.EventInform:
		return "asked for its configuration (INFORM)"
	case batch.EventSilence:
		return fmt.Sprintf("%v left without answer%s", dhcp.Type(s.bytes), b.why(s))
	case batch.EventConflict:
		return s.addr.String() + " is answered by another machine"
	case batch.EventAbandoned:
		return s.addr.String() + " is taken out of service"
	case batch.EventRival:
		return fmt.Sprintf("was answered by another DHCP server, %s (%v)", s.addr, dhcp.Type(s.bytes))
	}
	return b.fileWords(s)
}

// ackWords tells of a lease.
func (b *Book) ackWords(s *step) string {
	text := "has " + s.addr.String()
	if s.kind == batch.EventAck {
		text += " (ACK)"
	}
	switch {
	case s.stage == stageSystem:
		return text
	case s.file == 0:
		return text + ", told no boot file"
	}
	return text + ", told to load " + b.text(s.file)
}

// fileWords tells of a step about a file.
func (b *Book) fileWords(s *step) string {
	file := b.text(s.file)
	switch s.kind {
	case batch.EventTransferStart:
		return fmt.Sprintf("began %s, %s", file, size(s.bytes))
	case batch.EventTransferDone:
		text := fmt.Sprintf("got %s, %s in %s", file, size(s.bytes), span.Text(time.Duration(s.took)))
		if s.took > 0 {
			text += fmt.Sprintf(" (%s/s)", size(int64(float64(s.bytes)/float64(s.took)*1e9)))
		}
		if s.extra > 0 {
			text += fmt.Sprintf(", %d frames repeated", s.extra)
		}
		return text
	case batch.EventTransferProbe:
		return "asked for the size of " + file
	case batch.EventTransferError:
		return fmt.Sprintf("%s broke off after %s: %s", file, size(s.bytes), errorCause(s.extra))
	case batch.EventNotFound:
		return fmt.Sprintf("asked for %q, which does not exist", file)
	case batch.EventRefused:
		return fmt.Sprintf("request for %q refused with TFTP error %d%s", file, s.extra, errorWord(s.extra))
	case batch.EventFull:
		return "was not answered for want of room" + b.why(s)
	}
	return s.kind.String()
}

// errorCause says how a transfer broke off.
func errorCause(code uint32) string {
	switch code {
	case transfer.EndedByICMP:
		return "it closed its port (ICMP port unreachable)"
	case transfer.EndedByTime:
		return "it fell silent"
	}
	return fmt.Sprintf("it sent TFTP error %d%s", code, errorWord(code))
}

// asWhom names the program that speaks.
func asWhom(s *step) string {
	c := core.Client(s.bytes)
	switch {
	case c == core.ClientUnknown || s.bytes < 0 || c >= core.Clients:
		return ""
	case s.extra != noArch:
		return fmt.Sprintf(" as %s, architecture %d (%s)", c, s.extra, archName(uint16(s.extra)))
	}
	return " as " + c.String()
}

// why appends the engine's words, or the name of a reason.
func (b *Book) why(s *step) string {
	if text := b.text(s.text); text != "" {
		return ": " + text
	}
	if s.reason != batch.ReasonNone {
		return ": " + s.reason.String()
	}
	return ""
}

// expected says what should come next, "" if nothing should.
func (b *Book) expected(n *node, now int64) string {
	if n.state == done || n.state == system {
		return ""
	}
	switch n.phase {
	case discovering:
		if n.stage == stageFirmware && n.state == stuck {
			return "its next DISCOVER, once what is wrong is put right"
		}
		return "an OFFER for it"
	case offered:
		if n.state == stuck && n.bootFile == 0 {
			return "an OFFER with a boot file"
		}
		return "its REQUEST"
	case requesting:
		return "its acknowledgement"
	case leased:
		if n.bootFile == 0 {
			return "a boot file in its lease"
		}
		return "its request for " + b.text(n.bootFile)
	case loading:
		return "the rest of " + b.text(n.file)
	case between:
		return b.expectedAfter(n)
	}
	return ""
}

// expectedAfter says what should follow a file.
func (b *Book) expectedAfter(n *node) string {
	if !b.leads(n.file) {
		return "nothing more, or another file"
	}
	if kindOf(b.text(n.file)) == fileIPXE {
		return "iPXE's DISCOVER"
	}
	if next := b.texts.list[n.file].next; next != 0 {
		return "its request for " + b.text(next)
	}
	return "its next file"
}

// size writes bytes for people.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
