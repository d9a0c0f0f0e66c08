// Package feed carries what the engine saw to the process that shows it. It is
// a stream of frames over a socket pair; the engine's side never waits: what the
// other does not take is counted and dropped. Events that come before a view is
// there wait for it.
//
// The way back carries requests (Request), which the engine's manager answers
// between its other work: explain a reply, reload, mark a node for one boot.
//
// A frame is a head of 4 bytes, its kind in the highest 8 bits and the length of
// the rest in the other 24, and the rest. All numbers are little-endian. The
// two ends are the same binary, so the format has no version.
//
//	event       batch.Event, and the id of the text that explains it: see record.go
//	text        id (uint32) and text: what the id means from here on
//	generation  Generation as JSON: at the start, and after each reload
//	counters    Counters as JSON: once a second
//	response    Response as JSON
//	request     Request as JSON, from view to engine
//	alive       nothing: from view to engine about once a second, while the view
//	            reads, does its work and answers requests (Reader.Alive)
package feed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// kind is the kind of a frame.
type kind uint8

// The kinds of frames.
const (
	kindEvent kind = iota + 1
	kindText
	kindGeneration
	kindCounters
	kindResponse
	kindRequest
	kindAlive
)

const (
	headLen = 4
	// maxFrame bounds what a reader allocates for a frame. The largest is a
	// generation: some 60 bytes for each declared host and file.
	maxFrame = 1<<24 - 1
	// maxRequest bounds what the engine reads at once from the view, which it
	// does not trust.
	maxRequest = 64 << 10
)

// errTooLong is a frame that no end of ours sends.
var errTooLong = errors.New("feed: a frame is too long")

// appendHead appends the head of a frame.
func appendHead(b []byte, k kind, length int) []byte {
	return binary.LittleEndian.AppendUint32(b, uint32(k)<<24|uint32(length))
}

// frameAt returns the kind and the length, with its head, of the frame at the start
// of b.
func frameAt(b []byte) (k kind, length int) {
	v := binary.LittleEndian.Uint32(b)
	return kind(v >> 24), headLen + int(v&maxFrame)
}

// readFrame reads one frame into buf, which grows up to limit, and returns its
// body.
func readFrame(r io.Reader, buf []byte, limit int) (kind, []byte, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, buf, err
	}
	v := binary.LittleEndian.Uint32(head[:])
	n := int(v & maxFrame)
	if n > limit {
		return 0, buf, fmt.Errorf("%w: %d bytes, %d are allowed", errTooLong, n, limit)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err := io.ReadFull(r, buf)
	return kind(v >> 24), buf, err
}
