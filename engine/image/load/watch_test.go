package load

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var quick = pace{quiet: 20 * time.Millisecond, most: 200 * time.Millisecond, rescan: time.Hour}

// begin watches dir and returns a channel that gets one value per report.
func begin(t *testing.T, dir string, p pace) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reports, ended := make(chan struct{}, 100), make(chan error)
	go func() { ended <- watch(ctx, dir, func() { reports <- struct{}{} }, p) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	time.Sleep(100 * time.Millisecond) // until the watches are set
	return reports
}

func wait(t *testing.T, reports <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-reports:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s was not reported", what)
	}
	time.Sleep(50 * time.Millisecond) // a second report of the same change would come now
	for len(reports) > 0 {
		<-reports
	}
}

func TestWatchReportsChanges(t *testing.T) {
	dir := root(t, map[string]string{"a": "1", "sub/b": "1"})
	reports := begin(t, dir, quick)
	put(t, filepath.Join(dir, "a"), "22")
	wait(t, reports, "a write")
	put(t, filepath.Join(dir, "sub/b"), "22")
	wait(t, reports, "a write in a subdirectory")
	put(t, filepath.Join(dir, "new/deep/c"), "1")
	wait(t, reports, "a new directory")
	put(t, filepath.Join(dir, "new/deep/c"), "22")
	wait(t, reports, "a write in the new directory")
	must(t, os.Chmod(filepath.Join(dir, "a"), 0o600))
	wait(t, reports, "a change of permissions")
	must(t, os.Rename(filepath.Join(dir, "sub/b"), filepath.Join(dir, "b")))
	wait(t, reports, "a rename")
	must(t, os.RemoveAll(filepath.Join(dir, "new")))
	wait(t, reports, "a removal")
}

func TestWatchIgnoresWhatChangesNothing(t *testing.T) {
	dir := root(t, map[string]string{"a": "1"})
	reports := begin(t, dir, quick)
	put(t, filepath.Join(dir, "t/x"), "1")
	must(t, os.RemoveAll(filepath.Join(dir, "t")))
	if _, err := os.ReadFile(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if n := len(reports); n > 1 { // at most one, while t was there
		t.Errorf("%d reports", n)
	}
}

func TestWatchBundlesABurstAndReportsDuringALongOne(t *testing.T) {
	dir := root(t, map[string]string{"a": "1"})
	reports := begin(t, dir, quick)
	for end := time.Now().Add(600 * time.Millisecond); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		f, err := os.OpenFile(filepath.Join(dir, "a"), os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString("x")
		must(t, err)
		must(t, f.Close())
	}
	time.Sleep(200 * time.Millisecond)
	if n := len(reports); n < 2 || n > 12 {
		t.Errorf("%d reports of 300 writes in 0.6 s", n)
	}
}

func TestWatchLooksWhereTheKernelSaysNothing(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "later") // cannot be watched yet
	reports := begin(t, dir, pace{quiet: 10 * time.Millisecond, most: time.Second, rescan: 30 * time.Millisecond})
	put(t, filepath.Join(dir, "a"), "1")
	wait(t, reports, "a root that appears")
}
