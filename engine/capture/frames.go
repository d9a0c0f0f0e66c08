package capture

import (
	"cmp"
	"slices"
	"time"
)

// Frame is a frame as a ring remembers it, or a run of TFTP DATA frames that were
// sent at once.
type Frame struct {
	At     time.Time
	Link   string // interface
	Sent   bool   // by this machine
	Length int    // bytes of the frame; of a run, of its first frame
	Data   []byte // what is kept of it, of a run the first frame's headers
	Run    int    // how many DATA frames of consecutive block numbers there are; 0: it is no run
	Bytes  int    // file data of the run, in bytes
}

// Frames returns the last frames that the filter chooses, at most so many, the
// oldest first. Of them at most a quarter are DATA and ACK of TFTP, the last ones: a
// large file has thousands, which would leave no room for what led to it. The rings
// are of one daemon: they number interfaces alike.
func Frames(rings []*Reader, f Filter, most int) []Frame {
	blocks := most / 4
	list := ordered(rings)
	f.complete(list)
	var out []Frame
	for i := len(list) - 1; i >= 0 && len(out) < most; i-- {
		r := &list[i]
		if !f.match(r.data) {
			continue
		}
		if r.segments > 0 || carriesFile(r.data) {
			if blocks == 0 {
				continue
			}
			blocks--
		}
		frame := Frame{At: time.Unix(0, r.wall), Sent: r.flags&flagSent != 0, Link: rings[0].name(int(r.link)), Run: r.segments}
		frame.Data, frame.Length = r.frame(nil, 0)
		if r.segments > 0 {
			frame.Bytes = r.length
		}
		out = append(out, frame)
	}
	slices.Reverse(out)
	return out
}

// ordered are the records of several workers' rings in the order of time.
func ordered(rings []*Reader) (list []record) {
	for _, r := range rings {
		list = append(list, r.records()...)
	}
	// Stable: what has one time was handled in one batch, in this order.
	slices.SortStableFunc(list, func(a, b record) int { return cmp.Compare(a.wall, b.wall) })
	return list
}
