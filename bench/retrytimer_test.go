package bench

import (
	"testing"

	"bootstorm/engine/batch"
)

// The timeout of an iPXE transfer settles at four times the server's answer, is
// never below 250 ms, doubles with each expiry, and is given up beyond 10 s:
// 15.75 s after the first packet.
func TestRetryTimer(t *testing.T) {
	var r retryTimer
	now := int64(0)
	r.restart(now)
	if r.timeout != ipxeWait {
		t.Fatalf("begins with %d ms", r.timeout/batch.Millisecond)
	}
	for range 100 {
		now += 10 * batch.Millisecond
		r.restart(now)
	}
	if r.timeout != ipxeWait {
		t.Errorf("answers after 10 ms: %d ms", r.timeout/batch.Millisecond)
	}
	for range 100 {
		now += 500 * batch.Millisecond
		r.restart(now)
	}
	if ms := r.timeout / batch.Millisecond; ms < 1900 || ms > 2000 {
		t.Errorf("answers after 500 ms: %d ms", ms)
	}
	before := r.timeout
	r.expire()
	if r.restart(now); r.timeout != 2*before {
		t.Errorf("after an expiry: %d ms", r.timeout/batch.Millisecond)
	}
	// The answer to what was sent twice is not measured.
	if r.restart(now + 1); r.timeout != 2*before {
		t.Errorf("the answer after it was measured: %d ms", r.timeout/batch.Millisecond)
	}
	if r.restart(now + 2); r.timeout >= 2*before {
		t.Errorf("the next one was not: %d ms", r.timeout/batch.Millisecond)
	}

	r = retryTimer{}
	r.restart(0)
	for now = 0; r.timeout <= ipxeLongest; r.expire() {
		r.restart(now)
		now += r.timeout
	}
	if now != 15750*batch.Millisecond {
		t.Errorf("given up after %d ms", now/batch.Millisecond)
	}
}
