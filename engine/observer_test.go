package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// unprioritized takes away what the journal would.
type unprioritized struct{ b *bytes.Buffer }

// Write passes a line on without its priority.
func (u unprioritized) Write(line []byte) (int, error) {
	u.b.Write(line[len("<6>"):])
	return len(line), nil
}

// newTestObserver writes console lines without time into a buffer.
func newTestObserver(t *testing.T, level string) (*observer, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	log, err := newLogger(level, "console", unprioritized{&b}, true)
	if err != nil {
		t.Fatal(err)
	}
	o := newObserver(log, newNotes())
	clock := time.Unix(noon, 0)
	o.now = func() time.Time { return clock }
	setup := compileTree("t.conf", parseText(guideText+"class \"c\" { match hardware; lease limit 1; }"))
	setup.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "ipxe.efi", Data: []byte("x")}, {Name: "boot/grub.cfg"}})
	o.view.Store(&view{setup: setup, links: []plan.Link{{Name: "eth1", Addrs: []plan.LinkAddr{{Addr: addr("192.168.1.1"), Mask: addr("255.255.255.240")}}},
		{Name: "eth2"}, {Name: "eth3", Addrs: []plan.LinkAddr{{Addr: addr("10.0.0.1"), Mask: addr("255.0.0.0")}}}}})
	return o, &b
}

const noon = 1795344000

func testEvent(kind batch.EventKind, change func(e *batch.Event)) *note {
	n := &note{Event: batch.Event{Kind: kind, Rule: -1, HWLen: 6, HW: [16]byte{0x52, 0x54, 0, 0x12, 0x34, 1}, Addr: addr("192.168.1.2")}}
	change(&n.Event)
	return n
}

