//go:build linux

package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// patch returns a copy of frame with bytes replaced from an offset on.
func patch(frame []byte, at int, with ...byte) []byte {
	b := bytes.Clone(frame)
	copy(b[at:], with)
	return b
}

// insert returns a copy of frame with bytes inserted at an offset.
func insert(frame []byte, at int, more ...byte) []byte {
	return append(append(bytes.Clone(frame[:at]), more...), frame[at:]...)
}

func arpFrame(dst proto.MAC, op uint16) []byte {
	var b [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&b, clientMAC, dst, &proto.ARP{Op: op, SenderMAC: clientMAC, SenderAddr: clientAddr, TargetAddr: serverAddr})
	return b[:]
}

func icmpFrame(kind, code byte) []byte {
	b := udpFrame(clientMAC, serverMAC, clientAddr, serverAddr, 0, 0, []byte("quoted datagram"))
	b[14+9] = proto.ProtocolICMP
	b[34], b[35] = kind, code
	return b
}

// solicitation is a router solicitation as iPXE sends it, to the group that a
// host is in only if it forwards.
func solicitation() []byte {
	b := make([]byte, 70)
	group := proto.GroupMAC(proto.AllRouters)
	copy(b, group[:])
	copy(b[6:], clientMAC[:])
	copy(b[12:], []byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 58, 255})
	from, to := proto.LinkLocal(clientMAC), proto.AllRouters
	copy(b[22:], from[:])
	copy(b[38:], to[:])
	b[54] = 133
	return b
}

// TestFilter sends every kind of frame and expects those that the core handles,
// each once and unchanged.
func TestFilter(t *testing.T) {
	tftp := toServer(proto.PortTFTP, "rrq")
	broadcast := udpFrame(clientMAC, proto.Broadcast, 0, proto.Limited, 68, 67, []byte("discover"))
	options := patch(insert(tftp, 34, 1, 1, 1, 1), 14, 0x46) // a header of 24 bytes, four of them no-operation
	solicit := solicitation()
	vlan := func(tci ...byte) []byte { return insert(tftp, 12, append([]byte{0x81, 0}, tci...)...) }
	cases := []struct {
		name  string
		frame []byte
		seen  bool
	}{
		{"tftp", tftp, true},
		{"dhcp broadcast", broadcast, true},
		{"pxe", toServer(proto.PortPXE, "boot server discovery"), true},
		{"ip options", options, true},
		{"wrong udp checksum is for the core to count", patch(tftp, 40, 1, 2), true},
		{"port unreachable", icmpFrame(3, 3), true},
		{"arp request", arpFrame(proto.Broadcast, proto.ARPRequest), true},
		{"arp reply", arpFrame(serverMAC, proto.ARPReply), true},
		{"another server's reply", udpFrame(clientMAC, proto.Broadcast, 0, proto.Limited, 67, 68, []byte("offer")), true},
		{"other port", toServer(53, "for a resolver"), false},
		{"port in the source only", udpFrame(clientMAC, serverMAC, clientAddr, serverAddr, 69, 1000, nil), false},
		{"first fragment", patch(tftp, 20, 0x20, 0), false},
		{"last fragment", patch(tftp, 20, 0, 1), false},
		{"tcp", patch(tftp, 23, 6), false},
		{"ping", icmpFrame(8, 0), false},
		{"host unreachable", icmpFrame(3, 1), false},
		{"ipv6", patch(tftp, 12, 0x86, 0xdd), false},
		{"other host", patch(tftp, 0, strangeMAC[:]...), false},
		{"arp to another host", arpFrame(strangeMAC, proto.ARPReply), false},
		{"vlan 5", vlan(0, 5), false},
		{"vlan 5 with priority", vlan(0xe0, 5), false},
		{"router solicitation", solicit, true},
		{"router solicitation to another host", patch(solicit, 0, strangeMAC[:]...), false},
		{"router advertisement", patch(solicit, 54, 134), false},
		{"udp over ipv6", patch(solicit, 20, 17), false},
		{"last", toServer(proto.PortBOOTPServer, "last"), true},
	}
	eachReceiveRung(t, func(r *rig, o Options) {
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		for _, c := range cases {
			w.write(c.frame)
			want := 0
			if c.seen {
				want = 1
			}
			got := r.receiveFor(s, want)
			if len(got) != want {
				r.Errorf("%s: seen %d times, want %d", c.name, len(got), want)
			} else if c.seen && !bytes.Equal(got[0].Data, c.frame) {
				r.Errorf("%s: got % x", c.name, cut(got[0].Data))
			}
		}
	})
}

