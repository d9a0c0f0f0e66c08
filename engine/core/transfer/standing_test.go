package transfer

import (
	"fmt"
	"testing"

	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// A flood of forged requests takes no slot from a known node whose answer is on
// its way, however many come within a round trip.
func TestKnownNodeOutlastsAFloodWithinItsRoundTrip(t *testing.T) {
	for _, c := range []struct {
		who  Standing
		want string
	}{{Stranger, ""}, {Routed, "DATA 1:1468"}, {Known, "DATA 1:1468"}} {
		r := newRig(t, Config{Transfers: 64, Seed: 5}, image.File{Name: "f", Data: pattern(100_000)})
		r.table.KeepRoom(true)
		r.who = c.who
		r.want("the request", r.recv(rrq("f", "octet", "blksize=1468")), "OACK blksize=1468")
		for i := range 1000 {
			r.now += 20 * us
			r.forged(i, rrq("f", "octet", "blksize=1468"))
		}
		r.want(fmt.Sprintf("its ACK after 20 ms, standing %d", c.who), r.ack(0), c.want)
		checkGuests(t, r.table)
	}
}

// Strangers that acknowledge once and then fall silent have their share, and known
// nodes the rest: what a client has acknowledged is never taken from it.
func TestStrangersHaveTheirShare(t *testing.T) {
	r := newRig(t, Config{Transfers: 64, Seed: 5}, image.File{Name: "f", Data: pattern(100_000)})
	r.table.KeepRoom(true)
	silent := func(i int) {
		r.forged(i, rrq("f", "octet", "blksize=1468"))
		r.forged(i, ack(0))
	}
	for i := range 100 {
		silent(i)
	}
	c := r.table.Counters()
	if n := r.table.Active(); n != 48 || c.Kept != 52 || c.Evicted != 0 {
		t.Fatalf("%d transfers of strangers: %+v", n, *c)
	}
	r.who = Known
	for i := range 16 {
		r.src.Src = proto.AddrOf(192, 168, 3, byte(i))
		r.want("a known node", r.recv(rrq("f", "octet", "blksize=1468")), "OACK blksize=1468")
		r.want("its ACK", r.ack(0), "DATA 1:1468")
		silent(200 + i)
	}
	r.src.Src++
	r.want("one more than there is room for", r.recv(rrq("f", "octet")), "")
	if r.table.Active() != 64 || c.Full != 1 || c.Evicted != 0 {
		t.Errorf("%d active, %+v", r.table.Active(), *c)
	}
	checkGuests(t, r.table)
	r.table.KeepRoom(false) // as where nobody can be known
	for range 140 {
		r.now += s1
		r.table.Fill(r.now, r.tx, &r.ev)
		r.tx.Sent(r.tx.N)
		r.ev.Reset()
	}
	for i := range 100 {
		silent(300 + i)
	}
	if r.table.Active() != 64 {
		t.Errorf("%d active without a share", r.table.Active())
	}
}

// A known node takes the slot of the oldest unacknowledged stranger; of routed
// ones before other known ones; a stranger takes none of theirs.
func TestWhoGivesWayToWhom(t *testing.T) {
	r := newRig(t, Config{Transfers: 6, Seed: 5}, image.File{Name: "f", Data: pattern(2000)})
	has := func(port uint16) bool { return r.table.index.find(r.table.slots, keyOf(r.src.Src, port)) != none }
	ask := func(port uint16, who Standing) {
		r.now += ms
		r.src.SrcPort, r.who = port, who
		r.recv(rrq("f", "octet"))
		checkGuests(t, r.table)
	}
	for i, who := range []Standing{Known, Routed, Stranger, Stranger, Known, Routed} {
		ask(uint16(1000+i), who)
	}
	for _, c := range []struct {
		ask   uint16
		who   Standing
		ended uint16
	}{
		{2000, Known, 1002},    // the older stranger
		{2001, Stranger, 1003}, // its like
		{2002, Routed, 2001},   // the stranger again
		{2003, Known, 1001},    // no stranger is left
		{2004, Routed, 1005},
		{2005, Known, 2002},
		{2006, Known, 2004},
		{2007, Known, 1000}, // known ones only
		{2008, Routed, 0},
		{2009, Stranger, 0},
	} {
		ask(c.ask, c.who)
		if has(c.ask) != (c.ended > 0) || c.ended > 0 && has(c.ended) {
			t.Fatalf("request %d: answered: %v; %d is there: %v", c.ask, has(c.ask), c.ended, has(c.ended))
		}
	}
	if n := r.table.Counters(); n.Evicted != 8 || n.Yielded != 5 || n.Full != 2 {
		t.Errorf("%+v", *n)
	}
}

// Who has the address and the port of a known node, but not its hardware address,
// neither ends the node's transfer, nor moves it, nor uses up its rate.
func TestPretendersChangeNothing(t *testing.T) {
	r := newRig(t, Config{Transfers: 64, Seed: 5}, image.File{Name: "f", Data: pattern(3000)}, image.File{Name: "g", Data: pattern(10)})
	r.table.SetRate(8)
	r.who = Known
	pretend := func(payload []byte) {
		t.Helper()
		p := r.src
		p.SrcMAC, p.Payload = proto.MAC{2, 6, 6, 6, 6, 6}, payload
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.want("a pretender", r.out(), "")
	}
	ask := rrq("f", "octet", "blksize=1468")
	r.want("the request", r.recv(ask), "OACK blksize=1468")
	all := func() {
		t.Helper()
		for _, b := range [][]byte{ask, rrq("g", "octet"), ack(0), ack(1), errorPacket(0), errorPacket(8), {0, 2, 'f', 0, 'o', 'c', 't', 'e', 't', 0}} {
			pretend(b)
		}
	}
	all()
	r.want("the request again", r.recv(ask), "OACK blksize=1468")
	for b, want := range []string{"DATA 1:1468", "DATA 2:1468", "DATA 3:64", ""} {
		all()
		r.want("the node's ACK", r.ack(int64(b)), want)
	}
	c := r.table.Counters()
	if c.Done != 1 || c.Failed != 0 || c.Replaced != 0 || c.Pretended != 5*7 {
		t.Errorf("%+v", *c)
	}
	p := r.src
	p.SrcMAC[0], p.Payload = 6, rrq("none", "octet")
	for range 200 { // from another port: answered until the rate is used up
		p.SrcPort++
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.tx.Sent(r.tx.N)
	}
	if c.Excess == 0 {
		t.Error("a pretender has no rate")
	}
	r.src.SrcPort--
	r.want("the node's next file", r.recv(rrq("g", "octet")), "DATA 1:10")
}

// The node comes to its right though a pretender was first: with the same request,
// whether it was answered or not, and though his address has all it may have.
func TestKnownNodeTakesOverWhatIsItsOwn(t *testing.T) {
	for _, answered := range []bool{false, true} {
		r := newRig(t, Config{Transfers: 64, PerClient: 4, Seed: 5}, image.File{Name: "f", Data: pattern(3000)})
		ask := rrq("f", "octet", "blksize=1468")
		p := r.src
		p.SrcMAC = proto.MAC{2, 6, 6, 6, 6, 6}
		for i := range 8 {
			for _, b := range [][]byte{ask, ack(0)} {
				if p.Payload = b; b[1] == 1 || answered {
					r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
					r.tx.Sent(r.tx.N)
				}
			}
			p.SrcPort = r.src.SrcPort + uint16(i) + 1
		}
		r.table.Fill(r.now, r.tx, &r.ev)
		r.tx.Sent(r.tx.N)
		r.who = Known
		r.want("the node", r.recv(ask), "OACK blksize=1468")
		checkGuests(t, r.table)
		p.SrcPort, p.Payload = r.src.SrcPort, ack(0)
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.want("the pretender", r.out(), "")
		r.want("its ACK", r.ack(0), "DATA 1:1468")
		checkGuests(t, r.table)
	}
}

// TestNoAllocationForKnownNodes: all ways to a slot, and out of it.
func TestNoAllocationForKnownNodes(t *testing.T) {
	r := newRig(t, Config{Transfers: 16, Seed: 5}, image.File{Name: "f", Data: pattern(2000)})
	r.table.KeepRoom(true)
	ask, answer, p := rrq("f", "octet", "blksize=1468"), ack(0), r.src
	send := func(i int, mac byte, who Standing, payload []byte) {
		p.Src, p.SrcMAC[5], p.Payload = proto.AddrOf(192, 168, 2, byte(i)), mac, payload
		r.table.Receive(r.now, &p, 0, who, r.tx, &r.ev)
		r.table.Fill(r.now, r.tx, &r.ev)
		r.tx.Sent(r.tx.N)
		r.ev.Reset()
		r.now += 20 * ms
	}
	if got := allocs.Of(func() {
		for i := range 20_000 {
			who := Standing(i / 100 % 3)
			if i%300 == 0 {
				r.now += 2 * IdleLimit // all are given up
			}
			send(i, 1, who, ask)
			send(i, 2, Stranger, ask)
			if i%3 == 0 && i/300%2 == 0 {
				send(i, 2, Stranger, answer)
				send(i, 1, who, answer)
			}
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if c := r.table.Counters(); c.Yielded == 0 || c.Kept == 0 || c.Pretended == 0 || c.Full == 0 {
		t.Errorf("not what was meant: %+v", *c)
	}
	checkGuests(t, r.table)
}
