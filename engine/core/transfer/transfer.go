// Package transfer is the TFTP machine: read transfers from port 69 to many
// clients, out of boot files in memory (RFC 1350, 2347, 2348, 2349, 7440).
//
// A transfer is one slot, found by the client's address and port. What the
// client sends changes the slot (Receive); what is to be sent waits in a ready
// queue until there is room (Fill), the transfer that is nearest to its end
// first. The machine reads no clock, allocates
// nothing after New and copies no file byte except in netascii.
//
// # What is repeated, and when
//
// A transfer has blocks acked+1 to next on their way. The client's habits are
// those of real firmware; silence and repetition must suit all of them.
//
//   - An ACK of the last block sent: the next window follows.
//   - An ACK inside the window, or of the block before it (edk2 sends one per
//     block out of order): something was lost. The window starts again behind
//     the acknowledged block, once: until a block is acknowledged that had not
//     been sent at the time of the repair, further such ACKs may be echoes of
//     the repair itself and only move the window (RFC 6582 calls that mark
//     "recover"). So one loss costs one repair, and no duplicate breeds another
//     (the Sorcerer's Apprentice, RFC 1123 section 4.2.3.1).
//   - With a window of one block a repeated ACK never causes anything: the
//     timer does.
//   - Nothing: after the retransmission time the last block of the window alone,
//     which makes the client say where it stands, and with large windows the
//     first one before it; after twice the time the whole window; and so on in
//     turn, until IdleLimit. The time begins at 50 ms, or once frames of the
//     transfer have been lost, at 5 ms: then silence is rarely a pause.
//   - Silence while the answers of others show that the queue on the way is
//     still being worked off says nothing, see path.
//   - Stale and future ACKs are counted and ignored. ACKs that belong to no
//     transfer meet silence: after a restart of the server the client then asks
//     again, while ERROR 5 would end its boot.
//
// # Why a client without a window gets one block at a time
//
// iPXE asks for no window, but stores blocks in any order (tftp_rx_data in
// src/net/udp/tftp.c), so that several could be on their way to it unasked. They
// are not:
//
//   - Block numbers have 16 bits, and iPXE completes them from its first gap. A
//     block 0 that overtakes block 65535 ends the transfer; an old block that comes
//     after the wrap is stored 65,536 blocks too far and lengthens the file. That is
//     from 93.8 MB on, which are the files that would gain.
//   - Each block is answered with an ACK of the first gap. One lost block of a
//     window makes repeated ACKs, which with one block on its way mean nothing (see
//     above) and would have to mean a loss.
//   - It takes four frames from a UEFI driver at each poll (SNP_RX_QUOTA in
//     src/drivers/net/efi/snpnet.c), and the firmware's own ring is of unknown
//     length: what does not fit is lost and costs a retransmission time.
//   - Who asks can only be guessed from the order of the options. The PXE API of
//     BIOS iPXE (src/arch/x86/interface/pxe/pxe_tftp.c) fails on a block ahead of
//     its reader, GRUB ignores one, U-Boot and PXELINUX answer it with an ACK.
//
// The gain is a round trip for each block: the guide's boot reads 221 blocks that
// way, which at 0.2 ms are 44 ms of some 20 s.
package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/limit"
	"bootstorm/engine/core/wheel"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// DefaultTransfers is the size of a Table when Config does not say.
const DefaultTransfers = 16384

// Config is the fixed size and the limits of a Table.
type Config struct {
	Transfers int // most transfers at a time; 0: DefaultTransfers. A request beyond that is not answered
	WindowMax int // largest windowsize granted; 0 or more than batch.MaxSegments: batch.MaxSegments
	PerClient int // most transfers of one address; 0: 64

	// Seed is any number that clients do not know: it keeps those who make up
	// addresses from choosing how long a search takes.
	Seed uint64
}

// Table is all transfers of one worker, with one owner.
type Table struct {
	slots     []slot  // pointer-free
	free      []int32 // stack of unused slots
	index     index
	guests    guests
	askers    *limit.Table // requests, by address
	rate      int64        // of those, a second
	timers    *wheel.Wheel // one per slot
	ready     queue        // slots with something to send
	past      past
	blocked   int64 // when the driver last had not taken all data, see Fill
	files     generations
	rendered  *image.Rendered // files that are filled in for one node
	own       []*image.File   // by slot: such a file while it is sent, however long rendered has it
	links     []link
	request   tftp.Request // scratch of Receive
	window    int64        // largest windowsize granted
	perClient int          // most transfers of one address
	id        uint16       // next IP identification
	netbuf    [batch.HeadCap]byte
	count     Counters
}

