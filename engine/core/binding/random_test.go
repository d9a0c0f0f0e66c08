package binding

import (
	"math/rand/v2"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/tools/allocs"
)

// check checks everything that the table links together.
func check(t *testing.T, table *Table) {
	t.Helper()
	if wrong := table.Check(); wrong != "" {
		t.Fatal(wrong)
	}
}

// TestRandomChanges takes the table through every transition in random order,
// by time, through restarts and reloads, and checks it after each.
func TestRandomChanges(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		table, now := New(testPlan(), 1), t0
		billed := map[int32]bool{}
		for range 400 {
			i := rnd.Int32N(table.Len())
			c := machine(byte(rnd.IntN(6)))
			if rnd.IntN(2) == 0 {
				c.ID, c.ByID = []byte{0, byte(rnd.IntN(4))}, true
			}
			if rnd.IntN(4) == 0 {
				c.Host = 1 + uint64(rnd.IntN(2))
			}
			now.Mono += rnd.Int64N(20) * batch.Second
			now.Wall += rnd.Int64N(20)
			table, now = change(table, rnd, i, c, now)
			for k, ok := table.Due(now.Mono); ok; k, ok = table.Due(now.Mono) {
				expire(table, k)
			}
			check(t, table)
			count := map[uint64]int32{}
			for k := range table.slots {
				if b := table.slots[k].Bill; b != 0 {
					count[b]++
					billed[int32(b)] = true
				}
			}
			for b := range billed {
				if table.Billed(uint64(b)) != count[uint64(b)] {
					t.Fatalf("seed %d: class %d counts %d, want %d", seed, b, table.Billed(uint64(b)), count[uint64(b)])
				}
			}
		}
	}
}

// change makes one random change that the slot's situation allows.
func change(table *Table, rnd *rand.Rand, i int32, c *Client, now batch.Time) (*Table, batch.Time) {
	s := table.At(i)
	free := s.State == freeState && s.Flags&Offered == 0
	switch n := rnd.IntN(12); {
	case n < 3 && (free || s.State == abandonedState) && s.Flags&Reserved == 0:
		table.Offer(i, c, c.ByID, now.Mono+rnd.Int64N(100)*batch.Second)
		if rnd.IntN(2) == 0 {
			table.Loose(i)
		}
	case n < 6 && s.State != abandonedState:
		table.Bind(i, c, c.ByID, now, uint32(rnd.IntN(100)))
		table.Bill(i, uint64(rnd.IntN(4)))
	case n == 6 && s.State == activeState:
		table.Release(i, now)
	case n == 7 && s.Flags&Offered != 0:
		table.Withdraw(i)
	case n == 8 && s.State != abandonedState:
		table.Abandon(i, now, rnd.Int64N(50))
	case n == 9 && free && s.Flags&Reserved == 0:
		switch rnd.IntN(3) {
		case 0:
			table.Remember(i, &Client{HW: c.HW})
		case 1:
			table.Disown(i)
		}
		table.Defer(i)
	case n == 10:
		fresh := New(testPlan(), 1)
		fresh.Adopt(table)
		return fresh, now
	case n == 11 && rnd.IntN(4) == 0:
		fresh := New(testPlan(), 1)
		var r batch.Lease
		for k := range table.slots {
			table.Record(int32(k), &r)
			fresh.Restore(now, &r)
		}
		fresh.Settle()
		return fresh, now
	}
	return table, now
}

// expire does what the core does when a timer fires.
func expire(table *Table, i int32) {
	switch table.At(i).State {
	case activeState:
		table.Expire(i)
	case abandonedState:
		table.Recover(i)
	default:
		table.Withdraw(i)
	}
}

func TestNoAllocation(t *testing.T) {
	table := New(testPlan(), 1)
	rnd, c := rand.New(rand.NewPCG(1, 1)), machine(1)
	c.ID, c.ByID, c.Host = []byte("identifier"), true, 5
	now := t0
	work := func() {
		for range 5000 {
			i := rnd.Int32N(table.Len())
			c.HW.Addr[5] = byte(rnd.IntN(200))
			table.Lookup(c, 0, None)
			table.Bind(i, c, true, now, 10)
			table.Bill(i, uint64(i)+1)
			table.Release(i, now)
			now.Mono += batch.Second
			for k, ok := table.Due(now.Mono); ok; k, ok = table.Due(now.Mono) {
				expire(table, k)
			}
		}
	}
	if n := allocs.Of(work); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
