package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/tools/allocs"
)

// busy is a configuration with something of everything that the hot path
// evaluates.
const busy = guide + `
dhcp-rate-limit 1000000000; # applied, and never reached
authoritative; one-lease-per-client on; stash-agent-options on;
class "pxe" { match if substring(option vendor-class-identifier, 0, 9) = "PXEClient"; lease limit 5000; option root-path "/x"; }
class "circuit" { spawn with option agent.circuit-id; lease limit 3; }
subnet 10.0.0.0 netmask 255.0.0.0 { range dynamic-bootp 10.1.0.0 10.1.31.255; option routers 10.0.0.1; filename "f"; }
host two { hardware ethernet 02:00:00:00:0c:21; hardware ethernet 02:00:00:00:0c:22; }
`

func busyWorld(t testing.TB) *world {
	links := serverLinks()
	return worldOf(t, Config{Plan: buildPlan(t, busy), Links: links})
}

// turn hands the frames to the core as a driver does, again and again, and
// does nothing that could allocate.
func (w *world) turn(frames [][]byte, rounds int) {
	for range rounds {
		w.now.Mono += batch.Millisecond
		for _, f := range frames {
			w.rx.Now, w.rx.N = w.now, 1
			w.rx.Frames[0].Data, w.rx.Frames[0].Checksum = f, true
			w.core.Step(w.rx, 0, w.tx)
			w.core.Tick(w.now, w.tx)
			w.core.Durable(w.core.seq, w.tx)
			w.core.Leases().N = 0
			w.core.Events().Reset()
			w.tx.Sent(w.tx.N)
			w.core.Deadline()
		}
	}
}

