package story

import (
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core"
	"bootstorm/engine/core/transfer"
	"bootstorm/proto"
)

func TestStuckWithoutAFreeAddress(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.silence(batch.ReasonNoFreeAddress, "no address is free: all 4 of 192.168.1.2 to 192.168.1.5 (subnet 192.168.1.0/28) are leased, offered or out of service; widen a range")
	m.stuck("no address is free", "192.168.1.2 to 192.168.1.5", "widen a range")
	m.discover(core.ClientUEFI, 7) // still none
	m.silence(batch.ReasonNoFreeAddress, "no address is free")
	m.stuck("no address is free")
	m.offer() // now there is one
	m.want(PhaseOffer, StateBooting)
	m.pass(time.Second)
	if got := m.kinds(ToldRecovered); len(got) != 1 {
		t.Errorf("told %q", got)
	}
	if got := m.kinds(ToldStuck); len(got) != 1 {
		t.Errorf("told %q", got)
	}
}

func TestStuckBecauseAStatementDenies(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.silence(batch.ReasonDenied, "the configuration denies it, by dhcpd.conf:12: deny unknown-clients")
	m.stuck("dhcpd.conf:12: deny unknown-clients", "bootstorm explain")
}

func TestStuckWithoutASubnet(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.silence(batch.ReasonNoSubnet, "")
	m.stuck("no subnet is declared")
}

func TestStuckOverAFileThatDoesNotExist(t *testing.T) {
	m := newTeller(t).machine(1)
	m.dora(core.ClientUEFI, 7, "ipxe.eif")
	m.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], "ipxe.eif") }, `did you mean "ipxe.efi"? Correct the name`)
	m.stuck(`"ipxe.eif", which does not exist`, `did you mean "ipxe.efi"?`)

	m = newTeller(t).machine(2) // in the middle of a script; the client may have another idea for a moment
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.ipxe()
	m.load("refind.pxe", 600)
	m.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], "refind.cnf") })
	m.want(PhaseNext, StateBooting)
	m.pass(10 * time.Second)
	m.stuck(`"refind.cnf", which does not exist`, "/srv/tftp")
}

// What boot programs try on the chance that it is there keeps nobody.
func TestOptionalFilesAreNoTrouble(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	for range 2 {
		m.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], "autoexec.ipxe") })
	}
	m.ipxe()
	m.load("refind_x64.efi", 1000)
	m.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], "EFI/extra.cfg") })
	m.pass(10 * time.Second)
	m.want(PhaseDone, StateDone)

	m = m.machine(2)
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.event(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], "autoexec.ipxe") })
	m.pass(time.Minute)
	m.stuck("never came back after ipxe.efi")
}

func TestStuckWhenNoRuleMatchesTheArchitecture(t *testing.T) {
	m := newTeller(t).machine(1)
	m.dora(core.ClientUEFI, 11, "")
	m.want(PhaseLease, StateBooting)
	m.pass(6 * time.Second)
	m.stuck("names no boot file", "architecture 11 (UEFI, ARM 64 bits)", "--arch 11")

	m = newTeller(t).machine(2) // edk2 does not even take the offer
	m.discover(core.ClientUEFI, 11)
	m.event(batch.EventOffer, nil)
	m.pass(20 * time.Second)
	m.stuck("does not take its offer, which names no boot file", "architecture 11")
}

func TestStuckWithALeaseThatNamesNoFile(t *testing.T) {
	m := newTeller(t).machine(1)
	m.dora(core.ClientIPXE, 7, "")
	m.pass(6 * time.Second)
	m.stuck("names no boot file", "bootstorm explain --mac 52:54:00:00:00:01")
}

// iPXE that is told a file on a web server is none of this server's business any
// more.
func TestBootFileOnAnotherServerIsTheEnd(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.dora(core.ClientIPXE, 7, "http://10.0.0.1/boot.ipxe")
	m.pass(6 * time.Second)
	m.want(PhaseDone, StateDone)
}

