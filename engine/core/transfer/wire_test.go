package transfer

import (
	"container/heap"
	"math/rand/v2"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

const (
	us = batch.Microsecond
	ms = batch.Millisecond
	s1 = batch.Second
)

var (
	serverMAC  = proto.MAC{2, 0, 0, 0, 0, 1}
	serverAddr = proto.AddrOf(192, 168, 1, 1)
	testLinks  = []plan.Link{{Name: "eth0", MAC: serverMAC, MTU: 1500,
		Addrs: []plan.LinkAddr{{Addr: serverAddr, Mask: proto.AddrOf(255, 255, 0, 0)}}}}
)

// pattern is a file whose every byte depends on its place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13 + i>>16*29)
	}
	return b
}

func newTable(t testing.TB, c Config, files ...image.File) *Table {
	t.Helper()
	table := New(c)
	table.SetLinks(testLinks)
	table.SetFiles(image.Build(1, "/srv/tftp", files))
	return table
}

// model is a client on the wire.
type model interface {
	begin(now int64) (send [][]byte)
	receive(now int64, payload []byte) (send [][]byte)
	expire(now int64) (send [][]byte)
	deadline() int64 // 0: none
	finished() bool
	content() []byte
	trouble() string // why it gave up
}

// station is a client's place on the wire.
type station struct {
	model
	mac    proto.MAC
	addr   proto.Addr
	port   uint16
	busy   int64 // when it has handled the last frame
	frames int   // frames that reached it
	closed bool  // finished: what still comes is dropped
}

// wire joins clients and a Table in virtual time. Each direction loses, copies
// and delays frames at random, from a seed, or as drop decides.
type wire struct {
	t     *testing.T
	table *Table
	tx    *batch.Tx
	ev    batch.Events
	rng   *rand.Rand
	now   int64
	queue flight
	seq   int
	nodes []*station

	loss, copies, reorder float64
	work                  int64                                             // time a client needs per frame
	drop                  func(toServer bool, op, field uint16, n int) bool // n counts frames of this kind and number
	seen                  map[[3]int]int
	sent                  map[uint16]int // by block number: DATA frames sent
	data                  int
	events                []batch.Event
	line                  int64 // when the server's line is free
	bitTime               int64 // of that line, ns: 1 is 1 Gbit/s
	room                  int64 // how long what lies in its queue may take, ns; 0: as long as you like
	bits                  int64 // that it carried
}

// arrival is a frame on its way.
type arrival struct {
	at       int64
	seq      int
	toServer bool
	node     *station
	payload  []byte
}

type flight []arrival

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	return f[i].at < f[j].at || f[i].at == f[j].at && f[i].seq < f[j].seq
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(x any)   { *f = append(*f, x.(arrival)) }
func (f *flight) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}

func newWire(t *testing.T, table *Table, seed uint64) *wire {
	return &wire{t: t, table: table, tx: batch.NewTx(), rng: rand.New(rand.NewPCG(seed, 99)), now: 1000 * s1,
		seen: map[[3]int]int{}, sent: map[uint16]int{}, work: 5 * us, bitTime: 1}
}

// add puts a client on the wire that begins at the given time from now.
func (w *wire) add(m model, after int64) *station {
	n := len(w.nodes)
	st := &station{model: m, mac: proto.MAC{0x52, 0x54, 0, byte(n >> 8), byte(n), 9},
		addr: proto.AddrOf(192, 168, 2, 0) + proto.Addr(n), port: uint16(1024 + n)}
	w.nodes = append(w.nodes, st)
	heap.Push(&w.queue, arrival{at: w.now + after, node: st, seq: w.seq})
	w.seq++
	return st
}

