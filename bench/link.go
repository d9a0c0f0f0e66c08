package bench

import (
	"fmt"
	"io"
	"time"
)

// Bars of LinkUse.OK: the share of what the link can carry that arrives as file
// bytes, how much later than ideal the last node may be, and how far the mean node
// must be ahead of the last: where all crawl together it is not.
const (
	LeastCarried = 0.97
	MostLast     = 1.05
	MostMean     = 0.65
)

// LinkUse tells how well a storm used a link that is its bottleneck.
type LinkUse struct {
	Rate    float64       `json:"rate_bits"`
	Ideal   time.Duration `json:"ideal"`   // the link's time for all frames that the files need
	Carried float64       `json:"carried"` // goodput, as a share of what the link can carry
	Last    float64       `json:"last"`    // the last node, in ideal times
	Mean    float64       `json:"mean"`    // the mean boot, as a share of the last
	DHCP    time.Duration `json:"dhcp"`    // the slowest exchange of any node
	Repeats uint64        `json:"repeats"` // messages that clients sent again for want of an answer
	GaveUp  int           `json:"gave_up"` // nodes whose patience ended
	Drops   uint64        `json:"drops"`   // frames dropped at the server's own queue
}

// FileFrames is what a file of so many bytes takes on an Ethernet in blocks of
// blksize: with the headers of TFTP, UDP, IP and Ethernet (46 bytes), and extra
// bytes for each frame.
func FileFrames(size, blksize, extra int) int64 {
	return int64(size) + int64(size/blksize+1)*int64(46+extra)
}

// OnLink compares a storm with a link of rate bits per second, which needs wire
// bytes to carry the files.
func (r *Result) OnLink(rate float64, wire int64, drops uint64) LinkUse {
	ideal := time.Duration(float64(wire) * 8 / rate * float64(time.Second))
	u := LinkUse{Rate: rate, Ideal: ideal, Drops: drops, GaveUp: r.Failed,
		Repeats: r.Repeated.DHCP() + r.Repeated.ARP + r.Repeated.RRQ + r.Repeated.Ack}
	var sum time.Duration
	for _, d := range r.Took {
		sum += d
	}
	if n := len(r.Took); n > 0 && r.LastNode > 0 {
		u.Mean = float64(sum) / float64(n) / float64(r.LastNode)
		u.Last = float64(r.LastNode) / float64(ideal)
		u.Carried = 1 / u.Last // all of the bytes, in the time until the last one
	}
	for _, p := range r.Phases {
		if p.Name == "firmware DHCP" || p.Name == "iPXE DHCP" {
			u.DHCP = max(u.DHCP, p.Max)
		}
	}
	return u
}

// OK tells whether all bars are held.
func (u *LinkUse) OK() bool {
	return u.Carried >= LeastCarried && u.Last <= MostLast && u.Mean <= MostMean && u.GaveUp == 0 && u.Drops == 0
}

// Write prints the figures with their bars.
func (u *LinkUse) Write(w io.Writer) {
	fmt.Fprintf(w, "link of %.0f Mbit/s, %.2f s at best\n", u.Rate/1e6, u.Ideal.Seconds())
	fmt.Fprintf(w, "  goodput             %.1f %% of what it can carry (at least %.0f)\n", 100*u.Carried, 100*LeastCarried)
	fmt.Fprintf(w, "  last node           %.3f ideal times (at most %.2f)\n", u.Last, MostLast)
	fmt.Fprintf(w, "  mean node           %.2f of the last (at most %.2f)\n", u.Mean, MostMean)
	fmt.Fprintf(w, "  slowest DHCP        %s\n", u.DHCP.Round(10*time.Microsecond))
	fmt.Fprintf(w, "  nodes that gave up  %d (none); messages sent again while they waited: %d\n", u.GaveUp, u.Repeats)
	fmt.Fprintf(w, "  server's own queue  %d frames dropped\n", u.Drops)
}
