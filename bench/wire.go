package bench

import (
	"container/heap"
	"math/rand/v2"
)

// flight is a frame on its way.
type flight struct {
	at       int64
	order    uint64 // of sending, so that equal times keep their order
	checksum bool
	data     []byte
}

// flights is a heap of frames by arrival.
type flights []*flight

// Len, Less, Swap, Push and Pop are those of heap.Interface.
func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].at < f[j].at || f[i].at == f[j].at && f[i].order < f[j].order
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(*flight)) }
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}

// wire is one direction of an impaired link: it loses, repeats, delays and damages
// frames by its own random numbers.
type wire struct {
	Impairment
	rng   *rand.Rand
	queue flights
	free  []*flight
	sent  uint64
	lost  uint64
	bent  uint64 // frames with a bit turned over
}

// newWire makes a direction; directions of one storm differ in their random
// numbers.
func newWire(i Impairment, seed, direction uint64) *wire {
	return &wire{Impairment: i, rng: rand.New(rand.NewPCG(seed, direction))}
}

// enter puts a frame on the wire at now.
func (w *wire) enter(now int64, data []byte, checksum bool) {
	if w.rng.Float64() < w.Loss {
		w.lost++
		return
	}
	w.add(now, data, checksum)
	if w.rng.Float64() < w.Duplicate {
		w.add(now, data, checksum)
	}
}

func (w *wire) add(now int64, data []byte, checksum bool) {
	// The random numbers are drawn in a fixed order, so that a seed repeats.
	at := now + w.Delay
	if w.Jitter > 0 {
		at += w.rng.Int64N(w.Jitter)
	}
	if w.rng.Float64() < w.Reorder {
		at += w.Late
	}
	f := new(flight) // or one that has arrived before, with its memory
	if k := len(w.free); k > 0 {
		f, w.free = w.free[k-1], w.free[:k-1]
	}
	w.sent++
	f.at, f.order, f.checksum, f.data = at, w.sent, checksum, append(f.data[:0], data...)
	if w.Corrupt > 0 && w.rng.Float64() < w.Corrupt {
		w.bent++
		bit := w.rng.IntN(8 * len(data))
		if !checksum { // on a real wire it would have one, which would now be wrong
			w.free = append(w.free, f)
			return
		}
		f.data[bit/8] ^= 1 << (bit % 8)
	}
	heap.Push(&w.queue, f)
}

// next is when the next frame arrives, never if none is on its way.
func (w *wire) next() int64 {
	if len(w.queue) == 0 {
		return never
	}
	return w.queue[0].at
}

// leave takes the next frame that has arrived by now off the wire, nil if none
// has. The frame must be given back with done.
func (w *wire) leave(now int64) *flight {
	if w.next() > now {
		return nil
	}
	return heap.Pop(&w.queue).(*flight)
}

// done takes back the memory of a frame that left.
func (w *wire) done(f *flight) { w.free = append(w.free, f) }
