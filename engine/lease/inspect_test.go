package lease

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// heard collects the notices of a journal.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) notify(n Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprint(n.Err, "; ", n.Text))
}

func (h *heard) has(parts ...string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.lines {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			return true
		}
	}
	return false
}

// meddling is what is done to a lease file, or to its directory, underneath a
// running journal.
var meddling = map[string]struct {
	do   func(path string) error
	says []string
	kept bool // what was put there is kept
}{
	"deleted": {os.Remove, []string{"it was deleted", "nothing is lost"}, false},
	"replaced": {func(path string) error {
		if err := os.WriteFile(path+".other", []byte("# restored from a backup\n"), 0o644); err != nil {
			return err
		}
		return os.Rename(path+".other", path)
	}, []string{"another file took its place", ".replaced"}, true},
	"emptied":   {func(path string) error { return os.Truncate(path, 0) }, []string{"changed its size", ".replaced"}, true},
	"directory": {func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, []string{"it was deleted"}, false},
	"edited": {func(path string) error {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("# a remark\n")
		return err
	}, []string{"changed its size", ".replaced"}, true},
}

// TestFileTakenAway deletes, replaces and edits the file of a journal that is
// idle and of one that writes: it is noticed, said, and put right, and nothing
// that was or is acknowledged is missing.
func TestFileTakenAway(t *testing.T) {
	for name, c := range meddling {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, busy %v", name, busy), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "var", "dhcpd.leases")
				h, o := new(heard), Options{}
				o.Notify, o.Inspect = h.notify, time.Hour
				if !busy {
					o.Inspect = time.Millisecond
				}
				j, _, err := Open(path, o)
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				appendAll(j, 1, 100, 50, 10)
				waitDurable(t, j, 100)
				if err := c.do(path); err != nil {
					t.Fatal(err)
				}
				acked := uint64(100)
				if busy { // the next record must not be acknowledged into the void
					acked = 101
					appendAll(j, 101, 101, 50, 1)
					waitDurable(t, j, 101)
				}
				for end := time.Now().Add(20 * time.Second); !h.has(c.says...) && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
				if !h.has(c.says...) {
					t.Fatalf("said: %q", h.lines)
				}
				r := readUntil(t, path, 50)
				if bad := lost(r, acked, 50); bad != nil || r.Damaged {
					t.Errorf("lost %v", bad)
				}
				if c.kept != exists(path+replacedSuffix) {
					t.Errorf("kept: %v", !c.kept)
				}
			})
		}
	}
}

// readUntil reads a lease file until it is there and holds so many leases.
func readUntil(t *testing.T, path string, leases int) *Recovered {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r, err := Read(path)
		if err == nil && len(r.Leases) == leases {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("%+v %v", r, err)
		}
	}
}

// TestFailedSyncIsNotTrusted: after a failed fsync the kernel may have dropped
// the pages, and report no error the next time. What was in them reaches the disk
// all the same, in a fresh file.
func TestFailedSyncIsNotTrusted(t *testing.T) {
	m := newMemFS()
	j, _, err := Open("l", Options{FS: m, Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(j, 1, 10, 10, 10)
	waitDurable(t, j, 10)
	old := m.names["l"].id
	failed := false
	m.setFail(func(k opKind) error {
		if k == opSync && !failed {
			failed = true
			m.names["l"].data = m.names["l"].data[:0] // under the lock: the pages are gone
			return syscall.EIO
		}
		return nil
	})
	appendAll(j, 11, 20, 10, 10)
	waitDurable(t, j, 20)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if bad := lost(parse(m.names["l"].data, noon), 20, 10); bad != nil || !failed || m.names["l"].id == old {
		t.Errorf("failed %v, file %d then %d, lost %v", failed, old, m.names["l"].id, bad)
	}
}

// TestSlowSync: with a sync that takes long, records are taken meanwhile without
// waiting, and none is published before its sync has ended.
func TestSlowSync(t *testing.T) {
	m := newMemFS()
	finish, begun := make(chan struct{}), make(chan struct{}, 16)
	var slow atomic.Bool
	m.delay = func(o op) {
		if o.kind == opSync && slow.Load() {
			begun <- struct{}{}
			<-finish
		}
	}
	j, _, err := Open("l", Options{FS: m})
	if err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	appendAll(j, 1, 1, 10, 1)
	<-begun
	appendAll(j, 2, 500, 10, 100) // does not wait
	if d := j.Durable(); d != 0 {
		t.Errorf("%d published before the end of the sync", d)
	}
	close(finish)
	if err := j.Close(); err != nil || j.Durable() != 500 || j.Stats().Syncs > 20 {
		t.Error(j.Durable(), j.Stats(), err)
	}
}
