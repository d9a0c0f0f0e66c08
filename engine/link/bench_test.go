//go:build linux

package link

import (
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// benchRig is newRig for a benchmark.
func benchRig(b *testing.B, f func(r *rig)) {
	// testing gives labs only to tests; a benchmark borrows one.
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { f(newRig(t)) }}})
	if !ok {
		b.Fail()
	}
}

// BenchmarkSend sends windows of 16 full blocks, eight to a batch, over a veth
// whose peer has no use for them; the time is per frame.
func BenchmarkSend(b *testing.B) {
	for rung := SendSegmented; rung < rungs; rung++ {
		b.Run(rung.String(), func(b *testing.B) {
			benchRig(b, func(r *rig) {
				s := r.open(Options{TX: rung.String()}, "eth1")
				tx := batch.NewTx()
				data, heads := file(16*1468), blockHeads(16)
				head := udpFrame(serverMAC, clientMAC, serverAddr, clientAddr, proto.PortTFTP, 3000, make([]byte, 1472))
				b.SetBytes(1514)
				b.ReportAllocs()
				b.ResetTimer()
				for sent := 0; sent < b.N; sent += 8 * 16 {
					for range 8 {
						m := tx.Next()
						copy(m.Head[:proto.HeadersLen], head)
						m.HeadLen, m.Heads, m.Data, m.Size, m.Segments = proto.HeadersLen, heads, data, 1468, 16
						tx.Commit()
					}
					for s.Send(tx); tx.N > 0; s.Send(tx) {
						s.Wait(int64(time.Millisecond))
					}
				}
				b.StopTimer()
			})
		})
	}
}

// BenchmarkReceive receives batches that wait in the socket; the time is per frame.
func BenchmarkReceive(b *testing.B) {
	for _, rung := range []ReceiveRung{ReceiveBatch, ReceiveSingle} {
		b.Run(rung.String(), func(b *testing.B) {
			benchRig(b, func(r *rig) {
				s, w := r.open(Options{RX: rung.String()}, "eth1"), r.tap(r.client, "eth0")
				frame := toServer(proto.PortBOOTPServer, string(make([]byte, 300)))
				var rx batch.Rx
				b.ReportAllocs()
				b.ResetTimer()
				b.StopTimer()
				for seen := 0; seen < b.N; {
					for range batch.RxCap {
						w.write(frame)
					}
					b.StartTimer()
					s.Recv(&rx)
					b.StopTimer()
					seen += rx.N
				}
			})
		})
	}
}
