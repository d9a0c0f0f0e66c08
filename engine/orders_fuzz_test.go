package engine

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzOrders: a damaged file of orders is an error with what to do, or a list of
// which marks can be made.
func FuzzOrders(f *testing.F) {
	f.Add([]byte(`[{"macs":["52:54:00:12:34:01"],"file":"rescue.efi"},{"macs":["x"],"taken":"2026-01-01T00:00:00Z"}]`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "dhcpd.leases.once")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		open, taken, err := ReadOrders(file)
		if err != nil && (open != nil || taken != nil) {
			t.Fatalf("%v, and %d orders", err, len(open))
		}
		if marks := Marks(open); len(marks) > 2*len(open) || len(taken) > fulfilledMost {
			t.Fatalf("%d marks of %d orders, %d taken", len(marks), len(open), len(taken))
		}
	})
}
