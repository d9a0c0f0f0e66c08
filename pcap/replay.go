package pcap

import (
	"errors"
	"fmt"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// Engine is what a replay drives: core.Core, or a stand-in of a test.
type Engine interface {
	Step(rx *batch.Rx, from int, tx *batch.Tx) (next int)
	Tick(now batch.Time, tx *batch.Tx)
	Durable(seq uint64, tx *batch.Tx) (more bool)
	Deadline() int64
	Leases() *batch.Leases
	Events() *batch.Events
}

// Options say how to replay a capture.
type Options struct {
	Capture  *Capture
	Survey   *Survey
	Engine   Engine
	Link     plan.Link                               // the engine's interface
	Contents bool                                    // the engine's files are the real ones: compare bytes
	Window   bool                                    // the engine's window was limited for this replay
	Held     int                                     // how many leases the engine was given because the capture implies them
	Frame    func(at int64, ours bool, frame []byte) // if set: every frame fed and sent, at its time (ns since 1970)
	Progress func(done, total int)                   // if set: called now and then
}

// Result is what a replay found.
type Result struct {
	Name        string
	Frames      int   // frames of the capture
	Fed         int   // client frames that the engine received
	Sent        int   // frames that the engine sent
	Nanos       int64 // time that the capture spans
	Clients     int
	Answers     int // DHCP answers of the captured server
	Transfers   int // TFTP requests
	Blocks      int // DATA blocks of the captured server
	Probes      int // ARP requests of ours
	Adverts     int // router advertisements of ours
	Adapted     map[string]int
	Differences []Difference
}

// Timing of a replay, in nanoseconds.
const (
	lead      = 5 * batch.Second // the engine runs this long before the first frame, as the captured server did
	trail     = batch.Second     // and this long after the last one
	spinLimit = 100_000          // ticks without a step of time before an engine counts as stuck
)

// run is the state of one replay.
type run struct {
	Options
	tr      translator
	rx      batch.Rx
	tx      *batch.Tx
	epoch   int64 // ns since 1970 at Mono 0
	now     batch.Time
	record  int // client frame that is being answered
	ours    []*reply
	latest  map[identity]*reply    // of ours, by transaction and type
	ports   map[endpoint]*exchange // our side's view of a client -> its exchange
	inject  [][]byte               // frames of neighbours, to be fed next
	durable uint64
	buffer  []byte
	result  Result
}

// Run replays a capture and compares. It fails only when the engine does not
// come to rest.
func Run(o Options) (*Result, error) {
	r := newRun(o)
	if len(o.Capture.Records) == 0 {
		return &r.result, nil
	}
	if err := r.advance(lead); err != nil {
		return nil, err
	}
	for i := range o.Capture.Records {
		if o.Progress != nil && i%512 == 0 {
			o.Progress(i, len(o.Capture.Records))
		}
		if err := r.replay(i, &o.Capture.Records[i]); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i+1, err)
		}
	}
	if err := r.advance(r.now.Mono + trail); err != nil {
		return nil, err
	}
	r.compare()
	return &r.result, nil
}

// newRun allocates a replay whose clock begins a lead before the first frame.
func newRun(o Options) *run {
	r := &run{Options: o, tx: batch.NewTx(), ports: make(map[endpoint]*exchange), latest: make(map[identity]*reply)}
	r.result = Result{Name: o.Capture.Name, Frames: len(o.Capture.Records), Clients: len(o.Survey.Clients),
		Answers: len(o.Survey.replies), Transfers: len(o.Survey.transfers.list), Adapted: make(map[string]int)}
	// Our interface may have an address of its own; frames are then readdressed.
	ours := o.Survey.Server
	ours.MAC = o.Link.MAC
	if len(o.Link.Addrs) > 0 {
		ours.Addr, ours.Mask = o.Link.Addrs[0].Addr, o.Link.Addrs[0].Mask
	}
	r.tr = translator{theirs: o.Survey.Server, ours: ours, ports: o.Survey.ports,
		given: make(map[proto.MAC]map[proto.Addr]proto.Addr), adapted: r.result.Adapted}
	if n := len(o.Capture.Records); n > 0 {
		r.epoch = o.Capture.Records[0].Time - lead
		r.result.Nanos = o.Capture.Records[n-1].Time - o.Capture.Records[0].Time
	}
	r.now = r.time(0)
	return r
}

// time is the moment mono nanoseconds after the start of the replay.
func (r *run) time(mono int64) batch.Time {
	return batch.Time{Mono: mono, Wall: (r.epoch + mono) / batch.Second}
}

