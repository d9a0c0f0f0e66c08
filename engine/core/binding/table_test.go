package binding

import (
	"fmt"
	"math"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// testPlan has two networks. The first has two pools: 10.0.0.2-5, and
// 10.0.0.10-11 and 10.0.0.20 for BOOTP clients too. The second has one pool:
// 10.0.1.2. A host has 10.0.0.4 as its fixed address.
func testPlan() *plan.Plan {
	return &plan.Plan{
		Networks: []plan.Network{{Name: "a", Pools: []int32{0, 1}}, {Name: "b", Pools: []int32{2}}},
		Subnets: []plan.Subnet{
			{Net: proto.AddrOf(10, 0, 0, 0), Mask: 0xffffff00},
			{Net: proto.AddrOf(10, 0, 1, 0), Mask: 0xffffff00, Network: 1},
		},
		Pools: []plan.Pool{{Network: 0, Size: 4}, {Network: 0, Size: 3}, {Network: 1, Size: 1}},
		Ranges: []plan.Range{
			{First: proto.AddrOf(10, 0, 0, 2), Last: proto.AddrOf(10, 0, 0, 5)},
			{First: proto.AddrOf(10, 0, 0, 10), Last: proto.AddrOf(10, 0, 0, 11), Pool: 1, BOOTP: true},
			{First: proto.AddrOf(10, 0, 0, 20), Last: proto.AddrOf(10, 0, 0, 20), Pool: 1},
			{First: proto.AddrOf(10, 0, 1, 2), Last: proto.AddrOf(10, 0, 1, 2), Pool: 2, Subnet: 1},
		},
		Hosts:   []plan.Host{{Name: "n", Fixed: []proto.Addr{proto.AddrOf(10, 0, 0, 4), proto.AddrOf(9, 9, 9, 9)}}},
		Classes: []plan.Class{{Name: "c", LeaseLimit: 2}},
	}
}

func machine(n byte) *Client {
	return &Client{HW: dhcp.HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, 0, 0, n}}}
}

func addr(b ...byte) proto.Addr { return proto.AddrFrom((*[4]byte)(b)) }

var t0 = batch.Time{Mono: 1_000 * batch.Second, Wall: 1_700_000_000}

func later(seconds int64) batch.Time {
	return batch.Time{Mono: t0.Mono + seconds*batch.Second, Wall: t0.Wall + seconds}
}

func TestFind(t *testing.T) {
	table := New(testPlan(), 1)
	for _, c := range []struct {
		a    proto.Addr
		slot int32
	}{
		{addr(10, 0, 0, 1), None}, {addr(10, 0, 0, 2), 0}, {addr(10, 0, 0, 5), 3}, {addr(10, 0, 0, 6), None},
		{addr(10, 0, 0, 10), 4}, {addr(10, 0, 0, 11), 5}, {addr(10, 0, 0, 12), None}, {addr(10, 0, 0, 20), 6},
		{addr(10, 0, 1, 2), 7}, {addr(255, 255, 255, 255), None}, {0, None},
	} {
		if got := table.Find(c.a); got != c.slot {
			t.Errorf("Find(%v) = %d, want %d", c.a, got, c.slot)
		}
		if c.slot != None && table.Addr(c.slot) != c.a {
			t.Errorf("Addr(%d) = %v, want %v", c.slot, table.Addr(c.slot), c.a)
		}
	}
	if table.Len() != 8 || table.Size(0) != 4 || table.Size(1) != 3 || table.Free(0) != 3 {
		t.Errorf("sizes: %d slots, pools of %d and %d, %d free", table.Len(), table.Size(0), table.Size(1), table.Free(0))
	}
	if !table.ForBOOTP(1) || table.ForBOOTP(0) {
		t.Error("only the second pool has addresses for BOOTP clients")
	}
}

func TestTooManyAddressesAreLeftOut(t *testing.T) {
	p := &plan.Plan{
		Networks: []plan.Network{{Pools: []int32{0}}},
		Pools:    []plan.Pool{{}},
		Ranges: []plan.Range{
			{First: addr(10, 0, 0, 0), Last: addr(10, 31, 255, 255)},
			{First: addr(11, 0, 0, 0), Last: addr(11, 0, 0, 255)},
		},
	}
	table := New(p, 1)
	if table.Len() != MaxSlots || table.Left != MaxSlots+256 {
		t.Errorf("%d slots, %d left out", table.Len(), table.Left)
	}
	if table.Find(addr(10, 15, 255, 255)) != MaxSlots-1 || table.Find(addr(10, 16, 0, 0)) != None ||
		table.Find(addr(11, 0, 0, 0)) != None {
		t.Error("the slots end at the wrong address")
	}
}

