package bench

import (
	"bytes"
	"strings"
	"testing"
)

// linkContents is the guide's, with programs of a quarter of their real sizes.
func linkContents() (files *Contents, wire int64) {
	script := "#!ipxe\nimgfetch --name refind.conf tftp://${next-server}/refind.conf\nchain tftp://${next-server}/refind_x64.efi\n"
	sizes := []struct {
		name      string
		size, blk int
	}{{"ipxe.efi", 225_000, 1468}, {"refind_x64.efi", 67_500, 1432}, {"refind.conf", 133, 1432}}
	list := []*File{{Name: "refind.pxe", Data: []byte(script)}}
	wire = FileFrames(len(script), 1432, overhead)
	for _, s := range sizes {
		list = append(list, &File{Name: s.name, Data: bytes.Repeat([]byte("boot!"), s.size/5+1)[:s.size]})
		wire += FileFrames(s.size, s.blk, overhead)
	}
	return NewContents(list...), wire
}

// TestLink has a crowd of nodes load the guide's files over a link that is the
// bottleneck: it is used to the full, nodes end one after the other, and nobody
// gives up while he waits. cmd/bench link measures the same on a real queue.
func TestLink(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes int
		rate  int64
	}{{"1 Gbit/s", 1000, 1e9}, {"100 Mbit/s", 1000, 1e8}} {
		t.Run(c.name, func(t *testing.T) {
			files, wire := linkContents()
			k, link := newCore(t, guideConf(widePool, ""), widePool.bits, files)
			s, err := NewStorm(Config{Nodes: c.nodes}, files)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Simulate(s, k, Simulation{Link: link, Rate: c.rate}, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantOK(t, r)
			u := r.OnLink(float64(c.rate), wire*int64(c.nodes), 0)
			var b strings.Builder
			u.Write(&b)
			t.Log(b.String())
			if !u.OK() {
				t.Error("a bar is missed")
			}
		})
	}
}
