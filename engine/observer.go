package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bootstorm/engine/batch"
	"bootstorm/engine/feed"
	"bootstorm/engine/plan"
	"bootstorm/engine/span"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// What an operator wants to read at info is one line per step that a boot has
// finished: who has which address, who got which file and how fast. What kept a
// node from booting is a warning, with the reason and what to do. All else is
// for debugging.

// view is what the observer needs to put events into words: the generation of
// configuration and files in force, and the interfaces.
type view struct {
	setup *Setup
	links []plan.Link
}

// observer turns events into log lines. It is one goroutine; view may be
// replaced from outside at any time.
type observer struct {
	log    *zap.Logger
	notes  *notes   // of the first worker
	rings  []*notes // of all
	view   atomic.Pointer[view]
	now    func() time.Time
	nodes  map[proto.Addr]dhcp.HW // who was given the address last
	quota  map[batch.EventKind]*quota
	repeat map[string]*repeated
	spoken *view  // what the warnings in repeat are about
	lost   uint64 // events lost that were reported

	wants    chan want    // nodes that need files of their own, for the manager
	unheard  atomic.Bool  // some found no room there
	feed     *feed.Writer // to the process that shows; nil: there is none
	missed   uint64       // events that it did not take and that were reported
	reported time.Time
	shown    bool  // it is there now, and logs a line for each boot itself
	saying   *note // the event that explain is asked about
	explain  func(*batch.Event) string
}

// observeTick is how often counts of what was folded are written.
const observeTick = time.Second

// observePause is shorter than the ring of events takes to fill in a storm.
const observePause = 10 * time.Millisecond

// newObserver makes an observer that knows no names yet.
func newObserver(log *zap.Logger, n *notes) *observer {
	o := &observer{log: log, notes: n, rings: []*notes{n}, now: time.Now, nodes: map[proto.Addr]dhcp.HW{},
		quota: map[batch.EventKind]*quota{}, repeat: map[string]*repeated{}, wants: make(chan want, wantsMost)}
	o.view.Store(&view{setup: &Setup{}})
	o.explain = func(e *batch.Event) string {
		if e.Kind == batch.EventLog {
			return clean(o.saying.text[:o.saying.textLen])
		}
		return o.words(e)
	}
	return o
}

// run logs until ctx ends and the ring is empty.
func (o *observer) run(ctx context.Context) {
	tick := time.NewTicker(observeTick)
	defer tick.Stop()
	for {
		o.take()
		// What comes within a moment is logged together: to be woken for each
		// batch would cost the worker more than the batch itself.
		select {
		case <-time.After(observePause):
		case <-ctx.Done():
		}
		select {
		case <-o.notes.poke:
		case <-tick.C:
			o.flush(false)
		case <-ctx.Done():
			o.take()
			o.flush(true)
			return
		}
	}
}

// another makes a ring for a further worker, which wakes the observer likewise.
// All are made before run.
func (o *observer) another() *notes {
	n := newNotes()
	n.poke = o.notes.poke
	o.rings = append(o.rings, n)
	return n
}

// take logs what waits in the rings, and shows it.
func (o *observer) take() {
	o.shown = o.feed != nil && o.feed.Attached()
	for _, r := range o.rings {
		r.take(o.note)
	}
	if o.feed != nil {
		o.feed.Flush()
	}
}

// note logs one event.
func (o *observer) note(n *note) {
	e := &n.Event
	o.want(e)
	if o.feed != nil {
		o.saying = n
		o.feed.Event(e, o.explain)
	}
	switch e.Kind {
	case batch.EventAck, batch.EventBootp:
		o.nodes[e.Addr] = hw(e) // TFTP events of relayed nodes bear the relay's MAC or none
		o.step(e, o.stepLevel(), "leases", func() string { return fmt.Sprintf("%s leased to %s %s", e.Addr, o.node(e), leaseTime(e.Value)) })
	case batch.EventTransferDone:
		o.step(e, o.stepLevel(), "files sent", func() string { return o.sent(e) })
	case batch.EventRelease:
		o.step(e, o.stepLevel(), "releases", func() string { return fmt.Sprintf("%s released by %s", e.Addr, o.node(e)) })
	case batch.EventReclaimed:
		o.step(e, zap.InfoLevel, "addresses taken back", func() string {
			return fmt.Sprintf("%s, out of service since a conflict, is offered again: no other address is free", e.Addr)
		})
	case batch.EventLog:
		o.logStatement(n)
	case batch.EventDiscover, batch.EventOffer, batch.EventRequest, batch.EventInform, batch.EventDecline,
		batch.EventTransferStart, batch.EventTransferProbe, batch.EventTransferProgress:
		o.detail(e)
	case batch.EventNak, batch.EventSilence:
		o.refused(e)
	case batch.EventFull:
		if e.Reason == batch.ReasonNotFilled { // what is wrong, if anything, the manager says
			o.detail(e)
			return
		}
		o.warn(e)
	default:
		o.warn(e)
	}
}

// stepLevel is the level of lines that tell of one step of a boot. Where there
// is a view, its one line for each boot takes their place.
func (o *observer) stepLevel() zapcore.Level {
	if o.shown {
		return zap.DebugLevel
	}
	return zap.InfoLevel
}