// TestObserverLines is what an operator reads about each kind of event.
func TestObserverLines(t *testing.T) {
	file := func(name string) func(e *batch.Event) {
		return func(e *batch.Event) { copy(e.Name[:], name) }
	}
	for _, c := range []struct {
		kind   batch.EventKind
		change func(e *batch.Event)
		want   string
	}{
		{batch.EventAck, func(e *batch.Event) { e.Value = 7200 }, "INFO 192.168.1.2 leased to 52:54:00:12:34:01 (node_1) for 2 hours"},
		{batch.EventAck, func(e *batch.Event) { e.Value, e.HW[5] = 0xffffffff, 9 }, "INFO 192.168.1.2 leased to 52:54:00:12:34:09 for ever"},
		{batch.EventExcess, func(e *batch.Event) { e.Value, e.Extra = 8, 67 }, "WARN 52:54:00:12:34:01 (node_1) sends more than 8 DHCP messages a second, as no boot does: " +
			"what exceeds that is dropped until it is quiet; look at that machine, or at the network for a loop; dhcp-rate-limit sets the limit"},
		{batch.EventExcess, func(e *batch.Event) { e.Value, e.Extra, e.HWLen = 64, 69, 0 }, "WARN 192.168.1.2 sends more than 64 TFTP requests a second, as no boot does: " +
			"what exceeds that is dropped until it is quiet; look at that machine, or at the network for a loop; tftp-rate-limit sets the limit"},
		{batch.EventRogue, func(e *batch.Event) { e.Value, e.Extra = 2, uint32(addr("192.168.1.9")) }, "WARN another DHCP server answers on this network: 192.168.1.2 at 52:54:00:12:34:01 sent OFFER " +
			"with address 192.168.1.9; nodes that follow it do not boot from here. Find it by that MAC in the switch's table and stop it; if it is meant to be there, " +
			"write \"permitted-servers 192.168.1.2;\" into the configuration"},
		{batch.EventRival, func(e *batch.Event) { e.Value, e.Extra = 5, uint32(addr("192.168.1.9")) }, "WARN 52:54:00:12:34:01 (node_1) was answered by another DHCP server, 192.168.1.2: " +
			"ACK with address 192.168.1.9; if it does not boot, that is why"},
		{batch.EventDoubtful, func(e *batch.Event) { e.Value = 4 }, "WARN more address conflicts are reported than can be true, the last by 52:54:00:12:34:01 for 192.168.1.2: " +
			"beyond 4 an hour they are not believed, and the addresses stay in service; find that machine: it answers ARP for addresses that are not its own, or declines every offer"},
		{batch.EventConflict, func(e *batch.Event) { e.Reason = batch.ReasonServerAddress }, "WARN 192.168.1.2, the address of this server, is used by 52:54:00:12:34:01 too: " +
			"nodes reach the one or the other; find that machine by its MAC and give it another address"},
		{batch.EventRelease, func(e *batch.Event) {}, "INFO 192.168.1.2 released by 52:54:00:12:34:01 (node_1)"},
		{batch.EventReclaimed, func(e *batch.Event) {}, "INFO 192.168.1.2, out of service since a conflict, is offered again: no other address is free"},
		{batch.EventTransferDone, func(e *batch.Event) {
			file("ipxe.efi")(e)
			e.Value, e.Nanos, e.Extra = 1044992, 85e6, 3
		}, "INFO ipxe.efi sent to 52:54:00:12:34:01 (node_1): 1.0 MB in 85 ms (12.3 MB/s), 3 frames repeated"},
		{batch.EventTransferDone, func(e *batch.Event) { file("a")(e); e.HWLen = 0; e.Addr = addr("10.1.1.1") }, "INFO a sent to 10.1.1.1: 0 B in 0 ms"},
		{batch.EventTransferStart, func(e *batch.Event) { file("ipxe.efi")(e); e.Value, e.Extra = 1000, 1468<<16|4 },
			"DEBUG 52:54:00:12:34:01 (node_1) begins ipxe.efi: 1.0 KB, blocks of 1468, window 4"},
		{batch.EventTransferProbe, file("ipxe.efi"), "DEBUG 52:54:00:12:34:01 (node_1) asked only for the size of ipxe.efi"},
		{batch.EventDiscover, func(e *batch.Event) {}, "DEBUG discover 52:54:00:12:34:01 (node_1) 192.168.1.2"},
		{batch.EventNotFound, file("Ipxe.efi"), "WARN 52:54:00:12:34:01 (node_1) asks for \"Ipxe.efi\", which is not there; did you mean \"ipxe.efi\"? " +
			"Correct the name in the configuration or the boot script, or put the file into /srv/tftp"},
		{batch.EventNotFound, file("autoexec.ipxe"), "WARN 52:54:00:12:34:01 (node_1) asks for \"autoexec.ipxe\", which is not there; " +
			"put it into /srv/tftp, or ignore this if the client only tries its luck"},
		{batch.EventConflict, func(e *batch.Event) { e.HW[5] = 0x77 }, "WARN address conflict: 192.168.1.2 is used by 52:54:00:12:34:77, to whom it is not leased; " +
			"give that machine another address, or take this one out of the configuration"},
		{batch.EventAbandoned, func(e *batch.Event) { e.Reason = batch.ReasonDeclinedByClient },
			"WARN 192.168.1.2 is taken out of service for a day: the client found it in use (DHCPDECLINE); look for a machine with that address set by hand"},
		{batch.EventTransferError, func(e *batch.Event) { file("ipxe.efi")(e); e.Extra, e.Value = transfer.EndedByTime, 500000 },
			"WARN ipxe.efi to 52:54:00:12:34:01 (node_1) broke off after 500 KB: the client fell silent; look at its console, its link and the switch"},
		{batch.EventTransferError, func(e *batch.Event) { file("ipxe.efi")(e); e.Extra = 3 },
			"WARN ipxe.efi to 52:54:00:12:34:01 (node_1) broke off after 0 B: the client ended it with TFTP error 3 (disk full)"},
		{batch.EventRefused, func(e *batch.Event) { file("x")(e); e.Extra = 2 }, "WARN TFTP request of 52:54:00:12:34:01 (node_1) for \"x\" is refused: " +
			"access violation: this server is read-only and serves nothing outside its root"},
		{batch.EventFull, func(e *batch.Event) { e.Reason = batch.ReasonNoJournal }, "WARN 52:54:00:12:34:01 (node_1) must ask again: the lease file cannot be written, " +
			"and no lease is given that would not survive a crash; see the message about the lease file"},
	} {
		o, b := newTestObserver(t, "debug")
		o.note(testEvent(c.kind, c.change))
		if got := strings.TrimSpace(b.String()); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.kind, got, c.want)
		}
	}
}

