package transfer

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// forged asks from an address and port that nobody has.
func (r *rig) forged(i int, payload []byte) {
	r.from(proto.AddrOf(10, byte(i>>16), byte(i>>8), byte(i)), uint16(1024+i%50_000), payload)
}

// from hands over a datagram of some address and forgets the answers.
func (r *rig) from(a proto.Addr, port uint16, payload []byte) {
	p := r.src
	p.Src, p.SrcPort, p.Payload = a, port, payload
	r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
	r.table.Fill(r.now, r.tx, &r.ev)
	r.tx.Sent(r.tx.N)
	r.ev.Reset()
}

// checkGuests holds the lists to what the slots say.
func checkGuests(t *testing.T, table *Table) {
	t.Helper()
	g := &table.guests
	fresh, listed, chained, strangers := 0, 0, 0, 0
	for who := range standings {
		for id, prev := g.fresh[who].head, none; id != none; prev, id = id, g.places[id].next {
			if listed++; listed > len(table.slots) || g.places[id].prev != prev || !g.places[id].fresh || g.places[id].standing != who || table.slots[id].key == 0 {
				t.Fatal("the list of unacknowledged transfers is broken")
			}
		}
	}
	for i := range g.heads {
		for id := g.heads[i]; id != none; id = g.places[id].same {
			if chained++; chained > len(table.slots) || *g.chain(table.slots[id].addr()) != g.heads[i] {
				t.Fatal("a chain is broken")
			}
		}
	}
	for i := range table.slots {
		s := &table.slots[i]
		if s.key != 0 && g.places[i].fresh {
			fresh++
		}
		if s.key != 0 && g.places[i].standing == Stranger {
			strangers++
		}
		if s.key == 0 && g.places[i].fresh {
			t.Fatal("a free slot is unacknowledged")
		}
	}
	if listed != fresh || chained != table.Active() || g.strangers != strangers || strangers > len(table.slots)-g.kept {
		t.Fatalf("%d listed, %d unacknowledged; %d chained, %d active; %d strangers counted, %d there", listed, fresh, chained, table.Active(),
			g.strangers, strangers)
	}
}

// A node loads its file while forged requests fill the table over and over, and
// what runs is never given up for them.
func TestNodesLoadBesideAFloodOfRequests(t *testing.T) {
	data := pattern(100_000)
	r := newRig(t, Config{Transfers: 64, Seed: 99}, image.File{Name: "f", Data: data})
	n := 0
	storm := func(count int) {
		for range count {
			r.now += 20 * us
			r.forged(n, rrq("f", "octet", "blksize=1468", "windowsize=16"))
			n++
		}
	}
	storm(1000)
	if got := r.recv(rrq("f", "octet", "blksize=1000")); got != "OACK blksize=1000" {
		t.Fatalf("sent %q", got)
	}
	storm(50) // a millisecond until its answer
	for b := int64(0); b < 100; b++ {
		if got := r.ack(b); !strings.Contains(got, fmt.Sprintf("DATA %d:", b+1)) {
			t.Fatalf("ACK %d: sent %q", b, got)
		}
		storm(200)
		checkGuests(t, r.table)
	}
	r.want("the end", r.ack(100), "DATA 101:0")
	r.ack(101)
	c := r.table.Counters()
	if c.Done != 1 || c.Evicted == 0 || c.Full != 0 {
		t.Errorf("%+v", *c)
	}
}

// A request that nobody acknowledges is answered a few times and no more: what a
// forged one sends to its victim is bounded.
func TestRepliesToAForgedRequestAreBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  []byte
		want string
	}{
		{"with options", rrq("f", "octet", "blksize=1468", "windowsize=64"), "OACK blksize=1468 windowsize=64"},
		{"without", rrq("f", "octet"), "DATA 1:512"},
		{"U-Boot", rrq("f", "octet", "timeout=5", "blksize=1468"), "OACK timeout=5 blksize=1468"},
		{"netascii", rrq("f", "netascii"), "DATA 1:512"},
		{"options that are none", rrq("f", "octet", "windowsize=0"), "DATA 1:512"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(100_000)})
			r.want("at once", r.recv(c.ask), c.want)
			got := strings.Split(r.after(300*s1), ", ")
			if len(got) != firstRepeats {
				t.Errorf("sent again: %q", got)
			}
			for _, g := range got {
				if g != c.want {
					t.Errorf("sent again: %q", g)
				}
			}
			if r.table.Active() != 0 || r.table.Counters().Abandoned != 1 {
				t.Error("not given up")
			}
		})
	}
}

