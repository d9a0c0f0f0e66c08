package bench

import (
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// The hand-made server carries nodes through the guide's sequence, so that the
// models do not depend on the core being right.
func TestGuideSequence(t *testing.T) {
	f := newFixture(t, testContents())
	r := play(t, Config{Nodes: 3, Boots: 2, Seed: 1}, f)
	wantOK(t, r)
	var names []string
	for _, p := range r.Phases {
		names = append(names, p.Name)
		if p.Done != 6 {
			t.Errorf("%s was done %d times", p.Name, p.Done)
		}
	}
	if got := strings.Join(names, ", "); got != "firmware DHCP, ipxe.efi, iPXE DHCP, refind.pxe, refind.conf, refind_x64.efi" {
		t.Errorf("phases: %s", got)
	}
	size := 0
	for _, x := range f.files.files {
		size += x.Size
	}
	if r.Verified != uint64(6*size) || r.Addresses != 3 || r.Boots != 6 || r.Duplicates != 0 {
		t.Errorf("%+v, want %d bytes verified", r, 6*size)
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Sequence: DORA}, "firmware DHCP"},
		{Config{Sequence: Firmware}, "firmware DHCP, file"},
		{Config{Sequence: Guide}, "firmware DHCP, file, iPXE DHCP, file, script"},
		{Config{Sequence: Guide, Waits: true, Loader: 1, IPv6: true},
			"firmware DHCP, file, start of iPXE, iPXE DHCP, iPXE waiting for a router, file, script"},
		{Config{Sequence: Linux}, "system DHCP, renewal"},
		{Config{Sequence: Full}, "firmware DHCP, file, iPXE DHCP, file, script, system DHCP, renewal"},
	} {
		var names []string
		for _, s := range stepsOf(&c.config, edk2) {
			name := s.phase
			if s.kind == stepFile {
				name = "file"
			} else if s.kind == stepScript {
				name = "script"
			}
			names = append(names, name)
		}
		if got := strings.Join(names, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.config.Sequence, got, c.want)
		}
	}
}

// Nodes are switched on evenly over the ramp, and again after each pause.
func TestRampAndPause(t *testing.T) {
	f := newFixture(t, testContents())
	r := play(t, Config{Nodes: 4, Boots: 2, Sequence: DORA, Ramp: 8 * batch.Second, Pause: 10 * batch.Second}, f)
	wantOK(t, r)
	var at []int64
	for _, s := range f.seen {
		if s.kind == 1 {
			at = append(at, s.at/batch.Second)
		}
	}
	want := []int64{0, 2, 4, 6, 10, 12, 14, 16}
	for i := range want {
		if len(at) != len(want) || at[i] != want[i] {
			t.Fatalf("DISCOVER at %v s, want %v", at, want)
		}
	}
}

// A boot that does not end is ended by the limit, and says where it was.
func TestLimit(t *testing.T) {
	f := newFixture(t, testContents())
	f.silent = true
	r := play(t, Config{Nodes: 2, Sequence: Firmware, Limit: 5 * batch.Second}, f)
	wantReason(t, r, `not done after 5 s, in the phase "ipxe.efi"`)
	if r.LastNode != 5*time.Second || r.Failures[0].Count != 2 {
		t.Errorf("ended after %s, %d times", r.LastNode, r.Failures[0].Count)
	}
}

// A host that answers for a node's address is a conflict; one that is asked
// for by nobody is not the node's business.
func TestARPConflict(t *testing.T) {
	f := newFixture(t, testContents())
	thief := proto.MAC{2, 9, 9, 9, 9, 9}
	f.oack = func(_ string, granted []byte) []byte {
		f.out.arp(proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: thief, SenderAddr: proto.AddrOf(192, 168, 1, 2), TargetAddr: proto.AddrOf(192, 168, 1, 2)})
		return granted
	}
	wantReason(t, play(t, Config{Nodes: 1, Sequence: Firmware}, f), "is used by 02:09:09:09:09:09 as well")
}

// Nodes answer ARP for the address they hold, and for no other.
func TestNodesAnswerARP(t *testing.T) {
	f := newFixture(t, testContents())
	answered := 0
	f.oack = func(_ string, granted []byte) []byte {
		for _, a := range []byte{2, 3} {
			f.out.arp(proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: serverMAC, SenderAddr: serverAddr, TargetAddr: proto.AddrOf(192, 168, 1, a)})
		}
		return granted
	}
	f.hear = func(p *proto.Packet) {
		if p.Kind == proto.KindARP && p.ARP.Op == proto.ARPReply {
			answered++
			if p.ARP.SenderAddr != proto.AddrOf(192, 168, 1, 2) || p.ARP.TargetMAC != serverMAC {
				t.Errorf("answer %+v", p.ARP)
			}
		}
	}
	r := play(t, Config{Nodes: 1, Sequence: Firmware}, f)
	wantOK(t, r)
	if answered != 2 { // after the probe's OACK and after the read's
		t.Errorf("%d answers", answered)
	}
}

// Frames that are no node's, or damaged, are counted and harm nothing.
func TestOddFrames(t *testing.T) {
	f := newFixture(t, testContents())
	s, err := NewStorm(Config{Nodes: 1, Sequence: DORA}, f.files)
	if err != nil {
		t.Fatal(err)
	}
	var o Out
	o.udp(address{serverMAC, serverAddr, 69}, address{proto.MAC{0x52, 0x54, 0, 0, 0, 2}, 5, 6}, 0, []byte("x"))
	o.udp(address{serverMAC, serverAddr, 69}, address{proto.Broadcast, proto.Limited, 6}, 0, []byte("x"))
	o.udp(address{serverMAC, serverAddr, 69}, address{proto.Broadcast, proto.Limited, 68}, 0, []byte("x"))
	o.arp(proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, TargetAddr: 9})
	for i := range o.Len() {
		s.Receive(0, o.Frame(i), true)
	}
	damaged := o.Frame(0)
	damaged[42] ^= 1
	s.Receive(0, damaged, true)
	s.Receive(0, nil, true)
	s.Receive(0, append(make([]byte, 12), 0x86, 0xdd), true)
	if s.stats.foreign != 3 || s.stats.damaged != 2 {
		t.Errorf("%d foreign, %d damaged", s.stats.foreign, s.stats.damaged)
	}
	wantOK(t, playStorm(t, s, f))
}

// In steady state a frame costs no memory: nodes reuse what they have.
func TestFramesDoNotAllocate(t *testing.T) {
	data := make([]byte, 1432*3000)
	s, n := reading(t, ipxe, data, 1432)
	var in Out
	for i := range 2900 {
		in.udp(address{serverMAC, serverAddr, 69}, address{n.mac, n.addr, 5}, 0, append([]byte{0, 3, byte((i + 1) >> 8), byte(i + 1)}, block(data, 1432, i)...))
	}
	sent := 0
	take := func([]byte) bool { sent++; return true }
	at := 0
	run := func() {
		for range 1000 {
			s.Receive(0, in.Frame(at), true)
			s.Drain(0, take)
			at++
		}
	}
	if allocs := testing.AllocsPerRun(1, run); allocs != 0 || sent != 2000 {
		t.Errorf("%v allocations, %d frames answered", allocs, sent)
	}
}
