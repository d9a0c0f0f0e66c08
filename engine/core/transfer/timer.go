package transfer

import "bootstorm/engine/batch"

// Retransmission times, ns.
//
// The floor is what decides how often something is repeated needlessly: round
// trips take 0.1 to 0.5 ms, but firmware stops for tens of milliseconds now and
// then. Of 12,000 round trips of edk2, iPXE, GRUB and PXELINUX, in machines under
// software emulation, 0.4 % took longer than 10 ms and four longer than 50 ms.
// A lost frame costs the floor, where the client's own repetition would take
// 0.25 s (iPXE) to 5 s (U-Boot) or never come (GRUB).
const (
	leastRTO = 50 * batch.Millisecond
	firstRTO = 300 * batch.Millisecond // before the first round trip is measured
	mostRTO  = 4 * batch.Second        // unless the client negotiated another timeout
	hurryRTO = 5 * batch.Millisecond   // where frames are being lost
	echoRTO  = 2 * batch.Millisecond   // after an ACK that may be an echo of a repair, or tell of another loss
	// calmRTO is for a fragile block, see slot.fragile: the client's own
	// repetitions come first.
	calmRTO = 5 * batch.Second
)

// IdleLimit is how long a client may be silent before its transfer is given up,
// without a word, ns. PXELINUX tries for about as long; GRUB may stop to
// acknowledge while it is busy, and never repeats an ACK.
const IdleLimit = 130 * batch.Second

// firstLimit is the same for a client that has not answered at all, ns. If it
// lives it asks again by itself; if not (a request that the network copied, a
// forged one), its slot is wanted.
const firstLimit = 30 * batch.Second

// deadline is when a transfer is given up.
func (s *slot) deadline() int64 {
	if s.heard == s.started {
		return s.started + firstLimit
	}
	return s.heard + IdleLimit
}

// measure looks at an ACK of blocks up to n for what it says about the round
// trip. If something was repeated since the block that is timed was sent, it is
// unknown what was answered (Karn). An answer about a round trip after the
// repeat was to that: a frame was lost, which says nothing new about the time.
// Any other came from a client that has become slow; the time since the block was
// first sent is then taken, up to twice the present estimate, so that needless
// repetition ends after a window or two. Either way backing off ends: kept up
// until an unspoilt window comes, it would cost seconds where much is lost.
func (t *Table) measure(now int64, s *slot, n int64) {
	if s.timed == 0 || n < s.timed {
		s.rto = s.estimate()
		return
	}
	s.timed = 0
	rtt, since := now-s.timedAt, now-s.sentAt
	if s.tries > 0 && since <= 2*s.srtt {
		s.flags |= flagLossy
	}
	switch {
	case s.flags&flagDoubt == 0:
		t.note(now, s, s.timedAt)
	case s.srtt == 0:
		rtt = since
	case since <= 2*s.srtt:
		s.rto = s.estimate()
		return
	default:
		s.flags &^= flagLossy
		rtt = min(rtt, 2*s.estimate())
	}
	s.sample(rtt)
}

// sample takes a round trip into the estimate and ends backing off (RFC 6298
// section 2). Where frames are lost, a long one may have been the client's
// patience after a loss that nobody saw: the first short one then shows it.
func (s *slot) sample(rtt int64) {
	switch {
	case s.srtt == 0, s.flags&flagLossy != 0 && rtt < s.srtt/8:
		s.srtt, s.rttvar = max(rtt, 1), rtt/2
	default:
		s.rttvar += (max(rtt-s.srtt, s.srtt-rtt) - s.rttvar) / 4
		s.srtt += (rtt - s.srtt) / 8
	}
	s.rto = s.estimate()
}

// estimate is the retransmission time without backing off.
func (s *slot) estimate() int64 {
	if s.srtt == 0 {
		return firstRTO
	}
	least := leastRTO
	if s.flags&flagLossy != 0 {
		least = hurryRTO
	}
	return min(max(s.srtt+4*s.rttvar, least), s.mostRTO())
}

// mostRTO is where backing off ends: at the timeout that the client asked for
// (RFC 2349), if it did.
func (s *slot) mostRTO() int64 {
	if s.timeout > 0 {
		return int64(s.timeout) * batch.Second
	}
	return mostRTO
}