// One address has few unacknowledged transfers, and not all of the table.
func TestOneAddressHasItsShare(t *testing.T) {
	r := newRig(t, Config{PerClient: 20}, image.File{Name: "f", Data: pattern(2000)})
	for range 1000 {
		r.recv(rrq("f", "octet"))
		r.src.SrcPort++
	}
	if r.table.Active() != mostFresh || r.table.Counters().Evicted != 1000-mostFresh {
		t.Errorf("%d active, %+v", r.table.Active(), *r.table.Counters())
	}
	for range 1000 { // now each of them is acknowledged
		r.recv(rrq("f", "octet"))
		r.ack(1)
		r.src.SrcPort++
	}
	if n := r.table.Active(); n > 20 || n < 12 {
		t.Errorf("%d active", n)
	}
	if c := r.table.Counters(); c.Crowded == 0 {
		t.Errorf("%+v", *c)
	}
	if e := r.last(); e.Kind != batch.EventFull || e.Reason != batch.ReasonTransfersFull {
		t.Errorf("event %+v", e)
	}
	r.src.Src++
	r.want("another address", r.recv(rrq("f", "octet")), "DATA 1:512")
	checkGuests(t, r.table)
}

// A boot loader that asks for hundreds of files in a second is within the rate;
// one that never stops is not, and is told of once.
func TestRateOfRequests(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(100)})
	r.table.SetRate(64)
	for i := range 500 {
		r.now += 2 * ms
		if got := r.recv(rrq("none", "octet")); got != "ERROR 1" {
			t.Fatalf("request %d: sent %q", i, got)
		}
		r.ev.Reset()
	}
	told := 0
	for range 10_000 {
		r.now += ms
		r.recv(rrq("none", "octet"))
		for _, e := range r.ev.List[:r.ev.N] {
			if e.Kind == batch.EventExcess {
				if told++; e.Addr != r.src.Src || e.Value != 64 || e.Extra != 69 {
					t.Errorf("%+v", e)
				}
			}
		}
		r.ev.Reset()
	}
	if n := r.table.Counters().NotFound; n < 64*11 || n > 64*12+512 || told != 1 {
		t.Errorf("%d answered, told %d times", n, told)
	}
	r.src.Src++
	r.want("another address", r.recv(rrq("f", "octet")), "DATA 1:100")
	r.table.SetRate(0)
	r.src.Src--
	r.want("without a limit", r.recv(rrq("f", "octet")), "DATA 1:100")
}

// TestNoAllocationInAFlood: forged requests, a client that has too many
// transfers, one that asks too often.
func TestNoAllocationInAFlood(t *testing.T) {
	r := newRig(t, Config{Transfers: 64, PerClient: 4}, image.File{Name: "f", Data: pattern(2000)})
	r.table.SetRate(10)
	ask, first := rrq("f", "octet"), ack(1)
	n := 0
	if got := allocs.Of(func() {
		for i := range 2000 {
			n++
			r.now += ms
			r.forged(n, ask)
			a := proto.AddrOf(192, 168, 2, byte(n/200))
			r.from(a, uint16(2000+i), ask)
			r.from(a, uint16(2000+i), first)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if c := r.table.Counters(); c.Evicted == 0 || c.Crowded == 0 || c.Excess == 0 {
		t.Errorf("not what was meant: %+v", *c)
	}
	for i := range 64 { // all running
		r.from(proto.AddrOf(192, 168, 9, byte(i)), 2000, ask)
		r.from(proto.AddrOf(192, 168, 9, byte(i)), 2000, first)
	}
	r.forged(1<<20, ask)
	if r.table.Counters().Full == 0 {
		t.Error("the table of running transfers was not full")
	}
}
