package bench

import (
	"fmt"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// What passes between iPXE's first DISCOVER and its first request for a file, as it
// was measured with the real one: some 16 s where nobody says that there is neither a
// router nor a proxy, 3 s where an advertisement says the first, milliseconds where an
// option says the second, too.
func TestIPXEIsToldOfNoRouter(t *testing.T) {
	const noRouter, noProxy = "ipv6-router-advertisement off;", "boot-hints off;"
	for _, c := range []struct {
		name, off   string
		fresh       bool
		least, most time.Duration
	}{
		{"neither", noRouter + noProxy, false, 15750 * time.Millisecond, 16 * time.Second},
		{"no proxy", noRouter, false, 15750 * time.Millisecond, 16 * time.Second},
		{"no router", noProxy, false, 3 * time.Second, 3100 * time.Millisecond},
		{"both", "", false, 50 * time.Microsecond, 50 * time.Millisecond},
		{"neither, iPXE 2.0", noRouter + noProxy, true, 3875 * time.Millisecond, 3900 * time.Millisecond},
		{"both, iPXE 2.0", "", true, 50 * time.Microsecond, 50 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{Nodes: 20, Seed: 1, Waits: true, IPv6: true, Fresh: c.fresh}
			r := simulate(t, config, widePool, c.off, Simulation{Rate: 1e9})
			wantOK(t, r)
			var took time.Duration
			for _, p := range r.Phases {
				if p.Name == "iPXE DHCP" || p.Name == "iPXE waiting for a router" {
					took += p.Max
				}
			}
			if took < c.least || took > c.most {
				t.Errorf("%s, want %s to %s\n%+v", took, c.least, c.most, r.Phases)
			}
		})
	}
}

// The schedule of solicitations, and that they are sound: the core's parser takes
// them.
func TestSolicitations(t *testing.T) {
	for _, c := range []struct {
		fresh bool
		want  []int64
		ends  int64
	}{
		{false, []int64{0, 250, 750, 1750, 3750, 7750}, 15750},
		{true, []int64{0, 125, 375, 875, 1875}, 3875},
	} {
		t.Run(fmt.Sprintf("fresh %v", c.fresh), func(t *testing.T) {
			s, err := NewStorm(Config{Nodes: 1, Waits: true, IPv6: true, Fresh: c.fresh}, testContents())
			if err != nil {
				t.Fatal(err)
			}
			n := &s.nodes[0]
			n.on, n.at, n.limit = true, stepOf(t, n, stepRouter), never
			n.seekRouter(0)
			var at []int64
			now := int64(0)
			for n.seek.deadline != never {
				var q proto.Solicit
				if s.out.Len() != 1 || !proto.ParseSolicit(&q, s.out.Frame(0), true) || q.MAC != n.mac || q.Src != proto.LinkLocal(n.mac) {
					t.Fatalf("%d frames, %+v", s.out.Len(), q)
				}
				at = append(at, now/batch.Millisecond)
				s.out.Reset()
				now = n.seek.deadline
				before := n.at
				n.expire(now)
				if n.at != before {
					break
				}
			}
			if fmt.Sprint(at) != fmt.Sprint(c.want) || now != c.ends*batch.Millisecond {
				t.Errorf("solicitations at %v ms, the end at %d ms; want %v, %d", at, now/batch.Millisecond, c.want, c.ends)
			}
		})
	}
}

// stepOf is the index of a node's first step of a kind.
func stepOf(t *testing.T, n *node, kind stepKind) int {
	t.Helper()
	for i := range n.steps {
		if n.steps[i].kind == kind {
			return i
		}
	}
	t.Fatal("no such step")
	return 0
}

// Only a sound advertisement without flags ends the search, and only that of its
// node, or of all.
func TestAdvertisementsThatEndTheSearch(t *testing.T) {
	s, err := NewStorm(Config{Nodes: 3, Waits: true, IPv6: true}, testContents())
	if err != nil {
		t.Fatal(err)
	}
	seeking := func() (n int) {
		for i := range s.nodes {
			if s.nodes[i].seek.deadline != never {
				n++
			}
		}
		return n
	}
	begin := func() {
		for i := range s.nodes {
			s.nodes[i].on, s.nodes[i].limit = true, never
			s.nodes[i].seekRouter(0)
		}
		s.out.Reset()
	}
	advert := func(to proto.MAC, change int, v byte) []byte {
		var b [proto.AdvertLen]byte
		proto.PutAdvert(&b, serverMAC, to, proto.AllNodes)
		if change > 0 {
			b[change] = v
		}
		return b[:]
	}
	all := proto.GroupMAC(proto.AllNodes)
	withFlag := func(flag byte) []byte {
		b := advert(all, 59, flag)
		put16(b[56:], 0)
		put16(b[56:], ^proto.Fold(sumICMPv6(b)))
		return b
	}
	for _, c := range []struct {
		name  string
		frame []byte
		left  int
	}{
		{"for one node", advert(s.nodes[1].mac, 0, 0), 2},
		{"for all", advert(all, 0, 0), 0},
		{"for nobody here", advert(proto.MAC{2, 2, 2, 2, 2, 2}, 0, 0), 3},
		{"damaged", advert(all, 60, 7), 3},
		{"of another kind", advert(all, 54, 135), 3},
		{"through a router", advert(all, 21, 64), 3},
		{"cut off", advert(all, 0, 0)[:60], 3},
		{"longer than it is", advert(all, 19, 200), 3},
		{"with DHCPv6 for addresses", withFlag(0x80), 3},
		{"with DHCPv6 for other things", withFlag(0x40), 3},
	} {
		begin()
		s.Receive(1, c.frame, true)
		if n := seeking(); n != c.left {
			t.Errorf("%s: %d still search, want %d", c.name, n, c.left)
		}
	}
}

// Without pauses nobody asks for a router: those frames are no part of a boot that
// is measured frame by frame. Nor does iPXE for BIOS, which has no IPv6.
func TestWhoSeeksNoRouter(t *testing.T) {
	for _, c := range []Config{{IPv6: true}, {Waits: true}, {Waits: true, IPv6: true, Clients: mix(t, "rom=1")}} {
		c.Nodes = 1
		s, err := NewStorm(c, testContents())
		if err != nil {
			t.Fatal(err)
		}
		if s.nodes[0].seeks() {
			t.Errorf("%+v", c)
		}
	}
}
