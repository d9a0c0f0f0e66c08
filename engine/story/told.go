package story

import "time"

// Told is something that somebody may want to be told of: a transition of a
// node, a pool, or another machine.
type Told struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"` // one of the constants Told…
	Node  Node      `json:"node,omitzero"`
	Pool  *Pool     `json:"pool,omitempty"`
	Rogue *Rogue    `json:"rogue,omitempty"`
	Text  string    `json:"text"` // one sentence for people
}

// The kinds of Told.
const (
	ToldBooted    = "node-booted"
	ToldStuck     = "node-stuck"
	ToldRecovered = "node-recovered" // it was told to be stuck and goes on
	ToldPool      = "pool-low"
	ToldRogue     = "rogue-server"
	ToldConflict  = "address-conflict"
)
