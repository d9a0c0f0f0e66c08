// Package span writes durations for people, in the one way in which the log, the
// commands and the page (engine/view/page/format.js) write them: number, space, unit.
package span

import (
	"fmt"
	"strings"
	"time"
)

// day is the largest unit.
const day = 24 * time.Hour

// Text writes a duration that was measured, to the precision that a person cares for:
// "310 µs", "4.1 ms", "85 ms", "1.2 s", "12 s", "2 min 5 s", "2 h 3 min", "1 d 2 h".
func Text(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return "0 ms"
	case d < 995*time.Microsecond:
		return fmt.Sprintf("%d µs", d.Round(time.Microsecond)/time.Microsecond)
	case d < 9950*time.Microsecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	case d < 995*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 99500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return Exact(d.Truncate(time.Second))
	case d < 2*day:
		return Exact(d.Truncate(time.Minute), time.Hour)
	}
	return Exact(d.Truncate(time.Hour))
}

// Exact writes a duration that somebody gave, in full: "400 ms", "1 min 30 s", "2 h".
// largest is the largest unit, without it a day.
func Exact(d time.Duration, largest ...time.Duration) string {
	var words []string
	for _, u := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}, {1, "ns"}} {
		if n := d / u.size; n > 0 && (len(largest) == 0 || u.size <= largest[0]) {
			words = append(words, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.size
		}
	}
	if words == nil {
		return "0 s"
	}
	return strings.Join(words, " ")
}
