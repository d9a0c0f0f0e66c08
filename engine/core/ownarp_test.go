package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// arpAsk is an ARP request that was broadcast.
func arpAsk(from proto.Addr, mac proto.MAC, whose proto.Addr) []byte {
	var f [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&f, mac, proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: mac, SenderAddr: from, TargetAddr: whose})
	return f[:]
}

// to is the frame sent to one station.
func to(mac proto.MAC, f []byte) []byte {
	copy(f, mac[:])
	return f
}

// asks shows the core a frame with an ARP request on a link, after some time, and
// returns the answers.
func (w *world) asks(after int64, f []byte, link uint8) []proto.ARP {
	w.t.Helper()
	w.now.Mono += after
	w.probes = nil
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0] = batch.Frame{Data: f, Checksum: true, Link: link}
	w.core.Step(w.rx, 0, w.tx)
	for i := range w.tx.N {
		if m := w.tx.Messages[i]; m.Link != link || proto.MAC(m.Head[:6]) == proto.Broadcast {
			w.t.Errorf("an answer on link %d to %v, asked on %d", m.Link, m.Head[:6], link)
		}
	}
	w.collect()
	return w.probes
}

// answersARP is how many requests were answered so far.
func (w *world) answersARP() uint64 { return w.core.Counters().ARPAnswers }

// TestSecondRequestIsAnswered: the kernel has left the first one unanswered. From
// then on first requests are answered, for as long as nothing tells that the
// kernel answers again.
func TestSecondRequestIsAnswered(t *testing.T) {
	w := newWorld(t, plain)
	a, b := w.lease(machine(1)), w.lease(machine(2))
	if got := w.asks(0, arpAsk(a, mac(1), serverAddr), 0); len(got) != 0 {
		t.Fatalf("the first request was answered: %+v", got)
	}
	got := w.asks(125*batch.Millisecond, arpAsk(a, mac(1), serverAddr), 0)
	if len(got) != 1 || got[0] != (proto.ARP{Op: proto.ARPReply, SenderMAC: serverMAC, SenderAddr: serverAddr, TargetMAC: mac(1), TargetAddr: a}) {
		t.Fatalf("answers to the second request: %+v", got)
	}
	if got := w.asks(batch.Second, arpAsk(b, mac(2), serverAddr), 0); len(got) != 1 || got[0].TargetMAC != mac(2) {
		t.Errorf("another node's first request while the kernel is silent: %+v", got)
	}
	w.lease(machine(2)) // its next program
	if got := w.asks(kernelSilent, arpAsk(b, mac(2), serverAddr), 0); len(got) != 0 {
		t.Errorf("a first request long after: %+v", got)
	}
	if n := w.answersARP(); n != 2 {
		t.Errorf("%d answers counted", n)
	}
}

