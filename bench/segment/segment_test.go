//go:build linux

package segment_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/bench/segment"
	"bootstorm/proto"
	"bootstorm/tools/lab"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { lab.Main(m) }

var (
	macA = proto.MAC{2, 0, 0, 0, 0, 0xa}
	macB = proto.MAC{2, 0, 0, 0, 0, 0xb}
)

// cable makes two hosts with a veth pair between them.
func cable(t *testing.T) (a, b *lab.Host) {
	t.Helper()
	l := lab.ForTest(t)
	a, errA := l.Host("a")
	b, errB := l.Host("b")
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if err := l.Join(a, "va", b, "vb"); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func open(t *testing.T, h *lab.Host, ifname string) *segment.Conn {
	t.Helper()
	var c *segment.Conn
	if err := h.Do(func() (err error) {
		c, err = segment.Open(ifname)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// collect receives until n frames for dst came, or two seconds passed.
func collect(t *testing.T, c *segment.Conn, n int, dst proto.MAC) (frames [][]byte, finished int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); len(frames) < n && time.Now().Before(end); {
		if err := c.Wait(int64(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(func(frame []byte, checksum bool) {
			if proto.MAC(frame[:6]) == dst {
				frames = append(frames, bytes.Clone(frame))
				if checksum {
					finished++
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	return frames, finished
}

// datagram is a frame whose payload is text.
func datagram(src, dst proto.MAC, text string) []byte {
	b := append(make([]byte, proto.HeadersLen), text...)
	h := (*[proto.HeadersLen]byte)(b)
	proto.PutHeaders(h, src, dst, proto.AddrOf(10, 0, 0, 1), proto.AddrOf(10, 0, 0, 2), 1000, 2000, 7, len(text))
	proto.FinishUDP(h, b[proto.HeadersLen:], nil)
	return b
}

// Frames arrive complete and in order, whatever hardware address they are for,
// and the sender does not hear itself.
func TestFramesPass(t *testing.T) {
	a, b := cable(t)
	ca, cb := open(t, a, "va"), open(t, b, "vb")
	stranger := proto.MAC{2, 0xee, 0, 0, 0, 1}
	const n = 500
	for i := 0; i < n; {
		if ca.Queue(datagram(macA, stranger, fmt.Sprintf("number %d", i))) {
			i++
		} else if err := ca.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := ca.Flush(); err != nil || ca.Queued() != 0 {
		t.Fatalf("%v, %d still queued", err, ca.Queued())
	}
	frames, finished := collect(t, cb, n, stranger)
	if len(frames) != n || finished != n {
		t.Fatalf("%d frames arrived, %d of them finished, of %d", len(frames), finished, n)
	}
	for i, f := range frames {
		if want := datagram(macA, stranger, fmt.Sprintf("number %d", i)); !bytes.Equal(f, want) {
			t.Fatalf("frame %d is % x", i, f)
		}
	}
	if own, err := ca.Receive(func([]byte, bool) {}); err != nil || own != 0 {
		t.Errorf("the sender received %d frames of its own (%v)", own, err)
	}
	if cb.Statistics(); cb.Dropped != 0 {
		t.Errorf("%d frames dropped", cb.Dropped)
	}
}

// A kernel that keeps a run of datagrams in one piece is seen as a network
// card would show it: one frame for each.
func TestRunIsCut(t *testing.T) {
	for _, offload := range []bool{true, false} {
		t.Run(fmt.Sprintf("offload %v", offload), func(t *testing.T) {
			a, b := cable(t)
			if err := a.Offload("va", offload, true); err != nil {
				t.Fatal(err)
			}
			cb := open(t, b, "vb")
			if err := a.IP("addr add 10.0.0.1/24 dev va", "neigh add 10.0.0.2 lladdr "+macB.String()+" dev va"); err != nil {
				t.Fatal(err)
			}
			run := bytes.Repeat([]byte("0123456789"), 105) // ten datagrams of 100 bytes and one of 50
			if err := a.Do(func() error { return sendRun(run, 100) }); err != nil {
				t.Fatal(err)
			}
			frames, _ := collect(t, cb, 11, macB)
			if len(frames) != 11 {
				t.Fatalf("%d frames, want 11", len(frames))
			}
			var got []byte
			var p proto.Packet
			for i, f := range frames {
				if d := proto.ParseFrame(&p, f, false); d != proto.OK || i < 10 && len(p.Payload) != 100 {
					t.Fatalf("frame %d: %s, %d bytes", i, d, len(p.Payload))
				}
				got = append(got, p.Payload...)
			}
			if !bytes.Equal(got, run) {
				t.Error("the data differ")
			}
		})
	}
}

// sendRun sends b through the kernel as one run of datagrams of size bytes
// (UDP_SEGMENT, udp(7)).
func sendRun(b []byte, size int) error {
	c, err := net.Dial("udp", "10.0.0.2:9")
	if err != nil {
		return err
	}
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size)
	}); err != nil || set != nil {
		return fmt.Errorf("UDP_SEGMENT: %w, %w", err, set)
	}
	_, err = c.Write(b)
	return err
}

func TestWaitEnds(t *testing.T) {
	a, _ := cable(t)
	c := open(t, a, "va")
	start := time.Now()
	if err := c.Wait(int64(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 15*time.Millisecond || d > time.Second {
		t.Errorf("waited %s", d)
	}
}

// What is queued is bounded, and a frame that is too long is refused.
func TestQueueIsBounded(t *testing.T) {
	a, _ := cable(t)
	c := open(t, a, "va")
	n := 0
	for c.Queue(datagram(macA, macB, "x")) {
		n++
	}
	if n != c.Queued() || n == 0 || n > 1000 {
		t.Errorf("%d frames fit, %d are queued", n, c.Queued())
	}
	if err := c.Flush(); err != nil || c.Queue(make([]byte, 1515)) {
		t.Errorf("a frame of 1515 bytes was taken, or %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := segment.Open("nosuch0"); err == nil || !strings.Contains(err.Error(), "nosuch0") {
		t.Errorf("got %v", err)
	}
}
