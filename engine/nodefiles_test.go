package engine

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	zaptest "go.uber.org/zap/zaptest/observer"

	"bootstorm/engine/batch"
	"bootstorm/engine/fill"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// nodeScript is a template of the size that people write.
const nodeScript = `#!ipxe
# {{.Host}}
set node {{.MACDash}}
kernel http://{{.Server}}/vmlinuz ip={{.Address}}::{{.Gateway}}:{{.Mask}}:{{.Host}}:eth0:off root=LABEL={{.Option "domain-name"}} || shell
initrd http://{{.Server}}/initrd.img
boot
`

// filledSite is a server whose boot files are one template, script.ipxe.
func filledSite(t testing.TB, script, hosts string) (n *nodeFiles, said *zaptest.ObservedLogs) {
	t.Helper()
	setup := compileTree("t.conf", parseText(`subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.1.0 10.0.255.0; option routers 10.0.0.254; option domain-name "lab"; }`+"\n"+hosts))
	if err := setup.Err(); err != nil {
		t.Fatal(err)
	}
	f, err := fill.Parse("/srv/tftp/script.ipxe.tmpl", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	setup.templates = []template{{"script.ipxe", f}}
	core, said := zaptest.New(zap.WarnLevel)
	s := &server{log: zap.New(core), links: []plan.Link{{Addrs: []plan.LinkAddr{{Addr: addr("10.0.0.1"), Mask: addr("255.255.0.0")}}}}}
	return s.newNodeFiles(setup, nil), said
}

// nodeHW is the hardware address of the i-th node.
func nodeHW(i int) dhcp.HW {
	hw := dhcp.HW{Type: 1, Len: 6}
	copy(hw.Addr[:], []byte{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)})
	return hw
}

// has is what a node gets when it asks for the script from an address, "" if nothing.
func has(n *nodeFiles, a proto.Addr, hw dhcp.HW) string {
	f := n.table().Find(a, hw.MAC(), "script.ipxe")
	if f == nil || f.Template {
		return ""
	}
	return string(f.Data)
}

// nobody has leases.
func noLeases() []batch.Lease { return nil }

// What was filled in is the node's with that address, whoever had it before; nobody
// gets what was meant for another, also not from an address that it has left.
func TestFilledFilesFollowTheLease(t *testing.T) {
	n, said := filledSite(t, "{{.MAC}} at {{.Address}}", "")
	first, second := addr("10.0.1.1"), addr("10.0.1.2")
	a, b := nodeHW(1), nodeHW(2)
	if !n.serve([]want{{addr: first, hw: a}}, noLeases) || n.serve([]want{{addr: first, hw: a}}, noLeases) {
		t.Error("a node's files are made once, when it is first heard of")
	}
	if got := has(n, first, a); got != "02:00:00:00:00:01 at 10.0.1.1" {
		t.Errorf("it gets %q", got)
	}
	// It comes back with another address, and its first goes to another node.
	n.serve([]want{{addr: second, hw: a}}, noLeases)
	n.serve([]want{{addr: first, hw: b}}, noLeases)
	for _, c := range []struct {
		at   proto.Addr
		who  dhcp.HW
		want string
	}{{second, a, "02:00:00:00:00:01 at 10.0.1.2"}, {first, b, "02:00:00:00:00:02 at 10.0.1.1"}, {first, a, ""}, {second, b, ""}} {
		if got := has(n, c.at, c.who); got != c.want {
			t.Errorf("%s at %s gets %q, want %q", hwText(c.who), c.at, got, c.want)
		}
	}
	// The addresses are exchanged while both are kept.
	n.serve([]want{{addr: second, hw: b}, {addr: first, hw: a}}, noLeases)
	if x, y := has(n, first, a), has(n, second, b); x != "02:00:00:00:00:01 at 10.0.1.1" || y != "02:00:00:00:00:02 at 10.0.1.2" {
		t.Errorf("exchanged: %q, %q", x, y)
	}
	if len(n.nodes) != 2 || n.order.Len() != 2 || n.bytes != int64(2*len("02:00:00:00:00:01 at 10.0.1.1")) {
		t.Errorf("%d nodes, %d in order, %d bytes", len(n.nodes), n.order.Len(), n.bytes)
	}
	if said.Len() != 0 {
		t.Error(said.All())
	}
}

// Who asks in vain gets the files of whoever the lease of its address names, made
// once; without a lease it gets nothing, and that is told once.
func TestFilledFilesOfWhoAsksInVain(t *testing.T) {
	n, said := filledSite(t, "{{.MAC}}", "host fixed { hardware ethernet 2:0:0:0:0:9; fixed-address 10.0.0.9; }\n")
	if got := has(n, addr("10.0.0.9"), nodeHW(9)); got != "02:00:00:00:00:09" {
		t.Errorf("a declared node has %q from the start", got)
	}
	looked := 0
	leases := func() []batch.Lease {
		looked++
		return []batch.Lease{{Addr: addr("10.0.1.1"), State: batch.LeaseActive, HW: nodeHW(1)}, {Addr: addr("10.0.1.2"), State: batch.LeaseFree, HW: nodeHW(2)}}
	}
	router := nodeHW(77)
	asks := []want{{addr("10.0.1.1"), router, true}, {addr("10.0.1.2"), router, true}, {addr("10.0.1.2"), router, true}}
	if !n.serve(asks, leases) || looked != 1 {
		t.Errorf("the leases were looked at %d times", looked)
	}
	if got := has(n, addr("10.0.1.1"), router); got != "02:00:00:00:00:01" {
		t.Errorf("behind a router, the node whose lease it is gets %q", got)
	}
	if got := has(n, addr("10.0.1.2"), router); got != "" {
		t.Errorf("without a lease: %q", got)
	}
	if said.Len() != 1 || !strings.Contains(said.All()[0].Message, "10.0.1.2 asks for a boot file that is filled in for each node, but has no lease from here") {
		t.Error(said.All())
	}
	// A full table of nobody is looked at once, too.
	looked = 0
	n.serve(asks[1:], func() []batch.Lease { looked++; return nil })
	if looked != 1 {
		t.Errorf("leases of nobody were looked at %d times", looked)
	}
}

