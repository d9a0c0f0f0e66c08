package story

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// teller feeds a book as the engine would.
type teller struct {
	t    testing.TB
	book *Book
	now  time.Time
	told []Told
}

// machine is a node that tells.
type machine struct {
	*teller
	mac  [6]byte
	addr proto.Addr
	port uint32
}

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTeller(t testing.TB) *teller {
	b := NewBook(0)
	b.Name(Names{Version: "test", Started: begin, Interfaces: []string{"bond0"}, Root: "/srv/tftp",
		Hosts: map[string]string{"52:54:00:00:00:01": "node_1", "52:54:00:00:01:01": "twin", "52:54:00:00:01:02": "twin"},
		Files: []File{{"ipxe.efi", 1 << 20, true}, {"refind.pxe", 600, true}, {"refind.conf", 100, false}, {"refind_x64.efi", 300000, false}},
		Pools: []Range{{"192.168.1.2-192.168.1.99", 98}}})
	return &teller{t: t, book: b, now: begin}
}

// pass lets time go by, a Tick each second.
func (w *teller) pass(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(time.Second, end.Sub(w.now)))
		w.told = append(w.told, w.book.Tick(w.now)...)
	}
}

// machine makes a node.
func (w *teller) machine(i int) *machine {
	return &machine{teller: w, mac: [6]byte{0x52, 0x54, 0, byte(i >> 16), byte(i >> 8), byte(i)}, addr: proto.AddrOf(192, 168, 1, 1) + proto.Addr(i), port: 2000}
}

// event tells of one event of the machine.
func (m *machine) event(kind batch.EventKind, change func(*batch.Event), advice ...string) {
	e := batch.Event{Kind: kind, HWLen: 6, Addr: m.addr, Rule: -1}
	copy(e.HW[:], m.mac[:])
	if change != nil {
		change(&e)
	}
	m.book.Observe(m.now, &e, strings.Join(advice, ""))
	m.now = m.now.Add(time.Millisecond)
}

func (m *machine) discover(c core.Client, arch uint32) {
	m.event(batch.EventDiscover, func(e *batch.Event) { e.Addr, e.Value, e.Extra, e.XID = 0, int64(c), arch, uint32(m.now.UnixNano()) })
}

func (m *machine) offer() {
	m.event(batch.EventOffer, func(e *batch.Event) { copy(e.Name[:], "ipxe.efi") })
}

func (m *machine) request(c core.Client, arch uint32) {
	m.event(batch.EventRequest, func(e *batch.Event) { e.Value, e.Extra = int64(c), arch })
}

func (m *machine) ack(file string) {
	m.event(batch.EventAck, func(e *batch.Event) { e.Value = 7200; copy(e.Name[:], file) })
}

// dora is a whole exchange.
func (m *machine) dora(c core.Client, arch uint32, file string) {
	m.discover(c, arch)
	m.offer()
	m.request(c, arch)
	m.ack(file)
}

func (m *machine) file(kind batch.EventKind, name string, size int64) {
	m.event(kind, func(e *batch.Event) {
		e.Value, e.XID, e.Nanos = size, m.port, int64(time.Millisecond)
		copy(e.Name[:], name)
	})
}

// load is a whole transfer.
func (m *machine) load(name string, size int64) {
	m.port++
	m.file(batch.EventTransferStart, name, size)
	m.file(batch.EventTransferDone, name, size)
}

func (m *machine) firmware() { m.dora(core.ClientUEFI, 7, "ipxe.efi") }
func (m *machine) ipxe()     { m.dora(core.ClientIPXE, 7, "refind.pxe") }

// guide is a boot as the guide has it.
func (m *machine) guide() {
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.ipxe()
	m.load("refind.pxe", 600)
	m.load("refind.conf", 100)
	m.load("refind_x64.efi", 300000)
}

// node is the machine's story.
func (m *machine) node() Node {
	m.t.Helper()
	n, ok := m.book.Node(m.now, fmt.Sprintf("%x", m.mac[:]))
	if !ok {
		m.t.Fatalf("machine %x is not known", m.mac)
	}
	return n
}

