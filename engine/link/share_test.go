//go:build linux

package link

import (
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// openShared opens n Sets on eth1.
func (r *rig) openShared(n int, o Options) []*Set {
	r.Helper()
	var sets []*Set
	r.must(r.server.Do(func() (err error) {
		sets, err = OpenShared([]string{"eth1"}, n, o)
		return err
	}))
	for _, s := range sets {
		r.Cleanup(func() { s.Close() })
	}
	return sets
}

// took receives from a Set until nothing has come for a while and returns how many
// frames there were.
func (r *rig) took(s *Set) (frames int) {
	r.Helper()
	var rx batch.Rx
	for idle := 0; idle < 3; {
		r.must(s.Recv(&rx))
		if frames += rx.N; rx.N == 0 {
			idle++
			r.must(s.Wait(int64(20 * time.Millisecond)))
		}
	}
	return frames
}

// from is a frame of a client to a port.
func from(a proto.Addr, port uint16) []byte {
	return udpFrame(clientMAC, serverMAC, a, serverAddr, 2000, port, []byte("x"))
}

// TestSharedInterface: what a client sends to TFTP, and ICMP about it, always
// comes to the same Set, once; the rest comes to the first. That stays so when
// the interface was down.
func TestSharedInterface(t *testing.T) {
	eachReceiveRung(t, func(r *rig, o Options) {
		const members, clients = 3, 30
		sets, w := r.openShared(members, o), r.tap(r.client, "eth0")
		check := func() {
			r.Helper()
			for i := range clients {
				w.write(from(clientAddr+proto.Addr(i), proto.PortTFTP))
				w.write(from(clientAddr+proto.Addr(i), proto.PortBOOTPServer))
				unreachable := patch(from(clientAddr+proto.Addr(i), 0), proto.EthernetLen+9, proto.ProtocolICMP)
				w.write(patch(unreachable, proto.EthernetLen+20, 3, 3))
			}
			w.write(arpFrame(proto.Broadcast, proto.ARPRequest))
			for i, s := range sets {
				want := 2 * clients / members
				if i == 0 {
					want += clients + 1
				}
				if got := r.took(s); got != want {
					r.Errorf("set %d got %d frames, want %d", i, got, want)
				}
			}
		}
		check()
		r.must(r.server.IP("link set eth1 down"))
		r.must(r.server.IP("link set eth1 up"))
		for _, s := range sets {
			var rx batch.Rx
			s.Recv(&rx) // the news that it was down
		}
		r.must(r.server.IP("link set eth1 address " + serverMAC.String()))
		check()
	})
}

// TestSharedSend: every Set may send.
func TestSharedSend(t *testing.T) {
	r := newRig(t)
	r.onWire()
	w := r.tap(r.client, "eth0")
	for i, s := range r.openShared(2, Options{}) {
		tx := batch.NewTx()
		addRun(tx, 0, uint16(3000+i), 4, 1468, file(4*1468))
		want := framesOf(tx, 0)
		r.sendAll(s, tx)
		w.expect(want)
	}
}

// TestSharedWhileDown: an interface that is down is the first Set's alone when it
// comes up.
func TestSharedWhileDown(t *testing.T) {
	r := newRig(t)
	r.must(r.server.IP("link set eth1 down"))
	sets := r.openShared(2, Options{})
	r.must(r.server.IP("link set eth1 up"))
	w := r.tap(r.client, "eth0")
	for _, s := range sets {
		var rx batch.Rx
		s.Recv(&rx)
	}
	for i := range 4 {
		w.write(from(clientAddr+proto.Addr(i), proto.PortTFTP))
	}
	if first, second := r.took(sets[0]), r.took(sets[1]); first != 4 || second != 0 {
		r.Errorf("%d and %d frames, want 4 and 0", first, second)
	}
}

// TestSharedFails: nothing stays open.
func TestSharedFails(t *testing.T) {
	r := newRig(t)
	r.must(r.server.Do(func() error {
		if _, err := OpenShared([]string{"eth1", "lo"}, 2, Options{}); err == nil {
			r.Error("no error for an interface without Ethernet")
		}
		return nil
	}))
}
