package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

const twoNetworks = `
subnet 192.168.1.0 netmask 255.255.255.240 { }
subnet 10.0.0.0 netmask 255.0.0.0 { }
`

// TestFindHost follows dhcpd: client identifier, hardware address,
// host-identifier; a fixed address on the network first.
func TestFindHost(t *testing.T) {
	const mac = "hardware ethernet 02:00:00:00:0c:01;"
	for _, c := range []struct {
		name, hosts string
		options     []option
		host        string
		fixed       proto.Addr
		known       bool
	}{
		{"unknown", "host a { hardware ethernet 02:00:00:00:0c:02; }", nil, "", 0, false},
		{"by hardware", "host a { " + mac + " }", nil, "a", 0, true},
		{"second of several links", "host a { hardware ethernet 02:00:00:00:0c:02; " + mac + " fixed-address 192.168.1.3; }", nil, "a", proto.AddrOf(192, 168, 1, 3), true},
		{"fixed on the network", "host a { " + mac + " fixed-address 192.168.1.3; }", nil, "a", proto.AddrOf(192, 168, 1, 3), true},
		{"one of several addresses", "host a { " + mac + " fixed-address 10.0.0.1, 192.168.1.3; }", nil, "a", proto.AddrOf(192, 168, 1, 3), true},
		{"fixed elsewhere: known, but not this declaration", "host a { " + mac + " fixed-address 10.0.0.1; }", nil, "", 0, true},
		{"the declaration for this network", "host a { " + mac + " fixed-address 10.0.0.1; } host b { " + mac + " fixed-address 192.168.1.3; }", nil, "b", proto.AddrOf(192, 168, 1, 3), true},
		{"the declaration without address", "host a { " + mac + " fixed-address 10.0.0.1; } host b { " + mac + " }", nil, "b", 0, true},
		{"by client identifier", `host a { option dhcp-client-identifier "id"; fixed-address 192.168.1.3; }`, []option{{61, "id"}}, "a", proto.AddrOf(192, 168, 1, 3), true},
		{"another client identifier", `host a { option dhcp-client-identifier "id"; }`, []option{{61, "\x00id"}}, "", 0, false},
		{"identifier before hardware", `host a { ` + mac + ` fixed-address 192.168.1.3; } host b { option dhcp-client-identifier "id"; fixed-address 192.168.1.4; }`, []option{{61, "id"}}, "b", proto.AddrOf(192, 168, 1, 4), true},
		{"by UUID", `host a { host-identifier option pxe-client-id 0 01:02:03; fixed-address 192.168.1.3; }`, []option{{97, "\x00\x01\x02\x03"}}, "a", proto.AddrOf(192, 168, 1, 3), true},
		{"by another UUID", `host a { host-identifier option pxe-client-id 0 01:02:03; }`, []option{{97, "\x00\x01\x02\x04"}}, "", 0, false},
		{"by the relay's circuit", `host a { host-identifier option agent.circuit-id "port7"; }`, []option{{82, "\x01\x05port7"}}, "a", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := load(t, twoNetworks+c.hosts)
			e := plan.NewEval(p)
			req := newMessage(dhcp.Discover, c.options...).request()
			subnet, _ := p.Locate(req)
			e.Begin(req, subnet)
			at, fixed, known := e.FindHost()
			name := ""
			if at >= 0 {
				name = p.Hosts[at].Name
			}
			if name != c.host || fixed != c.fixed || known != c.known {
				t.Errorf("host %q at %v, known %v", name, fixed, known)
			}
		})
	}
}

// TestManyHosts: 100,000 declarations are found by hardware, identifier or UUID.
func TestManyHosts(t *testing.T) {
	const n = 100_000
	var text strings.Builder
	text.WriteString("subnet 10.0.0.0 netmask 255.0.0.0 { }\n")
	for i := range n {
		fmt.Fprintf(&text, "host n%d { hardware ethernet 02:00:00:%02x:%02x:%02x; fixed-address 10.%d.%d.%d; }\n",
			i, i>>16, i>>8&255, i&255, 1+i>>16, i>>8&255, i&255)
	}
	p := load(t, text.String())
	e := plan.NewEval(p)
	m := newMessage(dhcp.Discover)
	m.link.Addrs[0].Addr = proto.AddrOf(10, 0, 0, 1)
	for i := 0; i < n; i += 997 {
		copy(m.payload[28:], []byte{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)})
		req := m.request()
		e.Begin(req, 0)
		want := proto.AddrOf(10, byte(1+i>>16), byte(i>>8), byte(i))
		if host, fixed, known := e.FindHost(); int(host) != i || fixed != want || !known {
			t.Fatalf("node %d: host %d at %v", i, host, fixed)
		}
	}
}

