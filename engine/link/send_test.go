//go:build linux

package link

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// runs are the shapes of message that a batch holds.
var runs = []struct {
	name           string
	segments, size int
	data           int // bytes in all blocks
}{
	{"one block", 1, 1468, 1468},
	{"one short block", 1, 1468, 10},
	{"one empty block", 1, 512, 0},
	{"window of edk2", 4, 1468, 4 * 1468},
	{"short last block", 8, 1468, 7*1468 + 1},
	{"empty last block", 8, 512, 7 * 512},
	{"more than a super-frame holds", 64, 1468, 64 * 1468},
	{"longest run of short blocks", 64, 8, 63*8 + 3},
	{"odd block size", 5, 1431, 4*1431 + 7},
}

func TestBytesOnTheWire(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		for _, c := range runs {
			tx := batch.NewTx()
			addFrame(tx, 0, 3000, "before "+c.name)
			addRun(tx, 0, 3001, c.segments, c.size, file(c.data))
			addFrame(tx, 0, 3000, "after")
			want := framesOf(tx, 0)
			r.sendAll(s, tx)
			r.Log(c.name)
			w.expect(want)
		}
	})
}

// TestKernelReceiver sends with all offloads on, as the kernel of another
// machine would get it.
func TestKernelReceiver(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.address()
		var peer *net.UDPConn
		r.must(r.client.Do(func() (err error) {
			peer, err = net.ListenUDP("udp4", &net.UDPAddr{Port: 3001})
			return err
		}))
		defer peer.Close()
		peer.SetReadBuffer(1 << 20)
		s := r.open(o, "eth1")
		buf := make([]byte, 2048)
		for _, c := range runs {
			tx := batch.NewTx()
			data := file(c.data)
			addRun(tx, 0, 3001, c.segments, c.size, data)
			r.sendAll(s, tx)
			var got []byte
			for i := range c.segments {
				peer.SetReadDeadline(time.Now().Add(2 * time.Second))
				n, err := peer.Read(buf)
				if err != nil {
					r.Fatalf("%s: block %d: %v", c.name, i+1, err)
				}
				if !bytes.Equal(buf[:4], []byte{0, 3, 0, byte(i + 1)}) {
					r.Fatalf("%s: block %d has header % x", c.name, i+1, buf[:4])
				}
				got = append(got, buf[4:n]...)
			}
			if !bytes.Equal(got, data) {
				r.Errorf("%s: the bytes differ", c.name)
			}
		}
	})
}

// TestDecodedByGopacket has a decoder that shares no code with ours look at
// lengths and checksums.
func TestDecodedByGopacket(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		tx := batch.NewTx()
		addRun(tx, 0, 3001, 3, 1468, file(2*1468+11))
		addFrame(tx, 0, 3001, "single")
		want := []struct {
			id      uint16
			payload int
		}{{65534, 1472}, {65535, 1472}, {0, 15}, {7, 6}}
		r.sendAll(s, tx)
		for _, c := range want {
			p := gopacket.NewPacket(w.read(2*time.Second), layers.LayerTypeEthernet, gopacket.Default)
			ip, okIP := p.NetworkLayer().(*layers.IPv4)
			udp, okUDP := p.TransportLayer().(*layers.UDP)
			if !okIP || !okUDP || p.ErrorLayer() != nil {
				r.Fatalf("not IPv4 and UDP: %v", p)
			}
			if ip.Id != c.id || int(ip.Length) != 28+c.payload || len(udp.Payload) != c.payload {
				r.Errorf("id %d, length %d, payload %d; want %v", ip.Id, ip.Length, len(udp.Payload), c)
			}
			verifySums(r.T, ip, udp)
		}
	})
}

// verifySums has gopacket compute the checksums and compares.
func verifySums(t *testing.T, ip *layers.IPv4, udp *layers.UDP) {
	t.Helper()
	ipSum, udpSum := ip.Checksum, udp.Checksum
	udp.SetNetworkLayerForChecksum(ip)
	buf := gopacket.NewSerializeBuffer()
	o := gopacket.SerializeOptions{ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, o, ip, udp, gopacket.Payload(udp.Payload)); err != nil {
		t.Fatal(err)
	}
	if ip.Checksum != ipSum || udp.Checksum != udpSum {
		t.Errorf("checksums IP %04x UDP %04x, want %04x %04x", ipSum, udpSum, ip.Checksum, udp.Checksum)
	}
}

