//go:build linux

package ceiling

import (
	"errors"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/link"
	"bootstorm/proto"
)

// echoPatience bounds a turn: nothing is lost on a veth.
const echoPatience = 2 * time.Second

var errNoEcho = errors.New("no answer")

// echo measures lockstep turns: the peer sends an ACK, the server answers with
// a DATA frame, and the peer, which polls, has it. It is what a client without
// windows waits for again and again.
func echo(r *rig, each time.Duration, spin bool) (took []time.Duration, err error) {
	e, err := r.open(link.Options{})
	if err != nil {
		return nil, err
	}
	defer e.close()
	done := make(chan struct{})
	err = r.both(e, func() error { return e.answer(done, spin) }, func() error {
		defer close(done)
		defer e.set.Wake()
		frame := request(proto.PortTFTP, []byte{0, opAck, 0, 1})
		for end := time.Now().Add(each); time.Now().Before(end); {
			t, err := e.turn(frame)
			if err != nil {
				return err
			}
			took = append(took, t)
		}
		return nil
	})
	return took, err
}

// turn is one exchange as the peer sees it.
func (e *ends) turn(frame []byte) (time.Duration, error) {
	start := time.Now()
	if err := e.offer(frame, 1); err != nil {
		return 0, err
	}
	for {
		n, err := e.conn.Receive(func([]byte, bool) {})
		took := time.Since(start)
		if n > 0 || err != nil {
			return took, err
		}
		if took > echoPatience {
			return took, errNoEcho
		}
	}
}

// answer is the server's end: what came is answered, frame by frame.
func (e *ends) answer(done <-chan struct{}, spin bool) error {
	rx, tx, payload := new(batch.Rx), batch.NewTx(), make([]byte, dataHeader+dataBlock)
	payload[1] = opData
	for {
		select {
		case <-done:
			return nil
		default:
		}
		if err := e.set.Recv(rx); err != nil {
			return err
		}
		for range rx.N {
			single(tx.Next(), payload)
			tx.Commit()
		}
		if err := e.set.Send(tx); err != nil {
			return err
		}
		if rx.N == 0 && !spin {
			if err := e.set.Wait(int64(10 * time.Millisecond)); err != nil {
				return err
			}
		}
	}
}
