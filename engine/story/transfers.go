package story

import (
	"strings"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
)

// transferStart: a file is on its way.
func (b *Book) transferStart(n *node, e *batch.Event, file ref, now int64) {
	switch {
	case n.stage == stageSystem || n.state == system: // it boots, so we did not see its DHCP
		b.begin(n, now)
		n.stage = stageUnknown
	case n.state == done && now-n.loaded > reopenTime:
		b.begin(n, now)
	case n.phase == between || n.state == done:
		b.led(n, file)
	}
	t := n.open(e.XID)
	*t = transferOf(e, file, now)
	t.before = n.file
	n.file, n.size, n.got, n.took, n.turned = file, e.Value, 0, 0, now
	b.progress(n, loading, now)
	b.expect(n, now+lostTransfer, causeSilent)
}

// transferOf is a transfer that begins.
func transferOf(e *batch.Event, file ref, now int64) activeTransfer {
	return activeTransfer{port: e.XID, file: file, size: e.Value, from: now, seen: now, last: int64(e.Extra>>16) * int64(e.Extra&0xffff)}
}

// transferProgress: a part of a large file has arrived.
func (b *Book) transferProgress(n *node, e *batch.Event, file ref, now int64) {
	t := n.transfer(e.XID)
	if t == nil { // its start was lost
		t = n.open(e.XID)
		*t = activeTransfer{port: e.XID, file: file, size: b.files[b.text(file)].Size}
	}
	if more := e.Value - t.got; more > 0 {
		n.bytes += more
		b.second.bytes += more
		t.got = e.Value
	}
	t.seen = now
	n.file, n.size, n.got, n.took = file, t.size, t.got, e.Nanos
	b.progress(n, loading, now)
	b.expect(n, now+lostTransfer, causeSilent)
}

// startSlack is how far the book's time of a start may be from what its end tells.
const startSlack = int64(time.Millisecond)

// transferDone: a file has arrived. The end of one that the node had asked for before
// another may be told late, when its last ACK was lost or was long on its way; where
// the boot stands is told by the other.
func (b *Book) transferDone(n *node, e *batch.Event, file ref, now int64) {
	b.second.files++
	got, earlier := int64(0), false
	if t := n.transfer(e.XID); t != nil {
		got, earlier = t.got, t.from < n.turned
		*t = activeTransfer{}
	} else if earlier = now-e.Nanos < n.turned-startSlack; !earlier && n.phase == between { // its start was lost
		b.led(n, file)
	}
	n.bytes += max(e.Value-got, 0)
	b.second.bytes += max(e.Value-got, 0)
	n.resent += int32(min(e.Extra, 1<<20))
	n.files++
	if earlier && (n.running() > 0 || n.phase != loading) { // what it asked for since says more
		return
	}
	if !earlier {
		n.file, n.size, n.got, n.took = file, e.Value, e.Value, e.Nanos
	}
	n.loaded = now
	if n.running() > 0 {
		b.progress(n, loading, now)
		b.expect(n, now+n.patience(), causeSilent)
		return
	}
	b.progress(n, between, now)
	b.await(n, now)
}

// patience is how long the files that are still on their way may take without a
// sign of life. Large ones show how far they are; what is small and was there
// before the one that has just arrived has probably arrived, too.
func (n *node) patience() int64 {
	for i := range n.active {
		if n.active[i].size >= largeFile {
			return lostTransfer
		}
	}
	return lostEnd
}

// largeFile is from which size on the server tells of progress (see
// transfer.Table).
const largeFile = 4 << 20

// await sets what is expected after the last byte of a file.
func (b *Book) await(n *node, now int64) {
	if b.leads(n.file) {
		b.expect(n, now+comebackWait, causeNoComeback)
	} else {
		b.expect(n, now+quietWait, causeDone)
	}
}

// transferProbe: the node wanted to know a size only.
func (b *Book) transferProbe(n *node, e *batch.Event) {
	if t := n.transfer(e.XID); t != nil {
		*t = activeTransfer{}
	}
	if n.running() == 0 {
		// The request proper follows within a moment; its start is what counts.
		b.expect(n, b.clock.now+fileWait, causeNotAsked)
	}
}

