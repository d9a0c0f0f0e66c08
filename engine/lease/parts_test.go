package lease

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// TestRing puts and takes around the end of the queue, and refuses a batch that
// does not fit as a whole.
func TestRing(t *testing.T) {
	r := newRing(1000)
	if len(r.list) != 1024 {
		t.Fatalf("%d places", len(r.list))
	}
	var l batch.Leases
	put, taken := uint64(0), uint64(0)
	for round := range 50 {
		l.N = 200
		for i := range l.N {
			l.List[i].Seq = put + uint64(i)
		}
		if r.put(&l) {
			put += uint64(l.N)
		} else if r.len() <= 1024-200 {
			t.Fatalf("round %d: refused with %d waiting", round, r.len())
		}
		for i := range min(r.len(), 150) {
			if got := r.at(i).Seq; got != taken+uint64(i) {
				t.Fatalf("round %d: record %d, want %d", round, got, taken+uint64(i))
			}
		}
		n := min(r.len(), 150)
		r.drop(n)
		taken += uint64(n)
	}
	if r.len() != int(put-taken) || put < 3000 {
		t.Errorf("%d wait, %d put, %d taken", r.len(), put, taken)
	}
	l.N = 0
	if !r.put(&l) {
		t.Error("an empty batch is refused")
	}
}

// TestReplica keeps the last record of each address and knows its length as
// text.
func TestReplica(t *testing.T) {
	p := newReplica(&Recovered{})
	empty := p.live
	record := func(last byte, host string) *batch.Lease {
		l := batch.Lease{Seq: 9, Addr: proto.AddrOf(10, 0, 0, last), State: batch.LeaseActive, HW: ether(last)}
		l.HostnameLen = byte(copy(l.Hostname[:], host))
		return &l
	}
	for _, l := range []*batch.Lease{record(3, "c"), record(1, "a"), record(3, "a longer name"), record(2, "")} {
		p.set(l, len(AppendRecord(nil, l)))
	}
	text, next := p.appendFrom(nil, 0, 1<<20)
	if next != 3 || p.live-empty != int64(len(text)) {
		t.Errorf("%d entries, %d bytes counted of %d", next, p.live-empty, len(text))
	}
	var addrs []byte
	for _, l := range p.list() {
		addrs = append(addrs, byte(l.Addr))
		if l.Seq != 0 {
			t.Errorf("%v has the sequence number of another life", l.Addr)
		}
	}
	if !slices.Equal(addrs, []byte{1, 2, 3}) || !bytes.Contains(text, []byte("a longer name")) || bytes.Contains(text, []byte(`"c"`)) {
		t.Errorf("%v\n%s", addrs, text)
	}
	// Cut into pieces, it is the same text.
	var pieces []byte
	for i := 0; i < p.count(); {
		before := len(pieces)
		pieces, i = p.appendFrom(pieces, i, before+1)
	}
	if !bytes.Equal(pieces, text) {
		t.Error("pieces differ from the whole")
	}
}

// TestSystemFS is what the journal relies on the operating system's files for.
func TestSystemFS(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	f, err := systemFS{}.Open(a, true)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"write", func() error { _, err := f.Write([]byte("12345")); return err }, "12345"},
		{"sync", f.Sync, "12345"},
		{"truncate", func() error { return f.Truncate(2) }, "12"},
		{"write at the end", func() error { _, err := f.Write([]byte("x")); return err }, "12x"},
		{"link", func() error { return systemFS{}.Link(a, b) }, "12x"},
		{"link again", func() error { return systemFS{}.Link(a, b) }, "12x"},
		{"directory", func() error { return systemFS{}.SyncDir(dir) }, "12x"},
		{"parent", func() error { return syncParent(systemFS{}, a) }, "12x"},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if got, _ := os.ReadFile(a); string(got) != s.want {
			t.Errorf("%s: %q", s.name, got)
		}
	}
	if got, _ := os.ReadFile(b); string(got) != "12x" {
		t.Errorf("second name: %q", got)
	}
	f.Close()
	if f.Sync() == nil {
		t.Error("a closed file can be synced")
	}
	for name, err := range map[string]error{
		"open":      func() error { _, err := systemFS{}.Open(filepath.Join(dir, "none"), false); return err }(),
		"directory": systemFS{}.SyncDir(filepath.Join(dir, "none")),
		"link":      systemFS{}.Link(filepath.Join(dir, "none"), b),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a file that is not there: %v", name, err)
		}
	}
}

