package story

import (
	"slices"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/proto"
)

// none is no node.
const none int32 = -1

// stage is which program of the boot is at work.
type stage uint8

const (
	stageUnknown  stage = iota
	stageFirmware       // PXE or UEFI firmware, U-Boot, a ROM
	stageIPXE
	stageSystem // an installed system, or the one that was booted
)

var stageNames = [...]string{"", "firmware", "ipxe", "system"}

// Phases and states as small numbers.
type (
	phase uint8
	state uint8
)

const (
	discovering phase = iota
	offered
	requesting
	leased
	loading
	between
	finished
)

var phaseNames = [...]Phase{PhaseDiscover, PhaseOffer, PhaseRequest, PhaseLease, PhaseLoad, PhaseNext, PhaseDone}

const (
	booting state = iota
	stuck
	done
	system
)

var stateNames = [...]State{StateBooting, StateStuck, StateDone, StateSystem}

// node is one machine.
type node struct {
	id, older, newer int32 // list by when it was last seen

	hw      hardware // that it last used; of length 0 if only its address is known
	aliases []hardware
	addr    proto.Addr
	spoke   bool // it sent DHCP, so hw is its own and not a router's
	client  core.Client
	arch    uint16
	stage   stage
	phase   phase
	state   state
	told    state // that Tick has told: stuck, or another
	marked  bool  // in Book.dirty
	shown   bool  // this boot's end was told

	started, since, seen, ended int64  // the book's times
	loaded                      int64  // when the last file had arrived
	turned                      int64  // when it asked for the file that it asked for last
	asked                       int64  // when it last sent a DISCOVER or REQUEST
	xid, firstXID               uint32 // of its last message, and of the DISCOVER that began this boot

	bootFile       ref // that the last acknowledgement named
	file           ref // under way, or the last one
	size, got      int64
	took           int64 // ns that file has taken so far
	bytes          int64 // of the whole boot
	files          int32 // that have arrived in this boot
	resent, again  int32
	boots          int32
	active         [4]activeTransfer
	lastText       ref
	failed         int32 // boots in a row that came to no end
	failedSince    int64
	cause, suspect problem // why it is stuck; what is the likely reason should nothing more come
	before         problem // what had kept the last boot
	wait           cause   // what it means when due comes

	steps   []step
	first   int // where the oldest of the later half is, once steps is full
	omitted int32
}

// activeTransfer is a file on its way to a node.
type activeTransfer struct {
	port   uint32 // 0: not in use
	file   ref
	last   int64 // bytes of a window: what may be on its way unacknowledged
	size   int64
	got    int64
	from   int64 // when it began
	seen   int64
	before ref // the file that it was on its way with, or had, until then
}

// had tells whether a file has arrived in this boot, as far as its steps are known.
func (n *node) had(file ref) bool {
	return slices.ContainsFunc(n.steps, func(s step) bool { return s.kind == batch.EventTransferDone && s.file == file })
}

// problem is a reason with what it refers to.
type problem struct {
	cause  cause
	reason batch.Reason
	text   ref // the engine's words
	file   ref
	addr   proto.Addr
	extra  uint32
	at     int64
}

// step is a line of a timeline.
type step struct {
	at, bytes, took int64
	file, text      ref
	addr            proto.Addr
	extra           uint32
	kind            batch.EventKind
	reason          batch.Reason
	times           uint16
	stage           stage
}

// Of a boot with very many steps, the first and the last of them are kept.
const (
	stepsMost = 64
	stepsHead = 24
)

// addStep appends a line, or counts it where it only repeats the last one.
func (n *node) addStep(s step) {
	if last := n.lastStep(); last != nil && last.kind == s.kind && last.reason == s.reason && last.file == s.file &&
		last.addr == s.addr && last.stage == s.stage && repeats(s.kind) {
		if last.times < 1<<16-1 {
			last.times++
		}
		last.text, last.extra, last.bytes = s.text, s.extra, s.bytes
		return
	}
	s.times = 1
	if len(n.steps) < stepsMost {
		n.steps = append(n.steps, s)
		return
	}
	if n.first == 0 {
		n.first = stepsHead
	}
	n.steps[n.first] = s
	n.omitted++
	if n.first++; n.first == stepsMost {
		n.first = stepsHead
	}
}