// link is an interface: what a transfer needs of plan.Link.
type link struct {
	mac   proto.MAC
	block int64 // largest block that leaves in one frame, bytes
	addrs []proto.Addr
	path  path
}

// New makes a Table without files and links.
func New(c Config) *Table {
	if c.Transfers <= 0 {
		c.Transfers = DefaultTransfers
	}
	if c.PerClient <= 0 {
		c.PerClient = defaultPerClient
	}
	if c.WindowMax <= 0 || c.WindowMax > batch.MaxSegments {
		c.WindowMax = batch.MaxSegments
	}
	t := &Table{
		slots:  make([]slot, c.Transfers),
		free:   make([]int32, 0, c.Transfers),
		index:  newIndex(c.Transfers, c.Seed),
		guests: newGuests(c.Transfers, c.Seed),
		askers: limit.New(4096),
		timers: wheel.New(c.Transfers, batch.Millisecond, 1024),
		ready:  newQueue(c.Transfers),
		past:   newPast(c.Transfers),
		window: int64(c.WindowMax),
		own:    make([]*image.File, c.Transfers),

		perClient: c.PerClient,
	}
	clear(t.slots) // the first storm finds the pages there
	for i := c.Transfers - 1; i >= 0; i-- {
		t.free = append(t.free, int32(i))
	}
	t.files.set(image.Build(0, "", nil))
	return t
}

// SetFiles gives the files for transfers that start from now on; those in
// flight keep theirs. If Generations generations are in use at once, the new
// one waits until the last transfer of one of them has ended, and requests are
// answered from the newest until then.
func (t *Table) SetFiles(s *image.Set) { t.files.set(s) }

// SetRendered gives what the templates among the files are for each node, for
// transfers that start from now on; nil: for none.
func (t *Table) SetRendered(r *image.Rendered) { t.rendered = r }

// SetRate limits requests to so many a second from one address, after a burst of
// plan.RateBurst seconds of them; 0 is no limit. A new Table has none.
func (t *Table) SetRate(perSecond int64) {
	t.rate = perSecond
	t.askers.Set(limit.Every(perSecond), perSecond*plan.RateBurst)
}

// KeepRoom says whether there may be known nodes, for which a share of the table
// is then kept free of strangers. A new Table has none.
func (t *Table) KeepRoom(known bool) {
	t.guests.kept = 0
	if known {
		t.guests.kept = len(t.slots) / keptShare
	}
}

// SetLinks gives the interfaces, in the order of batch.Frame.Link. Transfers on
// a link that is no longer there end when they next have to send.
func (t *Table) SetLinks(links []plan.Link) {
	old := t.links
	t.links = make([]link, len(links))
	for i, l := range links {
		mtu := l.MTU
		if mtu <= 0 {
			mtu = 1500 // Ethernet's
		}
		t.links[i] = link{mac: l.MAC, block: int64(mtu - overhead)}
		if i < len(old) { // the clock is the same, and soon it knows better
			t.links[i].path = old[i].path
		}
		for _, a := range l.Addrs {
			t.links[i].addrs = append(t.links[i].addrs, a.Addr)
		}
	}
}

// owns tells whether a is an address of the link, so that we may answer from it.
func (t *Table) owns(l uint8, a proto.Addr) bool {
	if int(l) >= len(t.links) {
		return false
	}
	for _, own := range t.links[l].addrs {
		if own == a {
			return true
		}
	}
	return false
}

// Ready tells whether something waits to be sent.
func (t *Table) Ready() bool { return t.ready.head != none }

// Deadline is the time, in batch.Time.Mono, at which Fill is needed: 0 if
// something waits to be sent, math.MaxInt64 if nothing will happen by itself.
// It may be early.
func (t *Table) Deadline() int64 {
	if t.Ready() {
		return 0
	}
	return max(t.timers.Next(), 0)
}

// Active is how many transfers there are.
func (t *Table) Active() int { return len(t.slots) - len(t.free) }

// Counters returns what has been counted since New. The caller may read it
// between calls.
func (t *Table) Counters() *Counters { return &t.count }