func TestStuckThoughAFileWasNamed(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.pass(16 * time.Second)
	m.stuck(`told to load "ipxe.efi", but never asked for it`, "next-server")

	m = newTeller(t).machine(2) // the acknowledgement does not arrive
	m.firmware()
	for range 3 {
		m.pass(2 * time.Second)
		m.request(core.ClientUEFI, 7)
		m.ack("ipxe.efi")
	}
	m.pass(20 * time.Second)
	m.stuck("the acknowledgement does not reach it")
}

func TestStuckBecauseAnotherServerWasChosen(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.offer()
	m.event(batch.EventSilence, func(e *batch.Event) {
		e.Reason, e.Value, e.Extra = batch.ReasonOtherServer, 3, uint32(proto.AddrOf(192, 168, 1, 77))
	})
	m.stuck("another DHCP server (192.168.1.77)", "stop that server")
	if got := m.kinds(ToldRogue); len(got) != 1 {
		t.Errorf("told %q", got)
	}
	s := m.book.Summary(m.now)
	if len(s.Rogues) != 1 || s.Rogues[0].Address != "192.168.1.77" || s.Rogues[0].Kind != "dhcp-server" {
		t.Errorf("%+v", s.Rogues)
	}
	// Somebody else who does not take an offer probably took that one's.
	o := m.machine(2)
	o.discover(core.ClientUEFI, 7)
	o.offer()
	o.pass(20 * time.Second)
	o.stuck("another DHCP server", "192.168.1.77")
}

func TestStuckBecauseAnotherServerAnsweredIt(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.event(batch.EventRogue, func(e *batch.Event) {
		e.Addr, e.HW[5], e.Value = proto.AddrOf(192, 168, 1, 77), 0xee, 2
	})
	m.event(batch.EventRival, func(e *batch.Event) { e.Addr, e.Value = proto.AddrOf(192, 168, 1, 77), 5 })
	m.offer()
	m.want(PhaseOffer, StateBooting)
	m.pass(20 * time.Second)
	m.stuck("another DHCP server", "192.168.1.77", "ee")
	if s := m.book.Summary(m.now); len(s.Rogues) != 1 || s.Rogues[0].MAC == "" {
		t.Errorf("%+v", s.Rogues)
	}
}

func TestStuckBecauseItNeverCameBackAfterIPXE(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.pass(40 * time.Second)
	m.want(PhaseNext, StateBooting)
	m.pass(10 * time.Second)
	m.stuck("never came back after ipxe.efi", "Secure Boot", "another architecture than this machine's (7, UEFI, 64 bits)")
	m.ipxe() // it took its time
	m.want(PhaseLease, StateBooting)
}

func TestStuckBecauseItsAddressIsAnothers(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.event(batch.EventConflict, func(e *batch.Event) { e.HW[5], e.Reason = 0xee, batch.ReasonDuplicateAddress })
	m.want(PhaseLease, StateBooting)
	m.pass(20 * time.Second)
	m.stuck("192.168.1.2 is answered by 52:54:00:00:00:ee", "take this one out of the configuration")
	if got := m.kinds(ToldConflict); len(got) != 1 {
		t.Errorf("told %q", got)
	}

	m = newTeller(t).machine(2)
	m.discover(core.ClientUEFI, 7)
	m.offer()
	m.event(batch.EventAbandoned, func(e *batch.Event) { e.Reason = batch.ReasonDuplicateAddress })
	m.event(batch.EventNak, func(e *batch.Event) { e.Reason = batch.ReasonDuplicateAddress })
	m.pass(time.Minute)
	m.stuck("192.168.1.3", "another machine")
}

