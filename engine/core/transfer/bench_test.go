package transfer

import (
	"fmt"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// BenchmarkData is the machine's share of a DATA frame: an ACK in, the window
// that follows out, for 1,000 clients in turn. ns/frame is what counts.
func BenchmarkData(b *testing.B) {
	for _, window := range []int{1, 4, 64} {
		b.Run(fmt.Sprint("window ", window), func(b *testing.B) {
			const clients = 1000
			r := newRig(b, Config{}, image.File{Name: "f", Data: make([]byte, 32<<20)})
			const blocks = 32 << 20 / 1468
			p := r.src
			var acked [clients]uint16
			feed := func(in []byte) {
				p.Payload = in
				r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
				r.table.Fill(r.now, r.tx, &r.ev)
				r.tx.Sent(r.tx.N)
				r.ev.Reset()
			}
			begin := func(i int) {
				acked[i], p.Src = 0, r.src.Src+proto.Addr(i)
				feed(rrq("f", "octet", "blksize=1468", fmt.Sprint("windowsize=", window)))
				feed(ack(0))
			}
			for i := range clients {
				begin(i)
			}
			before := r.table.Counters().DataFrames
			var answer [4]byte
			i := 0
			for b.Loop() {
				p.Src = r.src.Src + proto.Addr(i)
				if int(acked[i])+2*window > blocks { // once in hundreds of turns or seldomer
					feed(errorPacket(0))
					begin(i)
				}
				acked[i] += uint16(window)
				tftp.PutHeader(&answer, tftp.OpAck, acked[i])
				p.Payload = answer[:]
				r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
				if i = (i + 1) % clients; i%8 == 0 || r.tx.Room() < 2 {
					r.table.Fill(r.now, r.tx, &r.ev)
					r.tx.Sent(r.tx.N)
				}
				r.now += batch.Microsecond
				r.ev.Reset()
			}
			frames := r.table.Counters().DataFrames - before
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
		})
	}
}

// BenchmarkRequest is a whole probe: RRQ, OACK, ERROR 8.
func BenchmarkRequest(b *testing.B) {
	r := newRig(b, Config{}, image.File{Name: "ipxe.efi", Data: make([]byte, 850528)})
	p := r.src
	ask, end := rrq("ipxe.efi", "octet", "tsize=0", "blksize=1468", "windowsize=4"), errorPacket(8)
	for b.Loop() {
		p.SrcPort++
		p.Payload = ask
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		p.Payload = end
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.tx.Sent(r.tx.N)
		r.ev.Reset()
	}
}