// receiveFor waits for n frames and a moment longer for one too many.
func (r *rig) receiveFor(s *Set, n int) []batch.Frame {
	r.Helper()
	frames := r.receive(s, n)
	var rx batch.Rx
	for range 2 {
		time.Sleep(2 * time.Millisecond)
		r.must(s.Recv(&rx))
		frames = append(frames, rx.Frames[:rx.N]...)
	}
	return frames
}

// TestPriorityTag: a frame with VLAN 0 belongs to no VLAN (IEEE 802.1Q), and the
// kernel hands it over without its tag.
func TestPriorityTag(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		frame := toServer(proto.PortTFTP, "rrq")
		w.write(insert(frame, 12, 0x81, 0, 0xe0, 0))
		if got := r.receiveFor(s, 1); len(got) != 1 || !bytes.Equal(got[0].Data, frame) {
			r.Errorf("got %d frames, want the one without its tag", len(got))
		}
	})
}

// TestUnfinishedChecksum: what the kernel of the peer sends over a veth has no
// UDP checksum yet, what a program builds has.
func TestUnfinishedChecksum(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		r.address()
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		r.must(r.client.Do(func() error {
			c, err := net.Dial("udp4", "192.168.1.1:67")
			if err == nil {
				_, err = c.Write([]byte("renewal"))
				c.Close()
			}
			return err
		}))
		w.write(toServer(proto.PortTFTP, "complete"))
		w.write(patch(toServer(proto.PortTFTP, "broken"), 40, 0xde, 0xad))
		want := []struct {
			checksum bool
			drop     proto.Drop
		}{{false, proto.OK}, {true, proto.OK}, {true, proto.DropUDPChecksum}}
		got := r.receiveUDP(s, len(want))
		for i, c := range want {
			var p proto.Packet
			if drop := proto.ParseFrame(&p, got[i].Data, got[i].Checksum); got[i].Checksum != c.checksum || drop != c.drop {
				r.Errorf("frame %d: checksum %v, %v; want %v, %v", i, got[i].Checksum, drop, c.checksum, c.drop)
			}
		}
		if n := s.Stats().Unfinished; n != 1 {
			r.Errorf("%d unfinished checksums counted, want 1", n)
		}
	})
}

// receiveUDP is receive without the ARP of the peer's kernel.
func (r *rig) receiveUDP(s *Set, n int) []batch.Frame {
	r.Helper()
	var frames []batch.Frame
	for range 2 {
		for _, f := range r.receive(s, n-len(frames)) {
			if binary.BigEndian.Uint16(f.Data[12:]) == proto.EtherTypeIPv4 {
				frames = append(frames, f)
			}
		}
	}
	if len(frames) != n {
		r.Fatalf("%d frames, want %d", len(frames), n)
	}
	return frames
}

func TestLongFrameIsCut(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		r.must(r.server.IP("link set eth1 mtu 4000"))
		r.must(r.client.IP("link set eth0 mtu 4000"))
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		w.write(toServer(proto.PortTFTP, strings.Repeat("x", 3000)))
		got := r.receive(s, 1)
		if len(got) != 1 || len(got[0].Data) != batch.FrameCap || s.Stats().Truncated != 1 {
			r.Fatalf("%d frames, %d counted as cut; want one of %d bytes", len(got), s.Stats().Truncated, batch.FrameCap)
		}
		var p proto.Packet
		if drop := proto.ParseFrame(&p, got[0].Data, true); drop != proto.DropIPLength {
			r.Errorf("a cut frame was parsed: %v", drop)
		}
	})
}

