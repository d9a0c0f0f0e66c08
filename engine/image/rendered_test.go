package image

import (
	"testing"

	"bootstorm/proto"
)

func TestRendered(t *testing.T) {
	mac := proto.MAC{2, 0, 0, 0, 0, 1}
	var nodes []*Node
	for i := range 5000 { // those of two subnets
		a := proto.AddrOf(10, byte(i%2), byte(i>>8), byte(i))
		nodes = append(nodes, &Node{Addr: a, MAC: mac, Files: []File{{Name: "a"}, {Name: "b", Data: []byte(a.String())}}})
	}
	nodes[7].MAC = proto.MAC{}
	r := NewRendered(nodes)
	for _, n := range nodes {
		if f := r.Find(n.Addr, mac, "b"); f == nil || string(f.Data) != n.Addr.String() {
			t.Fatalf("%v: %v", n.Addr, f)
		}
	}
	if r.Find(nodes[3].Addr, proto.MAC{2}, "b") != nil {
		t.Error("another node has got the files of one whose address it uses")
	}
	if r.Find(nodes[7].Addr, proto.MAC{2}, "b") == nil {
		t.Error("a node behind a relay has no files")
	}
	if r.Find(nodes[3].Addr, mac, "c") != nil || r.Find(proto.AddrOf(10, 3, 0, 1), mac, "b") != nil ||
		NewRendered(nil).Find(1, mac, "b") != nil || (*Rendered)(nil).Find(1, mac, "b") != nil {
		t.Error("a file was found that is not there")
	}
}
