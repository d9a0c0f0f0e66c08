//go:build linux

package link

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// second adds another cable to the rig: eth2 of the server, eth3 of the client.
func (r *rig) second() {
	r.Helper()
	r.must(r.lab.Join(r.server, "eth2", r.client, "eth3"))
	r.must(r.server.IP("link set eth2 address 02:00:00:00:00:02"))
	r.must(r.server.Offload("eth2", false, false))
}

// TestSeveralLinks: each link gets its own messages in their order, and frames
// bear the index of the link that they came in by.
func TestSeveralLinks(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		r.second()
		s := r.open(o, "eth1", "eth2")
		taps := []*tap{r.tap(r.client, "eth0"), r.tap(r.client, "eth3")}
		tx := batch.NewTx()
		for i := range 12 {
			link := uint8(i * 5 % 3 & 1)
			addRun(tx, link, uint16(3000+i), 4, 1468, file(4*1468-i))
			addFrame(tx, 1-link, uint16(3000+i), fmt.Sprint("single ", i))
		}
		want := [][][]byte{framesOf(tx, 0), framesOf(tx, 1)}
		r.sendAll(s, tx)
		for link, w := range taps {
			w.expect(want[link])
		}
		for link, w := range taps {
			w.write(patch(toServer(proto.PortTFTP, "hello"), 0, proto.Broadcast[:]...))
			if got := r.receive(s, 1); len(got) != 1 || int(got[0].Link) != link {
				r.Errorf("link %d: got %d frames", link, len(got))
			}
		}
	})
}

// TestBusyLinkDoesNotStarve: with one link always full of frames the other's
// frames still come.
func TestBusyLinkDoesNotStarve(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		r.second()
		s := r.open(o, "eth1", "eth2")
		busy, idle := r.tap(r.client, "eth0"), r.tap(r.client, "eth3")
		for range 4 * batch.RxCap {
			busy.write(toServer(proto.PortTFTP, "x"))
		}
		idle.write(arpFrame(proto.Broadcast, proto.ARPRequest))
		var rx batch.Rx
		for call := 1; ; call++ {
			r.must(s.Recv(&rx))
			for _, f := range rx.Frames[:rx.N] {
				if f.Link == 1 {
					return
				}
			}
			if call == 3 {
				r.Fatal("the other link's frame did not come within three batches")
			}
		}
	})
}

// TestBlockedLink: a link whose queue is full holds up its own messages only.
func TestBlockedLink(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		r.onWire()
		r.second()
		r.pin()
		r.must(r.server.TC("qdisc replace dev eth1 root tbf rate 20mbit burst 16kb limit 1mb"))
		o.SendBuffer = 64 << 10
		s := r.open(o, "eth1", "eth2")
		slow, fast := r.tap(r.client, "eth0"), r.tap(r.client, "eth3")
		tx := batch.NewTx()
		for i := range 20 {
			addRun(tx, 0, 3000, 8, 1468, file(8*1468))
			addFrame(tx, 1, uint16(3000+i), "fast")
		}
		want := [][][]byte{framesOf(tx, 0), framesOf(tx, 1)}
		r.must(s.Send(tx))
		if tx.N == 0 || len(framesOf(tx, 1)) != 0 {
			r.Fatalf("%d messages left, %d of the fast link; want some and none", tx.N, len(framesOf(tx, 1)))
		}
		fast.expect(want[1])
		r.sendAll(s, tx)
		slow.expect(want[0])
	})
}

// TestOneOfTwoDown: what concerns one link does not touch the other.
func TestOneOfTwoDown(t *testing.T) {
	r := newRig(t)
	r.second()
	s := r.open(Options{}, "eth1", "eth2")
	w := r.tap(r.client, "eth3")
	r.must(r.server.IP("link set eth1 down"))
	if down := downOf(t, r.recvError(s)); down.Link != 0 {
		t.Errorf("link %d is down, want 0", down.Link)
	}
	tx := batch.NewTx()
	addFrame(tx, 0, 3000, "lost")
	addFrame(tx, 1, 3000, "sent")
	want := framesOf(tx, 1)
	r.must(s.Send(tx))
	w.expect(want)
}

func TestDescribe(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		s := r.open(o, "eth1")
		lines := s.Describe()
		// What the receive buffer may be depends on the user's rights.
		want := fmt.Sprintf("eth1: receive mmsg, buffer %d KB; send %s (%s), buffer 160 KB", s.links[0].buffer[0]>>10, o.TX, s.links[0].rung.explain())
		if len(lines) != 1 || lines[0] != want || s.links[0].buffer[0] < 1<<20 {
			r.Errorf("%q, want %q", lines, want)
		}
	})
}

