package transfer

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
)

func TestShortestRoundTripOfLate(t *testing.T) {
	var p path
	for _, c := range []struct {
		name    string
		at, rtt int64
		want    int64
	}{
		{"the first", 100 * ms, 5 * ms, 5 * ms},
		{"a longer one", 101 * ms, 9 * ms, 5 * ms},
		{"a shorter one", 102 * ms, 3 * ms, 3 * ms},
		{"the last period counts", 111 * ms, 20 * ms, 3 * ms},
		{"the one before that does not", 125 * ms, 30 * ms, 20 * ms},
		{"after a pause only the new one does", 160 * ms, 40 * ms, 40 * ms},
	} {
		p.note(c.at, c.at-c.rtt)
		if got := p.shortest(c.at); got != c.want {
			t.Errorf("%s: %d µs, want %d", c.name, got/us, c.want/us)
		}
	}
	if got := p.shortest(260 * ms); got != 0 {
		t.Errorf("after a silence: %d µs, want to know nothing", got/us)
	}
	if p.note(300*ms, 50*ms); p.answered != 120*ms || p.heard != 300*ms {
		t.Errorf("answered %d ms, heard %d ms: an older frame's answer is no progress", p.answered/ms, p.heard/ms)
	}
}

// crowd is a rig with two transfers, whose clients differ in their port, that
// have each been sent block 1; the round trip was 1 ms.
func crowd(t *testing.T) *rig {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(100_000)})
	for range 2 {
		r.recv(rrq("f", "octet", "tsize=0"))
		r.now += ms
		r.want("ACK 0", r.ack(0), "DATA 1:512")
		r.now -= ms
		r.src.SrcPort++
	}
	r.now += ms
	return r
}

// TestAQueueIsNotALoss: while answers come to what was sent earlier, or the
// driver takes nothing, what was sent later is not repeated.
func TestAQueueIsNotALoss(t *testing.T) {
	t.Run("answers to older frames", func(t *testing.T) {
		r := crowd(t)
		for range 20 { // of others on the link: their frames are ever so slightly older
			r.want("the queue is long", r.after(10*ms), "")
			r.table.links[0].path.note(r.now, r.now-200*ms)
		}
		if c := r.table.Counters(); c.Timeouts != 0 {
			t.Errorf("%+v", *c)
		}
	})
	t.Run("answers to newer frames: it was lost", func(t *testing.T) {
		r := crowd(t)
		for range 49 {
			r.now += ms
			r.table.links[0].path.note(r.now, r.now-ms)
			r.want("for 50 ms", r.out(), "")
		}
		r.table.links[0].path.note(r.now, r.now-ms)
		r.now += ms
		r.table.Fill(r.now, r.tx, &r.ev)
		if c := r.table.Counters(); c.Timeouts != 2 || c.Resent != 2 {
			t.Errorf("%+v", *c)
		}
	})
	t.Run("no answer to anything", func(t *testing.T) {
		r := crowd(t)
		r.now += 60 * ms
		r.table.Fill(r.now, r.tx, &r.ev)
		if c := r.table.Counters(); c.Timeouts != 2 {
			t.Errorf("%+v", *c)
		}
	})
	t.Run("the driver takes nothing", func(t *testing.T) {
		r := start(t)
		p := r.src
		p.Payload = ack(0)
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		for range 180 {
			r.now += 10 * ms
			r.table.Fill(r.now, r.tx, &r.ev)
		}
		if c := r.table.Counters(); c.Timeouts != 0 || c.DataFrames != 1 || r.tx.N != 1 {
			t.Errorf("%d messages, %+v", r.tx.N, *c)
		}
	})
	t.Run("two seconds are too long for a queue", func(t *testing.T) {
		r := crowd(t)
		for range 250 {
			r.now += 10 * ms
			r.table.links[0].path.note(r.now, r.now-3*s1)
			r.table.Fill(r.now, r.tx, &r.ev)
		}
		if c := r.table.Counters(); c.Timeouts == 0 {
			t.Errorf("%+v", *c)
		}
	})
}

// TestARepetitionThatCrossedItsAnswer: where the queue is long, a client's own
// repetition of its ACK comes while the window is still on the way to it.
func TestARepetitionThatCrossedItsAnswer(t *testing.T) {
	r := start(t, "windowsize=4")
	r.ack(0)
	r.table.links[0].path = path{}
	r.table.links[0].path.note(r.now, r.now-80*ms) // somebody's round trip
	r.now += 40 * ms
	r.want("the client repeats its ACK", r.ack(0), "")
	r.now += 41 * ms
	r.want("now it would know", r.ack(0), "DATA 1:100, DATA 2:100, DATA 3:100, DATA 4:100")
}

// TestLittleWaitsInTheBatch: what the driver did not take is not added to
// beyond the stock, and an OACK does not wait behind it.
func TestLittleWaitsInTheBatch(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: make([]byte, 1<<20)})
	send := func(port uint16, payload []byte) {
		p := r.src
		p.SrcPort, p.Payload = port, payload
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
	}
	for port := range uint16(30) {
		send(2000+port, rrq("f", "octet", "blksize=1468", "windowsize=16"))
		r.tx.Sent(r.tx.N)
		send(2000+port, ack(0))
	}
	r.table.Fill(r.now, r.tx, &r.ev)
	if got := pending(r.tx); got < burst || got > burst+16*1468 {
		t.Errorf("%d bytes at first, want about %d", got, burst)
	}
	r.tx.Sent(r.tx.N - 2)
	before := pending(r.tx)
	r.table.Fill(r.now, r.tx, &r.ev)
	if got := pending(r.tx); before >= stock || got < stock || got > stock+16*1468 {
		t.Errorf("%d bytes after %d, want about %d", got, before, stock)
	}
	send(3000, rrq("f", "octet", "tsize=0"))
	n := r.tx.N
	r.now += firstRTO + batch.Millisecond
	r.table.links[0].path = path{}
	for range 3 { // its OACK was lost, and the line is full of others' data
		r.table.Fill(r.now, r.tx, &r.ev)
		r.now += 100 * ms
	}
	r.now += 2 * s1
	r.table.Fill(r.now, r.tx, &r.ev)
	var p proto.Packet
	if r.tx.N == n || proto.ParseFrame(&p, r.tx.Messages[n].AppendFrame(nil, 0), true) != proto.OK || p.DstPort != 3000 {
		t.Errorf("%d messages before, %d after; the next is for port %d, want the OACK for 3000", n, r.tx.N, p.DstPort)
	}
}