// TestKernelsBusiness is what the kernel is left to answer: for each of these the
// second request is sent as late as a repetition is.
func TestKernelsBusiness(t *testing.T) {
	const alias = 0xc0a80102 // 192.168.1.2
	leased := func(w *world) proto.Addr { return w.lease(machine(1)) }
	for _, c := range []struct {
		name, conf string
		first      func(w *world) []byte
		between    func(w *world)
		after      int64
	}{
		{name: "a stranger", first: func(w *world) []byte { return arpAsk(host(77), mac(9), serverAddr) }},
		{name: "a stranger with a leased address", first: func(w *world) []byte { return arpAsk(leased(w), mac(9), serverAddr) }},
		{name: "an address that was only offered", first: func(w *world) []byte {
			return arpAsk(w.ask(machine(1)).yiaddr, mac(1), serverAddr)
		}},
		{name: "a lease that has ended", first: func(w *world) []byte {
			a := leased(w)
			w.core.table.Release(w.core.table.Find(a), w.now)
			return arpAsk(a, mac(1), serverAddr)
		}},
		{name: "an address that is not the server's", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), host(200)) }},
		{name: "a gratuitous request", first: func(w *world) []byte { a := leased(w); return arpAsk(a, mac(1), a) }},
		{name: "a probe for the server's address", first: func(w *world) []byte { leased(w); return arpAsk(0, mac(1), serverAddr) }},
		{name: "a request to another station", first: func(w *world) []byte {
			return to(mac(50), arpAsk(leased(w), mac(1), serverAddr))
		}},
		{name: "a reply", first: func(w *world) []byte { return arpFrame(leased(w), mac(1)) }},
		{name: "switched off", conf: "answer-arp off;\n", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) }},
		{name: "switched off for the host", conf: "host n { hardware ethernet 02:00:00:00:0c:01; answer-arp off; }\n",
			first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) }},
		{name: "another address of the server's", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) },
			between: func(w *world) {
				w.core.links[0].Addrs = append(w.core.links[0].Addrs, plan.LinkAddr{Addr: alias, Mask: 0xffffff00})
				w.asks(0, arpAsk(w.core.table.Addr(0), mac(1), alias), 0)
			}},
		{name: "an address that the link no longer has", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) },
			between: func(w *world) {
				links := serverLinks()
				links[0].Addrs[0].Addr = host(3)
				w.core.SetLinks(links)
			}},
		{name: "sooner than an answer can come", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) },
			after: askedAgain - 1},
		{name: "long after", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) }, after: askedLately},
		{name: "after a request for a file", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) },
			between: func(w *world) {
				w.core.SetFiles(image.Build(0, "", nil))
				w.load(rrqFrame(mac(1)))
			}},
		{name: "when the request for a file was faster", first: func(w *world) []byte {
			w.core.SetFiles(image.Build(0, "", nil))
			a := leased(w)
			w.load(rrqFrame(mac(1)))
			return arpAsk(a, mac(1), serverAddr)
		}},
		{name: "after its next DHCP", first: func(w *world) []byte { return arpAsk(leased(w), mac(1), serverAddr) },
			between: func(w *world) { w.lease(machine(1).ipxe()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf+plain)
			f := c.first(w)
			w.asks(0, f, 0)
			if c.between != nil {
				c.between(w)
			}
			if c.after == 0 {
				c.after = askedAgain
			}
			if got := w.asks(c.after, f, 0); len(got) != 0 || w.answersARP() != 0 {
				t.Errorf("answered %+v", got)
			}
		})
	}
}

// TestClientsTimers: what each client sends when the kernel does not answer, and
// when it has its answer.
func TestClientsTimers(t *testing.T) {
	const ms = batch.Millisecond
	for _, c := range []struct {
		name     string
		at       []int64 // of its requests
		answered int     // number of the first one that is
	}{
		{"iPXE", []int64{0, 125 * ms, 375 * ms, 875 * ms, 1875 * ms}, 1},
		{"edk2", []int64{0, 250 * ms, 750 * ms}, 1},
		{"edk2, whose clock strikes at once", []int64{0, 2 * ms, 502 * ms}, 2},
		{"GRUB", []int64{0, 400 * ms, 820 * ms}, 1},
		{"Linux", []int64{0, 1000 * ms, 2000 * ms}, 1},
		{"U-Boot", []int64{0, 5000 * ms}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain)
			a := w.lease(machine(1))
			start := w.now.Mono
			for i, at := range c.at {
				got := w.asks(start+at-w.now.Mono, arpAsk(a, mac(1), serverAddr), 0)
				if (len(got) == 1) != (i >= c.answered) {
					t.Errorf("request %d, after %d ms: %d answers", i, at/ms, len(got))
				}
			}
		})
	}
}

// TestWhoAsksForEver is answered a few times until its next ACK: a bond with
// arp_interval asks ten times a second, and the kernel answers.
func TestWhoAsksForEver(t *testing.T) {
	w := newWorld(t, plain)
	a := w.lease(machine(1))
	for range 100 {
		w.asks(100*batch.Millisecond, arpAsk(a, mac(1), serverAddr), 0)
	}
	if n := w.answersARP(); n != arpAnswers {
		t.Errorf("%d answers", n)
	}
	w.want(machine(1).renewing(a), dhcp.Ack, a)
	if got := w.asks(askedAgain, arpAsk(a, mac(1), serverAddr), 0); len(got) != 1 {
		t.Errorf("after a renewal: %d answers", len(got))
	}
}

