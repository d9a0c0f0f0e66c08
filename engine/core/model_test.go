package core

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// sim is a network of machines that do everything that DHCP allows, in random
// order, over a wire that loses replies, with a disk that lags and a server
// that crashes and reloads. Its oracle knows what each machine was promised.
type sim struct {
	*world
	rnd   *rand.Rand
	disk  uint64 // records up to here are durable
	nodes []*simNode
	plans []*plan.Plan // to reload
	acks  int
}

// simNode is a machine: what it was offered, and what it was promised.
type simNode struct {
	m       msg
	offered proto.Addr
	addr    proto.Addr       // 0 if it has none
	until   int64            // Mono
	asked   map[uint32]int64 // when it sent the REQUESTs whose answer it still heeds, by xid
}

const simConf = `default-lease-time 600; max-lease-time 1200; min-lease-time 60;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.17; }
host fixed { hardware ethernet 02:00:00:00:0c:00; fixed-address 192.168.1.12; }`

func newSim(t *testing.T, plans []*plan.Plan, seed uint64) *sim {
	s := &sim{world: worldOf(t, smallConfig(plans[0])), rnd: rand.New(rand.NewPCG(seed, 7)), plans: plans}
	s.slow = true
	for n := range byte(12) {
		s.nodes = append(s.nodes, &simNode{m: machine(n), asked: map[uint32]int64{}})
	}
	return s
}

// stage returns the machine as one of the programs that it runs.
func (s *sim) stage(n *simNode) msg {
	switch s.rnd.IntN(4) {
	case 0:
		return n.m.firmware()
	case 1:
		return n.m.ipxe()
	case 2:
		return n.m.system()
	}
	return n.m.with(dhcp.OptHostName, byte('a'+s.rnd.IntN(3)))
}

// step lets one thing happen.
func (s *sim) step() {
	n := s.nodes[s.rnd.IntN(len(s.nodes))]
	m := s.stage(n)
	switch s.rnd.IntN(16) {
	case 0, 1, 2, 3:
		s.send(m.of(dhcp.Discover))
	case 4, 5, 6, 7:
		if n.offered != 0 {
			s.claim(n, m.selecting(n.offered), n.offered)
		}
	case 8:
		a := s.anyAddr()
		s.claim(n, m.rebooting(a), a)
	case 9, 10:
		if n.addr != 0 && n.until > s.now.Mono {
			s.claim(n, m.renewing(n.addr), n.addr)
		}
	case 11:
		if n.addr != 0 {
			s.send(leaving(m, byte(n.addr)))
			n.addr = 0
			clear(n.asked)
		}
	case 12:
		s.quarrel(n, m)
	case 13:
		s.wait(int64(s.rnd.IntN(200)))
	case 14:
		s.sync()
	case 15:
		s.upset()
	}
}

// claim sends a REQUEST. A machine that asks for another address than it has
// uses none meanwhile.
func (s *sim) claim(n *simNode, m msg, a proto.Addr) {
	if n.addr != a {
		n.addr = 0
		clear(n.asked)
	}
	m.xid = s.rnd.Uint32()
	n.asked[m.xid] = s.now.Mono
	s.send(m)
}

func (s *sim) anyAddr() proto.Addr { return host(9 + byte(s.rnd.IntN(10))) }

// quarrel: a DECLINE, or ARP of somebody.
func (s *sim) quarrel(n *simNode, m msg) {
	if n.addr != 0 && s.rnd.IntN(3) == 0 {
		s.send(m.of(dhcp.Decline).asking(n.addr))
		n.addr = 0
		clear(n.asked)
		return
	}
	s.deliver(s.frame(arpFrame(s.anyAddr(), s.nodes[s.rnd.IntN(len(s.nodes))].m.mac)))
}

// upset: a crash, which loses what was not durable, or a reload.
func (s *sim) upset() {
	switch s.rnd.IntN(8) {
	case 0:
		for len(s.journal) > 0 && s.journal[len(s.journal)-1].Seq > s.disk {
			s.journal = s.journal[:len(s.journal)-1]
		}
		s.now.Wall += int64(s.rnd.IntN(5))
		s.now.Mono += 5 * batch.Second
		s.restart(s.plans[0])
	case 1:
		fresh := New(smallConfig(s.plans[s.rnd.IntN(len(s.plans))]))
		s.core.Replace(s.now, fresh)
		s.core = fresh
	}
}

func (s *sim) wait(seconds int64) {
	s.now.Mono += seconds * batch.Second
	s.now.Wall += seconds
	s.deliver(s.tick())
}

