package bench

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
)

// TestReloadInStorm reloads twenty times while nodes ask for addresses and load
// files, each time with another pool and another generation of files. Nobody
// notices: no message is sent twice, no byte is wrong, and the last node is ready
// when it would have been.
func TestReloadInStorm(t *testing.T) {
	const nodes = 300
	storm := func(reloads int) *Result {
		files := testContents()
		k, link := newCore(t, guideConf(widePool, ""), widePool.bits, files)
		s, err := NewStorm(Config{Nodes: nodes, Seed: 3, Ramp: 20 * batch.Millisecond}, files)
		if err != nil {
			t.Fatal(err)
		}
		m := Simulation{Link: link, Rate: 1e9}
		done := 0
		for i := range reloads {
			m.Reloads = append(m.Reloads, int64(i+1)*7*batch.Millisecond)
		}
		m.Reload = func(now batch.Time, old *core.Core) *core.Core {
			done++
			p := widePool
			p.last = []string{"192.168.19.231", "192.168.20.231", "192.168.31.255"}[done%3]
			fresh := reloaded(t, guideConf(p, ""), uint32(done+1), link, files)
			old.Replace(now, fresh)
			return fresh
		}
		r, err := Simulate(s, k, m, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantOK(t, r)
		if done != reloads || r.NAKs != 0 || r.Addresses != nodes {
			t.Errorf("%d reloads of %d, %d NAKs, %d addresses", done, reloads, r.NAKs, r.Addresses)
		}
		return r
	}
	without, with := storm(0), storm(20)
	if with.Repeated != without.Repeated || with.Repeated != (Repeated{}) || with.Duplicates != 0 {
		t.Errorf("repeated %+v with reloads, %+v without, %d blocks twice", with.Repeated, without.Repeated, with.Duplicates)
	}
	if with.LastNode > without.LastNode*101/100 || with.LastNode < 140*1e6 {
		t.Errorf("the last node after %v with reloads, %v without", with.LastNode, without.LastNode)
	}
}

// reloaded makes a core as a reload does.
func reloaded(t *testing.T, conf string, generation uint32, link plan.Link, files *Contents) *core.Core {
	t.Helper()
	p, findings := compile.Compile(config.ParseText("dhcpd.conf", []byte(conf), config.Options{}))
	if p == nil {
		t.Fatal(findings)
	}
	var served []image.File
	for _, f := range files.files {
		served = append(served, image.File{Name: f.Name, Data: f.Data, NetasciiSize: image.NetasciiSize(f.Data)})
	}
	return core.New(core.Config{Plan: p, Files: image.Build(generation, "/srv/tftp", served), Links: []plan.Link{link}})
}
