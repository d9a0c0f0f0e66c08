package core

import (
	"math"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

const twoNetworks = `ping-check false;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
subnet 10.0.0.0 netmask 255.0.0.0 { range 10.1.0.10 10.1.0.19; }`

// TestTwoLinks: each link is a network of its own, and an answer leaves by the
// link that the question came in by, held or not.
func TestTwoLinks(t *testing.T) {
	second := plan.Link{Name: "eth1", MAC: mac(200), MTU: 1500, Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(10, 0, 0, 1), Mask: 0xff000000}}}
	c := smallConfig(buildPlan(t, twoNetworks))
	c.Links = append(c.Links, second)
	w := worldOf(t, c)
	for n, want := range []struct {
		link uint8
		addr proto.Addr
		from proto.Addr
	}{{0, host(10), serverAddr}, {1, proto.AddrOf(10, 1, 0, 10), second.Addrs[0].Addr}, {0, host(11), serverAddr}} {
		for _, m := range []msg{machine(byte(n)), machine(byte(n)).rebooting(want.addr)} {
			w.rx.Now, w.rx.N = w.now, 1
			w.rx.Frames[0] = batch.Frame{Data: m.frame(), Link: want.link, Checksum: true}
			w.core.Step(w.rx, 0, w.tx)
			w.core.Durable(w.core.seq, w.tx)
			if w.tx.N != 1 || w.tx.Messages[0].Link != want.link {
				t.Fatalf("machine %d: %d frames, the first on link %d", n, w.tx.N, w.tx.Messages[0].Link)
			}
			if a := w.collect()[0]; a.yiaddr != want.addr || a.packet.Src != want.from {
				t.Errorf("machine %d: %v from %v", n, a.yiaddr, a.packet.Src)
			}
		}
	}
}

func TestLinkWithoutAddress(t *testing.T) {
	w := newWorld(t, plain)
	w.core.SetLinks([]plan.Link{{Name: "eth0", MAC: serverMAC, MTU: 1500}})
	if w.ask(machine(1)) != nil || w.core.Counters().NoLink != 1 {
		t.Error("answered from no address, or not counted")
	}
	w.core.SetLinks(nil)
	if w.ask(machine(1)) != nil || w.core.Counters().NoLink != 2 {
		t.Error("answered on a link that is gone, or not counted")
	}
	w.core.SetLinks(serverLinks())
	w.want(machine(1), dhcp.Offer, host(10))
}

// TestDeadline: Tick is asked for when something is due, and for nothing else.
func TestDeadline(t *testing.T) {
	w := newWorld(t, plain)
	if d := w.core.Deadline(); d != math.MaxInt64 {
		t.Fatalf("a core with nothing to do waits for %d", d)
	}
	w.want(machine(1), dhcp.Offer, host(10))
	if d := w.core.Deadline(); d < w.now.Mono || d > w.now.Mono+offerHold {
		t.Errorf("an offer is due at %d", d)
	}
	w.want(machine(1).selecting(host(10)), dhcp.Ack, host(10))
	for range 100 { // the wheel gives lower bounds, which must not stand still
		d := w.core.Deadline()
		if d == math.MaxInt64 {
			break
		}
		if d < w.now.Mono {
			t.Fatalf("due in the past: %d at %d", d, w.now.Mono)
		}
		w.now.Mono = d
		w.tick()
	}
	if w.core.Deadline() != math.MaxInt64 || w.core.Counters().Expired != 1 {
		t.Error("the lease did not end by following the deadlines")
	}
}

// TestTransfersAreReached: what is for port 69, and what is refused there,
// reaches the transfers.
func TestTransfersAreReached(t *testing.T) {
	w := newWorld(t, plain)
	m := machine(1)
	m.dport, m.dst, m.src = proto.PortTFTP, serverAddr, host(10)
	w.rx.Now, w.rx.N = w.now, 2
	w.rx.Frames[0] = batch.Frame{Data: m.frame(), Checksum: true}
	w.rx.Frames[1] = batch.Frame{Data: icmpFrame(host(10)), Checksum: true}
	if w.core.Step(w.rx, 0, w.tx) != 2 {
		t.Fatal("not handled")
	}
	if n := w.core.Counters(); n.TFTP != 1 || n.Unreachable != 1 || n.Other != 0 {
		t.Errorf("TFTP %d, unreachable %d, other %d", n.TFTP, n.Unreachable, n.Other)
	}
	if w.core.Transfers() == nil || w.core.Transfers().Active() != 0 {
		t.Error("a transfer began without a request for one")
	}
	w.core.SetFiles(nil)
}

// TestNew: a core of no plan to speak of works, and refuses everything.
func TestNew(t *testing.T) {
	w := worldOf(t, Config{Plan: buildPlan(t, ""), Transfer: transfer.Config{Transfers: 1}})
	w.tick()
	if w.ask(machine(1)) != nil {
		t.Error("answered")
	}
}