// TestRefusals are the reasons for no answer, with what to change.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		reason batch.Reason
		link   uint8
		rule   int32
		want   string
	}{
		{batch.ReasonNoFreeAddress, 0, -1, "no address is free: all 4 of 192.168.1.2 to 192.168.1.5 (subnet 192.168.1.0/28) are leased, offered or out of service; " +
			"widen a range, shorten max-lease-time, or remove leases of machines that are gone"},
		{batch.ReasonNoSubnet, 2, -1, `no subnet is declared for interface eth3 (10.0.0.1/8) or the relay; add "subnet 10.0.0.0 netmask 255.0.0.0 { range … ; }" to the configuration`},
		{batch.ReasonNoSubnet, 1, -1, "interface eth2 has no address; give it one"},
		{batch.ReasonDenied, 0, 0, "the configuration denies it, by t.conf:"},
		{batch.ReasonNotPermitted, 0, -1, "no pool admits this client; change the pool's allow and deny statements, or declare the host"},
		{batch.ReasonLeaseLimit, 0, -1, `its class has as many leases as "lease limit" grants`},
		{batch.ReasonMalformed, 0, -1, "the message is incomplete or its options cannot be read"},
	} {
		o, b := newTestObserver(t, "info")
		o.note(testEvent(batch.EventSilence, func(e *batch.Event) {
			e.Reason, e.Link, e.Rule, e.Value = c.reason, c.link, c.rule, int64(dhcp.Discover)
		}))
		want := "WARN DISCOVER of 52:54:00:12:34:01 (node_1) is left without answer: " + c.want
		if got := strings.TrimSpace(b.String()); !strings.HasPrefix(got, want) || c.rule < 0 && got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.reason, got, want)
		}
	}
	o, b := newTestObserver(t, "info")
	for reason := range quietReasons {
		o.note(testEvent(batch.EventSilence, func(e *batch.Event) { e.Reason = reason }))
	}
	if b.Len() != 0 {
		t.Errorf("ordinary silence is a warning:\n%s", b)
	}
}

// TestEveryReason has words for each reason and event, also out of range.
func TestEveryReason(t *testing.T) {
	o, _ := newTestObserver(t, "debug")
	for r := range batch.Reasons {
		if r != batch.ReasonNone && r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
		for k := batch.EventNone; k <= batch.EventKinds; k++ {
			if k != batch.EventNone && k < batch.EventKinds && k.String() == "unknown" {
				t.Errorf("event %d has no name", k)
			}
			o.note(testEvent(k, func(e *batch.Event) { e.Reason, e.Link, e.Rule, e.HWLen, e.Extra = r, 99, 1<<30, 255, 9999 }))
		}
		e := batch.Event{Reason: r, Link: 9, Rule: 9}
		if text := (Advice{}).Refusal(&e); text == "" {
			t.Errorf("reason %d has no text", r)
		}
	}
}

// TestFolding bounds the log under storm and says what was left out.
func TestFolding(t *testing.T) {
	o, b := newTestObserver(t, "info")
	for range 1000 {
		o.note(testEvent(batch.EventAck, func(e *batch.Event) { e.Value = 60 }))
		o.note(testEvent(batch.EventTransferDone, func(e *batch.Event) { e.Value = 1000 }))
		o.note(testEvent(batch.EventSilence, func(e *batch.Event) { e.Reason, e.Value = batch.ReasonNoFreeAddress, int64(dhcp.Discover) }))
	}
	if got := strings.Count(b.String(), "\n"); got != 2*quotaBurst+1 {
		t.Errorf("%d lines", got)
	}
	b.Reset()
	o.flush(false)
	for _, want := range []string{"INFO and 900 more leases\n", "INFO and 900 more files sent, 900 KB\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("not said: %q\n%s", want, b)
		}
	}
	if strings.Contains(b.String(), "again") {
		t.Errorf("a repeated warning comes at once:\n%s", b)
	}
	b.Reset()
	start := o.now()
	o.now = func() time.Time { return start.Add(repeatEvery) }
	o.flush(false)
	if got := b.String(); !strings.HasPrefix(got, "WARN again 999 times, last for 52:54:00:12:34:01 (node_1): DISCOVER of ") {
		t.Error(got)
	}
	o.now = func() time.Time { return start.Add(3 * repeatEvery) }
	o.flush(false)
	b.Reset()
	o.note(testEvent(batch.EventAck, func(e *batch.Event) { e.Value = 60 }))
	o.note(testEvent(batch.EventSilence, func(e *batch.Event) { e.Reason, e.Value = batch.ReasonNoFreeAddress, int64(dhcp.Discover) }))
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("after the storm:\n%s", b)
	}
}