// note tells the path of an answer.
func (t *Table) note(now int64, s *slot, sentAt int64) {
	if int(s.link) < len(t.links) {
		t.links[s.link].path.note(now, sentAt)
	}
}

// echo is how soon after a window was sent a duplicate ACK can be about it. One
// that comes earlier is a copy that the network made of the ACK before, or the
// client's repetition of it, sent before the window reached it.
func (t *Table) echo(now int64, s *slot) int64 {
	least := int64(0)
	if int(s.link) < len(t.links) {
		least = t.links[s.link].path.shortest(now) * 3 / 4
	}
	if s.srtt == 0 {
		return max(least, 10*batch.Millisecond)
	}
	return max(least, s.srtt/4)
}

// arm sets the timer of a transfer that has just sent something.
func (t *Table) arm(now int64, id int32) {
	s := &t.slots[id]
	wait := s.rto
	if s.flags&flagHurry != 0 {
		wait = min(wait, max(s.srtt+4*s.rttvar, echoRTO))
	}
	if s.fragile() && s.flags&flagOack == 0 {
		wait = max(wait, calmRTO)
	}
	t.timers.Set(id, min(now+wait, s.deadline()))
}

// expire handles a transfer whose timer has run out.
func (t *Table) expire(now int64, id int32, ev *batch.Events) {
	s := &t.slots[id]
	if now >= s.deadline() {
		t.fail(now, id, EndedByTime, ev)
		return
	}
	if t.ready.waits(id) { // not late: it waits for its turn
		t.arm(now, id)
		return
	}
	if t.guests.places[id].fresh && s.tries >= firstRepeats {
		t.timers.Set(id, s.deadline()) // it is the client's turn
		return
	}
	if t.underway(now, s) {
		t.timers.Set(id, now+s.patrol())
		return
	}
	t.count.Timeouts++
	s.tries++
	s.rto = min(2*s.rto, s.mostRTO())
	if s.flags&flagOack != 0 {
		s.flags |= flagSendOack
		t.wake(now, id)
		return
	}
	t.resend(now, id)
}

// resend repeats what is on its way: the last block alone, or, every other
// time, all of it. The last block brings an ACK whatever was lost: of the whole
// window if only that ACK was, else of the block before the gap (edk2, RFC
// 7440).
func (t *Table) resend(now int64, id int32) {
	s := &t.slots[id]
	limit := max(s.limit, s.next)
	switch {
	case s.tries&1 == 0:
		t.again(now, id, s.acked)
		s.limit = limit
		return
	case s.habit == habitUBoot:
		t.lead(now, id)
		return
	case s.window > deafWindow:
		t.ends(now, id)
		return
	}
	t.again(now, id, s.next-1)
	s.limit = limit
	if s.window > 1 {
		s.flags |= flagAsked
	}
}

// deafWindow is the largest window of clients that answer every block out of
// order: edk2's. Those with larger ones keep to RFC 7440 and answer a gap once;
// if that ACK is lost, nothing behind the gap makes them speak.
const deafWindow = 4

// ends repeats the first block on its way and the last. If the first was what
// the client lacked, the last now shows it the next gap or ends the window; if
// not, it is an old block, of which the client says again where it stands.
func (t *Table) ends(now int64, id int32) {
	s := &t.slots[id]
	t.again(now, id, s.acked)
	s.limit = s.acked + 1
	s.flags |= flagAsked
	if s.high > s.limit {
		s.flags |= flagTail
	}
}

// lead sends the last block and the window behind it. A U-Boot is silent about
// a block that it has, so if its ACK was lost only new blocks make it speak; if
// that ACK is lost too, those behind them, up to a limit. All of them are in
// order for it. With windows, a gap may be what it is silent about, anywhere, so
// all begins with the first block on its way.
func (t *Table) lead(now int64, id int32) {
	s := &t.slots[id]
	window := int64(s.window)
	from := s.high - 1
	if window > 1 {
		from = s.acked
	}
	t.again(now, id, from)
	s.limit = s.high
	if s.high-s.acked < max(8, 3*window) {
		s.limit = min(s.high+window, s.total)
	}
	if s.window > 1 {
		s.flags |= flagAsked
	}
}
