package limit

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/tools/allocs"
)

func TestBurstThenRate(t *testing.T) {
	l := New(16)
	l.Set(Every(8), 64)
	now := int64(1000 * batch.Second)
	taken, told := 0, 0
	take := func(n int) {
		for range n {
			ok, first := l.Take(7<<60|7, now)
			if ok {
				taken++
			}
			if first {
				told++
			}
		}
	}
	if take(1000); taken != 64 || told != 1 {
		t.Errorf("at once: %d taken, told %d times; want 64 and 1", taken, told)
	}
	for range 100 { // 10 s, ten times the rate
		now += 100 * batch.Millisecond
		take(8)
	}
	if taken != 64+80 || told != 1 {
		t.Errorf("after 10 s: %d taken, told %d times; want 144 and 1", taken, told)
	}
	now += 8 * batch.Second // full again
	if take(1000); taken != 64+80+64 || told != 2 {
		t.Errorf("after a pause: %d taken, told %d times; want 208 and 2", taken, told)
	}
}

// A sender that shares its place with others is never refused for their sake.
func TestSharingABucketIsGenerous(t *testing.T) {
	l := New(2)
	l.Set(Every(1), 2)
	for i := range uint64(1000) {
		if ok, _ := l.Take(i, 5); !ok {
			t.Fatalf("sender %d refused", i)
		}
	}
}

func TestNoLimit(t *testing.T) {
	l := New(2)
	for range 1000 {
		if ok, first := l.Take(1, 5); !ok || first {
			t.Fatal("refused without a limit")
		}
	}
	l.Set(Every(5), 1)
	l.Set(Every(0), 1)
	for range 1000 {
		if ok, _ := l.Take(1, 5); !ok {
			t.Fatal("refused after the limit was lifted")
		}
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	l := New(64)
	l.Set(Every(8), 64)
	if n := allocs.Of(func() {
		for i := range uint64(1000) {
			l.Take(i*0x9e3779b97f4a7c15, int64(i))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
