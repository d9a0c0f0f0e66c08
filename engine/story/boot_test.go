package story

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
)

// The guide's boot, step by step: what phase it is in, what is expected, and
// that it is done when nothing more was asked for.
func TestGuideBootFromFirstMessageToDone(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	if n := m.want(PhaseDiscover, StateBooting); n.Host != "node_1" || n.Stage != "firmware" || n.Client != "uefi" || n.Expected != "an OFFER for it" {
		t.Errorf("%+v", n)
	}
	m.offer()
	m.want(PhaseOffer, StateBooting)
	m.request(core.ClientUEFI, 7)
	m.want(PhaseRequest, StateBooting)
	m.ack("ipxe.efi")
	if n := m.want(PhaseLease, StateBooting); n.Address != "192.168.1.2" || n.Expected != "its request for ipxe.efi" {
		t.Errorf("%+v", n)
	}
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	if n := m.want(PhaseLoad, StateBooting); n.File != "ipxe.efi" || n.Percent != 0 {
		t.Errorf("%+v", n)
	}
	m.file(batch.EventTransferDone, "ipxe.efi", 1<<20)
	if n := m.want(PhaseNext, StateBooting); n.Percent != 100 || n.Expected != "iPXE's DISCOVER" || n.Bytes != 1<<20 || n.Rate < 1<<29 {
		t.Errorf("%+v", n)
	}
	m.pass(20 * time.Second) // iPXE may take its time
	m.want(PhaseNext, StateBooting)
	m.ipxe()
	if n := m.want(PhaseLease, StateBooting); n.Stage != "ipxe" || n.Boots != 1 || n.Asked != 0 {
		t.Errorf("%+v", n)
	}
	m.load("refind.pxe", 600)
	m.load("refind.conf", 100)
	m.load("refind_x64.efi", 300000)
	last := m.now
	m.want(PhaseNext, StateBooting)
	m.pass(6 * time.Second)
	n := m.want(PhaseDone, StateDone)
	if n.Finished.After(last) || last.Sub(n.Finished) > 5*time.Millisecond || n.Bytes != 1<<20+600+100+300000 || n.Expected != "" || n.Reason != "" {
		t.Errorf("finished %v, %d bytes, %+v", n.Finished, n.Bytes, n)
	}
	if len(n.Steps) != 16 || n.Omitted != 0 || n.Steps[0].Kind != "discover" || n.Steps[15].Kind != "transfer_done" || n.Steps[15].Bytes != 300000 {
		t.Errorf("%d steps: %+v", len(n.Steps), n.Steps)
	}
	if got := m.kinds(ToldBooted); len(got) != 1 || !strings.Contains(got[0], "52:54:00:00:00:01 (node_1) booted in 20") {
		t.Errorf("told %q", got)
	}
	s := m.book.Summary(m.now)
	if s.Health != HealthOK || len(s.Problems) != 0 || s.States[StateDone] != 1 || s.Nodes != 1 || s.Phases[PhaseDone] != 1 {
		t.Errorf("%+v", s)
	}
	var files float64
	for _, h := range m.book.History() {
		files += float64(h.Bytes)
	}
	if files != float64(n.Bytes) {
		t.Errorf("the history has %v bytes", files)
	}
}

// A repeated question is counted and neither a new boot nor progress.
func TestRepeatedDiscoversAreOneBoot(t *testing.T) {
	m := newTeller(t).machine(1)
	for _, wait := range []time.Duration{4, 8, 16} {
		m.discover(core.ClientUEFI, 7)
		m.offer()
		m.pass(wait * time.Second)
	}
	m.discover(core.ClientUEFI, 7)
	m.offer()
	if n := m.node(); n.Boots != 1 || n.Asked != 3 {
		t.Errorf("%d boots, asked again %d times", n.Boots, n.Asked)
	}
	m.request(core.ClientUEFI, 7)
	m.request(core.ClientUEFI, 7)
	m.ack("ipxe.efi")
	if n := m.want(PhaseLease, StateBooting); n.Asked != 4 {
		t.Errorf("asked again %d times", n.Asked)
	}
}