// repeats tells whether such a step may be folded with the one before.
func repeats(k batch.EventKind) bool {
	return k != batch.EventTransferDone && k != batch.EventTransferStart
}

// lastStep is the newest line, nil if there is none.
func (n *node) lastStep() *step {
	switch {
	case len(n.steps) == 0:
		return nil
	case len(n.steps) < stepsMost || n.first == 0:
		return &n.steps[len(n.steps)-1]
	case n.first == stepsHead:
		return &n.steps[stepsMost-1]
	}
	return &n.steps[n.first-1]
}

// eachStep calls f with the lines in order.
func (n *node) eachStep(f func(*step)) {
	if n.first == 0 {
		for i := range n.steps {
			f(&n.steps[i])
		}
		return
	}
	for i := range stepsHead {
		f(&n.steps[i])
	}
	for i := range stepsMost - stepsHead {
		f(&n.steps[stepsHead+(n.first-stepsHead+i)%(stepsMost-stepsHead)])
	}
}

// refs calls f with each text that the node refers to.
func (n *node) refs(f func(ref)) {
	f(n.bootFile)
	f(n.file)
	f(n.lastText)
	for _, p := range [...]*problem{&n.cause, &n.suspect, &n.before} {
		f(p.text)
		f(p.file)
	}
	for i := range n.active {
		f(n.active[i].file)
	}
	for i := range n.steps {
		f(n.steps[i].file)
		f(n.steps[i].text)
	}
}

// running is how many files are on their way.
func (n *node) running() (k int) {
	for i := range n.active {
		if n.active[i].port != 0 {
			k++
		}
	}
	return k
}

// transfer finds the one of a client's port, nil if there is none.
func (n *node) transfer(port uint32) *activeTransfer {
	for i := range n.active {
		if n.active[i].port == port && port != 0 {
			return &n.active[i]
		}
	}
	return nil
}

// open makes room for a transfer; the one that was silent for longest is
// forgotten if there are too many.
func (n *node) open(port uint32) *activeTransfer {
	if t := n.transfer(port); t != nil {
		return t
	}
	best := &n.active[0]
	for i := range n.active {
		t := &n.active[i]
		if t.port == 0 {
			return t
		}
		if t.seen < best.seen {
			best = t
		}
	}
	return best
}

// set changes phase and state, and the book's counts with them.
func (b *Book) set(n *node, p phase, s state, now int64) {
	if n.state != system {
		b.phases[n.phase]--
	}
	b.states[n.state]--
	if n.phase != p {
		n.since = now
	}
	if s != n.state && (s == stuck || n.state == stuck) && !n.marked {
		n.marked = true
		b.dirty = append(b.dirty, n.id)
	}
	n.phase, n.state = p, s
	b.states[s]++
	if s != system {
		b.phases[p]++
	}
}

// expect says by when the node's next step is due, and what it means if it does
// not come.
func (b *Book) expect(n *node, at int64, what cause) {
	n.wait = what
	b.due[n.id] = at
}

// Stays has f called whenever a node goes on to the next phase of its boot, with the
// one that it was in, and for how long since its first message: what the server takes
// (discover, request), what the node does (offer, lease, next), and what both do (load).
// What begins anew or is left out counts for nothing. f must not wait, nor call the
// book. Call it before the first event.
func (b *Book) Stays(f func(in Phase, took time.Duration)) { b.stayed = f }

// follows tells whether a phase comes after another in a boot: after a file, iPXE asks
// for an address of its own, or for the next file.
func follows(p, before phase) bool {
	return p == before+1 && p <= between || before == between && (p == discovering || p == loading)
}

// progress clears what had kept the node: it goes on.
func (b *Book) progress(n *node, p phase, now int64) {
	if b.stayed != nil && follows(p, n.phase) {
		b.stayed(phaseNames[n.phase], time.Duration(now-n.since))
	}
	n.suspect, n.ended = problem{}, 0
	if n.cause.cause == causeLoop { // only the end of a boot shows that it is over
		b.set(n, p, stuck, now)
		return
	}
	n.cause = problem{}
	b.set(n, p, booting, now)
}

// halt makes a node stuck.
func (b *Book) halt(n *node, p problem) {
	if n.cause.cause == causeLoop {
		n.before = p
		return
	}
	n.cause = p
	b.set(n, n.phase, stuck, b.clock.now)
}
