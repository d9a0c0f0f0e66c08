package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// offerHold is how long an offer is kept for its client, in ns.
const offerHold = 120 * batch.Second

// answer carries a verdict out: it sends, changes the lease table and reports.
// Step has seen to it that tx has room for what one message may add.
func (c *Core) answer(v *verdict, tx *batch.Tx) {
	if v.lapse != binding.None && v.lapse != v.slot && c.journalRoom() {
		c.table.Release(v.lapse, c.msg.now)
		c.record(v.lapse)
	}
	switch v.do {
	case silent:
		c.stayAway(v)
	case offer:
		if reachable(&c.request.HW) {
			c.transfers.BeganAnew(c.msg.now.Mono, v.addr, c.request.HW.MAC())
		}
		c.makeOffer(v, tx)
	case ack, reply:
		c.acknowledge(v, tx)
	case nak:
		c.count.Nak++
		c.send(v, tx)
		c.note(batch.EventNak, v)
	case inform, pxe:
		c.count.Ack++
		c.send(v, tx)
		c.note(batch.EventAck, v)
	case release:
		c.releaseLease(v)
	case decline:
		c.declined(v.slot)
	}
	c.follow(v, tx)
	c.logs()
}

// stayAway leaves the message unanswered. An offer that the client did not
// take is free again.
func (c *Core) stayAway(v *verdict) {
	if v.reason == batch.ReasonOtherServer && v.slot != binding.None {
		c.table.Withdraw(v.slot)
	}
	c.count.Silence++
	e := c.note(batch.EventSilence, v)
	e.Value, e.Extra = int64(c.msg.kind), uint32(c.msg.server)
}

// makeOffer sends an offer and holds the address for the client.
func (c *Core) makeOffer(v *verdict, tx *batch.Tx) {
	n := c.compose(v)
	if n == 0 { // no reply could be made: then hold nothing either
		return
	}
	c.emit(n, tx)
	if c.repeatable(v) {
		c.watch(c.build[:n], c.msg.via, 0, false)
	}
	c.count.Offer++
	c.nameFile(c.note(batch.EventOffer, v), v)
	if v.slot == binding.None {
		return
	}
	s := c.table.At(v.slot)
	if v.why == WhyReclaimed {
		c.count.Reclaimed++
		c.note(batch.EventReclaimed, v)
	}
	if s.State == batch.LeaseActive { // the client's own: no need to hold it
		// A lease that is too old to be told as it is was offered anew, so the ACK
		// must renew it even if a renewal in between makes it young again.
		s.Flags &^= binding.Unfit
		if !v.reuse {
			s.Flags |= binding.Unfit
		}
		return
	}
	if s.Flags&binding.Offered != 0 && !c.table.Owns(v.slot, &c.msg.client) {
		c.count.TakenBack++
	}
	stranger := c.isStranger(v.slot)
	c.table.Offer(v.slot, &c.msg.client, v.keepID, c.msg.now.Mono+offerHold)
	if stranger {
		c.table.Loose(v.slot)
	}
	s.Client = uint8(c.msg.software)
	c.probeOffered(v.slot, tx)
	c.wakeProber(s.Pool, c.msg.now.Mono)
}

// acknowledge leases the address. The frame is made first: whatever can fail
// has then failed before anything changes.
func (c *Core) acknowledge(v *verdict, tx *batch.Tx) {
	n := c.compose(v)
	if n == 0 {
		return
	}
	writes := v.slot != binding.None && !v.reuse // a fixed address is in no journal
	if writes && !c.journalRoom() {
		c.count.NoJournal++
		v.reason = batch.ReasonNoJournal
		c.note(batch.EventFull, v)
		return
	}
	// A lease that stays as it is may be younger than its record: a client that
	// repeats its REQUEST does not get round the disk.
	held := writes || v.slot != binding.None && c.table.At(v.slot).Seq > c.durable
	if held && !c.hold.fits(n) {
		c.count.HoldFull++
		v.reason = batch.ReasonHoldFull
		c.note(batch.EventFull, v)
		return
	}
	if writes {
		c.commit(v)
	} else if v.slot != binding.None {
		c.count.Reused++
	}
	c.allowARP(v)
	if held {
		c.hold.push(c.table.At(v.slot).Seq, c.msg.via, c.repeatable(v), c.build[:n])
	} else {
		c.emit(n, tx)
		if c.repeatable(v) {
			seq := uint64(0)
			if v.slot != binding.None {
				seq = c.table.At(v.slot).Seq
			}
			c.watch(c.build[:n], c.msg.via, seq, true)
		}
	}
	c.noteAck(v)
}

// noteAck counts and reports an acknowledgement as it is made, not as it leaves:
// the lease stands from here on.
func (c *Core) noteAck(v *verdict) {
	kind := batch.EventAck
	if v.do == reply {
		kind = batch.EventBootp
		c.count.Reply++
	} else {
		c.count.Ack++
	}
	e := c.note(kind, v)
	e.Value = int64(v.seconds)
	c.nameFile(e, v)
}

// nameFile puts the boot file that the reply names into its event. Without it an
// observer could not tell a node that has nothing to load from one that does not
// get it; and edk2 takes no offer without one.
func (c *Core) nameFile(e *batch.Event, v *verdict) {
	if v.marked {
		c.told(v)
	}
	name, _ := c.eval.Value(plan.Filename)
	if len(name) == 0 {
		name, _ = c.eval.Option(dhcp.OptBootfileName)
	}
	copy(e.Name[:], name)
}

