package story

import "time"

// historySeconds is how far back the history goes: 15 minutes.
const historySeconds = 900

// history is a ring of samples in fixed memory: 72 bytes each, 64 KiB in all.
type history struct {
	list [historySeconds]sample
	next int
	n    int
}

type sample struct {
	at     int64 // the book's time
	phases [len(phaseNames)]int32
	stuck  int32
	leases int32
	bytes  int64
}

// closeSecond makes rates and a sample of what was counted since the last Tick,
// ns ago.
func (b *Book) closeSecond(_ time.Time, ns int64) {
	now, s := b.counters[CounterBytes], &b.second
	b.bytes[0], b.bytes[1] = now, b.bytes[0]
	bytes := s.bytes
	// The engine's own counter moves with each frame; without it, files count as
	// they arrive.
	if moved := now - b.bytes[1]; b.bytes[1] > 0 && moved >= 0 {
		bytes = moved
	}
	per := 1.0
	if ns > second/2 && ns < 10*second {
		per = float64(second) / float64(ns)
	}
	b.rates = Rates{Discovers: per * float64(s.discovers), Leases: per * float64(s.leases), Files: per * float64(s.files),
		Bytes: per * float64(bytes), Done: per * float64(s.done)}
	h := &b.history
	v := sample{at: b.clock.now, stuck: int32(b.states[stuck]), leases: int32(s.leases), bytes: bytes}
	for i, n := range b.phases {
		v.phases[i] = int32(n)
	}
	h.list[h.next] = v
	h.next = (h.next + 1) % historySeconds
	h.n = min(h.n+1, historySeconds)
	b.second = tally{}
}

// History returns a sample for each second, oldest first.
func (b *Book) History() []Sample {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &b.history
	out := make([]Sample, h.n)
	for i := range out {
		v := &h.list[(h.next-h.n+i+historySeconds)%historySeconds]
		phases := make(map[Phase]int, len(phaseNames))
		for p, name := range phaseNames {
			phases[name] = int(v.phases[p])
		}
		out[i] = Sample{At: b.clock.wall(v.at), Phases: phases, Stuck: int(v.stuck), Bytes: v.bytes, Leases: int(v.leases)}
	}
	return out
}
