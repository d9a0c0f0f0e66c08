package bench

import "bootstorm/engine/batch"

// iPXE's shortest timeout, and the one that it does not go beyond
// (src/include/ipxe/retry.h: DEFAULT_MIN_TIMEOUT, DEFAULT_MAX_TIMEOUT).
const (
	ipxeWait    = 250 * batch.Millisecond
	ipxeLongest = 10 * batch.Second
)

// retryTimer is the timer of an iPXE transfer (src/net/retry.c). It follows the
// server: each answer moves the timeout an eighth of the way towards four times
// what the answer took, so that a slow server is not asked again all the time. An
// expiry doubles it, and as many answers as there were expiries are then not
// measured, since nobody knows what they are answers to.
type retryTimer struct {
	timeout  int64 // 0 until the first start
	began    int64
	expiries int
	running  bool
}

// restart is what happens when a packet is sent, be it for an answer that came
// or because the timer has expired.
func (r *retryTimer) restart(now int64) {
	switch {
	case !r.running:
	case r.expiries > 0:
		r.expiries--
	default:
		r.timeout += (now-r.began)>>1 - r.timeout>>3
	}
	r.timeout, r.began, r.running = max(r.timeout, ipxeWait), now, true
}

// expire doubles the timeout. Beyond ipxeLongest the client gives up.
func (r *retryTimer) expire() {
	r.running = false
	r.expiries++
	r.timeout *= 2
}
