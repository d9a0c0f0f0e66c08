package peers

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/svg"
)

// Size of the picture and of the field that the lines are drawn in, in its own
// units. The space on the right is for the names.
const (
	pictureWidth, pictureHeight = 980, 420
	fieldLeft, fieldRight       = 64, 630
	fieldTop, fieldBottom       = 52, 368
	labelGap                    = 17 // between the baselines of two names
)

// colours of the servers, by Server.Name without "-tuned": mid tones, readable
// on white and on black. A tuned server's line is whole, an untuned one's dashed.
var colours = map[string]string{"bootstorm": "#e8590c", "dnsmasq": "#1c7ed6", "dhcpd": "#2f9e44", "kea": "#9c6ade"}

// Picture draws how many nodes were done at which time, a line for each server,
// as SVG. Time is logarithmic: a second and a minute both matter.
func (r *Result) Picture() []byte {
	runs := r.Medians()
	first, last := timeRange(runs)
	var b strings.Builder
	svg.Begin(&b, pictureWidth, pictureHeight, "Nodes booted over time, by server")
	fmt.Fprintf(&b, "<text class=\"title\" x=\"%d\" y=\"24\">Nodes booted, of %s that ask at once</text>\n", fieldLeft, bench.Count(r.Nodes))
	d := drawing{b: &b, first: first, last: last, nodes: r.Nodes}
	d.axes()
	d.labels(runs)
	// Ours is drawn last, above the others.
	for _, ours := range []bool{false, true} {
		for _, run := range runs {
			if run.Ours == ours {
				d.line(run)
			}
		}
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// timeRange is the part of the time axis that is needed: whole steps of 1, 2, 5.
func timeRange(runs []*Run) (first, last time.Duration) {
	low, high := time.Duration(math.MaxInt64), time.Second
	for _, r := range runs {
		high = max(high, r.Wall)
		for _, p := range r.Series {
			if p.Done > 0 {
				low = min(low, p.At)
				break
			}
		}
	}
	if low > high {
		low = high / 10
	}
	all := ticks()
	for _, t := range all {
		if t <= max(low*9/10, all[0]) {
			first = t
		}
		if last < high {
			last = t
		}
	}
	return first, last
}

// ticks are the marks that the time axis may have.
func ticks() (t []time.Duration) {
	for d := time.Millisecond; d < time.Hour; d *= 10 {
		t = append(t, d, 2*d, 5*d)
	}
	return t
}

// drawing is the picture under way.
type drawing struct {
	b           *strings.Builder
	first, last time.Duration
	nodes       int
}

func (d *drawing) x(t time.Duration) float64 {
	share := math.Log(float64(max(t, d.first))/float64(d.first)) / math.Log(float64(d.last)/float64(d.first))
	return fieldLeft + share*(fieldRight-fieldLeft)
}

func (d *drawing) y(done int) float64 {
	return fieldBottom - float64(done)/float64(d.nodes)*(fieldBottom-fieldTop)
}

func (d *drawing) axes() {
	for _, t := range ticks() {
		if t < d.first || t > d.last {
			continue
		}
		fmt.Fprintf(d.b, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"faint\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			d.x(t), fieldTop, fieldBottom, d.x(t), fieldBottom+18, svg.TickName(t))
	}
	for i := range 5 {
		n := d.nodes * i / 4
		fmt.Fprintf(d.b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			fieldLeft, d.y(n), fieldRight, fieldLeft-8, d.y(n)+4, bench.Count(n))
	}
	fmt.Fprintf(d.b, "<path class=\"axis\" fill=\"none\" d=\"M%d %dH%d\"/>\n", fieldLeft, fieldBottom, fieldRight)
	fmt.Fprintf(d.b, "<text class=\"faint\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">time since all were switched on (logarithmic)</text>\n",
		(fieldLeft+fieldRight)/2, fieldBottom+40)
}

// style are the attributes of a server's line.
func (r *Run) style() (colour, class string) {
	colour, class = colours[strings.TrimSuffix(r.Server, "-tuned")], "line"
	if r.Ours {
		return colour, class + " ours"
	}
	if !r.Tuned {
		class += " dashed"
	}
	return colour, class
}

// line is a staircase from the first node that was done: what was done stays
// done, until the storm was ended.
func (d *drawing) line(r *Run) {
	colour, class := r.style()
	series := slices.DeleteFunc(slices.Clone(r.Series), func(p Point) bool { return p.Done == 0 })
	if len(series) == 0 {
		return
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M%.1f %.1f", d.x(series[0].At), d.y(0))
	for _, p := range thin(series) {
		fmt.Fprintf(&path, "H%.1fV%.1f", d.x(p.At), d.y(p.Done))
	}
	if !r.Complete() {
		fmt.Fprintf(&path, "H%.1f", d.x(max(r.Wall, d.first)))
	}
	fmt.Fprintf(d.b, "<path class=\"%s\" stroke=\"%s\" d=\"%s\"/>\n", class, colour, path.String())
}

// thin keeps at most a few hundred points, the last one always.
func thin(series []Point) (kept []Point) {
	const most = 300
	step := max(1, (len(series)+most-1)/most)
	for i, p := range series {
		if i%step == 0 || i == len(series)-1 {
			kept = append(kept, p)
		}
	}
	return kept
}

// labels writes the names to the right of the field, each at the height of its
// line's end as far as they do not collide, the earliest above.
func (d *drawing) labels(runs []*Run) {
	order := slices.Clone(runs)
	slices.SortStableFunc(order, func(a, b *Run) int {
		if a.Done != b.Done {
			return b.Done - a.Done
		}
		return int(a.Wall - b.Wall)
	})
	at := float64(fieldTop)
	for i, r := range order {
		// Room must be left for those below.
		lowest := float64(fieldBottom - labelGap*(len(order)-1-i))
		y := min(max(at, d.y(r.Done)), lowest)
		at = y + labelGap
		colour, class := r.style()
		fmt.Fprintf(d.b, "<path class=\"%s\" stroke=\"%s\" d=\"M%d %.1fh18\"/><text class=\"%s\" x=\"%d\" y=\"%.1f\">%s</text>\n",
			class, colour, fieldRight+8, y, strings.TrimPrefix(strings.TrimPrefix(class, "line"), " "), fieldRight+32, y+4, html.EscapeString(d.label(r)))
	}
}

func (d *drawing) label(r *Run) string {
	if r.Complete() {
		return r.Title + ", " + bench.Duration(r.Wall)
	}
	if r.Done == 0 && r.Wall == 0 {
		return r.Title + ", none"
	}
	return fmt.Sprintf("%s, %s of %s in %s", r.Title, bench.Count(r.Done), bench.Count(d.nodes), bench.Duration(r.Wall))
}
