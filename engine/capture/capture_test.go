package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

var (
	serverMAC = proto.MAC{2, 0, 0, 0, 0, 1}
	nodeMAC   = proto.MAC{0x52, 0x54, 0, 0x12, 0x34, 1}
	serverIP  = proto.AddrFrom(&[4]byte{192, 168, 1, 1})
	nodeIP    = proto.AddrFrom(&[4]byte{192, 168, 1, 2})
)

const wall = int64(1_800_000_000_000_000_000)

// newPair makes a ring and its reader.
func newPair(t testing.TB, size int) (*Ring, *Reader) {
	t.Helper()
	w, f, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() { r.Close() })
	w.Name(0, "bond0")
	w.Name(1, "eth1")
	w.Clock(wall, 0)
	return w, r
}

// datagram makes a frame with a payload.
func datagram(from, to proto.MAC, src, dst proto.Addr, srcPort, dstPort uint16, payload []byte) []byte {
	b := make([]byte, proto.HeadersLen, proto.HeadersLen+len(payload))
	proto.PutHeaders((*[proto.HeadersLen]byte)(b), from, to, src, dst, srcPort, dstPort, 7, len(payload))
	proto.FinishUDP((*[proto.HeadersLen]byte)(b), payload, nil)
	return append(b, payload...)
}

// dhcp makes a DHCP message of a node.
func dhcp(from, to proto.MAC, src, dst proto.Addr, chaddr proto.MAC, yiaddr proto.Addr) []byte {
	body := make([]byte, 300)
	yiaddr.Put((*[4]byte)(body[16:]))
	copy(body[28:], chaddr[:])
	return datagram(from, to, src, dst, proto.PortBOOTPServer, proto.PortBOOTPClient, body)
}

// run makes a message of several DATA frames.
func run(first uint16, blocks, size, bytes int) *batch.Message {
	m := new(batch.Message)
	proto.PutHeaders((*[proto.HeadersLen]byte)(m.Head[:]), serverMAC, nodeMAC, serverIP, nodeIP, proto.PortTFTP, 2070, 900, 4+size)
	m.HeadLen, m.Heads, m.Data = proto.HeadersLen, tftp.Heads(first, blocks), make([]byte, bytes)
	for i := range m.Data {
		m.Data[i] = byte(i)
	}
	m.Size, m.Segments = uint16(size), uint16(blocks)
	return m
}

// single makes a message of one frame.
func single(frame []byte) *batch.Message {
	m := new(batch.Message)
	m.HeadLen = copy(m.Head[:], frame)
	return m
}

// What was received and sent is read back with its time, its interface and its
// direction; of DATA frames, what stands before the data.
func TestFramesAreRemembered(t *testing.T) {
	w, r := newPair(t, 1<<20)
	request := dhcp(nodeMAC, proto.MAC{255, 255, 255, 255, 255, 255}, 0, 0xffffffff, nodeMAC, 0)
	w.Received(&batch.Frame{Data: request, Link: 1, Checksum: true}, 1000)
	m := run(65534, 4, 1468, 3*1468+100) // block numbers begin again at 0
	m.Link = 1
	w.Sent(m, 2000)
	long := datagram(serverMAC, nodeMAC, serverIP, nodeIP, proto.PortTFTP, 2070, append([]byte{0, 3, 0, 9}, make([]byte, 512)...))
	w.Sent(single(long), 3000)

	list := r.records()
	if len(list) != 3 {
		t.Fatalf("%d records, want 3", len(list))
	}
	got, n := list[0].frame(nil, 0)
	if !bytes.Equal(got, request) || n != len(request) || list[0].wall != wall+1000 || list[0].link != 1 || list[0].flags != 0 {
		t.Errorf("received: %d of %d bytes, %+v", len(got), n, list[0])
	}
	if list[1].frames() != 4 || list[1].flags != flagSent || list[1].wall != wall+2000 {
		t.Errorf("run: %+v", list[1])
	}
	for i := range 4 {
		want := m.AppendFrame(nil, i)
		got, n := list[1].frame(nil, i)
		want[40], want[41] = 0, 0 // the checksum is over what was left out
		if n != len(want) || !bytes.Equal(got, want[:46]) {
			t.Errorf("frame %d of the run: %d bytes\n%x\nwant %d\n%x", i, n, got, len(want), want[:46])
		}
	}
	if got, n := list[2].frame(nil, 0); !bytes.Equal(got, long[:46]) || n != len(long) {
		t.Errorf("single DATA frame: %x of %d bytes", got, n)
	}
}

