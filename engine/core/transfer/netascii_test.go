package transfer

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"bootstorm/engine/image"
)

// toNetascii is the conversion as RFC 764 words it, in one piece.
func toNetascii(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\r\x00"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// awkward is a text whose line ends fall on every place of small blocks.
func awkward(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = "\r\n\x00ab\r\n\n"[r.IntN(8)]
	}
	return b
}

// TestNetasciiInPieces cuts the conversion at every place.
func TestNetasciiInPieces(t *testing.T) {
	for _, text := range []string{"", "\r", "\n", "\r\n", "a\rb\nc\x00d", "\n\n\r\r\n", "no line end"} {
		want := toNetascii([]byte(text))
		for size := 1; size <= len(want)+1; size++ {
			var got []byte
			var c cursor
			for {
				block := make([]byte, size)
				var n int
				n, c = netascii(block, []byte(text), c)
				got = append(got, block[:n]...)
				if n < size {
					break
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%q in pieces of %d: %q, want %q", text, size, got, want)
			}
		}
		if n, c := netascii(nil, []byte(text), 1); n != 0 || c != 1 {
			t.Errorf("no room: %d bytes, cursor %d", n, c)
		}
	}
}

// TestNetasciiTransfers: every client, small and large blocks, windows, and a
// wire that loses: the text arrives in netascii form, byte for byte.
func TestNetasciiTransfers(t *testing.T) {
	for seed := range uint64(6) {
		text := awkward(4000+int(seed), seed)
		want := toNetascii(text)
		for _, options := range [][]any{nil, {"blksize", 8}, {"blksize", 9, "windowsize", 16}, {"blksize", 1468, "windowsize", 4, "tsize", 0},
			{"tsize", 0, "blksize", 13, "windowsize", 64}} {
			w := newWire(t, newTable(t, Config{}, image.File{Name: "f", Data: text}), seed)
			w.loss, w.copies, w.reorder = .02, .01, .01
			c := newPlain("f", s1, options...)
			c.mode = "netascii"
			w.add(c, 0)
			e := newEdk2("f", "blksize", 11, "windowsize", 4)
			e.mode = "NetASCII"
			w.add(e, ms)
			w.run(600 * s1)
			checkAll(t, w, seed, want)
			if c.size >= 0 && c.size != int64(len(want)) {
				t.Errorf("tsize %d, sent %d", c.size, len(want))
			}
		}
	}
}
