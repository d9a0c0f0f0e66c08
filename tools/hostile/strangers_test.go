package hostile

import (
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/proto"
)

// strangers is more transfers than the server has.
const strangers = 20_000

// Clients that do not exist take all transfers that they can get, acknowledge the
// first answer, so that no request of others ends them, and then say nothing. Nodes
// with a lease have what is kept for them, and boot.
func TestNodesBootThoughStrangersHoldTransfers(t *testing.T) {
	const nodes = 40
	for _, c := range []struct {
		name, conf string
		boot       bool
		limit      time.Duration
	}{{"as installed", "", true, patience / 2}, {"known-clients-first off", "known-clients-first off;\n", false, 2 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.conf+silentConf)
			enemy, _ := s.attach("enemy")
			s.must(hoard(enemy, strangers))
			begin := time.Now()
			r := s.storm(bench.Config{Nodes: nodes, Sequence: bench.Guide, Seed: 1, Limit: int64(c.limit)})
			if (r.Done == nodes) != c.boot {
				t.Errorf("%d of %d nodes booted: %+v", r.Done, nodes, r.Failures)
			}
			took := time.Since(begin).Round(time.Millisecond)
			kept, held := s.counter("tftp_kept_for_known", 3*r.Done), s.counter("tftp_started", 3*r.Done)-3*r.Done
			if full := s.counter("tftp_table_full", 3*r.Done); c.conf == "" && (kept < strangers-16_384 || full > 0) {
				t.Errorf("%d requests of strangers met silence for the sake of nodes, and %d of nodes", kept, full)
			}
			t.Logf("%d of %d nodes booted in %v beside %d transfers of strangers", r.Done, nodes, took, held)
		})
	}
}

// hoard begins n transfers, each of another client, and acknowledges the first
// answer of each.
func hoard(c *segment.Conn, n int) error {
	begin := time.Now()
	for i := range n {
		a, port := proto.AddrOf(10, 200, byte(i>>8), byte(i)), uint16(1024+i%60_000)
		for _, payload := range []string{"\x00\x01kernel\x00octet\x00blksize\x008\x00", "\x00\x04\x00\x00"} {
			var head [proto.HeadersLen]byte
			b := []byte(payload)
			proto.PutHeaders(&head, proto.MAC{0x0e, 1, 0, byte(i >> 8), byte(i), 9}, proto.Broadcast, a, proto.AddrOf(10, 0, 0, 1), port, proto.PortTFTP, 0, len(b))
			proto.FinishUDP(&head, b, nil)
			for !c.Queue(append(head[:], b...)) {
				if err := c.Flush(); err != nil {
					return err
				}
			}
		}
		if i%16 == 15 {
			if err := c.Flush(); err != nil {
				return err
			}
			if _, err := c.Receive(func([]byte, bool) {}); err != nil {
				return err
			}
			if due := begin.Add(time.Duration(i) * 80 * time.Microsecond); time.Until(due) > time.Millisecond {
				time.Sleep(time.Until(due))
			}
		}
	}
	return c.Flush()
}