// TestFloodOfNames bounds the memory that invented file names take.
func TestFloodOfNames(t *testing.T) {
	o, b := newTestObserver(t, "info")
	for i := range 3 * repeatKeep {
		o.note(testEvent(batch.EventNotFound, func(e *batch.Event) { copy(e.Name[:], fmt.Sprint("x\n", i)) }))
	}
	if len(o.repeat) > repeatKeep {
		t.Errorf("%d warnings remembered", len(o.repeat))
	}
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "WARN ") {
			t.Fatalf("a name from the network broke a line: %q", line)
		}
	}
}

// TestLogStatement writes texts of the configuration at their priority, with
// nothing that could harm a terminal.
func TestLogStatement(t *testing.T) {
	o, b := newTestObserver(t, "debug")
	for priority, want := range map[int64]string{plan.LogDebug: "DEBUG", plan.LogInfo: "INFO", plan.LogError: "ERROR", plan.LogFatal: "ERROR"} {
		b.Reset()
		n := testEvent(batch.EventLog, func(e *batch.Event) { e.Nanos = priority })
		n.textLen = uint8(copy(n.text[:], "node \x1b[31m\n\xffé"))
		o.note(n)
		if got := b.String(); got != want+" node ?[31m??é\n" {
			t.Errorf("%q", got)
		}
	}
}

// TestObserverRun drains the ring at the end, and reports what it lost.
func TestObserverRun(t *testing.T) {
	o, b := newTestObserver(t, "info")
	var e batch.Events
	for range 3 {
		e.Add(batch.EventRelease, 0).Addr = addr("10.0.0.1")
	}
	o.notes.put(&e)
	o.notes.lost.Store(7)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o.run(ctx)
	if got := b.String(); strings.Count(got, "released by") != 3 || !strings.Contains(got, "7 events were not logged") {
		t.Error(got)
	}
}

// TestLogger writes the same sentence for people and for machines.
func TestLogger(t *testing.T) {
	var b bytes.Buffer
	log, err := NewLogger("info", "json", &b)
	if err != nil {
		t.Fatal(err)
	}
	o := newObserver(log, newNotes())
	o.note(testEvent(batch.EventAck, func(e *batch.Event) { e.Value = 60 }))
	for _, want := range []string{`"level":"info"`, `"msg":"192.168.1.2 leased to 52:54:00:12:34:01 for 1 minute"`, `"event":"ack"`,
		`"mac":"52:54:00:12:34:01"`, `"address":"192.168.1.2"`, `"seconds":60`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s lacks %s", b.String(), want)
		}
	}
	b.Reset()
	if log, err = NewLogger("warn", "console", &b); err != nil {
		t.Fatal(err)
	}
	log.With(zap.Int("x", 1)).Info("quiet")
	log.With(zap.Int("x", 1)).Warn("loud")
	if got := b.String(); !strings.HasSuffix(got, " WARN loud\n") || strings.Contains(got, "quiet") {
		t.Error(got)
	}
	for _, bad := range [][2]string{{"loud", "json"}, {"fatal", "json"}, {"info", "xml"}} {
		if _, err := NewLogger(bad[0], bad[1], &b); err == nil || !strings.Contains(err.Error(), "use ") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