// replay takes one frame of the capture, in its turn.
func (r *run) replay(i int, rec *Record) error {
	// Captures from several interfaces may step back a little; our clock does not.
	if err := r.advance(max(r.now.Mono, rec.Time-r.epoch)); err != nil {
		return err
	}
	if len(rec.Data) < proto.EthernetLen {
		return nil
	}
	if srcMAC(rec.Data) == r.Survey.Server.MAC {
		if a := r.Survey.at[i]; a != nil {
			r.adopt(a)
		}
		return nil
	}
	f, ok := r.tr.client(rec)
	if !ok {
		return nil
	}
	r.record = i
	if e := r.Survey.asked[i]; e != nil {
		if err := r.enter(i, e, &f); err != nil {
			return err
		}
	}
	r.feed(&f)
	return nil
}

// adopt compares the address that the captured server gives at this moment
// with the one that we gave in the same transaction.
func (r *run) adopt(theirs *reply) {
	// If we did not answer, or refused, the client's later frames pass as they
	// are: they then ask us for an address that we know nothing of, which is the
	// difference to see.
	if o := r.latest[theirs.identity]; o != nil && o.yiaddr != 0 {
		r.tr.learn(theirs.message.mac(), theirs.yiaddr, o.yiaddr)
	}
}

// enter binds an exchange to the endpoint that we see, and fills in the
// acknowledgements that an excerpt left out before this one.
func (r *run) enter(i int, e *exchange, f *frame) error {
	v := look(f.data)
	r.ports[endpoint{v.src, v.srcPort}] = e
	goal, acknowledges := r.Survey.filled[i]
	if !acknowledges || len(f.data) < v.payload+4 || e.ours.blksize() != e.theirs.blksize() {
		return nil
	}
	for before := 0; e.ours.last > before && e.ours.last < goal; {
		before = e.ours.last
		// The client's own ACK with another block number; its checksum is then
		// wrong, which frame.checksum false excuses.
		g := frame{data: append([]byte(nil), f.data...), client: f.client}
		g.data[v.payload+2], g.data[v.payload+3] = byte(before>>8), byte(before)
		r.result.Adapted[AdaptFilled]++
		r.feed(&g)
		if err := r.advance(r.now.Mono); err != nil {
			return err
		}
	}
	return nil
}

// feed hands one frame to the engine and takes what it sends, and then what
// neighbours answer to that.
func (r *run) feed(f *frame) {
	r.result.Fed++
	r.show(false, f.data)
	r.step(f.data, f.checksum)
	r.answerProbes()
}

// answerProbes feeds what neighbours answer to our ARP requests.
func (r *run) answerProbes() {
	for len(r.inject) > 0 {
		next := r.inject[0]
		r.inject = r.inject[1:]
		r.show(false, next)
		r.step(next, true)
	}
}

// step passes one frame to the engine until it has taken it: an engine whose
// send batch is full returns early and must be called again.
func (r *run) step(data []byte, checksum bool) {
	r.rx.Now, r.rx.N = r.now, 1
	r.rx.Frames[0] = batch.Frame{Data: data, Checksum: checksum}
	for from := 0; from < r.rx.N; {
		next := r.Engine.Step(&r.rx, from, r.tx)
		r.settle()
		from = next
	}
}

// ErrStuck says that an engine asked for ticks without end.
var ErrStuck = errors.New("the engine does not come to rest")

// advance runs the engine's timers up to a moment.
func (r *run) advance(mono int64) error {
	for spins := 0; r.Engine.Deadline() <= mono; spins++ {
		// A deadline in the past (0 means at once) does not turn the clock back.
		if d := r.Engine.Deadline(); d > r.now.Mono {
			r.now, spins = r.time(d), 0
		}
		if spins == spinLimit {
			return ErrStuck
		}
		r.Engine.Tick(r.now, r.tx)
		r.settle()
		r.answerProbes()
	}
	r.now = r.time(mono)
	return nil
}

// settle takes what the engine produced: lease records are durable at once,
// frames are sent at once.
func (r *run) settle() {
	for more := true; more; {
		r.drain()
		if l := r.Engine.Leases(); l.N > 0 {
			r.durable = l.List[l.N-1].Seq
			l.N = 0
		}
		more = r.Engine.Durable(r.durable, r.tx) || r.tx.N > 0
	}
	r.Engine.Events().Reset()
}

// drain takes all messages of the send batch apart into frames.
func (r *run) drain() {
	for _, m := range r.tx.Messages[:r.tx.N] {
		for i := range m.Frames() {
			r.buffer = m.AppendFrame(r.buffer[:0], i)
			r.sent(r.buffer)
		}
	}
	r.tx.Sent(r.tx.N)
}

// show passes a frame to whoever wants to see the conversation.
func (r *run) show(ours bool, b []byte) {
	if r.Frame != nil {
		r.Frame(r.epoch+r.now.Mono, ours, b)
	}
}