// TestLock outlives neither its holder nor a stale file.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.lock")
	if err := os.WriteFile(path, []byte("4194999 stale, and longer than a pid\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := systemFS{}.Lock(path)
	if err != nil {
		t.Fatal("a stale lock file locks:", err)
	}
	_, err = systemFS{}.Lock(path)
	var held *LockedError
	if !errors.As(err, &held) || strings.Contains(held.PID, "stale") {
		t.Errorf("%v", err)
	}
	if text := (&LockedError{Path: "x"}).Error(); !strings.HasPrefix(text, "lease file x is in use by another process:") {
		t.Error(text)
	}
	first.Close()
	second, err := systemFS{}.Lock(path)
	if err != nil {
		t.Fatal("after the holder's end:", err)
	}
	second.Close()
}

// TestSymlink compacts the file that a link points to, not the link.
func TestSymlink(t *testing.T) {
	dir := t.TempDir()
	real, name := filepath.Join(dir, "disk", "dhcpd.leases"), filepath.Join(dir, "dhcpd.leases")
	if err := os.MkdirAll(filepath.Dir(real), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(real, []byte("junk; lease 10.0.0.1 { binding state active; ends never; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, name); err != nil {
		t.Fatal(err)
	}
	j, r, err := Open(name, Options{})
	if err != nil || !r.Damaged {
		t.Fatal(r, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(name); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	if again, err := Read(real); err != nil || again.Damaged || len(again.Leases) != 1 {
		t.Errorf("%+v %v", again, err)
	}
}

// TestLargeRewrite writes a replica of many chunks.
func TestLargeRewrite(t *testing.T) {
	m := newMemFS()
	var text []byte
	const n = 5000
	for seq := uint64(1); seq <= n; seq++ {
		l := numbered(seq, n)
		text = AppendRecord(text, &l)
	}
	m.names["l"] = &inode{data: append(text, "junk;\nlease 10.9.9.9 { binding state free; }\n"...)}
	j, r, err := Open("l", Options{FS: m})
	if err != nil || !r.Damaged || len(text) < 4*chunkBytes {
		t.Fatal(err, len(text))
	}
	if st := j.Stats(); st.Bytes != int64(len(m.names["l"].data)) || st.Bytes != st.Live {
		t.Errorf("%+v for %d bytes", st, len(m.names["l"].data))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if again := parse(m.names["l"].data, noon); len(again.Leases) != n+1 || again.Damaged {
		t.Errorf("%d leases", len(again.Leases))
	}
}

// TestOpenFails leaves no lock behind when the file cannot be brought into
// order.
func TestOpenFails(t *testing.T) {
	for name, kind := range map[string]opKind{"create": opCreate, "write": opWrite, "sync": opSync, "rename": opRename, "directory": opSyncDir} {
		m := newMemFS()
		m.setFail(func(k opKind) error {
			if k == kind {
				return syscall.EROFS
			}
			return nil
		})
		_, _, err := Open("l", Options{FS: m})
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "give another --lease-file") {
			t.Errorf("%s: %v", name, err)
		}
		m.setFail(nil)
		j, _, err := Open("l", Options{FS: m})
		if err != nil {
			t.Fatalf("%s: afterwards: %v", name, err)
		}
		j.Close()
	}
}

// TestDurableCalls calls back after each group, in order, with Durable risen.
func TestDurableCalls(t *testing.T) {
	j, _, err := Open("l", Options{FS: newMemFS(), GroupRecords: 10})
	if err != nil {
		t.Fatal(err)
	}
	var calls, last atomic.Uint64
	j.OnDurable(func() {
		if d := j.Durable(); d <= last.Load() {
			t.Errorf("durable %d after %d", d, last.Load())
		}
		last.Store(j.Durable())
		calls.Add(1)
	})
	appendAll(j, 1, 100, 7, 20)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if calls.Load() < 10 || last.Load() != 100 || j.Stats().Syncs != calls.Load() {
		t.Errorf("%d calls, last %d, %d syncs", calls.Load(), last.Load(), j.Stats().Syncs)
	}
	if err := j.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

// TestHealed says once that the disk fails and once that it is well again.
func TestHealed(t *testing.T) {
	m := newMemFS()
	notices := make(chan Notice, 10)
	j, _, err := Open("l", Options{FS: m, Retry: time.Millisecond, Notify: func(n Notice) { notices <- n }})
	if err != nil {
		t.Fatal(err)
	}
	m.setFail(func(opKind) error { return syscall.EIO })
	appendAll(j, 1, 5, 5, 5)
	if n := <-notices; !errors.Is(n.Err, syscall.EIO) {
		t.Errorf("%+v", n)
	}
	m.setFail(nil)
	waitDurable(t, j, 5)
	if n := <-notices; n.Err != nil || !strings.Contains(n.Text, "can be written again") {
		t.Errorf("%+v", n)
	}
	if err := j.Close(); err != nil || len(notices) != 0 || j.Err() != nil {
		t.Error(err, len(notices), j.Err())
	}
}

// TestPostponed reports a compaction that has no room, goes on without, and
// tries again when the file has doubled.
func TestPostponed(t *testing.T) {
	m := newMemFS()
	var failed, done atomic.Int32
	j, _, err := Open("l", Options{FS: m, CompactBytes: 8 << 10, Notify: func(n Notice) {
		if n.Err != nil && strings.Contains(n.Err.Error(), "could not be compacted: no space left") {
			failed.Add(1)
		} else if n.Err == nil {
			done.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	m.setFail(func(k opKind) error {
		if k == opCreate {
			return syscall.ENOSPC
		}
		return nil
	})
	for seq := uint64(1); seq <= 1000; seq += 20 {
		appendAll(j, seq, seq+19, 10, 20)
		waitDurable(t, j, seq+19)
	}
	if n := failed.Load(); n < 2 || n > 8 || j.Err() != nil {
		t.Errorf("%d attempts for %d bytes, %v", n, j.Stats().Bytes, j.Err())
	}
	m.setFail(nil)
	for seq := uint64(1001); done.Load() == 0 && seq < 20000; seq += 20 {
		appendAll(j, seq, seq+19, 10, 20)
		waitDurable(t, j, seq+19)
	}
	if err := j.Close(); err != nil || done.Load() == 0 {
		t.Error(err, "no compaction after there was room again")
	}
}
