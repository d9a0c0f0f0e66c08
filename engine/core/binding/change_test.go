package binding

import (
	"math"
	"testing"

	"bootstorm/engine/batch"
)

// TestTransitions: what a slot says after each change, by the wall clock that
// the journal is written in and by the clock that counts.
func TestTransitions(t *testing.T) {
	now := later(50)
	lease := func(table *Table) { table.Bind(0, machine(1), false, t0, 100) }
	for _, c := range []struct {
		name   string
		before func(*Table)
		change func(*Table)
		state  batch.LeaseState
		flags  uint8
		ends   int64 // wall clock
		owner  byte  // 0: forgotten
		free   int32 // in the pool
		timed  bool
	}{
		{"offer", nil, func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono) }, batch.LeaseFree, Offered, 0, 1, 2, true},
		{"offer again", func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono) },
			func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono+1) }, batch.LeaseFree, Offered, 0, 1, 2, true},
		{"withdraw", func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono) }, func(tb *Table) { tb.Withdraw(0) },
			batch.LeaseFree, 0, 0, 1, 3, false},
		{"bind", nil, lease, batch.LeaseActive, 0, t0.Wall + 100, 1, 2, true},
		{"bind what was offered", func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono) }, lease, batch.LeaseActive, 0, t0.Wall + 100, 1, 2, true},
		{"bind for ever", nil, func(tb *Table) { tb.Bind(0, machine(1), false, t0, math.MaxUint32) }, batch.LeaseActive, 0, batch.Forever, 1, 2, false},
		{"renew", lease, func(tb *Table) { tb.Bind(0, machine(1), false, now, 100) }, batch.LeaseActive, 0, now.Wall + 100, 1, 2, true},
		{"from for ever to a time", func(tb *Table) { tb.Bind(0, machine(1), false, t0, math.MaxUint32) },
			func(tb *Table) { tb.Bind(0, machine(1), false, now, 9) }, batch.LeaseActive, 0, now.Wall + 9, 1, 2, true},
		{"release", lease, func(tb *Table) { tb.Release(0, now) }, batch.LeaseFree, 0, now.Wall, 1, 3, false},
		{"expire", lease, func(tb *Table) { tb.Expire(0) }, batch.LeaseFree, 0, t0.Wall + 100, 1, 3, false},
		{"abandon a lease", lease, func(tb *Table) { tb.Abandon(0, now, 500) }, batch.LeaseAbandoned, 0, now.Wall + 500, 0, 2, true},
		{"abandon what is free", nil, func(tb *Table) { tb.Abandon(0, now, 500) }, batch.LeaseAbandoned, 0, now.Wall + 500, 0, 2, true},
		{"recover", func(tb *Table) { tb.Abandon(0, t0, 500) }, func(tb *Table) { tb.Recover(0) }, batch.LeaseFree, 0, t0.Wall + 500, 0, 3, false},
		{"offer what was abandoned", func(tb *Table) { tb.Abandon(0, t0, 500) },
			func(tb *Table) { tb.Offer(0, machine(1), false, now.Mono) }, batch.LeaseFree, Offered, t0.Wall + 500, 1, 2, true},
		{"remember", nil, func(tb *Table) { tb.Remember(0, machine(1)) }, batch.LeaseFree, 0, 0, 1, 3, false},
		{"disown", func(tb *Table) { tb.Remember(0, machine(1)) }, func(tb *Table) { tb.Disown(0) }, batch.LeaseFree, 0, 0, 0, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(testPlan(), 1)
			if c.before != nil {
				c.before(table)
			}
			c.change(table)
			check(t, table)
			s := table.At(0)
			if s.State != c.state || s.Flags&^Tenant != c.flags || s.Ends != c.ends || s.HW.Addr[5] != c.owner {
				t.Errorf("state %d, flags %x, ends %d, client %d", s.State, s.Flags, s.Ends, s.HW.Addr[5])
			}
			if table.Free(0) != c.free || table.timers.Armed(0) != c.timed {
				t.Errorf("%d free, timer armed: %v", table.Free(0), table.timers.Armed(0))
			}
		})
	}
}

// TestReservedAddressStaysOutOfTheQueues: a host's fixed address that was
// leased before the host was declared is nobody's once that lease ends.
func TestReservedAddressStaysOutOfTheQueues(t *testing.T) {
	table := New(testPlan(), 1)
	i := table.Find(addr(10, 0, 0, 4))
	table.Bind(i, machine(1), false, t0, 10)
	table.Release(i, later(1))
	check(t, table)
	table.Abandon(i, later(2), 10)
	check(t, table)
	table.Recover(i)
	check(t, table)
	if table.Free(0) != 3 || table.OldestAbandoned(0) != None {
		t.Error("the reserved address is in a queue")
	}
}

func TestClaimed(t *testing.T) {
	table := New(testPlan(), 1)
	m := machine(1)
	for n, i := range []int32{0, 1, 4} {
		table.Remember(i, m)
		table.At(i).Heard = int64(100 + n)
	}
	table.Bind(5, m, false, t0, 10)
	table.At(5).Heard = 500 // leased: no claim
	for _, c := range []struct {
		since int64
		n     int
		found bool
	}{{0, 0, true}, {0, 2, true}, {0, 3, false}, {100, 1, true}, {100, 2, false}, {102, 0, false}} {
		if got := table.Claimed(&m.HW, c.since, c.n) != None; got != c.found {
			t.Errorf("claim %d since %d: %v", c.n, c.since, got)
		}
	}
	if table.Claimed(&machine(2).HW, 0, 0) != None {
		t.Error("a claim of a machine that made none")
	}
}

func TestRecordLeavesNothingOfTheFormerClient(t *testing.T) {
	table := New(testPlan(), 1)
	m := machine(1)
	m.ID, m.ByID = []byte("secret"), true
	table.Bind(0, m, true, t0, 10)
	table.SetHostname(0, []byte("name"))
	table.SetVendor(0, []byte("class"))
	table.SetAgent(0, []byte{1, 1, 1})
	table.Bind(0, m, true, t0, 10)
	if x := table.Text(0); x.HostnameLen != 4 || x.VendorLen != 5 || x.AgentLen != 3 {
		t.Error("a renewal forgets what the client said before")
	}
	table.Expire(0)
	table.Bind(0, machine(2), false, later(20), 10)
	var r batch.Lease
	table.Record(0, &r)
	if r.ClientIDLen != 0 || r.HostnameLen != 0 || r.VendorLen != 0 || table.Text(0).AgentLen != 0 || r.HW != machine(2).HW {
		t.Errorf("record %+v", r)
	}
}
