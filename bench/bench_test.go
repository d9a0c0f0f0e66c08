package bench

import (
	"testing"

	"bootstorm/engine/core"
)

// BenchmarkBoot is 20 boots the guide's way, firmware to rEFInd's last byte, in virtual
// time, at once, with the work of the nodes themselves.
func BenchmarkBoot(b *testing.B) {
	const nodes = 20
	files := testContents()
	c, link := coreConfig(b, guideConf(widePool, ""), widePool.bits, serverAddr, files)
	c.Transfer.Transfers, c.HoldBytes = 4*nodes, 64<<10 // a core for few is made quickly
	s, err := NewStorm(Config{Nodes: nodes, Boots: b.N, Seed: 1}, files)
	if err != nil {
		b.Fatal(err)
	}
	k := core.New(c)
	b.ResetTimer()
	r, err := Simulate(s, k, Simulation{Link: link, Rate: 1e9}, 0, nil)
	if err != nil || !r.OK() {
		b.Fatalf("%v, %+v", err, r)
	}
}