// TestReceiveCalls counts system calls for 100 frames that are there: one poll
// for each time nothing was known to be there, and the receive calls.
func TestReceiveCalls(t *testing.T) {
	want := map[string]Stats{
		// 64, then 36, which empties the socket; then a poll that finds nothing.
		"mmsg": {ReceiveCalls: 2, PollCalls: 2, Frames: 100},
		// One for each frame, and one that finds the socket empty.
		"single": {ReceiveCalls: 101, ReceiveEmpty: 1, PollCalls: 2, Frames: 100},
	}
	eachReceiveRung(t, func(r *rig, o Options) {
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		for i := range 100 {
			w.write(toServer(proto.PortTFTP, fmt.Sprint("frame ", i)))
		}
		var rx batch.Rx
		var sizes []int
		for {
			r.must(s.Recv(&rx))
			if rx.N == 0 {
				break
			}
			for i, f := range rx.Frames[:rx.N] {
				if text := string(f.Data[proto.HeadersLen:]); text != fmt.Sprint("frame ", i+64*len(sizes)) {
					r.Fatalf("out of order: %s at %d", text, i+64*len(sizes))
				}
			}
			sizes = append(sizes, rx.N)
		}
		if got := s.Stats(); got != want[o.RX] || fmt.Sprint(sizes) != "[64 36]" {
			r.Errorf("batches %v with\n %+v, want [64 36] with\n %+v", sizes, got, want[o.RX])
		}
	})
}

// TestARPComesFirst: a client asks for our address before it releases its own.
// Seen the other way round, the ARP would show the released address in use.
func TestARPComesFirst(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		for range 3 {
			w.write(arpFrame(proto.Broadcast, proto.ARPRequest))
			w.write(toServer(proto.PortBOOTPServer, "release"))
			got := r.receive(s, 2)
			if len(got) != 2 || got[0].Data[13] != proto.EtherTypeARP&0xff || got[1].Data[13] != 0 {
				r.Fatalf("%d frames, want the ARP and then the datagram", len(got))
			}
		}
	})
}

// TestARPFloodDoesNotStarve: a flood of ARP leaves room for what matters.
func TestARPFloodDoesNotStarve(t *testing.T) {
	r := newRig(t)
	s, w := r.open(Options{}, "eth1"), r.tap(r.client, "eth0")
	for range 3 * batch.RxCap {
		w.write(arpFrame(proto.Broadcast, proto.ARPRequest))
	}
	w.write(toServer(proto.PortBOOTPServer, "discover"))
	var rx batch.Rx
	for range 2 {
		r.must(s.Recv(&rx))
	}
	if rx.N == 0 || rx.Frames[0].Data[13] != 0 {
		r.Errorf("the second batch of %d frames does not begin with the datagram", rx.N)
	}
}

// TestBurstIsKept: the receive buffer holds a storm while nobody reads.
func TestBurstIsKept(t *testing.T) {
	r := newRig(t)
	s, w := r.open(Options{}, "eth1"), r.tap(r.client, "eth0")
	frame := toServer(proto.PortBOOTPServer, strings.Repeat("x", 300))
	const frames = 5000
	for range frames {
		w.write(frame)
	}
	if got := len(r.receive(s, frames)); got != frames {
		r.Errorf("%d frames of %d, %+v", got, frames, s.Stats())
	}
}

func TestKernelDropsAreCounted(t *testing.T) {
	r := newRig(t)
	s, w := r.open(Options{SocketBuffer: 4096}, "eth1"), r.tap(r.client, "eth0")
	for range 500 {
		w.write(toServer(proto.PortTFTP, "x"))
	}
	got := s.Stats() // reading once must not lose what is read
	if again := s.Stats(); got.KernelDrops == 0 || again.KernelDrops < got.KernelDrops {
		r.Errorf("drops %d, then %d", got.KernelDrops, again.KernelDrops)
	}
}

func TestReceiveAllocates(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		const frames = 4000
		for range frames {
			w.write(toServer(proto.PortTFTP, "x"))
		}
		var rx batch.Rx
		// Each run takes some of what is queued, so that none is idle.
		n := allocs.Of(func() {
			for seen := 0; seen < frames/8; seen += rx.N {
				s.Recv(&rx)
				s.Wake()
				s.Wait(0)
				if rx.N == 0 {
					r.Fatal("no frame is left")
				}
			}
		})
		if n != 0 {
			r.Errorf("%v allocations", n)
		}
	})
}
