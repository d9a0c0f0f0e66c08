package transfer

import "bootstorm/engine/batch"

// path is what the answers of all clients of an interface tell about the way to
// them. The queues on it are theirs together: where they are long, a transfer's
// own round trips of a moment ago say too little.
type path struct {
	answered int64    // when the newest frame was sent of which an answer is here
	heard    int64    // when the last answer came
	least    [2]int64 // shortest round trip of this and the last period, ns
	period   int64    // when this period began
}

// leastPeriod is how long a shortest round trip is one, ns; twice that at most.
const leastPeriod = 10 * batch.Millisecond

// note takes an answer to a frame that was sent once.
func (p *path) note(now, sentAt int64) {
	rtt := now - sentAt
	p.answered, p.heard = max(p.answered, sentAt), now
	switch since := now - p.period; {
	case since < leastPeriod:
		p.least[0] = min(p.least[0], rtt)
		return
	case since < 2*leastPeriod:
		p.least[1] = p.least[0]
	default:
		p.least[1] = rtt
	}
	p.least[0], p.period = rtt, now
}

// shortest is the shortest round trip of late, ns: what nobody's answer can be
// earlier than. 0 if nothing is known.
func (p *path) shortest(now int64) int64 {
	if now-p.period >= 10*leastPeriod {
		return 0
	}
	return min(p.least[0], p.least[1])
}

// longestQueue is how long a frame may lie in queues before it is taken for
// lost all the same, ns.
const longestQueue = 2 * batch.Second

// underway tells whether what a transfer sent may still lie in a queue: either
// the driver takes no more, or answers come, all of them to what was sent
// before. Then silence says nothing, and to repeat would make it worse.
func (t *Table) underway(now int64, s *slot) bool {
	if int(s.link) >= len(t.links) || now-s.sentAt >= longestQueue {
		return false
	}
	p := &t.links[s.link].path
	return s.sentAt > p.answered && now-max(p.heard, t.blocked) < s.patrol()
}

// patrol is how soon to look again whether something is still under way, ns, and
// how long after an answer they count as coming. A line that is worked off brings
// one in this time: 25 ms carry a window at 2 Mbit/s.
func (s *slot) patrol() int64 { return min(s.rto/2, 25*batch.Millisecond) }
