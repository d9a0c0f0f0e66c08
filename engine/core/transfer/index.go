package transfer

import "math/bits"

// index finds slots by key: open addressing, linear probing, at most half
// full, so that a search ends after a step or two.
type index struct {
	refs  []int32 // slot + 1, 0 if empty
	shift uint    // 64 - log2 of the length
	seed  uint64
}

func newIndex(slots int, seed uint64) index {
	n := uint(bits.Len(uint(2*slots - 1)))
	return index{refs: make([]int32, 1<<n), shift: 64 - n, seed: seed}
}

// home is where the search for a key begins. Whoever makes up addresses and ports
// does not know the seed, and cannot make the search long.
func (x *index) home(key uint64) int {
	return int(spread(key, x.seed) * 0x9e3779b97f4a7c15 >> x.shift)
}

// find returns the slot of a key, or none.
func (x *index) find(slots []slot, key uint64) int32 {
	mask := len(x.refs) - 1
	for i := x.home(key); x.refs[i] != 0; i = (i + 1) & mask {
		if id := x.refs[i] - 1; slots[id].key == key {
			return id
		}
	}
	return none
}

// add enters a slot whose key is not in the index.
func (x *index) add(slots []slot, id int32) {
	mask := len(x.refs) - 1
	i := x.home(slots[id].key)
	for x.refs[i] != 0 {
		i = (i + 1) & mask
	}
	x.refs[i] = id + 1
}

// remove takes a slot out, and closes the gap: every entry behind it that could
// stand there moves up, so no tombstones are needed.
func (x *index) remove(slots []slot, id int32) {
	mask := len(x.refs) - 1
	gap := x.home(slots[id].key)
	for x.refs[gap] != id+1 {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; x.refs[i] != 0; i = (i + 1) & mask {
		home := x.home(slots[x.refs[i]-1].key)
		if (i-home)&mask >= (i-gap)&mask {
			x.refs[gap] = x.refs[i]
			gap = i
		}
	}
	x.refs[gap] = 0
}
