package story

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootstorm/proto"
)

// queryLimit is how many nodes are returned when a Query does not say.
const queryLimit = 200

// Nodes returns the nodes that a query asks for, without their steps, and how
// many match it in all.
func (b *Book) Nodes(at time.Time, q Query) (list []Node, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.read(at)
	found := b.match(&q)
	b.order(found, q.Sort)
	total = len(found)
	if q.Limit <= 0 {
		q.Limit = queryLimit
	}
	from := min(max(q.From, 0), total)
	to := from + min(q.Limit, total-from)
	list = make([]Node, 0, to-from)
	for _, n := range found[from:to] {
		list = append(list, b.view(n, now, false))
	}
	return list, total
}

// Node returns one node with its steps, by hardware address in any spelling, host
// name or address.
func (b *Book) Node(at time.Time, who string) (Node, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.named(strings.TrimSpace(who))
	if n == nil {
		return Node{}, false
	}
	return b.view(n, b.clock.read(at), true), true
}

// named finds a node by what people call it, nil if there is none.
func (b *Book) named(who string) *node {
	if hw, ok := parseMAC(who); ok {
		if id, ok := b.byHW[hw]; ok {
			return b.nodes[id]
		}
	}
	if a, ok := parseAddr(who); ok {
		if id, ok := b.byAddr[a]; ok {
			return b.nodes[id]
		}
	}
	if id, ok := b.byHost[who]; ok {
		return b.nodes[id]
	}
	for host, id := range b.byHost {
		if strings.EqualFold(host, who) {
			return b.nodes[id]
		}
	}
	return nil
}

// parseAddr reads an IPv4 address.
func parseAddr(s string) (a proto.Addr, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return 0, false
	}
	for _, p := range parts {
		v := 0
		if len(p) == 0 || len(p) > 3 {
			return 0, false
		}
		for _, c := range []byte(p) {
			if c < '0' || c > '9' {
				return 0, false
			}
			v = 10*v + int(c-'0')
		}
		if v > 255 {
			return 0, false
		}
		a = a<<8 | proto.Addr(v)
	}
	return a, true
}

// match finds the nodes that a query is about.
func (b *Book) match(q *Query) []*node {
	found := make([]*node, 0, len(b.nodes))
	text := []byte(strings.ToLower(strings.TrimSpace(q.Text)))
	var buf []byte
	for _, n := range b.nodes {
		if n == nil || q.State != "" && stateNames[n.state] != q.State || q.Phase != "" && phaseNames[n.phase] != q.Phase {
			continue
		}
		if len(text) > 0 {
			if buf = b.searchable(n, buf[:0]); !bytes.Contains(buf, text) {
				continue
			}
		}
		found = append(found, n)
	}
	return found
}

// searchable writes what the text of a query is looked for in.
func (b *Book) searchable(n *node, to []byte) []byte {
	to = append(n.hw.append(to), '\n')
	if n.addr != 0 {
		for i := 3; i >= 0; i-- {
			to = append(strconv.AppendUint(to, uint64(n.addr>>(8*i)&255), 10), '.')
		}
		to[len(to)-1] = '\n'
	}
	to = append(append(to, b.hosts[n.hw]...), '\n')
	to = append(to, b.text(n.file)...)
	for i, c := range to {
		if c >= 'A' && c <= 'Z' {
			to[i] = c + 'a' - 'A'
		}
	}
	return to
}

// worst ranks states: what somebody must look at comes first.
var worst = [...]int{booting: 1, stuck: 0, done: 2, system: 3}

// order sorts nodes.
func (b *Book) order(list []*node, by string) {
	mac := func(x, y *node) int {
		if d := cmp.Compare(x.hw.n, y.hw.n); d != 0 {
			return d
		}
		if d := bytes.Compare(x.hw.b[:], y.hw.b[:]); d != 0 {
			return d
		}
		return cmp.Compare(x.id, y.id)
	}
	var less func(x, y *node) int
	switch by {
	case "name":
		less = func(x, y *node) int {
			p, q := b.hosts[x.hw], b.hosts[y.hw]
			if (p == "") != (q == "") { // those with a name first
				return cmp.Compare(q, p)
			}
			return cmp.Compare(p, q)
		}
	case "mac":
		less = mac
	case "address":
		less = func(x, y *node) int { return cmp.Compare(x.addr-1, y.addr-1) } // those without one last
	case "started":
		less = func(x, y *node) int { return cmp.Compare(y.started, x.started) }
	default:
		less = func(x, y *node) int {
			if d := cmp.Compare(worst[x.state], worst[y.state]); d != 0 {
				return d
			}
			if x.state == done { // the slowest boot
				return cmp.Compare(y.ended-y.started, x.ended-x.started)
			}
			return cmp.Compare(x.started, y.started)
		}
	}
	slices.SortFunc(list, func(x, y *node) int {
		if d := less(x, y); d != 0 {
			return d
		}
		return mac(x, y)
	})
}
