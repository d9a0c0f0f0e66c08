package main

import (
	"bytes"
	"fmt"
	"testing"

	"bootstorm/engine/core"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestDiscover builds the messages of each kind of client as it sends them.
func TestDiscover(t *testing.T) {
	mac := proto.MAC{0x52, 0x54, 0, 0x12, 0x34, 1}
	uuid := bytes.Repeat([]byte{7}, 16)
	for _, c := range []struct {
		name   string
		node   node
		vendor string
		client core.Client
		asks   int // length of option 55
		flags  uint16
		port   uint16
	}{
		{"UEFI", node{arch: 7, uuid: uuid}, "PXEClient:Arch:00007:UNDI:003001", core.ClientUEFI, 35, dhcp.FlagBcast, 68},
		{"BIOS", node{arch: 0}, "PXEClient:Arch:00000:UNDI:003001", core.ClientPXE, 35, dhcp.FlagBcast, 68},
		{"iPXE", node{arch: 7, userClass: "iPXE"}, "PXEClient:Arch:00007:UNDI:003010", core.ClientIPXE, 24, 0, 68},
		{"HTTP boot", node{arch: 16}, "HTTPClient:Arch:00016:UNDI:003001", core.ClientHTTP, 35, dhcp.FlagBcast, 68},
		{"system", node{arch: -1}, "", core.ClientUnknown, 13, 0, 68},
		{"vendor given", node{arch: 7, vendor: "x"}, "x", core.ClientUnknown, 35, dhcp.FlagBcast, 68},
		{"relayed", node{arch: -1, relay: proto.AddrOf(10, 0, 0, 1)}, "", core.ClientUnknown, 13, 0, 67},
	} {
		c.node.mac = mac
		var p proto.Packet
		if drop := proto.ParseFrame(&p, c.node.discover(), true); drop != proto.OK {
			t.Errorf("%s: %v", c.name, drop)
			continue
		}
		h := dhcp.View(p.Payload)
		var o dhcp.Options
		if !o.Parse(p.Payload) || p.DstPort != proto.PortBOOTPServer || p.SrcPort != c.port || p.Dst != proto.Limited {
			t.Errorf("%s: from %d to %v:%d", c.name, p.SrcPort, p.Dst, p.DstPort)
		}
		hw, _ := h.HW()
		kind, _ := o.MessageType()
		if kind != dhcp.Discover || hw.MAC() != mac || h.GIAddr() != c.node.relay || h.Flags() != c.flags {
			t.Errorf("%s: %v of %v, relay %v, flags %x", c.name, kind, hw.MAC(), h.GIAddr(), h.Flags())
		}
		vendor, _ := o.Get(dhcp.OptVendorClass)
		asks, _ := o.Get(dhcp.OptParameterList)
		if string(vendor) != c.vendor || len(asks) != c.asks || core.Recognise(&o) != c.client {
			t.Errorf("%s: vendor %q, asks for %d, is a %v", c.name, vendor, len(asks), core.Recognise(&o))
		}
		if arch, has := o.Uint16(dhcp.OptClientArch); has != (c.node.arch >= 0) || has && int(arch) != c.node.arch {
			t.Errorf("%s: architecture %d %v", c.name, arch, has)
		}
		if id, has := o.Get(dhcp.OptClientUUID); has != (c.node.uuid != nil) || has && (id[0] != 0 || !bytes.Equal(id[1:], uuid)) {
			t.Errorf("%s: UUID %x", c.name, id)
		}
	}
}

// TestArguments reads the forms in which people write addresses and numbers.
func TestArguments(t *testing.T) {
	read := map[string]func(s string) (string, error){
		"mac":  func(s string) (string, error) { v, err := parseMAC(s); return v.String(), err },
		"arch": func(s string) (string, error) { v, err := parseArch(s); return fmt.Sprint(v), err },
		"uuid": func(s string) (string, error) { v, err := parseUUID(s); return fmt.Sprintf("%x", v), err },
		"addr": func(s string) (string, error) { v, err := parseRelay(s); return v.String(), err },
	}
	for _, c := range []struct{ kind, text, want string }{
		{"mac", "52:54:00:12:34:01", "52:54:00:12:34:01"},
		{"mac", "52-54-00-12-34-0A", "52:54:00:12:34:0a"},
		{"mac", "5254.0012.3401", "52:54:00:12:34:01"},
		{"mac", "525400123401", "52:54:00:12:34:01"},
		{"mac", "52:54:00:12:34", ""},
		{"mac", "xx:xx:xx:xx:xx:xx", ""},
		{"arch", "", "-1"},
		{"arch", "7", "7"},
		{"arch", "0x0b", "11"},
		{"arch", "00:07", "7"},
		{"arch", "65536", ""},
		{"arch", "-1", ""},
		{"arch", "uefi", ""},
		{"uuid", "", ""},
		{"uuid", "00112233-4455-6677-8899-aabbccddeeff", "33221100554477668899aabbccddeeff"},
		{"uuid", "00112233445566778899aabbccddeeff", "33221100554477668899aabbccddeeff"},
		{"uuid", "0011", "error"},
		{"addr", "", "0.0.0.0"},
		{"addr", "10.0.0.254", "10.0.0.254"},
		{"addr", "10.0.0", ""},
		{"addr", "10.0.0.0.1", ""},
		{"addr", "10.0.0.256", ""},
		{"addr", "relay", ""},
	} {
		got, err := read[c.kind](c.text)
		refused := c.want == "error" || c.want == "" && c.text != ""
		if (err != nil) != refused || err == nil && got != c.want {
			t.Errorf("%s %q: %q, %v", c.kind, c.text, got, err)
		}
	}
}

// TestAssume invents the interface that a server for the configuration would
// have: in the network of a fixed address, else the first with a pool.
func TestAssume(t *testing.T) {
	fixed := "host h { hardware ethernet 52:54:00:00:00:01; fixed-address 10.2.0.9; }"
	nets := "subnet 10.3.0.0 netmask 255.255.0.0 { } subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.0.1 10.1.0.9; } subnet 10.2.0.0 netmask 255.255.0.0 { range 10.2.0.4 10.2.0.5; }"
	for _, c := range []struct{ name, text, mac, want string }{
		{"first pool, first address free", nets, "52:54:00:00:00:09", "10.1.0.10"},
		{"fixed address", nets + fixed, "52:54:00:00:00:01", "10.2.0.1"},
		{"somebody else's fixed address", nets + fixed, "52:54:00:00:00:02", "10.1.0.10"},
		{"no pool", "subnet 10.3.0.0 netmask 255.255.0.0 { }", "52:54:00:00:00:02", "10.3.0.1"},
		{"no subnet", "default-lease-time 60;", "52:54:00:00:00:02", ""},
	} {
		setup := parseSetup(t, c.text)
		mac, _ := parseMAC(c.mac)
		l, err := assume(setup.Plan, &node{mac: mac}, setup)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %+v", c.name, l)
			}
			continue
		}
		if err != nil || l.Addrs[0].Addr.String() != c.want || l.Name != assumed {
			t.Errorf("%s: %+v, %v", c.name, l, err)
		}
	}
}

// TestServerAddr stays inside a subnet that its pool fills.
func TestServerAddr(t *testing.T) {
	setup := parseSetup(t, "subnet 10.0.0.0 netmask 255.255.255.252 { range 10.0.0.1 10.0.0.2; }")
	if a := serverAddr(setup.Plan, 0); !setup.Plan.Subnets[0].Contains(a) {
		t.Error(a)
	}
}
