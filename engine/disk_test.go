package engine

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// badDisk is the system's disk with syncs that take long or fail.
type badDisk struct {
	lease.FS
	delay atomic.Int64 // of each sync, in nanoseconds
	fails atomic.Bool
	syncs atomic.Int32 // ended well
}

func (d *badDisk) Open(name string, create bool) (lease.File, error) {
	f, err := d.FS.Open(name, create)
	if err != nil {
		return nil, err
	}
	return &badFile{f, d}, nil
}

type badFile struct {
	lease.File
	disk *badDisk
}

func (f *badFile) Sync() error {
	time.Sleep(time.Duration(f.disk.delay.Load()))
	if f.disk.fails.Load() {
		return syscall.EIO
	}
	defer f.disk.syncs.Add(1)
	return f.File.Sync()
}

// offBadDisk starts a server whose lease file is on a bad disk.
func offBadDisk(t *testing.T, n *network) (*serving, *badDisk) {
	t.Helper()
	d := &badDisk{FS: lease.SystemFS()}
	s := serve(t, n, guideText, func(c *Config) { c.world.leases = d })
	s.said("ready: ")
	return s, d
}

// kindOf reads the message type of a payload.
func kindOf(payload []byte) dhcp.Type {
	var o dhcp.Options
	o.Parse(payload)
	kind, _ := o.MessageType()
	return kind
}

// TestSlowSync: while a sync takes half a second, offers leave at once, the
// acknowledgement waits for its end, and nothing is lost.
func TestSlowSync(t *testing.T) {
	n := newNetwork()
	s, d := offBadDisk(t, n)
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Discover, 0, 0))
	first := dhcp.View(n.sock().reply(t)).YIAddr()
	d.delay.Store(500 * batch.Millisecond)
	before := d.syncs.Load()
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Request, first, addr("192.168.1.1")))
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Discover, 0, 0))
	// The request came first, the offer leaves first.
	if kind := kindOf(n.sock().reply(t)); kind != dhcp.Offer {
		t.Errorf("%v before the offer", kind)
	}
	ack := n.sock().reply(t)
	if kindOf(ack) != dhcp.Ack || dhcp.View(ack).YIAddr() != first || d.syncs.Load() == before {
		t.Errorf("%v for %v after %d syncs", kindOf(ack), dhcp.View(ack).YIAddr(), d.syncs.Load()-before)
	}
	s.onDisk(first)
}

// TestFailingSync: while syncs fail, offers leave and acknowledgements do not;
// the log says so; and both are well again when the disk is, without a restart.
func TestFailingSync(t *testing.T) {
	n := newNetwork()
	s, d := offBadDisk(t, n)
	known := n.sock().lease(t, nodeMAC(1))
	d.fails.Store(true)
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Discover, 0, 0))
	offered := dhcp.View(n.sock().reply(t)).YIAddr()
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Request, offered, addr("192.168.1.1")))
	s.said("dhcpd.leases cannot be written: input/output error; no address is given until the disk takes it")
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Request, offered, addr("192.168.1.1"))) // repeats: no way round the disk
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Request, known, 0))                     // young: needs no record
	if got := n.sock().reply(t); kindOf(got) != dhcp.Ack || dhcp.View(got).YIAddr() != known {
		t.Errorf("%v for %v", kindOf(got), dhcp.View(got).YIAddr())
	}
	if got := n.sock().pop(); got != nil {
		t.Errorf("%v while the disk fails", kindOf(got))
	}
	d.fails.Store(false)
	s.said("the lease file can be written again")
	if got := n.sock().reply(t); kindOf(got) != dhcp.Ack || dhcp.View(got).YIAddr() != offered {
		t.Errorf("%v for %v", kindOf(got), dhcp.View(got).YIAddr())
	}
	s.onDisk(known)
	s.onDisk(offered)
}

// onDisk looks for a lease in the file.
func (s *serving) onDisk(a proto.Addr) {
	s.t.Helper()
	r, err := lease.Read(filepath.Join(s.dir, "dhcpd.leases"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range r.Leases {
		if l.Addr == a && l.State == batch.LeaseActive {
			return
		}
	}
	s.t.Errorf("%v is not in the file: %+v", a, r.Leases)
}

// TestClockBehindTheLeases starts with leases from the future, as a machine does
// whose clock stands at 1970: they are kept, for their own length and no more,
// and the operator is told.
func TestClockBehindTheLeases(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	first := n.sock().lease(t, nodeMAC(1))
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, "dhcpd.leases")
	r, err := lease.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	const decades = 50 * 365 * 86400
	l := r.Leases[0]
	l.Starts, l.Ends, l.CLTT = l.Starts+decades, l.Ends+decades, l.CLTT+decades
	s.writeLeases(path, l)
	again := serve(t, n, guideText, func(c *Config) { c.LeaseFile = path })
	again.said("behind the newest lease in " + path)
	again.said("ready: ")
	n.sock().deliver(dhcpFrame(nodeMAC(1), dhcp.Request, first, 0))
	var o dhcp.Options
	o.Parse(n.sock().reply(t))
	if kind, _ := o.MessageType(); kind != dhcp.Ack {
		t.Errorf("%v", kind)
	}
	if sec, _ := o.Uint32(dhcp.OptLeaseTime); sec > 7200 || sec < 7000 {
		t.Errorf("%d s remain", sec)
	}
	n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Discover, 0, 0))
	if a := dhcp.View(n.sock().reply(t)).YIAddr(); a == first {
		t.Errorf("%v is offered to another node", a)
	}
}

// writeLeases makes a lease file.
func (s *serving) writeLeases(path string, leases ...batch.Lease) {
	s.t.Helper()
	var text []byte
	for i := range leases {
		text = lease.AppendRecord(text, &leases[i])
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		s.t.Fatal(err)
	}
}