// A checksum that the kernel would have finished is finished in the export, so
// that no reader takes the frame for damaged.
func TestUnfinishedChecksumIsFinished(t *testing.T) {
	w, r := newPair(t, 1<<20)
	frame := datagram(nodeMAC, serverMAC, nodeIP, serverIP, 2070, proto.PortTFTP, []byte("\x00\x01ipxe.efi\x00octet\x00"))
	broken := bytes.Clone(frame)
	broken[40] ^= 0x55
	w.Received(&batch.Frame{Data: broken}, 0)
	if got, _ := r.records()[0].frame(nil, 0); !bytes.Equal(got, frame) {
		t.Errorf("got %x\nwant %x", got, frame)
	}
}

// When the ring is full the oldest go, whole blocks at a time; no frame is
// missing between the first and the last.
func TestTheLastFramesStay(t *testing.T) {
	const size = 1 << 20
	w, r := newPair(t, size)
	rnd := rand.New(rand.NewPCG(1, 2))
	buffer := make([]byte, 1400)
	for i := range 60_000 {
		b := buffer[:60+rnd.IntN(1300)]
		binary.BigEndian.PutUint64(b[50:], uint64(i))
		w.Received(&batch.Frame{Data: b, Checksum: true}, int64(i))
		if i%9000 != 8999 {
			continue
		}
		list := r.records()
		held := 0
		for k, rec := range list {
			if want := uint64(i - len(list) + 1 + k); binary.BigEndian.Uint64(rec.data[50:]) != want || rec.wall != wall+int64(want) {
				t.Fatalf("record %d of %d is frame %d, want %d", k, len(list), binary.BigEndian.Uint64(rec.data[50:]), want)
			}
			held += recordLen + len(rec.data)
		}
		if i > 9000 && held < size-3*blockLen {
			t.Errorf("after %d frames %d bytes are held of %d", i+1, held, size)
		}
	}
}

// A reader in the middle of a storm sees whole records only.
func TestTornRecordsAreSkipped(t *testing.T) {
	w, r := newPair(t, minBlocks*blockLen)
	var stop atomic.Bool
	done := make(chan int)
	go func() {
		b, n := make([]byte, 1500), 0
		for ; !stop.Load(); n++ {
			b := b[:64+n*7%1400]
			for i := 50; i < len(b); i++ {
				b[i] = byte(n)
			}
			w.Received(&batch.Frame{Data: b, Checksum: true}, int64(n))
		}
		done <- n
	}()
	seen := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		list := r.records()
		for k := range list {
			rec := &list[k]
			n := rec.wall - wall
			if len(rec.data) != 64+int(n)*7%1400 {
				t.Fatalf("frame %d has %d bytes", n, len(rec.data))
			}
			for _, c := range rec.data[50:] {
				if c != byte(n) {
					t.Fatalf("frame %d holds bytes of another", n)
				}
			}
		}
		seen += len(list)
	}
	stop.Store(true)
	if n := <-done; n < 1000 || seen == 0 {
		t.Errorf("%d frames written, %d records seen: nothing was tested", n, seen)
	}
}

// The other process can neither write what it reads nor cut it off, and what is
// no ring is told.
func TestTheMemoryIsSealed(t *testing.T) {
	_, f, err := New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("it can be mapped to be written")
	}
	if err := f.Truncate(0); err == nil {
		t.Error("it can be cut off")
	}
	if _, err := f.WriteAt([]byte{1}, 0); err == nil {
		t.Error("it can be written")
	}
	other, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, size := range []int64{0, 5000, pageLen + 4*blockLen} {
		if err := other.Truncate(size); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(int(other.Fd())); err == nil {
			t.Errorf("a file of %d bytes was taken for a ring: %v", size, r)
		}
	}
}

