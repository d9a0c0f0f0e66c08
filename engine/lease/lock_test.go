package lease

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// second tries to open a lease file that a journal has, and must be refused.
func second(t *testing.T, path string) {
	t.Helper()
	j, _, err := Open(path, Options{})
	if err == nil {
		j.Close()
		t.Fatal("a second journal was opened")
	}
	var held *LockedError
	if !errors.As(err, &held) || held.Path != path {
		t.Fatalf("%v", err)
	}
}

// TestLockFileTakenAway deletes and replaces the lock file under a journal: a
// second one is refused by the lease file until the first has noticed, and by
// the new lock file from then on. A compaction in between changes nothing.
func TestLockFileTakenAway(t *testing.T) {
	for name, meddle := range map[string]func(lock string) error{
		"deleted": os.Remove,
		"replaced": func(lock string) error {
			if err := os.WriteFile(lock+".other", nil, 0o644); err != nil {
				return err
			}
			return os.Rename(lock+".other", lock)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dhcpd.leases")
			h := new(heard)
			j, _, err := Open(path, Options{Notify: h.notify, Inspect: 500 * time.Millisecond, CompactBytes: 8 << 10})
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			appendAll(j, 1, 1000, 10, 10)
			waitDurable(t, j, 1000)
			if err := meddle(path + lockSuffix); err != nil {
				t.Fatal(err)
			}
			second(t, path)
			for end := time.Now().Add(20 * time.Second); !h.has("lock file", "locked again"); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("said: %q", h.lines)
				}
			}
			if err := os.Remove(path); err != nil { // the lock file alone must hold as well
				t.Fatal(err)
			}
			second(t, path)
			appendAll(j, 1001, 1001, 10, 1)
			waitDurable(t, j, 1001)
		})
	}
}

// TestOusted deletes both files and lets another journal take their place
// before the first looks: the first acknowledges nothing any more, writes over
// nothing, and says what happened.
func TestOusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcpd.leases")
	h := new(heard)
	j, _, err := Open(path, Options{Notify: h.notify, Inspect: time.Hour, Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(j, 1, 20, 10, 10)
	waitDurable(t, j, 20)
	if err := errors.Join(os.Remove(path), os.Remove(path+lockSuffix)); err != nil {
		t.Fatal(err)
	}
	other, _, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(other, 1, 5, 5, 5)
	waitDurable(t, other, 5)
	appendAll(j, 21, 21, 10, 1)
	for end := time.Now().Add(20 * time.Second); !h.has("in use by process", "another daemon took their place"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("said: %q", h.lines)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err == nil || j.Durable() != 20 {
		t.Errorf("durable %d, end: %v", j.Durable(), err)
	}
	r, err := Read(path)
	if err != nil || len(r.Leases) != 5 {
		t.Errorf("the other's file holds %d leases: %v", len(r.Leases), err)
	}
}

// A second daemon that is refused may hold the missing lock file for a moment, just
// when the first looks: that ousts nobody.
func TestRefusedDaemonOustsNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcpd.leases")
	h := new(heard)
	j, _, err := Open(path, Options{Notify: h.notify, Inspect: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := os.Remove(path + lockSuffix); err != nil {
		t.Fatal(err)
	}
	other, err := lockFile(path + lockSuffix)
	for err != nil { // the first may have been faster
		os.Remove(path + lockSuffix)
		other, err = lockFile(path + lockSuffix)
	}
	time.Sleep(100 * time.Millisecond) // it looks many times
	appendAll(j, 1, 1, 10, 1)
	waitDurable(t, j, 1)
	other.Close()
	for end := time.Now().Add(20 * time.Second); !h.has("lock file", "locked again"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("said: %q", h.lines)
		}
	}
	appendAll(j, 2, 2, 10, 1)
	waitDurable(t, j, 2)
}
