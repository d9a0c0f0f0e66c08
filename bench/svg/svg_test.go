package svg

import (
	"strings"
	"testing"
	"time"
)

func TestStep(t *testing.T) {
	for _, c := range []struct {
		high float64
		n    int
		want float64
	}{{100, 5, 20}, {99, 5, 20}, {101, 5, 50}, {0.7, 7, 0.1}, {1, 1, 1}, {6, 1, 10}, {0, 5, 1}} {
		if got := Step(c.high, c.n); got < c.want*0.999 || got > c.want*1.001 {
			t.Errorf("%v in %d: %v, want %v", c.high, c.n, got, c.want)
		}
	}
}

func TestTickName(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0", 50 * time.Microsecond: "50 µs", 200 * time.Millisecond: "200 ms",
		2500 * time.Microsecond: "2.5 ms", 1500 * time.Millisecond: "1.5 s", 50 * time.Second: "50 s"} {
		if got := TickName(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

// A label cannot end the attribute that holds it.
func TestBeginEscapes(t *testing.T) {
	var b strings.Builder
	Begin(&b, 10, 20, `a "b" <c>`)
	if !strings.Contains(b.String(), `aria-label="a &#34;b&#34; &lt;c&gt;"`) || !strings.Contains(b.String(), `viewBox="0 0 10 20"`) {
		t.Error(b.String())
	}
}
