package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Config is what a Core is made from.
type Config struct {
	Plan     *plan.Plan
	Files    *image.Set
	Links    []plan.Link // by Frame.Link
	Transfer transfer.Config
	// Seed is any number that clients do not know: it keeps those who make up
	// addresses from choosing how long a search takes.
	Seed uint64
	// HoldBytes is the memory for acknowledgements that wait for the disk;
	// 0 means 8 MiB, about 20,000 of them.
	HoldBytes int
}

const defaultHoldBytes = 8 << 20

// Core answers frames. Make one with New.
type Core struct {
	plan      *plan.Plan
	files     *image.Set
	links     []link
	sites     []site // by range
	eval      *plan.Eval
	table     *binding.Table
	transfers *transfer.Table
	probes    []prober // by pool
	fixed     []tenant // fixed addresses of hosts, by address
	hold      hold
	repeats   repeats
	guard     guard
	proxies   [8]proto.MAC // hardware that answers ARP for others; the zero address is nobody's
	proxyNext int          // of proxies, to be overwritten
	leases    *batch.Leases
	events    *batch.Events
	count     *Counters

	seq     uint64   // of the last record produced
	durable uint64   // up to here records are on disk
	ipID    uint16   // of the next frame
	byID    bool     // what the last message said about ignore-client-uids: a first guess for the next
	nodes   []uint64 // by host declaration: its key if it lists several hardware addresses, else 0
	seekers *seekers // nodes that look for an IPv6 router
	// silentUntil is the Mono until which the kernel is taken not to answer ARP.
	silentUntil int64
	marks       *marks // nodes that are to load another file, once
	spare       *marks // where SetMarks makes the next ones

	now   batch.Time // of the frame in work
	clock clock

	// Scratch of the message in work: valid from the gate to the reply.
	packet  proto.Packet
	sender  dhcp.HW
	solicit proto.Solicit
	options dhcp.Options
	request plan.Request
	msg     message
	build   [batch.HeadCap]byte
	writer  dhcp.Writer
	stash   [batch.FrameCap + binding.MaxAgent + 2]byte // a renewal with the agent options of its lease
}

// New allocates a core for a plan. Leases are brought in by Restore.
func New(c Config) *Core {
	if c.HoldBytes == 0 {
		c.HoldBytes = defaultHoldBytes
	}
	k := &Core{
		plan: c.Plan, files: c.Files,
		eval:      plan.NewEval(c.Plan),
		table:     binding.New(c.Plan, c.Seed),
		transfers: transfer.New(seeded(c.Transfer, c.Seed)),
		guard:     newGuard(c.Plan),
		hold:      newHold(c.HoldBytes), repeats: newRepeats(),
		leases: new(batch.Leases), events: new(batch.Events), count: new(Counters),
		seekers: new(seekers), marks: new(marks), spare: new(marks),
	}
	k.nodes = nodes(c.Plan)
	k.clock.cursor = k.table.Len() // nothing to compare yet
	k.transfers.SetFiles(c.Files)
	k.transfers.SetRate(c.Plan.Guard.Requests)
	k.SetLinks(c.Links)
	return k
}

// seeded gives the transfers the seed of the core, unless they have their own.
func seeded(c transfer.Config, seed uint64) transfer.Config {
	if c.Seed == 0 {
		c.Seed = seed
	}
	return c
}

// SetFiles changes the boot files for transfers that start from now on.
func (c *Core) SetFiles(files *image.Set) {
	c.files = files
	c.transfers.SetFiles(files)
}

// Leases returns the records that were produced and not taken yet. The driver
// takes them all after each call of Step or Tick, in order, and sets N to 0;
// records that it leaves stay, and acknowledgements that need more wait.
func (c *Core) Leases() *batch.Leases { return c.leases }

// Events returns the observations not taken yet. The driver resets it.
func (c *Core) Events() *batch.Events { return c.events }

// Counters returns the live counters.
func (c *Core) Counters() *Counters { return c.count }

// Transfers returns the TFTP table, for its counters.
func (c *Core) Transfers() *transfer.Table { return c.transfers }

// Eval returns the evaluation of the last message, for the origins of what
// Explain shows.
func (c *Core) Eval() *plan.Eval { return c.eval }

// Plan returns the configuration in force.
func (c *Core) Plan() *plan.Plan { return c.plan }

// nodes finds the host declarations that list several hardware addresses: the
// links of one machine, which then has one lease whichever it boots from.
func nodes(p *plan.Plan) []uint64 {
	lines := make([]int, len(p.Hosts))
	for _, e := range p.Program.Hosts.Entries {
		if e.Kind == plan.HostByHardware {
			lines[e.Host]++
		}
	}
	keys := make([]uint64, len(p.Hosts))
	for i := range keys {
		if lines[i] > 1 {
			keys[i] = binding.Hash([]byte(p.Hosts[i].Name))
		}
	}
	return keys
}
