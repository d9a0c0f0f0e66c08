package proto

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// plainSum is RFC 1071 section 4.1 word by word, as an independent reading.
func plainSum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		sum += w
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// The example of RFC 1071 section 3: 0001 f203 f4f5 f6f7 sums to ddf2.
func TestSumExampleOfRFC1071(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := Fold(Sum(0, b)); got != 0xddf2 {
		t.Errorf("sum %#04x, want 0xddf2", got)
	}
}

func TestSumOfEveryLength(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1071))
	b := make([]byte, 200)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	for n := range b {
		if got, want := Fold(Sum(0, b[:n])), plainSum(b[:n]); got != want {
			t.Errorf("%d bytes: %#04x, want %#04x", n, got, want)
		}
	}
}

func TestSumOfExtremes(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"largest datagram of ones", bytes.Repeat([]byte{0xff}, 65535)},
		{"zeros", make([]byte, 1500)},
		{"carry in the last word", []byte{0xff, 0xff, 0x00, 0x01}},
		{"one byte", []byte{0xab}},
		{"empty", nil},
	} {
		if got, want := Fold(Sum(0, c.b)), plainSum(c.b); got != want {
			t.Errorf("%s: %#04x, want %#04x", c.name, got, want)
		}
	}
}

// Fold is exact up to the largest running sum.
func TestFoldOfLargeSums(t *testing.T) {
	for _, sum := range []uint64{0, 1, 0xffff, 0x10000, 0xffff_ffff, 0x1_0000_0000, 0xffff_ffff_ffff, ^uint64(0), ^uint64(0) - 1} {
		want := uint16(sum % 0xffff)
		if want == 0 && sum != 0 { // ones' complement has two zeros; a sum never returns to the first
			want = 0xffff
		}
		if got := Fold(sum); got != want {
			t.Errorf("Fold(%#x) = %#04x, want %#04x", sum, got, want)
		}
	}
}

// A running sum that is about to overflow carries around.
func TestSumCarriesAround(t *testing.T) {
	for n := range 70 {
		b := bytes.Repeat([]byte{0xff, 0xfe, 0xff}, 30)[:n]
		for _, start := range []uint64{^uint64(0), ^uint64(0) - 1, ^uint64(0) - 0xffff} {
			want := uint16((uint64(Fold(start)) + uint64(plainSum(b))) % 0xffff)
			if want == 0 {
				want = 0xffff
			}
			if got := Fold(Sum(start, b)); got != want {
				t.Errorf("%d bytes added to %#x: %#04x, want %#04x", n, start, got, want)
			}
		}
	}
}

// A datagram may be summed in parts as long as only the last is odd.
func TestSumInParts(t *testing.T) {
	b := []byte("the quick brown fox jumps over the lazy dog, twice and once more")[:63]
	for cut := 0; cut <= len(b); cut += 2 {
		if got, want := Fold(Sum(Sum(0, b[:cut]), b[cut:])), plainSum(b); got != want {
			t.Errorf("cut at %d: %#04x, want %#04x", cut, got, want)
		}
	}
}
