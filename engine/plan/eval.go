package plan

import "bootstorm/proto"

// Limits of one message. A configuration that exceeds one gets a null value,
// or no further effect, and Eval.Exhausted counts it; nothing else happens.
const (
	ScratchBytes = 32 << 10 // all values that a message computes, together
	MaxDepth     = 64       // nested expressions, function calls and if statements
	MaxSteps     = 1 << 16  // expressions and statements executed
	MaxPieces    = 512      // values that statements leave in options, appended ones counted singly
	MaxInstances = 32       // classes that a client belongs to
	MaxLogs      = 16       // texts of log statements
	MaxArguments = 8        // of a function
	maxForced    = 32       // options that the core sets
)

// Eval decides about one message after another; it is the scratch memory of
// one worker for one Plan. Its use is in this order: Begin, FindHost, Classify,
// Permitted, Decide, then the values. What it returns as a slice is a view that
// dies with the next Begin.
type Eval struct {
	plan *Plan
	prog *Program
	req  *Request

	// Exhausted counts how often a limit above was met.
	Exhausted uint64

	scratch [ScratchBytes]byte
	used    int // bytes of scratch in use
	keep    int // bytes that must survive the end of a condition
	depth   int
	steps   int

	generation uint32 // of the message: what carries another one is unset
	sequence   uint32 // counts slots as they are first set
	slots      []slot
	set        [4]uint64 // slots of space dhcp that are set
	pieces     [MaxPieces]piece
	piecesUsed int
	forced     [maxForced]byte // codes given to SetOption, in order
	forcedUsed int

	variables []variable
	calls     int   // nesting of function calls
	result    value // of the function that is returning
	classes   [MaxInstances]instance
	classN    int
	logs      [MaxLogs]logged
	logN      int

	network, subnet int32
	host            int32
	known, static   bool
	addr            proto.Addr
	lease           uint32
	deciding        bool // option and lease expressions have a reply to look at
	order           [256]byte
	orderUsed       int
}

// NewEval returns the scratch memory of one worker for p.
func NewEval(p *Plan) *Eval {
	return &Eval{
		plan:      p,
		prog:      &p.Program,
		slots:     make([]slot, SlotSub+len(p.Program.SubOptions)),
		variables: make([]variable, p.Program.Variables),
		host:      -1,
		subnet:    -1,
		network:   -1,
	}
}

// Plan returns the plan that e evaluates.
func (e *Eval) Plan() *Plan { return e.plan }

// Begin starts a message: it forgets the last one and evaluates nothing yet.
// subnet is what Locate found, or -1.
func (e *Eval) Begin(req *Request, subnet int32) {
	e.req, e.subnet, e.network = req, subnet, -1
	if subnet >= 0 {
		e.network = e.plan.Subnets[subnet].Network
	}
	e.forget()
	e.depth, e.steps, e.calls = 0, 0, 0
	e.result, e.classN = value{}, 0
	e.host, e.known, e.static = -1, false, false
	e.addr, e.lease, e.deciding = 0, 0, false
}

// forget empties slots, variables and scratch. What carries an older generation
// is unset, so nothing has to be cleared, except once in four thousand million
// messages.
func (e *Eval) forget() {
	e.generation++
	if e.generation == 0 {
		e.generation = 1
		clear(e.slots)
		clear(e.variables)
	}
	e.used, e.keep, e.logN = 0, 0, 0
	e.sequence, e.piecesUsed, e.forcedUsed = 0, 0, 0
	e.set = [4]uint64{}
}

// room takes n bytes of scratch; nil if there is no room for them.
func (e *Eval) room(n int) []byte {
	if n < 0 || n > len(e.scratch)-e.used {
		e.Exhausted++
		return nil
	}
	b := e.scratch[e.used : e.used+n : e.used+n]
	e.used += n
	return b
}

// release gives back the scratch taken since mark, unless a variable, an
// option or a log text holds some of it.
func (e *Eval) release(mark int) { e.used = max(mark, e.keep) }

// enter counts one step down into an expression or a list of statements; false
// means that a limit is met and the caller must yield null. Each true is
// followed by leave.
func (e *Eval) enter() bool {
	if e.depth >= MaxDepth || e.steps >= MaxSteps {
		e.Exhausted++
		return false
	}
	e.depth++
	e.steps++
	return true
}

func (e *Eval) leave() { e.depth-- }