// A reader trusts no record: damage costs the rest of its block, and no more.
func TestDamageIsContained(t *testing.T) {
	w, r := newPair(t, 1<<20)
	for i := range 2000 {
		w.Sent(run(uint16(i), 4, 1468, 4*1468), int64(i))
		w.Received(&batch.Frame{Data: make([]byte, 60+i%900)}, int64(i))
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	whole := len(r.records())
	for range 300 {
		at := rnd.IntN(len(w.mem))
		old := w.mem[at]
		w.mem[at] ^= byte(1 + rnd.IntN(255))
		if err := r.WritePCAPNG(io.Discard, Filter{MAC: nodeMAC}); err != nil {
			t.Fatal(err)
		}
		if n := len(r.records()); n < whole-blockLen/(recordLen+48) {
			t.Fatalf("a byte changed at %d: %d records left of %d", at, n, whole)
		}
		w.mem[at] = old
	}
}

// A filter finds all of one node: what it sent, what was sent to it, and its DHCP
// messages through a relay and by broadcast; nothing of others.
func TestOneNode(t *testing.T) {
	relay, other := proto.MAC{2, 0, 0, 0, 0, 9}, proto.MAC{0x52, 0x54, 0, 0x12, 0x34, 2}
	all := proto.MAC{255, 255, 255, 255, 255, 255}
	relayIP, otherIP := proto.AddrFrom(&[4]byte{10, 0, 0, 9}), proto.AddrFrom(&[4]byte{192, 168, 1, 3})
	arp := func(from proto.MAC, target proto.Addr) []byte {
		b := make([]byte, proto.EthernetLen+proto.ARPLen)
		copy(b, all[:])
		copy(b[6:], from[:])
		b[12], b[13] = 8, 6
		target.Put((*[4]byte)(b[38:]))
		return b
	}
	frames := []struct {
		data []byte
		sent bool
		its  bool
	}{
		{dhcp(nodeMAC, all, 0, 0xffffffff, nodeMAC, 0), false, true},
		{dhcp(serverMAC, all, serverIP, 0xffffffff, nodeMAC, nodeIP), true, true},
		{dhcp(relay, serverMAC, relayIP, serverIP, nodeMAC, 0), false, true},
		{dhcp(other, all, 0, 0xffffffff, other, 0), false, false},
		{dhcp(serverMAC, all, serverIP, 0xffffffff, other, otherIP), true, false},
		{datagram(nodeMAC, serverMAC, nodeIP, serverIP, 2070, 69, []byte("\x00\x04\x00\x01")), false, true},
		{datagram(relay, serverMAC, nodeIP, serverIP, 2070, 69, []byte("\x00\x04\x00\x02")), false, true},
		{datagram(other, serverMAC, otherIP, serverIP, 2070, 69, []byte("\x00\x04\x00\x01")), false, false},
		{arp(serverMAC, nodeIP), true, true},
		{arp(serverMAC, otherIP), true, false},
		{[]byte{1, 2, 3}, false, false},
	}
	w, r := newPair(t, 1<<20)
	its := 0
	for i, f := range frames {
		if f.its {
			its++
		}
		if f.sent {
			w.Sent(single(f.data), int64(i))
		} else {
			w.Received(&batch.Frame{Data: f.data, Checksum: true}, int64(i))
		}
	}
	for _, filter := range []Filter{{MAC: nodeMAC}, {MAC: nodeMAC, Addr: nodeIP}} {
		var b bytes.Buffer
		if err := r.WritePCAPNG(&b, filter); err != nil {
			t.Fatal(err)
		}
		got := packets(t, b.Bytes())
		if len(got) != its {
			t.Errorf("%d frames, want %d", len(got), its)
		}
		for _, p := range got {
			i := p.time.UnixNano() - wall
			if !frames[i].its || !bytes.Equal(p.data, frames[i].data) || p.outbound != frames[i].sent {
				t.Errorf("frame %d: %+v", i, p)
			}
		}
	}
}

// packet is a frame of a capture file.
type packet struct {
	time     time.Time
	data     []byte
	length   int
	link     int
	outbound bool
}

// packets reads a capture file with gopacket, and the directions, which that
// does not tell, from the blocks.
func packets(t *testing.T, file []byte) (list []packet) {
	t.Helper()
	ng, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, ci, err := ng.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, packet{time: ci.Timestamp, data: data, length: ci.Length, link: ci.InterfaceIndex})
	}
	i := 0
	for b := file; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[4:])
		if binary.LittleEndian.Uint32(b) == blockPacket {
			option := b[28+(binary.LittleEndian.Uint32(b[20:])+3)&^3:]
			if binary.LittleEndian.Uint32(option) != optFlags|4<<16 {
				t.Fatalf("packet %d has no flags", i)
			}
			list[i].outbound = option[4] == outbound
			i++
		}
		b = b[n:]
	}
	if i != len(list) {
		t.Fatalf("%d blocks with frames, %d frames", i, len(list))
	}
	return list
}