// step writes one line of a kind that is frequent in a storm; what exceeds the
// quota is counted and folded into one line a second. Only what is written is put
// into words: a storm must not make garbage.
func (o *observer) step(e *batch.Event, level zapcore.Level, folded string, text func() string) {
	if !o.log.Core().Enabled(level) {
		return
	}
	if !o.allow(e.Kind, level, folded) {
		o.quota[e.Kind].bytes += max(e.Value, 0)
		return
	}
	if entry := o.log.Check(level, ""); entry != nil {
		entry.Message = text()
		entry.Write(o.fields(e)...)
	}
}

// detail writes a line that matters only to somebody who follows one client.
func (o *observer) detail(e *batch.Event) {
	entry := o.log.Check(zap.DebugLevel, "")
	if entry == nil {
		return
	}
	switch e.Kind {
	case batch.EventTransferStart:
		entry.Message = fmt.Sprintf("%s begins %s: %s, blocks of %d, window %d", o.node(e), name(e), size(e.Value), e.Extra>>16, e.Extra&0xffff)
	case batch.EventTransferProbe:
		entry.Message = fmt.Sprintf("%s asked only for the size of %s", o.node(e), name(e))
	case batch.EventFull:
		entry.Message = fmt.Sprintf("%s asks for %s: %s", o.node(e), name(e), full(e.Reason))
	case batch.EventTransferProgress:
		entry.Message = fmt.Sprintf("%s has %s of %s", o.node(e), size(e.Value), name(e))
	default:
		entry.Message = fmt.Sprintf("%s %s %s", e.Kind, o.node(e), e.Addr)
	}
	entry.Write(o.fields(e)...)
}

// sent describes a finished transfer.
func (o *observer) sent(e *batch.Event) string {
	text := fmt.Sprintf("%s sent to %s: %s in %s", name(e), o.node(e), size(e.Value), span.Text(time.Duration(e.Nanos)))
	if e.Nanos > 0 {
		text += fmt.Sprintf(" (%s/s)", size(int64(float64(e.Value)/float64(e.Nanos)*1e9)))
	}
	if e.Extra > 0 {
		text += fmt.Sprintf(", %s repeated", plural(int(e.Extra), "frame"))
	}
	return text
}

// logStatement writes what a log statement of the configuration says, at the
// priority that it gives (dhcp-eval(5)).
func (o *observer) logStatement(n *note) {
	level := zap.InfoLevel
	switch n.Nanos {
	case plan.LogFatal, plan.LogError:
		level = zap.ErrorLevel
	case plan.LogDebug:
		level = zap.DebugLevel
	}
	o.step(&n.Event, level, "log statements", func() string { return clean(n.text[:n.textLen]) })
}

// clean makes text from the network safe to print: a line stays one line.
func clean(b []byte) string {
	// Escape sequences could rewrite what stands on the operator's terminal.
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, string(b))
}

// fields are the parts of an event for a log that machines read.
func (o *observer) fields(e *batch.Event) []zap.Field {
	f := []zap.Field{zap.String("event", e.Kind.String())}
	if e.HWLen > 0 {
		f = append(f, zap.String("mac", hwText(hw(e))))
		if host := o.view.Load().setup.Hosts[hw(e)]; host != "" {
			f = append(f, zap.String("host", host))
		}
	}
	if e.Addr != 0 {
		f = append(f, zap.Stringer("address", e.Addr))
	}
	if e.Name[0] != 0 {
		f = append(f, zap.String("file", name(e)))
	}
	if e.Reason != batch.ReasonNone && e.Reason < batch.Reasons {
		f = append(f, zap.String("reason", e.Reason.String()))
	}
	switch e.Kind {
	case batch.EventAck:
		f = append(f, zap.Int64("seconds", e.Value))
	case batch.EventTransferDone:
		f = append(f, zap.Int64("bytes", e.Value), zap.Int64("ns", e.Nanos), zap.Uint32("repeated", e.Extra))
	}
	return f
}

// node names the client of an event: its hardware address and, if it is
// declared, its host name.
func (o *observer) node(e *batch.Event) string {
	w := hw(e)
	if w.Len == 0 {
		w = o.nodes[e.Addr]
	}
	if w.Len == 0 {
		return e.Addr.String()
	}
	if host := o.view.Load().setup.Hosts[w]; host != "" {
		return hwText(w) + " (" + host + ")"
	}
	return hwText(w)
}

// hw returns the hardware address of an event. Its type is not kept, and
// Ethernet is what clients on the wire have.
func hw(e *batch.Event) dhcp.HW {
	if e.HWLen == 0 {
		return dhcp.HW{}
	}
	w := dhcp.HW{Type: 1, Len: min(e.HWLen, 16)}
	copy(w.Addr[:w.Len], e.HW[:])
	return w
}

// hwText writes a hardware address as colon-separated hexadecimal.
func hwText(w dhcp.HW) string {
	var b []byte
	for i, v := range w.Addr[:w.Len] {
		if i > 0 {
			b = append(b, ':')
		}
		b = fmt.Appendf(b, "%02x", v)
	}
	return string(b)
}

// name returns the file name of an event, fit to print.
func name(e *batch.Event) string { return clean(bytes.TrimRight(e.Name[:], "\x00")) }
