//go:build linux

package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

var (
	serverMAC  = proto.MAC{2, 0, 0, 0, 0, 1}
	clientMAC  = proto.MAC{2, 0, 0, 0, 0x0c, 1}
	strangeMAC = proto.MAC{2, 0, 0, 0, 0x0c, 9}
	serverAddr = proto.AddrOf(192, 168, 1, 1)
	clientAddr = proto.AddrOf(192, 168, 1, 2)
)

// rig is a server and a client host with a cable between them: eth1 and eth0.
type rig struct {
	*testing.T
	lab            *lab.Lab
	server, client *lab.Host
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, lab: lab.ForTest(t)}
	var err error
	r.server, err = r.lab.Host("n0")
	r.must(err)
	r.client, err = r.lab.Host("c1")
	r.must(err)
	r.must(r.lab.Join(r.server, "eth1", r.client, "eth0"))
	r.must(r.server.IP("link set eth1 address " + serverMAC.String()))
	r.must(r.client.IP("link set eth0 address " + clientMAC.String()))
	return r
}

// pin keeps the test on one processor. A slow queue is emptied by whichever
// processor sent last, and a veth delivers on each separately: on two of them
// frames could overtake each other behind our back.
func (r *rig) pin() {
	r.Helper()
	runtime.LockOSThread() // the test's goroutine ends with its thread
	var one unix.CPUSet
	one.Set(0)
	r.must(unix.SchedSetaffinity(0, &one))
}

// address gives both hosts their addresses. Without them their kernels send
// nothing by themselves, and every frame seen is one of the test.
func (r *rig) address() {
	r.Helper()
	r.must(r.server.IP("addr add 192.168.1.1/28 dev eth1", "neigh replace 192.168.1.2 lladdr "+clientMAC.String()+" dev eth1"))
	r.must(r.client.IP("addr add 192.168.1.2/28 dev eth0", "neigh replace 192.168.1.1 lladdr "+serverMAC.String()+" dev eth0"))
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// open opens a Set on the server; the end of the test closes it.
func (r *rig) open(o Options, names ...string) *Set {
	r.Helper()
	var s *Set
	r.must(r.server.Do(func() (err error) { s, err = Open(names, o); return err }))
	r.Cleanup(func() { s.Close() })
	return s
}

// onWire makes the veth hand over what a card without offloads would send.
func (r *rig) onWire() { r.Helper(); r.must(r.server.Offload("eth1", false, false)) }

// tap is a raw socket of the client that sees and sends every frame.
type tap struct {
	*testing.T
	fd int
}

func (r *rig) tap(host *lab.Host, ifname string) *tap {
	r.Helper()
	w := &tap{T: r.T}
	r.must(host.Do(func() error {
		ifi, err := net.InterfaceByName(ifname)
		if err != nil {
			return err
		}
		w.fd, err = new(Options).rawSocket(0, ifi, unix.ETH_P_ALL, nil)
		if err != nil {
			return err
		}
		setBuffer(w.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, 64<<20)
		return unix.SetsockoptInt(w.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}))
	r.Cleanup(func() { unix.Close(w.fd) })
	return w
}

// read returns the next frame, or nil if none comes within limit.
func (w *tap) read(limit time.Duration) []byte {
	w.Helper()
	poll := []unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}
	for end := time.Now().Add(limit); ; {
		n, err := unix.Poll(poll, max(0, int(time.Until(end)/time.Millisecond)))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return nil
		}
		buf := make([]byte, 70000)
		n, err = unix.Read(w.fd, buf)
		if err != nil {
			w.Fatal(err)
		}
		return buf[:n]
	}
}

func (w *tap) write(frame []byte) {
	w.Helper()
	if _, err := unix.Write(w.fd, frame); err != nil {
		w.Fatal(err)
	}
}

// expect reads the given frames, in order, and then nothing more.
func (w *tap) expect(frames [][]byte) {
	w.Helper()
	for i, want := range frames {
		got := w.read(2 * time.Second)
		if got == nil {
			w.Fatalf("frame %d of %d did not come", i, len(frames))
		}
		if !bytes.Equal(got, want) {
			w.Fatalf("frame %d of %d differs:\n got % x\nwant % x", i, len(frames), cut(got), cut(want))
		}
	}
	if extra := w.read(20 * time.Millisecond); extra != nil {
		w.Fatalf("a frame too many: % x", cut(extra))
	}
}