// A copy of a DISCOVER that the network delivers late is no restart.
func TestCopyOfADiscoverIsNoRestart(t *testing.T) {
	m := newTeller(t).machine(1)
	same := func() {
		m.event(batch.EventDiscover, func(e *batch.Event) { e.Value, e.Extra, e.XID, e.Addr = int64(core.ClientUEFI), 7, 77, 0 })
	}
	same()
	m.offer()
	m.event(batch.EventRequest, func(e *batch.Event) { e.Value, e.Extra, e.XID = int64(core.ClientUEFI), 7, 77 })
	m.ack("ipxe.efi")
	same()
	m.offer()
	if n := m.node(); n.Boots != 1 {
		t.Errorf("%d boots", n.Boots)
	}
	m.load("ipxe.efi", 1000)
	m.want(PhaseNext, StateBooting)
}

// Firmware that asks anew after it had come further has restarted: its story
// begins again.
func TestFirmwareDiscoverAfterProgressIsANewBoot(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.port++
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.pass(3 * time.Second)
	m.discover(core.ClientUEFI, 7)
	if n := m.want(PhaseDiscover, StateBooting); n.Boots != 2 || len(n.Steps) != 1 || n.Bytes != 0 || n.File != "" {
		t.Errorf("%+v", n)
	}
}

// A boot that is followed by the next at once had come to its end all the same.
func TestRebootRightAfterTheLastFileCountsAsBooted(t *testing.T) {
	m := newTeller(t).machine(1)
	for range 5 {
		m.guide()
	}
	m.pass(10 * time.Second)
	if n := m.want(PhaseDone, StateDone); n.Boots != 5 {
		t.Errorf("%d boots", n.Boots)
	}
	if got := m.kinds(ToldBooted); len(got) != 5 {
		t.Errorf("told %q", got)
	}
	if got := m.kinds(ToldStuck); len(got) != 0 {
		t.Errorf("told %q", got)
	}
}

// A file that comes after the boot counted as done opens the same boot again,
// and is not told twice.
func TestLateFileReopensTheBoot(t *testing.T) {
	m := newTeller(t).machine(1)
	m.guide()
	m.pass(20 * time.Second)
	m.want(PhaseDone, StateDone)
	m.load("vmlinuz", 8<<20)
	m.want(PhaseNext, StateBooting)
	last := m.now
	m.pass(10 * time.Second)
	n := m.want(PhaseDone, StateDone)
	if n.Boots != 1 || last.Sub(n.Finished) > time.Second || len(m.kinds(ToldBooted)) != 1 {
		t.Errorf("%d boots, finished %v, told %q", n.Boots, n.Finished, m.kinds(ToldBooted))
	}
}

// A file after which most nodes ask for another is no end, without anybody
// having said so.
func TestWhatFilesLeadToIsLearned(t *testing.T) {
	w := newTeller(t)
	for i := range 8 {
		m := w.machine(i + 1)
		m.dora(core.ClientUEFI, 7, "loader.efi")
		m.load("loader.efi", 1000)
		m.load("stage2.bin", 1000)
	}
	w.pass(10 * time.Second)
	m := w.machine(20)
	m.dora(core.ClientUEFI, 7, "loader.efi")
	m.load("loader.efi", 1000)
	m.pass(20 * time.Second)
	if n := m.want(PhaseNext, StateBooting); n.Expected != "its request for stage2.bin" {
		t.Errorf("expected %q", n.Expected)
	}
	m.pass(30 * time.Second)
	m.stuck("asked for nothing after loader.efi", "others ask for stage2.bin")
}

// An installed system asks for an address only. After a boot, that it does shows
// that the boot came to its end.
func TestInstalledSystems(t *testing.T) {
	w := newTeller(t)
	m := w.machine(1)
	m.dora(core.ClientDHCPCD, noArch, "")
	m.pass(time.Hour)
	if n := m.want(PhaseDiscover, StateSystem); n.Stage != "system" || n.Address == "" {
		t.Errorf("%+v", n)
	}
	m.firmware() // it is booted now
	if n := m.want(PhaseLease, StateBooting); n.Boots != 2 {
		t.Errorf("%d boots", n.Boots)
	}
	m.load("ipxe.efi", 1<<20)
	m.dora(core.ClientUnknown, noArch, "") // a script in iPXE booted the disk
	m.want(PhaseDone, StateDone)
	for range 5 {
		m.pass(30 * time.Minute)
		m.request(core.ClientUnknown, noArch)
		m.ack("")
	}
	if n := m.want(PhaseDone, StateDone); n.Boots != 2 {
		t.Errorf("%d boots", n.Boots)
	}
	if s := w.book.Summary(w.now); s.Health != HealthOK {
		t.Errorf("%q", s.Problems)
	}
	m.pass(time.Minute)
	m.guide()
	m.pass(10 * time.Second)
	if n := m.want(PhaseDone, StateDone); n.Boots != 3 {
		t.Errorf("%d boots", n.Boots)
	}
}

