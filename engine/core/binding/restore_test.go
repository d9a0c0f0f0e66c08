package binding

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

func record(a proto.Addr, state batch.LeaseState, n byte, ends int64) *batch.Lease {
	return &batch.Lease{Addr: a, State: state, HW: machine(n).HW, Starts: t0.Wall - 1000, Ends: ends, CLTT: t0.Wall - 1000}
}

func TestRestore(t *testing.T) {
	for _, c := range []struct {
		name   string
		record *batch.Lease
		kept   bool
		state  batch.LeaseState
		found  bool // by its client
		end    int64
	}{
		{"active", record(addr(10, 0, 0, 2), batch.LeaseActive, 1, t0.Wall+60), true, batch.LeaseActive, true, later(60).Mono},
		{"active for ever", record(addr(10, 0, 0, 2), batch.LeaseActive, 1, batch.Forever), true, batch.LeaseActive, true, Forever},
		{"active by BOOTP", record(addr(10, 0, 0, 2), batch.LeaseBootp, 1, batch.Forever), true, batch.LeaseActive, true, Forever},
		{"active but ended", record(addr(10, 0, 0, 2), batch.LeaseActive, 1, t0.Wall-1), true, batch.LeaseFree, true, 0},
		{"free", record(addr(10, 0, 0, 2), batch.LeaseFree, 1, t0.Wall-50), true, batch.LeaseFree, true, 0},
		{"expired", record(addr(10, 0, 0, 2), batch.LeaseExpired, 1, t0.Wall-50), true, batch.LeaseFree, true, 0},
		{"backup of failover", record(addr(10, 0, 0, 2), batch.LeaseBackup, 1, t0.Wall-50), true, batch.LeaseFree, true, 0},
		{"abandoned", record(addr(10, 0, 0, 2), batch.LeaseAbandoned, 1, t0.Wall+9), true, batch.LeaseAbandoned, false, later(9).Mono},
		{"abandoned long ago", record(addr(10, 0, 0, 2), batch.LeaseAbandoned, 1, t0.Wall-9), true, batch.LeaseFree, false, 0},
		{"ends beyond all clocks", record(addr(10, 0, 0, 2), batch.LeaseActive, 1, 1<<60), true, batch.LeaseActive, true, Forever},
		{"began before all clocks", &batch.Lease{Addr: addr(10, 0, 0, 2), State: batch.LeaseActive, HW: machine(1).HW,
			Starts: -1 << 60, Ends: t0.Wall + 5}, true, batch.LeaseActive, true, later(5).Mono},
		{"not in a pool", record(addr(10, 0, 0, 9), batch.LeaseActive, 1, t0.Wall+60), false, 0, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(testPlan(), 1)
			if got := table.Restore(t0, c.record); got != c.kept {
				t.Fatalf("kept: %v", got)
			}
			table.Settle()
			if !c.kept {
				return
			}
			if s := table.At(0); s.State != c.state || c.end != 0 && s.End != c.end {
				t.Errorf("state %d, end %d, want %d, %d", s.State, s.End, c.state, c.end)
			}
			if found := table.Lookup(machine(1), 0, None) == 0; found != c.found {
				t.Errorf("found by its client: %v", found)
			}
			free := int32(3)
			if c.state != batch.LeaseFree {
				free = 2
			}
			if table.Free(0) != free {
				t.Errorf("%d free, want %d", table.Free(0), free)
			}
		})
	}
}