func cut(b []byte) []byte { return b[:min(len(b), 64)] }

// udpFrame builds a complete frame.
func udpFrame(src, dst proto.MAC, from, to proto.Addr, sport, dport uint16, payload []byte) []byte {
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, src, dst, from, to, sport, dport, 7, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}

// toServer is udpFrame from the client.
func toServer(port uint16, payload string) []byte {
	return udpFrame(clientMAC, serverMAC, clientAddr, serverAddr, 2000, port, []byte(payload))
}

// file is test data that shows its position.
func file(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8*31)
	}
	return b
}

// blockHeads are the TFTP headers of blocks 1..n.
func blockHeads(n int) []byte {
	var b []byte
	for i := range n {
		b = binary.BigEndian.AppendUint16(b, 3)
		b = binary.BigEndian.AppendUint16(b, uint16(i+1))
	}
	return b
}

// addFrame adds a single-frame message with the payload.
func addFrame(tx *batch.Tx, link uint8, port uint16, payload string) {
	m := tx.Next()
	m.Link = link
	m.HeadLen = copy(m.Head[:], udpFrame(serverMAC, clientMAC, serverAddr, clientAddr, proto.PortTFTP, port, []byte(payload)))
	tx.Commit()
}

// addRun adds a run of DATA frames for all of data, to a port of the client.
func addRun(tx *batch.Tx, link uint8, port uint16, segments, size int, data []byte) {
	m := tx.Next()
	m.Link = link
	proto.PutHeaders((*[proto.HeadersLen]byte)(m.Head[:]), serverMAC, clientMAC, serverAddr, clientAddr,
		proto.PortTFTP, port, 65534, blockHead+min(size, len(data)))
	m.HeadLen = proto.HeadersLen
	m.Heads, m.Data, m.Size, m.Segments = blockHeads(segments), data, uint16(size), uint16(segments)
	tx.Commit()
}

// framesOf is what the messages of tx for a link must look like on the wire.
func framesOf(tx *batch.Tx, link uint8) [][]byte {
	var frames [][]byte
	for _, m := range tx.Messages[:tx.N] {
		for i := 0; m.Link == link && i < m.Frames(); i++ {
			frames = append(frames, m.AppendFrame(nil, i))
		}
	}
	return frames
}

// sendAll sends until nothing remains.
func (r *rig) sendAll(s *Set, tx *batch.Tx) {
	r.Helper()
	for end := time.Now().Add(20 * time.Second); tx.N > 0; {
		r.must(s.Send(tx))
		if tx.N > 0 {
			r.must(s.Wait(int64(time.Second)))
		}
		if time.Now().After(end) {
			r.Fatalf("%d messages are still unsent", tx.N)
		}
	}
}

// receive collects frames until n have come, or none comes for a while.
func (r *rig) receive(s *Set, n int) []batch.Frame {
	r.Helper()
	var rx batch.Rx
	var frames []batch.Frame
	for end := time.Now().Add(2 * time.Second); len(frames) < n && time.Now().Before(end); {
		r.must(s.Recv(&rx))
		for _, f := range rx.Frames[:rx.N] {
			f.Data = bytes.Clone(f.Data)
			frames = append(frames, f)
		}
		if rx.N == 0 {
			r.must(s.Wait(int64(50 * time.Millisecond)))
		}
	}
	return frames
}

// eachRung runs f once for every send rung, each on a rig of its own.
func eachRung(t *testing.T, f func(r *rig, o Options)) {
	for rung := SendSegmented; rung < rungs; rung++ {
		t.Run(rung.String(), func(t *testing.T) { f(newRig(t), Options{TX: rung.String()}) })
	}
}

// eachReceiveRung runs f once for every receive rung.
func eachReceiveRung(t *testing.T, f func(r *rig, o Options)) {
	for _, rung := range []ReceiveRung{ReceiveBatch, ReceiveSingle} {
		t.Run(rung.String(), func(t *testing.T) { f(newRig(t), Options{RX: rung.String()}) })
	}
}

// openDescriptors counts them, to find leaks.
func openDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
