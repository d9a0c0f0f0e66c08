package bench

import (
	"errors"
	"fmt"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// Simulation is the world around the core in virtual time. Times are
// nanoseconds.
type Simulation struct {
	Link    plan.Link // Node 0's interface, the core's only one
	Latency int64     // of a frame, one way; 0 means 20 µs
	Rate    int64     // of the link in each direction, bits per second; 0 means without limit
	Sync    int64     // from a lease record to its being on disk; 0 means 2 ms
	Queue   int       // bytes that Node 0 may have waiting to be sent; 0 means 256 KiB

	// Observe, if not nil, is given each event of the core, valid during the call,
	// and the moment at which the driver takes it.
	Observe func(batch.Time, *batch.Event)
	// Reload, at each of these moments after the beginning, in ascending order,
	// returns the core that goes on in place of another, as the daemon does on
	// SIGHUP.
	Reloads []int64
	Reload  func(now batch.Time, old *core.Core) *core.Core
}

const (
	defaultLatency = 20 * batch.Microsecond
	defaultSync    = 2 * batch.Millisecond
	defaultQueue   = 256 << 10
	firstInstant   = batch.Second // the clock does not begin at zero, as no real one does
	wallStart      = 1_700_000_000
	overhead       = 24 // bytes of preamble, checksum and gap for each Ethernet frame
	stuckTurns     = 5_000_000
)

// errStuck is a core that asks to be called again at once, for ever.
var errStuck = errors.New("virtual time stands still: the core asks for Tick without end")

// Simulate runs a storm against a core in one process and in virtual time. The
// same storm, core and Simulation give the same Result but for Wall. show, if
// not nil, is called every interval of virtual time.
func Simulate(s *Storm, c *core.Core, m Simulation, interval time.Duration, show func(Progress)) (*Result, error) {
	start := time.Now()
	v := newVirtual(s, c, m)
	s.Begin(v.now)
	shown := v.now
	for turns := 0; !s.Done(); turns++ {
		// Time moves only when nothing is left to do at this moment.
		if v.turn(); v.idle() {
			next := v.next()
			if s.Done() { // the last node has given up, and nothing else is to come
				break
			}
			if next == never {
				return nil, fmt.Errorf("nothing is left to wait for, but %d nodes are not done", s.left)
			}
			if next > v.now {
				v.now, turns = next, 0
			}
		}
		if turns > stuckTurns {
			return nil, errStuck
		}
		if show != nil && v.now-shown >= int64(interval) {
			shown = v.now
			show(s.Progress(v.now))
		}
	}
	if show != nil {
		show(s.Progress(v.now))
	}
	if v.Observe != nil {
		v.settle()
	}
	// All in Result but Wall comes from virtual time.
	r := s.Result()
	r.Wall = time.Since(start)
	return r, nil
}

// virtual is the state of Simulate.
type virtual struct {
	Simulation
	storm    *Storm
	core     *core.Core
	now      int64
	up, down pipe // to and from Node 0
	rx       *batch.Rx
	from     int // first frame of rx that the core has not taken
	held     []*flight
	tx       *batch.Tx
	syncs    []sync // records on their way to the disk, in order
	frame    []byte
}

// sync is a point in the journal and when it is on disk.
type sync struct {
	seq uint64
	at  int64
}

func newVirtual(s *Storm, c *core.Core, m Simulation) *virtual {
	if m.Latency == 0 {
		m.Latency = defaultLatency
	}
	if m.Sync == 0 {
		m.Sync = defaultSync
	}
	if m.Queue == 0 {
		m.Queue = defaultQueue
	}
	v := &virtual{Simulation: m, storm: s, core: c, now: firstInstant, rx: new(batch.Rx), tx: batch.NewTx()}
	v.up, v.down = newPipe(m), newPipe(m)
	return v
}

// turn does what can be done at v.now.
func (v *virtual) turn() {
	if len(v.Reloads) > 0 && v.now-firstInstant >= v.Reloads[0] {
		v.Reloads = v.Reloads[1:]
		v.core = v.Reload(v.moment(), v.core)
	}
	v.storm.Advance(v.now)
	v.storm.Drain(v.now, func(frame []byte) bool {
		v.up.send(v.now, frame)
		return true
	})
	// The order is that of the daemon's worker: frames, what the disk released,
	// timers, then the records that came of it, then sending.
	v.receive()
	v.durable()
	if v.core.Deadline() <= v.now && v.tx.Room() > 0 {
		v.core.Tick(v.moment(), v.tx)
	}
	v.takeRecords()
	v.transmit()
	for f := v.down.leave(v.now); f != nil; f = v.down.leave(v.now) {
		v.storm.Receive(v.now, f.data, true)
		v.down.done(f)
	}
}

// settleTime is for what the nodes sent last, and until transfers of which the
// last ACK was lost are given up, ns.
const settleTime = 150 * batch.Second

// settle lets what is still on its way arrive, for those who observe the core.
func (v *virtual) settle() {
	end := v.now + settleTime
	for turns := 0; turns < stuckTurns; turns++ {
		if v.turn(); v.idle() {
			next := v.next()
			if next > end {
				return
			}
			v.now, turns = next, 0
		}
	}
}

// moment is the time for the core: both clocks move together here.
func (v *virtual) moment() batch.Time {
	return batch.Time{Mono: v.now, Wall: wallStart + v.now/batch.Second}
}

// receive hands arrived frames to the core, a batch at a time.
func (v *virtual) receive() {
	if v.from == v.rx.N {
		v.fill()
	}
	if v.from < v.rx.N {
		v.from = v.core.Step(v.rx, v.from, v.tx)
	}
}

// fill makes the next receive batch. ARP requests for Node 0 are answered here:
// on a real host the kernel does it.
func (v *virtual) fill() {
	for _, f := range v.held {
		v.up.done(f)
	}
	v.held, v.from, v.rx.N, v.rx.Now = v.held[:0], 0, 0, v.moment()
	for v.rx.N < batch.RxCap {
		f := v.up.leave(v.now)
		if f == nil {
			return
		}
		v.held = append(v.held, f)
		v.rx.Frames[v.rx.N] = batch.Frame{Data: f.data, Checksum: true}
		v.rx.N++
		v.kernel(f.data)
	}
}

// kernel answers an ARP request for one of Node 0's addresses.
func (v *virtual) kernel(frame []byte) {
	var p proto.Packet
	if proto.ParseFrame(&p, frame, true) != proto.OK || p.Kind != proto.KindARP || p.ARP.Op != proto.ARPRequest {
		return
	}
	for _, a := range v.Link.Addrs {
		if a.Addr == p.ARP.TargetAddr && p.ARP.SenderAddr != a.Addr {
			var b [60]byte
			proto.PutARP((*[proto.EthernetLen + proto.ARPLen]byte)(b[:]), v.Link.MAC, p.ARP.SenderMAC, &proto.ARP{Op: proto.ARPReply,
				SenderMAC: v.Link.MAC, SenderAddr: a.Addr, TargetMAC: p.ARP.SenderMAC, TargetAddr: p.ARP.SenderAddr})
			v.down.send(v.now, b[:])
		}
	}
}

// takeRecords is the journal: what it takes is on disk Sync later.
func (v *virtual) takeRecords() {
	l := v.core.Leases()
	if l.N > 0 {
		v.syncs = append(v.syncs, sync{l.List[l.N-1].Seq, v.now + v.Sync})
		l.N = 0
	}
	events := v.core.Events()
	if v.Observe != nil {
		for i := range events.List[:events.N] {
			v.Observe(v.moment(), &events.List[i])
		}
	}
	events.Reset()
}

// durable tells the core what is on disk by now.
func (v *virtual) durable() {
	for len(v.syncs) > 0 && v.syncs[0].at <= v.now {
		if v.core.Durable(v.syncs[0].seq, v.tx) {
			return // no room: again in the next turn
		}
		v.syncs = v.syncs[1:]
	}
}

// transmit puts messages on the wire as far as Node 0's queue allows.
func (v *virtual) transmit() {
	sent := 0
	// A message is never torn: the queue may be overrun by one run of frames, as
	// a kernel's is.
	for sent < v.tx.N && v.down.backlog(v.now) <= v.Queue {
		m := v.tx.Messages[sent]
		for i := range m.Frames() {
			v.frame = m.AppendFrame(v.frame[:0], i)
			v.down.send(v.now, v.frame)
		}
		sent++
	}
	v.tx.Sent(sent)
}

// full tells whether Node 0 has as much waiting to be sent as it may.
func (v *virtual) full() bool { return v.tx.N > 0 && v.down.backlog(v.now) > v.Queue }

// idle tells whether nothing more can be done at v.now.
func (v *virtual) idle() bool {
	work := v.from < v.rx.N || v.tx.N > 0 || v.core.Deadline() <= v.now || v.storm.out.Len() > 0
	return v.full() || !work
}

// next is the earliest moment at which something happens. With a full queue,
// what is due already waits for it to drain.
func (v *virtual) next() int64 {
	next := int64(never)
	due := []int64{v.storm.Deadline(), v.up.next(), v.down.next(), v.core.Deadline(), never, never}
	if len(v.syncs) > 0 {
		due[4] = v.syncs[0].at
	}
	if len(v.Reloads) > 0 {
		due = append(due, firstInstant+v.Reloads[0])
	}
	full := v.full()
	if full {
		due[5] = v.down.drained(v.Queue)
	}
	for _, at := range due {
		if at > v.now || !full {
			next = min(next, at)
		}
	}
	return max(next, v.now)
}

// pipe is one direction of Node 0's link: frames leave one after the other at
// the link's rate and arrive Latency later.
type pipe struct {
	*wire
	rate int64
	free int64 // when the last frame has left
}

func newPipe(m Simulation) pipe {
	return pipe{wire: newWire(Impairment{Delay: m.Latency}, 0, 0), rate: m.Rate}
}

// send puts a frame behind those that have not left yet. A frame takes at least
// the Ethernet minimum, and preamble, checksum and gap besides.
func (p *pipe) send(now int64, frame []byte) {
	p.free = max(p.free, now)
	if p.rate > 0 {
		bits := int64(max(len(frame), 60)+overhead) * 8
		p.free += bits * batch.Second / p.rate
	}
	p.add(p.free, frame, true)
}

// backlog is how many bytes have not left yet.
func (p *pipe) backlog(now int64) int {
	return int(float64(max(p.free-now, 0)) / float64(batch.Second) * float64(p.rate) / 8)
}

// drained is when the backlog will be down to so many bytes.
func (p *pipe) drained(bytes int) int64 {
	if p.rate == 0 {
		return p.free
	}
	return p.free - int64(float64(bytes)*8/float64(p.rate)*float64(batch.Second)) + 1
}
