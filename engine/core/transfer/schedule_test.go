package transfer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
)

// order empties a queue.
func order(q *queue, now int64) (got []int32) {
	for id := q.pick(now); id != none; id = q.pick(now) {
		got = append(got, id)
	}
	return got
}

func TestQueueServesTheLeastRankFirst(t *testing.T) {
	q := newQueue(8)
	for _, id := range []int32{3, 1, 4, 1, 5, 3, 0} { // twice counts once
		q.push(0, id, 100-int64(id))
	}
	q.push(0, 6, urgent)
	q.remove(4)
	q.remove(4)
	q.remove(7)
	q.push(0, 2, 1000)
	q.remove(3) // the first of the list
	q.remove(2) // its last
	if !q.urgent() || !q.waits(5) || q.waits(4) {
		t.Error("what is in the queue is not known")
	}
	if got := order(&q, 0); fmt.Sprint(got) != "[6 5 1 0]" || q.tail != none || q.waits(1) || q.urgent() {
		t.Errorf("%v", got)
	}
}

func TestNobodyStarves(t *testing.T) {
	q := newQueue(8)
	q.push(0, 7, 1_000_000)
	q.push(1, 6, 1_000_001)
	q.push(s1, 5, 2)
	q.push(s1, 2, 3)
	q.push(s1, 4, 1)
	if id := q.pick(starving - 1); id != 4 {
		t.Errorf("before the time: %d, want the nearest to its end, 4", id)
	}
	q.push(starving, 3, urgent)
	if got := order(&q, starving+1); fmt.Sprint(got) != "[3 7 5 6 2]" {
		t.Errorf("%v: first what does not wait, then in turn those who waited for long, by time, and the others", got)
	}
}

// TestQueueAgainstASortedList compares picks with a plain list, in random
// order with removals.
func TestQueueAgainstASortedList(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	const slots = 100
	q := newQueue(slots)
	ranks := map[int32]int64{}
	for range 20_000 {
		id := int32(rng.IntN(slots))
		switch rng.IntN(5) {
		case 0, 1:
			if _, in := ranks[id]; !in {
				ranks[id] = rng.Int64N(1 << 40)
				q.push(0, id, ranks[id])
			}
		case 2:
			q.remove(id)
			delete(ranks, id)
		default:
			least := none
			for i, r := range ranks {
				if least == none || r < ranks[least] {
					least = i
				}
			}
			if got := q.pick(0); got != least {
				t.Fatalf("picked %d of rank %d, want %d of rank %d", got, ranks[got], least, ranks[least])
			}
			delete(ranks, least)
		}
		if len(q.heap) != len(ranks) || q.waits(id) != (slices.Contains(slices.Collect(keys(ranks)), id)) {
			t.Fatal("the queue holds something else")
		}
	}
}

func keys(m map[int32]int64) func(func(int32) bool) {
	return func(yield func(int32) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestPastIsOfOneBoot(t *testing.T) {
	p := newPast(16)
	a := proto.AddrOf(192, 168, 1, 2)
	p.add(10*s1, a, 800<<10)
	p.add(20*s1, a, 300<<10)
	p.add(20*s1, a, 1) // less than a KiB
	for _, c := range []struct {
		name string
		at   int64
		a    proto.Addr
		want uint32
	}{
		{"files of one boot add up", 30 * s1, a, 1100},
		{"a minute later it is another boot", 80 * s1, a, 0},
		{"of another node nothing is known", 30 * s1, a + 1, 0},
	} {
		if got := p.of(c.at, c.a); got != c.want {
			t.Errorf("%s: %d KiB, want %d", c.name, got, c.want)
		}
	}
	p.add(80*s1, a, 5<<50)
	if got := p.of(80*s1, a); got != 1<<32-1 {
		t.Errorf("%d KiB, want as many as fit", got)
	}
}

// TestNodesAreFinished: over a line that is the bottleneck, the transfers of a
// crowd end one after the other, and nothing is sent twice.
func TestNodesAreFinished(t *testing.T) {
	data := pattern(100_000)
	for _, kind := range []string{"edk2", "iPXE", "RFC 7440 window 16"} {
		t.Run(kind, func(t *testing.T) {
			w := newWire(t, newTable(t, Config{}, image.File{Name: "f", Data: data}), 1)
			w.bitTime, w.room = 10, 2*ms // 100 Mbit/s, and a queue below us
			const clients = 300
			for i := range clients {
				for _, h := range habits {
					if h.name == kind {
						w.add(h.make("f"), int64(i)*us)
					}
				}
			}
			start := w.now
			w.run(600 * s1)
			checkAll(t, w, 1, data)
			var ends []int64
			for i := range w.events {
				if w.events[i].Kind == batch.EventTransferDone {
					ends = append(ends, w.events[i].At-start)
				}
			}
			sum := int64(0)
			for _, e := range ends {
				sum += e
			}
			last := ends[len(ends)-1]
			ideal := w.bits * w.bitTime
			t.Logf("mean %d ms of %d ms, ideal %d ms", sum/clients/ms, last/ms, ideal/ms)
			if len(ends) != clients || float64(sum/clients) > .65*float64(last) || float64(last) > 1.03*float64(ideal) {
				t.Errorf("%d ended, mean %d ms, last %d ms, ideal %d ms", len(ends), sum/clients/ms, last/ms, ideal/ms)
			}
			if c := w.table.Counters(); c.Resent != 0 || c.Timeouts != 0 {
				t.Errorf("sent twice without a loss: %+v", *c)
			}
		})
	}
}
