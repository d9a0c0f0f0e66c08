package story

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/proto"
)

// A node that booted the guide's way takes less than 4 KiB, all tables included.
func TestMemoryOfTenThousandGuideBoots(t *testing.T) {
	const nodes = 10000
	before := heap()
	w := newTeller(t)
	for i := range nodes {
		w.machine(0x10000 + i).guide()
	}
	w.now = w.now.Add(10 * time.Second)
	w.book.Tick(w.now)
	each := (heap() - before) / nodes
	if s := w.book.Summary(w.now); s.States[StateDone] != nodes {
		t.Fatalf("%v", s.States)
	}
	t.Logf("%d bytes per node", each)
	if each > 4096 {
		t.Errorf("%d bytes per node", each)
	}
	runtime.KeepAlive(w)
}

// heap is how many bytes live.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// After a node is known, its events allocate nothing but the lines of its story,
// which the next boot uses again.
func TestSecondBootAllocatesNothing(t *testing.T) {
	w := newTeller(t)
	m := w.machine(1)
	m.guide()
	w.pass(10 * time.Second)
	e := batch.Event{Kind: batch.EventOffer, HWLen: 6, Addr: m.addr}
	copy(e.HW[:], m.mac[:])
	got := testing.AllocsPerRun(100, func() {
		e.XID++
		for _, kind := range []batch.EventKind{batch.EventDiscover, batch.EventOffer, batch.EventRequest, batch.EventAck} {
			e.Kind, e.Value, e.Extra = kind, int64(core.ClientUEFI), 7
			w.book.Observe(w.now, &e, "")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// chaos makes events and times without sense.
type chaos struct {
	*rand.Rand
	names []string
}

func (c *chaos) event() batch.Event {
	e := batch.Event{Kind: batch.EventKind(c.IntN(int(batch.EventKinds) + 3)), Reason: batch.Reason(c.IntN(int(batch.Reasons) + 2)),
		HWLen: uint8(c.IntN(3) * 6), Addr: proto.AddrOf(10, 0, 0, byte(c.IntN(20))), XID: uint32(c.IntN(5)),
		Extra: uint32(c.IntN(300)), Value: int64(c.IntN(12)), Nanos: c.Int64N(1e9), Rule: -1}
	if c.IntN(20) == 0 {
		e.HWLen, e.Value, e.Nanos, e.Extra = uint8(c.IntN(256)), c.Int64()-c.Int64(), c.Int64()-c.Int64(), c.Uint32()
	}
	if e.HWLen > 0 {
		e.HW[5] = byte(c.IntN(20))
	}
	copy(e.Name[:], c.names[c.IntN(len(c.names))])
	return e
}

// Whatever comes, in whatever order and at whatever times, the counts agree with
// the nodes, the memory is bounded and nothing panics.
func TestAnySequenceOfEventsKeepsTheBookSound(t *testing.T) {
	for seed := range uint64(30) {
		c := &chaos{rand.New(rand.NewPCG(seed, 1)), []string{"", "ipxe.efi", "refind.pxe", "grubx64.efi", "vmlinuz", "initrd",
			"autoexec.ipxe", "\x00\xff\x1b[2J", fmt.Sprintf("%064d", seed)}}
		w := newTeller(t)
		w.book.limit = 12
		for i := range 3000 {
			e := c.event()
			w.book.Observe(w.now, &e, []string{"", "advice"}[c.IntN(2)])
			switch c.IntN(40) {
			case 0:
				w.now = w.now.Add(time.Duration(c.Int64N(int64(10 * time.Minute))))
			case 1:
				w.now = w.now.Add(-time.Duration(c.Int64N(int64(10 * time.Minute))))
			case 2:
				w.now = time.Unix(c.Int64N(1<<33), 0)
			case 3, 4, 5, 6, 7, 8:
				w.now = w.now.Add(time.Duration(c.Int64N(int64(5 * time.Second))))
				for _, told := range w.book.Tick(w.now) {
					if told.Text == "" || told.Kind == "" {
						t.Fatalf("told nothing: %+v", told)
					}
				}
			case 9:
				w.book.Name(Names{Hosts: map[string]string{fmt.Sprintf("00:00:00:00:00:%02x", c.IntN(20)): "a", fmt.Sprintf("00:00:00:00:00:%02x", c.IntN(20)): "a"},
					Pools: []Range{{"p", 10}}})
			case 10:
				w.book.Counters(w.now, map[string]int64{poolUsed + "p": c.Int64N(20)})
			}
			if i%100 == 0 {
				w.sound()
				w.look(c)
			}
		}
		w.sound()
	}
}

// look asks for everything that can be asked for.
func (w *teller) look(c *chaos) {
	w.t.Helper()
	sum := 0
	s := w.book.Summary(w.now)
	for _, n := range s.States {
		sum += n
	}
	if sum != s.Nodes || s.Nodes > 12 || (s.Health == HealthOK) != (len(s.Problems) == 0) {
		w.t.Fatalf("%d nodes, states %v, health %s: %q", s.Nodes, s.States, s.Health, s.Problems)
	}
	for _, by := range []string{"worst", "name", "mac", "address", "started", "nonsense"} {
		list, total := w.book.Nodes(w.now, Query{Sort: by, From: c.IntN(5) - 1, Limit: c.IntN(20)})
		if total != s.Nodes || len(list) > total {
			w.t.Fatalf("%d of %d nodes", len(list), total)
		}
		for i := range list {
			n, ok := w.book.Node(w.now, or(list[i].MAC, list[i].Address))
			if list[i].Percent < 0 || list[i].Percent > 100 || ok && n.MAC != "" && len(n.Steps) == 0 && n.Boots == 0 {
				w.t.Fatalf("%+v", n)
			}
		}
	}
	if h := w.book.History(); len(h) > historySeconds {
		w.t.Fatalf("%d samples", len(h))
	}
}

// The history keeps fifteen minutes.
func TestHistoryIsARing(t *testing.T) {
	w := newTeller(t)
	w.machine(1).firmware()
	w.pass(1000 * time.Second)
	h := w.book.History()
	if len(h) != historySeconds || h[len(h)-1].At != w.now.UTC().Local() || h[1].At.Sub(h[0].At) != time.Second {
		t.Errorf("%d samples, the last at %v", len(h), h[len(h)-1].At)
	}
	if h[0].Phases[PhaseLease] != 1 || h[0].Stuck != 1 {
		t.Errorf("%+v", h[0])
	}
}

// Paging visits each node once, in order.
func TestPagesOfAQuery(t *testing.T) {
	w := newTeller(t)
	for i := range 250 {
		m := w.machine(0x2000 + i)
		m.firmware()
		if i%10 == 0 {
			m.discover(core.ClientUEFI, 7)
			m.silence(batch.ReasonDenied, "denied")
		}
	}
	seen := map[string]bool{}
	for from := 0; ; from += 40 {
		list, total := w.book.Nodes(w.now, Query{From: from, Limit: 40})
		if total != 250 {
			t.Fatalf("%d in all", total)
		}
		for i, n := range list {
			if seen[n.MAC] || (n.State == StateStuck) != (from+i < 25) || n.Steps != nil {
				t.Fatalf("%d: %s, %s", from+i, n.MAC, n.State)
			}
			seen[n.MAC] = true
		}
		if len(list) == 0 {
			break
		}
	}
	if len(seen) != 250 {
		t.Errorf("%d nodes seen", len(seen))
	}
	if _, total := w.book.Nodes(w.now, Query{Text: "54:00:00:20:0A"}); total != 1 {
		t.Errorf("%d nodes match a hardware address", total)
	}
	if _, total := w.book.Nodes(w.now, Query{State: StateStuck}); total != 25 {
		t.Errorf("%d stuck", total)
	}
	if _, total := w.book.Nodes(w.now, Query{Phase: PhaseLease, Text: "nothing like it"}); total != 0 {
		t.Errorf("%d match nonsense", total)
	}
}

// FuzzObserve feeds bytes as events and times.
func FuzzObserve(f *testing.F) {
	f.Add([]byte("\x01\x00\x06\x01\x00\x02\x00\x06\x01\x00\x04\x00\x06\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newTeller(t)
		w.book.limit = 8
		for ; len(b) >= 8; b = b[8:] {
			e := batch.Event{Kind: batch.EventKind(b[0]), Reason: batch.Reason(b[1] & 31), HWLen: b[2], Addr: proto.Addr(b[3] & 15),
				XID: uint32(b[4] & 3), Extra: uint32(b[4]), Value: int64(b[5])}
			e.HW[0] = b[6]
			copy(e.Name[:], []string{"", "ipxe.efi", "a.ipxe", "kernel"}[b[5]&3])
			w.book.Observe(w.now, &e, "")
			if b[7]&1 != 0 {
				w.now = w.now.Add(time.Duration(b[7]) * time.Second)
				w.book.Tick(w.now)
			}
		}
		w.sound()
	})
}

func BenchmarkObserveGuideBoots(b *testing.B) {
	book := NewBook(0)
	events := make([]batch.Event, 0, 20000)
	for i := range 1000 {
		for k := range 20 {
			e := batch.Event{HWLen: 6, Addr: proto.AddrOf(10, 0, byte(i>>8), byte(i)), XID: uint32(k), Value: 7, Extra: 7}
			e.Kind = []batch.EventKind{batch.EventDiscover, batch.EventOffer, batch.EventRequest, batch.EventAck, batch.EventTransferStart,
				batch.EventTransferDone, batch.EventDiscover, batch.EventOffer, batch.EventRequest, batch.EventAck}[min(k, 9)]
			if k > 9 {
				e.Kind, e.XID = []batch.EventKind{batch.EventTransferStart, batch.EventTransferDone}[k&1], uint32(k/2)
			}
			if k < 4 {
				e.Value = int64(core.ClientUEFI)
			} else if k < 10 && k > 5 {
				e.Value = int64(core.ClientIPXE)
			}
			e.HW[4], e.HW[5] = byte(i>>8), byte(i)
			copy(e.Name[:], "refind_x64.efi")
			events = append(events, e)
		}
	}
	at := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		book.Observe(at, &events[i%len(events)], "")
	}
}

func BenchmarkTenThousandNodes(b *testing.B) {
	w := newTeller(b)
	for i := range 10000 {
		w.machine(0x10000 + i).guide()
	}
	b.Run("query", func(b *testing.B) {
		for b.Loop() {
			w.book.Nodes(w.now, Query{})
		}
	})
	b.Run("text", func(b *testing.B) {
		for b.Loop() {
			w.book.Nodes(w.now, Query{Text: "52:54:00:01:1"})
		}
	})
	b.Run("told", func(b *testing.B) { // one boot that ends
		n := w.book.nodes[77]
		for b.Loop() {
			n.shown, w.book.told = false, nil
			w.book.finish(n)
		}
	})
	w.book.Tick(w.now)
	b.Run("tick", func(b *testing.B) {
		for b.Loop() {
			w.now = w.now.Add(time.Millisecond)
			w.book.Tick(w.now)
		}
	})
	b.Run("summary", func(b *testing.B) {
		for b.Loop() {
			w.book.Summary(w.now)
		}
	})
}
