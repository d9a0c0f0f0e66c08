package engine

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bootstorm/engine/batch"
)

// Limits of the log under storm: enough lines to follow a few nodes, and one
// summary a second of the rest.
const (
	quotaBurst  = 100 // lines of a kind at once
	quotaRate   = 20  // lines of a kind per second after that
	repeatEvery = 10 * time.Second
	repeatKeep  = 1024 // different warnings remembered at most
)

// Two ways of folding: lines that tell of progress are limited by kind (quota),
// since any one of them is as good as another; warnings are limited by what they
// say (repeated), since the first of each is news and the hundredth is not.

// quota is the allowance of one kind of line.
type quota struct {
	level  zapcore.Level
	folded string // what the lines are about, in the plural
	tokens float64
	last   time.Time
	count  int   // folded since the last summary
	bytes  int64 // file bytes in them
}

// take uses up one line; false counts it as folded.
func (q *quota) take(now time.Time) bool {
	if q.last.IsZero() {
		q.tokens = quotaBurst
	} else {
		q.tokens = min(quotaBurst, q.tokens+quotaRate*now.Sub(q.last).Seconds())
	}
	q.last = now
	if q.tokens < 1 { // counted now, summed up by flush
		q.count++
		return false
	}
	q.tokens--
	return true
}

// repeated is a warning that was given, and how often it came again since.
type repeated struct {
	since time.Time
	count int
	last  string // the client it came for last
	text  string
}

// once writes a warning the first time, and then every ten seconds how often it
// came again. key is what makes two warnings the same.
func (o *observer) once(e *batch.Event, key, text string) {
	if v := o.view.Load(); v != o.spoken { // things have changed: what was said before is old
		o.flush(true)
		o.spoken = v
	}
	r := o.repeat[key]
	if r != nil {
		r.count++
		r.last = o.node(e)
		return
	}
	// A flood of what nobody has said before is one line a second, too, and must
	// not eat memory.
	if !o.allow(e.Kind, zap.WarnLevel, foldedNames[e.Kind]) {
		return
	}
	if len(o.repeat) < repeatKeep {
		o.repeat[key] = &repeated{since: o.now(), text: text}
	}
	o.log.Warn(text, o.fields(e)...)
}

// foldedNames are what warnings are about when there are too many of a kind.
var foldedNames = map[batch.EventKind]string{
	batch.EventNak: "refused requests", batch.EventSilence: "messages left without answer", batch.EventConflict: "address conflicts",
	batch.EventAbandoned: "addresses out of service", batch.EventNotFound: "requests for files that are not there",
	batch.EventRefused: "refused TFTP requests", batch.EventTransferError: "transfers that broke off",
	batch.EventFull: "messages that must come again", batch.EventExcess: "senders of too much",
	batch.EventRogue: "replies of other DHCP servers", batch.EventRival: "nodes answered by other DHCP servers",
	batch.EventDoubtful: "conflicts that are not believed",
}

// allow takes one line of a kind; false counts it as folded.
func (o *observer) allow(kind batch.EventKind, level zapcore.Level, folded string) bool {
	q := o.quota[kind]
	if q == nil {
		q = &quota{level: level, folded: folded}
		o.quota[kind] = q
	}
	return q.take(o.now())
}

// flush writes the summaries that are due; at the end, all of them.
func (o *observer) flush(end bool) {
	for kind, q := range o.quota {
		if q.count == 0 {
			continue
		}
		text := fmt.Sprintf("and %d more %s", q.count, q.folded)
		if kind == batch.EventTransferDone {
			text += ", " + size(q.bytes)
		}
		o.log.Log(q.level, text, zap.String("event", kind.String()), zap.Int("folded", q.count))
		q.count, q.bytes = 0, 0
	}
	for key, r := range o.repeat {
		if !end && o.now().Sub(r.since) < repeatEvery {
			continue
		}
		if r.count > 0 {
			o.log.Warn(fmt.Sprintf("again %s, last for %s: %s", plural(r.count, "time"), r.last, r.text), zap.Int("folded", r.count))
		}
		if r.count == 0 || end {
			delete(o.repeat, key)
			continue
		}
		r.since, r.count = o.now(), 0
	}
	lost := o.overrun()
	if lost > o.lost {
		o.log.Warn(fmt.Sprintf("%d events were not logged: the storm outran the log, service is not affected", lost-o.lost))
		o.lost = lost
	}
	o.unshown()
}

// overrun is how many events did not fit the rings.
func (o *observer) overrun() (lost uint64) {
	for _, r := range o.rings {
		lost += r.lost.Load()
	}
	return lost
}

// unshown reports events that the view did not take: it is slow, or it hangs.
func (o *observer) unshown() {
	if o.feed == nil {
		return
	}
	missed := o.feed.Lost()
	if missed == o.missed || o.now().Sub(o.reported) < repeatEvery {
		return
	}
	o.log.Warn(fmt.Sprintf("%d events are missing in the view, which did not take them in time: boots may look unfinished there; service is not affected", missed-o.missed))
	o.missed, o.reported = missed, o.now()
}
