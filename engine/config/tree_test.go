package config

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/proto"
)

// TestGuideTree reads the guide's own file.
func TestGuideTree(t *testing.T) {
	tree := ParseFile("testdata/good/guide.conf", Options{})
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	if len(tree.Networks) != 1 || len(tree.Hosts) != 1 {
		t.Fatalf("%d networks, %d hosts", len(tree.Networks), len(tree.Hosts))
	}
	n := tree.Networks[0]
	if n.Subnet.Net != proto.AddrOf(192, 168, 1, 0) || n.Subnet.Mask != proto.AddrOf(255, 255, 255, 240) {
		t.Errorf("subnet %v %v", n.Subnet.Net, n.Subnet.Mask)
	}
	if r := n.Pool.Ranges; len(r) != 1 || r[0].Low != proto.AddrOf(192, 168, 1, 2) || r[0].High != proto.AddrOf(192, 168, 1, 5) {
		t.Errorf("ranges %v", n.Pool.Ranges)
	}
	h := tree.Hosts[0]
	if h.Name != "node_1" || h.Parent != tree.Root || len(h.Host.Hardware) != 1 || h.Host.Hardware[0].Type != 1 {
		t.Errorf("host %+v", h.Host)
	}
	chain := n.Statements[len(n.Statements)-1]
	if chain.Kind != StatementIf || shape(chain.Expr) != `(= arch "\x00\a")` || len(chain.Else) != 1 {
		t.Errorf("boot chain: %s", shape(chain.Expr))
	}
	inner := chain.Then[0]
	if shape(inner.Expr) != `(and exists:user-class (= user-class "iPXE"))` || string(inner.Then[0].Expr.Data) != "refind.pxe" {
		t.Errorf("user class: %s", shape(inner.Expr))
	}
	enc := tree.Universe.Space("ipxe").Enclosing
	if enc == nil || enc.Code != 175 || tree.Universe.Space("IPXE").Lookup("NO-PXEDHCP").Code != 176 {
		t.Error("the space ipxe is not linked with option 175")
	}
	if tree.Universe.Space(SpaceDHCP).ByCode(93).Name != "arch" {
		t.Error("option 93 is not the one defined in the file")
	}
}

// outline writes the scopes of a tree, a line each.
func outline(s *Scope, depth int, b *strings.Builder) {
	fmt.Fprintf(b, "%s%s", strings.Repeat("  ", depth), s.Kind)
	if s.Name != "" {
		fmt.Fprintf(b, " %s", s.Name)
	}
	if s.Subnet != nil {
		fmt.Fprintf(b, " %s %q", s.Subnet.Net, s.Subnet.Interface)
	}
	if s.Pool != nil {
		for _, r := range s.Pool.Ranges {
			fmt.Fprintf(b, " %s-%s", r.Low, r.High)
		}
		fmt.Fprintf(b, " +%d -%d", len(s.Pool.Permit), len(s.Pool.Deny))
	}
	if s.Authoritative != nil {
		fmt.Fprintf(b, " authoritative:%v", *s.Authoritative)
	}
	fmt.Fprintf(b, " %d\n", len(s.Statements))
	for _, c := range s.Children {
		if c.Parent != s && c.Kind != ScopeHost {
			b.WriteString("!parent ")
		}
		outline(c, depth+1, b)
	}
}

