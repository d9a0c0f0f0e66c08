package story

import (
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
)

// When something is overdue. What clients do is from their source; see also
// bench/habits.go, whose models of them keep the same times.
const (
	second = int64(time.Second)
	// A DISCOVER that is neither answered nor refused: the event of the answer
	// was lost, or the client has gone. edk2 repeats after 4, 8, 16 and 32 s
	// (Dhcp4Io.c), so one that is silent for longer has given up.
	answerWait = 40 * second
	// From an offer to the REQUEST. edk2 collects offers for 4 s, iPXE for 3 s; a
	// PXE ROM that hopes for a proxy goes on asking through its 4 s and 8 s.
	requestWait = 15 * second
	// From a REQUEST to the acknowledgement that is made for it at once.
	ackWait = 10 * second
	// From an acknowledgement to the first file. Firmware asks within a second
	// or two (ARP, and its check of the address)…
	fileWait = 15 * second
	// … but iPXE on EFI waits up to 15.75 s for an IPv6 router first (ndp.c).
	fileWaitIPXE = 30 * second
	// A node that was told no file will not ask for one.
	noFileWait = 5 * second
	// From the last byte of a program that goes on by itself to its first
	// message: iPXE takes 1.5 s and up to 15 s for the link (ifmgmt.c), a switch
	// without edge ports (STP) another 30 s before it forwards.
	comebackWait = 45 * second
	// From the last byte of any other file until the boot counts as done: what
	// reads several files asks for the next at once.
	quietWait = 5 * second
	// After a missing file or a broken transfer: boot programs that try several
	// names, or try again, do so within firmware's 4 s retry.
	troubleWait = 8 * second
	// A message with the identifier of the last one within this time is a copy of
	// it, not a machine that restarted.
	copyTime = 2 * second
	// edk2 gives up after 60 s (the sum of its waits); a DISCOVER after a longer
	// silence begins a new attempt.
	attemptTime = 90 * second
	// A node is restarting over and over if it began loopBoots times within
	// loopTime and none of the boots came to an end.
	loopBoots = 3
	loopTime  = 30 * 60 * second
	// A transfer of which nothing was heard for so long has ended without our
	// knowledge: the server itself gives up after 130 s (transfer.IdleLimit).
	lostTransfer = 150 * second
	// Whoever reads one file after the other has also read those before one that
	// has arrived, if nothing more is heard of them for so long: that they had
	// ended was lost.
	lostEnd = 15 * second
	// A request after this long belongs to another boot even if no DHCP was seen.
	reopenTime = 10 * 60 * second
)

// Observe takes in one event of the core. at is the wall clock's time of it;
// advice is what the engine has to say about a refusal or a warning, with the
// place in the configuration or the name that may have been meant, or "".
func (b *Book) Observe(at time.Time, e *batch.Event, advice string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.event(at)
	switch e.Kind {
	case batch.EventConflict:
		b.conflict(e, now)
	case batch.EventAbandoned:
		b.abandoned(e, now)
	case batch.EventRogue:
		b.otherServer(hardwareOf(e), e.Addr, now)
	default:
		if !ofNode(e.Kind) {
			b.ignored++
			return
		}
		if n := b.find(e, now); n != nil {
			b.take(n, e, advice, now)
		}
	}
}

// ofNode tells whether events of a kind say what became of a node.
func ofNode(k batch.EventKind) bool {
	switch k {
	case batch.EventDiscover, batch.EventOffer, batch.EventRequest, batch.EventAck, batch.EventNak, batch.EventRelease,
		batch.EventDecline, batch.EventInform, batch.EventBootp, batch.EventSilence, batch.EventTransferStart,
		batch.EventTransferProgress, batch.EventTransferDone, batch.EventTransferProbe, batch.EventTransferError,
		batch.EventNotFound, batch.EventRefused, batch.EventFull, batch.EventRival:
		return true
	}
	return false
}

