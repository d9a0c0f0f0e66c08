package transfer

import (
	"bytes"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
)

// habits are one client of each kind.
var habits = []struct {
	name string
	make func(file string) model
}{
	{"edk2", func(f string) model { return newEdk2(f) }},
	{"edk2 without windows", func(f string) model { return newEdk2(f, "blksize", 1468) }},
	{"iPXE", func(f string) model { return newIPXE(f, 1432) }},
	{"U-Boot", func(f string) model { return newUBoot(f, 1) }},
	{"U-Boot window 8", func(f string) model { return newUBoot(f, 8) }},
	{"GRUB", func(f string) model { return newGRUB(f) }},
	{"PXELINUX", func(f string) model { return newPXELinux(f) }},
	{"512 bytes", func(f string) model { return newPlain(f, s1) }},
	{"RFC 7440 window 16", func(f string) model { return newPlain(f, s1, "blksize", 1428, "windowsize", 16) }},
	{"RFC 7440 window 64", func(f string) model { return newPlain(f, s1, "windowsize", 64, "blksize", 1468) }},
}

// TestEveryClientOverEveryWire: the file arrives byte for byte and the frames
// stay in proportion, whatever the wire does.
func TestEveryClientOverEveryWire(t *testing.T) {
	data := pattern(300_001)
	for _, c := range []struct {
		name                  string
		loss, copies, reorder float64
	}{
		{"clean", 0, 0, 0}, {"loss 1%", .01, 0, 0}, {"loss 10%", .1, 0, 0}, {"copies 5%", 0, .05, 0},
		{"reordered 5%", 0, 0, .05}, {"all of it", .03, .03, .03},
	} {
		for _, h := range habits {
			t.Run(c.name+"/"+h.name, func(t *testing.T) {
				for seed := range uint64(4) {
					table := newTable(t, Config{Transfers: 64}, image.File{Name: "file", Data: data})
					w := newWire(t, table, seed)
					w.loss, w.copies, w.reorder = c.loss, c.copies, c.reorder
					for i := range 3 {
						w.add(h.make("file"), int64(i)*3*ms)
					}
					w.run(600 * s1)
					checkAll(t, w, seed, data)
					checkFrames(t, w, seed, c.loss+c.copies+c.reorder)
				}
			})
		}
	}
}

func checkAll(t *testing.T, w *wire, seed uint64, data []byte) {
	t.Helper()
	for i, n := range w.nodes {
		if n.trouble() != "" || !n.finished() {
			t.Fatalf("seed %d client %d: %q after %d bytes", seed, i, n.trouble(), len(n.content()))
		}
		if !bytes.Equal(n.content(), data) {
			t.Fatalf("seed %d client %d: content differs (%d bytes of %d)", seed, i, len(n.content()), len(data))
		}
	}
}

// checkFrames bounds what was sent: on a clean wire nothing twice, else a
// window per fault at the very most.
func checkFrames(t *testing.T, w *wire, seed uint64, faults float64) {
	t.Helper()
	c := w.table.Counters()
	if faults == 0 {
		if c.Resent != 0 || c.Repairs != 0 || c.Timeouts != 0 {
			t.Fatalf("seed %d: on a clean wire: %+v", seed, *c)
		}
		return
	}
	window := 1
	for i := range w.events {
		if w.events[i].Kind == batch.EventTransferStart {
			window = int(w.events[i].Extra & 0xffff)
		}
	}
	blocks := float64(c.DataFrames - c.Resent)
	if limit := blocks * (1 + faults*(12+2*float64(window))); float64(c.DataFrames) > limit+20 {
		t.Fatalf("seed %d: %d frames for %v blocks: %+v", seed, c.DataFrames, blocks, *c)
	}
}

// TestManyAtOnce runs 300 clients of all kinds through one table together.
func TestManyAtOnce(t *testing.T) {
	data := pattern(120_000)
	table := newTable(t, Config{}, image.File{Name: "file", Data: data})
	w := newWire(t, table, 5)
	w.loss = .01
	for i := range 300 {
		w.add(habits[i%len(habits)].make("file"), int64(i)*10*us)
	}
	w.run(600 * s1)
	checkAll(t, w, 5, data)
	if done := w.count(batch.EventTransferDone); done < 250 { // the last ACK of some is lost
		t.Fatalf("%d done", done)
	}
	t.Logf("%+v", *table.Counters())
}
