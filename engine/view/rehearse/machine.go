package rehearse

import (
	"fmt"
	"math/rand/v2"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Sizes of the guide's programs, in bytes.
const (
	ipxeSize   = 1_093_632
	refindSize = 301_568
)

// machine writes down what becomes of one node.
type machine struct {
	i      int
	addr   proto.Addr
	now    time.Duration // since the power came back
	port   uint32
	r      *rand.Rand
	events []event
}

// newMachine plans the boot of node i.
func newMachine(i int, trouble bool) *machine {
	m := &machine{i: i, addr: proto.AddrOf(10, 20, 0, 2) + proto.Addr(i), port: uint32(i) << 8, r: rand.New(rand.NewPCG(7, uint64(i)))}
	// Power supplies and firmware take their time, rack by rack, with stragglers.
	m.now = m.some(0, 6*time.Second) + time.Duration(m.r.ExpFloat64()*5e9) + time.Duration(i/40%25)*500*time.Millisecond
	switch {
	case i%20 == 13:
		m.message(batch.EventRequest, int64(core.ClientUnknown), noArch, "", "")
		m.message(batch.EventAck, 7200, 0, "", "")
	case trouble:
		m.boot(wrong(i))
	default:
		m.boot("")
	}
	return m
}

// noArch is a client that names no architecture.
const noArch = 0xffff

// wrong says what goes wrong with node i, "" for nothing.
func wrong(i int) string {
	switch {
	case i%160 == 17:
		return "pool"
	case i%90 == 41:
		return "secure"
	case i%230 == 88:
		return "missing"
	case i == 7:
		return "denied"
	case i == 160:
		return "conflict"
	case i%450 == 222:
		return "silent"
	}
	return ""
}

// mac is the node's hardware address.
func (m *machine) mac() string {
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", m.i>>16&255, m.i>>8&255, m.i&255)
}

// some is a time between least and least+more.
func (m *machine) some(least, more time.Duration) time.Duration {
	return least + time.Duration(m.r.Float64()*float64(more))
}

// add writes down an event that happens now.
func (m *machine) add(e batch.Event, advice string) {
	e.HWLen, e.Rule = 6, -1
	copy(e.HW[:], []byte{0x52, 0x54, 0, byte(m.i >> 16), byte(m.i >> 8), byte(m.i)})
	m.events = append(m.events, event{m.now, advice, e})
}

// message is an event of DHCP.
func (m *machine) message(kind batch.EventKind, value int64, extra uint32, file, advice string) {
	e := batch.Event{Kind: kind, Value: value, Extra: extra, XID: uint32(m.now / time.Millisecond), Addr: m.addr}
	copy(e.Name[:], file)
	m.add(e, advice)
}

// lease is a whole exchange.
func (m *machine) lease(c core.Client, file string, d time.Duration) {
	m.message(batch.EventDiscover, int64(c), 7, "", "")
	m.now += d / 10
	m.message(batch.EventOffer, 0, 0, file, "")
	m.now += d * 8 / 10
	m.message(batch.EventRequest, int64(c), 7, "", "")
	m.now += d / 10
	m.message(batch.EventAck, 7200, 0, file, "")
}

// sixteenths of a large file are told of on the way.
const sixteenths = 16

// load is a transfer, up to a sixteenth at which the node falls silent (0: none).
func (m *machine) load(file string, size int64, d time.Duration, resent uint32, silent int) {
	m.port++
	tell := func(kind batch.EventKind, value int64, nanos time.Duration) {
		e := batch.Event{Kind: kind, Value: value, XID: m.port, Addr: m.addr, Nanos: int64(nanos), Extra: resent}
		copy(e.Name[:], file)
		m.add(e, "")
	}
	tell(batch.EventTransferStart, size, 0)
	for i := range int64(sixteenths) {
		m.now += d / sixteenths
		if size > 1<<20 {
			tell(batch.EventTransferProgress, size*i/sixteenths, d*time.Duration(i+1)/sixteenths)
		}
		if silent > 0 && int(i) == silent {
			m.now += 12 * time.Second
			resent = 257 // it ended by time
			tell(batch.EventTransferError, size*i/sixteenths, d)
			return
		}
	}
	tell(batch.EventTransferDone, size, d)
}

// boot is the guide's boot, up to what goes wrong.
func (m *machine) boot(wrong string) {
	switch wrong {
	case "pool":
		m.unanswered(batch.ReasonNoFreeAddress, "no address is free: the pool 10.20.0.2 10.20.3.250 has 1000 addresses, all in use (dhcpd.conf:14); "+
			"widen a range, shorten max-lease-time, or remove leases of machines that are gone")
		return
	case "denied":
		m.unanswered(batch.ReasonDenied, "unknown clients are denied by dhcpd.conf:22 \"deny unknown-clients;\"; declare the host, or allow them there")
		return
	}
	m.lease(core.ClientUEFI, "ipxe.efi", m.some(40*time.Millisecond, 4200*time.Millisecond))
	m.now += m.some(120*time.Millisecond, 900*time.Millisecond)
	if wrong == "missing" {
		e := batch.Event{Kind: batch.EventNotFound, Addr: m.addr}
		copy(e.Name[:], "ipxe32.efi")
		m.add(e, "it asks for \"ipxe32.efi\", which is not there; did you mean \"ipxe.efi\"? Correct the name in the configuration (dhcpd.conf:82 names it for architecture 6), or put the file into /srv/tftp")
		return
	}
	resent, silent := uint32(0), 0
	if m.r.IntN(9) == 0 {
		resent = 1 + m.r.Uint32N(14)
	}
	if wrong == "silent" {
		silent = 9
	}
	m.load("ipxe.efi", ipxeSize, m.some(500*time.Millisecond, 7*time.Second), resent, silent)
	if wrong == "secure" || wrong == "silent" {
		return
	}
	m.now += m.some(2*time.Second, 4*time.Second)
	m.lease(core.ClientIPXE, "refind.pxe", m.some(20*time.Millisecond, 900*time.Millisecond))
	m.now += m.some(100*time.Millisecond, 600*time.Millisecond)
	if wrong == "conflict" {
		m.conflict()
		return
	}
	m.load("refind.pxe", 183, m.some(3*time.Millisecond, 60*time.Millisecond), 0, 0)
	m.now += m.some(200*time.Millisecond, 700*time.Millisecond)
	m.load("refind_x64.efi", refindSize, m.some(90*time.Millisecond, 2600*time.Millisecond), 0, 0)
	m.now += m.some(500*time.Millisecond, 1500*time.Millisecond)
	m.load("refind.conf", 36_412, m.some(10*time.Millisecond, 400*time.Millisecond), 0, 0)
}

// unanswered asks as edk2 does, after 4, 8, 16 and 32 s, and gets no answer.
func (m *machine) unanswered(why batch.Reason, advice string) {
	for _, pause := range []time.Duration{4, 8, 16, 32} {
		m.message(batch.EventDiscover, int64(core.ClientUEFI), 7, "", "")
		m.add(batch.Event{Kind: batch.EventSilence, Reason: why, Value: int64(dhcp.Discover)}, advice)
		m.now += pause * time.Second
	}
}

// conflict is another machine that uses the node's address.
func (m *machine) conflict() {
	e := event{m.now, "", batch.Event{Kind: batch.EventConflict, Addr: m.addr, HWLen: 6, Rule: -1}}
	copy(e.HW[:], []byte{0x0c, 0xc4, 0x7a, 0, 0x17, 2})
	m.events = append(m.events, e)
}
