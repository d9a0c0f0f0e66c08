// Package allocs counts allocations in tests. It has tests as its only users.
package allocs

import "testing"

// runs is how often f is measured at most: what the runtime, or a goroutine that
// an earlier test left to end, allocates meanwhile does not come that often.
const runs = 5

// Of returns what f allocates. The count is of the whole process, so the least
// of a few runs counts: code that allocates does so in each of them, and a run
// that shows 0 has allocated 0. f runs twice in the first of them, once to warm
// up.
func Of(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for n := 1; n < runs && least > 0; n++ {
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}
