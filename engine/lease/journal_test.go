package lease

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/tools/allocs"
)

// numbered is a record that carries its sequence number: Starts is it.
func numbered(seq uint64, addresses int) batch.Lease {
	n := proto.Addr(seq % uint64(addresses))
	l := batch.Lease{Seq: seq, Addr: proto.AddrOf(10, 0, 0, 0) + n, State: batch.LeaseActive, HW: ether(byte(n)),
		Starts: int64(seq), Ends: noon + 600, CLTT: int64(seq)}
	l.VendorLen = byte(copy(l.Vendor[:], "PXEClient:Arch:00007:UNDI:003001"))
	return l
}

// appendAll appends records from to to, waiting where the queue is full.
func appendAll(j *Journal, from, to uint64, addresses, size int) {
	var l batch.Leases
	for seq := from; seq <= to; {
		l.N = 0
		for ; seq <= to && l.N < size; seq++ {
			l.List[l.N] = numbered(seq, addresses)
			l.N++
		}
		for !j.Append(&l) {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

func waitDurable(t testing.TB, j *Journal, seq uint64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); j.Durable() < seq; time.Sleep(200 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("durable %d, want %d; %v", j.Durable(), seq, j.Err())
		}
	}
}

// lost returns the addresses whose recovered record is older than the last one
// acknowledged.
func lost(r *Recovered, acked uint64, addresses int) (bad []string) {
	got := map[proto.Addr]int64{}
	for _, l := range r.Leases {
		got[l.Addr] = l.Starts
	}
	for seq := max(1, int64(acked)-int64(addresses)+1); seq <= int64(acked); seq++ {
		l := numbered(uint64(seq), addresses)
		if got[l.Addr] < seq {
			bad = append(bad, fmt.Sprintf("%v: %d < %d", l.Addr, got[l.Addr], seq))
		}
	}
	return bad
}

func TestAppendAndReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "var", "dhcpd.leases")
	j, r, err := Open(path, Options{})
	if err != nil || len(r.Leases) != 0 {
		t.Fatal(r, err)
	}
	appendAll(j, 1, 1000, 300, 100)
	if err := j.Close(); err != nil || j.Durable() != 1000 {
		t.Fatal(j.Durable(), err)
	}
	j, r, err = Open(path, Options{})
	if err != nil || len(r.Leases) != 300 || r.Records != 1000 || len(r.Warnings) != 0 {
		t.Fatalf("%d leases of %d records, %v, %v", len(r.Leases), r.Records, r.Warnings, err)
	}
	defer j.Close()
	if bad := lost(r, 1000, 300); bad != nil {
		t.Error(bad)
	}
	if got := j.Leases(); len(got) != 300 || !slices.Equal(got, r.Leases) {
		t.Errorf("%d leases in the replica", len(got))
	}
	if st := j.Stats(); st.Bytes != r.Bytes || st.Live == 0 || st.Live >= st.Bytes {
		t.Errorf("%+v", st)
	}
}

// TestSecondJournal refuses a second daemon and names the first.
func TestSecondJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcpd.leases")
	j, _, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Open(path, Options{})
	var held *LockedError
	if !errors.As(err, &held) || held.PID != fmt.Sprint(os.Getpid()) || held.Path != path {
		t.Errorf("%v", err)
	}
	if err != nil && !strings.Contains(err.Error(), "in use by process "+fmt.Sprint(os.Getpid())) {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, _, err = Open(path, Options{}); err != nil {
		t.Fatal("after Close:", err)
	}
	j.Close()
}