func TestFreeQueueOrder(t *testing.T) {
	table := New(testPlan(), 1)
	order := func(want ...byte) {
		t.Helper()
		var got []byte
		for i := table.Oldest(0); i != None; i = table.After(i) {
			got = append(got, byte(table.Addr(i)))
		}
		if string(got) != string(want) {
			t.Errorf("free queue %v, want %v", got, want)
		}
	}
	order(2, 3, 5) // 4 is a fixed address
	table.Offer(0, machine(1), false, t0.Mono+5)
	order(3, 5)
	table.Withdraw(0)
	order(3, 5, 2)
	table.Bind(1, machine(2), false, t0, 100)
	table.Release(1, later(5))
	order(5, 2, 3)
	table.Defer(3)
	order(2, 5, 3) // 3 was leased: it comes last
	table.Abandon(0, t0, 10)
	order(5, 3)
	if table.OldestAbandoned(0) != 0 {
		t.Error("the abandoned address is not in its queue")
	}
	table.Recover(0)
	order(5, 2, 3)
	if table.OldestAbandoned(0) != None {
		t.Error("the recovered address is still in the queue of abandoned ones")
	}
}

func TestOwnership(t *testing.T) {
	id, other := []byte{1, 2, 3}, []byte{1, 2, 4}
	long := make([]byte, 200)
	longer := make([]byte, 201)
	with := func(n byte, id []byte, byID bool) *Client {
		c := machine(n)
		c.ID, c.ByID = id, byID
		return c
	}
	nameless := func(id []byte) *Client { return &Client{HW: dhcp.HW{Type: 1}, ID: id} }
	host := func(n byte, key uint64) *Client {
		c := machine(n)
		c.Host = key
		return c
	}
	for _, c := range []struct {
		name   string
		holder *Client
		keepID bool
		asks   *Client
		owns   bool
	}{
		{"same hardware", machine(1), false, machine(1), true},
		{"other hardware", machine(1), false, machine(2), false},
		{"identifier ignored", with(1, id, false), false, with(1, other, false), true},
		{"identifier ignored, new one", machine(1), false, with(1, other, false), true},
		{"identifier kept, same", with(1, id, true), true, with(1, id, true), true},
		{"identifier kept, other hardware", with(1, id, true), true, with(2, id, true), true},
		{"identifier kept, another one", with(1, id, true), true, with(1, other, true), false},
		{"identifier kept, none now", with(1, id, true), true, with(1, nil, true), false},
		{"identifier kept, then ignored", with(1, id, true), true, with(1, other, false), true},
		{"none kept, one now", with(1, nil, true), true, with(1, id, true), true},
		{"long identifiers differ in length only", with(1, long, true), true, with(1, longer, true), false},
		{"long identifier", with(1, long, true), true, with(1, long, true), true},
		{"no hardware, same identifier", nameless(id), false, nameless(id), true},
		{"no hardware, another identifier", nameless(id), false, nameless(other), false},
		{"same host, other link", host(1, 77), false, host(2, 77), true},
		{"other host", host(1, 77), false, host(2, 78), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(testPlan(), 1)
			table.Bind(2, machine(9), false, t0, 10) // somebody else, to be told apart
			table.Bind(0, c.holder, c.keepID, t0, 100)
			if got := table.Owns(0, c.asks); got != c.owns {
				t.Errorf("Owns: %v", got)
			}
			want := None
			if c.owns {
				want = 0
			}
			if got := table.Lookup(c.asks, 0, None); got != want {
				t.Errorf("Lookup: %d, want %d", got, want)
			}
			if got := table.Lookup(c.asks, 1, None); got != None {
				t.Errorf("Lookup in another network: %d", got)
			}
		})
	}
}

func TestLookupPrefersLeaseThenOfferThenMemory(t *testing.T) {
	table := New(testPlan(), 1)
	m := machine(1)
	want := func(network, skip, slot int32) {
		t.Helper()
		if got := table.Lookup(m, network, skip); got != slot {
			t.Errorf("Lookup: %d, want %d", got, slot)
		}
	}
	want(0, None, None)
	table.Bind(0, m, false, t0, 10)
	table.Release(0, later(1))
	want(0, None, 0)
	table.Offer(1, m, false, later(100).Mono)
	want(0, None, 1)
	table.Bind(4, m, false, later(2), 10)
	want(0, None, 4)
	want(0, 4, 1)
	table.Bind(5, m, false, later(3), 10)
	want(0, None, 5) // the later of two leases
	table.Bind(7, m, false, later(4), 10)
	want(0, None, 5)
	want(AnyNetwork, None, 7)
	table.Abandon(5, later(5), 10)
	want(0, None, 4)
}

