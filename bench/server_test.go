package bench

import (
	"bytes"
	"strconv"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

var (
	serverMAC  = proto.MAC{0x02, 0, 0, 0, 0, 1}
	serverAddr = proto.AddrOf(192, 168, 1, 1)
)

// fixture is a small server made by hand: right in everything unless a test
// bends it. It has no timers: what is lost, the client must ask for again.
type fixture struct {
	t      *testing.T
	files  *Contents
	out    Out
	leases map[proto.MAC]proto.Addr
	next   proto.Addr
	reads  map[tid]*fixtureRead
	now    int64

	// what a test may change; a nil result drops what it was given
	bend    func(to dhcp.Type, msg []byte, dst *address) []byte // a DHCP reply
	reshape func(frame []byte) []byte                           // every frame sent
	addrOf  func(m proto.MAC) proto.Addr
	oack    func(name string, granted []byte) []byte       // the answer to a read request
	block   func(name string, number int, b []byte) []byte // a block of DATA
	hear    func(p *proto.Packet)                          // every frame of a node
	window  int                                            // granted at most
	mute    bool                                           // hears DHCP, says nothing
	silent  bool                                           // likewise TFTP

	// what the nodes did
	seen     []seen
	requests []request
	refused  int // ICMP port unreachable
	errors   int // TFTP ERROR
}

// seen is a DHCP message that a node sent.
type seen struct {
	at   int64
	kind dhcp.Type
	msg  []byte
}

// times lists when messages of a type were sent, in milliseconds.
func (f *fixture) times(kind dhcp.Type) (ms []int64) {
	for _, s := range f.seen {
		if s.kind == kind {
			ms = append(ms, s.at/batch.Millisecond)
		}
	}
	return ms
}

// request is a read request that a node sent: when (milliseconds), from where,
// and its texts with spaces between.
type request struct {
	at   int64
	port uint16
	text string
}

type tid struct {
	addr proto.Addr
	port uint16
}

type fixtureRead struct {
	name            string
	data            []byte
	blksize, window int
}

func newFixture(t *testing.T, files *Contents) *fixture {
	return &fixture{t: t, files: files, leases: map[proto.MAC]proto.Addr{}, next: proto.AddrOf(192, 168, 1, 2),
		reads: map[tid]*fixtureRead{}, window: 4}
}

func (f *fixture) handle(now int64, frame []byte) {
	f.now = now
	var p proto.Packet
	if d := proto.ParseFrame(&p, frame, true); d != proto.OK {
		f.t.Fatalf("a node sent a frame that is refused: %s: % x", d, frame)
	}
	if f.hear != nil {
		f.hear(&p)
	}
	switch {
	case p.Kind == proto.KindARP:
		if p.ARP.Op == proto.ARPRequest && p.ARP.TargetAddr == serverAddr {
			f.out.arp(p.ARP.SenderMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: serverMAC, SenderAddr: serverAddr,
				TargetMAC: p.ARP.SenderMAC, TargetAddr: p.ARP.SenderAddr})
		}
	case p.Kind != proto.KindUDP:
		f.refused++
	case p.DstPort == proto.PortBOOTPServer:
		f.dhcp(&p)
	case p.DstPort == proto.PortTFTP:
		f.tftp(&p)
	}
}

func (f *fixture) dhcp(p *proto.Packet) {
	req := dhcp.View(p.Payload)
	var o dhcp.Options
	if !o.Parse(p.Payload) {
		f.t.Fatal("a node sent options that cannot be read")
	}
	typ, _ := o.MessageType()
	f.seen = append(f.seen, seen{f.now, typ, bytes.Clone(p.Payload)})
	if f.mute {
		return
	}
	kind := dhcp.Offer
	if typ == dhcp.Request {
		kind = dhcp.Ack
	}
	mac := proto.MAC(req.CHAddr()[:6])
	var buf [1500]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	copy(h[:], req[:])
	clear(h[12:28])
	h.SetOp(dhcp.BootReply)
	h.SetYIAddr(f.addr(mac))
	h.SetSIAddr(serverAddr)
	file := "ipxe.efi"
	if v, _ := o.Get(dhcp.OptUserClass); string(v) == "iPXE" {
		file = "refind.pxe"
	}
	copy(h.File()[:], file)
	server := serverAddr.Bytes()
	w.Option(53, []byte{byte(kind)})
	w.Option(54, server[:])
	w.Option(51, []byte{0, 0, 0x1c, 0x20})
	w.Option(1, []byte{255, 255, 0, 0})
	w.Option(3, server[:])
	dst := address{mac, h.YIAddr(), proto.PortBOOTPClient}
	if req.Flags() == dhcp.FlagBcast {
		dst = address{proto.Broadcast, proto.Limited, proto.PortBOOTPClient}
	}
	if req.CIAddr() != 0 {
		dst = address{mac, req.CIAddr(), proto.PortBOOTPClient}
	}
	src := address{serverMAC, serverAddr, proto.PortBOOTPServer}
	msg := buf[:w.End()]
	if f.bend != nil {
		msg = f.bend(typ, msg, &dst)
	}
	if msg != nil {
		f.out.udp(src, dst, 0, msg)
	}
}