// TestScopes compares the outline of a tree.
func TestScopes(t *testing.T) {
	tree := parse(`authoritative;
shared-network one {
  interface "eth0.5";
  subnet 10.0.0.0 netmask 255.255.255.0 { range dynamic-bootp 10.0.0.9; not authoritative; }
  pool { range 10.0.0.30 10.0.0.20; allow all clients; deny after epoch 5; default-lease-time 5; }
  group g { host a { filename "a"; } }
}
group { subnet 10.1.0.0 netmask 255.255.0.0 { interface eth1; class "c" { match if known; filename "c"; } } }
class "c" { next-server 10.0.0.1; }
subnet 10.2.0.0 netmask 255.255.0.0 { }
`)
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	var b strings.Builder
	outline(tree.Root, 0, &b)
	want := `top level authoritative:true 0
  shared-network one 0
    subnet 10.0.0.0 "eth0.5" 10.0.0.9-10.0.0.9 +0 -0 authoritative:false 0
    pool 10.0.0.20-10.0.0.30 +1 -1 1
    group g 0
      host a 1
  group 0
    subnet 10.1.0.0 "eth1" 0
      class c 2
  subnet 10.2.0.0 "" 0
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	if n := len(tree.Networks); n != 3 {
		t.Errorf("%d networks, want 3", n)
	}
}

// TestHosts reads the ways to identify a host.
func TestHosts(t *testing.T) {
	tree := parse(`group g { filename "g"; }
host a { hardware ethernet 2:0:0:0:0:1; hardware ethernet 02:00:00:00:00:02; fixed-address 10.0.0.1, localhost; }
host b { uid "x"; hardware unknown-20 1:2; }
host c { option dhcp-client-identifier 01:02; group g; option host-name "c"; }
host d { host-identifier option agent.remote-id "port-4"; hardware infiniband 1:2:3:4:5:6:7:8; }
`)
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	a, b, c, d := tree.Hosts[0].Host, tree.Hosts[1].Host, tree.Hosts[2].Host, tree.Hosts[3].Host
	if len(a.Hardware) != 2 || a.Hardware[0].Addr[0] != 2 || len(a.Fixed) != 2 || a.Fixed[1] != proto.AddrOf(127, 0, 0, 1) {
		t.Errorf("a: %+v", a)
	}
	if string(b.ClientID) != "x" || b.Hardware[0].Type != 20 {
		t.Errorf("b: %+v", b)
	}
	if string(c.ClientID) != "\x01\x02" || tree.Hosts[2].Parent.Name != "g" || len(tree.Hosts[2].Statements) != 1 {
		t.Errorf("c: %+v in %s with %d statements", c, tree.Hosts[2].Parent.Name, len(tree.Hosts[2].Statements))
	}
	if d.Identifier.Name != "remote-id" || string(d.IDValue) != "port-4" || d.Hardware[0].Type != 32 {
		t.Errorf("d: %+v", d)
	}
}

// TestClasses reads classes with their subclasses.
func TestClasses(t *testing.T) {
	tree := parse(`class "m" { match hardware; lease limit 3; }
subclass "m" 1:2 { filename "s"; lease limit 5; }
subclass "m" "text";
subclass "m" 1:2 { server-name "again"; }
class "s" { spawn with option host-name; }
class "m" { match if known; }
`)
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	if len(tree.Classes) != 2 {
		t.Fatalf("%d classes", len(tree.Classes))
	}
	m, s := tree.Classes[0], tree.Classes[1]
	if shape(m.Match) != "hardware" || shape(m.MatchIf) != "known" || m.LeaseLimit != 3 || shape(s.Spawn) != "host-name" {
		t.Errorf("m: %+v, s: %+v", m, s)
	}
	if len(m.Subclasses) != 2 {
		t.Fatalf("%d subclasses", len(m.Subclasses))
	}
	first, second := m.Subclasses[0], m.Subclasses[1]
	if string(first.Data) != "\x01\x02" || first.Limit != 5 || len(first.Scope.Statements) != 2 || first.Scope.Parent != m.Scope {
		t.Errorf("first: %+v", first)
	}
	if string(second.Data) != "text" || second.Limit != 3 || second.Scope != nil {
		t.Errorf("second: %+v", second)
	}
}

// TestPermits reads every entry of a permit list.
func TestPermits(t *testing.T) {
	for _, c := range []struct {
		text string
		kind PermitKind
	}{
		{"known-clients", PermitKnown}, {"known clients", PermitKnown},
		{"unknown-clients", PermitUnknown}, {"unknown clients", PermitUnknown},
		{"all clients", PermitAllClients}, {"dynamic bootp clients", PermitDynamicBOOTP},
		{"authenticated clients", PermitAuthenticated}, {"unauthenticated clients", PermitUnauthenticated},
		{`members of "c"`, PermitClass}, {"after never", PermitAfter},
	} {
		for _, head := range []string{"allow ", "deny "} {
			tree := parse(inPool + head + c.text + "; } }")
			if len(tree.Findings) > 0 {
				t.Fatal(render(tree))
			}
			pool := tree.Networks[0].Children[0].Pool
			list := pool.Permit
			if head == "deny " {
				list = pool.Deny
			}
			if len(pool.Permit)+len(pool.Deny) != 1 || len(list) != 1 || list[0].Kind != c.kind {
				t.Errorf("%s%s: %+v", head, c.text, pool)
			}
		}
	}
}

// TestDates reads dates as dhcpd writes them, in UTC.
func TestDates(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64 // -1: an error
	}{
		{"epoch 1234567890", 1234567890},
		{"4 1970/01/01 00:00:00", 0},
		{"2 2000/02/29 12:30:15", 951827415},
		{"0 2023/12/31 23:59:60", 1704067200},
		{"0 2000/01/01 00:00:00 3600", 946688400},
		{"never", 1<<63 - 1},
		{"4 2020/13/01 00:00:00", -1},
		{"4 2020/01/01", -1},
		{"tomorrow", -1},
		{"4 2020-01-01 00:00:00", -1},
	} {
		tree := parse(inPool + "allow after " + c.text + "; } }")
		if tree.HasErrors() != (c.want < 0) {
			t.Errorf("%s:\n%s", c.text, render(tree))
			continue
		}
		if c.want >= 0 {
			if got := tree.Networks[0].Children[0].Pool.Permit[0].After; got != c.want {
				t.Errorf("%s: got %d, want %d", c.text, got, c.want)
			}
		}
	}
}

// TestStatements reads each executable statement into its kind.
func TestStatements(t *testing.T) {
	for _, c := range []struct {
		text string
		kind StatementKind
		want string // the name, level or operation
	}{
		{`filename "f"`, StatementOption, "filename 0"},
		{`default routers 10.0.0.1`, StatementOption, "routers 1"},
		{`append domain-name "x"`, StatementOption, "domain-name 2"},
		{`prepend domain-name "x"`, StatementOption, "domain-name 3"},
		{`send host-name "x"`, StatementOption, "host-name 4"},
		{`supersede host-name "x"`, StatementOption, "host-name 0"},
		{`allow duplicates`, StatementOption, "duplicates 0"},
		{`set name = "x"`, StatementSet, "name"},
		{`define name = "x"`, StatementSet, "name"},
		{`unset name`, StatementUnset, "name"},
		{`return "x"`, StatementReturn, ""},
		{`eval "x"`, StatementEval, ""},
		{`break`, StatementBreak, ""},
		{`log ("x")`, StatementLog, "info"},
		{`log (error, "x")`, StatementLog, "error"},
		{`add "c"`, StatementAdd, "c"},
		{`vendor-option-space v`, StatementVendorSpace, "v"},
		{`server-identifier 10.0.0.1`, StatementOption, "dhcp-server-identifier 0"},
	} {
		t.Run(c.text, func(t *testing.T) {
			tree := parse("class \"c\" { match if known; }\noption space v;\n" + c.text + ";")
			if len(tree.Findings) > 0 || len(tree.Root.Statements) != 1 {
				t.Fatal(render(tree))
			}
			s := tree.Root.Statements[0]
			got := s.Name
			switch s.Kind {
			case StatementOption:
				got = fmt.Sprintf("%s %d", s.Option.Name, s.Op)
			case StatementLog:
				got = s.Level
			}
			if s.Kind != c.kind || got != c.want {
				t.Errorf("kind %d %q, want %d %q", s.Kind, got, c.kind, c.want)
			}
		})
	}
}

// TestFlow reads nested conditions, switches and functions.
func TestFlow(t *testing.T) {
	tree := parse(`if known { filename "1"; } elsif static { filename "2"; } else if known { } else { filename "3"; break; }
switch (option host-name) { case "a": filename "a"; case "b": break; default: if known { filename "c"; } }
define join (one, two) { set three = one; return concat (three, two); }
`)
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	first, second, third := tree.Root.Statements[0], tree.Root.Statements[1], tree.Root.Statements[2]
	if last := first.Else[0].Else[0].Else; len(first.Then) != 1 || len(last) != 2 || last[1].Kind != StatementBreak {
		t.Errorf("the chain ends in %+v", last)
	}
	if c := second.Cases; len(c) != 3 || string(c[1].Value.Data) != "b" || c[2].Value != nil || len(c[2].Body) != 1 {
		t.Errorf("cases: %+v", second.Cases)
	}
	if third.Kind != StatementDefine || strings.Join(third.Args, " ") != "one two" || len(third.Then) != 2 {
		t.Errorf("function: %+v", third)
	}
}