func TestTakenOverMemoryIsForgotten(t *testing.T) {
	table := New(testPlan(), 1)
	table.Bind(0, machine(1), false, t0, 10)
	table.Expire(0)
	table.Offer(0, machine(2), false, later(50).Mono)
	if table.Lookup(machine(1), 0, None) != None {
		t.Error("the former client is still found")
	}
	if table.Lookup(machine(2), 0, None) != 0 {
		t.Error("the new client is not found")
	}
}

func TestTimers(t *testing.T) {
	table := New(testPlan(), 1)
	due := func(now batch.Time, want int32) {
		t.Helper()
		i, ok := table.Due(now.Mono)
		if !ok {
			i = None
		}
		if i != want {
			t.Errorf("Due: %d, want %d", i, want)
		}
	}
	if table.Next() != math.MaxInt64 {
		t.Error("a new table waits for something")
	}
	table.Bind(0, machine(1), false, t0, 100)
	table.Offer(1, machine(2), false, later(20).Mono)
	table.Abandon(3, t0, 50)
	table.Bind(4, machine(4), false, t0, math.MaxUint32)
	if next := table.Next(); next > later(20).Mono {
		t.Errorf("Next %d is behind the first deadline", next)
	}
	due(later(19), None)
	due(later(20), 1)
	table.Withdraw(1)
	due(later(99), 3)
	table.Recover(3)
	due(later(99), None)
	table.Bind(0, machine(1), false, later(99), 100) // renewed
	due(later(198), None)
	due(later(199), 0)
	table.Expire(0)
	due(later(1_000_000_000), None)
	if table.At(4).End != Forever || table.At(4).Ends != batch.Forever {
		t.Error("the lease without end has one")
	}
}

func TestLimits(t *testing.T) {
	table := New(testPlan(), 1)
	for i := int32(0); i < 6; i++ {
		table.Bind(i, machine(byte(i)), false, t0, 10)
		table.Bill(i, uint64(100+i%2))
	}
	if table.Billed(100) != 3 || table.Billed(101) != 3 || table.Billed(102) != 0 {
		t.Errorf("counts %d, %d, %d", table.Billed(100), table.Billed(101), table.Billed(102))
	}
	table.Bill(0, 101)
	table.Bill(0, 101)
	table.Expire(2)
	table.Abandon(1, t0, 5)
	if table.Billed(100) != 1 || table.Billed(101) != 3 {
		t.Errorf("counts after changes: %d, %d", table.Billed(100), table.Billed(101))
	}
	p := testPlan()
	p.Classes = nil
	table = New(p, 1)
	table.Bill(0, 5)
	if table.Billed(5) != 0 {
		t.Error("counted without limits in the plan")
	}
}

// TestLimitsAgainstMap compares the open-addressing counters with a map over
// many random changes: removal must not lose a key that was displaced.
func TestLimitsAgainstMap(t *testing.T) {
	l := newLimits(64)
	model := map[uint64]int32{}
	seed := uint64(1)
	for n := range 20000 {
		seed = mix(seed, uint64(n))
		key := seed%90 + 1
		if seed>>40&1 == 0 && len(model) < 64 {
			l.add(key)
			model[key]++
		} else if model[key] > 0 {
			l.sub(key)
			if model[key]--; model[key] == 0 {
				delete(model, key)
			}
		}
		probe := seed>>8%90 + 1
		at := l.at(probe)
		if got := l.counts[at]; l.keys[at] == 0 && model[probe] != 0 || l.keys[at] != 0 && got != model[probe] {
			t.Fatalf("step %d, key %d: %d, want %d", n, probe, got, model[probe])
		}
	}
	l.sub(12345678) // not there: no harm
}

func TestHashesDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for i := range 4096 {
		h := dhcp.HW{Type: 1, Len: 6, Addr: [16]byte{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}}
		seen[new(Table).hashHW(&h)] = fmt.Sprint(h)
	}
	if len(seen) != 4096 {
		t.Errorf("%d hashes of 4096 addresses", len(seen))
	}
	if Hash([]byte("a")) == Hash([]byte("a\x00")) || Hash(nil) == 0 {
		t.Error("the hash ignores the length, or is 0")
	}
}
