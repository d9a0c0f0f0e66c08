package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// Values of batch.Event.Extra in an EventTransferError that no ERROR caused.
const (
	EndedByICMP = 256
	EndedByTime = 257
)

// patience is how long a client of habitIPXE waits at least before it repeats
// an ACK, ns: it starts at 0.25 s.
const patience = 200 * batch.Millisecond

// Receive handles a datagram to port 69 that came in by a link; who is the standing
// of its sender, looked at only if it is a request. tx must have room for one
// message; what does not fit there waits for Fill.
func (t *Table) Receive(now int64, p *proto.Packet, link uint8, who Standing, tx *batch.Tx, ev *batch.Events) {
	if tftp.IsRequest(p.Payload) {
		t.ask(now, p, link, who, tx, ev)
		return
	}
	op, field, ok := tftp.Opcode(p.Payload)
	if !ok || op != tftp.OpAck && op != tftp.OpError {
		t.count.Malformed++
		return
	}
	id := t.index.find(t.slots, keyOf(p.Src, p.SrcPort))
	if id == none || t.slots[id].server != p.Dst {
		t.count.Stray++ // silence: see the package comment
		return
	}
	if t.guests.places[id].standing == Known && p.SrcMAC != t.slots[id].mac {
		t.count.Pretended++
		return
	}
	if op == tftp.OpAck {
		t.ack(now, id, field, ev)
		return
	}
	t.refusal(now, id, field, ev)
}

// Unreachable handles an ICMP port unreachable about a datagram of ours: the
// client has closed its port. edk2 says so when late data reaches it, so from a
// client that has answered before, once every block has been sent, it means that
// only the last ACK was lost.
func (t *Table) Unreachable(now int64, p *proto.Packet, ev *batch.Events) {
	id := none
	if p.SrcPort == proto.PortTFTP {
		id = t.index.find(t.slots, keyOf(p.Dst, p.DstPort))
	}
	if id == none || t.slots[id].server != p.Src {
		t.count.Stray++
		return
	}
	if s := &t.slots[id]; s.high == s.total && s.heard != s.started {
		t.done(now, id, ev)
		return
	}
	t.fail(now, id, EndedByICMP, ev)
}

// refusal handles the client's ERROR. One of code 8 in answer to the OACK is
// how edk2 ends the transfer by which it only wanted to know the size.
func (t *Table) refusal(now int64, id int32, code uint16, ev *batch.Events) {
	s := &t.slots[id]
	if code != tftp.ErrOptionDenied || s.flags&flagOack == 0 {
		t.fail(now, id, uint32(code), ev)
		return
	}
	t.count.Probes++
	e := t.event(batch.EventTransferProbe, now, s, ev)
	e.Value, e.Nanos = s.size, now-s.started
	t.end(id)
}

// fail ends a transfer that the client will not finish.
func (t *Table) fail(now int64, id int32, why uint32, ev *batch.Events) {
	s := &t.slots[id]
	if why == EndedByTime {
		t.count.Abandoned++
	} else {
		t.count.Failed++
	}
	e := t.event(batch.EventTransferError, now, s, ev)
	e.Extra, e.Value, e.Nanos = why, s.bytesAcked(), now-s.started
	t.end(id)
}

// ack handles an ACK of block, modulo 65536.
func (t *Table) ack(now int64, id int32, block uint16, ev *batch.Events) {
	s := &t.slots[id]
	if s.flags&flagOack != 0 {
		t.ackOack(now, id, block)
		return
	}
	n := s.acked + int64(block-uint16(s.acked)) // the block it means, if it means one that was sent
	switch {
	case n > s.high && uint16(s.acked)-block < 1<<15:
		t.count.Stale++
	case n > s.high:
		t.count.Future++
	case n == s.acked:
		s.heard = now
		t.guests.prove(id)
		t.count.Duplicates++
		t.duplicate(now, id)
	default:
		s.heard = now
		t.guests.prove(id)
		t.count.Acks++
		t.progress(now, id, n, ev)
	}
}

// ackOack handles the answer to the OACK: ACK 0 (RFC 2347).
func (t *Table) ackOack(now int64, id int32, block uint16) {
	s := &t.slots[id]
	if block != 0 {
		t.count.Future++
		return
	}
	t.count.Acks++
	s.sample(now - s.sentAt) // of a repeated OACK it may be too little, but where much is lost nothing better comes
	if s.repeats == 0 {
		t.note(now, s, s.sentAt)
	}
	s.flags &^= flagOack | flagSendOack
	s.heard, s.tries = now, 0
	t.guests.prove(id)
	s.limit = s.ahead()
	t.wake(now, id)
}

// progress handles an ACK of blocks up to n, more than before.
func (t *Table) progress(now int64, id int32, n int64, ev *batch.Events) {
	s := &t.slots[id]
	t.measure(now, s, n)
	t.advance(s, n)
	s.tries = 0
	if n == s.total {
		t.done(now, id, ev)
		return
	}
	if reportParts*n >= int64(s.part)*s.total {
		t.tell(now, id, ev)
	}
	inside := n < s.high && s.window > 1 // the client lacks block n+1, or echoes a repair
	if inside && (n > s.recover || s.flags&flagAsked != 0) {
		t.repair(now, id)
		return
	}
	s.flags &^= flagAsked | flagHurry | flagTail
	if inside { // ask soon which of the two it was
		s.flags |= flagHurry
		t.arm(now, id)
	}
	if s.limit = max(s.limit, s.ahead()); s.next < s.limit {
		t.wake(now, id)
	}
}

// tell reports how far a large file has come.
func (t *Table) tell(now int64, id int32, ev *batch.Events) {
	s := &t.slots[id]
	s.part = uint8(reportParts*s.acked/s.total) + 1
	e := t.event(batch.EventTransferProgress, now, s, ev)
	e.Value, e.Extra, e.Nanos = s.bytesAcked(), s.repeats, now-s.started
}

// duplicate handles an ACK of what was acknowledged before. Nothing is repeated
// unless it tells of a loss in the window that was sent since.
func (t *Table) duplicate(now int64, id int32) {
	s := &t.slots[id]
	switch {
	case s.high == s.acked || t.ready.waits(id): // nothing on its way, or it is being repeated
	case s.window == 1:
		if s.fragile() && now-s.sentAt >= patience {
			t.repair(now, id)
		}
	case s.flags&flagAsked != 0:
		t.repair(now, id)
	case s.acked > s.recover && now-s.sentAt >= t.echo(now, s):
		t.repair(now, id)
	}
}

// repair starts the window again behind what the client has. It has just said
// so: there is nothing to back off from.
func (t *Table) repair(now int64, id int32) {
	t.count.Repairs++
	s := &t.slots[id]
	s.flags |= flagLossy
	s.rto = s.estimate()
	t.again(now, id, s.acked)
}

// again makes block n+1 the next to be sent, and those behind it up to a
// window.
func (t *Table) again(now int64, id int32, n int64) {
	s := &t.slots[id]
	t.rewind(s, n)
	s.recover = s.high
	s.limit = s.ahead()
	s.flags = s.flags&^(flagAsked|flagHurry|flagTail) | flagDoubt
	t.wake(now, id)
}

// done ends a transfer of which the client has everything.
func (t *Table) done(now int64, id int32, ev *batch.Events) {
	s := &t.slots[id]
	t.count.Done++
	t.past.add(now, s.addr(), s.size)
	e := t.event(batch.EventTransferDone, now, s, ev)
	e.Value, e.Extra, e.Nanos = s.size, s.repeats, now-s.started
	t.end(id)
}