func TestRestoreOrdersByEnd(t *testing.T) {
	table := New(testPlan(), 1)
	table.Restore(t0, record(addr(10, 0, 0, 2), batch.LeaseFree, 1, t0.Wall-10))
	table.Restore(t0, record(addr(10, 0, 0, 3), batch.LeaseFree, 2, t0.Wall-30))
	table.Restore(t0, record(addr(10, 0, 0, 3), batch.LeaseActive, 2, t0.Wall-20)) // a later record of the same address
	table.Settle()
	want := []proto.Addr{addr(10, 0, 0, 5), addr(10, 0, 0, 3), addr(10, 0, 0, 2)}
	n := 0
	for i := table.Oldest(0); i != None; i = table.After(i) {
		if n == len(want) || table.Addr(i) != want[n] {
			t.Fatalf("place %d has %v", n, table.Addr(i))
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d in the queue", n)
	}
}

func TestRestoreTwoLeasesOfOneMachine(t *testing.T) { // as dhcpd's file has them
	table := New(testPlan(), 1)
	a, b := record(addr(10, 0, 0, 2), batch.LeaseActive, 1, t0.Wall+60), record(addr(10, 0, 0, 3), batch.LeaseActive, 1, t0.Wall+60)
	b.ClientIDLen, b.CLTT = 7, t0.Wall-10
	copy(b.ClientID[:], []byte{1, 2, 0, 0, 0, 0, 1})
	table.Restore(t0, a)
	table.Restore(t0, b)
	if got := table.Lookup(machine(1), 0, None); got != 1 {
		t.Errorf("the younger lease is not preferred: %d", got)
	}
	if got := table.Lookup(machine(1), 0, 1); got != 0 {
		t.Errorf("the other lease is not found: %d", got)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	table := New(testPlan(), 1)
	m := machine(1)
	m.ID, m.ByID = []byte("an identifier"), true
	table.Bind(0, m, true, t0, 3600)
	if !table.SetHostname(0, []byte("node")) || table.SetHostname(0, []byte("node")) || table.SetHostname(0, nil) {
		t.Error("SetHostname misjudges what is news")
	}
	table.SetVendor(0, []byte("PXEClient:Arch:00007:UNDI:003016, and more than fits"))
	table.At(0).Seq = 9
	var r, again batch.Lease
	table.Record(0, &r)
	if r.Seq != 9 || r.Addr != addr(10, 0, 0, 2) || r.State != batch.LeaseActive || r.Ends != t0.Wall+3600 ||
		string(r.Hostname[:r.HostnameLen]) != "node" || r.VendorLen != batch.MaxVendor ||
		string(r.ClientID[:r.ClientIDLen]) != "an identifier" {
		t.Errorf("record %+v", r)
	}
	fresh := New(testPlan(), 1)
	fresh.Restore(later(10), &r)
	fresh.Record(0, &again)
	again.Seq = r.Seq
	if again != r {
		t.Errorf("restored %+v\nwritten  %+v", again, r)
	}
	if fresh.At(0).End-later(10).Mono != 3590*batch.Second {
		t.Error("the restored lease ends at another time")
	}
}

func TestLongIdentifierKeepsItsLength(t *testing.T) {
	table, m := New(testPlan(), 1), machine(1)
	m.ID, m.ByID = make([]byte, 100), true
	table.Bind(0, m, true, t0, 10)
	var r batch.Lease
	table.Record(0, &r)
	fresh := New(testPlan(), 1)
	fresh.Restore(t0, &r)
	if r.ClientIDLen != 100 || !fresh.Owns(0, m) {
		t.Errorf("length %d, owned after restart: %v", r.ClientIDLen, fresh.Owns(0, m))
	}
}

func TestAgentOptionsThatFit(t *testing.T) {
	table := New(testPlan(), 1)
	table.SetAgent(0, []byte{1, 1, 9})
	if table.Text(0).AgentLen != 3 {
		t.Error("agent options are not kept")
	}
	table.SetAgent(0, make([]byte, MaxAgent+1))
	if table.Text(0).AgentLen != 0 {
		t.Error("agent options that do not fit are cut instead of left out")
	}
}

func TestAdopt(t *testing.T) {
	old := New(testPlan(), 1)
	old.Bind(0, machine(1), false, t0, 100)
	old.Bill(0, 55)
	old.Offer(1, machine(2), false, later(20).Mono)
	old.Abandon(3, t0, 50)
	old.Bind(4, machine(4), false, t0, 10)
	old.Bind(5, machine(5), false, t0, 10)
	old.Expire(5)
	old.Expire(4)
	p := testPlan()
	p.Ranges = append([]plan.Range(nil), p.Ranges...)
	p.Ranges[0].First = addr(10, 0, 0, 1) // one more address in front, so every slot moves
	p.Hosts[0].Fixed = []proto.Addr{addr(10, 0, 0, 3)}
	fresh := New(p, 1)
	fresh.Adopt(old)
	if s := fresh.At(1); s.State != batch.LeaseActive || s.End != later(100).Mono || fresh.Billed(55) != 1 {
		t.Errorf("the lease was not taken over: %+v", s)
	}
	if fresh.Lookup(machine(1), 0, None) != 1 || fresh.Lookup(machine(2), 0, None) != 2 {
		t.Error("clients are not found after the reload")
	}
	if s := fresh.At(2); s.Flags != Offered|Reserved {
		t.Errorf("flags of the offered address that a host got: %x", s.Flags)
	}
	if fresh.OldestAbandoned(0) != 4 {
		t.Error("the abandoned address is back in service")
	}
	if fresh.Oldest(1) != 7 || fresh.After(7) != 6 || fresh.After(6) != 5 {
		t.Errorf("free queue of the second pool: %d, %d, %d", fresh.Oldest(1), fresh.After(7), fresh.After(6))
	}
	for _, want := range []struct{ after, slot int32 }{{20, 2}, {50, 4}, {100, 1}} {
		if i, ok := fresh.Due(later(int64(want.after)).Mono); !ok || i != want.slot {
			t.Errorf("due after %d s: %d, %v", want.after, i, ok)
		}
	}
}