// Several workers' rings become one file in the order of time, with the names of
// the interfaces; a clock that is set late corrects what was before.
func TestRingsAreMerged(t *testing.T) {
	a, ra := newPair(t, 1<<20)
	b, rb := newPair(t, 1<<20)
	at := wall + 3600*batch.Second
	a.Clock(at, 0)
	b.Clock(at+batch.Microsecond, 0)
	b.Clock(at+2*batch.Millisecond, 2*batch.Millisecond)
	b.Clock(at, 0)
	for i := range 10 {
		f := batch.Frame{Data: make([]byte, 60), Link: uint8(i % 2), Checksum: true}
		[]*Ring{a, b}[i%2].Received(&f, int64(i)*batch.Second)
	}
	m := run(1, 3, 512, 3*512)
	m.Link = 1
	b.Sent(m, 10*batch.Second)
	var file bytes.Buffer
	sum, err := WritePCAPNG(&file, []*Reader{ra, rb}, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	list := packets(t, file.Bytes())
	if len(list) != 13 || sum.Frames != 13 || sum.Last.Sub(sum.First).Round(time.Second) != 10*time.Second {
		t.Fatalf("%d frames, %+v", len(list), sum)
	}
	for i, p := range list {
		if s := min(i, 10); p.time.Sub(time.Unix(0, at).Add(time.Duration(s)*time.Second)).Abs() > time.Millisecond || p.link != i%2 && i < 10 {
			t.Errorf("frame %d: %v, interface %d", i, p.time, p.link)
		}
	}
	if p := list[12]; p.length != 46+512 || len(p.data) != 46 || !p.outbound {
		t.Errorf("last frame of the run: %+v", p)
	}
	ng, err := pcapgo.NewNgReader(bytes.NewReader(file.Bytes()), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for { // gopacket learns of an interface when it meets it
		if _, _, err := ng.ReadPacketData(); err != nil {
			break
		}
	}
	for i, want := range []string{"bond0", "eth1"} {
		if got, err := ng.Interface(i); err != nil || got.Name != want {
			t.Errorf("interface %d is %q, %v", i, got.Name, err)
		}
	}
}

// An empty ring is a capture file without frames, and a ring that is switched
// off costs nothing.
func TestNothing(t *testing.T) {
	_, r := newPair(t, 0)
	var b bytes.Buffer
	if err := r.WritePCAPNG(&b, Filter{}); err != nil || len(packets(t, b.Bytes())) != 0 {
		t.Errorf("%v, %x", err, &b)
	}
	var off *Ring
	off.Received(&batch.Frame{Data: make([]byte, 60)}, 0)
	off.Sent(run(1, 1, 512, 512), 0)
	off.Clock(1, 0)
	off.Name(0, "eth1")
	if off.Size() != 0 {
		t.Error("a ring that is off has a size")
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	w, _ := newLanes(t, 1<<20)
	m, f := run(1, 64, 1408, 64*1408), batch.Frame{Data: dhcp(nodeMAC, serverMAC, 0, 0, nodeMAC, 0)}
	now := int64(0)
	if n := testing.AllocsPerRun(1, func() {
		for range 10_000 {
			now++
			w.Clock(wall+now, now)
			w.Received(&f, now)
			w.Sent(m, now)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The time of the thread is given beside that of the clock: on a machine that
// others use as well, the former is the ring's own.
func BenchmarkLanes(b *testing.B) {
	ack := datagram(nodeMAC, serverMAC, nodeIP, serverIP, 2070, 69, []byte("\x00\x04\x00\x01"))
	for name, step := range map[string]func(w *Lanes, now int64){
		"run": func(m *batch.Message) func(*Lanes, int64) {
			return func(w *Lanes, now int64) { w.Sent(m, now) }
		}(run(1, 64, 1408, 64*1408)),
		"ack": func(f batch.Frame) func(*Lanes, int64) {
			return func(w *Lanes, now int64) { w.Received(&f, now) }
		}(batch.Frame{Data: ack, Checksum: true}),
		"dhcp": func(f batch.Frame) func(*Lanes, int64) {
			return func(w *Lanes, now int64) { w.Received(&f, now) }
		}(batch.Frame{Data: append(dhcp(nodeMAC, serverMAC, 0, 0, nodeMAC, 0), make([]byte, 248)...), Checksum: true}),
	} {
		b.Run(name, func(b *testing.B) {
			w, _ := newLanes(b, 16<<20)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			before, now := threadTime(b), int64(0)
			for b.Loop() {
				now++
				step(w, now)
			}
			b.ReportMetric(float64(threadTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// threadTime is the processor time of this thread in nanoseconds.
func threadTime(b *testing.B) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}