// GRUB and Linux' ip=dhcp say nothing of themselves; in the middle of a boot
// they are not the end of it.
func TestLoaderThatAsksForAnAddressIsNotASystem(t *testing.T) {
	m := newTeller(t).machine(1)
	m.dora(core.ClientUEFI, 7, "grubx64.efi")
	m.load("grubx64.efi", 1<<20)
	m.dora(core.ClientUnknown, noArch, "")
	m.want(PhaseNext, StateBooting)
}

// edk2 asks for the size first, and breaks that off; that is no trouble.
func TestSizeProbeIsNoTrouble(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.file(batch.EventTransferProbe, "ipxe.efi", 1<<20)
	m.load("ipxe.efi", 1<<20)
	if n := m.want(PhaseNext, StateBooting); n.Bytes != 1<<20 || n.Steps[5].Bad {
		t.Errorf("%+v", n)
	}
}

// Behind a relay, TFTP events bear the router's hardware address: the address
// that was leased says whose they are.
func TestRelayedNodesAreKnownByTheirAddress(t *testing.T) {
	w := newTeller(t)
	a, c := w.machine(1), w.machine(2)
	a.firmware()
	c.firmware()
	router := [6]byte{2, 0, 0, 0, 0, 9}
	for _, m := range []*machine{a, c} {
		via := *m
		via.mac = router
		via.load("ipxe.efi", 1000*int64(m.mac[5]))
	}
	if a.node().Bytes != 1000 || c.node().Bytes != 2000 || w.book.Summary(w.now).Nodes != 2 {
		t.Errorf("%d and %d bytes, %d nodes", a.node().Bytes, c.node().Bytes, w.book.Summary(w.now).Nodes)
	}
	// After a restart of the daemon nothing is known of leases: a router's address
	// does not make two nodes one.
	fresh := newTeller(t)
	for i := range 3 {
		m := fresh.machine(i + 1)
		m.mac = router
		m.load("ipxe.efi", 1000)
	}
	if n := fresh.book.Summary(fresh.now).Nodes; n != 3 {
		t.Errorf("%d nodes", n)
	}
	if n, ok := fresh.book.Node(fresh.now, "192.168.1.3"); !ok || n.Bytes != 1000 || n.Address != "192.168.1.3" {
		t.Errorf("%+v", n)
	}
	fresh.machine(2).firmware() // now it is known who has 192.168.1.3
	if n := fresh.book.Summary(fresh.now).Nodes; n != 3 {
		t.Errorf("%d nodes", n)
	}
	fresh.sound()
}

// Two hardware addresses of one host declaration are one machine.
func TestLinksOfOneHostAreOneNode(t *testing.T) {
	w := newTeller(t)
	m := w.machine(0x0101)
	m.firmware()
	m.load("ipxe.efi", 1000)
	other := w.machine(0x0102)
	other.addr = m.addr
	other.ipxe()
	n := other.node()
	if w.book.Summary(w.now).Nodes != 1 || n.Host != "twin" || n.Boots != 1 || n.Stage != "ipxe" {
		t.Errorf("%d nodes, %+v", w.book.Summary(w.now).Nodes, n)
	}
	if by, ok := w.book.Node(w.now, "TWIN"); !ok || by.MAC != n.MAC {
		t.Errorf("by name: %+v", by)
	}
	w.sound()
}

// Whatever single event of a boot is lost, it ends as done.
func TestAnySingleEventMayBeLost(t *testing.T) {
	for lost := range 17 {
		w := newTeller(t)
		seen := 0
		m := w.machine(1)
		tell := func(kind batch.EventKind, change func(*batch.Event)) {
			if seen++; seen-1 != lost {
				m.event(kind, change)
			}
		}
		from := func(c core.Client) func(*batch.Event) {
			return func(e *batch.Event) { e.Value, e.Extra, e.XID = int64(c), 7, uint32(c) }
		}
		named := func(name string, port uint32) func(*batch.Event) {
			return func(e *batch.Event) { e.Value, e.XID = 1000, port; copy(e.Name[:], name) }
		}
		for i, c := range []core.Client{core.ClientUEFI, core.ClientIPXE} {
			tell(batch.EventDiscover, from(c))
			tell(batch.EventOffer, nil)
			tell(batch.EventRequest, from(c))
			boot := []string{"ipxe.efi", "refind.pxe"}[i]
			tell(batch.EventAck, named(boot, 0))
			files := [][]string{{"ipxe.efi"}, {"refind.pxe", "refind.conf", "refind_x64.efi"}}[i]
			for k, f := range files {
				tell(batch.EventTransferStart, named(f, uint32(10*i+k+1)))
				tell(batch.EventTransferDone, named(f, uint32(10*i+k+1)))
			}
		}
		w.pass(4 * time.Minute) // what is lost last takes until the transfer is given up
		n := m.node()
		if seen != 16 || n.Boots != 1 || n.State != StateDone && lost != 15 {
			t.Errorf("without event %d of %d: %s, %d boots, %s", lost, seen, n.State, n.Boots, n.Reason)
		}
		w.sound()
	}
}

