package dhcp

import (
	"bytes"
	"testing"
)

func TestWriterEmptyReply(t *testing.T) {
	buf := bytes.Repeat([]byte{0xee}, 400)
	var w Writer
	h := w.Reset(buf)
	h.SetOp(BootReply)
	n := w.End()
	if n != MinLen {
		t.Fatalf("length %d, want the minimum of RFC 1542, %d", n, MinLen)
	}
	want := make([]byte, MinLen)
	want[0] = BootReply
	copy(want[CookieOff:], []byte{99, 130, 83, 99, OptEnd})
	if !bytes.Equal(buf[:n], want) {
		t.Errorf("got % x", buf[:n])
	}
	if buf[n] != 0xee {
		t.Error("wrote behind the message")
	}
}

func TestWriterOptionSizes(t *testing.T) {
	for _, c := range []struct {
		n     int // bytes of value
		parts int
	}{{0, 1}, {1, 1}, {255, 1}, {256, 2}, {510, 2}, {511, 3}, {1020, 4}} {
		value := bytes.Repeat([]byte{0x5a}, c.n)
		size := OptionsOff + c.n + 2*c.parts + 1
		buf := make([]byte, max(size, MinLen))
		var w Writer
		w.Reset(buf)
		if !w.Option(43, value) {
			t.Fatalf("%d bytes do not fit in exactly %d", c.n, len(buf))
		}
		n := w.End()
		if n != len(buf) {
			t.Errorf("%d bytes: message of %d, want %d", c.n, n, len(buf))
		}
		var o Options
		if !o.Parse(buf[:n]) || !bytes.Equal(mustGet(t, &o, 43), value) {
			t.Errorf("%d bytes: read back differently", c.n)
		}
	}
}

// What does not fit is left out whole, END always fits, and shorter options
// may still follow.
func TestWriterFull(t *testing.T) {
	for _, room := range []int{60, 61, 62, 100, 318, 319, 320, 574, 575, 576} {
		for _, n := range []int{0, 50, 58, 59, 60, 254, 255, 256, 300, 600} {
			buf := bytes.Repeat([]byte{0xee}, OptionsOff+room+8)
			var w Writer
			w.Reset(buf[: OptionsOff+room : OptionsOff+room])
			if w.Room() != room-1 {
				t.Fatalf("room %d, want %d", w.Room(), room-1)
			}
			need := n + 2*max(1, (n+254)/255)
			fits := need <= room-1
			if got := w.Option(43, make([]byte, n)); got != fits || w.Full() == fits {
				t.Errorf("%d bytes into %d: %v, full %v", n, room, got, w.Full())
			}
			if left := w.Room(); !fits && left != room-1 || fits && left != room-1-need {
				t.Errorf("%d bytes into %d: room left %d", n, room, left)
			}
			end := w.End()
			if end > OptionsOff+room || !bytes.Equal(buf[OptionsOff+room:], bytes.Repeat([]byte{0xee}, 8)) {
				t.Errorf("%d bytes into %d: message of %d", n, room, end)
			}
			var o Options
			if !o.Parse(buf[:end]) || o.Has(43) != fits {
				t.Errorf("%d bytes into %d: not readable, or not left out", n, room)
			}
		}
	}
}

func TestWriterContinuesAfterFull(t *testing.T) {
	buf := make([]byte, MinLen)
	var w Writer
	w.Reset(buf)
	if w.Option(43, make([]byte, 200)) || !w.Option(53, []byte{2}) {
		t.Error("a long option fits, or a short one behind it does not")
	}
	if w.Reset(buf); w.Full() {
		t.Error("Reset keeps Full")
	}
}

func TestWriterRaw(t *testing.T) {
	buf := make([]byte, MinLen)
	var w Writer
	w.Reset(buf)
	if !w.Raw([]byte{53, 1, 5, 54, 4, 1, 2, 3, 4}) {
		t.Fatal("does not fit")
	}
	if room := w.Room(); w.Raw(make([]byte, room+1)) || !w.Full() || !w.Raw(make([]byte, room)) || w.Room() != 0 {
		t.Error("Raw does not keep to the room")
	}
	w.End()
	if buf[MinLen-1] != OptEnd {
		t.Error("END is not the last byte of a full message")
	}
	var o Options
	if !o.Parse(buf) {
		t.Fatal("not readable")
	}
	if v, _ := o.Uint32(OptServerID); v != 0x01020304 {
		t.Errorf("option 54 is %#x", v)
	}
}

// Reset removes what the message before left in the fixed header.
func TestWriterResetClears(t *testing.T) {
	buf := bytes.Repeat([]byte{0xee}, MinLen)
	var w Writer
	if h := w.Reset(buf); *h != (Header{}) {
		t.Errorf("header is not clear: % x", h[:44])
	}
}
