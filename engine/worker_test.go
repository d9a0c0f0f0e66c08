package engine

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/image"
	"bootstorm/engine/lease"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/tools/allocs"
)

// newWorker makes a worker with a core for a wide subnet and a socket in memory.
func newWorker(t *testing.T) (*worker, *fakeSocket) {
	t.Helper()
	setup := compileTree("test", config.ParseText("test", []byte(
		"subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.1.0 10.0.20.255; ping-check off; }"), config.Options{}))
	if err := setup.Err(); err != nil {
		t.Fatal(err)
	}
	n := newNetwork()
	sock := &fakeSocket{net: n, wake: make(chan struct{}, 1)}
	j, _, err := lease.Open(filepath.Join(t.TempDir(), "dhcpd.leases"), lease.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	j.OnDurable(sock.Wake)
	l := plan.Link{Name: "eth1", MAC: proto.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500,
		Addrs: []plan.LinkAddr{{Addr: addr("10.0.0.1"), Mask: addr("255.255.0.0")}}}
	c := core.New(core.Config{Plan: setup.Plan, Files: image.Build(1, "/", nil), Links: []plan.Link{l}})
	return &worker{core: c, journal: j, wire: sock, notes: newNotes(), tx: batch.NewTx(), base: time.Now(), spin: spinTime}, sock
}

// startWorker runs a worker until the test ends.
func startWorker(t *testing.T, w *worker) chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- w.run() }()
	t.Cleanup(func() {
		w.stopping.Store(true)
		w.wire.Wake()
		<-ended
	})
	return ended
}

// TestWorkerStorm leads many nodes to their leases at once; no ACK leaves before
// its record is durable.
func TestWorkerStorm(t *testing.T) {
	const nodes = 500
	w, sock := newWorker(t)
	startWorker(t, w)
	mac := func(i int) proto.MAC { return proto.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)} }
	for i := range nodes {
		sock.deliver(dhcpFrame(mac(i), dhcp.Discover, 0, 0))
	}
	offered := map[proto.MAC]proto.Addr{}
	for range nodes {
		h := dhcp.View(sock.reply(t))
		hw, _ := h.HW()
		offered[hw.MAC()] = h.YIAddr()
	}
	for m, a := range offered {
		sock.deliver(dhcpFrame(m, dhcp.Request, a, addr("10.0.0.1")))
	}
	seen := map[proto.Addr]bool{}
	for range nodes {
		reply := sock.reply(t)
		h := dhcp.View(reply)
		hw, _ := h.HW()
		var o dhcp.Options
		o.Parse(reply)
		if kind, _ := o.MessageType(); kind != dhcp.Ack || h.YIAddr() != offered[hw.MAC()] || seen[h.YIAddr()] {
			t.Fatalf("%v of %v to %v, offered %v", kind, h.YIAddr(), hw.MAC(), offered[hw.MAC()])
		}
		seen[h.YIAddr()] = true
	}
	if d := w.journal.Durable(); d < nodes {
		t.Errorf("%d acknowledgements, %d durable records", nodes, d)
	}
	if st := w.journal.Stats(); st.Syncs >= nodes {
		t.Errorf("%d syncs for %d leases: no group commit", st.Syncs, nodes)
	}
}

// TestWorkerAllocations: no kind of turn allocates.
func TestWorkerAllocations(t *testing.T) {
	w, _ := newWorker(t)
	frames := make([]batch.Frame, batch.RxCap)
	for i := range frames {
		frames[i] = batch.Frame{Data: dhcpFrame(nodeMAC(byte(i)), dhcp.Discover, 0, 0), Checksum: true}
	}
	w.wire = &loopWire{frames: frames}
	got := allocs.Of(func() {
		for range 200 {
			if _, err := w.turn(); err != nil {
				t.Fatal(err)
			}
			w.notes.head.Store(w.notes.tail.Load())
		}
	})
	if got != 0 {
		t.Errorf("%v allocations in 200 busy turns", got)
	}
	w.wire = &loopWire{}
	got = allocs.Of(func() {
		for range 200 {
			now, err := w.turn()
			if err == nil {
				err = w.rest(now)
			}
			if err != nil {
				t.Fatal(err)
			}
			w.errand()
		}
	})
	if got != 0 {
		t.Errorf("%v allocations in 200 idle turns", got)
	}
}

// loopWire receives the same frames for ever and forgets what is sent.
type loopWire struct{ frames []batch.Frame }

func (l *loopWire) Recv(rx *batch.Rx) error {
	rx.N = copy(rx.Frames[:], l.frames)
	return nil
}
func (l *loopWire) Send(tx *batch.Tx) error { tx.Sent(tx.N); return nil }
func (l *loopWire) Wait(int64) error        { return nil }
func (l *loopWire) Wake()                   {}

// TestWorkerPanic turns a panic into an error with its place.
func TestWorkerPanic(t *testing.T) {
	w, _ := newWorker(t)
	w.inbox.Store(&errand{do: func(*worker) { panic("out of range") }, done: make(chan struct{})})
	err := w.run()
	if !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "out of range") || !strings.Contains(err.Error(), "worker_test.go") {
		t.Error(err)
	}
}

// TestWorkerStuck drops what an interface does not take for long, and goes on.
func TestWorkerStuck(t *testing.T) {
	w, sock := newWorker(t)
	sock.full = true
	startWorker(t, w)
	for i := range 3 * batch.TxCap {
		sock.deliver(dhcpFrame(proto.MAC{2, 2, 0, 0, 0, byte(i)}, dhcp.Discover, 0, 0))
	}
	for end := time.Now().Add(20 * time.Second); w.dropped.Load() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing was dropped")
		}
	}
	sock.mu.Lock()
	sock.full, sock.in = false, nil
	sock.mu.Unlock()
	for sock.pop() != nil {
	}
	sock.deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	for sock.pop() == nil { // the test's own deadline ends a server that is dead
		time.Sleep(time.Millisecond)
	}
}

// TestWorkerFinish sends, after the end, the acknowledgements that the last sync
// set free.
func TestWorkerFinish(t *testing.T) {
	w, sock := newWorker(t)
	turn := func(f []byte) {
		sock.deliver(f)
		if _, err := w.turn(); err != nil {
			t.Fatal(err)
		}
	}
	turn(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	offer := dhcp.View(sock.reply(t))
	turn(dhcpFrame(nodeMAC(1), dhcp.Request, offer.YIAddr(), addr("10.0.0.1")))
	if w.core.Held() != 1 && sock.pop() == nil {
		t.Fatal("the acknowledgement is neither held nor sent")
	}
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	w.finish(time.Second)
	if w.core.Held() != 0 || w.released != 1 {
		t.Errorf("held %d, released %d", w.core.Held(), w.released)
	}
}

// TestPulse sees a worker that turns, and one that hangs.
func TestPulse(t *testing.T) {
	w, _ := newWorker(t)
	startWorker(t, w)
	var last uint64
	for beats := 0; beats < 3; {
		if w.pulse(&last) {
			beats++
		}
		time.Sleep(time.Millisecond)
	}
	idle := &worker{}
	last = idle.beats.Load()
	if idle.pulse(&last) {
		t.Error("a worker that does not turn has a pulse")
	}
}
