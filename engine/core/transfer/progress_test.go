package transfer

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
)

// A large file's progress is told in sixteenths, a small one's not at all: an
// event costs as much as a frame.
func TestProgressOfLargeFilesIsToldInSixteenths(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   int
		window string
		want   int
	}{
		{"large, window of 64", 8 << 20, "64", 15},
		{"large, one block at a time", 4 << 20, "1", 15},
		{"one byte less than large", 4<<20 - 1, "64", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{}, image.File{Name: "big", Data: make([]byte, c.size)})
			r.recv(rrq("big", "octet", "blksize=1468", "windowsize="+c.window))
			r.ack(0)
			var told []int64
			for {
				r.ev.Reset()
				s := &r.table.slots[r.table.index.find(r.table.slots, keyOf(r.src.Src, r.src.SrcPort))]
				r.now += batch.Millisecond
				r.ack(s.high)
				e := r.last()
				if e.Kind == batch.EventTransferDone {
					break
				}
				if e.Kind == batch.EventTransferProgress {
					told = append(told, e.Value)
					if e.Nanos <= 0 || string(e.Name[:3]) != "big" {
						t.Fatalf("progress event %+v", e)
					}
				}
			}
			if len(told) != c.want {
				t.Fatalf("told %d times: %v", len(told), told)
			}
			for i, v := range told {
				if part := int64(c.size) * int64(i+1) / 16; v < part || v > part+64*1468 {
					t.Errorf("part %d told at %d bytes of %d", i+1, v, c.size)
				}
			}
		})
	}
}
