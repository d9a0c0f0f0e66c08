package view

import (
	"time"

	"bootstorm/engine/story"
)

// Bar is one piece of a boot on the waterfall. Times are in milliseconds since
// the boot's first message.
type Bar struct {
	Kind string `json:"kind"` // "dhcp", "file", "wait" (for the node), "stuck", "bad"
	From int64  `json:"from"` // ms
	To   int64  `json:"to"`   // ms
	Text string `json:"text"`
	Open bool   `json:"open,omitempty"` // still going on
}

// maxBarsPerNode bounds one node's bars; what follows belongs to the last.
const maxBarsPerNode = 48

// waterfall cuts a timeline into bars.
type waterfall struct {
	start time.Time
	bars  []Bar
	end   int64 // ms, of the last bar
	dhcp  int64 // ms, where an exchange began; -1: none under way
	file  int64 // ms, where a file was asked for last; -1: none under way
}

// Bars cuts a node's present boot into bars, oldest first and without overlap: an
// exchange of DHCP from its first message to its acknowledgement, each file, and
// between them what the node did by itself.
func Bars(n *story.Node, now time.Time) []Bar {
	if n.Started.IsZero() || len(n.Steps) == 0 {
		return nil
	}
	f := &waterfall{start: n.Started, dhcp: -1, file: -1}
	for i := range n.Steps {
		f.step(&n.Steps[i])
	}
	f.last(n, f.at(now))
	return f.bars
}

// at is a time in milliseconds since the boot began.
func (f *waterfall) at(t time.Time) int64 { return max(0, t.Sub(f.start).Milliseconds()) }

// add appends a bar after what is there, and what lies between as a wait.
func (f *waterfall) add(b Bar) {
	b.From = max(b.From, f.end)
	b.To = max(b.To, b.From)
	if b.From > f.end {
		f.bars = append(f.bars, Bar{Kind: "wait", From: f.end, To: b.From, Text: "the node is busy with itself"})
	}
	if len(f.bars) >= maxBarsPerNode {
		f.bars[len(f.bars)-1].To = b.To
	} else {
		f.bars = append(f.bars, b)
	}
	f.end = b.To
}

// step adds what one line of the timeline ends.
func (f *waterfall) step(s *story.Step) {
	at := f.at(s.At)
	switch s.Kind {
	case "discover", "offer", "request", "inform":
		if f.dhcp < 0 {
			f.dhcp = at
		}
	case "ack", "nak", "bootp":
		from := f.dhcp
		if from < 0 {
			from = at
		}
		f.dhcp = -1
		f.add(Bar{Kind: "dhcp", From: from, To: at, Text: "DHCP: " + s.Text})
	case "transfer_start":
		f.file = at
	case "transfer_error":
		from := f.file
		if from < 0 {
			from = at
		}
		f.file = -1
		f.add(Bar{Kind: "bad", From: from, To: at, Text: s.Text})
	case "transfer_done":
		f.file = -1
		f.add(Bar{Kind: "file", From: f.at(s.At.Add(-s.Took)), To: at, Text: s.Text})
	default:
		if s.Bad {
			f.add(Bar{Kind: "bad", From: at, To: at, Text: s.Text})
		}
	}
}

// last adds what is going on now.
func (f *waterfall) last(n *story.Node, now int64) {
	b := Bar{Kind: "wait", From: f.end, To: now, Text: n.Last, Open: true}
	switch {
	case n.State == story.StateDone || n.State == story.StateSystem:
		return
	case n.State == story.StateStuck:
		b.Kind, b.Text = "stuck", n.Reason
	case f.dhcp >= 0:
		b.Kind, b.From, b.Text = "dhcp", f.dhcp, "DHCP: "+n.Last
	case n.Phase == story.PhaseLoad:
		b.Kind, b.From, b.Text = "file", f.at(n.Since), n.File
	}
	f.add(b)
}
