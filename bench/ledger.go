package bench

import "bootstorm/proto"

// ledger knows who holds which address: an address belongs to the node that
// last got an ACK for it, until the lease ends or the server gives that node
// another one. It is the judge of "one address, one node".
type ledger struct {
	holder map[proto.Addr]holding
	node   []proto.Addr // by node: the address it holds, 0 if none
}

type holding struct {
	node  int
	until int64
}

func newLedger(nodes int) *ledger {
	return &ledger{holder: make(map[proto.Addr]holding, nodes), node: make([]proto.Addr, nodes)}
}

// grant notes that node was given a until the moment until. It returns the
// node that holds a already, or -1.
func (l *ledger) grant(now int64, a proto.Addr, node int, until int64) int {
	if h, ok := l.holder[a]; ok && h.node != node && h.until > now {
		return h.node
	}
	if old := l.node[node]; old != 0 && old != a && l.holder[old].node == node {
		l.holder[old] = holding{node: node, until: now}
	}
	l.holder[a] = holding{node, until}
	l.node[node] = a
	return -1
}

// of returns the node that holds a, or -1.
func (l *ledger) of(now int64, a proto.Addr) int {
	if h, ok := l.holder[a]; ok && h.until > now {
		return h.node
	}
	return -1
}

// used is how many different addresses were ever given out.
func (l *ledger) used() int { return len(l.holder) }
