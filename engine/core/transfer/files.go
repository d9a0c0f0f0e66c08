package transfer

import "bootstorm/engine/image"

// Generations is how many generations of files can be in use at once. A
// generation is in use from SetFiles until it is replaced and its last transfer
// has ended; then it is let go, and with it its memory.
const Generations = 32

// generations is the files of running transfers. Slots hold an index, so that
// they need no pointer.
type generations struct {
	list    [Generations]generation
	current uint8      // where new transfers look
	waiting *image.Set // newest files, while the list is full
}

// generation is one Set and the number of transfers that read it.
type generation struct {
	set   *image.Set // nil: not in use
	users int32
}

// set makes s current, or lets it wait if no place is free. Only the newest
// waits: what it replaces was never asked for.
func (g *generations) set(s *image.Set) {
	g.waiting = nil
	if g.list[g.current].users == 0 {
		g.list[g.current].set = s
		return
	}
	for i := range g.list {
		if g.list[i].set == nil {
			g.list[i].set, g.current = s, uint8(i)
			return
		}
	}
	g.waiting = s
}

// release ends a transfer's use of a generation.
func (g *generations) release(i uint8) {
	u := &g.list[i]
	if u.users--; u.users > 0 {
		return
	}
	if i != g.current {
		u.set = nil
	}
	if g.waiting != nil {
		g.set(g.waiting)
	}
}
