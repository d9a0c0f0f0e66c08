package bench

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// crowdPool is a network with room for a hundred thousand and more.
var crowdPool = pool{"10.0.0.0", "255.0.0.0", "10.16.0.0", "10.19.255.255", 8}

// crowdServer is Node 0 in that network.
var crowdServer = proto.AddrOf(10, 0, 0, 1)

// A crowd gets its addresses though frames are lost: each its own, none refused.
func TestCrowd(t *testing.T) {
	const nodes = 100_000
	r := crowd(t, nodes)
	wantOK(t, r)
	if r.Addresses != nodes || r.NAKs != 0 || r.Repeated.DHCP() == 0 {
		t.Errorf("%d addresses, %d NAKs, %+v", r.Addresses, r.NAKs, r.Repeated)
	}
}

// crowd boots nodes to their address over a link that loses 2 % each way. All
// models take part.
func crowd(t testing.TB, nodes int) *Result {
	t.Helper()
	files := testContents()
	k, link := newCoreAt(t, guideConf(crowdPool, ""), crowdPool.bits, crowdServer, files)
	m, err := ParseMix("edk2=7,rom=2,uboot=1")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Nodes: nodes, Sequence: DORA, Clients: m, Ramp: batch.Second, Seed: 5, Link: Impairment{Loss: 0.02}}
	s, err := NewStorm(c, files)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Simulate(s, k, Simulation{Link: link, Rate: 1e10}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