// Large files show how far they are.
func TestProgressOfALargeFile(t *testing.T) {
	m := newTeller(t).machine(1)
	m.dora(core.ClientUEFI, 7, "initrd")
	m.port++
	m.file(batch.EventTransferStart, "initrd", 100<<20)
	m.event(batch.EventTransferProgress, func(e *batch.Event) {
		e.Value, e.Nanos, e.XID = 25<<20, int64(time.Second), m.port
		copy(e.Name[:], "initrd")
	})
	if n := m.want(PhaseLoad, StateBooting); n.Percent != 25 || n.Rate != 25<<20 || n.Bytes != 25<<20 {
		t.Errorf("%v %%, %v/s, %d bytes", n.Percent, n.Rate, n.Bytes)
	}
	m.file(batch.EventTransferDone, "initrd", 100<<20)
	if n := m.node(); n.Bytes != 100<<20 || n.Percent != 100 {
		t.Errorf("%d bytes, %v %%", n.Bytes, n.Percent)
	}
}

// A wall clock that is set makes nobody late, and what is past stays as long
// past as it is.
func TestWallClockThatIsSet(t *testing.T) {
	for _, step := range []time.Duration{-30 * 365 * 24 * time.Hour, 30 * 365 * 24 * time.Hour} {
		w := newTeller(t)
		m := w.machine(1)
		m.firmware()
		m.port++
		m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
		w.now = w.now.Add(step)
		m.file(batch.EventTransferDone, "ipxe.efi", 1<<20)
		n := m.want(PhaseNext, StateBooting)
		if age := w.now.Sub(n.Started); age < 0 || age > time.Second {
			t.Errorf("step %v: started %v ago", step, age)
		}
		m.ipxe()
		m.load("refind_x64.efi", 1000)
		w.pass(10 * time.Second)
		m.want(PhaseDone, StateDone)
	}
	// With a monotonic reading a step by minutes is seen, too.
	var c clock
	real := time.Now()
	first := c.beat(real)
	if got := c.beat(real.Add(time.Second)); got-first != int64(time.Second) {
		t.Errorf("a second is %d ns", got-first)
	}
	late := time.Unix(0, real.Add(2*time.Second).UnixNano()+int64(10*time.Minute))
	if got := c.event(late); got-first > int64(5*time.Second) {
		t.Errorf("an event after a step of ten minutes lies %v ahead", time.Duration(got-first))
	}
}

// Long stories keep their beginning and their end.
func TestStepsAreBoundedAndInOrder(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	for i := range 200 {
		m.load("file-"+string(rune('a'+i%26)), int64(i+1))
	}
	n := m.want(PhaseNext, StateBooting)
	if len(n.Steps) != stepsMost || n.Omitted != 404-stepsMost {
		t.Fatalf("%d steps, %d omitted", len(n.Steps), n.Omitted)
	}
	if n.Steps[0].Kind != "discover" || n.Steps[stepsMost-1].Bytes != 200 || n.Steps[stepsHead-1].Bytes != 10 {
		t.Errorf("first %+v, last %+v", n.Steps[0], n.Steps[stepsMost-1])
	}
	for i := 1; i < len(n.Steps); i++ {
		if n.Steps[i].At.Before(n.Steps[i-1].At) {
			t.Fatalf("step %d is out of order", i)
		}
	}
	if n.Last != n.Steps[stepsMost-1].Text {
		t.Errorf("last %q", n.Last)
	}
}

