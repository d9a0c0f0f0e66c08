package transfer

import (
	"slices"
	"testing"

	"bootstorm/engine/image"
)

// TestLossIsRepairedInRoundTrips: where frames are lost, no client of any
// window waits for timers that were backed off, and little is sent again.
func TestLossIsRepairedInRoundTrips(t *testing.T) {
	const megabytes = 3
	data := pattern(megabytes * 1_000_000)
	for _, c := range []struct {
		name         string
		make         func() model
		loss         float64
		median, most int64   // of the times
		again        float64 // of the blocks, sent again
	}{
		{"edk2", func() model { return newEdk2("f") }, .05, 800 * ms, 2000 * ms, .25},
		{"iPXE", func() model { return newIPXE("f", 1432) }, .05, 2200 * ms, 4000 * ms, .15},
		{"U-Boot", func() model { return newUBoot("f", 1) }, .05, 2500 * ms, 4000 * ms, .15},
		{"edk2 window 16", func() model { return newEdk2("f", "blksize", 1468, "windowsize", 16) }, .05, 500 * ms, 1500 * ms, 1},
		{"edk2 window 64", func() model { return newEdk2("f", "blksize", 1468, "windowsize", 64) }, .01, 150 * ms, 500 * ms, .6},
		{"RFC 7440 window 16", func() model { return newPlain("f", s1, "blksize", 1468, "windowsize", 16) }, .05, 600 * ms, 1500 * ms, 1},
		{"RFC 7440 window 64", func() model { return newPlain("f", s1, "blksize", 1468, "windowsize", 64) }, .01, 150 * ms, 500 * ms, .6},
		{"RFC 7440 window 64, 5%", func() model { return newPlain("f", s1, "blksize", 1468, "windowsize", 64) }, .05, 900 * ms, 3000 * ms, 4},
		{"U-Boot window 16", func() model { return newUBoot("f", 16) }, .05, 600 * ms, 2500 * ms, 1.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var took []int64
			var frames, again uint64
			for seed := range uint64(5) {
				w := newWire(t, newTable(t, Config{Transfers: 64}, image.File{Name: "f", Data: data}), seed)
				w.add(c.make(), 0)
				w.run(ms / 2) // past the request: its repetition is the client's matter
				w.loss = c.loss
				start := w.now
				for !w.over() && w.now < start+600*s1 {
					w.run(5 * ms)
				}
				checkAll(t, w, seed, data)
				took = append(took, w.now-start)
				frames += w.table.Counters().DataFrames
				again += w.table.Counters().Resent
			}
			slices.Sort(took)
			share := float64(again) / float64(frames-again)
			t.Logf("median %d ms, most %d ms, %.2f of the blocks again", took[2]/ms, took[4]/ms, share)
			if took[2] > c.median || took[4] > c.most || share > c.again {
				t.Errorf("median %d ms, most %d ms, %.2f again; at most %d ms, %d ms, %.2f",
					took[2]/ms, took[4]/ms, share, c.median/ms, c.most/ms, c.again)
			}
		})
	}
}

// TestBothEndsOfALargeWindow: after silence, a client that answers each gap but
// once is sent the first block on its way and the last.
func TestBothEndsOfALargeWindow(t *testing.T) {
	open := func(t *testing.T) *rig {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		r.recv(rrq("f", "octet", "blksize=100", "windowsize=8"))
		r.now += 400 * us
		r.ack(0)
		return r
	}
	const both = "DATA 1:100, DATA 8:100"
	t.Run("the ACK was lost: the old block brings it again", func(t *testing.T) {
		r := open(t)
		r.want("after silence", r.after(51*ms), both)
		r.want("the client has all", r.ack(8), "DATA 9:100, DATA 10:100, DATA 11:50")
		r.want("its answer to the other block", r.ack(8), "")
	})
	t.Run("block 1 and the ACK of the gap were lost", func(t *testing.T) {
		r := open(t)
		r.want("after silence", r.after(51*ms), both)
		r.want("now it lacks 2", r.ack(1), "DATA 2:100, DATA 3:100, DATA 4:100, DATA 5:100, DATA 6:100, DATA 7:100, DATA 8:100, DATA 9:100")
		r.want("once", r.ack(1), "")
	})
	t.Run("one block on its way is both ends", func(t *testing.T) {
		r := open(t)
		r.ack(8)
		r.want("block 11 was lost", r.ack(10), "DATA 11:50")
		r.want("and again", r.after(6*ms), "DATA 11:50")
	})
	t.Run("in netascii", func(t *testing.T) {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(1050)})
		r.recv(rrq("f", "netascii", "blksize=100", "windowsize=8"))
		r.now += 400 * us
		first := r.ack(0)
		r.want("after silence", r.after(51*ms), both)
		r.want("a copy of the whole window later", r.after(120*ms), first)
	})
}

// TestFloorOfTheTimer: a proven loss makes the next one cheap; a client that
// was only slow is given its time back.
func TestFloorOfTheTimer(t *testing.T) {
	r := start(t)
	r.ack(0)
	r.want("the first loss is waited for", r.after(49*ms), "")
	r.want("and repeated", r.after(ms), "DATA 1:100")
	r.now += 400 * us
	r.want("the answer to that", r.ack(1), "DATA 2:100")
	r.want("the second", r.after(6*ms), "DATA 2:100")
	r.now += 4 * ms
	r.want("the client was slow", r.ack(2), "DATA 3:100")
	r.want("so it is waited for again", r.after(40*ms), "")
}
