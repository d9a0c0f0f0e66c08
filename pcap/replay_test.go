package pcap

import (
	"errors"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Replayed against its own server's answers, no capture has a difference: what
// the replay reports is never its own doing.
func TestReplayOfTheSameServer(t *testing.T) {
	for _, name := range captures(t) {
		r := replayEcho(t, testdata(t, name), nil)
		for _, d := range r.Differences {
			// The kernel's refusals are not the server's, and not echoed.
			if d.Message != "UNREACHABLE" {
				t.Errorf("%s, frame %d: %s: %s: %s | %s | %s", name, d.Record, d.Request, d.Message, d.Field, d.Ours, d.Theirs)
			}
		}
		if r.Frames == 0 || r.Fed == 0 && name != "uefi-x64-pxe-ipv6.pcap" {
			t.Errorf("%s: %d frames, %d fed", name, r.Frames, r.Fed)
		}
	}
}

// tamper makes a change function that edits the first answer that is a DHCP
// message of that type, or a TFTP packet with that opcode if typ is negative.
func tamper(typ int, edit func(b, body []byte) []byte) func(int, []byte) []byte {
	done := false
	return func(_ int, b []byte) []byte {
		v := look(b)
		body := v.body(b)
		m, ok := parseDHCP(body)
		if done || v.srcPort == 67 && (!ok || int(m.typ) != typ) || v.srcPort == 69 && int(body[1]) != -typ {
			return b
		}
		done = true
		if b = edit(b, body); b != nil {
			finishUDP(b, &v)
		}
		return b
	}
}

func TestReplayFindsDifferences(t *testing.T) {
	offer, ack := int(dhcp.Offer), int(dhcp.Ack)
	drop := func([]byte, []byte) []byte { return nil }
	for _, k := range []struct {
		name string
		typ  int
		edit func(b, body []byte) []byte
		want string
	}{
		{"no OFFER", offer, drop, "OFFER | missing | - | yiaddr 192.168.1.2\n"},
		{"no ACK", ack, drop, "ACK | missing | - | yiaddr 192.168.1.2\n"},
		{"another file", ack, func(b, body []byte) []byte { body[108] = 'X'; return b }, "ACK | file | \"Xpxe.efi\" | \"ipxe.efi\"\n"},
		{"another address", offer, func(b, body []byte) []byte { body[19] = 5; return b }, "OFFER | yiaddr | 192.168.1.5 | 192.168.1.2\n"},
		{"unicast", ack, func(b, _ []byte) []byte { copy(b, clientMAC[:]); return b }, "ACK | sent to | chaddr 255.255.255.255:68 | broadcast 255.255.255.255:68\n"},
		{"another lease time", ack, func(b, body []byte) []byte { body[dhcp.OptionsOff+14]++; return b },
			"ACK | option 51 dhcp-lease-time | 7201 | 7200\n"},
		{"another transaction", ack, func(b, body []byte) []byte { body[4]++; return b },
			"ACK | missing | - | yiaddr 192.168.1.2\nACK | extra | yiaddr 192.168.1.2 | -\n"},
		{"no OACK", -tftpOack, drop, "OACK | missing | - | tsize=850528 blksize=1468\n"},
		{"a block less", -tftpData, drop, "DATA | blocks missing | - | 1\n"},
		{"an error for a block", -tftpData, func(b, body []byte) []byte { body[1] = tftpError; return b }, ""},
		{"a damaged frame", ack, func(b, _ []byte) []byte { b[16]++; return b }, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			r := replayEcho(t, testdata(t, "uefi-x64-guide.pcap"), tamper(k.typ, k.edit))
			got := lines(r.Differences)
			if len(r.Differences) == 0 || k.want != "" && got != k.want {
				t.Errorf("got\n%swant\n%s", got, k.want)
			}
			for _, d := range r.Differences {
				if d.Capture != "uefi-x64-guide.pcap" || d.Record == 0 || d.Client == "" {
					t.Errorf("incomplete: %+v", d)
				}
			}
		})
	}
}

