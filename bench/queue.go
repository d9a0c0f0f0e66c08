package bench

// schedule is a binary heap of node numbers by deadline; each node is in it at
// most once. It is a plain array structure: a storm moves a deadline for every
// frame.
type schedule struct {
	at    []int64 // by node
	place []int32 // by node: index in order, -1 if not waiting
	order []int32 // the heap
}

func newSchedule(nodes int) *schedule {
	s := &schedule{at: make([]int64, nodes), place: make([]int32, nodes), order: make([]int32, 0, nodes)}
	for i := range s.place {
		s.place[i] = -1
	}
	return s
}

// next is the earliest deadline, never if none is set.
func (s *schedule) next() int64 {
	if len(s.order) == 0 {
		return never
	}
	return s.at[s.order[0]]
}

// first is the node with the earliest deadline.
func (s *schedule) first() int { return int(s.order[0]) }

// set moves the deadline of a node; never takes it out.
func (s *schedule) set(node int, at int64) {
	i := int(s.place[node])
	if at == never {
		if i >= 0 {
			s.remove(i)
		}
		return
	}
	s.at[node] = at
	if i < 0 {
		i = len(s.order)
		s.order = append(s.order, int32(node))
		s.place[node] = int32(i)
	}
	s.down(s.up(i))
}

// remove takes out the node at a place of the heap.
func (s *schedule) remove(i int) {
	last := len(s.order) - 1
	s.swap(i, last)
	s.place[s.order[last]] = -1
	s.order = s.order[:last]
	if i < last {
		s.down(s.up(i))
	}
}

// before orders by deadline, and by number where deadlines are equal, so that
// a seed decides everything.
func (s *schedule) before(i, j int) bool {
	a, b := s.order[i], s.order[j]
	return s.at[a] < s.at[b] || s.at[a] == s.at[b] && a < b
}

// swap exchanges two places and keeps the back references right.
func (s *schedule) swap(i, j int) {
	s.order[i], s.order[j] = s.order[j], s.order[i]
	s.place[s.order[i]], s.place[s.order[j]] = int32(i), int32(j)
}

// up moves the node at i towards the root as far as it must and returns where
// it is then.
func (s *schedule) up(i int) int {
	for i > 0 && s.before(i, (i-1)/2) {
		s.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	return i
}

// down moves the node at i away from the root as far as it must.
func (s *schedule) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(s.order) {
			return
		}
		if c+1 < len(s.order) && s.before(c+1, c) {
			c++
		}
		if !s.before(c, i) {
			return
		}
		s.swap(i, c)
		i = c
	}
}
