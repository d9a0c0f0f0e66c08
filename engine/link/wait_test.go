//go:build linux

package link

import (
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// waits returns how long a Wait takes.
func (r *rig) waits(s *Set, limit time.Duration) time.Duration {
	r.Helper()
	start := time.Now()
	r.must(s.Wait(int64(limit)))
	return time.Since(start)
}

func TestWait(t *testing.T) {
	const short, long = 5 * time.Millisecond, 10 * time.Second
	r := newRig(t)
	s, w := r.open(Options{}, "eth1"), r.tap(r.client, "eth0")
	var rx batch.Rx

	t.Run("timeout", func(t *testing.T) {
		// After traffic, or the start, a short one comes first; a signal may end any.
		var all time.Duration
		for range 4 {
			all += r.waits(s, short)
		}
		if all < short || all > long/2 {
			t.Errorf("%v, want %v and more", all, short)
		}
	})
	t.Run("no time", func(t *testing.T) {
		if d := r.waits(s, 0); d > long/2 {
			t.Errorf("%v, want at once", d)
		}
	})
	t.Run("frame", func(t *testing.T) {
		w.write(toServer(proto.PortTFTP, "x"))
		if d := r.waits(s, long); d > long/2 {
			t.Errorf("%v: the frame did not end it", d)
		}
		r.must(s.Recv(&rx))
		if rx.N != 1 {
			t.Errorf("%d frames, want 1", rx.N)
		}
	})
	t.Run("frames left over", func(t *testing.T) {
		for range batch.RxCap + 1 {
			w.write(toServer(proto.PortTFTP, "x"))
		}
		r.must(s.Recv(&rx))
		polls := s.Stats().PollCalls
		if d := r.waits(s, long); d > long/2 || s.Stats().PollCalls != polls {
			t.Errorf("%v and %d polls, want neither", d, s.Stats().PollCalls-polls)
		}
		r.must(s.Recv(&rx))
	})
	t.Run("wake before", func(t *testing.T) {
		s.Wake()
		s.Wake()
		r.must(s.Recv(&rx)) // must leave the wake to Wait
		if d := r.waits(s, long); d > long/2 {
			t.Errorf("%v: the wake was lost", d)
		}
		wakes := s.stats.wakes.Load()
		if r.waits(s, short); s.stats.wakes.Load() != wakes {
			t.Error("two wakes must count as one")
		}
	})
	t.Run("wake during", func(t *testing.T) {
		go func() {
			time.Sleep(short)
			s.Wake()
		}()
		if d := r.waits(s, -1); d > long/2 {
			t.Errorf("%v: the wake did not end it", d)
		}
	})
	t.Run("wake after close", func(t *testing.T) {
		r.must(s.Close())
		before := openDescriptors(t)
		s.Wake()
		r.must(s.Close())
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors, then %d", before, after)
		}
	})
}

// TestWakeStorm has wakes from another goroutine raced against waits: each one
// must be noticed.
func TestWakeStorm(t *testing.T) {
	r := newRig(t)
	s := r.open(Options{}, "eth1")
	const wakes = 2000
	asked := make(chan struct{})
	go func() {
		for range wakes {
			<-asked
			s.Wake()
		}
	}()
	for i := range wakes {
		asked <- struct{}{}
		if d := r.waits(s, 10*time.Second); d > 5*time.Second {
			t.Fatalf("wake %d was lost", i)
		}
	}
}

func TestCloseLeavesNothingOpen(t *testing.T) {
	r := newRig(t)
	r.must(r.server.Do(func() error {
		before := openDescriptors(t)
		s, err := Open([]string{"eth1"}, Options{})
		if err != nil {
			return err
		}
		s.Close()
		if _, err := Open([]string{"eth1", "lo"}, Options{}); err == nil {
			t.Error("no error for an interface without Ethernet")
		}
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors open, %d before", after, before)
		}
		return nil
	}))
}