// A cut capture replays like the whole one. The whole one is made from a cut
// one and a server's answers with bytes in its blocks.
func TestCutReplaysTheSame(t *testing.T) {
	whole := &Capture{Name: "whole.pcap"}
	take := func(at int64, _ bool, b []byte) {
		whole.Records = append(whole.Records, Record{Time: at, Data: append([]byte(nil), b...), Length: len(b)})
	}
	c := testdata(t, "uefi-x64-ipxe-rom-e1000.pcap")
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	fill := tamper(-tftpData, func(b, body []byte) []byte { copy(body[4:], "not zeros"); return b })
	o := Options{Capture: c, Survey: s, Engine: &echo{c: c, s: s, change: fill}, Frame: take}
	o.Link.MAC = serverMAC
	if _, err = Run(o); err != nil {
		t.Fatal(err)
	}
	cut := &Capture{Name: whole.Name, Records: append([]Record(nil), whole.Records...)}
	if n := cut.Cut(); n < 200 {
		t.Fatalf("only %d frames were cut", n)
	}
	change := func(i int, b []byte) []byte { // the same faults in both replays
		if i%7 == 3 {
			return nil
		}
		return b
	}
	a, b := replayEcho(t, whole, change), replayEcho(t, cut, change)
	if x, y := lines(a.Differences), lines(b.Differences); x != y || x == "" {
		t.Errorf("the whole capture gives\n%s\nthe cut one\n%s", x, y)
	}
	if a.Fed != b.Fed || a.Answers != b.Answers || a.Blocks != b.Blocks || a.Transfers != b.Transfers {
		t.Errorf("whole %+v, cut %+v", a, b)
	}
}

// other is an engine that gives the firmware another address, as a server does
// that keeps one lease per machine.
func TestReplayFollowsOtherAddresses(t *testing.T) {
	five := proto.AddrOf(192, 168, 1, 5)
	var sources []proto.Addr
	c := testdata(t, "uefi-x64-ipxe-rom-e1000.pcap")
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	change := func(_ int, b []byte) []byte {
		v := look(b)
		if v.srcPort == 67 {
			five.Put((*[4]byte)(v.body(b)[16:]))
			finishUDP(b, &v)
		} else {
			five.Put((*[4]byte)(b[30:]))
			finishIP(b, &v)
			finishUDP(b, &v)
		}
		return b
	}
	o := Options{Capture: c, Survey: s, Engine: &echo{c: c, s: s, change: change}}
	o.Link.MAC = serverMAC
	o.Frame = func(_ int64, ours bool, b []byte) {
		if v := look(b); !ours && v.udp() && v.dstPort == 69 {
			sources = append(sources, v.src)
		}
	}
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range sources {
		if a != five {
			t.Fatalf("the client asks from %v after it was given %v", a, five)
		}
	}
	if len(sources) < 200 || r.Adapted[AdaptAddress] == 0 {
		t.Errorf("%d TFTP packets of the client, adapted %v", len(sources), r.Adapted)
	}
	for _, d := range r.Differences {
		if d.Field != "yiaddr" && d.Field != "sent to" {
			t.Errorf("besides the address there differs: %+v", d)
		}
	}
}

// The gap of an excerpt is closed: our side reaches block 65536 and beyond.
func TestReplayFillsGaps(t *testing.T) {
	c := testdata(t, "tftp-rollover.pcap")
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	e := &lockstep{to: endpoint{s.transfers.list[0].client.addr, s.transfers.list[0].client.port}, blocks: 78126}
	o := Options{Capture: c, Survey: s, Engine: e}
	o.Link.MAC = serverMAC
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.transfers.list[0].ours.last; got != 78126 || r.Adapted[AdaptFilled] < 78000 {
		t.Errorf("our side sent up to block %d, adapted %v", got, r.Adapted)
	}
	for _, d := range r.Differences {
		if d.Message == "DATA" {
			t.Errorf("%+v", d)
		}
	}
}

// lockstep is a TFTP server for one transfer of 512-byte blocks: it sends block
// n+1 for every ACK of block n.
type lockstep struct {
	echo
	to     endpoint
	at     int
	blocks int
}

func (l *lockstep) Deadline() int64 { return 1 << 62 }

