package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// What the configuration says of boot files, against what there is.

// Small returns a warning for each boot-size that is less than the file it stands
// beside: UEFI firmware takes it for the size of its buffer (PXE-E05). The 0 is
// warned of when the configuration is compiled.
func (s *Setup) Small() (out []config.Finding) {
	if s.Files == nil {
		return nil
	}
	for _, b := range collect(s.Tree).sizes {
		i, ok := s.Files.Lookup(b.name)
		if !ok || s.Files.File(i).Template || b.units == 0 {
			continue
		}
		if have := len(s.Files.File(i).Data); have > b.units*512 {
			out = append(out, config.Finding{Pos: b.pos, Severity: config.Warning, Width: len("option boot-size"),
				Message: fmt.Sprintf("option boot-size %d is %d bytes, %q has %d: UEFI firmware gives up with PXE-E05", b.units, b.units*512, b.name, have),
				Remedy:  "leave the option out: this server sends the size of the file to firmware that asks for it"})
		}
	}
	return out
}

// elsewhere names the addresses in next-server that are of no interface of this
// server, one line for each, with its places. Another machine may have the boot
// files, so it is nothing wrong by itself.
func (s *Setup) elsewhere(links []plan.Link) (lines []string) {
	places := map[proto.Addr]string{}
	var foreign []proto.Addr
	for _, n := range collect(s.Tree).servers {
		if n.addr == 0 || ownAddress(links, n.addr) {
			continue
		}
		if have, seen := places[n.addr]; seen {
			places[n.addr] = fmt.Sprintf("%s, %d", have, n.pos.Line)
			continue
		}
		places[n.addr] = fmt.Sprintf("%s:%d", n.pos.File, n.pos.Line)
		foreign = append(foreign, n.addr)
	}
	for _, a := range foreign {
		lines = append(lines, fmt.Sprintf("next-server %s (%s) is no address of this server (%s): nodes that are told so load their boot files from that machine; "+
			"if they are meant to be served from here, leave next-server out", a, places[a], addresses(links)))
	}
	return lines
}

// ownAddress tells whether an interface has the address.
func ownAddress(links []plan.Link, a proto.Addr) bool {
	return slices.ContainsFunc(links, func(l plan.Link) bool {
		return slices.ContainsFunc(l.Addrs, func(own plan.LinkAddr) bool { return own.Addr == a })
	})
}

// addresses lists the interfaces with their addresses.
func addresses(links []plan.Link) string {
	var out []string
	for i := range links {
		for _, a := range links[i].Addrs {
			out = append(out, links[i].Name+" "+cidr(a))
		}
	}
	return strings.Join(out, ", ")
}

// bootFile is one boot file name in the configuration.
type bootFile struct {
	name []byte
	pos  config.Pos
}

// bootFiles collects the names that "filename" and "option bootfile-name"
// statements give as plain text. URLs and computed names are left out: what
// they mean is known only when a client asks.
func bootFiles(t *config.Tree) []bootFile { return collect(t).files }

// bootSize is an option 13 that stands beside a boot file.
type bootSize struct {
	units int    // of 512 bytes
	name  []byte // of the file
	pos   config.Pos
}

// nextServer is the address of a next-server statement.
type nextServer struct {
	addr proto.Addr
	pos  config.Pos
}

// collect walks over a whole tree.
func collect(t *config.Tree) *collector {
	// Hosts, classes and networks stand in lists of their own, whether or not
	// they are also among the children of a scope.
	c := collector{seen: map[*config.Scope]bool{}}
	c.scope(t.Root)
	for _, list := range [][]*config.Scope{t.Networks, t.Hosts} {
		for _, s := range list {
			c.scope(s)
		}
	}
	for _, class := range t.Classes {
		c.scope(class.Scope)
		for _, sub := range class.Subclasses {
			c.scope(sub.Scope)
		}
	}
	return &c
}

// collector walks a tree. A scope may be reached by several ways.
type collector struct {
	seen    map[*config.Scope]bool
	files   []bootFile
	sizes   []bootSize
	servers []nextServer
}

// scope collects from a scope and those inside it. Group, class and host scopes
// are reached from several lists of the tree, so each is visited once.
func (c *collector) scope(s *config.Scope) {
	if s == nil || c.seen[s] {
		return
	}
	c.seen[s] = true
	c.statements(s.Statements)
	for _, child := range s.Children {
		c.scope(child)
	}
}

// statements collects from statements and the branches of conditions: any of
// them may be taken for some client.
func (c *collector) statements(list []config.Statement) {
	var name []byte
	var size *bootSize
	for i := range list {
		st := &list[i]
		switch {
		case st.Kind != config.StatementOption || st.Expr == nil || st.Expr.Op != config.OpConst:
		case namesFile(st):
			if name = st.Expr.Data; plainName(name) {
				c.files = append(c.files, bootFile{name, st.Expr.Pos})
			}
		case sets(st, config.SpaceDHCP, "boot-size") && len(st.Expr.Data) == 2:
			size = &bootSize{units: int(binary.BigEndian.Uint16(st.Expr.Data)), pos: st.Pos}
		case sets(st, config.SpaceServer, "next-server") && len(st.Expr.Data) == 4:
			c.servers = append(c.servers, nextServer{proto.AddrFrom((*[4]byte)(st.Expr.Data)), st.Pos})
		}
		c.statements(st.Then)
		c.statements(st.Else)
		for _, k := range st.Cases {
			c.statements(k.Body)
		}
	}
	if size != nil && plainName(name) {
		size.name = name
		c.sizes = append(c.sizes, *size)
	}
}

// sets tells whether a statement sets an option or parameter.
func sets(st *config.Statement, space, name string) bool {
	return st.Option != nil && st.Option.Space != nil && st.Option.Space.Name == space && st.Option.Name == name
}

// namesFile tells whether a statement sets the boot file.
func namesFile(st *config.Statement) bool {
	return sets(st, config.SpaceServer, "filename") ||
		st.Option != nil && st.Option.Space != nil && st.Option.Space.Name == config.SpaceDHCP && st.Option.Code == dhcp.OptBootfileName
}

// plainName tells whether the name is one that TFTP would be asked for.
func plainName(name []byte) bool {
	return len(name) > 0 && !bytes.Contains(name, []byte("://"))
}
