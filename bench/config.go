package bench

import (
	"errors"
	"fmt"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// Sequence is what one boot consists of.
type Sequence uint8

// The sequences.
const (
	Guide    Sequence = iota // firmware DHCP and ipxe.efi, iPXE DHCP, its script and what that fetches
	Firmware                 // firmware DHCP and its boot file
	DORA                     // firmware DHCP alone
	Linux                    // a Linux client's DHCP, then a renewal
	Full                     // Guide, then Linux: a machine up to its installed system
	Kernel                   // firmware DHCP, then Config.Files by a boot loader
	sequences
)

var sequenceNames = [sequences]string{"guide", "firmware", "dora", "linux", "full", "kernel"}

// String returns the name that ParseSequence reads.
func (s Sequence) String() string {
	if s < sequences {
		return sequenceNames[s]
	}
	return "unknown"
}

// ParseSequence reads a name.
func ParseSequence(name string) (Sequence, error) {
	for i, n := range sequenceNames {
		if n == name {
			return Sequence(i), nil
		}
	}
	return 0, fmt.Errorf("no sequence is called %q; there are %v", name, sequenceNames)
}

// Config describes a storm. Durations are nanoseconds.
type Config struct {
	Nodes    int
	Boots    int       // of each node, one after the other; 0 means 1
	Sequence Sequence  //
	Clients  Mix       // what the nodes are; in all sequences but Linux
	Files    []string  // what a boot loader reads: in Kernel any, in Guide and Full GRUB and U-Boot
	Window   int       // windowsize that the loader and U-Boot ask for (RFC 7440); 0 and 1: none
	First    proto.MAC // hardware address of the first node; those of the others follow, within its first three bytes
	Seed     uint64    // of everything random
	Ramp     int64     // the nodes are switched on evenly over this time
	Pause    int64     // between the end of a boot and the next power-on of the node
	Limit    int64     // a boot that takes longer has failed; 0 means 15 minutes

	// Waits keeps the pauses that clients make on their own account: edk2
	// collects offers for 4 s, iPXE waits 3 s for a proxy and, with IPv6, asks for a
	// router, and Loader passes between the end of ipxe.efi and iPXE's first frame. Without it each goes on as soon as it can. Retransmission timers are
	// the same either way.
	Waits  bool
	IPv6   bool // iPXE under UEFI was built with IPv6, as Debian's is
	Loader int64
	Renew  int64 // from a Linux client's ACK to its renewal; 0 means half of the lease time

	// Cut is the probability that a boot loses power at some moment within
	// CutWithin after it began, and begins again 3 s later: the server sees a
	// machine that stops in the middle and comes back, perhaps with the same ports.
	Cut       float64
	CutWithin int64

	// Fresh makes iPXE behave as 2.0: it chooses a transaction identifier and
	// ports anew on each boot, sets the broadcast flag, and asks twice for
	// autoexec.ipxe with the firmware's address before its own DHCP. Otherwise it is
	// the release of 2019: ports and identifier follow from the hardware address,
	// so that every boot looks like a repetition of the last.
	Fresh bool

	// Tolerant accepts what is not as it should be, but good enough for these
	// clients; Kea does both. A DHCP reply of fewer than 300 bytes, the least that
	// BOOTP had (RFC 951), and one to the IP broadcast address in an Ethernet frame
	// to the client alone.
	Tolerant bool

	Link Impairment
}

// Impairment is what the wire does to frames, in each direction by itself.
// The fields up to Corrupt are probabilities from 0 to 1.
type Impairment struct {
	Loss      float64
	Duplicate float64 // the frame arrives twice
	Reorder   float64 // the frame is held back by Late
	Corrupt   float64 // one bit of the frame is turned over, anywhere in it
	Late      int64   // nanoseconds; 0 means 1 ms
	Delay     int64   // of every frame, nanoseconds
	Jitter    int64   // up to this much is added to Delay
}

// none tells whether frames pass unharmed and at once.
func (i *Impairment) none() bool { return *i == Impairment{Late: i.Late} }

// DefaultFirst is locally administered, and QEMU's by habit.
var DefaultFirst = proto.MAC{0x52, 0x54, 0x00, 0, 0, 1}

// DefaultLoader is what passes between the last byte of ipxe.efi and its first
// DISCOVER on common machines.
const DefaultLoader = 1500 * batch.Millisecond

const (
	defaultLimit = 15 * 60 * batch.Second
	maxNodes     = 1<<24 - 1
)

// complete checks c and fills in what was left at zero.
func (c *Config) complete() error {
	if c.Nodes < 1 || c.Nodes > maxNodes {
		return fmt.Errorf("%d nodes: between 1 and %d are possible", c.Nodes, maxNodes)
	}
	if c.Sequence >= sequences {
		return fmt.Errorf("no such sequence: %d", c.Sequence)
	}
	if c.Sequence == Kernel && len(c.Files) == 0 {
		return errors.New("the kernel sequence needs the names of files: --files kernel,initrd")
	}
	if c.Window < 0 || c.Window > 65535 {
		return fmt.Errorf("a windowsize of %d: RFC 7440 allows 1 to 65535", c.Window)
	}
	if c.First[0]&1 != 0 {
		return fmt.Errorf("%s is a group address: no machine has it", c.First)
	}
	for _, p := range []float64{c.Cut, c.Link.Loss, c.Link.Duplicate, c.Link.Reorder, c.Link.Corrupt} {
		if p < 0 || p > 1 {
			return fmt.Errorf("%v is no share: 0 is never, 0.01 one in a hundred, 1 always", p)
		}
	}
	c.Boots = max(c.Boots, 1)
	if c.First == (proto.MAC{}) {
		c.First = DefaultFirst
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	if c.Link.Late == 0 {
		c.Link.Late = batch.Millisecond
	}
	return nil
}

// MAC returns the address of a node, counted from 0.
func (c *Config) MAC(node int) proto.MAC {
	m := c.First
	v := low(m) + uint32(node)
	m[3], m[4], m[5] = byte(v>>16), byte(v>>8), byte(v)
	return m
}

// nodeOf is the inverse of MAC; -1 for addresses of nobody.
func (c *Config) nodeOf(m proto.MAC) int {
	if m[0] != c.First[0] || m[1] != c.First[1] || m[2] != c.First[2] {
		return -1
	}
	if v := (low(m) - low(c.First)) & maxNodes; int(v) < c.Nodes {
		return int(v)
	}
	return -1
}

// low is the part of an address that numbers the nodes: the last three bytes.
func low(m proto.MAC) uint32 { return uint32(m[3])<<16 | uint32(m[4])<<8 | uint32(m[5]) }
