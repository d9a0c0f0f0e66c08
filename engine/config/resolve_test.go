package config

import (
	"testing"
	"time"

	"bootstorm/proto"
)

// TestResolverOnce: each name is looked up once, found or not.
func TestResolverOnce(t *testing.T) {
	calls := map[string]int{}
	r := newResolver(func(name string) ([]proto.Addr, error) {
		calls[name]++
		return someNames(name)
	})
	for range 3 {
		if a := r.addresses("two.example"); len(a) != 2 {
			t.Errorf("two.example: %v", a)
		}
		if a := r.addresses("none.example"); len(a) != 0 {
			t.Errorf("none.example: %v", a)
		}
	}
	if calls["two.example"] != 1 || calls["none.example"] != 1 {
		t.Errorf("look-ups: %v", calls)
	}
}

// TestResolverGivesUp: when look-ups have failed for as long as the limit,
// further names fail at once, while known ones stay known.
func TestResolverGivesUp(t *testing.T) {
	calls := 0
	r := newResolver(func(name string) ([]proto.Addr, error) {
		calls++
		return someNames(name)
	})
	r.addresses("two.example")
	r.spent = resolveAll
	if len(r.addresses("2.example")) != 0 || calls != 1 {
		t.Errorf("a name was looked up after the limit: %d calls", calls)
	}
	if len(r.addresses("two.example")) != 2 {
		t.Error("a known name was forgotten")
	}
}

// TestResolverSystem asks the system for the one name that needs no network.
func TestResolverSystem(t *testing.T) {
	start := time.Now()
	a, err := Resolve("localhost")
	if err != nil || len(a) == 0 || a[0]>>24 != 127 {
		t.Errorf("localhost: %v, %v", a, err)
	}
	if _, err := Resolve("no.such.name.invalid"); err == nil {
		t.Error("a name under .invalid has an address")
	}
	if took := time.Since(start); took > 3*resolveEach {
		t.Errorf("look-ups took %v", took)
	}
}