// TestLocate: relay's link selection, subnet selection, giaddr, ciaddr, link.
func TestLocate(t *testing.T) {
	p := load(t, `
		subnet 192.168.1.0 netmask 255.255.255.240 { }
		shared-network n { subnet 10.1.0.0 netmask 255.255.0.0 { } subnet 10.2.0.0 netmask 255.255.0.0 { } }
		subnet 10.0.0.0 netmask 255.0.0.0 { }
		subnet 172.16.0.0 netmask 255.255.0.0 { interface "eth1"; }`)
	for _, c := range []struct {
		name           string
		options        []option
		giaddr, ciaddr proto.Addr
		link           plan.Link
		want           proto.Addr // of the subnet; 0: none
	}{
		{"link", nil, 0, 0, linkAt(192, 168, 1, 1), proto.AddrOf(192, 168, 1, 0)},
		{"second address of the link", nil, 0, 0, plan.Link{Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(9, 9, 9, 9)}, {Addr: proto.AddrOf(10, 1, 0, 1)}}}, proto.AddrOf(10, 1, 0, 0)},
		{"undeclared link", nil, 0, 0, linkAt(9, 9, 9, 9), 0},
		{"named by interface", nil, 0, 0, plan.Link{Name: "eth1"}, proto.AddrOf(172, 16, 0, 0)},
		{"giaddr", nil, proto.AddrOf(10, 2, 3, 4), 0, linkAt(192, 168, 1, 1), proto.AddrOf(10, 2, 0, 0)},
		{"giaddr in the wider subnet", nil, proto.AddrOf(10, 9, 3, 4), 0, linkAt(192, 168, 1, 1), proto.AddrOf(10, 0, 0, 0)},
		{"unknown giaddr", nil, proto.AddrOf(9, 2, 3, 4), 0, linkAt(192, 168, 1, 1), 0},
		{"subnet selection before giaddr", []option{{118, "\x0a\x01\x00\x00"}}, proto.AddrOf(10, 2, 3, 4), 0, linkAt(192, 168, 1, 1), proto.AddrOf(10, 1, 0, 0)},
		{"link selection before subnet selection", []option{{118, "\x0a\x01\x00\x00"}, {82, "\x01\x01x\x05\x04\x0a\x02\x00\x00"}}, 0, 0, linkAt(192, 168, 1, 1), proto.AddrOf(10, 2, 0, 0)},
		{"subnet selection of three bytes", []option{{118, "\x0a\x01\x00"}}, 0, 0, linkAt(192, 168, 1, 1), 0},
		{"ciaddr in another subnet of the network", nil, 0, proto.AddrOf(10, 2, 0, 7), linkAt(10, 1, 0, 1), proto.AddrOf(10, 2, 0, 0)},
		{"ciaddr of another network", nil, 0, proto.AddrOf(192, 168, 1, 2), linkAt(10, 1, 0, 1), proto.AddrOf(10, 1, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMessage(dhcp.Discover, c.options...)
			m.link = c.link
			req := m.request()
			req.Header.SetGIAddr(c.giaddr)
			req.Header.SetCIAddr(c.ciaddr)
			at, ok := p.Locate(req)
			if ok != (c.want != 0) || ok && p.Subnets[at].Net != c.want {
				t.Errorf("subnet %d, %v", at, ok)
			}
		})
	}
}

func linkAt(a, b, c, d byte) plan.Link {
	return plan.Link{Name: "eth0", Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(a, b, c, d)}}}
}

// TestRangeOf checks the ends of ranges.
func TestRangeOf(t *testing.T) {
	p := load(t, "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.30 10.0.0.39; range 10.0.0.10 10.0.0.19; range 10.0.0.50; }")
	for a, want := range map[byte]bool{9: false, 10: true, 19: true, 20: false, 29: false, 30: true, 39: true, 40: false, 49: false, 50: true, 51: false} {
		at := p.RangeOf(proto.AddrOf(10, 0, 0, a))
		if (at >= 0) != want || at >= 0 && (p.Ranges[at].First > proto.AddrOf(10, 0, 0, a) || p.Ranges[at].Last < proto.AddrOf(10, 0, 0, a)) {
			t.Errorf("10.0.0.%d: range %d", a, at)
		}
	}
	if p.Pools[0].Size != 21 {
		t.Errorf("size %d", p.Pools[0].Size)
	}
}
