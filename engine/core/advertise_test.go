package core

import (
	"bytes"
	"encoding/binary"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

func isAdvert(f []byte) bool {
	return len(f) == proto.AdvertLen && binary.BigEndian.Uint16(f[12:]) == proto.EtherTypeIPv6
}

// solicitFrame is a router solicitation as iPXE sends it.
func solicitFrame(mac proto.MAC) []byte { return solicitFrom(mac, proto.LinkLocal(mac)) }

// solicitFrom has an option with the MAC unless the source is unspecified.
func solicitFrom(mac proto.MAC, src proto.Addr6) []byte {
	b := make([]byte, 70)
	group, to := proto.GroupMAC(proto.AllRouters), proto.AllRouters
	copy(b, group[:])
	copy(b[6:], mac[:])
	copy(b[12:], []byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, proto.ProtocolICMPv6, 255})
	copy(b[22:], src[:])
	copy(b[38:], to[:])
	b[54] = proto.RouterSolicitation
	copy(b[62:], append([]byte{1, 1}, mac[:]...))
	if src == (proto.Addr6{}) {
		b = b[:62]
		b[19] = 8
	}
	sum := proto.Sum(proto.Sum(uint64(b[19])+proto.ProtocolICMPv6, b[22:54]), b[54:])
	binary.BigEndian.PutUint16(b[56:], ^proto.Fold(sum))
	return b
}

// rrqFrame is a TFTP request for a file that is not there.
func rrqFrame(from proto.MAC) []byte {
	payload := []byte("\x00\x01missing\x00octet\x00")
	b := append(make([]byte, proto.HeadersLen), payload...)
	h := (*[proto.HeadersLen]byte)(b)
	proto.PutHeaders(h, from, serverMAC, host(10), serverAddr, 2070, proto.PortTFTP, 1, len(payload))
	proto.FinishUDP(h, payload, nil)
	return b
}

// load hands a TFTP request to the core, whatever it answers.
func (w *world) load(f []byte) {
	w.rx.Now, w.rx.N, w.rx.Frames[0] = w.now, 1, batch.Frame{Data: f, Checksum: true}
	w.core.Step(w.rx, 0, w.tx)
	w.tx.Sent(w.tx.N)
}

// solicit has a machine look for a router and returns how many advertisements
// were sent.
func (w *world) solicit(n byte) int {
	w.t.Helper()
	before := len(w.adverts)
	if a := w.frame(solicitFrame(mac(n))); len(a) != 0 {
		w.t.Error("a solicitation was answered with DHCP")
	}
	return len(w.adverts) - before
}

const ipxeSubnet = `ping-check off; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; filename "x"; `

// TestAdvertisementIsForTheNodeAlone: who gets which frame.
func TestAdvertisementIsForTheNodeAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		src  proto.Addr6
		mac  proto.MAC
		to   proto.Addr6
	}{
		{"from its link-local address", proto.LinkLocal(mac(1)), mac(1), proto.LinkLocal(mac(1))},
		{"from another address", proto.Addr6{0xfe, 0x80, 15: 9}, mac(1), proto.Addr6{0xfe, 0x80, 15: 9}},
		{"without an address yet", proto.Addr6{}, proto.GroupMAC(proto.AllNodes), proto.AllNodes},
	} {
		w := newWorld(t, ipxeSubnet+"}")
		w.want(machine(1).ipxe(), dhcp.Offer, host(10))
		w.frame(solicitFrom(mac(1), c.src))
		var want [proto.AdvertLen]byte
		proto.PutAdvert(&want, serverMAC, c.mac, c.to)
		if len(w.adverts) != 1 || !bytes.Equal(w.adverts[0], want[:]) {
			t.Errorf("%s: % x", c.name, w.adverts)
		}
	}
}