// A new node takes the place of the one that was silent for longest among those
// that have booted, and that is counted.
func TestBookIsBounded(t *testing.T) {
	w := newTeller(t)
	w.book.limit = 100
	waiting := w.machine(50)
	waiting.firmware()
	for i := range 300 {
		m := w.machine(1000 + i)
		m.guide()
		w.pass(6 * time.Second)
	}
	s := w.book.Summary(w.now)
	if s.Nodes != 100 || s.Counters["story_replaced"] != 201 {
		t.Errorf("%d nodes, %d replaced", s.Nodes, s.Counters["story_replaced"])
	}
	waiting.want(PhaseLease, StateStuck)
	if _, ok := w.book.Node(w.now, "52:54:00:00:03:e8"); ok {
		t.Error("the first that booted is still there")
	}
	w.sound()
}

// A flood of invented file names keeps neither memory nor the names that are in
// use.
func TestFloodOfNamesIsBounded(t *testing.T) {
	w := newTeller(t)
	m, flood := w.machine(1), w.machine(2)
	m.guide()
	var name [12]byte
	for i := range 3 * textsMost {
		for k := range name {
			name[k] = 'a' + byte(i>>(4*k)&15)
		}
		flood.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], name[:]) })
	}
	if n := len(w.book.texts.list); n > textsMost {
		t.Errorf("%d texts", n)
	}
	if n := m.node(); n.File != "refind_x64.efi" {
		t.Errorf("file %q", n.File)
	}
	w.sound()
}

// Events of kinds that are not known say nothing and do no harm.
func TestUnknownKindsOfEvent(t *testing.T) {
	w := newTeller(t)
	for k := batch.EventKinds; k != 0; k++ {
		w.machine(1).event(k, nil)
	}
	if s := w.book.Summary(w.now); s.Nodes != 0 || s.Counters["story_ignored"] == 0 {
		t.Errorf("%d nodes, %d ignored", s.Nodes, s.Counters["story_ignored"])
	}
}

func TestNodeIsFoundByAnyName(t *testing.T) {
	w := newTeller(t)
	m := w.machine(1)
	m.firmware()
	for _, who := range []string{"52:54:00:00:00:01", "52-54-00-00-00-01", "525400000001", "5254.0000.0001", "192.168.1.2", "node_1", " Node_1 "} {
		if n, ok := w.book.Node(w.now, who); !ok || n.MAC != "52:54:00:00:00:01" {
			t.Errorf("%q finds %+v", who, n)
		}
	}
	for _, who := range []string{"", "52:54", "192.168.1.9", "node_2", "300.1.1.1", "1.2.3", strings.Repeat("a", 200), "192.168.1.0002"} {
		if _, ok := w.book.Node(w.now, who); ok {
			t.Errorf("%q finds somebody", who)
		}
	}
}

// Each phase of a boot is told when the next one is reached, with the time since its
// first message; what begins anew and an installed system counts for nothing.
func TestStays(t *testing.T) {
	m := newTeller(t).machine(1)
	type stay struct {
		in   Phase
		took time.Duration
	}
	var got []stay
	m.book.Stays(func(in Phase, took time.Duration) { got = append(got, stay{in, took}) })
	const ms = time.Millisecond // that each message takes
	m.discover(core.ClientUEFI, 7)
	m.pass(time.Second)
	m.discover(core.ClientUEFI, 7) // asked again: the first counts
	m.offer()
	m.offer()
	m.pass(3 * time.Second)
	m.request(core.ClientUEFI, 7)
	m.ack("ipxe.efi")
	m.pass(100 * ms)
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.pass(2 * time.Second)
	m.file(batch.EventTransferDone, "ipxe.efi", 1<<20)
	m.pass(5 * time.Second)
	m.discover(core.ClientIPXE, 7)
	m.offer()
	m.discover(core.ClientUEFI, 7) // switched off and on
	m.pass(time.Second)
	m.offer()
	m.request(core.ClientUEFI, 7)
	m.ack("ipxe.efi")
	m.dora(core.ClientDHCPCD, noArch, "") // the installed system
	want := []stay{{PhaseDiscover, 1002 * ms}, {PhaseOffer, 3002 * ms}, {PhaseRequest, ms}, {PhaseLease, 101 * ms}, {PhaseLoad, 2001 * ms},
		{PhaseNext, 5001 * ms}, {PhaseDiscover, ms}, {PhaseDiscover, 1001 * ms}, {PhaseOffer, ms}, {PhaseRequest, ms}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	other := m.machine(2) // of which a renewal is the first that is seen
	other.ack("")
	if len(got) > len(want) {
		t.Errorf("a renewal: %v", got[len(want):])
	}
}
