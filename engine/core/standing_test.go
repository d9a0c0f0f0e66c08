package core

import (
	"testing"

	"bootstorm/engine/core/transfer"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// tftpFrame is a datagram to the TFTP port.
func tftpFrame(a proto.Addr, mac proto.MAC, port uint16, payload string) []byte {
	b := []byte(payload)
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, mac, serverMAC, a, serverAddr, port, proto.PortTFTP, 0, len(b))
	proto.FinishUDP(&head, b, nil)
	return append(head[:], b...)
}

const (
	askFor   = "\x00\x01f\x00octet\x00blksize\x001468\x00"
	firstAck = "\x00\x04\x00\x00"
)

// standingOf is what the core takes the sender of a request for.
func (w *world) standingOf(a proto.Addr, mac proto.MAC) transfer.Standing {
	w.t.Helper()
	if drop := proto.ParseFrame(&w.core.packet, tftpFrame(a, mac, 2000, askFor), true); drop != proto.OK {
		w.t.Fatal(drop)
	}
	return w.core.standing(0)
}

func TestStandingOfSenders(t *testing.T) {
	const conf = `ping-check off; default-lease-time 600;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.19; }
host outside { hardware ethernet 02:00:00:00:0c:01; hardware ethernet 02:00:00:00:0c:02; fixed-address 192.168.1.100; }
host relayed { hardware ethernet 02:00:00:00:0c:03; fixed-address 10.0.0.100; }
host two { hardware ethernet 02:00:00:00:0c:04; hardware ethernet 02:00:00:00:0c:05; }
`
	const far, known, stranger = transfer.Routed, transfer.Known, transfer.Stranger
	w := newWorld(t, conf)
	pool, two := w.lease(machine(9)), w.lease(machine(4))
	relayed := w.lease(msg{mac: mac(8), giaddr: proto.AddrOf(10, 0, 0, 1), src: proto.AddrOf(10, 0, 0, 1), dst: serverAddr, from: relayMAC})
	check := func(when string, rows []struct {
		what string
		a    proto.Addr
		mac  proto.MAC
		want transfer.Standing
	}) {
		t.Helper()
		for _, r := range rows {
			if got := w.standingOf(r.a, r.mac); got != r.want {
				t.Errorf("%s, %s: %d, want %d", when, r.what, got, r.want)
			}
		}
	}
	type rows = []struct {
		what string
		a    proto.Addr
		mac  proto.MAC
		want transfer.Standing
	}
	check("leased", rows{
		{"the node", pool, mac(9), known},
		{"another in its name", pool, mac(7), stranger},
		{"a free address", pool + 5, mac(9), stranger},
		{"an address of no pool", proto.AddrOf(192, 168, 1, 200), mac(9), stranger},
		{"a host without a fixed address", two, mac(4), known},
		{"its other link", two, mac(5), known},
		{"a fixed address", proto.AddrOf(192, 168, 1, 100), mac(2), known},
		{"another in its host's name", proto.AddrOf(192, 168, 1, 100), mac(9), stranger},
		{"behind a relay", relayed, relayMAC, far},
		{"behind a relay, not leased", relayed + 1, relayMAC, stranger},
		{"behind a relay, fixed", proto.AddrOf(10, 0, 0, 100), relayMAC, far},
		{"from somewhere", proto.AddrOf(172, 16, 0, 1), relayMAC, stranger},
	})
	w.pass(700)
	check("after its lease", rows{{"the node", pool, mac(9), known}, {"another", pool, mac(7), stranger}, {"behind a relay", relayed, relayMAC, stranger}})
	w = newWorld(t, "known-clients-first off;"+conf)
	check("known-clients-first off", rows{{"the node", w.lease(machine(9)), mac(9), stranger}})
}

// A node with a lease loads its file though strangers hold every transfer that
// they get, and though each of their requests came within its round trip.
func TestNodeWithALeaseLoadsBesideStrangers(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		loads      bool
	}{{"as installed", "", true}, {"known-clients-first off", "known-clients-first off;", false}} {
		for _, silent := range []bool{false, true} {
			config := smallConfig(buildPlan(t, c.conf+plain))
			config.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "f", Data: make([]byte, 2000)}})
			w := worldOf(t, config)
			node := w.lease(machine(9))
			strangers := func() {
				for i := range 200 { // the table has 64
					a := proto.AddrOf(192, 168, 1, byte(20+i))
					w.tell(tftpFrame(a, mac(byte(20+i)), 3000, askFor))
					if silent {
						w.tell(tftpFrame(a, mac(byte(20+i)), 3000, firstAck))
					}
				}
			}
			strangers()
			w.tell(tftpFrame(node, mac(9), 2000, askFor))
			strangers()
			for b := range byte(3) {
				w.tell(tftpFrame(node, mac(9), 2000, "\x00\x04\x00"+string(rune(b))))
			}
			if done := w.core.Transfers().Counters().Done == 1; done != c.loads {
				t.Errorf("%s, strangers acknowledge once: %v: loaded: %v; %+v", c.name, silent, done, *w.core.Transfers().Counters())
			}
		}
	}
}

// tell hands the core a frame and forgets the answers.
func (w *world) tell(f []byte) {
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0].Data, w.rx.Frames[0].Checksum = f, true
	w.core.Step(w.rx, 0, w.tx)
	w.core.Tick(w.now, w.tx)
	w.tx.Sent(w.tx.N)
	w.core.Events().Reset()
}

// TestNoAllocationForStanding: requests of known nodes and of strangers.
func TestNoAllocationForStanding(t *testing.T) {
	config := smallConfig(buildPlan(t, plain+"host a { hardware ethernet 02:00:00:00:0c:01; fixed-address 192.168.1.100; }"))
	config.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "f", Data: make([]byte, 2000)}})
	w := worldOf(t, config)
	node := w.lease(machine(9))
	frames := [][]byte{tftpFrame(node, mac(9), 2000, askFor), tftpFrame(node, mac(8), 2000, askFor),
		tftpFrame(proto.AddrOf(192, 168, 1, 100), mac(1), 2000, askFor), tftpFrame(proto.AddrOf(172, 16, 0, 1), mac(1), 2000, askFor)}
	if n := allocs.Of(func() {
		for _, f := range frames {
			w.tell(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