// TestOpenErrors are the messages for a place that cannot be used.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"directory of":          filepath.Join(plain, "dhcpd.leases"),
		"is a directory":        dir,
		"cannot be locked: no ": "/proc/bootstorm.leases",
	} {
		if _, _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRepair opens files with a torn end and with damage.
func TestRepair(t *testing.T) {
	var whole []byte
	for seq := uint64(1); seq <= 3; seq++ {
		l := numbered(seq, 10)
		whole = AppendRecord(whole, &l)
	}
	for _, c := range []struct {
		name, text    string
		kept          int
		copied, fresh bool
	}{
		{"torn", string(whole) + "lease 10.0.0.9 {\n  sta", 3, false, false},
		{"no newline", strings.TrimSpace(string(whole)), 3, false, false},
		{"torn comment", string(whole) + "# comm", 3, false, false},
		{"damaged", string(whole) + "garbage;\n" + strings.ReplaceAll(string(whole), "10.0.0", "10.0.1"), 6, true, true},
		{"first record torn", "lease 10.0.0.9 {\n  sta", 0, false, false},
	} {
		path := filepath.Join(t.TempDir(), "dhcpd.leases")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		j, r, err := Open(path, Options{})
		if err != nil || len(r.Leases) != c.kept {
			t.Fatal(c.name, r, err)
		}
		appendAll(j, 8, 8, 10, 1)
		if err := j.Close(); err != nil {
			t.Fatal(c.name, err)
		}
		again, err := Read(path)
		if err != nil || len(again.Leases) != c.kept+1 || len(again.Warnings) != 0 {
			t.Errorf("%s: %+v %v", c.name, again, err)
		}
		saved, err := os.ReadFile(path + damagedSuffix)
		if c.copied != (err == nil) || c.copied && string(saved) != c.text {
			t.Errorf("%s: copy %q %v", c.name, saved, err)
		}
	}
}

// TestTakeOver opens a file of dhcpd, compacts it, and finds everything in it
// that means something to dhcpd only.
func TestTakeOver(t *testing.T) {
	text, err := os.ReadFile("testdata/dhcpd-4.4.leases")
	if err != nil {
		t.Fatal(err)
	}
	m := newMemFS()
	m.names["l"] = &inode{data: append(text, "junk; lease 192.168.1.77 { binding state free; }\n"...)}
	j, r, err := Open("l", Options{FS: m})
	if err != nil || !r.Damaged {
		t.Fatal(r, err)
	}
	renewed := batch.Leases{N: 1}
	renewed.List[0] = batch.Lease{Seq: 1, Addr: proto.AddrOf(192, 168, 1, 50), State: batch.LeaseActive, HW: ether(1)}
	j.Append(&renewed)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got := string(m.names["l"].data)
	for _, part := range []string{"server-duid \"", "host omapi1 {\n  dynamic;", "group g1 {", "billing subclass \"agents\" 01:02:03",
		"option agent.circuit-id 65:74:68:30:2f:31:1;", "set b = true;", "set seen = \"yes\";", "on expiry {\n    set gone = \"yes\" ;\n  }"} {
		if !strings.Contains(got, part) {
			t.Errorf("lost: %s", part)
		}
	}
	if again := parse([]byte(got), noon); len(again.Leases) != len(r.Leases) || again.Damaged {
		t.Errorf("%+v\n%s", again, got)
	}
	if string(m.names["l"+damagedSuffix].data[:len(text)]) != string(text) {
		t.Error("the damaged file is not kept")
	}
}

// TestEveryCrash stops a journal with compactions after every single operation
// in each way, and demands every acknowledged lease back.
func TestEveryCrash(t *testing.T) {
	const addresses = 20
	m := newMemFS()
	j, _, err := Open("l", Options{FS: m, CompactBytes: 12 << 10, GroupRecords: 16})
	if err != nil {
		t.Fatal(err)
	}
	j.OnDurable(func() { m.ack(j.Durable()) })
	for seq := uint64(1); seq <= 400; seq += 10 {
		appendAll(j, seq, seq+9, addresses, 10)
		waitDurable(t, j, seq)
	}
	if err := j.Close(); err != nil || j.Stats().Compactions < 2 {
		t.Fatal(j.Stats(), err)
	}
	var acked uint64
	for k, o := range m.trace {
		if o.kind == opAck {
			acked = uint64(o.size)
		}
		for _, c := range crashes {
			found := m.after(k+1, c)
			j, r, err := Open("l", Options{FS: found})
			if err != nil {
				t.Fatalf("after operation %d, %s: %v", k, c.name, err)
			}
			if bad := lost(r, acked, addresses); bad != nil || r.Damaged {
				t.Fatalf("after operation %d, %s: damaged %v, lost %v", k, c.name, r.Damaged, bad)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCompactionUnderLoad holds up each background step of a compaction, the
// copy, the long sync and the directory's sync, until further leases have been
// acknowledged: none of them stalls the acknowledgements.
func TestCompactionUnderLoad(t *testing.T) {
	const addresses = 2000 // more than one chunk of text
	m := newMemFS()
	var running atomic.Pointer[Journal]
	var side, held atomic.Int32
	overtaken := func(o op) {
		j := running.Load()
		before := j.Durable()
		for end := time.Now().Add(5 * time.Second); j.Durable() < before+100; time.Sleep(50 * time.Microsecond) {
			if time.Now().After(end) {
				t.Errorf("operation %d of the compaction stalls the journal", o.kind)
				return
			}
		}
		held.Add(1)
	}
	m.delay = func(o op) {
		ours := o.inode == int(side.Load())
		switch step := held.Load(); {
		case running.Load() == nil || step == 3:
		case o.kind == opCreate:
			side.Store(int32(o.inode))
		case step == 0 && o.kind == opWrite && ours, step == 1 && o.kind == opSync && ours, step == 2 && o.kind == opSyncDir:
			overtaken(o)
		}
	}
	var compacted atomic.Int32
	j, _, err := Open("l", Options{FS: m, CompactBytes: 256 << 10, GroupRecords: 32, Notify: func(n Notice) {
		if n.Err == nil && strings.HasPrefix(n.Text, "lease file compacted: ") {
			compacted.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	running.Store(j)
	seq := uint64(0)
	for ; j.Stats().Compactions < 2 && seq < 200000; seq += 1000 {
		appendAll(j, seq+1, seq+1000, addresses, 64)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if st := j.Stats(); st.Compactions < 2 || int(compacted.Load()) != int(st.Compactions) || held.Load() != 3 {
		t.Errorf("%d compactions, %d noticed, %d steps overtaken", st.Compactions, compacted.Load(), held.Load())
	}
	r := parse(m.names["l"].data, noon)
	if bad := lost(r, seq, addresses); bad != nil || len(r.Leases) != addresses || r.Records == int(seq) {
		t.Errorf("%d leases of %d records, lost %v", len(r.Leases), r.Records, bad)
	}
}

// TestAppendAllocations: the worker's side allocates nothing.
func TestAppendAllocations(t *testing.T) {
	j, _, err := Open("l", Options{FS: newMemFS(), QueueRecords: 1 << 15, GroupRecords: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	r := newRing(1 << 15)
	idle := &Journal{ring: r, wake: make(chan struct{}, 1)}
	l := batch.Leases{N: 100}
	got := allocs.Of(func() {
		for range 150 {
			idle.Append(&l)
		}
		r.drop(r.len())
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// BenchmarkAppend is the worker's side of a lease: a batch goes into the ring.
// Nothing writes meanwhile.
func BenchmarkAppend(b *testing.B) {
	r := newRing(1 << 10)
	idle := &Journal{ring: r, wake: make(chan struct{}, 1)}
	l := batch.Leases{N: 64}
	for b.Loop() {
		idle.Append(&l)
		if r.len() > 1<<9 {
			r.drop(r.len())
		}
	}
}

// BenchmarkCommit is leases per second with a real fdatasync per group.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(size, " per batch"), func(b *testing.B) {
			j, _, err := Open(filepath.Join(b.TempDir(), "dhcpd.leases"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			seq := uint64(0)
			for b.Loop() {
				appendAll(j, seq+1, seq+uint64(size), 1000, size)
				seq += uint64(size)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			st := j.Stats()
			b.ReportMetric(float64(st.Records)/b.Elapsed().Seconds(), "leases/s")
			b.ReportMetric(float64(st.Records)/float64(max(st.Syncs, 1)), "leases/sync")
		})
	}
}