// everyKind is one frame, or one exchange, of every kind that reaches the core.
func everyKind() map[string][][]byte {
	relay := proto.AddrOf(10, 0, 0, 2)
	agent := func(m msg) msg { return m.with(dhcp.OptRelayAgent, 1, 2, 'a', 'b', 2, 1, 'c').relayed(relay) }
	inform := machine(1).of(dhcp.Inform)
	inform.ciaddr = host(9)
	pxe := machine(1).firmware().of(dhcp.Request)
	pxe.ciaddr, pxe.dport, pxe.dst = host(2), proto.PortPXE, serverAddr
	old := machine(7).of(dhcp.BOOTP).relayed(relay)
	bare := old
	bare.bare = true
	first := proto.AddrOf(10, 1, 0, 0)
	tftp := machine(1)
	tftp.dport, tftp.dst, tftp.src = proto.PortTFTP, serverAddr, host(2)
	return map[string][][]byte{
		"DISCOVER": {machine(1).frame()}, "DISCOVER of firmware": {machine(2).firmware().frame()},
		"DISCOVER of iPXE": {machine(3).ipxe().frame()}, "DISCOVER through a relay": {agent(machine(4)).frame()},
		"DISCOVER without an address": {machine(9).frame(), machine(10).frame(), machine(11).frame(), machine(12).frame(), machine(13).frame()},
		"DISCOVER, unknown network":   {machine(1).relayed(proto.AddrOf(9, 9, 9, 9)).frame()},
		"DISCOVER of a host of two":   {machine(0x21).frame(), machine(0x22).frame()},
		"REQUEST, selecting":          {machine(1).frame(), machine(1).selecting(host(2)).frame()},
		"REQUEST, rebooting":          {machine(1).rebooting(host(3)).frame()},
		"REQUEST, renewing":           {machine(1).renewing(host(3)).frame()},
		"REQUEST, rebinding":          {machine(1).rebinding(host(3)).frame()},
		"REQUEST through a relay":     {agent(machine(4)).frame(), agent(machine(4).rebooting(first)).frame(), machine(4).renewing(first).frame()},
		"REQUEST, renamed each time": {machine(5).with(dhcp.OptHostName, 'a').selecting(host(4)).frame(),
			machine(5).with(dhcp.OptHostName, 'b').selecting(host(4)).frame()},
		"NAK":            {machine(1).rebooting(proto.AddrOf(9, 9, 9, 9)).frame(), agent(machine(4).rebooting(host(2))).frame()},
		"another server": {machine(6).frame(), machine(6).of(dhcp.Request).naming(host(9)).asking(host(5)).frame()},
		"RELEASE":        {machine(1).rebooting(host(3)).frame(), leaving(machine(1), 3).frame()},
		"DECLINE":        {machine(8).frame(), machine(8).of(dhcp.Decline).asking(host(5)).frame()},
		"INFORM":         {inform.frame()}, "PXE boot server": {machine(1).rebooting(host(2)).frame(), pxe.frame()},
		"BOOTP": {old.frame()}, "BOOTP without a cookie": {bare.frame()},
		"ARP": {arpFrame(host(2), mac(99)), arpFrame(host(3), mac(1)), arpFrame(host(77), mac(5))},
		"ARP for the server": {machine(1).frame(), machine(1).selecting(host(2)).frame(),
			arpAsk(host(2), mac(1), serverAddr), arpAsk(host(2), mac(1), serverAddr), arpAsk(host(77), mac(9), serverAddr)},
		"malformed":               {machine(1).of(77).frame(), {1, 2, 3}, machine(1).frame()[:200], machine(1).with(dhcp.OptServerID, 1).frame()},
		"ICMP":                    {icmpFrame(host(2))},
		"TFTP":                    {tftp.frame()},
		"router solicitation":     {machine(3).ipxe().frame(), solicitFrame(mac(3)), solicitFrame(mac(4)), machine(4).ipxe().frame()},
		"reply of another server": {rogue(2).frame(), rogue(3).frame()},
		"other ports":             {msg{kind: dhcp.Discover, mac: mac(1), dport: 53}.frame()},
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	for name, frames := range everyKind() {
		t.Run(name, func(t *testing.T) {
			w := busyWorld(t)
			if n := allocs.Of(func() { w.turn(frames, 1000) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestNoAllocationInAFlood: made-up clients without end, and one that exceeds its
// rate, and conflicts that nobody believes.
func TestNoAllocationInAFlood(t *testing.T) {
	w := newWorld(t, guide)
	var frames [][]byte
	for i := range 500 {
		frames = append(frames, madeUp(i).frame(), machine(2).frame(), arpFrame(host(byte(i%8)), madeUp(i+999).mac))
	}
	if n := allocs.Of(func() {
		w.turn(frames, 10)
		w.now.Mono += 20 * batch.Second
		w.turn(frames, 10)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := w.core.count; n.Excess == 0 || n.TakenBack == 0 || n.Doubtful == 0 {
		t.Errorf("%d over the rate, %d taken back, %d doubtful: not what was meant", n.Excess, n.TakenBack, n.Doubtful)
	}
}

// TestNoAllocationInAStorm: two thousand machines take addresses, keep them,
// lose them by time and take them again.
func TestNoAllocationInAStorm(t *testing.T) {
	w := busyWorld(t)
	frames := stormFrames(2000)
	if n := allocs.Of(func() {
		w.turn(frames, 1)
		w.now.Mono += 50_000 * batch.Second
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if w.core.Counters().Ack < 2000 || w.core.Counters().Expired == 0 {
		t.Errorf("%d ACKs, %d expired", w.core.Counters().Ack, w.core.Counters().Expired)
	}
}

// stormFrames is DISCOVER and REQUEST of n machines behind a relay.
func stormFrames(n int) (frames [][]byte) {
	first := proto.AddrOf(10, 1, 0, 0)
	for i := range n {
		m := machine(0).firmware()
		m.mac[3], m.mac[4], m.mac[5] = byte(i>>16), byte(i>>8), byte(i)
		m = m.relayed(proto.AddrOf(10, 0, 0, 2))
		frames = append(frames, m.frame(), m.selecting(first+proto.Addr(i)).frame())
	}
	return frames
}

// benchmark runs one frame of each machine in turn through the core.
func benchmark(b *testing.B, frames [][]byte) {
	w := busyWorld(b)
	w.turn(frames, 1)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		w.one(frames[i])
		if i++; i == len(frames) {
			i = 0
		}
	}
}

// one runs a frame through the core, and what follows from it.
func (w *world) one(frame []byte) {
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0].Data, w.rx.Frames[0].Checksum = frame, true
	w.core.Step(w.rx, 0, w.tx)
	w.core.Durable(w.core.seq, w.tx)
	w.core.Leases().N = 0
	w.core.Events().Reset()
	w.tx.Sent(w.tx.N)
}

// BenchmarkDORA is a whole exchange of one machine: DISCOVER, OFFER, REQUEST,
// the record of a new lease, ACK. Each time, all leases have just expired.
func BenchmarkDORA(b *testing.B) {
	frames := stormFrames(1000)
	w := busyWorld(b)
	w.turn(frames, 1)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		w.one(frames[i])
		w.one(frames[i+1])
		if i += 2; i == len(frames) {
			i = 0
			w.now.Mono += 50_000 * batch.Second
		}
	}
	if c := w.core.Counters(); c.Offer < 1000 || c.Offer != c.Ack {
		b.Errorf("%d OFFERs, %d ACKs", c.Offer, c.Ack)
	}
}

func BenchmarkDiscover(b *testing.B) {
	all := stormFrames(1000)
	var frames [][]byte
	for i := 0; i < len(all); i += 2 {
		frames = append(frames, all[i])
	}
	benchmark(b, frames)
}

func BenchmarkDiscoverGuide(b *testing.B) {
	benchmark(b, [][]byte{machine(1).firmware().frame(), machine(2).ipxe().frame()})
}

// BenchmarkRequest alternates host names, so that every ACK writes a record and
// waits for it.
func BenchmarkRequest(b *testing.B) {
	var frames [][]byte
	for _, name := range []byte("ab") {
		for i := range 1000 {
			m := machine(0).firmware().with(dhcp.OptHostName, name)
			m.mac[3], m.mac[4], m.mac[5] = byte(i>>16), byte(i>>8), byte(i)
			frames = append(frames, m.relayed(proto.AddrOf(10, 0, 0, 2)).selecting(proto.AddrOf(10, 1, 0, 0)+proto.Addr(i)).frame())
		}
	}
	benchmark(b, frames)
}

func BenchmarkRequestReused(b *testing.B) {
	all := stormFrames(1000)
	var frames [][]byte
	for i := 1; i < len(all); i += 2 {
		frames = append(frames, all[i])
	}
	benchmark(b, frames)
}