// When nodes could not be told of, for want of room, nobody gets what was made for
// whoever had its address before, also where hardware addresses do not tell.
func TestFilledFilesOfAMissedNode(t *testing.T) {
	n, _ := filledSite(t, "{{.MAC}}", "")
	n.local = func(proto.Addr) bool { return false } // all behind relays
	moved, stays, unleased := addr("10.0.1.1"), addr("10.0.1.2"), addr("10.0.1.3")
	n.serve([]want{{addr: moved, hw: nodeHW(1)}, {addr: stays, hw: nodeHW(2)}, {addr: unleased, hw: nodeHW(3)}}, noLeases)
	leases := []batch.Lease{{Addr: moved, State: batch.LeaseActive, HW: nodeHW(9)}, {Addr: stays, State: batch.LeaseActive, HW: nodeHW(2)}}
	if !n.forget(leases) || n.forget(leases) {
		t.Error("nothing is forgotten, or it is forgotten again")
	}
	router := nodeHW(77)
	if x, y, z := has(n, moved, router), has(n, stays, router), has(n, unleased, router); x != "" || y == "" || z == "" {
		t.Errorf("%q, %q, %q", x, y, z)
	}
}

// The files of nodes that were heard of longest ago go first, by their number and by
// their size; who is heard of again stays, and who went has its files again when it
// asks.
func TestFilledFilesMakeRoom(t *testing.T) {
	script := strings.Repeat("x", 60<<10) + "{{.MAC}}"
	n, _ := filledSite(t, script, "")
	fits := nodeBytesMost / (len(script) - len("{{.MAC}}") + len("02:00:00:00:00:00"))
	at := func(i int) proto.Addr { return addr("10.0.1.0") + proto.Addr(i) }
	for i := range fits {
		n.serve([]want{{addr: at(i), hw: nodeHW(i)}}, noLeases)
	}
	if len(n.nodes) != fits || n.bytes > nodeBytesMost {
		t.Fatalf("%d of %d nodes have files, %d bytes", len(n.nodes), fits, n.bytes)
	}
	n.serve([]want{{addr: at(0), hw: nodeHW(0)}, {addr: at(fits), hw: nodeHW(fits)}}, noLeases)
	if has(n, at(0), nodeHW(0)) == "" || has(n, at(fits), nodeHW(fits)) == "" || has(n, at(1), nodeHW(1)) != "" || has(n, at(2), nodeHW(2)) == "" {
		t.Error("not the node that was heard of longest ago has made room")
	}
	if n.bytes > nodeBytesMost || len(n.nodes) != fits {
		t.Errorf("%d nodes, %d bytes", len(n.nodes), n.bytes)
	}
	n.serve([]want{{at(1), nodeHW(1), true}}, func() []batch.Lease {
		return []batch.Lease{{Addr: at(1), State: batch.LeaseActive, HW: nodeHW(1)}}
	})
	if has(n, at(1), nodeHW(1)) == "" {
		t.Error("who asks for files that went is left without")
	}

	small, _ := filledSite(t, "{{.MAC}}", "")
	for i := range nodesMost + 10 {
		small.make(at(i), nodeHW(i), false)
	}
	if len(small.nodes) != nodesMost || has(small, at(9), nodeHW(9)) != "" || has(small, at(10), nodeHW(10)) == "" {
		t.Errorf("%d nodes", len(small.nodes))
	}
}

// BenchmarkFill is what the files of a storm cost the manager: one node's, and the
// workers' table beside 10,000 others, which each batch of nodes needs anew.
func BenchmarkFill(b *testing.B) {
	n, _ := filledSite(b, nodeScript, "")
	const nodes = 10_000
	at := func(i int) proto.Addr { return addr("10.0.1.0") + proto.Addr(i) }
	b.Run("node", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			n.make(at(i%nodes), nodeHW(i), false) // each time another node
		}
	})
	for i := range nodes {
		n.make(at(i), nodeHW(i), false)
	}
	var table *image.Rendered
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			table = n.table()
		}
	})
	b.Run("declared", func(b *testing.B) { // a start or a reload with as many host declarations, for each node
		var hosts strings.Builder
		for i := range nodes {
			fmt.Fprintf(&hosts, "host n%d { hardware ethernet %s; fixed-address %s; }\n", i, hwText(nodeHW(i)), addr("10.0.1.0")+proto.Addr(i))
		}
		declared, _ := filledSite(b, nodeScript, hosts.String())
		s := &server{log: zap.NewNop(), links: []plan.Link{{Addrs: []plan.LinkAddr{{Addr: addr("10.0.0.1"), Mask: addr("255.255.0.0")}}}}}
		b.ResetTimer()
		for range b.N {
			if got := len(s.newNodeFiles(declared.setup, declared).nodes); got != nodes {
				b.Fatal(got)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/nodes, "ns/node")
	})
	if table.Find(at(nodes-1), nodeHW(nodes-1).MAC(), "script.ipxe") == nil {
		b.Error("not found")
	}
}
