package transfer

import (
	"strings"
	"testing"

	"bootstorm/engine/image"
)

// A server that ends keeps its transfers, and the next one goes on with them: the
// window that was on its way is sent again, and the rest follows.
func TestKeptTransferGoesOn(t *testing.T) {
	file := image.File{Name: "big", Data: make([]byte, 10*512+7), Stamp: image.Stamp{Inode: 7, Size: 10*512 + 7}}
	old := newRig(t, Config{}, file)
	old.want("request", old.recv(rrq("big", "octet", "windowsize=4")), "OACK windowsize=4")
	if got := old.table.Keep(old.now); len(got) != 0 {
		t.Errorf("a transfer that has not begun is kept: %+v", got)
	}
	old.want("first window", old.ack(0), "DATA 1:512, DATA 2:512, DATA 3:512, DATA 4:512")
	old.want("second window", old.ack(4), "DATA 5:512, DATA 6:512, DATA 7:512, DATA 8:512")
	kept := old.table.Keep(old.now + s1)
	if len(kept) != 1 || kept[0].Acked != 4 || kept[0].High != 8 || kept[0].Elapsed != s1 || kept[0].Name != "big" {
		t.Fatalf("%+v", kept)
	}

	r := newRig(t, Config{}, file)
	if !r.table.Resume(r.now, &kept[0]) || r.table.Resume(r.now, &kept[0]) {
		t.Fatal("it does not go on, or twice")
	}
	r.want("at once", r.out(), "DATA 5:512, DATA 6:512, DATA 7:512, DATA 8:512")
	r.want("the request once more", r.recv(rrq("big", "octet", "windowsize=4")), "")
	r.want("last window", r.ack(8), "DATA 9:512, DATA 10:512, DATA 11:7")
	r.want("end", r.ack(11), "")
	if e := r.last(); r.table.Active() != 0 || r.table.Counters().Done != 1 || e.Nanos != s1 || e.Value != 10*512+7 {
		t.Errorf("%d active, %+v", r.table.Active(), e)
	}
}

// A client that has the first block, or not, and acknowledged nothing yet.
func TestKeptTransferThatHasJustBegun(t *testing.T) {
	file := image.File{Name: "big", Data: make([]byte, 3*512), Stamp: image.Stamp{Inode: 7}}
	for _, answer := range []func(r *rig) string{
		func(r *rig) string { return r.ack(1) },
		func(r *rig) string {
			r.want("the request once more", r.recv(rrq("big", "octet")), "DATA 1:512")
			return r.ack(1)
		},
	} {
		old := newRig(t, Config{}, file)
		old.want("request", old.recv(rrq("big", "octet")), "DATA 1:512")
		kept := old.table.Keep(old.now)
		r := newRig(t, Config{}, file)
		if len(kept) != 1 || !r.table.Resume(r.now, &kept[0]) {
			t.Fatalf("%+v", kept)
		}
		r.want("at once", r.out(), "DATA 1:512")
		r.want("and on", answer(r), "DATA 2:512")
	}
}

// A client that acknowledged everything on its way while there was no server goes on
// from there.
func TestKeptTransferWhoseAcknowledgementWasLost(t *testing.T) {
	file := image.File{Name: "big", Data: make([]byte, 3*512), Stamp: image.Stamp{Inode: 7}}
	old := newRig(t, Config{}, file)
	old.recv(rrq("big", "octet"))
	old.want("block by block", old.ack(1), "DATA 2:512")
	kept := old.table.Keep(old.now)
	r := newRig(t, Config{}, file)
	if len(kept) != 1 || !r.table.Resume(r.now, &kept[0]) {
		t.Fatalf("%+v", kept)
	}
	r.want("its repeated ACK", r.ack(2), "DATA 3:512")
	r.want("and on", r.ack(3), "DATA 4:0")
	r.ack(4)
	if r.table.Active() != 0 || r.table.Counters().Done != 1 {
		t.Error("it has not ended")
	}
}

// Nothing goes on that could give a wrong byte or that no transfer could have come to.
func TestKeptTransferThatDoesNotFit(t *testing.T) {
	file := image.File{Name: "big", Data: make([]byte, 5000), Stamp: image.Stamp{Inode: 7}}
	old := newRig(t, Config{}, file, image.File{Name: "builtin", Data: make([]byte, 5000)})
	old.recv(rrq("big", "octet"))
	old.ack(1)
	good := old.table.Keep(old.now)[0]
	old.recv(rrq("builtin", "octet"))
	old.ack(1)
	old.src.SrcPort++
	old.recv(rrq("big", "netascii"))
	old.ack(1)
	if got := old.table.Keep(old.now); len(got) != 0 {
		t.Errorf("kept: %+v", got)
	}
	for what, change := range map[string]func(*Kept){
		"another file": func(k *Kept) { k.Stamp.Changed++ }, "no such file": func(k *Kept) { k.Name = "gone" }, "another size": func(k *Kept) { k.Size++ },
		"no address": func(k *Kept) { k.Addr = 0 }, "no port": func(k *Kept) { k.Port = 0 }, "not ours": func(k *Kept) { k.Server++ }, "no such link": func(k *Kept) { k.Link = 9 },
		"no blocks": func(k *Kept) { k.Blksize = 0 }, "blocks too large": func(k *Kept) { k.Blksize = 65000 }, "no window": func(k *Kept) { k.Window = 0 },
		"beyond the end": func(k *Kept) { k.Acked, k.High = 11, 11 }, "nothing": func(k *Kept) { k.Acked, k.High = 0, 0 }, "more than a window": func(k *Kept) { k.High += 2 },
		"backwards": func(k *Kept) { k.High = 0 }, "no standing": func(k *Kept) { k.Who = standings }, "no habit": func(k *Kept) { k.Habit = 99 }, "the future": func(k *Kept) { k.Elapsed = -1 }, "a long name": func(k *Kept) { k.Name = strings.Repeat("x", 1000) },
	} {
		k := good
		change(&k)
		if r := newRig(t, Config{}, file); r.table.Resume(r.now, &k) || r.table.Active() != 0 {
			t.Errorf("%s: it goes on", what)
		}
	}
	if r := newRig(t, Config{}, file); !r.table.Resume(r.now, &good) {
		t.Error("what fits does not go on")
	}
}
