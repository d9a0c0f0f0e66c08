package view

import (
	"io"
	"time"

	"bootstorm/engine/capture"
	"bootstorm/engine/feed"
	"bootstorm/engine/story"
)

// Book is what the handler reads. Its methods are called from many goroutines.
type Book interface {
	Summary(at time.Time) story.Summary
	Nodes(at time.Time, q story.Query) (list []story.Node, total int)
	Node(at time.Time, who string) (story.Node, bool) // by MAC, host or address, with steps
	History() []story.Sample                          // oldest first
}

// Requests is the way back into the engine. Its methods may take a moment and
// are called from many goroutines; an error says what happened, why, and what to
// do.
type Requests interface {
	// Explain tells which reply a node would get now, field by field.
	Explain(mac string) (string, error)
	// Boot makes a node load file next, once or until further notice. An empty
	// file takes the order back.
	Boot(node, file string, once bool) error
	// Marked lists the nodes that Boot was said of, and of those that have had their
	// file (feed.Order.Taken) the last.
	Marked() ([]feed.Order, error)
	// Reload reads the configuration and the boot files again.
	Reload() error
	// Capture writes the last control frames of a node, or of all for "", as pcapng.
	Capture(mac string, w io.Writer) error
	// Frames returns the last control frames of a node, at most so many, the newest
	// last.
	Frames(mac string, most int) ([]capture.Frame, error)
}

// Options are what the handler is told at start.
type Options struct {
	// Hosts are the names and addresses, without port, by which the page may be
	// opened besides those of the loopback interface. An unspecified address
	// (0.0.0.0 or ::) admits every address, but no name.
	Hosts []string
	// Token is the secret of state changes from the page; "" allows none.
	Token string
	// TokenPath is where the operator finds the token; the page says so.
	TokenPath string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Fed tells when the engine was last heard of; nil: always just now.
	Fed func() time.Time
	// Hooks tells what became of the calls of hooks; nil: there are none.
	Hooks func() HookCounts
}

// HookCounts are the counts of package hook.
type HookCounts struct {
	Sent, Retried, Failed, Lost int64
}

// Plus adds the counts of another hook.
func (c HookCounts) Plus(d HookCounts) HookCounts {
	return HookCounts{c.Sent + d.Sent, c.Retried + d.Retried, c.Failed + d.Failed, c.Lost + d.Lost}
}
