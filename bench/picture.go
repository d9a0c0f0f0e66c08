package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootstorm/bench/svg"
)

// Size of the picture and of its two fields, in its own units. The space on the
// right is for the names of the stages.
const (
	pictureWidth, pictureHeight = 980, 620
	fieldLeft, fieldRight       = 64, 690
	stagesTop, stagesBottom     = 52, 320
	timesTop, timesBottom       = 412, 568
	bars                        = 80  // of the histogram
	columns                     = 400 // of the areas at most
)

// stageColours are mid tones, readable on white and on black. What is not on is
// not drawn.
var stageColours = [Stages]string{"", "#e8590c", "#f2b01e", "#9c6ade", "#e64980", "#1c7ed6", "#0c8599", "#2f9e44", "#495057"}

// Picture draws the storm as SVG: above, how many nodes were in each stage at
// which time; below, how many boots took how long.
func (r *Result) Picture() []byte {
	var b strings.Builder
	svg.Begin(&b, pictureWidth, pictureHeight, "Nodes in each stage over time, and the distribution of the time to boot")
	p := picture{b: &b, r: r, last: max(r.LastNode, time.Microsecond)}
	p.stages()
	p.times()
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// picture is the picture under way.
type picture struct {
	b    *strings.Builder
	r    *Result
	last time.Duration // right end of the field in work
}

func (p *picture) x(t time.Duration) float64 {
	return fieldLeft + float64(t)/float64(p.last)*(fieldRight-fieldLeft)
}

// field draws the grid and the marks of a field whose height is high.
func (p *picture) field(top, bottom int, title, below string, high float64) {
	fmt.Fprintf(p.b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", fieldLeft, top-22, title)
	step := svg.Step(float64(p.last), 8)
	for t := 0.0; t <= float64(p.last); t += step {
		x := p.x(time.Duration(t))
		fmt.Fprintf(p.b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x, top, bottom, x, bottom+18, svg.TickName(time.Duration(t+0.5)))
	}
	step = max(1, svg.Step(high, 4)) // nodes and boots are whole
	for v := 0.0; v <= high; v += step {
		y := float64(bottom) - v/high*float64(bottom-top)
		fmt.Fprintf(p.b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			fieldLeft, y, fieldRight, fieldLeft-8, y+4, Count(int(v)))
	}
	fmt.Fprintf(p.b, "<path class=\"axis\" fill=\"none\" d=\"M%d %dH%d\"/>\n", fieldLeft, bottom, fieldRight)
	fmt.Fprintf(p.b, "<text class=\"faint\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (fieldLeft+fieldRight)/2, bottom+38, below)
}

// stages draws the areas, the last stage at the bottom, so that what is done
// grows from the axis.
func (p *picture) stages() {
	p.field(stagesTop, stagesBottom, fmt.Sprintf("Where %s nodes were", Count(p.r.Nodes)), "time since the first was switched on", float64(p.r.Nodes))
	samples := p.samples()
	floor := make([]int32, len(samples))
	at := stagesBottom - 4
	for _, s := range []Stage{StageFailed, StageDone, StageSystem, StageLoader, StageScript, StageIPXE, StageProgram, StageAddress} {
		seen := int32(0)
		for _, c := range samples {
			seen = max(seen, c.Nodes[s])
		}
		if seen == 0 {
			continue
		}
		p.area(samples, floor, s)
		fmt.Fprintf(p.b, "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			fieldRight+16, at-12, stageColours[s], fieldRight+38, at, s)
		at -= 22
	}
}

// samples are those of the timeline, thinned to what can be seen: of those in
// one column the last.
func (p *picture) samples() (kept []Sample) {
	column := -1
	for _, s := range p.r.Timeline {
		c := int(float64(s.At) / float64(p.last) * columns)
		if c == column {
			kept[len(kept)-1] = s
			continue
		}
		column, kept = c, append(kept, s)
	}
	return kept
}

// area draws one stage on top of floor and raises floor by it.
func (p *picture) area(samples []Sample, floor []int32, s Stage) {
	y := func(v int32) float64 {
		return stagesBottom - float64(v)/float64(p.r.Nodes)*(stagesBottom-stagesTop)
	}
	var path, back strings.Builder
	from := time.Duration(0)
	var edge []string // the way back along the floor
	for i, c := range samples {
		top := floor[i] + c.Nodes[s]
		fmt.Fprintf(&path, "%s%.1f %.1fH%.1f", map[bool]string{true: "M", false: "L"}[i == 0], p.x(from), y(top), p.x(c.At))
		edge = append(edge, fmt.Sprintf("L%.1f %.1fH%.1f", p.x(c.At), y(floor[i]), p.x(from)))
		floor[i], from = top, c.At
	}
	slices.Reverse(edge)
	for _, e := range edge {
		back.WriteString(e)
	}
	fmt.Fprintf(p.b, "<path fill=\"%s\" d=\"%s%sZ\"/>\n", stageColours[s], path.String(), back.String())
}

// times draws the histogram of the time to boot, with the quantiles marked.
func (p *picture) times() {
	took := p.r.Took
	if len(took) == 0 {
		fmt.Fprintf(p.b, "<text x=\"%d\" y=\"%d\">No boot went well.</text>\n", fieldLeft, timesTop)
		return
	}
	p.last = max(took[len(took)-1], time.Microsecond)
	var count [bars]int
	for _, d := range took {
		count[min(int(float64(d)/float64(p.last)*bars), bars-1)]++
	}
	high := float64(slices.Max(count[:]))
	p.field(timesTop, timesBottom, "How long a boot took", "time from power-on to the end of the boot", high)
	width := float64(fieldRight-fieldLeft) / bars
	for i, c := range count {
		if c > 0 {
			h := max(float64(c)/high*(timesBottom-timesTop), 1)
			fmt.Fprintf(p.b, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
				fieldLeft+float64(i)*width, timesBottom-h, width-1, h, stageColours[StageDone])
		}
	}
	// The names stand to the right of the field: the lines may be close.
	for i, q := range []struct {
		name string
		at   time.Duration
		dash string
	}{{"median", p.r.Boot.P50, "2 3"}, {"99 %", p.r.Boot.P99, "5 3"}, {"slowest", p.r.Boot.Max, ""}} {
		y := timesTop + 12 + 22*i
		fmt.Fprintf(p.b, "<path class=\"line\" stroke=\"#e03131\" stroke-dasharray=\"%s\" d=\"M%.1f %dV%dM%d %dh14\"/><text x=\"%d\" y=\"%d\">%s %s</text>\n",
			q.dash, p.x(q.at), timesTop, timesBottom, fieldRight+16, y-5, fieldRight+38, y, q.name, Duration(q.at))
	}
}
