package story

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// refused: a message got a NAK or no answer.
func (b *Book) refused(n *node, e *batch.Event, s *step, now int64) {
	p := problem{cause: causeRefused, reason: e.Reason, text: s.text, addr: e.Addr, extra: uint32(e.Value), at: now}
	switch e.Reason {
	case batch.ReasonNoFreeAddress:
		b.starved = now
	case batch.ReasonOtherServer:
		p.cause, p.addr = causeOtherServer, proto.Addr(e.Extra)
		b.otherServer(hardware{}, p.addr, now)
	case batch.ReasonUnknownLease, batch.ReasonNotOurAddress, batch.ReasonTaken, batch.ReasonMalformed, batch.ReasonNone:
		// The protocol's way of sending a client back to DISCOVER, or damage: what
		// matters is whether it comes back.
		if n.phase <= requesting && n.state == booting {
			n.suspect = p
			b.expect(n, now+answerWait, causeNoOffer)
		}
		return
	case batch.ReasonDuplicateAddress:
		p.cause = causeConflict
		if n.state == booting {
			n.suspect = p
			b.expect(n, now+answerWait, causeConflict)
		}
		return
	}
	if dhcp.Type(e.Value) == dhcp.Inform || e.Kind == batch.EventSilence && dhcp.Type(e.Value) == dhcp.Release {
		return // it has its address, or wants none
	}
	if n.phase > requesting && n.state == booting { // it is further than that: a copy, or another of its programs
		return
	}
	b.halt(n, p)
	b.due[n.id] = never
}

// full: a request was left unanswered because there is no room for it, or the
// disk does not take its lease.
func (b *Book) full(n *node, e *batch.Event, s *step, now int64) {
	p := problem{cause: causeDisk, reason: e.Reason, text: s.text, at: now}
	if e.Reason == batch.ReasonTransfersFull {
		p.cause, p.file = causeTransfersFull, s.file
		if n.state == booting { // it asks again, and mostly there is room by then
			n.suspect = p
			b.expect(n, now+troubleWait, causeTransfersFull)
		}
		return
	}
	if e.Reason == batch.ReasonNotFilled {
		return // a moment's wait; what keeps it from being filled in comes as not found
	}
	b.diskWait = now
	if n.state == done || n.stage == stageSystem {
		return
	}
	b.halt(n, p)
	b.due[n.id] = never
}

// conflict: an address is used by somebody who does not have it.
func (b *Book) conflict(e *batch.Event, now int64) {
	hw := hardwareOf(e)
	b.rogue(rogueConflict, hw, e.Addr, now)
	id, ok := b.byAddr[e.Addr]
	if !ok || b.nodes[id].hw == hw {
		return
	}
	n := b.nodes[id]
	n.addStep(step{at: now, kind: e.Kind, reason: e.Reason, addr: e.Addr, stage: n.stage})
	if n.state == booting {
		n.suspect = problem{cause: causeConflict, addr: e.Addr, at: now}
	}
}

// abandoned: an address was taken out of service. If it was offered, its node
// has to begin again.
func (b *Book) abandoned(e *batch.Event, now int64) {
	id, ok := b.byAddr[e.Addr]
	if !ok {
		id, ok = b.byHW[hardwareOf(e)]
	}
	if !ok {
		return
	}
	n := b.nodes[id]
	n.addStep(step{at: now, kind: e.Kind, reason: e.Reason, addr: e.Addr, stage: n.stage})
	if n.state == booting {
		n.suspect = problem{cause: causeConflict, reason: e.Reason, addr: e.Addr, at: now}
	}
}

// rival: another server answered the node. Should it fall silent now, that is
// the likely reason.
func (b *Book) rival(n *node, e *batch.Event, now int64) {
	b.otherServer(hardware{}, e.Addr, now)
	if n.state == booting {
		n.suspect = problem{cause: causeOtherServer, addr: e.Addr, at: now}
	}
}

// rogue is a machine that does what it should not.
type rogue struct {
	kind  rogueKind
	hw    hardware
	addr  proto.Addr
	seen  int64
	count int
}

type rogueKind uint8

const (
	rogueServer rogueKind = iota
	rogueConflict
)

// Limits of the list of rogues: how many, and for how long one that was seen
// once counts.
const (
	roguesMost = 64
	rogueTime  = 10 * 60 * second
)

// otherServer notes another DHCP server.
func (b *Book) otherServer(hw hardware, a proto.Addr, now int64) { b.rogue(rogueServer, hw, a, now) }

// rogue notes one; the one that was not seen for longest makes room.
func (b *Book) rogue(kind rogueKind, hw hardware, a proto.Addr, now int64) {
	oldest := -1
	for i := range b.rogues {
		r := &b.rogues[i]
		if r.kind == kind && r.addr == a && (r.hw == hw || r.hw.n == 0 || hw.n == 0) {
			if hw.n > 0 {
				r.hw = hw
			}
			again := now-r.seen > rogueTime
			r.count++
			if r.seen = now; again {
				b.tellRogue(r)
			}
			return
		}
		if oldest < 0 || r.seen < b.rogues[oldest].seen {
			oldest = i
		}
	}
	fresh := rogue{kind: kind, hw: hw, addr: a, seen: now, count: 1}
	if len(b.rogues) < roguesMost {
		b.rogues = append(b.rogues, fresh)
	} else {
		b.rogues[oldest] = fresh
	}
	b.tellRogue(&fresh)
}

// recentRogue finds another DHCP server that was seen of late.
func (b *Book) recentRogue() *rogue {
	for i := range b.rogues {
		if r := &b.rogues[i]; r.kind == rogueServer && b.clock.now-r.seen < rogueTime {
			return r
		}
	}
	return nil
}
