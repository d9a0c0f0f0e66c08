package engine

import (
	"bytes"
	"errors"
	"math"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/capture"
	"bootstorm/engine/link"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// script is a wire that does what a test says and counts what is asked of it.
type script struct {
	frames  []batch.Frame
	take    int // messages that each Send takes
	err     error
	waits   []int64
	sends   int
	sent    int
	wakeups int
}

func (s *script) Recv(rx *batch.Rx) error {
	rx.N = copy(rx.Frames[:], s.frames)
	s.frames = s.frames[rx.N:]
	return s.err
}

func (s *script) Send(tx *batch.Tx) error {
	s.sends++
	n := min(s.take, tx.N)
	s.sent += n
	tx.Sent(n)
	return nil
}

func (s *script) Wait(nanos int64) error { s.waits = append(s.waits, nanos); return nil }
func (s *script) Wake()                  { s.wakeups++ }

func discovers(n int) (out []batch.Frame) {
	for i := range n {
		out = append(out, batch.Frame{Data: dhcpFrame(proto.MAC{2, 9, 0, 0, 0, byte(i)}, dhcp.Discover, 0, 0), Checksum: true})
	}
	return out
}

// TestTurnWaitsForRoom handles every frame of a batch though the interface takes
// one message at a time: the frames' views stay valid meanwhile.
func TestTurnWaitsForRoom(t *testing.T) {
	w, _ := newWorker(t)
	s := &script{frames: discovers(batch.RxCap), take: 1}
	w.wire = s
	if _, err := w.turn(); err != nil {
		t.Fatal(err)
	}
	if c := w.core.Counters(); c.Discover != batch.RxCap || c.Offer != batch.RxCap {
		t.Errorf("%d discovers, %d offers", c.Discover, c.Offer)
	}
	for i := 0; w.tx.N > 0 && i < 1000; i++ {
		if _, err := w.turn(); err != nil {
			t.Fatal(err)
		}
	}
	if s.sent < batch.RxCap {
		t.Errorf("%d sent", s.sent)
	}
}

// TestRest sleeps as long as there is nothing to do, and no longer.
func TestRest(t *testing.T) {
	w, _ := newWorker(t)
	for _, c := range []struct {
		name    string
		prepare func(now *batch.Time)
		want    []int64
	}{
		{"idle", func(*batch.Time) {}, []int64{beatTime}},
		{"frames a moment ago", func(now *batch.Time) { w.busy = now.Mono - spinTime/2 }, nil},
		{"frames a while ago", func(now *batch.Time) { w.busy = now.Mono - 2*spinTime }, []int64{beatTime}},
		{"something to send", func(*batch.Time) { w.tx.Next(); w.tx.Commit() }, []int64{fullTime}},
		{"records became durable", func(*batch.Time) { w.released = math.MaxUint64 }, nil},
	} {
		s := &script{}
		w.wire, w.busy, w.released, w.tx.N = s, 0, 0, 0
		now := batch.Time{Mono: 10 * batch.Second}
		c.prepare(&now)
		if err := w.rest(now); err != nil || len(s.waits) != len(c.want) || len(c.want) > 0 && s.waits[0] != c.want[0] {
			t.Errorf("%s: waits %v, %v", c.name, s.waits, err)
		}
	}
}

// TestRestUntilDeadline sleeps no longer than the core's next deadline: an offer
// that expires, here.
func TestRestUntilDeadline(t *testing.T) {
	w, _ := newWorker(t)
	s := &script{frames: discovers(1), take: 64}
	w.wire = s
	now, err := w.turn()
	if err != nil {
		t.Fatal(err)
	}
	deadline := w.core.Deadline()
	if deadline == math.MaxInt64 {
		t.Fatal("an offer is held without a deadline")
	}
	now.Mono = deadline - 3*batch.Millisecond
	if err := w.rest(now); err != nil || len(s.waits) != 1 || s.waits[0] != 3*batch.Millisecond {
		t.Errorf("waits %v for a deadline in 3 ms", s.waits)
	}
	now.Mono = deadline + 1
	if err := w.rest(now); err != nil || len(s.waits) != 1 {
		t.Errorf("waits %v though something is due", s.waits)
	}
}

// TestTroubled gives the wire up only when it fails for long, and never because
// an interface is down.
func TestTroubled(t *testing.T) {
	w, _ := newWorker(t)
	at := func(d int64) batch.Time { return batch.Time{Mono: batch.Second + d} }
	if w.troubled(at(0), syscall.EIO) || w.troubled(at(troubleTime), syscall.EIO) {
		t.Error("given up too early")
	}
	if !w.troubled(at(troubleTime+1), syscall.EIO) {
		t.Error("never given up")
	}
	w.trouble = 0
	down := errors.Join(&link.DownError{Name: "eth1", Err: syscall.ENETDOWN})
	for i := range int64(3) {
		if w.troubled(at(i*troubleTime), down) || w.trouble != 0 {
			t.Error("an interface that is down is trouble")
		}
	}
}

// TestTransientTrouble goes on after failures that pass.
func TestTransientTrouble(t *testing.T) {
	w, sock := newWorker(t)
	startWorker(t, w)
	for range 3 {
		sock.mu.Lock()
		sock.fail = syscall.ENOBUFS
		sock.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		sock.mu.Lock()
		sock.fail = nil
		sock.mu.Unlock()
		sock.deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
		sock.reply(t)
	}
}

// TestReleaseInPieces lets many held acknowledgements go through an interface
// that takes few at a time, and loses none.
func TestReleaseInPieces(t *testing.T) {
	const nodes = 200
	w, _ := newWorker(t)
	s := &script{take: 64}
	w.wire = s
	turns := func() {
		for range 20 {
			if _, err := w.turn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	mac := func(i int) proto.MAC { return proto.MAC{2, 8, 0, 0, 1, byte(i)} }
	for i := range nodes {
		s.frames = append(s.frames, batch.Frame{Data: dhcpFrame(mac(i), dhcp.Discover, 0, 0), Checksum: true})
	}
	turns()
	if c := w.core.Counters(); c.Offer != nodes {
		t.Fatalf("%d offers", c.Offer)
	}
	s.take, s.sent = 3, 0
	for i := range nodes {
		a := addr("10.0.1.0") + proto.Addr(i)
		s.frames = append(s.frames, batch.Frame{Data: dhcpFrame(mac(i), dhcp.Request, a, addr("10.0.0.1")), Checksum: true})
	}
	for end := time.Now().Add(20 * time.Second); s.sent < nodes && time.Now().Before(end); {
		turns()
	}
	if s.sent != nodes || w.core.Held() != 0 || w.released != nodes {
		t.Errorf("%d sent, %d held, released %d", s.sent, w.core.Held(), w.released)
	}
}

// TestErrand runs between two batches, once.
func TestErrand(t *testing.T) {
	w, _ := newWorker(t)
	startWorker(t, w)
	ran := 0
	for range 3 {
		e := &errand{do: func(*worker) { ran++ }, done: make(chan struct{})}
		w.inbox.Store(e)
		w.wire.Wake()
		select {
		case <-e.done:
		case <-time.After(20 * time.Second):
			t.Fatal("the errand waits for ever")
		}
	}
	if ran != 3 {
		t.Errorf("ran %d times", ran)
	}
}

// TestFinishGivesUp ends within its time though the interface takes nothing.
func TestFinishGivesUp(t *testing.T) {
	w, _ := newWorker(t)
	w.wire = &script{frames: discovers(1)}
	if _, err := w.turn(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w.finish(20 * time.Millisecond)
	if d := time.Since(begin); d > time.Second || w.tx.N == 0 && w.dropped.Load() == 0 {
		t.Errorf("took %v, %d messages left", d, w.tx.N)
	}
}

// newLanes makes memory for frames, and its readers.
func newLanes(t *testing.T) (lanes *capture.Lanes, readers []*capture.Reader) {
	t.Helper()
	files, err := capture.PrepareLanes(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if lanes, err = capture.AdoptLanes(files); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lanes.Close() })
	for _, file := range files {
		r, err := capture.Open(int(file.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		readers = append(readers, r)
		file.Close()
	}
	return lanes, readers
}

// TestFramesAreRemembered finds each frame that came in and each message that
// left in the ring once, though the interface takes them one at a time, and at
// times none.
func TestFramesAreRemembered(t *testing.T) {
	w, _ := newWorker(t)
	lanes, readers := newLanes(t)
	w.ring = lanes
	const nodes = 40
	s := &script{frames: discovers(nodes)}
	w.wire = s
	begin := time.Now()
	for i := range 3 * nodes {
		s.take = i % 2
		if _, err := w.turn(); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	sum, err := capture.WritePCAPNG(&b, readers, capture.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if s.sent < nodes || sum.Frames != nodes+s.sent+w.tx.N {
		t.Errorf("%d frames remembered; %d received, %d sent, %d still to be sent", sum.Frames, nodes, s.sent, w.tx.N)
	}
	if sum.First.Before(begin.Add(-time.Second)) || sum.Last.After(time.Now().Add(time.Second)) {
		t.Errorf("from %v to %v", sum.First, sum.Last)
	}
}

// TestCaptureOfAServer is a server's life with memory for frames, which can be
// read while it serves.
func TestCaptureOfAServer(t *testing.T) {
	n := newNetwork()
	lanes, readers := newLanes(t)
	s := serve(t, n, guideText, func(c *Config) { c.Captures = []*capture.Lanes{lanes} })
	s.said("ready: ")
	n.sock().lease(t, nodeMAC(1))
	var b bytes.Buffer
	sum, err := capture.WritePCAPNG(&b, readers, capture.Filter{MAC: nodeMAC(1)})
	if err != nil || sum.Frames < 4 {
		t.Errorf("%v, %d frames: no DORA in there", err, sum.Frames)
	}
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
}
