package transfer

import (
	"bytes"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// start begins a transfer of ten blocks of 100 bytes and one of 50, and
// measures a round trip of 400 µs.
func start(t *testing.T, options ...string) *rig {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
	r.recv(rrq("f", "octet", append([]string{"blksize=100"}, options...)...))
	r.now += 400 * us
	return r
}

// TestSorcerersApprentice: a duplicate ACK never causes duplicate DATA
// (RFC 1123 section 4.2.3.1).
func TestSorcerersApprentice(t *testing.T) {
	r := start(t)
	r.want("ACK 0", r.ack(0), "DATA 1:100")
	for block := int64(1); block <= 10; block++ {
		r.now += 400 * us
		r.ack(block)
		for range 3 {
			r.want("an ACK again", r.ack(block), "")
		}
		r.want("an older one", r.ack(block-1), "")
		r.want("one of the future", r.ack(block+5), "")
	}
	r.want("the last", r.ack(11), "")
	c := r.table.Counters()
	if c.DataFrames != 11 || c.Resent != 0 || c.Done != 1 || c.Duplicates != 30 || c.Stale != 10 || c.Future != 10 {
		t.Errorf("%+v", *c)
	}
}

// TestDamagedAddress: no checksum covers the hardware address of a request, so the
// first one may have come with a wrong one; its repetition puts that right. Once
// blocks have arrived the address is known to be good, and a late copy of the request,
// or a stranger's, changes nothing.
func TestDamagedAddress(t *testing.T) {
	for _, options := range [][]string{{"blksize=100"}, nil} {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		right := r.src.SrcMAC
		to := func(what string, want proto.MAC) {
			t.Helper()
			s := &r.table.slots[r.table.index.find(r.table.slots, keyOf(r.src.Src, r.src.SrcPort))]
			if s.mac != want {
				t.Errorf("%v, %s: answers go to %s, want %s", options, what, s.mac, want)
			}
		}
		r.src.SrcMAC[5] ^= 4
		wrong := r.src.SrcMAC
		first := r.recv(rrq("f", "octet", options...))
		to("first request", wrong)
		r.src.SrcMAC = right
		r.now += s1 / 3
		if again := r.recv(rrq("f", "octet", options...)); again != first {
			t.Errorf("%v: %q, then %q", options, first, again)
		}
		to("repetition", right)
		if options != nil {
			r.ack(0)
		}
		r.ack(1)
		r.src.SrcMAC = wrong
		r.recv(rrq("f", "octet", options...))
		to("late copy", right)
	}
}

// TestSorcerersApprenticeWithWindows: copies of an ACK, as a network makes
// them, cause nothing either.
func TestSorcerersApprenticeWithWindows(t *testing.T) {
	r := start(t, "windowsize=4")
	r.want("ACK 0", r.ack(0), "DATA 1:100, DATA 2:100, DATA 3:100, DATA 4:100")
	r.now += 10 * us
	r.want("a copy of ACK 0", r.ack(0), "")
	r.now += 400 * us
	r.want("ACK 4", r.ack(4), "DATA 5:100, DATA 6:100, DATA 7:100, DATA 8:100")
	r.now += 10 * us
	r.want("a copy of ACK 4", r.ack(4), "")
	r.now += 400 * us
	r.want("ACK 8", r.ack(8), "DATA 9:100, DATA 10:100, DATA 11:50")
	r.want("ACK 11", r.ack(11), "")
	if c := r.table.Counters(); c.Resent != 0 || c.Done != 1 {
		t.Errorf("%+v", *c)
	}
}

func TestWindowStartsAgainOnce(t *testing.T) {
	r := start(t, "windowsize=4")
	r.ack(0)
	r.now += 400 * us
	r.want("block 2 was lost: edk2's first ACK", r.ack(1), "DATA 2:100, DATA 3:100, DATA 4:100, DATA 5:100")
	r.want("its second, for block 4", r.ack(1), "")
	r.now += 400 * us
	r.want("and a late one", r.ack(1), "")
	r.want("the repair arrived", r.ack(5), "DATA 6:100, DATA 7:100, DATA 8:100, DATA 9:100")
	r.now += 400 * us
	r.want("block 6 was lost: an ACK of the block before", r.ack(5), "DATA 6:100, DATA 7:100, DATA 8:100, DATA 9:100")
	r.want("and two more", r.ack(5)+r.ack(5), "")
	r.want("the repair arrived", r.ack(9), "DATA 10:100, DATA 11:50")
	r.ack(11)
	if c := r.table.Counters(); c.Repairs != 2 || c.Timeouts != 0 || c.Done != 1 || c.Resent != 7 {
		t.Errorf("%+v", *c)
	}
}

// TestEchoesOfARepairDoNotCauseAnother: a block that the network copied makes
// edk2 send an ACK inside the window, and so does every block of the repair
// that follows.
func TestEchoesOfARepairDoNotCauseAnother(t *testing.T) {
	r := start(t, "windowsize=4")
	r.ack(0)
	r.now += 400 * us
	r.want("an ACK because of a copied block 1", r.ack(1), "DATA 2:100, DATA 3:100, DATA 4:100, DATA 5:100")
	r.now += 400 * us
	r.want("block 2 comes again; the client has 4", r.ack(4), "DATA 6:100, DATA 7:100, DATA 8:100")
	r.want("blocks 3 and 4 come again", r.ack(4)+r.ack(4), "")
	r.now += 400 * us
	r.want("5 to 8 in order", r.ack(8), "DATA 9:100, DATA 10:100, DATA 11:50")
	r.ack(11)
	if c := r.table.Counters(); c.Repairs != 1 || c.Timeouts != 0 || c.Resent != 3 {
		t.Errorf("%+v", *c)
	}
}

// TestSilence: what is repeated when nothing comes, and when.
func TestSilence(t *testing.T) {
	t.Run("window 4: the last block, then the window, in turn", func(t *testing.T) {
		r := start(t, "windowsize=4")
		r.ack(0)
		r.want("before the time", r.after(49*ms), "")
		r.want("after 50 ms", r.after(2*ms), "DATA 4:100")
		r.want("after 100 ms more", r.after(100*ms), "DATA 1:100, DATA 2:100, DATA 3:100, DATA 4:100")
		r.want("after 200 ms more", r.after(200*ms), "DATA 4:100")
		r.want("edk2 lacks block 3", r.ack(2), "DATA 3:100, DATA 4:100, DATA 5:100, DATA 6:100")
	})
	t.Run("only the ACK of the window was lost", func(t *testing.T) {
		r := start(t, "windowsize=4")
		r.ack(0)
		r.want("the last block", r.after(51*ms), "DATA 4:100")
		r.want("the client repeats its ACK", r.ack(4), "DATA 5:100, DATA 6:100, DATA 7:100, DATA 8:100")
	})
	t.Run("window 1", func(t *testing.T) {
		r := start(t)
		r.ack(0)
		r.want("three times", r.after(360*ms), "DATA 1:100, DATA 1:100, DATA 1:100")
		r.want("ACK 1", r.ack(1), "DATA 2:100")
	})
	t.Run("the OACK", func(t *testing.T) {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		r.recv(rrq("f", "octet", "tsize=0"))
		r.want("first", r.after(310*ms), "OACK tsize=1050")
		r.want("second", r.after(600*ms), "OACK tsize=1050")
		r.want("ACK 0", r.ack(0), "DATA 1:512")
		r.want("the echo of the other OACK", r.ack(0), "")
	})
	t.Run("the OACK, before windows", func(t *testing.T) {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		r.recv(rrq("f", "octet", "windowsize=2"))
		r.want("again", r.after(310*ms), "OACK windowsize=2")
		r.want("ACK 0", r.ack(0), "DATA 1:512, DATA 2:512")
		r.now += 20 * ms
		r.want("the echo of the other OACK", r.ack(0), "")
	})
	t.Run("waiting for room is not silence", func(t *testing.T) {
		r := start(t)
		p := r.src
		p.Payload = ack(0)
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.tx.N = batch.TxCap // the driver cannot send
		for range 20 {
			r.now += 100 * ms
			r.table.Fill(r.now, r.tx, &r.ev)
		}
		r.tx.N = 0
		r.want("once there is room", r.out(), "DATA 1:100")
		if c := r.table.Counters(); c.Timeouts != 0 || c.Resent != 0 {
			t.Errorf("%+v", *c)
		}
	})
	t.Run("a negotiated timeout is the longest", func(t *testing.T) {
		r := start(t, "timeout=1", "tsize=0")
		r.ack(0)
		sent := strings.Count(r.after(20*s1), "DATA 1:100")
		if sent < 21 || sent > 26 { // 50, 100, … 800 ms, then every second
			t.Errorf("%d times in 20 s", sent)
		}
	})
	t.Run("U-Boot is silent about what it has, so the next block goes along", func(t *testing.T) {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		r.recv(rrq("f", "octet", "timeout=5", "tsize=0", "blksize=100"))
		r.now += 400 * us
		r.want("ACK 0", r.ack(0), "DATA 1:100")
		r.want("its ACK was lost", r.after(51*ms), "DATA 1:100, DATA 2:100")
		r.want("ACK 2", r.ack(2), "DATA 3:100")
	})
}

// TestPatienceWithGRUB: GRUB may stop to acknowledge for long, and never
// repeats an ACK.
func TestPatienceWithGRUB(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(3000)})
	r.recv(rrq("f", "octet", "blksize=1024", "tsize=0"))
	r.now += ms
	r.ack(0)
	frames := strings.Count(r.after(120*s1), "DATA 1:1024")
	if frames < 25 || frames > 45 {
		t.Errorf("%d repeats in 120 s of silence", frames)
	}
	r.want("it goes on after two minutes", r.ack(1), "DATA 2:1024")
	r.after(IdleLimit + s1)
	if e := r.last(); r.table.Active() != 0 || e.Kind != batch.EventTransferError || e.Extra != EndedByTime || e.Value != 1024 {
		t.Errorf("%d active, event %+v", r.table.Active(), e)
	}
	r.want("silence from then on", r.after(1000*s1), "")
	if r.table.Deadline() != 1<<63-1 {
		t.Error("a timer is left")
	}
}

