package crash

import (
	"bytes"
	"fmt"
	"time"

	"bootstorm/bench"
	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

var bootFiles = map[string][]byte{
	"loader": bytes.Repeat([]byte("loader!"), 3000),
	"script": []byte("#!ipxe\nimgfetch tftp://${next-server}/kernel\n"),
	"kernel": bytes.Repeat([]byte("kernel"), 5000),
}

// contents is what simulated nodes expect to load.
func contents() *bench.Contents {
	var files []*bench.File
	for name, data := range bootFiles {
		files = append(files, &bench.File{Name: name, Data: data})
	}
	return bench.NewContents(files...)
}

// crowd is everything that any simulated client was ever told by an ACK.
type crowd struct {
	address map[proto.MAC]proto.Addr
	holder  map[proto.Addr]proto.MAC
	acks    int // seen, repeated ones included
	offers  int
	wrong   []string

	// An offer is not on disk: a server that is killed has forgotten it.
	life  int // of the server: how often it was killed
	open  map[proto.MAC]promise
	cut   int // nodes with an offer and no ACK when the server was killed
	kept  int // of those: acknowledged with that address when they asked on
	naks  int // of those: told by a NAK to begin anew
	moved int // of those: offered another address by a later life

	packet  proto.Packet
	options dhcp.Options
}

// promise is an offer that is not acknowledged.
type promise struct {
	addr proto.Addr
	life int  // of the server that made it
	nak  bool // a later one did not want to know
}

func newCrowd() *crowd {
	return &crowd{address: map[proto.MAC]proto.Addr{}, holder: map[proto.Addr]proto.MAC{}, open: map[proto.MAC]promise{}}
}

// killed notes that the server was killed, and that all it had sent is here.
func (c *crowd) killed() {
	for mac := range c.open {
		if _, ok := c.address[mac]; ok {
			delete(c.open, mac) // it has its lease, whatever comes of this offer
		} else if c.open[mac].life == c.life {
			c.cut++
		}
	}
	c.life++
}

// restarts says what became of the offers.
func (c *crowd) restarts() string {
	return fmt.Sprintf("%d nodes had an offer and no ACK when the server was killed: asking on, %d were acknowledged and %d got a NAK; %d were later offered another address; no node with an ACK got a NAK or another address",
		c.cut, c.kept, c.naks, c.moved)
}

// see takes note of a frame that reached the nodes. Leases are long and none is
// given up, so whoever has an address keeps it, and has it alone.
func (c *crowd) see(frame []byte, checksum bool) {
	p := &c.packet
	if proto.ParseFrame(p, frame, checksum) != proto.OK || p.Kind != proto.KindUDP || p.SrcPort != proto.PortBOOTPServer || !c.options.Parse(p.Payload) {
		return
	}
	h := dhcp.View(p.Payload)
	mac, addr := proto.MAC(h.CHAddr()[:6]), h.YIAddr()
	switch kind, _ := c.options.MessageType(); kind {
	case dhcp.Offer:
		c.offers++
		if had, ok := c.open[mac]; ok && had.life < c.life && had.addr != addr {
			c.moved++
		}
		if mac[0] == 0x52 && mac[1] == 0x54 { // one of the storms' nodes, who mean it
			c.open[mac] = promise{addr: addr, life: c.life}
		}
	case dhcp.Ack:
		c.acks++
		if had, ok := c.address[mac]; ok && had != addr {
			c.wrong = append(c.wrong, fmt.Sprintf("%s had %s and was then given %s", mac, had, addr))
		}
		if other, ok := c.holder[addr]; ok && other != mac {
			c.wrong = append(c.wrong, fmt.Sprintf("%s was given to %s, and %s has it", addr, mac, other))
		}
		c.address[mac], c.holder[addr] = addr, mac
		if had, ok := c.open[mac]; ok && had.life < c.life && had.addr == addr {
			c.kept++
		}
		delete(c.open, mac)
	case dhcp.Nak:
		switch had, ok := c.open[mac]; {
		case c.address[mac] != 0:
			c.wrong = append(c.wrong, fmt.Sprintf("%s has %s from an ACK and got a NAK", mac, c.address[mac]))
		case ok && had.life < c.life:
			if !had.nak {
				c.naks++
			}
			had.nak = true
			c.open[mac] = had
		default:
			c.wrong = append(c.wrong, fmt.Sprintf("%s got a NAK from the server that offered it %s", mac, had.addr))
		}
	}
}

// missing compares with a lease file: what a client was told must be there, and
// no node may have two addresses.
func (c *crowd) missing(path string) (bad []string) {
	r, err := lease.Read(path)
	if err != nil {
		return []string{err.Error()}
	}
	found, node := map[proto.Addr]dhcp.HW{}, map[dhcp.HW]proto.Addr{}
	for i := range r.Leases {
		l := &r.Leases[i]
		if l.State != batch.LeaseActive {
			continue
		}
		if other, ok := node[l.HW]; ok {
			bad = append(bad, fmt.Sprintf("%s and %s are both leased to %x", other, l.Addr, l.HW.Addr[:6]))
		}
		found[l.Addr], node[l.HW] = l.HW, l.Addr
	}
	for mac, addr := range c.address {
		if hw := found[addr]; hw.Len != 6 || proto.MAC(hw.Addr[:6]) != mac {
			bad = append(bad, fmt.Sprintf("%s was told that it has %s", mac, addr))
		}
	}
	if r.Damaged {
		bad = append(bad, fmt.Sprintf("damaged: %v", r.Warnings))
	}
	return bad
}

// run drives a storm until it is done or until says so.
func (s *site) run(storm *bench.Storm, c *crowd, until func(now time.Duration) bool) {
	s.Helper()
	begin := time.Now()
	storm.Begin(0)
	for !storm.Done() {
		since := time.Since(begin)
		if until(since) {
			return
		}
		now := int64(since)
		_, err := s.conn.Receive(func(frame []byte, checksum bool) {
			c.see(frame, checksum)
			storm.Receive(now, frame, checksum)
		})
		s.must(err)
		storm.Advance(now)
		s.must(s.conn.Flush())
		storm.Drain(now, s.conn.Queue)
		s.must(s.conn.Flush())
		s.must(s.conn.Wait(min(max(storm.Deadline()-now, 0), int64(5*time.Millisecond))))
	}
}

// drain takes the frames that are on their way.
func (s *site) drain(c *crowd) {
	s.Helper()
	for n := 1; n > 0; {
		s.must(s.conn.Wait(int64(20 * time.Millisecond)))
		var err error
		n, err = s.conn.Receive(c.see)
		s.must(err)
	}
}

// ask has nodes come back with INIT-REBOOT and tells how many were acknowledged
// with the address that they had; crowd.wrong knows of other answers. Nodes that
// get no answer ask again until the limit.
func (s *site) ask(c *crowd, nodes map[proto.MAC]proto.Addr, limit time.Duration) (acked int) {
	s.Helper()
	open := map[proto.MAC]bool{}
	for mac := range nodes {
		open[mac] = true
	}
	for end := time.Now().Add(limit); len(open) > 0 && time.Now().Before(end); {
		sent := 0
		for mac := range open {
			if !s.conn.Queue(reboot(mac, nodes[mac])) {
				break
			}
			if sent++; sent == 50 { // no flood: the server shall answer all
				break
			}
		}
		s.must(s.conn.Flush())
		for more := time.Now().Add(200 * time.Millisecond); sent > 0 && time.Now().Before(more); {
			s.must(s.conn.Wait(int64(5 * time.Millisecond)))
			_, err := s.conn.Receive(func(frame []byte, checksum bool) {
				before := c.acks
				if c.see(frame, checksum); c.acks > before {
					mac := proto.MAC(dhcp.View(c.packet.Payload).CHAddr()[:6])
					if open[mac] {
						delete(open, mac)
						sent--
					}
				}
			})
			s.must(err)
		}
	}
	return len(nodes) - len(open)
}

// askOn has the nodes that had an offer when the server was killed send their
// REQUEST again, as firmware does after 4 s, while as many others ask for an
// address, who are first and then never heard of again.
func (s *site) askOn(c *crowd) {
	s.Helper()
	queue := func(frame []byte) {
		for !s.conn.Queue(frame) {
			s.must(s.conn.Flush())
		}
	}
	n := 0
	for mac, had := range c.open {
		if had.life != c.life-1 {
			continue
		}
		n++
		queue(message(proto.MAC{0x52, 0x55, byte(c.life), byte(n >> 16), byte(n >> 8), byte(n)}, dhcp.Discover, 0, 0))
		queue(message(mac, dhcp.Request, had.addr, server))
	}
	s.must(s.conn.Flush())
	s.drain(c)
}

// server is Node 0's address.
var server = proto.AddrOf(10, 0, 0, 1)

// reboot builds a REQUEST of INIT-REBOOT (RFC 2131 section 4.3.2).
func reboot(mac proto.MAC, addr proto.Addr) []byte {
	return message(mac, dhcp.Request, addr, 0)
}

// message builds a broadcast of a client; asked is option 50 and of is option 54,
// the server that it chose, if not 0.
func message(mac proto.MAC, kind dhcp.Type, asked, of proto.Addr) []byte {
	var buf [600]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6
	h.SetXID(uint32(mac[4])<<8 | uint32(mac[5]))
	copy(h.CHAddr()[:], mac[:])
	w.Option(dhcp.OptMessageType, []byte{byte(kind)})
	if asked != 0 {
		b := asked.Bytes()
		w.Option(dhcp.OptRequestedAddr, b[:])
	}
	if of != 0 {
		b := of.Bytes()
		w.Option(dhcp.OptServerID, b[:])
	}
	payload := buf[:w.End()]
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, mac, proto.Broadcast, 0, proto.Limited, proto.PortBOOTPClient, proto.PortBOOTPServer, 0, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}
