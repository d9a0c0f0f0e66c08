package transfer

import (
	"runtime"
	"testing"
)

// A transfer takes less than 1 KiB of a table's memory; the file is shared, and so
// is everything that does not grow with the number of transfers.
func TestMemoryOfATransfer(t *testing.T) {
	taken := func(transfers int) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		table := New(Config{Transfers: transfers})
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(table)
		return after.HeapAlloc - before.HeapAlloc
	}
	const few, many = 1 << 10, 1 << 16
	each := (taken(many) - taken(few)) / (many - few)
	if each < 200 || each >= 1024 { // a slot alone has over 200
		t.Errorf("%d bytes for each transfer", each)
	}
	t.Logf("%d bytes for each transfer", each)
}
