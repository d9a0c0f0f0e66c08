package binding

import (
	"encoding/binary"
	"math/bits"

	"bootstorm/proto/dhcp"
)

// index finds slots by a hash of their client. Slots with the same bucket are
// chained by number: all memory is there from the start, and a slot is in the
// index or not, so nothing can fill up. Compared to open addressing a removal
// leaves no gap to be repaired.
type index struct {
	heads []int32
	next  []int32
	mask  uint64
}

// newIndex makes an empty index with at least one bucket per slot.
func newIndex(slots int64) index {
	size := uint64(1) << bits.Len64(uint64(max(slots, 8))-1)
	x := index{heads: make([]int32, size), next: make([]int32, slots), mask: size - 1}
	for i := range x.heads {
		x.heads[i] = None
	}
	return x
}

// first returns the head of the chain of a hash; next links it.
func (x *index) first(hash uint64) int32 { return x.heads[hash&x.mask] }

// insert enters slot i, which is in no chain of this index.
func (x *index) insert(hash uint64, i int32) {
	head := &x.heads[hash&x.mask]
	x.next[i], *head = *head, i
}

// remove takes slot i out of its chain; it may be absent.
func (x *index) remove(hash uint64, i int32) {
	at := &x.heads[hash&x.mask]
	for *at != None {
		if *at == i {
			*at = x.next[i]
			return
		}
		at = &x.next[*at]
	}
}

// Odd constants with about half of the bits set, for mixing.
const (
	mix1 = 0x9e3779b97f4a7c15
	mix2 = 0xd6e8feb86659fd93
)

// mix spreads a and b over 64 bits by folding their 128-bit product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^mix1, b^mix2)
	return hi ^ lo
}

// hashHW takes type and length in as well: two clients may differ in them only.
// Without the seed a sender of made-up addresses could have all of them in one
// chain.
func (t *Table) hashHW(h *dhcp.HW) uint64 {
	a := binary.LittleEndian.Uint64(h.Addr[0:8]) ^ t.seed
	b := binary.LittleEndian.Uint64(h.Addr[8:16]) ^ uint64(h.Type)<<56 ^ uint64(h.Len)<<48 ^ bits.RotateLeft64(t.seed, 32)
	return mix(mix(a, b), mix1)
}

// HashHW is a hash of a hardware address that outsiders cannot steer.
func (t *Table) HashHW(h *dhcp.HW) uint64 { return t.hashHW(h) }

// Hash is the hash of a name or identifier by which slots are found and host
// declarations are known. It is never 0.
func Hash(b []byte) uint64 { return hashFrom(0, b) }

// hashFrom is Hash with a seed.
func hashFrom(seed uint64, b []byte) uint64 {
	h := uint64(len(b)) ^ seed
	for len(b) >= 8 {
		h = mix(h, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	var rest [8]byte
	copy(rest[:], b)
	return mix(h, binary.LittleEndian.Uint64(rest[:])) | 1
}
