//go:build linux

package capture

import (
	"errors"
	"os"

	"bootstorm/engine/batch"
)

// Lanes is what a worker remembers its frames with: two rings, one for the frames
// that carry files, DATA and its ACKs, and one for all that nodes and server say
// to each other besides. A file has hundreds of the former: in one ring they would
// soon have taken the place of the DISCOVER that explains a boot. The methods are
// those of a Ring, and as there nil remembers nothing.
type Lanes struct{ talk, bulk *Ring }

// LaneFiles is how many files the memory of lanes has.
const LaneFiles = 2

// PrepareLanes makes the memory for lanes of together about size bytes, half of it
// each. A reader may map it at once; AdoptLanes makes the lanes, in this process or
// in a program that it executes.
func PrepareLanes(size int) ([]*os.File, error) {
	var files []*os.File
	for range LaneFiles {
		f, err := prepare(size / LaneFiles)
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// AdoptLanes makes the lanes in prepared memory, and seals it: nobody else can
// write it or cut it off. The files stay the caller's, who may close them.
func AdoptLanes(files []*os.File) (*Lanes, error) {
	if len(files) != LaneFiles {
		return nil, errNoRing
	}
	talk, err := adopt(files[0])
	if err != nil {
		return nil, err
	}
	bulk, err := adopt(files[1])
	if err != nil {
		return nil, errors.Join(err, talk.Close())
	}
	return &Lanes{talk, bulk}, nil
}

// Received remembers a frame that came in.
func (l *Lanes) Received(f *batch.Frame, mono int64) {
	switch {
	case l == nil:
	case carriesFile(f.Data):
		l.bulk.Received(f, mono)
	default:
		l.talk.Received(f, mono)
	}
}

// Sent remembers a message that is handed to an interface.
func (l *Lanes) Sent(m *batch.Message, mono int64) {
	switch {
	case l == nil:
	case m.Segments > 0 || carriesFile(m.Head[:m.HeadLen]):
		l.bulk.Sent(m, mono)
	default:
		l.talk.Sent(m, mono)
	}
}

// Clock tells how the wall clock, in nanoseconds since 1970, stands to Time.Mono.
func (l *Lanes) Clock(wall, mono int64) {
	if l != nil {
		l.talk.Clock(wall, mono)
		l.bulk.Clock(wall, mono)
	}
}

// Name says what interface a link is, before the first frame of it.
func (l *Lanes) Name(link int, name string) {
	if l != nil {
		l.talk.Name(link, name)
		l.bulk.Name(link, name)
	}
}

// Close gives the memory back: see Ring.
func (l *Lanes) Close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.talk.Close(), l.bulk.Close())
}