// TestSlowClient: one that needs 200 ms for every block is not sent everything
// twice for long.
func TestSlowClient(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(100 * 512)})
	r.recv(rrq("f", "octet", "tsize=0"))
	r.now += 200 * us
	r.ack(0)
	for block := int64(1); block <= 20; block++ { // fast at first
		r.now += 300 * us
		r.ack(block)
	}
	for block := int64(21); block <= 101; block++ {
		r.after(200 * ms)
		r.ack(block)
	}
	if c := r.table.Counters(); c.Done != 1 || c.Resent > 8 {
		t.Errorf("%+v", *c)
	}
}

func TestHowTransfersEnd(t *testing.T) {
	probe := rrq("f", "octet", "tsize=0", "blksize=1468", "windowsize=4")
	for _, c := range []struct {
		name  string
		end   func(r *rig)
		kind  batch.EventKind
		extra uint32
	}{
		{"the size probe: ERROR 8 after the OACK", func(r *rig) { r.recv(errorPacket(8)) }, batch.EventTransferProbe, 0},
		{"ERROR 8 later", func(r *rig) { r.ack(0); r.recv(errorPacket(8)) }, batch.EventTransferError, 8},
		{"ERROR 0 after the OACK", func(r *rig) { r.recv(errorPacket(0)) }, batch.EventTransferError, 0},
		{"port unreachable after everything was sent: the last ACK was lost", func(r *rig) {
			r.now += ms
			r.ack(0)
			r.ack(4)
			p := r.src
			p.Src, p.Dst, p.SrcPort, p.DstPort = r.src.Dst, r.src.Src, 69, r.src.SrcPort
			r.table.Unreachable(r.now, &p, &r.ev)
		}, batch.EventTransferDone, 0},
		{"port unreachable and no other answer", func(r *rig) {
			r.table.SetFiles(image.Build(2, "/", []image.File{{Name: "f", Data: pattern(9)}}))
			r.want("the whole file", r.recv(rrq("f", "octet")), "DATA 1:9")
			p := r.src
			p.Src, p.Dst, p.SrcPort, p.DstPort = r.src.Dst, r.src.Src, 69, r.src.SrcPort
			r.table.Unreachable(r.now, &p, &r.ev)
		}, batch.EventTransferError, EndedByICMP},
		{"no answer at all", func(r *rig) { r.after(29 * s1); r.after(2 * s1) }, batch.EventTransferError, EndedByTime},
		{"port unreachable", func(r *rig) {
			p := r.src
			p.Src, p.Dst, p.SrcPort, p.DstPort = r.src.Dst, r.src.Src, 69, r.src.SrcPort
			r.table.Unreachable(r.now, &p, &r.ev)
		}, batch.EventTransferError, EndedByICMP},
		{"its link is gone", func(r *rig) { r.table.SetLinks(nil); r.ack(0) }, batch.EventTransferError, EndedByTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(9000)})
			r.recv(probe)
			c.end(r)
			if e := r.last(); e.Kind != c.kind || e.Extra != c.extra || r.table.Active() != 0 || e.XID != 2048 || e.HWLen != 6 {
				t.Errorf("%d active, event %+v", r.table.Active(), e)
			}
			r.want("afterwards", r.ack(1)+r.recv(errorPacket(0))+r.after(300*s1), "")
		})
	}
}

