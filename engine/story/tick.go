package story

import (
	"fmt"
	"time"

	"bootstorm/engine/span"
)

// Tick looks for what is overdue, closes a second of the rates and the history,
// and returns what became of nodes and pools since the last one. Call it once a
// second.
func (b *Book) Tick(at time.Time) []Told {
	b.mu.Lock()
	defer b.mu.Unlock()
	passed := b.clock.ticked
	now := b.clock.beat(at)
	for id, due := range b.due {
		if due <= now {
			b.overdue(b.nodes[id], now)
		}
	}
	b.lowPools()
	b.closeSecond(at, now-passed)
	b.tellDirty()
	out := b.told
	b.told = nil
	return out
}

// overdue deals with a node that did not do what was expected of it by now.
func (b *Book) overdue(n *node, now int64) {
	b.due[n.id] = never
	if n.state != booting && !(n.state == stuck && n.cause.cause == causeLoop) {
		return
	}
	if n.phase == loading && b.lostEnds(n, now) {
		return
	}
	if n.wait == causeDone {
		b.finish(n)
		return
	}
	p := problem{cause: n.wait, file: n.file, at: now}
	if n.wait == causeNotAsked {
		p.file = n.bootFile
	}
	if n.suspect.cause != causeNone && !(optional(b.text(n.suspect.file)) && n.wait == causeNoComeback) {
		p = n.suspect
	}
	b.halt(n, p)
}

// lostEnds clears up behind transfers of which the end was not seen. It reports
// true if the node has come further since.
func (b *Book) lostEnds(n *node, now int64) bool {
	later := n.loaded != 0
	for i := range n.active {
		later = later && n.active[i].seen <= n.loaded
	}
	n.active = [4]activeTransfer{}
	if later {
		b.progress(n, between, now)
		b.await(n, now)
	}
	return later
}

// tellNode queues what became of a node, with its story so far.
func (b *Book) tellNode(kind string, n *node, what string) {
	if len(b.told) >= toldMost {
		b.untold++
		return
	}
	v := b.view(n, b.clock.now, true)
	who := v.MAC
	if v.Host != "" {
		who += " (" + v.Host + ")"
	}
	if who == "" {
		who = v.Address
	}
	text := who + " " + what
	switch kind {
	case ToldBooted:
		text += fmt.Sprintf(" in %s", span.Text(v.Finished.Sub(v.Started)))
		if v.File != "" {
			text += fmt.Sprintf("; the last of its files is %s, %s in all", v.File, size(v.Bytes))
		}
	case ToldStuck:
		text += ": " + v.Reason
	}
	b.told = append(b.told, Told{At: b.clock.wall(b.clock.now), Kind: kind, Node: v, Text: text})
}

// tellDirty queues the nodes that are stuck now and were not when Tick last
// looked, and the other way round.
func (b *Book) tellDirty() {
	for _, id := range b.dirty {
		n := b.nodes[id]
		if n == nil || !n.marked {
			continue
		}
		n.marked = false
		switch {
		case n.state == stuck && n.told != stuck:
			b.tellNode(ToldStuck, n, "is stuck")
		case n.state != stuck && n.told == stuck:
			b.tellNode(ToldRecovered, n, "goes on")
		}
		n.told = n.state
	}
	b.dirty = b.dirty[:0]
}

// tellRogue queues a machine that does what it should not.
func (b *Book) tellRogue(r *rogue) {
	if len(b.told) >= toldMost {
		b.untold++
		return
	}
	v := b.rogueView(r)
	kind := ToldRogue
	if r.kind == rogueConflict {
		kind = ToldConflict
	}
	b.told = append(b.told, Told{At: v.Seen, Kind: kind, Rogue: &v, Text: v.Text})
}

// rogueView is a rogue as it is shown.
func (b *Book) rogueView(r *rogue) Rogue {
	v := Rogue{Seen: b.clock.wall(r.seen), Count: r.count, Kind: "dhcp-server"}
	if r.hw.n > 0 {
		v.MAC = r.hw.String()
	}
	if r.addr != 0 {
		v.Address = r.addr.String()
	}
	v.Text = "another DHCP server answers on this network (" + r.who() + "): nodes that take its offers do not boot from here; find it by its hardware address at the switch, and stop it"
	if r.kind == rogueConflict {
		v.Kind = "address-conflict"
		v.Text = fmt.Sprintf("%s is used by %s, to whom it is not leased; give that machine another address, or take this one out of the configuration", v.Address, or(v.MAC, "an unknown machine"))
	}
	return v
}

// pool is what is known of a range's use.
type pool struct {
	used  int64
	known bool
	low   bool // told
}

// Where a pool counts as nearly used up: a small one is full by design, one
// address for each node.
const (
	lowPercent  = 90
	lowSize     = 10
	easyPercent = 85 // below that it may be told again
)

// lowPools queues the pools that have become nearly used up.
func (b *Book) lowPools() {
	for i := range b.ranges {
		r, p := &b.ranges[i], &b.pools[i]
		if !p.known || r.Size < lowSize {
			continue
		}
		percent := p.used * 100 / r.Size
		switch {
		case percent < easyPercent:
			p.low = false
		case percent >= lowPercent && !p.low:
			p.low = true
			if len(b.told) >= toldMost {
				b.untold++
				continue
			}
			v := Pool{Range: r.Name, Size: r.Size, Used: p.used}
			b.told = append(b.told, Told{At: b.clock.wall(b.clock.now), Kind: ToldPool, Pool: &v, Text: lowText(&v)})
		}
	}
}

// lowText says that a pool is nearly used up.
func lowText(p *Pool) string {
	return fmt.Sprintf("%d of the %d addresses of %s are in use; widen the range, shorten max-lease-time, or remove leases of machines that are gone", p.Used, p.Size, p.Range)
}

// Counters takes in the engine's counters; see the constants for those that the
// book itself looks at. Call it once a second.
func (b *Book) Counters(_ time.Time, c map[string]int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.counters)
	for k, v := range c {
		b.counters[k] = v
	}
	for i := range b.ranges {
		if used, ok := c[PoolUsed(b.ranges[i])]; ok {
			b.pools[i].used, b.pools[i].known = used, true
		}
	}
}
