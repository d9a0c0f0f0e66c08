package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// guide is the configuration of the guide that the project follows, cut to
// what concerns the server: four addresses, ping-check, one host.
const guide = `
default-lease-time 7200;
max-lease-time 7200;
allow booting;
allow bootp;
allow unknown-clients;
option arch code 93 = unsigned integer 16;
subnet 192.168.1.0 netmask 255.255.255.240 {
    range 192.168.1.2 192.168.1.5;
    option broadcast-address 192.168.1.15;
    option routers 192.168.1.1;
    ping-check = 1;
    next-server 192.168.1.1;
    if option arch = 00:07 {
        if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; }
        else { filename "ipxe.efi"; }
    } else if option arch = 00:06 {
        if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; }
        else { filename "ipxe32.efi"; }
    }
}
host node_1 { hardware ethernet 02:00:00:00:0c:01; server-name "node_1"; }
`

// plain is a network without anything special: ten addresses, no ping-check.
const plain = `
ping-check false;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }
`

var (
	serverMAC  = proto.MAC{2, 0, 0, 0, 0, 1}
	serverAddr = proto.AddrOf(192, 168, 1, 1)
	relayMAC   = proto.MAC{2, 0, 0, 0, 0, 0xfe}
)

// world is a core with everything around it: a clock, a journal that is a
// slice, and a wire.
type world struct {
	t       testing.TB
	core    *Core
	now     batch.Time
	rx      *batch.Rx
	tx      *batch.Tx
	journal []batch.Lease
	slow    bool // the disk does not finish by itself
	probes  []proto.ARP
	adverts [][]byte // frames
	events  []batch.Event
}

func buildPlan(t testing.TB, conf string) *plan.Plan {
	t.Helper()
	tree := config.ParseText("dhcpd.conf", []byte(conf), config.Options{})
	p, findings := compile.Compile(tree)
	if p == nil {
		for _, f := range append(tree.Findings, findings...) {
			t.Log(tree.Render(f))
		}
		t.Fatal("the configuration does not compile")
	}
	return p
}

func serverLinks() []plan.Link {
	return []plan.Link{{Name: "eth0", MAC: serverMAC, MTU: 1500,
		Addrs: []plan.LinkAddr{{Addr: serverAddr, Mask: 0xffffff00}}}}
}

func newWorld(t testing.TB, conf string) *world {
	t.Helper()
	return worldOf(t, smallConfig(buildPlan(t, conf)))
}

// smallConfig is a core that is made quickly.
func smallConfig(p *plan.Plan) Config {
	return Config{Plan: p, Links: serverLinks(), HoldBytes: 1 << 16, Transfer: transfer.Config{Transfers: 64}}
}

func worldOf(t testing.TB, c Config) *world {
	return &world{t: t, core: New(c), rx: new(batch.Rx), tx: batch.NewTx(),
		now: batch.Time{Mono: 1000 * batch.Second, Wall: 1_700_000_000}}
}

// pass lets time go by, in steps of a second.
func (w *world) pass(seconds int64) {
	for range seconds {
		w.now.Mono += batch.Second
		w.now.Wall++
		w.tick()
	}
}

// leap lets time go by at once.
func (w *world) leap(seconds int64) {
	w.now.Mono += seconds * batch.Second
	w.now.Wall += seconds
	w.tick()
}

func (w *world) tick() []*answer {
	w.core.Tick(w.now, w.tx)
	return w.collect()
}

// frame hands one frame to the core and returns the DHCP replies.
func (w *world) frame(f []byte) []*answer {
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0] = batch.Frame{Data: f, Checksum: true}
	if next := w.core.Step(w.rx, 0, w.tx); next != 1 {
		w.t.Fatalf("Step stopped at %d", next)
	}
	return w.collect()
}

// collect does what a driver does after each call: it takes the records,
// syncs them, and sends.
func (w *world) collect() []*answer {
	answers := w.drain(nil)
	l := w.core.Leases()
	w.journal = append(w.journal, l.List[:l.N]...)
	l.N = 0
	ev := w.core.Events()
	w.events = append(w.events, ev.List[:ev.N]...)
	ev.Reset()
	if !w.slow {
		answers = w.sync(answers)
	}
	return answers
}

// sync has the disk finish everything that it was given.
func (w *world) sync(answers []*answer) []*answer {
	if len(w.journal) == 0 {
		return answers
	}
	for more := true; more; {
		more = w.core.Durable(w.journal[len(w.journal)-1].Seq, w.tx)
		answers = w.drain(answers)
	}
	return answers
}

