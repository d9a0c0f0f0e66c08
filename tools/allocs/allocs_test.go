package allocs

import "testing"

var sink []byte

// What allocates is found; what allocates once, beside the code under test, is
// not held against it.
func TestOfAllocations(t *testing.T) {
	if n := Of(func() { sink = make([]byte, 100) }); n != 1 {
		t.Errorf("%v allocations, want 1", n)
	}
	calls := 0
	if n := Of(func() {
		if calls++; calls == 2 {
			sink = make([]byte, 100)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
