package bench

import (
	"strconv"

	"bootstorm/engine/batch"
)

// habit is how a client reads files: what it asks for, how long it waits and how
// often it sends. A wait of 0 is iPXE's, whose timer is a retryTimer.
type habit struct {
	blksize int
	window  int
	tsize   bool // asks for it with the read itself
	wait    int64
	tries   int
}

// habits of the clients:
//
//	edk2   Mtftp4Dxe, MTFTP4_DEFAULT_TIMEOUT and PXE_MTFTP's retries: 4 s, six times
//	iPXE   src/net/retry.c: retryTimer
//	ROM    PXE 2.1 gives no times; those of edk2 stand in
//	U-Boot net/tftp.c: 5 s, ten repetitions
//	GRUB   net/tftp.c: 400 ms, 20 ms more each time, forty times; once it reads, it only waits
//	loader as edk2, with a window of choice
var habits = [clients]habit{
	edk2:   {blksize: 1468, window: 4, wait: 4 * batch.Second, tries: 6},
	ipxe:   {blksize: 1432, window: 1, tsize: true},
	rom:    {blksize: 1456, window: 1, wait: 4 * batch.Second, tries: 6},
	uboot:  {blksize: 1468, window: 1, tsize: true, wait: 5 * batch.Second, tries: 11},
	grub:   {blksize: 1024, window: 1, tsize: true, wait: 400 * batch.Millisecond, tries: 40},
	loader: {blksize: 1468, window: 1, tsize: true, wait: 4 * batch.Second, tries: 6},
}

// GRUB's n-th wait is this much longer than the one before; all of them
// together are how long it waits for a block.
const (
	grubMore    = 20 * batch.Millisecond
	grubPatient = 31600 * batch.Millisecond
)

// windowOf is the windowsize that a client asks for.
func (c *Config) windowOf(who client) int {
	if (who == loader || who == uboot) && c.Window > 1 {
		return c.Window
	}
	return habits[who].window
}

// readOptions appends the options of a read request in the client's order.
func (n *node) readOptions(b []byte) []byte {
	t := &n.file
	window := n.storm.config.windowOf(t.who)
	switch t.who {
	case ipxe:
		return append(b, "blksize\x001432\x00tsize\x000\x00"...)
	case rom: // the size first, by a request of its own
		if t.state == probing {
			return append(b, "tsize\x000\x00"...)
		}
		return append(b, "blksize\x001456\x00"...)
	case grub:
		return append(b, "blksize\x001024\x00tsize\x000\x00"...)
	case uboot:
		b = append(b, "timeout\x005\x00tsize\x000\x00blksize\x001468\x00"...)
	case loader:
		b = append(b, "tsize\x000\x00blksize\x001468\x00"...)
	default:
		if t.state == probing {
			b = append(b, "tsize\x000\x00"...)
		}
		b = append(b, "blksize\x001468\x00"...)
	}
	if window > 1 {
		b = append(append(b, "windowsize\x00"...), strconv.Itoa(window)...)
		b = append(b, 0)
	}
	return b
}

// fileWait is how long the client waits after the packet that it has just sent,
// the t.tries-th.
func (t *transfer) fileWait() int64 {
	switch {
	case t.who == ipxe:
		return t.retry.timeout
	case t.who == grub && t.state == receiving: // it never repeats an ACK
		return grubPatient
	case t.who == grub:
		return habits[grub].wait + int64(t.tries-1)*grubMore
	}
	return habits[t.who].wait
}

// spent tells whether the client gives up now.
func (t *transfer) spent() bool {
	switch {
	case t.who == ipxe:
		return t.retry.timeout > ipxeLongest
	case t.who == grub && t.state == receiving:
		return true
	}
	return t.tries == habits[t.who].tries
}

// complains tells whether the client acknowledges again what it has when
// another block comes than the one that it expects.
func (t *transfer) complains(number uint16, ahead bool) bool {
	first := t.nacked != t.next+1
	t.nacked = t.next + 1
	switch t.who {
	case uboot: // once for a gap, and never for what it has
		return ahead && first
	case loader: // once, and when the end of the window comes again: its ACK was lost
		return first || number == uint16(t.next)
	}
	return true
}

// grubData takes the block that is next, says "ACK" to those before it, and
// nothing to those ahead (grub-core/net/tftp.c, tftp_receive).
func (n *node) grubData(now int64, number uint16, b []byte) {
	t := &n.file
	if next := uint16(t.next + 1); number != next {
		if number-next < 1<<15 {
			n.storm.stats.repeated.Gap++
			return
		}
		n.storm.stats.duplicate++
		n.ackOnly(int(number))
		return
	}
	if !n.check(now, t.next, b) {
		return
	}
	t.next++
	n.sendAck(now, t.next)
	if t.next == t.blocks() {
		n.received(now)
	}
}