// TestForeignPackets: port, address and server address must all be the
// transfer's.
func TestForeignPackets(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(9000)})
	r.recv(rrq("f", "octet"))
	mine := r.src
	for _, change := range []func(){func() { r.src.SrcPort++ }, func() { r.src.Src++ }, func() { r.src.Dst++ }} {
		change()
		r.want("an ACK from elsewhere", r.ack(1), "")
		r.want("an ERROR from elsewhere", r.recv(errorPacket(0)), "")
		p := r.src
		p.Src, p.Dst, p.SrcPort, p.DstPort = r.src.Dst, r.src.Src, 69, r.src.SrcPort
		r.table.Unreachable(r.now, &p, &r.ev)
		r.src = mine
	}
	other := mine
	other.Src, other.Dst, other.SrcPort, other.DstPort = mine.Dst, mine.Src, 67, mine.SrcPort
	r.table.Unreachable(r.now, &other, &r.ev)
	r.want("the right one", r.ack(1), "DATA 2:512")
	if r.table.Counters().Stray != 10 {
		t.Errorf("%+v", *r.table.Counters())
	}
}

// TestRollover: block 65535 is followed by 0, with losses around it and in
// windows across it; and iPXE, which must not get block 65535 twice, does not,
// even if its ACK is lost.
func TestRollover(t *testing.T) {
	data := pattern(8*65536 + 8*900 + 3)
	for _, c := range []struct {
		name  string
		model model
		drop  func(toServer bool, op, field uint16, n int) bool
	}{
		{"window 64, clean", newPlain("f", s1, "blksize", 8, "windowsize", 64), nil},
		{"window 7, losses around the wrap", newPlain("f", s1, "blksize", 8, "windowsize", 7), func(_ bool, _, field uint16, n int) bool {
			return n == 1 && (field > 65530 || field < 5) && field%3 == 0
		}},
		{"edk2, losses around the wrap", newEdk2("f", "blksize", 8, "windowsize", 4), func(_ bool, _, field uint16, n int) bool {
			return n == 1 && (field > 65530 || field < 5)
		}},
		{"iPXE, ACK 65535 lost", newIPXE("f", 8), func(up bool, _, field uint16, n int) bool { return up && field == 65535 && n == 1 }},
		{"iPXE, DATA 65535 lost", newIPXE("f", 8), func(up bool, _, field uint16, n int) bool { return !up && field == 65535 && n == 1 }},
		{"iPXE, both of 65534 and 0 lost", newIPXE("f", 8), func(_ bool, op, field uint16, n int) bool {
			return op != tftp.OpOack && (field == 65534 || field == 0) && n <= 2
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, newTable(t, Config{}, image.File{Name: "f", Data: data}), 3)
			w.drop, w.work = c.drop, 0
			w.add(c.model, 0)
			w.run(600 * s1)
			if !c.model.finished() || c.model.trouble() != "" || !bytes.Equal(c.model.content(), data) {
				t.Fatalf("%q, %d bytes of %d", c.model.trouble(), len(c.model.content()), len(data))
			}
			if c.drop == nil && w.table.Counters().Resent != 0 {
				t.Errorf("%+v", *w.table.Counters())
			}
		})
	}
}
