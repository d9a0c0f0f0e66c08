package engine

import (
	"fmt"
	"math/bits"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/engine/span"
)

// cidr writes an address with its prefix length: 192.168.1.1/28.
func cidr(a plan.LinkAddr) string {
	return fmt.Sprintf("%s/%d", a.Addr, bits.OnesCount32(uint32(a.Mask)))
}

// size writes a number of bytes with three digits or so.
func size(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v /= 1000
		u++
	}
	if u == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[u])
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}

// leaseTime writes the length of a lease in seconds.
func leaseTime(sec int64) string {
	switch {
	case sec >= 0xffffffff || sec == batch.Forever:
		return "for ever"
	case sec >= 86400 && sec%86400 == 0:
		return "for " + plural(int(sec/86400), "day")
	case sec >= 3600 && sec%3600 == 0:
		return "for " + plural(int(sec/3600), "hour")
	case sec >= 60 && sec%60 == 0:
		return "for " + plural(int(sec/60), "minute")
	}
	if sec < 60 {
		return "for " + plural(int(sec), "second")
	}
	return "for " + span.Exact(time.Duration(sec)*time.Second)
}
