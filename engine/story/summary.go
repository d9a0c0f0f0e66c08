package story

import (
	"fmt"
	"maps"
	"sort"
	"time"
)

// Summary is the whole at a moment.
func (b *Book) Summary(at time.Time) Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Summary{
		Version: b.version, Interfaces: append([]string(nil), b.interfaces...), Now: at, Started: b.started,
		States: make(map[State]int, len(stateNames)), Phases: make(map[Phase]int, len(phaseNames)),
		Nodes: len(b.nodes) - len(b.free), Rates: b.rates, Counters: maps.Clone(b.counters), Lost: b.counters[CounterLost],
		Pools: make([]Pool, 0, len(b.ranges)), Rogues: make([]Rogue, 0, len(b.rogues)),
	}
	for i, name := range stateNames {
		s.States[name] = b.states[i]
	}
	for i, name := range phaseNames {
		s.Phases[name] = b.phases[i]
	}
	for i := range b.ranges {
		s.Pools = append(s.Pools, Pool{Range: b.ranges[i].Name, Size: b.ranges[i].Size, Used: b.used(i)})
	}
	for i := range b.rogues {
		s.Rogues = append(s.Rogues, b.rogueView(&b.rogues[i]))
	}
	sort.Slice(s.Rogues, func(i, k int) bool { return s.Rogues[i].Seen.After(s.Rogues[k].Seen) })
	s.Counters["story_replaced"] = b.replaced
	s.Counters["story_ignored"] = b.ignored
	s.Counters["story_untold"] = b.untold
	s.Health, s.Problems = b.health(b.clock.read(at))
	return s
}

// used is how many addresses of a range are in use: what the engine says, else
// nothing is known but the nodes that the book has seen.
func (b *Book) used(i int) int64 { return b.pools[i].used }

// For how long something that happened counts as still being so.
const (
	starvedTime = 60 * second
	diskTime    = 15 * second
)

// health judges the whole, and says what is wrong, the gravest first.
func (b *Book) health(now int64) (h Health, problems []string) {
	h, problems = HealthOK, []string{}
	add := func(to Health, format string, args ...any) {
		if to == HealthFailing || h == HealthOK {
			h = to
		}
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	if b.counters[CounterJournalFails] > 0 || b.diskWait != 0 && now-b.diskWait < diskTime {
		add(HealthFailing, "no lease can be given: the lease file cannot be written; make room on its disk, and see the message about it in the log")
	}
	if k := b.counters[CounterLinksDown]; k > 0 {
		add(HealthFailing, "%s gone or down: nodes on it are not served; look at the link and the driver's log", plural(k, "interface is", "interfaces are"))
	}
	if b.starved != 0 && now-b.starved < starvedTime {
		add(HealthDegraded, "a node found no free address; widen a range, shorten max-lease-time, or remove leases of machines that are gone")
	}
	for i := range b.rogues {
		r := &b.rogues[i]
		if r.kind == rogueServer && now-r.seen < rogueTime {
			add(HealthDegraded, "%s", b.rogueView(r).Text)
		}
	}
	b.stuckProblems(add)
	for i := range b.rogues {
		r := &b.rogues[i]
		if r.kind == rogueConflict && now-r.seen < rogueTime {
			add(HealthDegraded, "%s", b.rogueView(r).Text)
		}
	}
	for i := range b.ranges {
		if b.pools[i].low {
			add(HealthDegraded, "%s", lowText(&Pool{Range: b.ranges[i].Name, Size: b.ranges[i].Size, Used: b.pools[i].used}))
		}
	}
	return h, problems
}

// problemsMost is how many different reasons for stuck nodes are named.
const problemsMost = 5

// stuckProblems adds the stuck nodes, those of one reason together.
func (b *Book) stuckProblems(add func(Health, string, ...any)) {
	if b.states[stuck] == 0 {
		return
	}
	type group struct {
		one   *node
		count int64
	}
	type key struct {
		cause, before cause
		text, file    ref
	}
	groups := map[key]*group{}
	for _, n := range b.nodes {
		if n == nil || n.state != stuck {
			continue
		}
		p := &n.cause
		k := key{cause: p.cause, before: n.before.cause, text: p.text, file: p.file}
		if g := groups[k]; g != nil {
			g.count++
		} else {
			groups[k] = &group{n, 1}
		}
	}
	list := make([]*group, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	sort.Slice(list, func(i, k int) bool {
		if list[i].count != list[k].count {
			return list[i].count > list[k].count
		}
		return list[i].one.id < list[k].one.id
	})
	rest := int64(0)
	for i, g := range list {
		if i >= problemsMost {
			rest += g.count
			continue
		}
		who := g.one.hw.String()
		if host := b.hosts[g.one.hw]; host != "" {
			who = host
		}
		if g.count > 1 {
			who += " and others"
		}
		add(HealthDegraded, "%s stuck (%s): %s", plural(g.count, "node is", "nodes are"), who, b.reason(g.one))
	}
	if rest > 0 {
		add(HealthDegraded, "%s stuck for other reasons: \"bootstorm watch\" lists them", plural(rest, "node is", "nodes are"))
	}
}

// plural writes a number with its noun.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