func (w *world) drain(answers []*answer) []*answer {
	for i := range w.tx.N {
		f := w.tx.Messages[i].AppendFrame(nil, 0)
		if isAdvert(f) {
			w.adverts = append(w.adverts, f)
			continue
		}
		var p proto.Packet
		if drop := proto.ParseFrame(&p, f, true); drop != proto.OK {
			w.t.Fatalf("a frame of ours is not sound: %v", drop)
		}
		if p.Kind == proto.KindARP {
			w.probes = append(w.probes, p.ARP)
			continue
		}
		answers = append(answers, w.decode(p, f))
	}
	w.tx.Sent(w.tx.N)
	return answers
}

// ask sends a message and returns its reply, nil if there is none.
func (w *world) ask(m msg) *answer {
	w.t.Helper()
	answers := w.frame(m.frame())
	if len(answers) > 1 {
		w.t.Fatalf("%d replies to one message", len(answers))
	}
	if len(answers) == 0 {
		return nil
	}
	return answers[0]
}

// last returns the last event of a kind, nil if there was none.
func (w *world) last(kind batch.EventKind) *batch.Event {
	for i := len(w.events) - 1; i >= 0; i-- {
		if w.events[i].Kind == kind {
			return &w.events[i]
		}
	}
	return nil
}

// silent sends a message that must get no reply, for a reason.
func (w *world) silent(m msg, why batch.Reason) {
	w.t.Helper()
	if a := w.ask(m); a != nil {
		w.t.Fatalf("replied %v %v", a.kind, a.yiaddr)
	}
	if e := w.last(batch.EventSilence); e == nil || e.Reason != why {
		w.t.Fatalf("silence for %+v, want reason %d", e, why)
	}
}

// want sends a message that must get a reply of a kind with an address.
func (w *world) want(m msg, kind dhcp.Type, a proto.Addr) *answer {
	w.t.Helper()
	got := w.ask(m)
	if got == nil {
		w.t.Fatalf("no reply, want %v %v (%+v)", kind, a, w.last(batch.EventSilence))
	}
	if got.kind != kind || got.yiaddr != a {
		w.t.Fatalf("got %v %v, want %v %v", got.kind, got.yiaddr, kind, a)
	}
	return got
}

// lease takes a machine through DISCOVER and REQUEST.
func (w *world) lease(m msg) proto.Addr {
	w.t.Helper()
	m.kind = dhcp.Discover
	o := w.ask(m)
	if o == nil || o.kind != dhcp.Offer {
		w.t.Fatalf("no offer for %v: %+v", m.mac, w.last(batch.EventSilence))
	}
	w.want(m.selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	return o.yiaddr
}

// arp shows the core an ARP reply from a station.
func (w *world) arp(a proto.Addr, mac proto.MAC) {
	if got := w.frame(arpFrame(a, mac)); len(got) != 0 {
		w.t.Fatal("ARP was answered with DHCP")
	}
}

func arpFrame(a proto.Addr, mac proto.MAC) []byte {
	var f [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&f, mac, serverMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: mac, SenderAddr: a,
		TargetMAC: serverMAC, TargetAddr: serverAddr})
	return f[:]
}

// answer is a reply of ours, decoded.
type answer struct {
	kind    dhcp.Type
	packet  proto.Packet
	h       dhcp.Header
	yiaddr  proto.Addr
	options dhcp.Options
	raw     []byte // the UDP payload
}

func (w *world) decode(p proto.Packet, f []byte) *answer {
	h := dhcp.View(p.Payload)
	if h == nil || h.Op() != dhcp.BootReply || p.SrcPort != proto.PortBOOTPServer && p.SrcPort != proto.PortPXE {
		w.t.Fatal("a frame of ours is no reply")
	}
	a := &answer{packet: p, h: *h, yiaddr: h.YIAddr(), raw: p.Payload}
	if a.options.Parse(p.Payload) {
		a.kind, _ = a.options.MessageType()
	}
	if len(p.Payload) < dhcp.MinLen {
		w.t.Fatalf("a reply of %d bytes", len(p.Payload))
	}
	return a
}

// option returns an option as a string, for comparisons.
func (a *answer) option(code byte) string {
	v, _ := a.options.Get(code)
	return string(v)
}

func (a *answer) seconds() uint32 {
	v, _ := a.options.Uint32(dhcp.OptLeaseTime)
	return v
}

func (a *answer) file() string  { return zeroTerminated(a.h.File()[:]) }
func (a *answer) sname() string { return zeroTerminated(a.h.SName()[:]) }

func zeroTerminated(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