// transferError: a transfer broke off.
func (b *Book) transferError(n *node, e *batch.Event, s *step, now int64) {
	arrived, seen := false, now
	if t := n.transfer(e.XID); t != nil {
		if e.Extra == transfer.EndedByTime && e.Value == 0 && n.phase == loading && s.file == n.file && n.had(s.file) {
			b.neverAsked(n, t, now)
			return
		}
		// A client that has everything is gone: if its last ACK is lost, silence is
		// all that follows.
		arrived = e.Extra == transfer.EndedByTime && e.Value > 0 && t.size-e.Value <= t.last
		seen = t.seen
		*t = activeTransfer{}
	}
	what := causeClientError
	switch e.Extra {
	case transfer.EndedByICMP:
		what = causeClosed
	case transfer.EndedByTime:
		what = causeSilent
	}
	// A transfer given up long after the node began anew, or after all else it
	// wanted has arrived, says nothing.
	if n.phase != loading || s.file != n.file && n.running() > 0 {
		return
	}
	if arrived && n.running() == 0 {
		n.bytes += max(n.size-n.got, 0)
		n.files, n.got, n.loaded = n.files+1, n.size, seen
		b.progress(n, between, now)
		b.await(n, now)
		return
	}
	n.suspect = problem{cause: what, file: s.file, text: s.text, extra: e.Extra, at: now}
	if n.running() > 0 {
		return
	}
	if what == causeSilent { // nothing was heard for minutes already
		b.halt(n, n.suspect)
		b.due[n.id] = never
		return
	}
	b.expect(n, now+troubleWait, what)
}

// neverAsked takes back a transfer that was begun by a copy of a request, long on its
// way: the node has that file, and acknowledged nothing of this one.
func (b *Book) neverAsked(n *node, t *activeTransfer, now int64) {
	n.file = t.before
	*t = activeTransfer{}
	if n.running() == 0 {
		b.progress(n, between, now)
		b.await(n, now)
	}
}

// fileRefused: the node asked for a file that it does not get.
func (b *Book) fileRefused(n *node, e *batch.Event, s *step, now int64) {
	p := problem{cause: causeNotFound, file: s.file, text: s.text, extra: e.Extra, at: now}
	if e.Kind == batch.EventRefused {
		p.cause = causeFileRefused
	}
	name := b.text(s.file)
	switch {
	case n.state == done, n.state == system, n.stage == stageSystem:
		return
	case optional(name): // as good as never what a boot fails of
		if n.suspect.cause == causeNone && n.phase == leased {
			n.suspect = p
		}
		return
	}
	n.suspect = p
	if n.running() > 0 || n.phase == between && !b.leads(n.file) {
		return // it has something else, or may have tried its luck
	}
	if n.phase == leased && strings.EqualFold(name, b.text(n.bootFile)) { // no doubt about that one
		b.halt(n, p)
		b.due[n.id] = never
		return
	}
	b.expect(n, now+troubleWait, p.cause)
}

// leads tells whether a node that has this file will go on: by what the file is,
// or by what most nodes did.
func (b *Book) leads(file ref) bool {
	if file == 0 {
		return false
	}
	t := &b.texts.list[file]
	if t.ends > t.leads && t.leads+t.ends >= learnFrom {
		return false
	}
	if t.leads > 3*t.ends && t.leads+t.ends >= learnFrom {
		return true
	}
	if f, ok := b.files[t.s]; ok {
		return f.Leads
	}
	return Leads(t.s, nil)
}

// learnFrom is in how many boots a file must have been seen before what
// followed it counts.
const learnFrom = 4

// learnMost keeps the past from outweighing the present.
const learnMost = 1000

// led notes that something followed the file that was the last one.
func (b *Book) led(n *node, next ref) {
	if n.file == 0 {
		return
	}
	t := &b.texts.list[n.file]
	if n.state == done && t.ends > 0 {
		t.ends--
	}
	if t.leads++; t.leads > learnMost {
		t.leads, t.ends = t.leads/2, t.ends/2
	}
	if next != 0 {
		t.next = next
	}
}

// ended notes that a file was the last one of a boot.
func (b *Book) ended(n *node) {
	if n.file == 0 {
		return
	}
	t := &b.texts.list[n.file]
	if t.ends++; t.ends > learnMost {
		t.leads, t.ends = t.leads/2, t.ends/2
	}
}

// finish ends a boot that has come to its end.
func (b *Book) finish(n *node) {
	b.second.done++
	b.ended(n)
	n.cause, n.suspect = problem{}, problem{}
	n.failed, n.failedSince, n.before = 0, b.clock.now, problem{}
	n.active = [4]activeTransfer{}
	n.ended = max(n.loaded, n.started)
	wasStuck := n.told == stuck
	b.set(n, finished, done, b.clock.now)
	b.due[n.id] = never
	if n.shown { // a boot is told once, also if it goes on after all
		return
	}
	n.shown = true
	if wasStuck {
		b.tellNode(ToldRecovered, n, "goes on")
		n.told = done
	}
	b.tellNode(ToldBooted, n, "booted")
}

// elsewhere tells whether a boot file is on another server than this one: a
// URI of another scheme than TFTP's.
func elsewhere(name string) bool {
	scheme, _, uri := strings.Cut(name, "://")
	return uri && !strings.EqualFold(scheme, "tftp")
}
