package crash

import (
	"bufio"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// many is the leases of TestRestart and BenchmarkRestart.
const many = 100_000

// manyMAC is the node of a lease.
func manyMAC(i int) proto.MAC { return proto.MAC{0x52, 0x54, 1, byte(i >> 16), byte(i >> 8), byte(i)} }

// writeMany makes a lease file with many leases in force.
func (s *site) writeMany() {
	s.Helper()
	f, err := os.Create(s.leases)
	s.must(err)
	w := bufio.NewWriterSize(f, 1<<20)
	now := time.Now().Unix()
	var text []byte
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(many) { // as storms leave them: in no order
		l := batch.Lease{Addr: proto.AddrOf(10, 1, 0, 0) + proto.Addr(i), State: batch.LeaseActive, HW: dhcp.HW{Type: 1, Len: 6},
			Starts: now, Ends: now + 43200, CLTT: now}
		mac := manyMAC(i)
		copy(l.HW.Addr[:], mac[:])
		l.VendorLen = byte(copy(l.Vendor[:], "PXEClient:Arch:00007:UNDI:003001"))
		text = lease.AppendRecord(text[:0], &l)
		_, err := w.Write(text)
		s.must(err)
	}
	s.must(w.Flush())
	s.must(f.Close())
}

// TestRestart starts on 100,000 leases: it becomes ready, and nodes come back to
// the addresses that they had. How long it takes is BenchmarkRestart's concern.
func TestRestart(t *testing.T) {
	s := newSite(t, poolConf)
	s.writeMany()
	begin := time.Now()
	s.serve()
	t.Logf("ready after %v", time.Since(begin))
	s.said("leases: 100000 in ")
	nodes := map[proto.MAC]proto.Addr{}
	for i := 0; i < many; i += 997 {
		nodes[manyMAC(i)] = proto.AddrOf(10, 1, 0, 0) + proto.Addr(i)
	}
	c := newCrowd()
	if got := s.ask(c, nodes, patience); got != len(nodes) || c.wrong != nil {
		t.Errorf("%d of %d nodes came back, wrong: %v", got, len(nodes), c.wrong)
	}
}

// BenchmarkRestart is the time from the start of the process to "ready" with
// 100,000 leases, after kill -9.
func BenchmarkRestart(b *testing.B) {
	s := newSite(b, poolConf)
	s.writeMany()
	for b.Loop() {
		s.serve()
		b.StopTimer()
		s.kill()
		b.StartTimer()
	}
}
