package config

import (
	"strings"
	"testing"

	"bootstorm/proto"
)

// TestDeriveParses: what is derived from any interface is a configuration
// without findings, which dhcpd accepts too.
func TestDeriveParses(t *testing.T) {
	for _, c := range []struct {
		name       string
		addr, mask proto.Addr
		ranges     string
	}{
		{"the guide's network", proto.AddrOf(192, 168, 1, 1), proto.AddrOf(255, 255, 255, 240), "192.168.1.2-192.168.1.14"},
		{"server in the middle", proto.AddrOf(10, 0, 0, 100), proto.AddrOf(255, 255, 255, 0), "10.0.0.1-10.0.0.99 10.0.0.101-10.0.0.254"},
		{"server at the end", proto.AddrOf(10, 0, 0, 254), proto.AddrOf(255, 255, 255, 0), "10.0.0.1-10.0.0.253"},
		{"a large network", proto.AddrOf(10, 0, 0, 1), proto.AddrOf(255, 0, 0, 0), "10.0.0.2-10.0.16.1"},
		{"a large network, server inside the pool", proto.AddrOf(10, 0, 8, 0), proto.AddrOf(255, 255, 0, 0), "10.0.0.1-10.0.7.255 10.0.8.1-10.0.16.1"},
		{"two addresses", proto.AddrOf(10, 0, 0, 1), proto.AddrOf(255, 255, 255, 252), "10.0.0.2-10.0.0.2"},
		{"a link of two", proto.AddrOf(10, 0, 0, 1), proto.AddrOf(255, 255, 255, 254), ""},
		{"one address", proto.AddrOf(10, 0, 0, 1), proto.AddrOf(255, 255, 255, 255), ""},
		{"the network's own address", proto.AddrOf(10, 0, 0, 0), proto.AddrOf(255, 255, 255, 0), "10.0.0.1-10.0.0.254"},
		{"the end of the address space", proto.AddrOf(255, 255, 255, 254), proto.AddrOf(255, 255, 255, 248), "255.255.255.249-255.255.255.253"},
		{"everything", proto.AddrOf(10, 0, 0, 1), 0, "0.0.0.1-0.0.16.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := Derive("eth0", c.addr, c.mask)
			tree := ParseText("derived", text, Options{})
			if len(tree.Findings) > 0 {
				t.Fatalf("%s\n%s", render(tree), text)
			}
			if dhcpd(t, string(text)) == rejects {
				t.Errorf("dhcpd rejects:\n%s", text)
			}
			var got []string
			if p := tree.Networks[0].Pool; p != nil {
				for _, r := range p.Ranges {
					got = append(got, r.Low.String()+"-"+r.High.String())
				}
			}
			if s := strings.Join(got, " "); s != c.ranges {
				t.Errorf("ranges %q, want %q", s, c.ranges)
			}
		})
	}
}

// TestDeriveChain holds the boot chain to the guide's.
func TestDeriveChain(t *testing.T) {
	tree := ParseText("derived", Derive("eth0", proto.AddrOf(192, 168, 1, 1), proto.AddrOf(255, 255, 255, 240)), Options{})
	var got []string
	for _, s := range tree.Networks[0].Statements {
		if s.Kind != StatementIf {
			continue
		}
		for branch := &s; branch != nil; {
			last := branch.Then[len(branch.Then)-1]
			got = append(got, shape(branch.Expr)+" "+string(last.Expr.Data))
			if len(branch.Else) == 0 {
				break
			}
			branch = &branch.Else[0]
		}
	}
	want := []string{
		`(= (suffix user-class 4) "iPXE") refind.pxe`,
		`(or (= arch "\x00\a") (= arch "\x00\t")) ipxe.efi`,
		`(= arch "\x00\x06") ipxe32.efi`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}

// TestDeriveOptions: none of the options that make firmware fail or wait
// (option 60 without 43, a class identifier for all) is in the text.
func TestDeriveOptions(t *testing.T) {
	text := string(Derive("eth0", proto.AddrOf(10, 0, 0, 1), proto.AddrOf(255, 255, 255, 0)))
	for _, bad := range []string{"vendor-class-identifier", "vendor-encapsulated", "authoritative", "overload"} {
		if strings.Contains(text, bad) {
			t.Errorf("the derived configuration has %s", bad)
		}
	}
	for _, good := range []string{"next-server 10.0.0.1;", "eth0", "default-lease-time 7200;", "option ipxe.no-pxedhcp 1;"} {
		if !strings.Contains(text, good) {
			t.Errorf("the derived configuration lacks %s", good)
		}
	}
}
