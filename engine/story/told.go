package story

import "time"

// The kinds of Told.
const (
	ToldBooted    = "node-booted"
	ToldStuck     = "node-stuck"
	ToldRecovered = "node-recovered"
	ToldPool      = "pool-low"
	ToldRogue     = "rogue-server"
	ToldConflict  = "address-conflict"
)

// Told is one thing that became true: what logs, hooks and event streams carry.
type Told struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Text string    `json:"text"` // in words
	Node Node      `json:"node,omitzero"`
}