// TestWhoIsAdvertisedTo: iPXE, and never an installed system.
func TestWhoIsAdvertisedTo(t *testing.T) {
	ipxe := machine(1).ipxe()
	dora := func(w *world, m msg) { w.ask(m); w.ask(m.selecting(host(10))) }
	for _, c := range []struct {
		name, conf string
		do         func(w *world)
		want       int
	}{
		{"iPXE after its DISCOVER", "", func(w *world) { w.ask(ipxe) }, 1},
		{"iPXE after its ACK", "", func(w *world) { dora(w, ipxe) }, 1},
		{"iPXE with a fixed address", `} host a { hardware ethernet 02:00:00:00:0c:01; fixed-address 192.168.1.77; `, func(w *world) { w.ask(ipxe) }, 1},
		{"its last solicitation", "", func(w *world) { w.ask(ipxe); w.leap(17) }, 1},
		{"after another stage of the same boot", "", func(w *world) { dora(w, machine(1).firmware()); w.ask(ipxe) }, 1},
		{"after an installed system was restarted", "", func(w *world) { dora(w, machine(1).system()); w.ask(ipxe) }, 1},
		{"long after", "", func(w *world) { w.ask(ipxe); w.leap(20) }, 0},
		{"nobody has asked for an address", "", func(w *world) {}, 0},
		{"firmware", "", func(w *world) { dora(w, machine(1).firmware()) }, 0},
		{"a system", "", func(w *world) { dora(w, machine(1).system()) }, 0},
		{"a system right after iPXE", "", func(w *world) { dora(w, ipxe); w.ask(machine(1).system()) }, 0},
		{"a system that asks for nothing but routers, right after iPXE", "", func(w *world) { dora(w, ipxe); w.load(rrqFrame(mac(1))) }, 0},
		{"iPXE that looked for autoexec.ipxe before its DISCOVER", "", func(w *world) { w.load(rrqFrame(mac(1))); w.ask(ipxe) }, 1},
		{"iPXE behind a relay", "", func(w *world) { w.ask(ipxe.relayed(host(200))) }, 0},
		{"iPXE that is refused", "deny booting;", func(w *world) { w.ask(ipxe) }, 0},
		{"iPXE that chose another server", "", func(w *world) { w.ask(ipxe); w.ask(ipxe.of(dhcp.Request).naming(host(9)).asking(host(10))) }, 0},
		{"another node", "", func(w *world) { w.ask(machine(2).ipxe()) }, 0},
		{"switched off", "ipv6-router-advertisement off;", func(w *world) { w.ask(ipxe) }, 0},
		{"hints off are something else", "boot-hints off;", func(w *world) { w.ask(ipxe) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := hintWorld(t, ipxeSubnet+c.conf+"}")
			c.do(w)
			if got := w.solicit(1); got != c.want {
				t.Errorf("%d advertisements, want %d", got, c.want)
			}
			if n := w.core.Counters(); n.Solicits != 1 || n.Adverts != uint64(c.want) {
				t.Errorf("counted %d, %d", n.Solicits, n.Adverts)
			}
		})
	}
}

// TestSolicitationOvertakesDiscover: the two come by different sockets.
func TestSolicitationOvertakesDiscover(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	if w.solicit(1) != 0 {
		t.Error("answered too early")
	}
	w.ask(machine(1).ipxe())
	if len(w.adverts) != 1 {
		t.Fatalf("%d advertisements with the OFFER", len(w.adverts))
	}
	w.ask(machine(1).ipxe())
	if len(w.adverts) != 1 {
		t.Error("answered twice")
	}
	if w.solicit(2); len(w.adverts) != 1 {
		t.Error("another node was answered")
	}
	w.leap(1)
	if w.ask(machine(2).ipxe()); len(w.adverts) != 1 {
		t.Error("an old question was answered")
	}
	w.solicit(3) // an installed system
	if w.ask(machine(3).system()); len(w.adverts) != 1 {
		t.Error("a system was answered")
	}
}

// TestSolicitationIsBelieved only if it is sound, and on a link of ours.
func TestSolicitationIsBelieved(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	w.ask(machine(1).ipxe())
	bad := solicitFrame(mac(1))
	bad[60] ^= 1
	w.frame(bad)
	w.rx.N, w.rx.Frames[0] = 1, batch.Frame{Data: solicitFrame(mac(1)), Link: 7, Checksum: true}
	w.core.Step(w.rx, 0, w.tx)
	if w.collect(); len(w.adverts) != 0 || w.core.Counters().Solicits != 0 || w.core.Counters().Bad[proto.DropEtherType] != 2 {
		t.Errorf("%d advertisements, %+v", len(w.adverts), w.core.Counters())
	}
}

// TestSeekersGiveWay: more nodes than there is room for cost the oldest ones
// their place, nothing else.
func TestSeekersGiveWay(t *testing.T) {
	table := new(seekers)
	address := func(i int) proto.MAC { return proto.MAC{2, 0, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)} }
	const n = 4 * len(seekers{})
	for i := range n {
		table.enter(address(i), 0).at = int64(i + 1)
	}
	recent := 0
	for i := n - 1000; i < n; i++ {
		if s := table.find(address(i), 0); s != nil && s.at == int64(i+1) {
			recent++
		}
	}
	if recent != 1000 {
		t.Errorf("%d of the last 1000 are there", recent)
	}
	if s := table.find(address(n-1), 1); s != nil {
		t.Error("found on another link")
	}
	table.forget(address(n-1), 0)
	if s := table.find(address(n-1), 0); s != nil {
		t.Error("not forgotten")
	}
}

// TestReloadKeepsSeekers: a reload between DISCOVER and solicitation.
func TestReloadKeepsSeekers(t *testing.T) {
	w := newWorld(t, ipxeSubnet+"}")
	w.ask(machine(1).ipxe())
	fresh := New(smallConfig(buildPlan(t, ipxeSubnet+"}")))
	w.core.Replace(w.now, fresh)
	w.core = fresh
	if w.solicit(1) != 1 {
		t.Error("the node is not known any more")
	}
}