func TestInterface(t *testing.T) {
	r := newRig(t)
	r.address()
	r.must(r.server.IP("addr add 10.0.0.1/8 dev eth1", "addr add 192.168.1.9/28 dev eth1", "link set eth1 mtu 1400"))
	r.must(r.server.Do(func() error {
		got, up, err := Interface("eth1")
		r.must(err)
		mask28 := proto.AddrOf(255, 255, 255, 240)
		want := plan.Link{Name: "eth1", MAC: serverMAC, MTU: 1400, Addrs: []plan.LinkAddr{
			{Addr: serverAddr, Mask: mask28}, // then the other network's primary, then the secondary
			{Addr: proto.AddrOf(10, 0, 0, 1), Mask: proto.AddrOf(255, 0, 0, 0)},
			{Addr: proto.AddrOf(192, 168, 1, 9), Mask: mask28},
		}}
		if fmt.Sprint(got) != fmt.Sprint(want) || !up {
			t.Errorf("got %v up %v, want %v up", got, up, want)
		}
		_, _, err = Interface("eth9")
		if down := downOf(t, err); !down.Gone || down.Name != "eth9" {
			t.Errorf("%v", down)
		}
		return nil
	}))
	r.must(r.server.IP("addr flush dev eth1", "link set eth1 down"))
	r.must(r.server.Do(func() error {
		if got, up, err := Interface("eth1"); err != nil || up || len(got.Addrs) != 0 {
			t.Errorf("%v up %v %v, want down and without addresses", got, up, err)
		}
		return nil
	}))
}

// unreachables counts the ICMP port unreachable messages that reach the client
// within a moment.
func unreachables(w *tap) (n int) {
	for {
		frame := w.read(30 * time.Millisecond)
		if frame == nil {
			return n
		}
		if len(frame) > 35 && frame[23] == proto.ProtocolICMP && frame[34] == 3 {
			n++
		}
	}
}

func TestReserveSilencesTheKernel(t *testing.T) {
	r := newRig(t)
	r.address()
	w := r.tap(r.client, "eth0")
	ask := func() int {
		for _, port := range reservedPorts {
			w.write(toServer(port, "anybody there?"))
		}
		return unreachables(w)
	}
	if n := ask(); n == 0 {
		t.Error("the kernel says nothing even without a reservation: the test shows nothing")
	}
	r.must(r.server.Do(func() error {
		held, err := Reserve("eth1")
		r.must(err)
		time.Sleep(1100 * time.Millisecond) // the kernel limits its ICMP to one per second and peer
		if n := ask(); n != 0 {
			t.Errorf("%d port unreachable messages while reserved", n)
		}
		r.must(held.Close())
		return nil
	}))
}

func TestReserveConflicts(t *testing.T) {
	r := newRig(t)
	r.must(r.server.Do(func() error {
		before := openDescriptors(t)
		held, err := Reserve("eth1")
		r.must(err)
		_, err = Reserve("eth1")
		checkError(t, err, "UDP port 67 on eth1 is in use by "+filepath.Base(os.Args[0]))
		if err := held.Close(); err != nil {
			t.Error(err)
		}
		other, err := net.ListenUDP("udp4", &net.UDPAddr{Port: 69})
		r.must(err)
		_, err = Reserve("eth1")
		checkError(t, err, "UDP port 69 on eth1 is in use by "+filepath.Base(os.Args[0]))
		other.Close()
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors open, %d before", after, before)
		}
		_, err = Reserve("eth9")
		if down := downOf(t, err); !down.Gone {
			t.Errorf("%v", err)
		}
		return nil
	}))
	r.must(withRefusals(r.server, []refusal{{call: unix.SYS_BIND, errno: unix.EACCES}}, func() error {
		_, err := Reserve("eth1")
		checkError(t, err, "CAP_NET_BIND_SERVICE")
		return nil
	}))
}

// TestRouterGroup: a card passes what is sent to a group only if somebody on the
// host is in it.
func TestRouterGroup(t *testing.T) {
	r := newRig(t)
	r.open(Options{}, "eth1")
	list, err := r.server.Must("cat", "/proc/self/net/dev_mcast")
	r.must(err)
	if !strings.Contains(list, "333300000002") {
		t.Errorf("groups of the interface:\n%s", list)
	}
}

// TestReserveStale: a reservation of an interface that was removed holds nothing,
// says so, and can be replaced as soon as there is another one of that name. The
// kernel tells of each of these steps.
func TestReserveStale(t *testing.T) {
	r := newRig(t)
	r.must(r.server.Do(func() error {
		told, stop, ended := make(chan struct{}, 1000), make(chan struct{}), make(chan error, 1)
		// A goroutine is outside of the namespace unless it enters it.
		go func() {
			ended <- r.server.Do(func() error { return Changes(func() { told <- struct{}{} }, stop) })
		}()
		time.Sleep(50 * time.Millisecond)
		held, err := Reserve("eth1")
		r.must(err)
		if held.Stale() {
			t.Error("stale from the beginning")
		}
		r.must(r.server.IP("link del eth1"))
		if !held.Stale() {
			t.Error("the interface is gone, and the reservation is not stale")
		}
		r.must(r.server.IP("link add eth1 type veth peer name other"))
		if !held.Stale() {
			t.Error("not stale any more: another interface has its name")
		}
		fresh, err := Reserve("eth1")
		r.must(err)
		held.Close()
		if fresh.Stale() {
			t.Error("the new one is stale")
		}
		fresh.Close()
		select {
		case <-told:
		case <-time.After(10 * time.Second):
			t.Error("no change was told")
		}
		close(stop)
		if err := <-ended; err == nil {
			t.Error("Changes ended without a reason")
		}
		return nil
	}))
}
