package binding

// limits counts leases per class instance (lease limit, dhcpd.conf(5)): an
// open-addressing table with linear probing. There are never more keys than
// slots, so half of it stays empty.
type limits struct {
	keys   []uint64 // 0: empty
	counts []int32
	mask   uint64
}

// newLimits makes a table for as many keys as there are slots.
func newLimits(slots int64) limits {
	size := uint64(16)
	for size < 2*uint64(slots) {
		size *= 2
	}
	return limits{make([]uint64, size), make([]int32, size), size - 1}
}

// home is where the key stands if nothing is in its way.
func (l *limits) home(key uint64) uint64 { return mix(key, mix1) & l.mask }

// at returns where the key stands, or where it would be put.
func (l *limits) at(key uint64) uint64 {
	i := l.home(key)
	for l.keys[i] != 0 && l.keys[i] != key {
		i = (i + 1) & l.mask
	}
	return i
}

// add counts one more lease of the key.
func (l *limits) add(key uint64) {
	i := l.at(key)
	l.keys[i] = key
	l.counts[i]++
}

// sub counts one less. The key leaves with its last lease, so that class
// instances that come and go (spawn with) do not fill the table.
func (l *limits) sub(key uint64) {
	i := l.at(key)
	if l.keys[i] == 0 {
		return
	}
	if l.counts[i]--; l.counts[i] > 0 {
		return
	}
	l.keys[i] = 0
	// Close the gap: whatever could not stand nearer to its home before can now.
	for k := (i + 1) & l.mask; l.keys[k] != 0; k = (k + 1) & l.mask {
		if (k-l.home(l.keys[k]))&l.mask >= (k-i)&l.mask {
			l.keys[i], l.counts[i] = l.keys[k], l.counts[k]
			l.keys[k], l.counts[k] = 0, 0
			i = k
		}
	}
}

// Billed returns how many leases are counted against a class instance.
func (t *Table) Billed(key uint64) int32 {
	if len(t.limits.keys) == 0 {
		return 0
	}
	i := t.limits.at(key)
	if t.limits.keys[i] == 0 {
		return 0
	}
	return t.limits.counts[i]
}

// Bill counts the lease of slot i against a class instance, 0 for none,
// instead of the one before.
func (t *Table) Bill(i int32, key uint64) {
	s := &t.slots[i]
	if s.Bill == key || len(t.limits.keys) == 0 {
		return
	}
	t.Unbill(i)
	if s.Bill = key; key != 0 {
		t.limits.add(key)
	}
}

// Unbill ends the counting of slot i.
func (t *Table) Unbill(i int32) {
	s := &t.slots[i]
	if s.Bill != 0 && len(t.limits.keys) != 0 {
		t.limits.sub(s.Bill)
	}
	s.Bill = 0
}
