package engine

import (
	"container/list"
	"fmt"
	"path/filepath"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/fill"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Files that are filled in for each node. Templates are among the boot files; what
// they become for a node is made here, beside the workers, as soon as the node is
// offered an address: some milliseconds later it asks. Declared nodes with an
// address of their own have theirs from the start. Whoever asks before, or after its
// files had to make room for others', is left unanswered once, and has them when it
// asks again.

// Limits of what is kept. Files of nodes that were heard of longest ago go first.
const (
	nodesMost     = 16384
	nodeBytesMost = 64 << 20
	wantsMost     = 4096 // addresses that may wait for their files
	toldMost      = 256  // different warnings of one generation
)

// want is a node that needs its files.
type want struct {
	addr  proto.Addr
	hw    dhcp.HW
	asked bool // by TFTP, in vain: hw is only who has sent the frame, perhaps a router
}

// template is one of the boot files.
type template struct {
	name string // under which it is served
	fill *fill.Template
}

// templatesOf reads the templates among the boot files. Loading has left out those
// that cannot be understood.
func templatesOf(files *image.Set) (all []template) {
	for i := range files.Len() {
		f := files.File(int32(i))
		if !f.Template {
			continue
		}
		if t, err := fill.Parse(filepath.Join(files.Root, f.Name+fill.Suffix), f.Data); err == nil {
			all = append(all, template{f.Name, t})
		}
	}
	return all
}

// nodeFiles is what the templates have become. The manager owns it.
type nodeFiles struct {
	setup *Setup
	eval  *plan.Eval
	nodes map[proto.Addr]*list.Element // of *nodeFile
	order *list.List                   // the one heard of last in front
	bytes int64
	told  map[string]bool
	warn  func(string)
	self  func(proto.Addr) proto.Addr // the server's address as a node sees it
	local func(proto.Addr) bool       // whether a node with that address is on a network of ours
}

// nodeFile is one node and its files; hw is the node's, and what was filled in.
type nodeFile struct {
	*image.Node
	hw   dhcp.HW
	size int64
}

// newNodeFiles makes the files of a setup, for the declared nodes and those that
// have had some so far.
func (s *server) newNodeFiles(setup *Setup, before *nodeFiles) *nodeFiles {
	n := &nodeFiles{setup: setup, nodes: map[proto.Addr]*list.Element{}, order: list.New(), told: map[string]bool{},
		warn: func(text string) { s.log.Warn(text) }, self: s.selfFor, local: s.onOurNetwork}
	if len(setup.templates) == 0 {
		return n
	}
	n.eval = plan.NewEval(setup.Plan)
	if before != nil {
		for e := before.order.Back(); e != nil; e = e.Prev() {
			f := e.Value.(*nodeFile)
			n.make(f.Addr, f.hw, f.MAC == proto.MAC{})
		}
	}
	// What is declared now comes last: it may say that an address is another node's.
	for _, h := range setup.Tree.Hosts {
		for _, a := range h.Host.Fixed {
			if hw := hostHW(h.Host); hw.Len > 0 {
				n.make(a, hw, len(h.Host.Hardware) > 1)
			}
		}
	}
	return n
}

// refill makes everything anew for a setup and returns the workers' table of it.
func (s *server) refill(setup *Setup) *image.Rendered {
	s.nodeFiles = s.newNodeFiles(setup, s.nodeFiles)
	return s.nodeFiles.table()
}

// hostHW is the first hardware address of a declaration, without length if it has
// none.
func hostHW(h *config.Host) (hw dhcp.HW) {
	if len(h.Hardware) > 0 {
		hw.Type, hw.Len = h.Hardware[0].Type, uint8(copy(hw.Addr[:], h.Hardware[0].Addr))
	}
	return hw
}

// serve makes the files of those who want some. It tells whether anything changed.
func (n *nodeFiles) serve(wants []want, leases func() []batch.Lease) (changed bool) {
	if len(n.setup.templates) == 0 {
		return false
	}
	var owners map[proto.Addr]dhcp.HW // of leases, looked up once
	for _, w := range wants {
		if !w.asked {
			changed = n.make(w.addr, w.hw, false) || changed
			continue
		}
		if e := n.nodes[w.addr]; e != nil {
			if f := e.Value.(*nodeFile); f.MAC == w.hw.MAC() || f.MAC == (proto.MAC{}) {
				continue // made since
			}
		}
		if owners == nil {
			owners = n.owners(leases())
		}
		hw, ok := owners[w.addr]
		if !ok {
			n.once(fmt.Sprintf("%s asks for a boot file that is filled in for each node, but has no lease from here and is not declared with that address: "+
				"it is left unanswered; let it have its address from this server, or declare it with hardware and fixed-address", w.addr))
			continue
		}
		// Whose lease it is, is certain; that all its frames bear its own hardware
		// address is not, behind a relay or on a bond.
		changed = n.make(w.addr, hw, true) || changed
	}
	return changed
}

// forget drops the files of addresses that are another node's by now: a node's that
// was not heard of when it got its address, for want of room. It tells whether
// anything changed.
func (n *nodeFiles) forget(leases []batch.Lease) (changed bool) {
	owners := n.owners(leases)
	for a, e := range n.nodes {
		f := e.Value.(*nodeFile)
		if hw, ok := owners[a]; ok && (hw.Len != f.hw.Len || hw.Addr != f.hw.Addr) {
			n.drop(e)
			changed = true
		}
	}
	return changed
}

// owners are the nodes that addresses belong to: leased or declared.
func (n *nodeFiles) owners(leases []batch.Lease) map[proto.Addr]dhcp.HW {
	all := map[proto.Addr]dhcp.HW{}
	for _, h := range n.setup.Tree.Hosts {
		for _, a := range h.Host.Fixed {
			if hw := hostHW(h.Host); hw.Len > 0 {
				all[a] = hw
			}
		}
	}
	for i := range leases {
		if l := &leases[i]; l.State == batch.LeaseActive && l.HW.Len > 0 {
			all[l.Addr] = l.HW
		}
	}
	return all
}

// make fills the templates in for a node. any says that its requests may come from
// any hardware address. It tells whether anything changed.
func (n *nodeFiles) make(a proto.Addr, hw dhcp.HW, any bool) bool {
	mac := hw.MAC()
	if any || !n.local(a) {
		mac = proto.MAC{}
	}
	if e := n.nodes[a]; e != nil {
		f := e.Value.(*nodeFile)
		if f.hw.Addr == hw.Addr && f.hw.Len == hw.Len && (f.MAC == mac || f.MAC == proto.MAC{}) {
			n.order.MoveToFront(e)
			return false
		}
		n.drop(e)
	}
	f := &nodeFile{Node: &image.Node{Addr: a, MAC: mac}, hw: hw}
	about := n.describe(a, hw)
	for _, t := range n.setup.templates {
		data, err := t.fill.Fill(about)
		if err != nil {
			n.once(fmt.Sprintf("%s is told that there is no %s, since it cannot be filled in for it: %v; correct the template, or the configuration of the node",
				nodeName(about), t.name, err))
		}
		f.Files = append(f.Files, image.File{Name: t.name, Data: data, NetasciiSize: image.NetasciiSize(data), Template: err != nil})
		f.size += int64(len(data))
	}
	n.nodes[a] = n.order.PushFront(f)
	n.bytes += f.size
	for n.order.Len() > 1 && (n.order.Len() > nodesMost || n.bytes > nodeBytesMost) {
		n.drop(n.order.Back())
	}
	return true
}

// drop forgets a node.
func (n *nodeFiles) drop(e *list.Element) {
	f := n.order.Remove(e).(*nodeFile)
	delete(n.nodes, f.Addr)
	n.bytes -= f.size
}

// table is what the workers look nodes up in.
func (n *nodeFiles) table() *image.Rendered {
	if len(n.setup.templates) == 0 {
		return nil
	}
	nodes := make([]*image.Node, 0, len(n.nodes))
	for e := n.order.Front(); e != nil; e = e.Next() {
		nodes = append(nodes, e.Value.(*nodeFile).Node)
	}
	return image.NewRendered(nodes)
}

// once warns of something the first time.
func (n *nodeFiles) once(text string) {
	if !n.told[text] && len(n.told) < toldMost {
		n.told[text] = true
		n.warn(text)
	}
}

// serveWants makes the files of those who wait for some, and gives them to the
// workers.
func (s *server) serveWants(first want) {
	wants := []want{first}
	for len(wants) < wantsMost {
		select {
		case w := <-s.observer.wants:
			wants = append(wants, w)
			continue
		default:
		}
		break
	}
	forgotten := s.observer.unheard.Swap(false) && s.nodeFiles.forget(s.journal.Leases())
	if s.nodeFiles.serve(wants, s.journal.Leases) || forgotten {
		table := s.nodeFiles.table()
		s.onAll(func(w *worker) { w.core.Transfers().SetRendered(table) })
	}
}

// want tells the manager of a node that will ask for its files, or has. What finds
// no room comes again when the node asks, unless the files of whoever had its address
// before are there: those go.
func (o *observer) want(e *batch.Event) {
	if len(o.view.Load().setup.templates) == 0 || e.Addr == 0 {
		return
	}
	switch e.Kind {
	case batch.EventOffer, batch.EventAck, batch.EventBootp:
		if e.HWLen == 0 {
			return
		}
	case batch.EventFull:
		if e.Reason != batch.ReasonNotFilled {
			return
		}
	default:
		return
	}
	select {
	case o.wants <- want{e.Addr, hw(e), e.Kind == batch.EventFull}:
	default:
		o.unheard.Store(true)
	}
}
