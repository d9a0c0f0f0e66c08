package binding

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

// leased is a table whose first address machine 1 had a lease of.
func leased(t *testing.T) *Table {
	t.Helper()
	table := New(testPlan(), 7)
	table.Bind(0, machine(1), false, t0, 100)
	table.Release(0, later(5))
	return table
}

// An offer that comes to nothing leaves the tenant where it was.
func TestTenantOutlivesAnOffer(t *testing.T) {
	table := leased(t)
	table.Offer(0, machine(9), false, t0.Mono+batch.Second)
	table.Loose(0)
	check(t, table)
	if table.Aside(machine(1), table.At(0).Network) != 0 || table.Lookup(machine(1), AnyNetwork, None) != None {
		t.Error("the tenant is not set aside")
	}
	if table.Aside(machine(2), table.At(0).Network) != None || table.Aside(machine(1), 77) != None {
		t.Error("somebody else is the tenant")
	}
	if table.OldestLoose(0) != 0 {
		t.Error("the offer cannot be taken back")
	}
	table.Withdraw(0)
	check(t, table)
	if table.Lookup(machine(1), AnyNetwork, None) != 0 || table.Lookup(machine(9), AnyNetwork, None) != None {
		t.Error("the address remembers the one that it was offered to")
	}
}

// It may have its address back while another one is being offered it.
func TestTenantTakesItsAddressBack(t *testing.T) {
	table := leased(t)
	table.Offer(0, machine(9), false, t0.Mono+batch.Second)
	table.Loose(0)
	table.Offer(0, machine(1), false, t0.Mono+2*batch.Second)
	check(t, table)
	if !table.Owns(0, machine(1)) || !table.TenantOf(0, machine(1)) || table.OldestLoose(0) != None {
		t.Error("not the tenant's again")
	}
	table.Withdraw(0)
	if table.Lookup(machine(1), AnyNetwork, None) != 0 {
		t.Error("forgotten after its own offer")
	}
}

// A lease ends what was before it.
func TestLeaseMakesATenantAndEndsAnother(t *testing.T) {
	table := leased(t)
	table.Offer(0, machine(9), false, t0.Mono+batch.Second)
	table.Bind(0, machine(9), false, t0, 100)
	check(t, table)
	table.Expire(0)
	check(t, table)
	if table.Aside(machine(1), 0) != None || table.TenantOf(0, machine(1)) || !table.TenantOf(0, machine(9)) {
		t.Error("two tenants")
	}
}

// What ARP says about an address is no lease either.
func TestTenantOutlivesAClaim(t *testing.T) {
	table := leased(t)
	table.Remember(0, machine(9))
	check(t, table)
	if !table.TenantOf(0, machine(1)) || table.Lookup(machine(9), AnyNetwork, None) != 0 {
		t.Error("the claim took the tenant's place")
	}
	table.Disown(0)
	check(t, table)
	if table.Lookup(machine(1), AnyNetwork, None) != 0 {
		t.Error("the tenant did not come back")
	}
	table.Abandon(0, t0, 50) // while it is the tenant's
	check(t, table)
	if table.TenantOf(0, machine(1)) {
		t.Error("an abandoned address remembers its client")
	}
}

// Nor does what somebody else found in use.
func TestTenantOutlivesAnAbandonment(t *testing.T) {
	table := leased(t)
	table.Offer(0, machine(9), false, t0.Mono+batch.Second)
	table.Abandon(0, t0, 50)
	check(t, table)
	if table.Aside(machine(1), table.At(0).Network) != 0 {
		t.Error("forgotten")
	}
	table.Recover(0)
	check(t, table)
	if table.Lookup(machine(1), AnyNetwork, None) != 0 {
		t.Error("not remembered")
	}
}

// Tenants are known by their host declaration, whichever link they use, and
// after restart and reload.
func TestTenantsAreKept(t *testing.T) {
	table := New(testPlan(), 7)
	two := machine(1)
	two.Host = 5
	table.Bind(0, two, false, t0, 100)
	table.Release(0, later(5))
	table.Offer(0, machine(9), false, t0.Mono+batch.Second)
	other := machine(2)
	other.Host = 5
	if table.Aside(other, table.At(0).Network) != 0 {
		t.Error("not known by its other link")
	}
	fresh := New(testPlan(), 7)
	fresh.Adopt(table)
	check(t, fresh)
	if fresh.Aside(other, fresh.At(0).Network) != 0 {
		t.Error("lost by a reload")
	}
	var r batch.Lease
	leased(t).Record(0, &r)
	again := New(testPlan(), 7)
	again.Restore(t0, &r)
	again.Settle()
	check(t, again)
	if !again.Tenanted(0) || again.Oldest(0) == 0 {
		t.Error("lost by a restart")
	}
}

// Hardware addresses of 16 bytes that once all had one hash do not stand in one
// chain: who makes addresses up does not know the seed.
func TestChainsCannotBeChosen(t *testing.T) {
	table := New(testPlan(), 0x1234567890abcdef)
	heads := map[uint64]bool{}
	for i := range 1000 {
		h := dhcp.HW{Type: 1, Len: 16, Addr: [16]byte{byte(i), byte(i >> 8)}}
		const b = uint64(mix2) ^ 1<<56 ^ 16<<48
		for k := range 8 {
			h.Addr[8+k] = byte(b >> (8 * k))
		}
		heads[table.hashHW(&h)] = true
		if i > 0 && new(Table).hashHW(&h) != new(Table).hashHW(&dhcp.HW{Type: 1, Len: 16, Addr: [16]byte{8: h.Addr[8], 9: h.Addr[9], 10: h.Addr[10],
			11: h.Addr[11], 12: h.Addr[12], 13: h.Addr[13], 14: h.Addr[14], 15: h.Addr[15]}}) {
			t.Fatal("the example is none: without a seed they differ")
		}
	}
	if len(heads) < 990 {
		t.Errorf("%d hashes of 1000 addresses", len(heads))
	}
}
