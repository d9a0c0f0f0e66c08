package bench

import (
	"fmt"
	"math"
	"math/rand/v2"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// stepKind is what a step of a sequence does.
type stepKind uint8

const (
	stepDHCP     stepKind = iota
	stepFile              // read the boot file that the ACK named
	stepScript            // read what the script just read asks for
	stepList              // read Config.Files
	stepOptional          // ask for the file that phase names; to be told that there is none is right
	stepPause
	stepRouter // wait until the search for an IPv6 router has ended
	stepRenew
)

// step is one step of a boot.
type step struct {
	kind  stepKind
	who   client
	pause int64 // of stepPause, and before stepRenew
	phase string
}

// never is the deadline of a node that waits for nothing.
const never = math.MaxInt64

// node is one machine. Everything it has lives here; Storm calls it with the
// time and with the frames that reach it.
type node struct {
	storm *Storm
	id    int
	mac   proto.MAC
	uuid  [16]byte
	steps []step // of each boot
	bios  bool   // no UEFI: iPXE says so
	rng   *rand.PCG

	deadline int64 // of the next call of expire
	limit    int64 // when the boot has taken too long
	cut      int64 // when the power goes
	on       bool

	interrupted bool // the power went in the middle of the boot
	stage       Stage
	boot        int // boots ended
	at          int // index into steps
	fetch       int // index into fetches
	begun       int64
	phase       int64 // when the phase began

	addr    proto.Addr // configured: the node answers ARP for it
	lease   leaseFacts
	arp     resolver
	dhcp    dhcpState
	seek    seeking
	file    transfer
	fetches []string // what the script, or the list, names
	id16    uint16   // IPv4 identification
	port    uint16   // last port used
}

// leaseFacts is what the last ACK said.
type leaseFacts struct {
	addr, mask, router proto.Addr
	server, siaddr     proto.Addr
	seconds            uint32
	bootBlocks         int // option 13, in 512-byte blocks; 0 without
	file               string
}

// initialize gives a node its identity. The UUID and the random numbers depend
// on the seed and the number only, so nodes do not disturb each other.
func (n *node) initialize(s *Storm, id int) {
	*n = node{storm: s, id: id, mac: s.config.MAC(id), rng: rand.NewPCG(s.config.Seed, uint64(id)+1), deadline: never, limit: never, cut: never, seek: seeking{deadline: never}}
	who := s.config.Clients.of(id)
	n.steps, n.bios = s.steps[who], who == rom
	copy(n.uuid[:], "bootstorm!") // ten bytes, then the hardware address: different for each node
	copy(n.uuid[10:], n.mac[:])
}

// cutOff is how long a machine that lost power takes to ask for an address
// again: no firmware is faster.
const cutOff = 3 * batch.Second

// next is when the node must be called.
func (n *node) next() int64 { return min(n.deadline, n.limit, n.cut, n.seek.deadline) }

// random returns a number below limit.
func (n *node) random(limit int64) int64 {
	if limit <= 0 {
		return 0
	}
	return int64(n.rng.Uint64() % uint64(limit))
}

// powerOn begins a boot.
func (n *node) powerOn(now int64) {
	n.on, n.interrupted, n.at, n.fetch, n.fetches = true, false, 0, 0, nil
	n.begun, n.limit, n.cut = now, now+n.storm.config.Limit, never
	if c := &n.storm.config; c.Cut > 0 && float64(n.random(1<<30)) < c.Cut*(1<<30) {
		n.cut = now + n.random(c.CutWithin)
	}
	n.port = firmwarePort + uint16(n.random(firmwarePorts))
	n.arp.forget()
	n.enter(now)
}

// enter begins the step that n.at names.
func (n *node) enter(now int64) {
	if n.at == len(n.steps) {
		n.finish(now)
		return
	}
	n.phase = now
	s := &n.steps[n.at]
	if to := stageOf(s, n.stage); to != n.stage {
		n.reach(to)
	}
	switch s.kind {
	case stepDHCP:
		// Each program brings its own network stack: address and ARP cache of the
		// one before are gone.
		n.addr = 0
		n.arp.forget()
		n.discover(now, s.who)
		if s.who == ipxe && n.seeks() { // after the DISCOVER, as a capture shows
			n.seekRouter(now)
		}
	case stepRouter:
		if n.deadline = never; n.seek.deadline == never {
			n.complete(now, s.phase)
		}
	case stepFile:
		n.read(now, s.who, n.lease.file)
	case stepOptional:
		n.ask(now, s.who, s.phase)
	case stepScript:
		n.readNext(now)
	case stepList:
		n.fetch, n.fetches = 0, n.storm.config.Files
		if s.who == grub || s.who == loader { // another program, with an ARP cache of its own
			n.arp.forget()
		}
		if s.who == grub {
			n.port = grubPort - 1
		}
		n.readNext(now)
	case stepPause:
		n.deadline = now + s.pause
	case stepRenew:
		wait := n.renewalTime(s.pause)
		n.deadline, n.limit = now+wait, n.limit+wait
		n.dhcp.phase = bound
	}
}

// complete ends a step and begins the next; phase names it in the report.
func (n *node) complete(now int64, phase string) {
	n.storm.stats.phase(phase).add(now - n.phase)
	n.at++
	n.enter(now)
}

// readNext asks for the next file of the script or list, or ends the step.
func (n *node) readNext(now int64) {
	if n.fetch == len(n.fetches) {
		n.at++
		n.enter(now)
		return
	}
	n.phase = now
	n.fetch++
	n.read(now, n.steps[n.at].who, n.fetches[n.fetch-1])
}

// expire is called when n.deadline is reached.
func (n *node) expire(now int64) {
	if !n.on {
		if !n.interrupted {
			n.storm.stats.started++
		}
		n.powerOn(now)
		return
	}
	if now >= n.cut {
		n.storm.stats.cut++
		n.off()
		n.interrupted, n.deadline = true, now+cutOff
		return
	}
	if now >= n.limit {
		n.fail(now, "not done after %d s, in the phase %q", n.storm.config.Limit/batch.Second, n.phaseName())
		return
	}
	if now >= n.seek.deadline {
		n.seekAgain(now)
	}
	if n.deadline > now {
		return
	}
	// There is one timer beside that of the search for a router: whoever waits, waits
	// for one thing. A request for the server's hardware address comes before what
	// needs it.
	n.deadline = never
	switch {
	case n.arp.waiting():
		n.resolveAgain(now)
	case n.steps[n.at].kind == stepPause:
		n.at++
		n.enter(now)
	case n.steps[n.at].kind == stepDHCP || n.steps[n.at].kind == stepRenew:
		n.dhcpExpire(now)
	default:
		n.fileExpire(now)
	}
}

// phaseName says what the node is doing.
func (n *node) phaseName() string {
	if !n.on || n.at >= len(n.steps) {
		return "off"
	}
	if s := &n.steps[n.at]; s.kind == stepDHCP || s.kind == stepRenew || s.kind == stepPause || s.kind == stepRouter {
		return s.phase
	}
	return n.file.name
}

// finish ends a boot that went well.
func (n *node) finish(now int64) {
	n.storm.stats.bootDone(now, now-n.begun)
	n.powerOff(now, StageDone)
}

// fail ends a boot; the reason is for the report, where equal ones are counted
// together.
func (n *node) fail(now int64, format string, args ...any) {
	n.storm.stats.bootFailed(now, n, fmt.Sprintf(format, args...))
	n.powerOff(now, StageFailed)
}

// powerOff takes the node off the wire; the next boot, if any is left, is
// Config.Pause away. After the last one the node stays in the stage given.
func (n *node) powerOff(now int64, end Stage) {
	n.off()
	if n.boot++; n.boot < n.storm.config.Boots {
		n.deadline = now + n.storm.config.Pause
	} else {
		n.storm.left--
		n.reach(end)
	}
}

// off is what the loss of power does.
func (n *node) off() {
	n.reach(StageOff)
	n.on, n.addr, n.deadline, n.limit, n.cut, n.seek.deadline = false, 0, never, never, never, never
	n.arp.forget()
	n.file.close()
	n.dhcp.phase = idle
}

// receive takes a frame that is addressed to this node, or to all.
func (n *node) receive(now int64, p *proto.Packet) {
	if !n.on {
		return
	}
	n.storm.stats.framesIn++
	// A node without an address takes DHCP replies only, whatever IP address
	// they are sent to; with one it takes what is sent to that address.
	switch {
	case p.Kind == proto.KindARP:
		n.receiveARP(now, &p.ARP)
	case p.Kind == proto.KindUnreachable:
		n.fileUnreachable(now, p)
	case p.DstPort == proto.PortBOOTPClient:
		n.dhcpReceive(now, p)
	case p.Dst == n.addr && n.addr != 0:
		n.fileReceive(now, p)
	default:
		n.storm.stats.stray++
	}
}

// send sends a datagram to the server of the lease, whose address is resolved.
func (n *node) send(port, to uint16, dst proto.Addr, payload []byte) {
	n.id16++
	n.storm.out.udp(address{n.mac, n.addr, port}, address{n.arp.mac, dst, to}, n.id16, payload)
	n.storm.stats.framesOut++
}

// broadcast sends a DHCP message without having an address.
func (n *node) broadcast(payload []byte) {
	n.id16++
	n.storm.out.udp(address{n.mac, 0, proto.PortBOOTPClient},
		address{proto.Broadcast, proto.Limited, proto.PortBOOTPServer}, n.id16, payload)
	n.storm.stats.framesOut++
}
