//go:build linux

package ceiling

import (
	"context"
	"fmt"
	"io"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/link"
	"bootstorm/proto"
)

// Options of Run.
type Options struct {
	Rounds     int
	Each       time.Duration // how long one measurement takes
	ServerCore int
	PeerCore   int
	Progress   io.Writer // nil: none
}

// The rungs of engine/link and the lengths of runs that are measured. 44 is the
// longest run of full blocks that one kernel message holds (64 KiB).
var (
	receiveRungs = []string{"mmsg", "single"}
	sendRungs    = []string{"gso", "csum", "mmsg", "single"}
	runLengths   = []int{4, 8, 16, 44}
)

// measurement is one line of the result: how to take a sample.
type measurement struct {
	rate Rate
	take func(r *rig, each time.Duration) (sample, error)
}

// Run measures everything, round by round, so that what disturbs the machine
// for a while disturbs all lines. It needs lab.Enter.
func Run(ctx context.Context, o Options) (*Result, error) {
	r, err := newRig(o.ServerCore, o.PeerCore)
	if err != nil {
		return nil, err
	}
	defer r.close()
	list := measurements()
	samples := make([][]sample, len(list))
	var turns [2][]time.Duration
	for round := 1; round <= o.Rounds; round++ {
		for i := range list {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s, err := list[i].take(r, o.Each)
			if err != nil {
				list[i].rate.Missing = err.Error()
				continue
			}
			samples[i] = append(samples[i], s)
		}
		for i, spin := range []bool{false, true} {
			t, err := echo(r, o.Each, spin)
			if err != nil {
				return nil, fmt.Errorf("echo: %w", err)
			}
			turns[i] = append(turns[i], t...)
		}
		if o.Progress != nil {
			fmt.Fprintf(o.Progress, "round %d of %d\n", round, o.Rounds)
		}
	}
	result := &Result{Rounds: o.Rounds, Each: o.Each}
	for i := range list {
		list[i].rate.summarize(samples[i])
		result.Rates = append(result.Rates, list[i].rate)
	}
	for i, spin := range []bool{false, true} {
		result.Echoes = append(result.Echoes, summarizeEcho(spin, turns[i]))
	}
	return result, nil
}

func measurements() (list []measurement) {
	for _, kind := range []struct {
		what string
		take func(r *rig, o link.Options, each time.Duration) (sample, error)
	}{{"receive, queued", receiveQueued}, {"receive, live", receiveLive}} {
		for _, rung := range receiveRungs {
			list = append(list, measurement{Rate{What: kind.what, Rung: rung, Bytes: proto.HeadersLen + discoverLen},
				func(r *rig, each time.Duration) (sample, error) { return kind.take(r, link.Options{RX: rung}, each) }})
		}
	}
	for _, rung := range sendRungs {
		list = append(list, measurement{Rate{What: "send, single frames", Rung: rung, Bytes: proto.HeadersLen + dataHeader + dataBlock},
			func(r *rig, each time.Duration) (sample, error) { return send(r, rung, each, 0) }})
	}
	for _, rung := range sendRungs {
		for _, n := range runLengths {
			list = append(list, measurement{Rate{What: "send, runs", Rung: rung, Segments: n, Bytes: proto.HeadersLen + dataHeader + runBlock},
				func(r *rig, each time.Duration) (sample, error) { return send(r, rung, each, n) }})
		}
	}
	return list
}

// queueLength is how many frames are put into the server's socket before it
// begins to read: far fewer than its buffer holds.
const queueLength = 2048

// receiveQueued lets the peer send first and then reads: what a receive costs
// when nobody sends meanwhile.
func receiveQueued(r *rig, o link.Options, each time.Duration) (s sample, err error) {
	e, err := r.open(o)
	if err != nil {
		return s, err
	}
	defer e.close()
	frame, rx := request(proto.PortBOOTPServer, make([]byte, discoverLen)), new(batch.Rx)
	full, empty := make(chan error), make(chan struct{})
	err = r.both(e, func() error {
		defer close(empty)
		for s.wall < each {
			empty <- struct{}{}
			if err := <-full; err != nil {
				return err
			}
			w := begin()
			n, err := drain(e.set, rx)
			w.add(&s)
			if s.frames += uint64(n); err != nil {
				return err
			}
		}
		return nil
	}, func() error {
		for range empty {
			full <- e.offer(frame, queueLength)
		}
		return nil
	})
	stats := e.set.Stats()
	s.calls, s.lost = stats.ReceiveCalls, stats.KernelDrops
	return s, err
}

// offer sends a frame so many times from the peer's end.
func (e *ends) offer(frame []byte, times int) error {
	for range times {
		for !e.conn.Queue(frame) {
			if err := e.conn.Flush(); err != nil {
				return err
			}
		}
	}
	for e.conn.Queued() > 0 {
		if err := e.conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// receiveLive reads while the peer sends as fast as it can.
func receiveLive(r *rig, o link.Options, each time.Duration) (s sample, err error) {
	e, err := r.open(o)
	if err != nil {
		return s, err
	}
	defer e.close()
	frame, rx := request(proto.PortBOOTPServer, make([]byte, discoverLen)), new(batch.Rx)
	err = r.both(e, func() error {
		w := begin()
		// Batch by batch, not until nothing is left: beside a sender that keeps up
		// that would never be.
		for end := time.Now().Add(each); time.Now().Before(end); {
			if err := e.set.Recv(rx); err != nil {
				return err
			}
			s.frames += uint64(rx.N)
		}
		w.add(&s)
		return nil
	}, func() error {
		for !e.stop.Load() {
			if err := e.offer(frame, batch.RxCap); err != nil {
				return err
			}
		}
		return nil
	})
	stats := e.set.Stats()
	s.calls, s.lost = stats.ReceiveCalls, stats.KernelDrops
	return s, err
}

// send fills batches with single frames (segments 0) or runs and sends them,
// while the peer reads and forgets.
func send(r *rig, rung string, each time.Duration, segments int) (s sample, err error) {
	e, err := r.open(link.Options{TX: rung})
	if err != nil {
		return s, err
	}
	defer e.close()
	tx, data, payload := batch.NewTx(), newBlocks(max(segments, 1)), make([]byte, dataHeader+dataBlock)
	payload[1] = opData
	err = r.both(e, func() error {
		w := begin()
		for end := time.Now().Add(each); time.Now().Before(end); {
			for m := tx.Next(); m != nil; m = tx.Next() {
				if segments == 0 {
					single(m, payload)
				} else {
					data.run(m, segments)
				}
				tx.Commit()
			}
			if err := e.set.Send(tx); err != nil {
				return err
			}
			if tx.N > 0 {
				if err := e.set.Wait(int64(time.Millisecond)); err != nil {
					return err
				}
			}
		}
		w.add(&s)
		return nil
	}, e.forget)
	stats := e.set.Stats()
	e.conn.Statistics()
	s.frames, s.calls, s.lost = stats.SentFrames, stats.SendCalls, e.conn.Dropped
	return s, err
}

// forget reads at the peer's end until the measurement is over.
func (e *ends) forget() error {
	for !e.stop.Load() {
		n, err := e.conn.Receive(func([]byte, bool) {})
		if err == nil && n == 0 {
			err = e.conn.Wait(int64(time.Millisecond))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
