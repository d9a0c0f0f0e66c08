package pcap

import (
	"errors"
	"slices"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Server is the captured server.
type Server struct {
	MAC  proto.MAC
	Addr proto.Addr
	Mask proto.Addr // of its subnet
}

// Learned is a boot file as the captured transfers show it.
type Learned struct {
	Name  string // as the client asked for it
	Size  int64
	Ends  int64 // how many bytes longer its netascii form is: line ends (RFC 764)
	Exact bool  // the size is known, not a lower bound from an aborted transfer
}

// Survey is what the captured server said and did.
type Survey struct {
	Server    Server
	Clients   []proto.MAC   // senders of DHCP and TFTP requests, in the order of their first
	Files     []Learned     // in the order of their first request
	WindowMax int           // smallest window that a client got that had asked for a larger one; 0: all got what they asked for
	Frames    int           // client frames in the capture
	Held      []batch.Lease // leases that clients must have had before the capture began

	start     int64
	replies   []*reply
	at        map[int]*reply    // DHCP answers by record
	transfers table             // TFTP exchanges
	asked     map[int]*exchange // by record of a client's frame
	filled    map[int]int       // acknowledged block index by record of an ACK
	ports     map[uint16]bool   // UDP ports that the captured server transferred from
	neighbors map[proto.Addr]proto.MAC
	given     map[proto.Addr]map[proto.MAC]bool
	requests  map[identity][]request // client messages by transaction, in order
	seen      map[proto.MAC]bool
}

// request is a client's DHCP message.
type request struct {
	record int
	at     int64
	text   string
	mac    proto.MAC
	chosen bool // it names a server: it is part of an exchange, not about a lease from before
}

// ErrNoServer says that nothing in a capture answers DHCP or TFTP.
var ErrNoServer = errors.New("no DHCP or TFTP server is seen in the capture: name it")

// Look surveys a capture. server may be zero: then the one is taken that sent
// the most DHCP answers, or was asked for the most files.
func Look(c *Capture, server Server) (*Survey, error) {
	s := &Survey{
		Server: server, at: make(map[int]*reply), asked: make(map[int]*exchange), filled: make(map[int]int), ports: make(map[uint16]bool),
		neighbors: make(map[proto.Addr]proto.MAC), given: make(map[proto.Addr]map[proto.MAC]bool),
		requests: make(map[identity][]request), seen: make(map[proto.MAC]bool),
	}
	if s.Server.MAC == (proto.MAC{}) || s.Server.Addr == 0 {
		s.Server = guess(c, server)
	}
	if s.Server.MAC == (proto.MAC{}) || s.Server.Addr == 0 {
		return s, ErrNoServer
	}
	if len(c.Records) > 0 {
		s.start = c.Records[0].Time
	}
	for i := range c.Records {
		s.record(i, &c.Records[i])
	}
	s.finish()
	return s, nil
}

// guess finds the server by majority. What known already says is kept.
func guess(c *Capture, known Server) Server {
	votes := make(map[Server]int)
	for i := range c.Records {
		b := c.Records[i].Data
		v := look(b)
		if !v.udp() {
			continue
		}
		switch {
		case v.srcPort == proto.PortBOOTPServer && v.src != 0:
			// An answer says more than any number of requests to a file server: relays
			// and gateways receive those for others.
			votes[Server{MAC: srcMAC(b), Addr: v.src}] += 1000
		case v.dstPort == proto.PortTFTP && dstMAC(b) != proto.Broadcast:
			votes[Server{MAC: dstMAC(b), Addr: v.dst}]++
		}
	}
	best, most := known, 0
	for s, n := range votes {
		fits := (known.MAC == s.MAC || known.MAC == proto.MAC{}) && (known.Addr == s.Addr || known.Addr == 0)
		// Equal votes are decided by the address, so that two runs agree.
		if fits && (n > most || n == most && s.Addr < best.Addr) {
			best, most = s, n
		}
	}
	best.Mask = known.Mask
	return best
}

// record takes one frame.
func (s *Survey) record(i int, r *Record) {
	if len(r.Data) < proto.EthernetLen {
		return
	}
	v := look(r.Data)
	if srcMAC(r.Data) == s.Server.MAC {
		s.fromServer(i, r, &v)
		return
	}
	s.Frames++
	s.neighbor(r.Data, &v)
	if !v.udp() {
		return
	}
	switch {
	case v.dstPort == proto.PortBOOTPServer || v.dstPort == proto.PortPXE:
		s.dhcpRequest(i, r, &v)
	case v.dst == s.Server.Addr && (v.dstPort == proto.PortTFTP || s.ports[v.dstPort]):
		s.tftpRequest(i, r, &v)
	}
}

// client notes a machine that asks for service.
func (s *Survey) client(m proto.MAC) {
	if !s.seen[m] {
		s.seen[m] = true
		s.Clients = append(s.Clients, m)
	}
}

// dhcpRequest keeps what a client asked, for the answers of both sides.
func (s *Survey) dhcpRequest(i int, r *Record, v *view) {
	m, ok := parseDHCP(v.body(r.Data))
	if !ok {
		return
	}
	s.client(srcMAC(r.Data))
	id := m.identity
	id.typ = 0
	s.requests[id] = append(s.requests[id], request{record: i, at: r.Time - s.start, text: m.describe(), mac: srcMAC(r.Data),
		chosen: m.addr(dhcp.OptServerID) != 0})
}

// answered fills in what a DHCP answer sent after the given record answers: the
// latest message of its transaction, which it returns.
func (s *Survey) answered(a *reply, record int) (last request) {
	id := a.identity
	id.typ = 0
	last = request{record: record, text: "nothing", mac: a.message.mac()}
	for _, q := range s.requests[id] {
		if q.record <= record {
			last = q
		}
	}
	a.record, a.at, a.mac, a.request = last.record, last.at, last.mac, last.text
	return last
}

// tftpRequest takes what a client sent to port 69 or to a transfer's port.
func (s *Survey) tftpRequest(i int, r *Record, v *view) {
	raw := v.body(r.Data)
	p, ok := parseTFTP(raw, v.length)
	if !ok {
		p.op = 0
	}
	from := endpoint{v.src, v.srcPort}
	e := s.transfers.current[from]
	// ACK and ERROR continue what the endpoint began, also at a server that runs
	// its transfers from port 69. From an unknown endpoint they are requests of
	// their own kind, whose answer (none) is compared as well.
	if v.dstPort == proto.PortTFTP && p.op != tftpAck && p.op != tftpError || e == nil {
		s.client(srcMAC(r.Data))
		e, _ = s.transfers.begin(i, r.Time-s.start, from, srcMAC(r.Data), raw, p)
		s.asked[i] = e
		return
	}
	s.asked[i] = e
	e.progressed = true
	if p.op == tftpAck {
		if index, ok := e.theirs.acknowledged(p.block); ok {
			s.filled[i] = index
		}
	}
}

// fromServer takes a frame of the captured server. Its ARP, its echo requests and
// all that is not IPv4 belong to its operating system and are left alone.
func (s *Survey) fromServer(i int, r *Record, v *view) {
	if v.etherType != proto.EtherTypeIPv4 || v.transport == 0 || v.rest {
		return
	}
	if v.protocol == proto.ProtocolICMP {
		s.unreachable(r.Data, v)
		return
	}
	if !v.udp() {
		return
	}
	if v.srcPort == proto.PortBOOTPServer || v.srcPort == proto.PortPXE {
		s.dhcpReply(i, r, v)
		return
	}
	// The port says nothing: each transfer has its own (RFC 1350 section 4).
	e := s.transfers.current[endpoint{v.dst, v.dstPort}]
	if p, ok := parseTFTP(v.body(r.Data), v.length); ok && e != nil {
		s.ports[v.srcPort] = s.ports[v.srcPort] || v.srcPort != proto.PortTFTP
		e.theirs.add(&p)
	}
}

// unreachable notes a port unreachable that refused a request to port 69.
func (s *Survey) unreachable(b []byte, v *view) {
	src, dst, ok := quoted(b[v.transport:])
	if ok && dst.port == proto.PortTFTP {
		if e := s.transfers.current[src]; e != nil {
			e.theirs.unreachable = true
		}
	}
}

// quoted reads the UDP datagram that an ICMP port unreachable message quotes.
func quoted(b []byte) (src, dst endpoint, ok bool) {
	const at = proto.ICMPLen
	if len(b) < at+proto.IPv4Len+4 || b[0] != 3 || b[1] != 3 || b[at+9] != proto.ProtocolUDP {
		return src, dst, false
	}
	n := at + int(b[at]&15)*4
	if n < at+proto.IPv4Len || n+4 > len(b) {
		return src, dst, false
	}
	src = endpoint{proto.AddrFrom((*[4]byte)(b[at+12 : at+16])), uint16(b[n])<<8 | uint16(b[n+1])}
	dst = endpoint{proto.AddrFrom((*[4]byte)(b[at+16 : at+20])), uint16(b[n+2])<<8 | uint16(b[n+3])}
	return src, dst, true
}

// dhcpReply keeps an answer of the captured server, and learns the netmask from
// it: without a manifest that is where our own interface gets it from.
func (s *Survey) dhcpReply(i int, r *Record, v *view) {
	m, ok := parseDHCP(v.body(r.Data))
	if !ok || m.op != dhcp.BootReply {
		return
	}
	a := &reply{message: m, fields: append(m.fields, delivery(r.Data, v, &m)...), at: r.Time - s.start}
	q := s.answered(a, i)
	s.replies = append(s.replies, a)
	s.at[i] = a
	if mask := m.addr(dhcp.OptSubnetMask); mask != 0 && s.Server.Mask == 0 {
		s.Server.Mask = mask
	}
	if m.typ == dhcp.Ack || m.typ == dhcp.BOOTP {
		if m.typ == dhcp.Ack && !q.chosen && q.text != "nothing" && len(s.given[m.yiaddr]) == 0 {
			s.held(r.Time, &m)
		}
		s.give(m.yiaddr, m.mac())
	}
}

// held notes a lease that the server confirmed without having given it in the
// capture. How old it was is not known: half its time, when clients renew.
func (s *Survey) held(at int64, m *message) {
	seconds := int64(m.addr(dhcp.OptLeaseTime)) // four bytes, like an address
	if m.yiaddr == 0 || seconds == 0 {
		return // the answer to an INFORM, or to nothing sensible
	}
	now := at / batch.Second
	l := batch.Lease{Seq: uint64(len(s.Held) + 1), Addr: m.yiaddr, State: batch.LeaseActive, HW: m.hw,
		Starts: now - seconds/2, Ends: now - seconds/2 + seconds, CLTT: now - seconds/2}
	l.ClientIDLen = uint8(copy(l.ClientID[:], m.get(dhcp.OptClientID)))
	s.Held = append(s.Held, l)
}

// give notes that the server gave an address to a machine.
func (s *Survey) give(a proto.Addr, m proto.MAC) {
	if s.given[a] == nil {
		s.given[a] = make(map[proto.MAC]bool)
	}
	s.given[a][m] = true
}

// neighbor notes who answers for an address: the sender of an ARP reply or of
// an ICMP echo reply.
func (s *Survey) neighbor(b []byte, v *view) {
	var p proto.Packet
	switch v.etherType {
	case proto.EtherTypeARP:
		if proto.ParseFrame(&p, b, false) == proto.OK && p.ARP.Op == proto.ARPReply {
			s.hold(p.ARP.SenderAddr, p.ARP.SenderMAC)
		}
	case proto.EtherTypeIPv4:
		if v.protocol == proto.ProtocolICMP && v.transport > 0 && !v.rest && v.transport < len(b) && b[v.transport] == 0 {
			s.hold(v.src, srcMAC(b))
		}
	}
}

// hold notes a neighbour unless the server itself gave it the address before.
func (s *Survey) hold(a proto.Addr, m proto.MAC) {
	if a != 0 && !s.given[a][m] {
		s.neighbors[a] = m
	}
}

// finish draws conclusions from the whole capture.
func (s *Survey) finish() {
	if s.Server.Mask == 0 {
		s.Server.Mask = 0xffffff00 // no answer named one: a TFTP capture, where it hardly matters
	}
	for _, e := range s.transfers.list {
		s.learnFile(e)
		s.learnWindow(e)
	}
}

// learnWindow lowers WindowMax to what the server granted (RFC 7440); a server
// that does not know the option grants one block.
func (s *Survey) learnWindow(e *exchange) {
	value, ok := e.request.option("windowsize")
	asked := number(value, 0)
	if !ok || e.theirs.last == 0 && !e.theirs.oacked {
		return
	}
	granted := int64(1)
	p := tftpPacket{options: e.theirs.oack}
	if v, ok := p.option("windowsize"); ok {
		granted = max(1, number(v, 1))
	}
	if granted < asked && (s.WindowMax == 0 || granted < int64(s.WindowMax)) {
		s.WindowMax = int(granted)
	}
}

// file returns the entry of a name, made if need be.
func (s *Survey) file(name string) *Learned {
	i := slices.IndexFunc(s.Files, func(f Learned) bool { return f.Name == name })
	if i < 0 {
		s.Files = append(s.Files, Learned{Name: name})
		i = len(s.Files) - 1
	}
	return &s.Files[i]
}
