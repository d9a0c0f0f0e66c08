package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// reboot makes a new core from what the journal holds, on a machine whose
// monotonic clock begins anew and whose wall clock says what it likes.
func (w *world) reboot(wall int64) {
	w.t.Helper()
	w.now = batch.Time{Mono: 7 * batch.Second, Wall: wall}
	w.restart(buildPlan(w.t, plain))
}

// latest is the record in force of the test's only address.
func (w *world) latest() batch.Lease { return w.journal[len(w.journal)-1] }

// TestBootIn1970: a clock that was lost ends no lease and makes none last for
// decades, before NTP sets it, after, and over another start in between.
func TestBootIn1970(t *testing.T) {
	for _, wall := range []int64{0, 60, 946_684_800, 1_699_000_000} {
		w := newWorld(t, plain)
		w.lease(machine(1))
		granted := w.now.Wall
		w.reboot(wall)
		if got := w.core.Lead(); got != granted-wall {
			t.Fatalf("clock at %d: put ahead by %d s", wall, got)
		}
		w.want(machine(2), dhcp.Offer, host(11)) // the first address is not free
		a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10))
		if a.seconds() != 43200 {
			t.Errorf("clock at %d: %d s remain", wall, a.seconds())
		}
		w.pass(5)
		w.lease(machine(2))
		if r := w.latest(); r.Starts < granted || r.Starts > granted+10 || r.Ends-r.Starts != 43200 {
			t.Errorf("clock at %d: written %+v", wall, r)
		}
		w.reboot(wall) // it is lost again
		w.want(machine(2).renewing(host(11)), dhcp.Ack, host(11))
		w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10))
		w.now.Wall = granted + 30*86400 // NTP: the machine was off for a month
		w.pass(3)
		for n := range byte(2) {
			a := w.want(machine(n+1).renewing(host(10+n)), dhcp.Ack, host(10+n))
			if a.seconds() > 43200 || a.seconds() < 43000 {
				t.Errorf("clock at %d, then set: %d s remain", wall, a.seconds())
			}
		}
		w.reboot(w.now.Wall + 1) // with the right time, what was told to clients still holds
		for n := range byte(2) {
			w.want(machine(n+1).renewing(host(10+n)), dhcp.Ack, host(10+n))
		}
		if w.core.Lead() != 0 {
			t.Errorf("the clock is right, yet put ahead by %d s", w.core.Lead())
		}
	}
}

// TestSetClockIsOnDisk: a lease granted before the clock was set is found running
// by the next start, though by its first record it ended long ago.
func TestSetClockIsOnDisk(t *testing.T) {
	w := newWorld(t, plain)
	w.now.Wall = 100 // no lease file tells better
	w.lease(machine(1))
	w.now.Wall = 1_700_000_000
	w.tick()
	if r := w.latest(); len(w.journal) != 2 || r.Ends != 1_700_043_200 || r.Starts != 1_700_000_000 {
		t.Fatalf("%d records, %+v", len(w.journal), r)
	}
	w.reboot(1_700_000_100)
	if a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10)); a.seconds() != 43100 {
		t.Errorf("%d s remain", a.seconds())
	}
}

// TestClockSetWhileTheDiskIsSlow: the acknowledgement that waits for its record
// leaves all the same, and what is told by word alone waits for the new record.
func TestClockSetWhileTheDiskIsSlow(t *testing.T) {
	w := newWorld(t, plain)
	w.want(machine(1), dhcp.Offer, host(10))
	w.slow = true
	w.ask(machine(1).selecting(host(10)))
	w.now.Wall += 1_000_000
	w.tick()
	if d := w.core.Deadline(); len(w.journal) != 1 || d == 0 {
		t.Fatalf("%d records while one waits, deadline %d", len(w.journal), d)
	}
	if got := w.sync(nil); len(got) != 1 || got[0].yiaddr != host(10) {
		t.Fatal("the held ACK is lost")
	}
	if w.ask(machine(1).renewing(host(10))) != nil {
		t.Error("an ACK without a record that says so")
	}
	w.slow = false
	w.tick()
	if r := w.latest(); r.Ends-w.now.Wall != 43200 {
		t.Errorf("%+v", r)
	}
}

// TestRecordsFromTheFuture: a clock that was wrong by years when a lease was
// written, and is right now, neither ends the lease nor keeps it for years.
func TestRecordsFromTheFuture(t *testing.T) {
	w := newWorld(t, plain)
	w.now.Wall += 10 * 365 * 86400
	w.lease(machine(1))
	w.now.Wall -= 10 * 365 * 86400 // corrected while it runs: put right on disk
	w.tick()
	w.reboot(w.now.Wall + 200)
	if a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10)); a.seconds() != 43000 || w.core.Lead() != 0 {
		t.Errorf("%d s remain, put ahead by %d s", a.seconds(), w.core.Lead())
	}
	w = newWorld(t, plain)
	future := w.now.Wall + 10*365*86400
	w.now.Wall = future
	w.lease(machine(1))
	w.reboot(future - 10*365*86400) // corrected while it was off
	w.leap(43190)
	w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10))
	w.leap(43201)
	if r := w.latest(); r.State != batch.LeaseFree {
		t.Errorf("it does not end: %+v", r)
	}
}

// TestManyLeasesAfterAStep: the records follow in batches, as the journal takes
// them, and then there is peace.
func TestManyLeasesAfterAStep(t *testing.T) {
	w := newWorld(t, `ping-check false; subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.1.0 10.0.40.255; }`)
	var leases []batch.Lease
	for i := range 6000 {
		leases = append(leases, batch.Lease{Addr: proto.AddrOf(10, 0, 1, 0) + proto.Addr(i), State: batch.LeaseActive,
			HW:     dhcp.HW{Type: 1, Len: 6, Addr: [16]byte{2, byte(i >> 8), byte(i)}},
			Starts: w.now.Wall, Ends: w.now.Wall + 5000, CLTT: w.now.Wall})
	}
	w.core.Restore(w.now, leases)
	w.now.Wall += 1_000_000
	for range 100 {
		w.tick()
	}
	if len(w.journal) != 6000 || w.core.Deadline() <= w.now.Mono {
		t.Fatalf("%d records, deadline %d", len(w.journal), w.core.Deadline())
	}
	for _, r := range w.journal {
		if r.Ends != w.now.Wall+5000 || r.State != batch.LeaseActive {
			t.Fatalf("%+v", r)
		}
	}
}