func (l *lockstep) Step(rx *batch.Rx, from int, tx *batch.Tx) int {
	var p proto.Packet
	if proto.ParseFrame(&p, rx.Frames[from].Data, false) != proto.OK || p.DstPort != proto.PortTFTP || len(p.Payload) < 4 {
		return from + 1
	}
	switch n := uint16(p.Payload[2])<<8 | uint16(p.Payload[3]); {
	case p.Payload[1] == tftpRead:
		l.send(tx, []byte("\x00\x06tsize\x0040000000\x00blksize\x00512\x00timeout\x006\x00"))
	case p.Payload[1] == tftpAck && n == uint16(l.at) && l.at < l.blocks:
		l.at++
		size := 512
		if l.at == l.blocks {
			size = 0
		}
		l.send(tx, append([]byte{0, 3, byte(l.at >> 8), byte(l.at)}, make([]byte, size)...))
	}
	return from + 1
}

func (l *lockstep) send(tx *batch.Tx, payload []byte) {
	put(tx, udpFrame(serverMAC, clientMAC, endpoint{server.Addr, 69}, l.to, payload))
}

// An engine that asks for ticks without end is reported, not waited for.
type stuck struct{ echo }

func (*stuck) Deadline() int64            { return 0 }
func (*stuck) Tick(batch.Time, *batch.Tx) {}

func TestReplayStuck(t *testing.T) {
	c := sample()
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(Options{Capture: c, Survey: s, Engine: new(stuck)}); !errors.Is(err, ErrStuck) {
		t.Errorf("got %v", err)
	}
	empty := &Capture{Name: "empty.pcap"}
	if r, err := Run(Options{Capture: empty, Survey: s, Engine: new(stuck)}); err != nil || r.Frames != 0 {
		t.Errorf("an empty capture gives %+v, %v", r, err)
	}
}

// odd sends frames that no answer should be.
type odd struct {
	echo
	frames [][]byte
}

func (o *odd) Deadline() int64 { return 1 << 62 }

func (o *odd) Step(_ *batch.Rx, from int, tx *batch.Tx) int {
	for _, f := range o.frames {
		put(tx, f)
	}
	o.frames = nil
	return from + 1
}

func TestReplayReportsOddFrames(t *testing.T) {
	var arp [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&arp, serverMAC, clientMAC, &proto.ARP{Op: proto.ARPReply})
	for _, k := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"from another port", fromServer(5000, []byte("x")), "FRAME | extra | from port 5000 | -\n"},
		{"TFTP to nobody", udpFrame(serverMAC, clientMAC, endpoint{server.Addr, 69}, endpoint{client, 9}, []byte("\x00\x04\x00\x01")), "TFTP | extra | ACK 1 to 192.168.1.2:9 | -\n"},
		{"half a DHCP message", fromServer(67, []byte("x")), "FRAME | malformed | DHCP | -\n"},
		{"ARP reply", arp[:], "ARP | extra | reply | -\n"},
		{"not a frame", fromServer(69, nil)[:30], "FRAME | malformed | short | -\n"},
	} {
		c := conversation(fromClient(69, []byte("\x00\x01a\x00octet\x00")))
		s, err := Look(c, server)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Capture: c, Survey: s, Engine: &odd{frames: [][]byte{k.frame}}}
		o.Link.MAC = serverMAC
		r, err := Run(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(r.Differences); got != k.want {
			t.Errorf("%s: got %q, want %q", k.name, got, k.want)
		}
	}
}

// A host of the capture that held an address answers when we probe it.
func TestReplayAnswersProbes(t *testing.T) {
	c := testdata(t, "linux-ping-conflict.pcap")
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	var probe [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&probe, serverMAC, proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: serverMAC, SenderAddr: server.Addr, TargetAddr: client})
	var answer proto.Packet
	o := Options{Capture: c, Survey: s, Engine: &odd{frames: [][]byte{probe[:]}}}
	o.Link.MAC = serverMAC
	o.Frame = func(_ int64, ours bool, b []byte) {
		var p proto.Packet
		if !ours && proto.ParseFrame(&p, b, true) == proto.OK && p.Kind == proto.KindARP && p.ARP.TargetAddr == server.Addr && answer.Kind == 0 {
			answer = p
		}
	}
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Probes != 1 || r.Adapted[AdaptNeighbor] != 1 || answer.ARP.SenderAddr != client || answer.SrcMAC.String() != "02:00:00:00:0c:99" {
		t.Errorf("%d probes, answered by %+v, adapted %v", r.Probes, answer.ARP, r.Adapted)
	}
	if !strings.Contains(lines(r.Differences), "OFFER | missing") {
		t.Error("an engine that answers nothing has no missing OFFER")
	}
}
