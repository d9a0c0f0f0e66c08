package core

import (
	"math"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// frameRoom is how many messages one frame may add to tx: its reply, an ARP probe
// of the address that it offers, and a router advertisement.
const frameRoom = 3

// recordRoom is how many lease records one frame may produce: its own, and
// those of the client's other leases that it gives up.
const recordRoom = 8

// Step handles rx.Frames[from:rx.N] and puts what they are answered with into
// tx. It returns the index of the first frame not handled: less than rx.N when
// tx or the batch of lease records is full.
func (c *Core) Step(rx *batch.Rx, from int, tx *batch.Tx) (next int) {
	now := c.clock.read(rx.Now)
	c.repeats.now = now.Mono
	records := c.leases.N // left by the driver: they stop nothing, or a stuck journal would stop TFTP
	for i := from; i < rx.N; i++ {
		if tx.Room() < frameRoom || c.leases.N > records && !c.journalRoom() {
			return i
		}
		c.frame(now, &rx.Frames[i], tx)
	}
	return rx.N
}

// journalRoom tells whether any message may produce its records.
func (c *Core) journalRoom() bool { return c.leases.N <= batch.LeaseCap-recordRoom }

// frame classifies one frame.
func (c *Core) frame(now batch.Time, f *batch.Frame, tx *batch.Tx) {
	c.count.Frames++
	p := &c.packet
	if drop := proto.ParseFrame(p, f.Data, f.Checksum); drop != proto.OK {
		if drop == proto.DropEtherType && c.solicited(now, f, tx) {
			return
		}
		c.count.Bad[min(drop, proto.Drops-1)]++
		return
	}
	if int(f.Link) >= len(c.links) {
		c.count.NoLink++
		return
	}
	// ARP and ICMP are judged by what they quote, the rest by where it was sent.
	switch {
	case p.Kind == proto.KindARP:
		c.count.ARP++
		c.repeats.heard(p.ARP.SenderMAC)
		c.observe(now, f.Link)
		c.askedUs(now.Mono, f.Link, tx)
	case p.Kind == proto.KindUnreachable:
		c.count.Unreachable++
		done := c.transfers.Counters().Done
		c.transfers.Unreachable(now.Mono, p, c.events)
		c.ended(done)
	case !c.forUs(&c.links[f.Link]):
		c.count.Other++
	case p.DstPort == proto.PortTFTP:
		c.count.TFTP++
		who := c.loading(now.Mono, f.Link)
		done := c.transfers.Counters().Done
		c.transfers.Receive(now.Mono, p, f.Link, who, tx, c.events)
		c.ended(done)
	case p.DstPort == proto.PortBOOTPServer || p.DstPort == proto.PortPXE:
		c.handle(now, f.Link, tx)
	case p.DstPort == proto.PortBOOTPClient:
		c.overhear(now, f.Link)
	default:
		c.count.Other++
	}
}

// ended looks at a transfer that has come to its end, if one has: before, Done
// of the transfers' counters was done.
func (c *Core) ended(done uint64) {
	if c.marks.live > 0 && c.transfers.Counters().Done != done {
		c.loaded(c.events.Last())
	}
}

// forUs tells whether the datagram was sent to this host: a bridge or an
// interface in promiscuous mode shows others' as well, and answering what was
// sent to another server would be wrong.
func (c *Core) forUs(l *link) bool {
	p := &c.packet
	if p.DstMAC[0]&1 == 0 && l.MAC != (proto.MAC{}) && p.DstMAC != l.MAC {
		return false
	}
	return p.Dst == proto.Limited || c.ours(p.Dst) || l.broadcast(p.Dst)
}

// Tick does what is due at now: expired leases and offers, ARP probes, TFTP
// retransmissions and data of transfers that are ready to send, as far as tx
// has room.
func (c *Core) Tick(now batch.Time, tx *batch.Tx) {
	now = c.clock.read(now)
	c.repeats.now = now.Mono
	c.expire(now)
	c.stamp(now)
	c.repeat(tx)
	c.probe(now, tx)
	c.transfers.Fill(now.Mono, tx, c.events)
}

// Deadline returns when Tick must be called next, on the clock of Time.Mono:
// 0 for at once, math.MaxInt64 if nothing is waited for.
func (c *Core) Deadline() int64 {
	if c.transfers.Ready() || c.stamping() {
		return 0
	}
	next := int64(math.MaxInt64)
	// Without room for records nothing can end, and being called would not help.
	if c.journalRoom() { // else nothing may expire until the driver took the records
		next = c.table.Next()
	}
	for i := range c.probes {
		next = min(next, c.probes[i].at)
	}
	return min(next, c.repeats.deadline(), c.transfers.Deadline())
}

// expire ends the leases, offers and abandonments whose time has come.
func (c *Core) expire(now batch.Time) {
	for c.journalRoom() {
		i, ok := c.table.Due(now.Mono)
		if !ok {
			return
		}
		// One timer per slot: what has ended is what the slot is.
		switch c.table.At(i).State {
		case batch.LeaseActive:
			c.count.Expired++
			c.table.Expire(i)
			c.record(i)
		case batch.LeaseAbandoned:
			c.table.Recover(i)
			c.record(i)
		default:
			c.table.Withdraw(i)
		}
		c.wakeProber(c.table.At(i).Pool, now.Mono)
	}
}

// record puts the state of a slot into the batch for the journal.
func (c *Core) record(i int32) {
	c.seq++
	c.table.At(i).Seq = c.seq
	c.table.Record(i, &c.leases.List[c.leases.N])
	c.leases.N++
	c.count.Records++
}
