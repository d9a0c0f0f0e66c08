package bench

import (
	"cmp"
	"slices"
)

// Repeated counts what nodes sent again, by cause.
type Repeated struct {
	Discover uint64 `json:"discover"` // no OFFER came in time
	Request  uint64 `json:"request"`  // no ACK or NAK came in time
	ARP      uint64 `json:"arp"`      // no ARP reply came in time
	RRQ      uint64 `json:"rrq"`      // no answer to a read request came in time
	Ack      uint64 `json:"ack"`      // no DATA came in time
	Gap      uint64 `json:"gap"`      // ACK of the last block in order because one ahead of it came
	Habit    uint64 `json:"habit"`    // DISCOVER of a client that has an OFFER and waits for others: no loss
}

// DHCP is how many DHCP messages were repeated for want of an answer.
func (r *Repeated) DHCP() uint64 { return r.Discover + r.Request }

// phaseStats holds the durations of one phase, nanoseconds.
type phaseStats struct {
	name string
	took []int64
}

func (p *phaseStats) add(d int64) { p.took = append(p.took, d) }

// failure is one reason for which boots failed.
type failure struct {
	reason string
	count  int
	node   int // the first node it happened to
	boot   int // and its boot, from 0
	at     int64
}

// stats is what a storm counts while it runs.
type stats struct {
	phases    []*phaseStats // in the order in which they were first completed
	boots     phaseStats
	failures  []*failure
	started   int
	failed    int
	last      int64 // when the last boot ended
	framesIn  uint64
	framesOut uint64
	naks      int
	cut       int    // boots that lost power and began again
	stray     uint64 // frames that no program of the node waited for
	foreign   uint64 // frames for hardware addresses that no node has
	damaged   uint64 // frames that do not parse
	duplicate uint64 // DATA blocks that the node had already
	verified  uint64 // bytes compared and right
	repeated  Repeated
	offers    int // first OFFERs of an exchange
}

// phase finds the record of a phase by name. There are few.
func (s *stats) phase(name string) *phaseStats {
	for _, p := range s.phases {
		if p.name == name {
			return p
		}
	}
	p := &phaseStats{name: name}
	s.phases = append(s.phases, p)
	return p
}

func (s *stats) bootDone(now, took int64) {
	s.boots.add(took)
	s.last = now
}

func (s *stats) bootFailed(now int64, n *node, reason string) {
	s.failed++
	s.last = now
	for _, f := range s.failures {
		if f.reason == reason {
			f.count++
			return
		}
	}
	s.failures = append(s.failures, &failure{reason: reason, count: 1, node: n.id, boot: n.boot, at: now})
}

// quantile returns the value below or at which the share q of sorted lies: the
// nearest rank, so that it is one that occurred.
func quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.999999) - 1 // rounded up, but for what floating point adds to whole ranks
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// sortFailures puts the most frequent first.
func sortFailures(f []*failure) {
	slices.SortStableFunc(f, func(a, b *failure) int { return cmp.Compare(b.count, a.count) })
}
