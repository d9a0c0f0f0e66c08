package crash

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/proto"
)

const (
	newNodes = 150 // that each storm brings
	oldNodes = 150 // that each storm has come back
)

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestKills kills the daemon at a random moment of a storm, again and again on
// one lease file. Each time what the clients were told is on the disk and in the
// daemon that comes after, and who had an ACK never gets a NAK. Who had an offer
// only may begin anew: the closing line counts them.
func TestKills(t *testing.T) {
	kills, seed := setting(t, "KILLS", 20), setting(t, "SEED", uint64(time.Now().UnixNano()))
	t.Logf("SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s := newSite(t, "dhcp-cache-threshold 0;\n"+poolConf)
	c := newCrowd()
	s.serve()
	var ready time.Duration
	for k := range kills {
		storm(t, s, c, random, k)
		s.drain(c) // what it had sent, it had promised
		c.killed()
		if bad := c.missing(s.leases); bad != nil {
			t.Fatalf("after kill %d of %d leases: %d faults: %v", k+1, len(c.address), len(bad), bad[:min(9, len(bad))])
		}
		begin := time.Now()
		s.serve()
		ready = max(ready, time.Since(begin))
		s.askOn(c)
		back := c.some(400)
		if got := s.ask(c, back, patience); got != len(back) || c.wrong != nil {
			t.Fatalf("after kill %d: %d of %d nodes came back, wrong: %v", k+1, got, len(back), c.wrong)
		}
	}
	// At the end everybody comes back.
	all := c.some(len(c.address))
	if got := s.ask(c, all, 4*patience); got != len(all) || c.wrong != nil || len(all) < int(kills)*5 {
		t.Errorf("%d of %d nodes came back, wrong: %v", got, len(all), c.wrong)
	}
	if bad := c.missing(s.leases); bad != nil {
		t.Errorf("at the end: %v", bad)
	}
	t.Logf("%d kills, %d nodes with a lease, %d ACKs seen, slowest start to ready %v; %s", kills, len(c.address), c.acks, ready, c.restarts())
}

// storm lets nodes boot, new ones and ones that have been there, and kills the
// server at a random moment after the first of them got an ACK.
func storm(t *testing.T, s *site, c *crowd, random *rand.Rand, k uint64) {
	t.Helper()
	sequence := bench.DORA
	if k%4 == 3 {
		sequence = bench.Guide
	}
	first := k * newNodes
	config := bench.Config{Nodes: newNodes + oldNodes, Sequence: sequence, Seed: random.Uint64(), Ramp: int64(400 * time.Millisecond),
		First: proto.MAC{0x52, 0x54, 0, byte(first >> 16), byte(first >> 8), byte(first)}}
	nodes, err := bench.NewStorm(config, contents())
	s.must(err)
	before, after := c.acks, time.Duration(random.Int64N(int64(450*time.Millisecond)))
	var begun time.Duration
	s.run(nodes, c, func(now time.Duration) bool {
		if now > patience {
			t.Fatalf("no ACK in a storm:\n%s", s.server.Output())
		}
		if begun == 0 && c.acks > before {
			begun = now
		}
		return begun > 0 && now-begun >= after
	})
	s.kill()
}

// some picks nodes that have an address, in no order.
func (c *crowd) some(n int) map[proto.MAC]proto.Addr {
	out := map[proto.MAC]proto.Addr{}
	for mac, addr := range c.address {
		if len(out) == n {
			break
		}
		out[mac] = addr
	}
	return out
}
