//go:build linux

package link

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// TestExactReceiveCalls: 64 DISCOVERs that wait cost one receive call.
func TestExactReceiveCalls(t *testing.T) {
	r := newRig(t)
	s, w := r.open(Options{}, "eth1"), r.tap(r.client, "eth0")
	for range 64 {
		w.write(udpFrame(clientMAC, proto.Broadcast, 0, proto.Limited, 68, 67, make([]byte, 300)))
	}
	var rx batch.Rx
	r.must(s.Recv(&rx))
	if got := s.Stats(); rx.N != 64 || got.ReceiveCalls != 1 || got.SendCalls != 0 {
		r.Errorf("%d frames, %+v; want 64 in one call", rx.N, got)
	}
}

// TestExactSendCalls: a window of 16 blocks is one call, and one message where
// the kernel cuts it; one call per frame is the last rung alone.
func TestExactSendCalls(t *testing.T) {
	want := map[string]struct{ calls, messages uint64 }{
		"gso": {1, 1}, "csum": {1, 16}, "mmsg": {1, 16}, "single": {16, 16},
	}
	eachRung(t, func(r *rig, o Options) {
		s := r.open(o, "eth1")
		tx := batch.NewTx()
		addRun(tx, 0, 3000, 16, 1468, file(16*1468))
		r.must(s.Send(tx))
		got, w := s.Stats(), want[o.TX]
		if tx.N != 0 || got.SentFrames != 16 || got.SendCalls != w.calls || got.SentBatch != w.messages || got.PollCalls != 0 {
			r.Errorf("%d left, %+v; want 16 frames in %+v", tx.N, got, w)
		}
	})
}