// put sends a payload, as far as the wire is kind.
func (w *wire) put(toServer bool, st *station, payload []byte, at int64) {
	op, field, _ := tftp.Opcode(payload)
	key := [3]int{btoi(toServer), int(op), int(field)}
	w.seen[key]++
	if w.drop != nil && w.drop(toServer, op, field, w.seen[key]) || w.rng.Float64() < w.loss {
		return
	}
	times := 1
	if w.rng.Float64() < w.copies {
		times = 2
	}
	for range times {
		delay := 50 * us
		if w.rng.Float64() < w.reorder {
			delay += w.rng.Int64N(400 * us)
		}
		w.seq++
		heap.Push(&w.queue, arrival{at + delay, w.seq, toServer, st, append([]byte(nil), payload...)})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// drain checks and sends what the table put into tx.
func (w *wire) drain() {
	var p proto.Packet
	var buf []byte
	taken := 0
	for _, m := range w.tx.Messages[:w.tx.N] {
		if w.full() {
			break
		}
		taken++
		for i := range m.Frames() {
			buf = m.AppendFrame(buf[:0], i)
			if d := proto.ParseFrame(&p, buf, true); d != proto.OK {
				w.t.Fatalf("we sent a frame that is dropped: %v", d)
			}
			st := w.nodes[int(p.Dst-proto.AddrOf(192, 168, 2, 0))]
			if p.Src != serverAddr || p.SrcPort != 69 || p.SrcMAC != serverMAC || p.DstMAC != st.mac || p.DstPort != st.port {
				w.t.Fatalf("wrong addresses: %+v", p)
			}
			if op, field, _ := tftp.Opcode(p.Payload); op == tftp.OpData {
				w.sent[field]++
				w.data++
			}
			w.bits += int64(len(buf)) * 8
			w.line = max(w.line, w.now) + int64(len(buf))*8*w.bitTime
			w.put(false, st, p.Payload, w.line)
		}
	}
	w.tx.Sent(taken)
	w.events = append(w.events, w.ev.List[:w.ev.N]...)
	w.ev.Reset()
}

// full tells whether the line's queue takes no more.
func (w *wire) full() bool { return w.room > 0 && w.line-w.now > w.room }

// next is the time of the next thing that happens, and the client whose timer
// it is, if it is one.
func (w *wire) next() (at int64, st *station) {
	at = 1 << 62
	if len(w.queue) > 0 {
		at = w.queue[0].at
	}
	for _, n := range w.nodes {
		if d := n.deadline(); !n.closed && d > 0 && d < at {
			at, st = d, n
		}
	}
	return at, st
}

// run goes on until all clients have finished and nothing moves, or until the
// time has passed.
func (w *wire) run(limit int64) {
	end := w.now + limit
	for {
		at, st := w.next()
		d := w.table.Deadline()
		if w.tx.N > 0 && w.full() { // the driver waits for room
			d = w.line - w.room
			if w.tx.Room() == 0 { // and the core stops receiving
				at = max(at, d+1)
			}
		}
		d = max(d, w.now)
		if next := min(at, d); next > end || w.over() && len(w.queue) == 0 {
			w.now = min(max(w.now, at), end)
			return
		}
		w.now = max(w.now, min(at, d))
		if at < d {
			w.step(st)
		}
		w.table.Fill(w.now, w.tx, &w.ev)
		w.drain()
	}
}

func (w *wire) step(timer *station) {
	if timer != nil {
		w.emit(timer, timer.expire(w.now))
		return
	}
	a := heap.Pop(&w.queue).(arrival)
	switch st := a.node; {
	case a.toServer:
		p := proto.Packet{Kind: proto.KindUDP, SrcMAC: st.mac, DstMAC: serverMAC, Src: st.addr, Dst: serverAddr,
			SrcPort: st.port, DstPort: 69, Payload: a.payload}
		w.table.Receive(w.now, &p, 0, Stranger, w.tx, &w.ev)
	case st.closed:
	case a.payload == nil:
		w.emit(st, st.begin(w.now))
	default:
		st.frames++
		w.emit(st, st.receive(w.now, a.payload))
	}
}

func (w *wire) emit(st *station, payloads [][]byte) {
	st.busy = max(st.busy, w.now) + w.work
	for _, b := range payloads {
		w.put(true, st, b, st.busy)
	}
	st.closed = st.finished()
}

func (w *wire) over() bool {
	for _, n := range w.nodes {
		if !n.closed {
			return false
		}
	}
	return true
}

// count is how many events of a kind there were.
func (w *wire) count(kind batch.EventKind) (n int) {
	for i := range w.events {
		if w.events[i].Kind == kind {
			n++
		}
	}
	return n
}