func TestStuckAfterICMPUnreachable(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.event(batch.EventTransferError, func(e *batch.Event) {
		e.Extra, e.Value, e.XID = transfer.EndedByICMP, 4096, m.port
		copy(e.Name[:], "ipxe.efi")
	})
	m.want(PhaseLoad, StateBooting)
	m.pass(10 * time.Second)
	m.stuck(`closed its port in the middle of "ipxe.efi"`, "ICMP port unreachable")
}

func TestStuckAfterItFellSilent(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.pass(130 * time.Second)
	m.event(batch.EventTransferError, func(e *batch.Event) {
		e.Extra, e.Value, e.XID = transfer.EndedByTime, 4096, m.port
		copy(e.Name[:], "ipxe.efi")
	})
	m.stuck(`fell silent in the middle of "ipxe.efi"`, "look at its console")

	m = newTeller(t).machine(2) // and if the event of that is lost
	m.firmware()
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.pass(160 * time.Second)
	m.stuck(`fell silent in the middle of "ipxe.efi"`)
}

// A client that has everything is gone. If its last ACK is lost, the server ends
// the transfer by time, and the boot has come to its end all the same.
func TestLostLastAcknowledgementIsTheEnd(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.load("ipxe.efi", 1<<20)
	m.ipxe()
	m.event(batch.EventTransferStart, func(e *batch.Event) {
		e.Value, e.XID, e.Extra = 300000, 99, 1432<<16|1
		copy(e.Name[:], "refind_x64.efi")
	})
	last := m.now
	m.pass(130 * time.Second)
	m.event(batch.EventTransferError, func(e *batch.Event) {
		e.Value, e.XID, e.Extra = 300000-700, 99, transfer.EndedByTime
		copy(e.Name[:], "refind_x64.efi")
	})
	m.pass(6 * time.Second)
	if n := m.want(PhaseDone, StateDone); n.Finished.Sub(last) > time.Second || n.Bytes != 1<<20+300000 {
		t.Errorf("%+v", n)
	}
}

func TestStuckAfterTheClientsError(t *testing.T) {
	m := newTeller(t).machine(1)
	m.firmware()
	m.file(batch.EventTransferStart, "ipxe.efi", 1<<20)
	m.event(batch.EventTransferError, func(e *batch.Event) { e.Extra, e.XID = 3, m.port; copy(e.Name[:], "ipxe.efi") })
	m.pass(10 * time.Second)
	m.stuck(`ended "ipxe.efi" itself with TFTP error 3 (no space)`, "console")
}

func TestStuckBecauseItRestartsOverAndOver(t *testing.T) {
	m := newTeller(t).machine(1)
	for range 3 {
		m.firmware()
		m.load("ipxe.efi", 1<<20)
		m.pass(50 * time.Second)
	}
	m.discover(core.ClientUEFI, 7)
	m.stuck("restarted 3 times without booting", "never came back after ipxe.efi")
	m.offer() // that it goes on means nothing yet
	m.request(core.ClientUEFI, 7)
	m.ack("ipxe.efi")
	if n := m.want(PhaseLease, StateStuck); n.Boots != 4 {
		t.Errorf("%d boots", n.Boots)
	}
	m.load("ipxe.efi", 1<<20)
	m.ipxe()
	m.load("refind_x64.efi", 1000)
	m.pass(10 * time.Second)
	m.want(PhaseDone, StateDone)
	if got := m.kinds(ToldRecovered); len(got) == 0 {
		t.Error("nobody was told that it goes on")
	}
	// Restarts that lie far apart are no loop.
	m = m.machine(2)
	for range 5 {
		m.firmware()
		m.load("ipxe.efi", 1<<20)
		m.pass(25 * time.Minute)
	}
	if n := m.node(); strings.Contains(n.Reason, "restarted") {
		t.Errorf("%q", n.Reason)
	}
}

func TestStuckThoughItWasOfferedAnAddress(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.offer()
	m.pass(20 * time.Second)
	m.stuck("was offered an address, did not take it and fell silent")

	m = newTeller(t).machine(2)
	for range 4 {
		m.discover(core.ClientUEFI, 7)
		m.offer()
		m.pass(8 * time.Second)
	}
	m.stuck("asked again 3 times without taking it", "VLAN")
}

