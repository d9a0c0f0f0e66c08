package engine

import (
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/fill"
	"bootstorm/engine/optiontext"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// What is filled in for a node: what the configuration says of it, as text.

// nodeName names a node in a warning.
func nodeName(about *fill.Node) string {
	if about.Host == "" {
		return about.MAC
	}
	return about.MAC + " (" + about.Host + ")"
}

// describe asks the configuration what a node with this address is to know.
func (n *nodeFiles) describe(a proto.Addr, hw dhcp.HW) *fill.Node {
	p, e := n.setup.Plan, n.eval
	subnet, pool := p.SubnetOf(-1, a), int32(-1)
	if i := p.RangeOf(a); i >= 0 {
		pool = p.Ranges[i].Pool
	}
	var options dhcp.Options
	payload := requestOf(hw)
	options.Parse(payload)
	e.Begin(&plan.Request{Type: dhcp.Request, Header: dhcp.View(payload), Options: &options, Payload: payload, HW: hw, Link: &plan.Link{}}, subnet)
	host, _, _ := e.FindHost()
	e.Classify()
	e.Decide(pool, host, a, 0)
	about := &fill.Node{Host: n.setup.Hosts[dhcp.HW{Type: hwType(hw), Len: hw.Len, Addr: hw.Addr}], MAC: hwText(hw), Address: a.String(), Options: map[string]string{}}
	about.MACDash = strings.ReplaceAll(about.MAC, ":", "-")
	for code := byte(1); code < dhcp.OptEnd; code++ {
		v, ok := e.Option(code)
		if def := n.setup.Tree.Universe.Space(config.SpaceDHCP).ByCode(uint32(code)); ok && def != nil {
			if text, ok := optiontext.Plain(def.Format, v); ok {
				about.Options[def.Name] = text
			}
		}
	}
	if about.Host == "" {
		about.Host = about.Options["host-name"]
	}
	about.Mask = about.Options["subnet-mask"]
	if about.Mask == "" && subnet >= 0 {
		about.Mask = p.Subnets[subnet].Mask.String()
	}
	about.Gateway, _, _ = strings.Cut(about.Options["routers"], " ")
	about.Server = n.self(a).String()
	if next, ok := e.Value(plan.NextServer); ok && len(next) >= 4 && [4]byte(next) != [4]byte{} {
		about.Server = proto.AddrFrom((*[4]byte)(next)).String()
	}
	return about
}

// hwType is the type of a hardware address; events do not keep it.
func hwType(hw dhcp.HW) byte { return max(hw.Type, 1) }

// requestOf is the shortest message of a node.
func requestOf(hw dhcp.HW) []byte {
	b := make([]byte, dhcp.OptionsOff, dhcp.OptionsOff+4)
	b[0], b[1], b[2] = dhcp.BootRequest, hwType(hw), hw.Len
	copy(b[28:44], hw.Addr[:])
	copy(b[dhcp.CookieOff:], []byte{99, 130, 83, 99})
	return append(b, dhcp.OptMessageType, 1, byte(dhcp.Request), dhcp.OptEnd)
}

// selfFor is the address under which a node reaches this server.
func (s *server) selfFor(a proto.Addr) proto.Addr {
	l := s.linkOf(a)
	for _, own := range l.Addrs {
		if a&own.Mask == own.Addr&own.Mask {
			return own.Addr
		}
	}
	if len(l.Addrs) > 0 {
		return l.Addrs[0].Addr
	}
	return 0
}

// onOurNetwork tells whether an address is on the network of one of our
// interfaces, so that frames from there bear the node's own hardware address.
func (s *server) onOurNetwork(a proto.Addr) bool {
	for _, own := range s.linkOf(a).Addrs {
		if a&own.Mask == own.Addr&own.Mask {
			return true
		}
	}
	return false
}