// TestEveryNodeWithAnAddressIsAnswered: one of a pool, a fixed one of any of its
// links, a fixed one inside of a pool, a host's other link, by unicast.
func TestEveryNodeWithAnAddressIsAnswered(t *testing.T) {
	const conf = `ping-check off;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
host outside { hardware ethernet 02:00:00:00:0c:01; hardware ethernet 02:00:00:00:0c:02; fixed-address 192.168.1.100; }
host inside { hardware ethernet 02:00:00:00:0c:03; fixed-address 192.168.1.12; }
host two { hardware ethernet 02:00:00:00:0c:04; hardware ethernet 02:00:00:00:0c:05; }
`
	for _, c := range []struct {
		name           string
		leases, asking byte
		dst            proto.MAC
	}{
		{"of a pool", 9, 9, proto.Broadcast}, {"fixed", 1, 1, proto.Broadcast}, {"fixed, second link", 2, 2, proto.Broadcast},
		{"fixed, inside of a pool", 3, 3, proto.Broadcast}, {"the host's other link", 4, 5, proto.Broadcast}, {"by unicast", 9, 9, serverMAC},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, conf)
			f := to(c.dst, arpAsk(w.lease(machine(c.leases)), mac(c.asking), serverAddr))
			w.asks(0, f, 0)
			if got := w.asks(askedAgain, f, 0); len(got) != 1 || got[0].TargetMAC != mac(c.asking) {
				t.Errorf("answers %+v", got)
			}
		})
	}
}

// TestAnswerIsTheLinks: of several links each answers for its own addresses, with
// its own hardware address.
func TestAnswerIsTheLinks(t *testing.T) {
	w := newWorld(t, plain)
	other, otherMAC, alias := proto.AddrOf(10, 0, 0, 1), proto.MAC{2, 0, 0, 0, 0, 2}, host(2)
	links := append(serverLinks(), plan.Link{Name: "eth1", MAC: otherMAC, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: other, Mask: 0xff000000}}})
	links[0].Addrs = append(links[0].Addrs, plan.LinkAddr{Addr: alias, Mask: 0xffffff00})
	w.core.SetLinks(links)
	for _, c := range []struct {
		target proto.Addr
		link   uint8
		mac    proto.MAC // zero: no answer
	}{{serverAddr, 0, serverMAC}, {alias, 0, serverMAC}, {other, 1, otherMAC}, {other, 0, proto.MAC{}}, {serverAddr, 1, proto.MAC{}}} {
		f := arpAsk(w.lease(machine(1)), mac(1), c.target)
		w.asks(kernelSilent, f, c.link)
		got := w.asks(askedAgain, f, c.link)
		switch {
		case c.mac == proto.MAC{}:
			if len(got) != 0 {
				t.Errorf("%v on link %d: answered %+v", c.target, c.link, got)
			}
		case len(got) != 1 || got[0].SenderMAC != c.mac || got[0].SenderAddr != c.target:
			t.Errorf("%v on link %d: %+v", c.target, c.link, got)
		}
	}
}

// TestReloadKeepsWhoAsked: a node between its requests, and the knowledge that the
// kernel is silent.
func TestReloadKeepsWhoAsked(t *testing.T) {
	w := newWorld(t, plain)
	a, b := w.lease(machine(1)), w.lease(machine(2))
	w.asks(0, arpAsk(a, mac(1), serverAddr), 0)
	reload := func() {
		fresh := New(smallConfig(buildPlan(t, plain)))
		w.core.Replace(w.now, fresh)
		w.core = fresh
	}
	reload()
	if got := w.asks(askedAgain, arpAsk(a, mac(1), serverAddr), 0); len(got) != 1 {
		t.Errorf("a second request after a reload: %+v", got)
	}
	reload()
	if got := w.asks(0, arpAsk(b, mac(2), serverAddr), 0); len(got) != 1 {
		t.Errorf("a first request after a reload: %+v", got)
	}
}