func TestSendCalls(t *testing.T) {
	// 8 windows of 8 blocks and one single frame: 65 frames in 9 messages.
	want := map[string]struct{ calls, kernelMessages uint64 }{
		"gso": {1, 9}, "csum": {2, 65}, "mmsg": {2, 65}, "single": {65, 65},
	}
	eachRung(t, func(r *rig, o Options) {
		s := r.open(o, "eth1")
		tx := batch.NewTx()
		for i := range 8 {
			addRun(tx, 0, uint16(3000+i), 8, 1468, file(8*1468))
		}
		addFrame(tx, 0, 3000, "x")
		r.must(s.Send(tx))
		got, w := s.Stats(), want[o.TX]
		if tx.N != 0 || got.SentFrames != 65 || got.SendCalls != w.calls || got.SentBatch != w.kernelMessages {
			r.Errorf("%d left, %d frames in %d calls with %d kernel messages; want 65 in %v", tx.N, got.SentFrames, got.SendCalls, got.SentBatch, w)
		}
		if got.PollCalls != 0 || got.ReceiveCalls != 0 {
			r.Errorf("sending also polled or received: %+v", got)
		}
	})
}

// TestBackpressure sends through a slow queue: nothing may be lost or change
// places, and waiting must not spin.
func TestBackpressure(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		r.pin()
		r.must(r.server.TC("qdisc replace dev eth1 root tbf rate 50mbit burst 64kb limit 2mb"))
		o.SendBuffer = 128 << 10
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		const rounds, segments, size = 12, 16, 1468
		var want [][]byte
		tx := batch.NewTx()
		for range rounds { // 12 x 4 x 16 x 1.5 KB = 1.1 MB, 180 ms at 50 Mb/s
			for i := range 4 {
				addRun(tx, 0, uint16(3000+i), segments, size, file(segments*size))
			}
			want = append(want, framesOf(tx, 0)[len(framesOf(tx, 0))-4*segments:]...)
			for tx.Room() < 8 {
				r.must(s.Send(tx))
				r.must(s.Wait(int64(time.Second)))
			}
		}
		r.sendAll(s, tx)
		w.expect(want)
		got := s.Stats()
		if got.Full == 0 || got.Dropped != 0 {
			r.Errorf("full %d, dropped %d: want backpressure and no loss", got.Full, got.Dropped)
		}
		if got.PollCalls > 20*rounds*4 {
			r.Errorf("%d polls for %d messages: waiting spins", got.PollCalls, rounds*4)
		}
	})
}

// TestRefusedByQueue fills a queue that is smaller than the send buffer: the
// kernel answers ENOBUFS, which means that the frame was not sent.
func TestRefusedByQueue(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		r.pin()
		r.must(r.server.TC("qdisc replace dev eth1 root tbf rate 100mbit burst 16kb limit 40kb"))
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		tx := batch.NewTx()
		for range 16 {
			addRun(tx, 0, 3000, 8, 1468, file(8*1468))
		}
		want := framesOf(tx, 0)
		r.sendAll(s, tx)
		w.expect(want)
		if got := s.Stats(); got.Refused == 0 || got.Dropped != 0 {
			r.Errorf("refused %d, dropped %d: want refusals and no loss", got.Refused, got.Dropped)
		}
	})
}

func TestUnsendable(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		s, w := r.open(o, "eth1"), r.tap(r.client, "eth0")
		tx := batch.NewTx()
		addFrame(tx, 0, 3000, "first")
		addFrame(tx, 0, 3000, strings.Repeat("too long for the interface", 57)) // 1,524 bytes
		addFrame(tx, 5, 3000, "no such link")
		addFrame(tx, 0, 3000, "last")
		want := framesOf(tx, 0)
		r.must(s.Send(tx))
		w.expect([][]byte{want[0], want[2]})
		if got := s.Stats(); tx.N != 0 || got.Dropped != 2 || got.Downgrades != 0 {
			r.Errorf("%d left, %d dropped, %d downgrades; want 0, 2, 0", tx.N, got.Dropped, got.Downgrades)
		}
	})
}

// TestSendAllocates checks that sending allocates nothing, on any rung.
func TestSendAllocates(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		s := r.open(o, "eth1")
		tx := batch.NewTx()
		data, heads := file(8*1468), blockHeads(8)
		frame := udpFrame(serverMAC, clientMAC, serverAddr, clientAddr, proto.PortTFTP, 3000, []byte("a single frame"))
		rounds := uint64(0)
		n := allocs.Of(func() {
			rounds++
			for range 200 {
				for range 4 {
					m := tx.Next()
					copy(m.Head[:], frame)
					m.HeadLen, m.Heads, m.Data, m.Size, m.Segments = proto.HeadersLen, heads, data, 1468, 8
					tx.Commit()
					m = tx.Next()
					m.HeadLen = copy(m.Head[:], frame)
					tx.Commit()
				}
				for s.Send(tx); tx.N > 0; s.Send(tx) {
					s.Wait(int64(time.Millisecond))
				}
			}
		})
		if got := s.Stats(); n != 0 || got.SentFrames != rounds*200*4*9 {
			r.Errorf("%v allocations for %d frames, want 0 for %d", n, got.SentFrames, rounds*200*4*9)
		}
	})
}
