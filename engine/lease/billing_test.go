package lease

import (
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// TestBilling: what a lease counts against survives the file, and is taken from
// dhcpd's own statement.
func TestBilling(t *testing.T) {
	const record = "lease 10.0.0.1 {\n  binding state active;\n  ends never;\n  %;\n}\n"
	for _, c := range []struct {
		name, statement string
		want            uint64
	}{
		{"none", "hardware ethernet 02:00:00:00:00:01", 0},
		{"ours", `set billing-instance = "00000000deadbeef"`, 0xdeadbeef},
		{"dhcpd's class", `billing class "vm"`, plan.InstanceKey("vm", nil)},
		{"dhcpd's subclass, bytes", `billing subclass "port" 61:0:ff`, plan.InstanceKey("port", []byte{0x61, 0, 0xff})},
		{"dhcpd's subclass, text", `billing subclass "port" "ab"`, plan.InstanceKey("port", []byte("ab"))},
		{"another variable", `set other = "1"`, 0},
		{"a form that is not known", `billing something`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parse([]byte(strings.Replace(record, "%", c.statement, 1)), noon)
			if len(r.Leases) != 1 || r.Leases[0].Billing != c.want {
				t.Fatalf("%+v, %v", r.Leases, r.Warnings)
			}
			again := parse(appendRecord(nil, &r.Leases[0], r.extras[0]), noon)
			if len(again.Leases) != 1 || again.Leases[0] != r.Leases[0] || again.Damaged {
				t.Errorf("written and read again: %+v, %v", again.Leases, again.Warnings)
			}
			own := parse(AppendRecord(nil, &r.Leases[0]), noon) // as the next record of the address
			if own.Leases[0].Billing != c.want {
				t.Errorf("in a record of ours: %x", own.Leases[0].Billing)
			}
		})
	}
	bad := parse([]byte(strings.Replace(record, "%", `set billing-instance = "vm"`, 1)), noon)
	if len(bad.Leases) != 0 || len(bad.Warnings) == 0 {
		t.Errorf("a key that is none: %+v", bad.Leases)
	}
	text := string(AppendRecord(nil, &batch.Lease{Addr: proto.AddrOf(10, 0, 0, 1), State: batch.LeaseActive, Billing: 0xfedcba9876543210}))
	if !strings.Contains(text, "\n  set billing-instance = \"fedcba9876543210\";\n") {
		t.Error(text)
	}
}

// TestDhcpdReadsBilling: the statement is one that dhcpd takes.
func TestDhcpdReadsBilling(t *testing.T) {
	l := batch.Lease{Addr: proto.AddrOf(192, 168, 1, 2), State: batch.LeaseActive, HW: ether(1), Starts: noon, Ends: noon + 3600, CLTT: noon, Billing: 7}
	if leases, complaints := dhcpdReads(t, AppendRecord(nil, &l)); leases != "1" || len(complaints) > 0 {
		t.Errorf("%s leases, %q", leases, complaints)
	}
}