// want checks phase and state.
func (m *machine) want(p Phase, s State) Node {
	m.t.Helper()
	n := m.node()
	if n.Phase != p || n.State != s {
		m.t.Errorf("phase %s, state %s, want %s and %s; last: %s; reason: %s", n.Phase, n.State, p, s, n.Last, n.Reason)
	}
	m.sound()
	return n
}

// stuck checks that the machine is stuck, told to be, and why.
func (m *machine) stuck(words ...string) {
	m.t.Helper()
	n := m.node()
	if n.State != StateStuck {
		m.t.Fatalf("%s in phase %s, last %q: not stuck", n.State, n.Phase, n.Last)
	}
	for _, want := range words {
		if !strings.Contains(n.Reason, want) {
			m.t.Errorf("the reason is %q, without %q", n.Reason, want)
		}
	}
	m.pass(time.Second)
	if last := m.told[len(m.told)-1]; last.Kind != ToldStuck && last.Kind != ToldRogue && last.Kind != ToldConflict {
		m.t.Errorf("last told: %s", last.Text)
	}
	s := m.book.Summary(m.now)
	if s.Health == HealthOK || !strings.Contains(strings.Join(s.Problems, "\n"), words[0]) {
		m.t.Errorf("health %s: %q", s.Health, s.Problems)
	}
	m.sound()
}

// kinds are the told events of a kind.
func (w *teller) kinds(kind string) (texts []string) {
	for _, t := range w.told {
		if t.Kind == kind {
			texts = append(texts, t.Text)
		}
	}
	return texts
}

// sound checks that all counts agree with the nodes.
func (w *teller) sound() {
	w.t.Helper()
	if err := w.book.check(); err != nil {
		w.t.Fatal(err)
	}
}

// check compares what the book counts with what it has.
func (b *Book) check() error {
	var states [len(stateNames)]int
	var phases [len(phaseNames)]int
	known, listed := 0, 0
	for id, n := range b.nodes {
		if n == nil {
			if b.due[id] != never {
				return fmt.Errorf("node %d is gone and due", id)
			}
			continue
		}
		known++
		states[n.state]++
		if n.state != system {
			phases[n.phase]++
		}
		if n.state == stuck && b.reason(n) == "" {
			return fmt.Errorf("node %d is stuck (cause %d) without a reason", id, n.cause.cause)
		}
		if len(n.steps) > stepsMost || cap(n.steps) > stepsMost {
			return fmt.Errorf("node %d has %d steps", id, len(n.steps))
		}
		if n.addr != 0 && b.byAddr[n.addr] != n.id {
			return fmt.Errorf("address %s of node %d is another's", n.addr, id)
		}
		if n.state == booting && n.phase >= between && b.due[id] == never {
			return fmt.Errorf("node %d waits for nothing after a file", id)
		}
	}
	for id := b.oldest; id != none; id = b.nodes[id].newer {
		if listed++; listed > known {
			break
		}
	}
	if states != b.states || phases != b.phases || listed != known || known > b.limit {
		return fmt.Errorf("states %v, counted %v; phases %v, counted %v; %d nodes, %d in the list, at most %d", b.states, states, b.phases, phases, known, listed, b.limit)
	}
	for a, id := range b.byAddr {
		if b.nodes[id] == nil || b.nodes[id].addr != a {
			return fmt.Errorf("address %s leads nowhere", a)
		}
	}
	for hw, id := range b.byHW {
		if b.nodes[id] == nil {
			return fmt.Errorf("hardware address %s leads nowhere", hw)
		}
	}
	for host, id := range b.byHost {
		if b.nodes[id] == nil {
			return fmt.Errorf("host %s leads nowhere", host)
		}
	}
	return nil
}

// silence is a message left without answer.
func (m *machine) silence(r batch.Reason, advice string) {
	m.event(batch.EventSilence, func(e *batch.Event) { e.Reason, e.Value, e.Addr = r, int64(dhcp.Discover), 0 }, advice)
}