func TestStuckBecauseTheDiskTakesNoLease(t *testing.T) {
	for reason, words := range map[batch.Reason]string{batch.ReasonNoJournal: "cannot be written", batch.ReasonHoldFull: "a faster one"} {
		m := newTeller(t).machine(1)
		m.discover(core.ClientUEFI, 7)
		m.offer()
		m.request(core.ClientUEFI, 7)
		m.event(batch.EventFull, func(e *batch.Event) { e.Reason = reason })
		n := m.want(PhaseRequest, StateStuck)
		if !strings.Contains(n.Reason, "waits for the disk") || !strings.Contains(n.Reason, words) {
			t.Errorf("%q", n.Reason)
		}
		if s := m.book.Summary(m.now); s.Health != HealthFailing || !strings.Contains(s.Problems[0], "lease file") {
			t.Errorf("%s, %q", s.Health, s.Problems)
		}
		m.ack("ipxe.efi")
		m.want(PhaseLease, StateBooting)
		m.pass(time.Minute)
		if s := m.book.Summary(m.now); s.Health == HealthFailing {
			t.Errorf("%s, %q", s.Health, s.Problems)
		}
	}
}

func TestStuckBecauseItFellSilentAfterItsDiscover(t *testing.T) {
	m := newTeller(t).machine(1)
	m.discover(core.ClientUEFI, 7)
	m.pass(30 * time.Second)
	m.want(PhaseDiscover, StateBooting)
	m.pass(15 * time.Second)
	m.stuck("asked for an address and fell silent")
}

// An installed system that gets no address is a machine that is missing, too.
func TestInstalledSystemWithoutAnAddressIsStuck(t *testing.T) {
	m := newTeller(t).machine(1)
	for range 3 {
		m.discover(core.ClientDHCPCD, noArch)
		m.silence(batch.ReasonNoFreeAddress, "no address is free")
		m.want(PhaseDiscover, StateStuck)
	}
	m.dora(core.ClientDHCPCD, noArch, "")
	m.want(PhaseDiscover, StateSystem)
}

// Problems that many have are named once, the gravest first.
func TestSummaryGroupsAndOrdersProblems(t *testing.T) {
	w := newTeller(t)
	for i := range 30 {
		m := w.machine(i + 1)
		m.discover(core.ClientUEFI, 7)
		if i < 20 {
			m.silence(batch.ReasonNoSubnet, "no subnet is declared")
		} else {
			m.silence(batch.ReasonDenied, "the configuration denies it, by dhcpd.conf:3: deny booting")
		}
	}
	w.book.Counters(w.now, map[string]int64{CounterJournalFails: 1, PoolUsed(Range{"192.168.1.2-192.168.1.99", 98}): 95, CounterLost: 7})
	w.pass(time.Second)
	s := w.book.Summary(w.now)
	if s.Health != HealthFailing || len(s.Problems) != 4 || s.Lost != 7 || s.States[StateStuck] != 30 {
		t.Fatalf("%s, %d lost, %q", s.Health, s.Lost, s.Problems)
	}
	for i, want := range []string{"lease file cannot be written", "20 nodes are stuck (node_1 and others): no subnet", "10 nodes are stuck", "95 of the 98 addresses"} {
		if !strings.Contains(s.Problems[i], want) {
			t.Errorf("problem %d is %q, want %q", i, s.Problems[i], want)
		}
	}
	if got := w.kinds(ToldPool); len(got) != 1 || s.Pools[0].Used != 95 {
		t.Errorf("told %q, %+v", got, s.Pools)
	}
	w.pass(5 * time.Second)
	if got := w.kinds(ToldPool); len(got) != 1 {
		t.Errorf("told again %q", got)
	}
}
