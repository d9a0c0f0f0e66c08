package wheel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	ms  int64 = 1_000_000
	day int64 = 86_400_000 * ms
)

// expire collects everything that is due at now, sorted.
func expire(w *Wheel, now int64) []int32 {
	var got []int32
	for {
		id, ok := w.Expire(now)
		if !ok {
			slices.Sort(got)
			return got
		}
		got = append(got, id)
	}
}

func TestFiresExactlyAtTheDeadline(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int64
	}{
		{"zero", 0}, {"first nanosecond", 1}, {"inside a tick", 3*ms + 17}, {"tick border", 4 * ms},
		{"level border", 64 * ms}, {"two levels", 4096*ms + 5}, {"a day", day}, {"a year", 365*day + 1},
		{"the end of time", math.MaxInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New(2, ms, 64)
			w.Set(1, c.at)
			if got := expire(w, c.at-1); got != nil {
				t.Fatalf("fired early: %v", got)
			}
			if !w.Armed(1) || w.Armed(0) {
				t.Fatalf("armed: %v %v", w.Armed(1), w.Armed(0))
			}
			if next := w.Next(); next > c.at {
				t.Fatalf("Next %d is later than the deadline %d", next, c.at)
			}
			if got := expire(w, c.at); !slices.Equal(got, []int32{1}) {
				t.Fatalf("at the deadline: %v", got)
			}
			if w.Armed(1) || w.Next() != math.MaxInt64 {
				t.Fatalf("still armed after firing; next %d", w.Next())
			}
		})
	}
}

func TestSetMovesAndClearDisarms(t *testing.T) {
	w := New(4, ms, 64)
	w.Set(0, 10*ms)
	w.Set(0, 200*ms) // later
	w.Set(1, 5000*ms)
	w.Set(1, 20*ms) // earlier
	w.Set(2, 20*ms)
	w.Clear(2)
	w.Clear(3) // never armed
	if got := expire(w, 20*ms); !slices.Equal(got, []int32{1}) {
		t.Fatalf("at 20 ms: %v", got)
	}
	w.Set(2, 3*ms) // already past
	if got := expire(w, 20*ms); !slices.Equal(got, []int32{2}) {
		t.Fatalf("a past deadline: %v", got)
	}
	if got := expire(w, 200*ms); !slices.Equal(got, []int32{0}) {
		t.Fatalf("at 200 ms: %v", got)
	}
}

func TestClearingATimerThatIsDue(t *testing.T) {
	w := New(8, ms, 64)
	for id := range int32(8) {
		w.Set(id, 5*ms)
	}
	first, ok := w.Expire(6 * ms) // the other seven are found due by now
	if !ok || w.Next() > 6*ms {
		t.Fatalf("first: %v, next %d", ok, w.Next())
	}
	cleared, moved := (first+1)%8, (first+2)%8
	w.Clear(cleared)
	w.Set(moved, 7*ms)
	got := expire(w, 6*ms)
	if len(got) != 5 || slices.Contains(got, cleared) || slices.Contains(got, moved) {
		t.Fatalf("cleared %d and moved %d, yet %v", cleared, moved, got)
	}
	if got := expire(w, 7*ms); !slices.Equal(got, []int32{moved}) {
		t.Fatalf("moved timer: %v", got)
	}
}

func TestTimeThatStandsStillOrGoesBack(t *testing.T) {
	w := New(2, ms, 64)
	w.Set(0, 100*ms)
	expire(w, 90*ms)
	w.Set(1, 50*ms) // behind the cursor
	if got := expire(w, 40*ms); got != nil {
		t.Fatalf("earlier than both: %v", got)
	}
	if got := expire(w, 50*ms); !slices.Equal(got, []int32{1}) {
		t.Fatalf("behind the cursor: %v", got)
	}
	if got := expire(w, 100*ms); !slices.Equal(got, []int32{0}) {
		t.Fatalf("after going back: %v", got)
	}
}

// TestAgainstASortedList runs random operations against the obvious model, with
// jumps from nanoseconds to weeks.
func TestAgainstASortedList(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		const timers = 50
		w := New(timers, 1+r.Int64N(3*ms), 64<<r.IntN(5))
		model := map[int32]int64{}
		now := r.Int64N(day)
		for range 600 {
			switch id := r.Int32N(timers); r.IntN(6) {
			case 0, 1, 2:
				at := now + r.Int64N(1<<r.IntN(50)) - 2*ms
				w.Set(id, at)
				model[id] = at
			case 3:
				w.Clear(id)
				delete(model, id)
			default:
				now += r.Int64N(1 << r.IntN(50))
				var want []int32
				for id, at := range model {
					if at <= now {
						want = append(want, id)
						delete(model, id)
					}
				}
				slices.Sort(want)
				if got := expire(w, now); !slices.Equal(got, want) {
					t.Fatalf("seed %d at %d: got %v, want %v", seed, now, got, want)
				}
			}
			checkAgainst(t, w, model)
		}
	}
}

func checkAgainst(t *testing.T, w *Wheel, model map[int32]int64) {
	t.Helper()
	first := int64(math.MaxInt64)
	for id, at := range model {
		first = min(first, at)
		if !w.Armed(id) {
			t.Fatalf("timer %d should be armed", id)
		}
	}
	if next := w.Next(); next > first || (len(model) == 0) != (next == math.MaxInt64) {
		t.Fatalf("Next %d, earliest deadline %d of %d timers", next, first, len(model))
	}
}

// TestNextLeadsToTheDeadlineInFewSteps follows Next as a driver does.
func TestNextLeadsToTheDeadlineInFewSteps(t *testing.T) {
	w := New(1, ms, 256)
	now, deadline := 3*day, 3*day+130_000*ms
	expire(w, now)
	w.Set(0, deadline)
	for steps := 1; ; steps++ {
		if steps > 8 {
			t.Fatalf("%d wake-ups for one timer", steps)
		}
		now = w.Next()
		if got := expire(w, now); got != nil {
			break
		}
	}
	if now != deadline {
		t.Fatalf("fired at %d instead of %d", now, deadline)
	}
}

func TestNoAllocation(t *testing.T) {
	w := New(1000, ms, 256)
	now := int64(0)
	if n := testing.AllocsPerRun(1, func() {
		for i := range int64(5000) {
			w.Set(int32(i%1000), now+(i*7919)%(500*ms))
			if i%3 == 0 {
				w.Clear(int32(i * 31 % 1000))
			}
			now += 137_000
			for _, ok := w.Expire(now); ok; _, ok = w.Expire(now) {
			}
			w.Next()
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// BenchmarkSetMoves is what a transfer does for each acknowledgement.
func BenchmarkSetMoves(b *testing.B) {
	const timers = 16384
	w := New(timers, ms, 1024)
	now := int64(0)
	for id := range int32(timers) {
		w.Set(id, now+20*ms)
	}
	id := int32(0)
	for b.Loop() {
		w.Set(id, now+20*ms)
		id = (id + 1) % timers
		now += 1000
		w.Expire(now)
	}
}

// BenchmarkExpire is the whole life of a timer: armed, found due, returned.
func BenchmarkExpire(b *testing.B) {
	const timers = 4096
	w := New(timers, ms, 1024)
	now, id := int64(0), int32(0)
	for b.Loop() {
		w.Set(id, now+15*ms)
		id = (id + 1) % timers
		now += 20_000
		w.Expire(now)
	}
}
