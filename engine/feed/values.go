package feed

import (
	"time"

	"bootstorm/engine/story"
)

// Generation is what was loaded at the start or by a reload.
type Generation struct {
	Clock Clock       `json:"clock"`
	Names story.Names `json:"names"`
	// Options are the options that the configuration defines, as it would
	// (config.Tree.Declarations).
	Options string `json:"options,omitempty"`
}

// Clock ties the engine's clock, which nobody sets, to the wall clock.
type Clock struct {
	Mono int64 `json:"mono"` // batch.Time.Mono, nanoseconds
	Wall int64 `json:"wall"` // Unix time of the same moment, nanoseconds
}

// Time returns the wall clock's time of a moment of the engine's clock.
func (c Clock) Time(mono int64) time.Time { return time.Unix(0, c.Wall+mono-c.Mono) }

// Counters are all counts of the engine, once a second. Their names are those of
// core.Counters, those of the other parts behind "tftp_", "link_", "journal_" and
// "feed_", and those that package story has constants for.
type Counters struct {
	Clock  Clock            `json:"clock"`
	Counts map[string]int64 `json:"counts"`
}

// Request is what the view asks of the engine.
type Request struct {
	ID   uint64 `json:"id"` // given by Reader.Ask; the response bears it
	Kind string `json:"kind"`
	// Node is a MAC address.
	Node string `json:"node,omitempty"`
	// Arch is the node's architecture (option 93) for an explanation, nil for
	// an installed system's DISCOVER.
	Arch *uint16 `json:"arch,omitempty"`
	// UserClass is option 77, "iPXE" for iPXE's own DISCOVER.
	UserClass string `json:"user_class,omitempty"`
	// File and Once say what a node boots the next time.
	File string `json:"file,omitempty"`
	Once bool   `json:"once,omitempty"`
}

// The kinds of requests.
const (
	Explain = "explain" // the reply that Node would get, and why, as text
	Reload  = "reload"  // read configuration and boot files again
	Boot    = "boot"    // Node loads File the next time
	Unboot  = "unboot"  // Node loads again what the configuration says
	Orders  = "orders"  // the nodes that Boot was said of, and the last that have loaded their file, as JSON: []Order
)

// Order is a node that loads another file at its next boot, once.
type Order struct {
	Host   string    `json:"host,omitempty"` // of its declaration
	MACs   []string  `json:"macs"`           // the one that was named first
	File   string    `json:"file"`
	Script bool      `json:"script,omitempty"` // for iPXE; the firmware gets its program as ever
	Since  time.Time `json:"since"`
	Taken  time.Time `json:"taken,omitzero"` // when the node had loaded it; zero: it has not yet
	Seq    uint32    `json:"seq"`            // tells orders apart
}

// Name is what people call the node.
func (o *Order) Name() string {
	switch {
	case o.Host != "":
		return o.Host
	case len(o.MACs) > 0:
		return o.MACs[0]
	}
	return "a node without an address"
}

// Response is the engine's answer.
type Response struct {
	ID    uint64 `json:"id"`
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"` // why it was not done, and what to do
}
