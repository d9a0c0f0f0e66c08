package story

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
	"bootstorm/proto"
)

// find returns the node that an event is about, new if it is not known; nil if
// the event says of nobody.
func (b *Book) find(e *batch.Event, now int64) *node {
	var n *node
	if ofTransfer(e) {
		n = b.byTransfer(e, now)
	} else {
		n = b.byMessage(e, now)
	}
	if n == nil {
		b.ignored++
		return nil
	}
	b.touch(n)
	if e.Kind != batch.EventTransferError || e.Extra != transfer.EndedByTime { // that is the opposite of a sign of life
		n.seen = now
	}
	return n
}

// ofTransfer tells whether an event is TFTP's. Its hardware address is that of
// the frame: a router's, where one is between.
func ofTransfer(e *batch.Event) bool {
	switch e.Kind {
	case batch.EventTransferStart, batch.EventTransferDone, batch.EventTransferProbe, batch.EventTransferError,
		batch.EventTransferProgress, batch.EventNotFound, batch.EventRefused:
		return true
	}
	return e.Kind == batch.EventFull && e.Reason == batch.ReasonTransfersFull
}

// byMessage finds the node of a DHCP event: by its hardware address, which a
// host declaration may have several of.
func (b *Book) byMessage(e *batch.Event, now int64) *node {
	hw := hardwareOf(e)
	if hw.n == 0 { // it named itself by a client identifier only
		return b.byAddress(e.Addr, now)
	}
	id, ok := b.byHW[hw]
	if !ok {
		if id, ok = b.byHost[b.hosts[hw]]; ok && b.hosts[hw] != "" {
			b.byHW[hw] = id
			b.nodes[id].aliases = append(b.nodes[id].aliases, hw)
		} else {
			id = b.add(hw, now)
		}
	}
	n := b.nodes[id]
	n.hw, n.spoke = hw, true
	return n
}

// byTransfer finds the node of a TFTP event: by the address that it was given,
// else by its hardware address, as far as that is its own.
func (b *Book) byTransfer(e *batch.Event, now int64) *node {
	if id, ok := b.byAddr[e.Addr]; ok {
		return b.nodes[id]
	}
	hw := hardwareOf(e)
	if hw.n == 0 {
		return b.byAddress(e.Addr, now)
	}
	id, ok := b.byHW[hw]
	if !ok {
		id = b.add(hw, now)
	}
	n := b.nodes[id]
	// One hardware address with several that never asked for any: a router.
	if n.addr != 0 && n.addr != e.Addr && !n.spoke {
		return b.byAddress(e.Addr, now)
	}
	b.lease(n, e.Addr)
	return n
}

// byAddress finds a node of which no more is known than its address.
func (b *Book) byAddress(a proto.Addr, now int64) *node {
	if a == 0 {
		return nil
	}
	id, ok := b.byAddr[a]
	if !ok {
		id = b.add(hardware{}, now)
		b.lease(b.nodes[id], a)
	}
	return b.nodes[id]
}

// lease notes which address a node has.
func (b *Book) lease(n *node, a proto.Addr) {
	if a == 0 || a == n.addr {
		return
	}
	if id, ok := b.byAddr[a]; ok && id != n.id {
		if was := b.nodes[id]; was.hw.n == 0 { // it was known by its address only: it is this one
			b.remove(was)
		} else {
			was.addr = 0
		}
	}
	b.unlease(n)
	n.addr = a
	b.byAddr[a] = n.id
}

// unlease forgets the address of a node.
func (b *Book) unlease(n *node) {
	if n.addr != 0 && b.byAddr[n.addr] == n.id {
		delete(b.byAddr, n.addr)
	}
	n.addr = 0
}

// add makes a node.
func (b *Book) add(hw hardware, now int64) int32 {
	if len(b.free) == 0 && len(b.nodes) >= b.limit {
		b.remove(b.victim())
		b.replaced++
	}
	var id int32
	if k := len(b.free); k > 0 {
		id, b.free = b.free[k-1], b.free[:k-1]
	} else {
		id = int32(len(b.nodes))
		b.nodes, b.due = append(b.nodes, nil), append(b.due, never)
	}
	n := &node{id: id, hw: hw, started: now, since: now, seen: now, boots: 1, failedSince: now, arch: noArch}
	b.nodes[id], b.due[id] = n, never
	b.states[booting]++
	b.phases[discovering]++
	n.older, n.newer = b.newest, none
	if b.newest != none {
		b.nodes[b.newest].newer = id
	} else {
		b.oldest = id
	}
	b.newest = id
	if hw.n > 0 {
		b.byHW[hw] = id
		n.aliases = append(n.aliases, hw)
		if host := b.hosts[hw]; host != "" {
			b.byHost[host] = id
		}
	}
	return id
}

// noArch is an architecture that was not sent.
const noArch = 0xffff

// victimSearch is how many of the nodes that were silent for longest are looked
// at for one that has booted.
const victimSearch = 64

// victim is the node that makes room for another.
func (b *Book) victim() *node {
	for id, k := b.oldest, 0; id != none && k < victimSearch; id, k = b.nodes[id].newer, k+1 {
		if s := b.nodes[id].state; s == done || s == system {
			return b.nodes[id]
		}
	}
	return b.nodes[b.oldest]
}

// remove forgets a node.
func (b *Book) remove(n *node) {
	b.states[n.state]--
	if n.state != system {
		b.phases[n.phase]--
	}
	b.unlink(n)
	b.unlease(n)
	for _, hw := range n.aliases {
		if b.byHW[hw] == n.id {
			delete(b.byHW, hw)
		}
		if host := b.hosts[hw]; host != "" && b.byHost[host] == n.id {
			delete(b.byHost, host)
		}
	}
	b.nodes[n.id], b.due[n.id] = nil, never
	b.free = append(b.free, n.id)
}

// touch makes a node the newest of the list.
func (b *Book) touch(n *node) {
	if b.newest == n.id {
		return
	}
	b.unlink(n)
	n.older, n.newer = b.newest, none
	if b.newest != none {
		b.nodes[b.newest].newer = n.id
	} else {
		b.oldest = n.id
	}
	b.newest = n.id
}

// unlink takes a node out of the list.
func (b *Book) unlink(n *node) {
	if n.older != none {
		b.nodes[n.older].newer = n.newer
	} else {
		b.oldest = n.newer
	}
	if n.newer != none {
		b.nodes[n.newer].older = n.older
	} else {
		b.newest = n.older
	}
}
