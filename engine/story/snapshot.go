// Package story tells how each node's boot went: which step came when, what is
// expected next, and, for a node that came to a halt, why. It is fed with the
// core's events and a time, reads no clock, and is bounded in everything. The
// view process drives it; what it returns are plain values, which are also the
// JSON that the command line and the page read.
package story

import "time"

// Phase is how far a boot has come.
type Phase string

// The phases in the order of a boot. A node that boots by way of iPXE passes
// through the DHCP phases twice; Node.Stage tells which.
const (
	PhaseDiscover Phase = "discover" // asked for an address, no answer yet
	PhaseOffer    Phase = "offer"    // was offered one, has not taken it yet
	PhaseRequest  Phase = "request"  // took it, the lease is on its way to the disk
	PhaseLease    Phase = "lease"    // has an address, no file asked for yet
	PhaseLoad     Phase = "load"     // a file is on its way
	PhaseNext     Phase = "next"     // a file has arrived that leads to more
	PhaseDone     Phase = "done"     // the last file of the boot has arrived
)

// Phases lists all phases in order.
var Phases = []Phase{PhaseDiscover, PhaseOffer, PhaseRequest, PhaseLease, PhaseLoad, PhaseNext, PhaseDone}

// State is what an operator sorts nodes by.
type State string

// The states.
const (
	StateBooting State = "booting" // on its way, nothing wrong
	StateStuck   State = "stuck"   // something it should have done is overdue, or it was refused
	StateDone    State = "done"    // booted
	StateSystem  State = "system"  // an installed system that only uses DHCP
)

// Health is the state of the whole.
type Health string

// The values of Health, which are also the exit status of "bootstorm status":
// 0, 1 and 2.
const (
	HealthOK       Health = "ok"       // every node that began has booted or is on its way
	HealthDegraded Health = "degraded" // nodes are stuck, a pool is nearly used up, another server answers
	HealthFailing  Health = "failing"  // the server cannot do its work: no lease can be written, an interface is gone
)

// Summary is the whole at a glance.
type Summary struct {
	Version    string           `json:"version"`
	Interfaces []string         `json:"interfaces"`
	Now        time.Time        `json:"now"`
	Started    time.Time        `json:"started"` // of the daemon
	Health     Health           `json:"health"`
	Problems   []string         `json:"problems"` // why it is not ok, in words, with what to do; the gravest first
	States     map[State]int    `json:"states"`
	Phases     map[Phase]int    `json:"phases"` // of the nodes that are booting or stuck, and done
	Nodes      int              `json:"nodes"`  // known to this daemon since its start
	Rates      Rates            `json:"rates"`  // over the last second
	Pools      []Pool           `json:"pools"`
	Rogues     []Rogue          `json:"rogues"` // other DHCP servers and machines that use leased addresses
	Counters   map[string]int64 `json:"counters"`
	Lost       int64            `json:"lost"` // events that were lost on the way here: timelines may have gaps
}

// Rates are per second.
type Rates struct {
	Discovers float64 `json:"discovers"`
	Leases    float64 `json:"leases"`
	Files     float64 `json:"files"`
	Bytes     float64 `json:"bytes"`
	Done      float64 `json:"done"`
}

// Pool is how much of a range is in use.
type Pool struct {
	Range string `json:"range"`
	Size  int64  `json:"size"`
	Used  int64  `json:"used"`
}

// Rogue is a machine that does what only this server should, or uses an address
// that is not its own.
type Rogue struct {
	MAC     string    `json:"mac"`
	Address string    `json:"address"`
	Kind    string    `json:"kind"` // "dhcp-server" or "address-conflict"
	Text    string    `json:"text"` // in words, with what to do
	Seen    time.Time `json:"seen"`
	Count   int       `json:"count"`
}

// Node is one machine.
type Node struct {
	MAC     string `json:"mac"`
	Host    string `json:"host,omitempty"` // of its host declaration
	Address string `json:"address,omitempty"`
	Client  string `json:"client,omitempty"` // the software that asked last: "uefi", "ipxe", …
	Stage   string `json:"stage,omitempty"`  // "firmware", "ipxe", "system"
	Phase   Phase  `json:"phase"`
	State   State  `json:"state"`

	Started  time.Time `json:"started"`           // first message of the present boot
	Since    time.Time `json:"since"`             // of the present phase
	Seen     time.Time `json:"seen"`              // last sign of life
	Finished time.Time `json:"finished,omitzero"` // last byte of the last file

	File    string  `json:"file,omitempty"` // under way, or the last one
	Percent float64 `json:"percent"`        // of File, 0 to 100
	Rate    float64 `json:"rate"`           // bytes per second of File
	Bytes   int64   `json:"bytes"`          // of the whole boot
	Resent  int     `json:"resent"`         // frames repeated in this boot
	Asked   int     `json:"asked"`          // DISCOVERs and REQUESTs that came again
	Boots   int     `json:"boots"`          // since the daemon started, this one included

	Last     string `json:"last"`               // what was seen last, in words
	Expected string `json:"expected,omitempty"` // what should come next
	Reason   string `json:"reason,omitempty"`   // stuck: the likely reason and what to do
	Steps    []Step `json:"steps,omitempty"`    // of the present boot, oldest first; only where one node is asked for
	Omitted  int    `json:"omitted,omitempty"`  // steps that did not fit
}

// Step is one line of a node's timeline.
type Step struct {
	At     time.Time     `json:"at"`
	Kind   string        `json:"kind"` // the event's name in the log
	Text   string        `json:"text"`
	File   string        `json:"file,omitempty"`
	Bytes  int64         `json:"bytes,omitempty"`
	Took   time.Duration `json:"took,omitempty"`
	Resent int           `json:"resent,omitempty"`
	Bad    bool          `json:"bad,omitempty"` // a refusal, an error, a conflict
}

// Sample is one second of history, for the chart of a storm.
type Sample struct {
	At     time.Time     `json:"at"`
	Phases map[Phase]int `json:"phases"`
	Stuck  int           `json:"stuck"`
	Bytes  int64         `json:"bytes"` // sent in this second
	Leases int           `json:"leases"`
}

// Query chooses and orders nodes.
type Query struct {
	Text  string // part of MAC, host, address or file; "" for all
	State State  // "" for all
	Phase Phase  // "" for all
	Sort  string // "worst" (stuck first, then the slowest; the default), "name", "mac", "address", "started"
	From  int    // index of the first one wanted
	Limit int    // 0: 200
}
