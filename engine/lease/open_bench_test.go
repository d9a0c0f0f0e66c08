package lease

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// manyLeases is a lease file of so many nodes.
func manyLeases(n int) []byte {
	now := time.Now().Unix()
	var text []byte
	for i := range n {
		l := batch.Lease{Addr: proto.AddrOf(10, 1, 0, 0) + proto.Addr(i), State: batch.LeaseActive,
			HW: dhcp.HW{Type: 1, Len: 6, Addr: [16]byte{0x52, 0x54, 1, byte(i >> 16), byte(i >> 8), byte(i)}}, Starts: now, Ends: now + 43200, CLTT: now}
		l.VendorLen = byte(copy(l.Vendor[:], "PXEClient:Arch:00007:UNDI:003001"))
		text = AppendRecord(text, &l)
	}
	return text
}

// BenchmarkOpen is what a start waits for: a file of 100,000 leases, read and
// kept.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "dhcpd.leases")
	text := manyLeases(100_000)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		j, r, err := Open(path, Options{})
		if err != nil || len(r.Leases) != 100_000 {
			b.Fatal(len(r.Leases), err)
		}
		b.StopTimer()
		j.Close()
		b.StartTimer()
	}
}

func BenchmarkParse(b *testing.B) {
	text := manyLeases(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if r := parse(text, time.Now().Unix()); len(r.Leases) != 100_000 {
			b.Fatal(len(r.Leases))
		}
	}
}