// send sends a message; the wire may lose its answer.
func (s *sim) send(m msg) {
	answers := s.frame(m.frame())
	if len(answers) > 1 {
		s.t.Fatalf("%d replies to one message", len(answers))
	}
	s.deliver(answers)
}

// sync lets the disk catch up, as far as it likes.
func (s *sim) sync() {
	if k := len(s.journal); k > 0 {
		if ahead := s.journal[k-1].Seq - s.disk; ahead > 0 {
			s.disk += 1 + s.rnd.Uint64N(ahead)
		}
		s.core.Durable(s.disk, s.tx)
		s.deliver(s.drain(nil))
	}
}

// deliver checks what the server sends and hands it to the machines.
func (s *sim) deliver(answers []*answer) {
	for _, a := range answers {
		n := s.nodes[a.h.CHAddr()[5]]
		switch a.kind {
		case dhcp.Ack:
			s.acks++
			s.checkDurable(a)
			s.checkAlone(n, a)
		case dhcp.Offer:
			s.checkVacant(n, a)
		}
		if s.rnd.IntN(6) > 0 {
			n.hear(a)
		}
	}
}

// hear is the machine's side: it counts its lease from when it asked for it
// (RFC 2131 section 4.4.5), and heeds no answer that it does not wait for.
func (n *simNode) hear(a *answer) {
	asked, waits := n.asked[a.h.XID()]
	switch {
	case a.kind == dhcp.Offer:
		n.offered = a.yiaddr
	case !waits:
	case a.kind == dhcp.Ack:
		n.addr, n.until, n.offered = a.yiaddr, asked+int64(a.seconds())*batch.Second, 0
	case a.kind == dhcp.Nak:
		n.addr, n.offered = 0, 0
		clear(n.asked)
	}
}

// checkDurable: the newest durable record of an acknowledged address is this
// machine's lease, unless it ended since.
func (s *sim) checkDurable(a *answer) {
	if a.yiaddr == host(12) {
		return // the fixed address
	}
	for i := len(s.journal) - 1; i >= 0; i-- {
		r := &s.journal[i]
		if r.Addr != a.yiaddr || r.Seq > s.disk || r.State != batch.LeaseActive {
			continue
		}
		if r.HW.MAC() != proto.MAC(a.h.CHAddr()[:6]) {
			break
		}
		return
	}
	s.t.Fatalf("ACK of %v for %x without a durable record (disk at %d of %d)", a.yiaddr, a.h.CHAddr()[:6], s.disk, len(s.journal))
}

// checkAlone: nobody else was promised the address for now.
func (s *sim) checkAlone(n *simNode, a *answer) {
	for _, other := range s.nodes {
		if other != n && other.addr == a.yiaddr && other.until > s.now.Mono {
			s.t.Fatalf("ACK of %v for %v, which %v has for another %d s", a.yiaddr, n.m.mac, other.m.mac,
				(other.until-s.now.Mono)/batch.Second)
		}
	}
}

// checkVacant: an offer is never of an address that somebody else has.
func (s *sim) checkVacant(n *simNode, a *answer) {
	for _, other := range s.nodes {
		if other != n && other.addr == a.yiaddr && other.until > s.now.Mono {
			s.t.Fatalf("OFFER of %v to %v, which %v has", a.yiaddr, n.m.mac, other.m.mac)
		}
	}
}

// checkTable: every address is in one state, and the free queue holds the free
// ones and no others.
func (s *sim) checkTable() {
	table, free := s.core.table, int32(0)
	for i := range table.Len() {
		if sl := table.At(i); sl.State == batch.LeaseFree && sl.Flags&(binding.Offered|binding.Reserved) == 0 {
			free++
		}
	}
	n := int32(0)
	for i := table.Oldest(0); i >= 0; i = table.After(i) {
		if n++; n > table.Len() {
			s.t.Fatal("the free queue is a circle")
		}
	}
	if free != n || n != table.Free(0) {
		s.t.Fatalf("%d free addresses, %d in the queue, %d counted", free, n, table.Free(0))
	}
}

// TestModel runs the simulation from many seeds. A failure names its seed.
func TestModel(t *testing.T) {
	plans, acks := []*plan.Plan{buildPlan(t, simConf), buildPlan(t, simConf+`option domain-name "d";`)}, 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newSim(t, plans, seed)
			for range 1500 {
				s.step()
				s.checkTable()
			}
			acks += s.acks
		})
	}
	if acks < 5000 {
		t.Errorf("only %d ACKs: the simulation does not do what it should", acks)
	}
}