// commit makes the lease and its record, and ends the client's other leases.
func (c *Core) commit(v *verdict) {
	m, i := &c.msg, v.slot
	c.dropOthers(v) // their records first: at no point on disk has the machine two leases
	c.table.Bind(i, &m.client, v.keepID, m.now, v.seconds)
	c.table.Bill(i, v.bill)
	c.table.At(i).Client = uint8(m.software)
	name, _ := c.options.Get(dhcp.OptHostName) // for whoever reads the journal
	c.table.SetHostname(i, name)
	vendor, _ := c.options.Get(dhcp.OptVendorClass)
	c.table.SetVendor(i, vendor)
	if !m.stashed {
		c.stashAgent(i)
	}
	c.record(i)
}

// stashAgent keeps the relay agent information with the lease for renewals, and
// forgets the old one if the message came without a relay.
func (c *Core) stashAgent(i int32) {
	if c.msg.agent != nil && !c.eval.Bool(plan.StashAgentOptions, true) {
		return
	}
	c.table.SetAgent(i, c.msg.agent)
}

// maxDropped is how many of a client's other leases one message ends; there is
// hardly ever more than one.
const maxDropped = recordRoom - 2

// dropOthers ends the leases and offers that the client has besides the one
// that it gets: one machine, one address. one-lease-per-client extends that to
// all networks, "deny duplicates" to other client identifiers.
func (c *Core) dropOthers(v *verdict) {
	who, network := c.msg.client, c.msg.network
	if c.eval.Bool(plan.OneLeasePerClient, false) {
		network = binding.AnyNetwork
	}
	if c.eval.Policy(plan.Duplicates, plan.Allow) != plan.Allow {
		who.ByID = false
	}
	for n := 0; n < maxDropped; n++ {
		i := c.table.Lookup(&who, network, v.slot)
		if i == binding.None {
			return
		}
		s := c.table.At(i)
		switch { // Lookup finds leases first, then offers, then memories
		case s.State == batch.LeaseActive:
			c.table.Release(i, c.msg.now)
			c.record(i)
		case s.Flags&binding.Offered != 0:
			c.table.Withdraw(i)
		default:
			return // memories only
		}
	}
}

// send composes the reply and puts it into tx.
func (c *Core) send(v *verdict, tx *batch.Tx) bool {
	n := c.compose(v)
	if n == 0 {
		return false
	}
	c.emit(n, tx)
	return true
}

// emit puts the frame in c.build, n bytes, into tx. It leaves by the link that
// the message came in by.
func (c *Core) emit(n int, tx *batch.Tx) {
	m := tx.Next()
	if m == nil {
		return
	}
	m.HeadLen = copy(m.Head[:], c.build[:n])
	m.Link = c.msg.via
	tx.Commit()
}

// announce makes the event of a message that was received. What came of it is
// an event of its own, so that an observer sees questions and answers in order.
func (c *Core) announce() {
	m := &c.msg
	addr := m.asked
	if addr == 0 {
		addr = m.ciaddr
	}
	kind := c.countMessage()
	if kind == batch.EventNone {
		return
	}
	e := c.events.Add(kind, m.now.Mono)
	c.describe(e, addr)
	e.Extra = uint32(Arch(&c.options))
	e.Value = int64(m.software)
}

// countMessage counts a message under its type and returns the event for it;
// EventNone where the answer's own event says enough.
func (c *Core) countMessage() batch.EventKind {
	if c.msg.port == proto.PortPXE {
		c.count.PXE++
		return batch.EventNone
	}
	switch c.msg.kind {
	case dhcp.Discover:
		c.count.Discover++
		return batch.EventDiscover
	case dhcp.Request:
		c.count.Request++
		return batch.EventRequest
	case dhcp.Decline:
		c.count.Decline++
		return batch.EventDecline
	case dhcp.Release:
		c.count.Release++
		return batch.EventRelease
	case dhcp.Inform:
		c.count.Inform++
		return batch.EventInform
	}
	c.count.Bootp++
	return batch.EventNone
}

// note makes the event of an answer; the caller may add to it.
func (c *Core) note(kind batch.EventKind, v *verdict) *batch.Event {
	e := c.events.Add(kind, c.msg.now.Mono)
	c.describe(e, v.addr)
	e.Reason, e.Rule = v.reason, v.rule
	return e
}

// describe fills in whom an event is about.
func (c *Core) describe(e *batch.Event, addr proto.Addr) {
	e.Link = c.msg.via
	e.SetHW(&c.request.HW)
	e.XID = c.request.Header.XID()
	e.Addr = addr
}

// logs makes events of the log statements that were executed, those of "on
// commit" included: the reply has been composed by now.
func (c *Core) logs() {
	if !c.msg.begun {
		return
	}
	for i := 0; ; i++ {
		text, priority, ok := c.eval.NextLog(i)
		if !ok {
			return
		}
		at := c.events.Used // a text that no longer fits is cut, or left out
		n := copy(c.events.Text[at:], text)
		if n == 0 {
			continue
		}
		c.events.Used += n
		e := c.events.Add(batch.EventLog, c.msg.now.Mono)
		c.describe(e, 0)
		e.Value, e.Extra, e.Nanos = int64(at), uint32(n), int64(priority)
	}
}
