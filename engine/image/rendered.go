package image

import "bootstorm/proto"

// Rendered is what the templates of a generation have become for each node: the
// files that only one client gets. It is immutable; the cold side makes another
// when something changes, and transfers keep the files that they began with.
type Rendered struct {
	nodes []*Node // open addressing by address, at most half full
}

// Node is the files of one node.
type Node struct {
	Addr  proto.Addr // under which it asks
	MAC   proto.MAC  // and from which hardware; zero: from whichever, as behind a relay
	Files []File     // few; one whose Template is set could not be filled in
}

// NewRendered makes a table of nodes, whose addresses differ.
func NewRendered(nodes []*Node) *Rendered {
	n := 2
	for n < 2*len(nodes) {
		n *= 2
	}
	r := &Rendered{nodes: make([]*Node, n)}
	for _, node := range nodes {
		i := r.home(node.Addr)
		for r.nodes[i] != nil {
			i = (i + 1) & (n - 1)
		}
		r.nodes[i] = node
	}
	return r
}

// home is where the search for an address begins. Those of a subnet differ in
// their low bits, and only the server adds any.
func (r *Rendered) home(a proto.Addr) int {
	return int(uint32(a)*2654435769>>8) & (len(r.nodes) - 1)
}

// Find returns a node's file by the name that Set has it under, nil if there is
// none. It may be called on a nil Rendered, which has none.
func (r *Rendered) Find(a proto.Addr, mac proto.MAC, name string) *File {
	if r == nil {
		return nil
	}
	i := r.home(a)
	for r.nodes[i] != nil && r.nodes[i].Addr != a {
		i = (i + 1) & (len(r.nodes) - 1)
	}
	n := r.nodes[i]
	if n == nil || n.MAC != mac && n.MAC != (proto.MAC{}) {
		return nil
	}
	for k := range n.Files {
		if n.Files[k].Name == name {
			return &n.Files[k]
		}
	}
	return nil
}