// take brings an event into the story of its node.
func (b *Book) take(n *node, e *batch.Event, advice string, now int64) {
	s := step{at: now, kind: e.Kind, reason: e.Reason, addr: e.Addr, extra: e.Extra, bytes: e.Value,
		took: e.Nanos, text: b.ref([]byte(advice), now), stage: n.stage}
	if e.Name[0] != 0 {
		s.file = b.ref(fileName(e), now)
	}
	switch e.Kind {
	case batch.EventDiscover:
		b.discover(n, e, now)
	case batch.EventRequest:
		b.request(n, e, now)
	case batch.EventOffer:
		b.offer(n, s.file, now)
	case batch.EventAck, batch.EventBootp:
		b.acknowledged(n, e, s.file, now)
	case batch.EventNak, batch.EventSilence:
		b.refused(n, e, &s, now)
	case batch.EventFull:
		b.full(n, e, &s, now)
	case batch.EventTransferStart:
		b.transferStart(n, e, s.file, now)
	case batch.EventTransferProgress:
		b.transferProgress(n, e, s.file, now)
		return // no line of its own
	case batch.EventTransferDone:
		b.transferDone(n, e, s.file, now)
	case batch.EventTransferProbe:
		b.transferProbe(n, e)
	case batch.EventTransferError:
		if n.transfer(e.XID) == nil && e.Extra == transfer.EndedByTime {
			return // of a boot before, or of a file that the node had long ago
		}
		b.transferError(n, e, &s, now)
	case batch.EventNotFound, batch.EventRefused:
		b.fileRefused(n, e, &s, now)
	case batch.EventRival:
		b.rival(n, e, now)
	}
	s.stage = n.stage
	n.addStep(s)
}

// fileName is the name that an event bears.
func fileName(e *batch.Event) []byte {
	for i, c := range e.Name {
		if c == 0 {
			return e.Name[:i]
		}
	}
	return e.Name[:]
}

// stageOf tells which program speaks. GRUB and Linux' ip=dhcp say nothing of
// themselves and pass for the system that they load.
func stageOf(c core.Client, arch uint16) stage {
	switch c {
	case core.ClientIPXE:
		return stageIPXE
	case core.ClientPXE, core.ClientUEFI, core.ClientHTTP, core.ClientUBoot:
		return stageFirmware
	}
	if arch != noArch {
		return stageFirmware
	}
	return stageSystem
}

// discover: the node looks for a server.
func (b *Book) discover(n *node, e *batch.Event, now int64) {
	b.second.discovers++
	if n.phase > offered && e.XID == n.firstXID && now-n.started < copyTime { // a copy of the first, long on its way
		return
	}
	first := n.phase == discovering && n.asked == 0
	boots := n.boots
	if b.speaks(n, e, now) == stageSystem {
		return
	}
	if n.phase == discovering && n.asked != 0 || n.phase == offered {
		n.again++
	}
	n.asked, n.xid = now, e.XID
	if first || n.boots != boots {
		n.firstXID = e.XID
	}
	if n.phase > offered { // its next stage
		b.progress(n, discovering, now)
	}
	if n.phase == discovering && n.state == booting {
		b.expect(n, now+answerWait, causeNoOffer)
	} else if n.phase == offered && n.state == booting && b.due[n.id] == never {
		b.expect(n, now+requestWait, causeNotRequested)
	}
}

// speaks notes who sent a message, and begins a new boot or the next stage where
// that says so. It returns the stage that the node is in.
func (b *Book) speaks(n *node, e *batch.Event, now int64) stage {
	n.client, n.arch = core.Client(e.Value), uint16(e.Extra)
	next := stageOf(n.client, n.arch)
	if next == stageSystem {
		b.systemUp(n, now)
		return next
	}
	switch {
	case b.restarted(n, next, e, now):
		b.begin(n, now)
	case next == stageIPXE && n.stage == stageFirmware:
		b.led(n, 0)
		b.progress(n, discovering, now)
		n.bootFile, n.asked = 0, 0 // iPXE asks for the first time
	}
	n.stage = next
	return next
}

// restarted tells whether a message shows that the node began anew.
func (b *Book) restarted(n *node, next stage, e *batch.Event, now int64) bool {
	if n.stage == stageUnknown && n.phase == discovering { // it is new here
		return false
	}
	idle := now - n.lastSign()
	if e.XID == n.xid && idle < copyTime && next == n.stage {
		return false
	}
	if e.Kind == batch.EventRequest && n.stage == stageUnknown {
		return false
	}
	if e.Kind == batch.EventRequest { // it has answered an offer, so nothing begins with it; but events may be lost
		return next != n.stage && (next == stageFirmware || n.state == system) || n.state == done && idle > reopenTime
	}
	if n.phase <= offered && next == n.stage {
		return idle > attemptTime
	}
	if next == stageFirmware || n.stage == stageSystem || n.state == system {
		return true
	}
	if n.stage == stageFirmware { // from the firmware to iPXE: the guide's way
		return idle > reopenTime
	}
	// iPXE after iPXE: one in the ROM that loads another, a script that runs
	// "dhcp", or a restart.
	k := fileOther
	if n.file != 0 {
		k = kindOf(b.text(n.file))
	}
	goesOn := n.files == 0 || k == fileIPXE || k == fileScript
	return !goesOn || n.running() > 0 || idle > attemptTime
}

