//go:build linux

package ceiling

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/link"
	"bootstorm/proto"
)

// bare answers readers with no engine: whatever is acknowledged, the next window
// follows. It keeps nothing of anybody, and loses nothing, so it sends nothing twice.
type bare struct {
	set    *link.Set
	window uint16
	heads  []byte // of all blocks, and of a window more
	file   []byte
	oack   []byte
	rx     *batch.Rx
	tx     *batch.Tx
	packet proto.Packet
}

// bareSpin is how long the daemon looks for more frames before it sleeps, too.
const bareSpin = 50 * time.Microsecond

func newBare(set *link.Set, window int) *bare {
	b := &bare{set: set, window: uint16(window), file: make([]byte, engineSize), rx: new(batch.Rx), tx: batch.NewTx(),
		oack: []byte("\x00\x06blksize\x00" + fmt.Sprint(dataBlock) + "\x00")}
	for i := range b.file { // the pages are there before the first frame, as the daemon's are
		b.file[i] = byte(i)
	}
	for n := range 1<<16 + window {
		b.heads = binary.BigEndian.AppendUint16(append(b.heads, 0, opData), uint16(n))
	}
	return b
}

// serve answers until it is stopped.
func (b *bare) serve(stop *atomic.Bool) error {
	busy := time.Now()
	for !stop.Load() {
		if err := b.set.Recv(b.rx); err != nil {
			return err
		}
		now := time.Now()
		if b.rx.N > 0 {
			busy = now
		}
		for i := range b.rx.N {
			if err := b.answer(&b.rx.Frames[i]); err != nil {
				return err
			}
		}
		if err := b.set.Send(b.tx); err != nil {
			return err
		}
		if b.tx.N > 0 || now.Sub(busy) > bareSpin {
			if err := b.set.Wait(int64(time.Millisecond)); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer makes the message that follows a frame. The batch has room, now and then
// after what did not fit has been sent.
func (b *bare) answer(f *batch.Frame) error {
	p := &b.packet
	if proto.ParseFrame(p, f.Data, f.Checksum) != proto.OK || p.Kind != proto.KindUDP || len(p.Payload) < ackLen {
		return nil
	}
	m := b.tx.Next()
	for ; m == nil; m = b.tx.Next() {
		if err := b.set.Send(b.tx); err != nil {
			return err
		}
	}
	head := (*[proto.HeadersLen]byte)(m.Head[:])
	if p.Payload[1] == opRRQ {
		proto.PutHeaders(head, serverMAC, p.SrcMAC, serverAddr, p.Src, proto.PortTFTP, p.SrcPort, 1, len(b.oack))
		m.HeadLen = proto.HeadersLen + copy(m.Head[proto.HeadersLen:], b.oack)
		proto.FinishUDP(head, b.oack, nil)
	} else {
		next := int(binary.BigEndian.Uint16(p.Payload[2:]) + 1)
		size := int(b.window) * dataBlock
		at := next * dataBlock % (len(b.file) - size)
		m.HeadLen, m.Size, m.Segments = proto.HeadersLen, dataBlock, b.window
		m.Heads, m.Data = b.heads[dataHeader*next:dataHeader*(next+int(b.window))], b.file[at:at+size]
		proto.PutHeaders(head, serverMAC, p.SrcMAC, serverAddr, p.Src, proto.PortTFTP, p.SrcPort, 1, dataHeader+dataBlock)
	}
	b.tx.Commit()
	return nil
}

// bareCrowd measures what the daemon's socket calls alone do for the crowd that
// the daemon serves: frames in both directions for each second of processor time.
func (r *rig) bareCrowd(window int, each time.Duration) (perCPU float64, err error) {
	l, err := r.openLoad(crowd, window, nil)
	if err != nil {
		return 0, err
	}
	e := &ends{conn: l.conn}
	defer e.close()
	if err := r.server.Do(func() (err error) { e.set, err = link.Open([]string{serverIf}, link.Options{}); return err }); err != nil {
		return 0, err
	}
	var s sample
	var stop atomic.Bool
	calls := newBare(e.set, window) // what it takes to make it is no part of what the calls take
	err = r.both(e, func() error {
		w := begin()
		defer w.add(&s)
		return calls.serve(&stop)
	}, func() error {
		defer stop.Store(true)
		return l.run(each)
	})
	if err != nil {
		return 0, fmt.Errorf("the calls alone, windowsize %d: %w", window, err)
	}
	return float64(l.frames) / max(s.cpu.Seconds(), 1e-9), nil
}
