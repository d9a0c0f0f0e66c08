package lease

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
)

// TestFaults lets each kind of operation fail for a while, in normal running
// and during compaction: nothing is published that is not there, and when the
// disk is well again nothing is missing.
func TestFaults(t *testing.T) {
	const addresses = 10
	for name, kinds := range map[string][]opKind{
		"write":             {opWrite},
		"sync":              {opSync},
		"write and shorten": {opWrite, opTruncate},
		"directory":         {opSyncDir, opSync},
		"rename":            {opRename, opSync},
		"create":            {opCreate, opSync},
		"everything":        {opCreate, opWrite, opSync, opTruncate, opRename, opRemove, opSyncDir, opOpen},
		"compaction create": {opCreate},
		"compaction rename": {opRename},
		"compaction dir":    {opSyncDir},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemFS()
			j, _, err := Open("l", Options{FS: m, CompactBytes: 16 << 10, Retry: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			j.OnDurable(func() { m.ack(j.Durable()) })
			var failures atomic.Int32
			for round := range uint64(8) {
				appendAll(j, round*200+1, round*200+100, addresses, 10)
				waitDurable(t, j, round*200+100)
				m.setFail(func(k opKind) error {
					for _, bad := range kinds {
						if k == bad && failures.Add(1)%7 != 0 {
							return shortWrite{syscall.ENOSPC}
						}
					}
					return nil
				})
				appendAll(j, round*200+101, round*200+200, addresses, 10)
				time.Sleep(5 * time.Millisecond)
				m.setFail(nil)
				waitDurable(t, j, round*200+200)
			}
			if err := j.Close(); err != nil || failures.Load() == 0 || j.Err() != nil {
				t.Fatal(err, failures.Load(), j.Err())
			}
			var acked uint64
			for k, o := range m.trace {
				if o.kind != opAck {
					continue
				}
				acked = uint64(o.size)
				found := m.after(k+1, crashes[1])
				if bad := lost(parse(found.names["l"].data, noon), acked, addresses); bad != nil {
					t.Fatalf("acknowledged %d, lost %v", acked, bad)
				}
			}
			if acked != 1600 {
				t.Errorf("last acknowledged: %d", acked)
			}
		})
	}
}

// TestUnhealthy says what is wrong while the disk fails, refuses records only
// when the queue is full, and gives up at Close with an error.
func TestUnhealthy(t *testing.T) {
	m := newMemFS()
	var mu sync.Mutex
	var notices []string
	j, _, err := Open("l", Options{FS: m, QueueRecords: 256, GroupRecords: 16, Retry: time.Millisecond, Notify: func(n Notice) {
		mu.Lock()
		defer mu.Unlock()
		notices = append(notices, fmt.Sprint(n.Err, ": ", n.Text))
	}})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(j, 1, 10, 10, 10)
	waitDurable(t, j, 10)
	m.setFail(func(k opKind) error { return syscall.ENOSPC })
	l, taken := batch.Leases{N: 1}, 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		l.List[0] = numbered(uint64(11+taken), 10)
		if j.Append(&l) {
			taken++
		} else if j.Err() != nil {
			break
		}
	}
	if err := j.Err(); err == nil || !strings.Contains(err.Error(), "lease file l cannot be written: no space left on device") {
		t.Fatal(err)
	}
	if taken < 256 || taken > 256+16 || j.Durable() != 10 {
		t.Errorf("%d taken, durable %d", taken, j.Durable())
	}
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d leases are not on disk", taken)) {
		t.Errorf("close after %d: %v", taken, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(notices) != 1 || !strings.Contains(notices[0], "no address is given until") {
		t.Errorf("%q", notices)
	}
}
