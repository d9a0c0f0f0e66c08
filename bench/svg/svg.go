// Package svg holds what the pictures of bench have in common: how they begin,
// their style, and the marks of their axes.
package svg

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// Style uses tones that can be read on white and on black: a page's theme need
// not be the one that the viewer's system reports to the picture.
const Style = `<style>
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #78818b; }
.title { font-size: 16px; font-weight: 600; }
.faint { font-size: 12px; }
.axis { stroke: #656d76; } .grid { stroke: #656d76; stroke-opacity: .25; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; } .ours { stroke-width: 4; font-weight: 600; }
.dashed { stroke-dasharray: 6 4; }
</style>
`

// Begin opens a picture; label says what it shows to those who cannot see it.
func Begin(b *strings.Builder, width, height int, label string) {
	fmt.Fprintf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n%s",
		width, height, html.EscapeString(label), Style)
}

// TickName writes the time at a mark: 200 ms, 1.5 s, 5 s.
func TickName(t time.Duration) string {
	switch {
	case t == 0:
		return "0"
	case t < time.Millisecond:
		return fmt.Sprintf("%d µs", t.Microseconds())
	case t < time.Second:
		return fmt.Sprintf("%g ms", float64(t)/1e6)
	}
	return fmt.Sprintf("%g s", math.Round(t.Seconds()*1e3)/1e3)
}

// Step is the distance of about n marks that divide high evenly: 1, 2 or 5
// times a power of ten.
func Step(high float64, n int) float64 {
	if high <= 0 {
		return 1
	}
	rough := high / float64(n)
	ten := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, f := range []float64{1, 2, 5} {
		if rough <= f*ten*1.0001 {
			return f * ten
		}
	}
	return 10 * ten
}
