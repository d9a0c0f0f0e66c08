package bench

import (
	"math"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Storm is a number of nodes on one segment. A driver gives it the frames that
// reach the segment and the time, takes the frames that the nodes send, and
// calls Advance when Deadline is reached. Times are nanoseconds from any start.
type Storm struct {
	config Config
	steps  [clients][]step // of every boot, by the client that a node begins with
	files  *Contents
	nodes  []node
	timers *schedule
	ledger *ledger
	stats  stats
	out    Out
	line   timeline
	left   int // nodes with boots to do
	began  int64

	in, outward *wire // nil on a perfect link

	packet  proto.Packet
	options dhcp.Options
	scratch [1514]byte
	text    [32]byte
}

// NewStorm makes the nodes; they are switched on from Begin on.
func NewStorm(c Config, files *Contents) (*Storm, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Storm{config: c, files: files, nodes: make([]node, c.Nodes), timers: newSchedule(c.Nodes),
		ledger: newLedger(c.Nodes), left: c.Nodes, line: newTimeline(c.Nodes)}
	for i := range s.nodes {
		who := c.Clients.of(i)
		if s.steps[who] == nil {
			s.steps[who] = stepsOf(&c, who)
		}
		s.nodes[i].initialize(s, i)
	}
	if !c.Link.none() {
		s.in, s.outward = newWire(c.Link, c.Seed, 1), newWire(c.Link, c.Seed, 2)
	}
	return s, nil
}

// Begin switches the nodes on, spread over Config.Ramp.
func (s *Storm) Begin(now int64) {
	s.began, s.stats.last, s.line.due = now, now, now+s.line.every
	for i := range s.nodes {
		// In floating point: the product of a long ramp and many nodes is large.
		at := now + int64(float64(s.config.Ramp)*float64(i)/float64(len(s.nodes)))
		s.nodes[i].deadline = at
		s.timers.set(i, at)
	}
}

// Receive takes a frame that has reached the segment. checksum is false when
// its UDP checksum is known to be unfinished.
func (s *Storm) Receive(now int64, frame []byte, checksum bool) {
	if s.in != nil {
		s.in.enter(now, frame, checksum)
		return
	}
	s.deliver(now, frame, checksum)
}

// deliver hands a frame to the node it is for. A broadcast reaches all in
// principle; a DHCP reply names its node, and ARP concerns the holder of the
// address asked for, so only that one is called.
func (s *Storm) deliver(now int64, frame []byte, checksum bool) {
	p := &s.packet
	if d := proto.ParseFrame(p, frame, checksum); d != proto.OK {
		if d != proto.DropEtherType && d != proto.DropProtocol { // the kernel's IPv6 and IGMP are no fault
			s.stats.damaged++
		} else {
			s.advertised(now, frame)
		}
		return
	}
	id := s.recipient(now, p)
	if id < 0 {
		if p.Kind != proto.KindARP || unicast(p) { // probes of free addresses are as it should be
			s.stats.foreign++
		}
		return
	}
	n := &s.nodes[id]
	n.receive(now, p)
	s.timers.set(id, n.next())
}

// recipient finds the node that a packet concerns, -1 if none.
func (s *Storm) recipient(now int64, p *proto.Packet) int {
	switch {
	case unicast(p):
		return s.config.nodeOf(p.DstMAC)
	case p.Kind == proto.KindARP:
		return s.ledger.of(now, p.ARP.TargetAddr)
	case p.Kind == proto.KindUDP && p.DstPort == proto.PortBOOTPClient:
		if h := dhcp.View(p.Payload); h != nil {
			return s.config.nodeOf(proto.MAC(h.CHAddr()[:6]))
		}
	}
	return -1
}

// Advance does everything that is due at now.
func (s *Storm) Advance(now int64) {
	for s.Some(now, math.MaxInt) {
	}
}

// Some does what is due at now until so many frames wait for Drain, and tells whether
// there is more to do: 10,000 nodes that are switched on at once need not have
// composed the last DISCOVER before the first is sent.
func (s *Storm) Some(now int64, frames int) (more bool) {
	if now >= s.line.due { // what holds until now; the picture draws steps
		s.line.sample(now, now-s.began)
	}
	if s.in != nil {
		for f := s.in.leave(now); f != nil; f = s.in.leave(now) {
			s.deliver(now, f.data, f.checksum)
			s.in.done(f)
		}
	}
	for s.timers.next() <= now {
		if s.out.Len() >= frames {
			return true
		}
		id := s.timers.first()
		n := &s.nodes[id]
		n.expire(now)
		s.timers.set(id, n.next())
	}
	return false
}

// Deadline is when Advance must be called next; math.MaxInt64 when all is done.
func (s *Storm) Deadline() int64 {
	d := s.timers.next()
	if s.in != nil {
		d = min(d, s.in.next(), s.outward.next())
	}
	return d
}

// Drain calls f for every frame that leaves the segment at now, in order. The
// frame is valid until f returns. If f returns false the rest waits.
func (s *Storm) Drain(now int64, f func(frame []byte) bool) {
	if s.outward == nil { // a perfect link: straight from the nodes to the driver
		i := 0
		for i < s.out.Len() && f(s.out.Frame(i)) {
			i++
		}
		s.out.keepFrom(i)
		return
	}
	for i := range s.out.Len() {
		s.outward.enter(now, s.out.Frame(i), true)
	}
	s.out.Reset()
	for w := s.outward; w.next() <= now; {
		if !f(w.queue[0].data) {
			return
		}
		w.done(w.leave(now))
	}
}

// Done tells whether every node has done its boots.
func (s *Storm) Done() bool { return s.left == 0 }

// asked tells whether every node has been switched on and what it said has left: a
// node's first message is a DISCOVER.
func (s *Storm) asked() bool {
	return s.stats.started >= len(s.nodes) && s.out.Len() == 0 && (s.outward == nil || s.outward.next() == math.MaxInt64)
}
