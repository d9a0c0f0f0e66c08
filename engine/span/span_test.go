package span

import (
	"testing"
	"time"
)

func TestDurationsAreWrittenInOneWay(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 1500: "2 µs", 994 * time.Microsecond: "994 µs", 999 * time.Microsecond: "1.0 ms",
		4123 * time.Microsecond: "4.1 ms", 9960 * time.Microsecond: "10 ms", 85_123_456: "85 ms", 996 * time.Millisecond: "1.0 s",
		1_234_567_890: "1.2 s", 9960 * time.Millisecond: "10 s", 61 * time.Second: "61 s", 99_600 * time.Millisecond: "1 min 39 s",
		2 * time.Minute: "2 min", 125 * time.Second: "2 min 5 s", 2*time.Hour + 3*time.Minute + 59*time.Second: "2 h 3 min",
		26 * time.Hour: "26 h", 49*time.Hour + 59*time.Minute: "2 d 1 h",
	} {
		if got := Text(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Millisecond: "400 ms", 2 * time.Second: "2 s", 90 * time.Second: "1 min 30 s", 7193 * time.Second: "1 h 59 min 53 s",
		25 * time.Hour: "1 d 1 h", 1500 * time.Microsecond: "1 ms 500 µs", 1: "1 ns",
	} {
		if got := Exact(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
