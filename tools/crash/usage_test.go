package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is what the daemon holds at a moment.
type sample struct {
	at      time.Time
	memory  float64 // resident bytes
	files   float64 // open descriptors
	threads float64
}

// String is for the report.
func (s sample) String() string {
	return fmt.Sprintf("%.1f MB, %.0f descriptors, %.0f threads", s.memory/1e6, s.files, s.threads)
}

// sample asks /proc (proc(5)).
func (s *soak) sample() sample {
	dir := fmt.Sprintf("/proc/%d/", s.server.Pid())
	files, err := os.ReadDir(dir + "fd")
	s.must(err)
	status, err := os.ReadFile(dir + "status")
	s.must(err)
	return sample{time.Now(), 1024 * field(string(status), "VmRSS:"), float64(len(files)), field(string(status), "Threads:")}
}

// field reads the number behind a name, 0 if there is none.
func field(text, name string) float64 {
	_, rest, _ := strings.Cut(text, name)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(words[0], 64)
	return v
}

// What may come and go without being a leak: the heap between two collections,
// and threads, which the runtime makes as it needs them and keeps.
const (
	memorySlack = 12e6
	fileSlack   = 1
	threadSlack = 4
)

// flat compares the end of a run of one process with its beginning, and prints
// how fast each figure rises.
func (s *soak) flat() {
	s.Helper()
	quarter := len(s.samples) / 4
	first, last := s.samples[:quarter], s.samples[len(s.samples)-quarter:]
	for _, c := range []struct {
		name         string
		of           func(sample) float64
		slack, share float64
	}{
		{"memory", func(v sample) float64 { return v.memory }, memorySlack, 0.05},
		{"descriptors", func(v sample) float64 { return v.files }, fileSlack, 0},
		{"threads", func(v sample) float64 { return v.threads }, threadSlack, 0},
	} {
		begin, end := mean(first, c.of), mean(last, c.of)
		s.Logf("%s: %.0f in the first quarter of %v, %.0f in the last, slope %+.0f an hour", c.name, begin,
			s.samples[len(s.samples)-1].at.Sub(s.samples[0].at).Round(time.Second), end, slope(s.samples, c.of))
		if end > begin*(1+c.share)+c.slack {
			s.Errorf("%s grew from %.0f to %.0f", c.name, begin, end)
		}
	}
}

func mean(list []sample, of func(sample) float64) (sum float64) {
	for _, v := range list {
		sum += of(v)
	}
	return sum / float64(len(list))
}

// slope is the least-squares rise of a figure, per hour.
func slope(list []sample, of func(sample) float64) float64 {
	var n, x, y, xx, xy float64
	for _, v := range list {
		h, f := v.at.Sub(list[0].at).Hours(), of(v)
		n, x, y, xx, xy = n+1, x+h, y+f, xx+h*h, xy+h*f
	}
	if n*xx == x*x {
		return 0
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// goroutines compares the goroutines of the daemon that went through it all with
// those of a new one. Go lists them on SIGQUIT.
func (s *soak) goroutines() {
	s.Helper()
	old := s.quit()
	s.serve()
	s.round(&acts[0], 0)
	if fresh := s.quit(); old > fresh+1 || fresh == 0 {
		s.Errorf("%d goroutines, a new daemon has %d", old, fresh)
	} else {
		s.Logf("goroutines: %d, a new daemon has %d", old, fresh)
	}
	s.serve()
}

func (s *soak) quit() int {
	s.Helper()
	s.server.Forget()
	s.must(s.server.Signal(syscall.SIGQUIT))
	_, err := s.server.Wait(patience)
	s.must(err)
	return strings.Count(s.server.Output(), "\ngoroutine ")
}