func (f *fixture) addr(m proto.MAC) proto.Addr {
	if f.addrOf != nil {
		return f.addrOf(m)
	}
	if f.leases[m] == 0 {
		f.leases[m] = f.next
		f.next++
	}
	return f.leases[m]
}

func (f *fixture) tftp(p *proto.Packet) {
	key := tid{p.Src, p.SrcPort}
	send := func(b []byte) {
		f.out.udp(address{serverMAC, serverAddr, proto.PortTFTP}, address{p.SrcMAC, p.Src, p.SrcPort}, 0, b)
	}
	switch p.Payload[1] {
	case tftpRRQ:
		text := string(bytes.ReplaceAll(p.Payload[2:], []byte{0}, []byte{' '}))
		f.requests = append(f.requests, request{f.now / batch.Millisecond, p.SrcPort, text})
		if answer := f.begin(key, p.Payload[2:]); answer != nil && !f.silent {
			send(answer)
		}
	case tftpAck:
		r := f.reads[key]
		if r == nil {
			return
		}
		acked := int(p.Payload[2])<<8 | int(p.Payload[3])
		for i := acked; i < acked+r.window && i*r.blksize <= len(r.data); i++ {
			b := r.data[i*r.blksize : min((i+1)*r.blksize, len(r.data))]
			if f.block != nil {
				b = f.block(r.name, i+1, b)
			}
			if b == nil {
				continue
			}
			send(append([]byte{0, tftpData, byte((i + 1) >> 8), byte(i + 1)}, b...))
		}
	case tftpError:
		f.errors++
		delete(f.reads, key)
	}
}

// begin answers a read request.
func (f *fixture) begin(key tid, b []byte) []byte {
	name := cstring(b)
	file := f.files.Lookup(name)
	if file == nil {
		answer := append([]byte{0, tftpError, 0, 1}, "File not found\x00"...)
		if f.oack != nil {
			answer = f.oack(name, answer)
		}
		return answer
	}
	r := &fixtureRead{name: name, data: file.Data, blksize: 512, window: 1}
	f.reads[key] = r
	answer := []byte{0, tftpOack}
	for rest := b[len(name)+1+len("octet")+1:]; len(rest) > 0; {
		var option, value string
		option, value, rest, _ = pair(rest)
		v, _ := strconv.Atoi(value)
		switch option {
		case "blksize":
			r.blksize = v
		case "windowsize":
			r.window = min(v, f.window)
			value = strconv.Itoa(r.window)
		case "tsize":
			value = strconv.Itoa(len(r.data))
		}
		answer = append(append(append(append(answer, option...), 0), value...), 0)
	}
	if f.oack != nil {
		answer = f.oack(name, answer)
	}
	return answer
}

// testContents are small stand-ins for the guide's files; ipxe.efi ends on a
// block boundary of edk2, so an empty last block is needed.
func testContents() *Contents {
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i*7 + i>>8)
		}
		return b
	}
	script := "#!ipxe\n# tftp://${next-server}/comment\nimgfetch --name refind.conf tftp://${next-server}/refind.conf\n" +
		"imgfetch --name refind tftp://${next-server}/refind_x64.efi\nchain refind\n"
	return NewContents(&File{Name: "ipxe.efi", Data: fill(20 * 1468)}, &File{Name: "refind.pxe", Data: []byte(script)},
		&File{Name: "refind.conf", Data: fill(133)}, &File{Name: "refind_x64.efi", Data: fill(31000)})
}

// play runs a storm against the fixture in virtual time.
func play(t *testing.T, c Config, f *fixture) *Result {
	t.Helper()
	s, err := NewStorm(c, f.files)
	if err != nil {
		t.Fatal(err)
	}
	return playStorm(t, s, f)
}

func playStorm(t *testing.T, s *Storm, f *fixture) *Result {
	t.Helper()
	const latency = 100 * batch.Microsecond
	now := int64(0)
	s.Begin(now)
	for steps := 0; !s.Done(); steps++ {
		if steps > 3_000_000 {
			t.Fatalf("no end: %+v", s.Progress(now))
		}
		s.Advance(now)
		s.Drain(now, func(frame []byte) bool {
			f.handle(now, frame)
			return true
		})
		if f.out.Len() == 0 {
			now = max(now, s.Deadline())
			continue
		}
		now += latency
		for i := range f.out.Len() {
			b := f.out.Frame(i)
			if f.reshape != nil {
				b = f.reshape(b)
			}
			if b != nil {
				s.Receive(now, b, true)
			}
		}
		f.out.Reset()
	}
	return s.Result()
}