// lastSign is when the node itself was last heard of before the present event.
func (n *node) lastSign() int64 {
	if s := n.lastStep(); s != nil {
		return max(s.at, n.loaded, n.asked)
	}
	return n.asked
}

// begin starts a new boot.
func (b *Book) begin(n *node, now int64) {
	if n.phase == between && n.state == booting && !b.leads(n.file) {
		b.finish(n) // the last file had arrived; it was only not quiet for long enough
	}
	if n.state == done || n.state == system {
		n.failed, n.failedSince, n.before = 0, now, problem{}
	} else {
		if n.failed++; now-n.failedSince > loopTime {
			n.failed, n.failedSince = 1, n.started
		}
		if n.cause.cause != causeNone && n.cause.cause != causeLoop {
			n.before = n.cause
		} else if n.suspect.cause != causeNone {
			n.before = n.suspect
		}
	}
	n.boots++
	n.cause, n.suspect = problem{}, problem{}
	n.started, n.ended, n.loaded, n.asked = now, 0, 0, 0
	n.bootFile, n.file, n.size, n.got, n.took, n.bytes, n.files = 0, 0, 0, 0, 0, 0, 0
	n.resent, n.again = 0, 0
	n.active = [4]activeTransfer{}
	n.steps, n.first, n.omitted = n.steps[:0], 0, 0
	n.shown = false
	b.set(n, discovering, booting, now)
	n.since = now
	b.due[n.id] = never
	if n.failed >= loopBoots {
		b.halt(n, problem{cause: causeLoop, at: now})
	}
}

// offer: the node was offered an address. edk2 takes none that names no boot
// file (PxeBcDhcp4.c).
func (b *Book) offer(n *node, file ref, now int64) {
	if n.stage == stageSystem || n.state == system || n.phase > offered {
		return
	}
	n.bootFile = file
	if n.phase == offered {
		return
	}
	b.progress(n, offered, now)
	if file == 0 {
		b.expect(n, now+requestWait, causeNoFileNamed)
	} else {
		b.expect(n, now+requestWait, causeNotRequested)
	}
}

// request: the node takes an address, or keeps it.
func (b *Book) request(n *node, e *batch.Event, now int64) {
	if b.speaks(n, e, now) == stageSystem {
		return
	}
	if n.phase == requesting || n.phase == leased {
		n.again++
	}
	n.asked, n.xid = now, e.XID
	if n.phase >= requesting {
		return
	}
	b.progress(n, requesting, now)
	b.expect(n, now+ackWait, causeNoAck)
}

// acknowledged: the node has its address.
func (b *Book) acknowledged(n *node, e *batch.Event, file ref, now int64) {
	b.second.leases++
	b.lease(n, e.Addr)
	if n.stage == stageSystem || n.state == system {
		if n.cause.cause != causeNone && n.state == stuck {
			n.cause, n.suspect = problem{}, problem{}
			if n.ended != 0 {
				b.set(n, n.phase, done, now)
			} else {
				b.set(n, n.phase, system, now)
			}
		}
		return
	}
	if e.Value == 0 && e.Kind == batch.EventAck && n.phase >= leased { // the answer of a boot server, or to an INFORM
		return
	}
	n.bootFile = file
	if n.phase > leased {
		return
	}
	b.progress(n, leased, now)
	name := b.text(file)
	switch {
	case file == 0:
		b.expect(n, now+noFileWait, causeNoFileNamed)
	case elsewhere(name):
		b.expect(n, now+quietWait, causeDone)
	case n.stage == stageIPXE:
		b.expect(n, now+fileWaitIPXE, causeNotAsked)
	default:
		b.expect(n, now+fileWait, causeNotAsked)
	}
}

// systemUp: an installed system, or the one that was booted, asks for its
// address. Either way the machine is up.
func (b *Book) systemUp(n *node, now int64) {
	if n.state == booting && n.phase == between && kindOf(b.text(n.file)) == fileLoader && now-n.loaded < quietWait {
		return // GRUB asks for an address itself, and says nothing of who it is
	}
	n.stage = stageSystem
	n.suspect = problem{}
	switch {
	case n.state == system:
	case n.state == done:
	case n.files > 0:
		b.finish(n)
	case n.state == stuck && refusedSystem(n): // still refused: say so
	default:
		n.cause = problem{}
		b.due[n.id] = never
		b.set(n, n.phase, system, now)
	}
}

// refusedSystem tells whether what keeps a node is that an installed system gets
// no address.
func refusedSystem(n *node) bool { return n.cause.cause == causeRefused && n.phase <= requesting }
