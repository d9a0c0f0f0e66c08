package compile_test

import (
	"errors"
	"strings"
	"testing"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
)

func compileText(t *testing.T, text string) (*plan.Plan, []config.Finding) {
	t.Helper()
	tree := config.ParseText("test.conf", []byte(text), config.Options{
		Resolve:  func(string) ([]proto.Addr, error) { return nil, errors.New("no names here") },
		ReadFile: func(string) ([]byte, error) { return nil, errors.New("no files here") },
	})
	if tree.HasErrors() {
		for _, f := range tree.Findings {
			t.Log(tree.Render(f))
		}
		t.Fatal("the parser refuses the text")
	}
	return compile.Compile(tree)
}

// TestFindings: each finding has its place, its severity and a remedy; an error
// leaves no plan.
func TestFindings(t *testing.T) {
	const ok = "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20; }\n"
	long := strings.Repeat("x", 128)
	for _, c := range []struct {
		name, text, message string
		severity            config.Severity
		line, col           int
	}{
		{"nothing", ok, "", 0, 0, 0},
		{"no subnet", "default-lease-time 5;", "no subnet is declared", config.Warning, 1, 1},
		{"range with the broadcast address", "subnet 10.0.0.0 netmask 255.255.255.0 {\n  range 10.0.0.1 10.0.0.255; }", "broadcast address", config.Warning, 2, 3},
		{"overlapping ranges", "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20;\nrange 10.0.0.15 10.0.0.30; }", "10.0.0.15 to 10.0.0.20 belong to the range at line 1", config.Warning, 2, 1},
		{"subnet in a subnet", "subnet 10.0.0.0 netmask 255.0.0.0 { }\nsubnet 10.1.0.0 netmask 255.255.0.0 { }", "10.1.0.0/16 lies in subnet 10.0.0.0/8, declared at line 1", config.Warning, 2, 1},
		{"the same subnet twice", ok + "subnet 10.0.0.0 netmask 255.255.255.0 { }", "lies in subnet", config.Warning, 2, 1},
		{"fixed-address elsewhere", ok + "host h { hardware ethernet 02:00:00:00:00:01; fixed-address 10.9.0.1; }", "10.9.0.1 of host \"h\" is in no declared subnet", config.Warning, 2, 1},
		{"fixed-address in a range", ok + "host h { hardware ethernet 02:00:00:00:00:01; fixed-address 10.0.0.12; }", "is also in a range", config.Warning, 2, 1},
		{"long file name", ok + "filename \"" + long + "\";", "128 bytes, the field of the message holds 127", config.Warning, 2, 1},
		{"long server name", ok + "server-name \"" + long[:64] + "\";", "holds 63", config.Warning, 2, 1},
		{"PXEClient without 43", ok + "option vendor-class-identifier \"PXEClient\";", "PXE-E16", config.Warning, 2, 1},
		{"PXEClient with 43", ok + "option vendor-class-identifier \"PXEClient\"; option vendor-encapsulated-options 06:01:08;", "", 0, 0, 0},
		{"PXEClient with a vendor space", ok + "option space V; option V.a code 6 = integer 8; option vendor-class-identifier \"PXEClient\"; vendor-option-space V; option V.a 8;", "", 0, 0, 0},
		{"too large a reply", "option root-path \"" + long + "\"; option merit-dump \"" + long + "\"; option nis-domain \"" + long + "\";\nsubnet 10.0.0.0 netmask 255.255.255.0 { }", "accepts 548", config.Warning, 2, 1},
		{"computed regular expression", ok + "if option host-name ~= option root-path { }", "computed from the message", config.Error, 2, 4},
		{"bad regular expression", ok + "if option host-name ~= \"(\" { }", "is not valid", config.Error, 2, 4},
		{"wrong number of arguments", ok + "define joined(one) { return one; } eval joined(\"x\", \"y\");", "has 1 arguments, not 2", config.Warning, 2, 41},
		{"too many arguments", ok + "define joined(one,two,three,four,five,six,seven,eight,nine) { return one; }", "at most 8", config.Error, 2, 1},
		{"function twice", ok + "define joined(one) { return one; }\ndefine joined(one) { return one; }", "defined twice", config.Warning, 3, 1},
		{"two hosts with one identifier", ok + "host a { option dhcp-client-identifier \"x\"; }\nhost b { option dhcp-client-identifier \"x\"; }", "is identified as host \"a\"", config.Warning, 3, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, findings := compileText(t, c.text)
			if (p == nil) != (c.message != "" && c.severity == config.Error) {
				t.Errorf("plan is %v", p != nil)
			}
			if c.message == "" {
				if len(findings) > 0 {
					t.Errorf("found %q", findings[0].Message)
				}
				return
			}
			for _, f := range findings {
				if strings.Contains(f.Message, c.message) {
					if f.Severity != c.severity || f.Line != c.line || f.Col != c.col || f.Remedy == "" || f.Width < 1 {
						t.Errorf("%d:%d severity %d %q remedy %q", f.Line, f.Col, f.Severity, f.Message, f.Remedy)
					}
					return
				}
			}
			t.Errorf("not found in %v", findings)
		})
	}
}

// TestBrokenTree: a tree with errors of its own is not compiled.
func TestBrokenTree(t *testing.T) {
	tree := config.ParseText("test.conf", []byte("subnet"), config.Options{})
	if p, findings := compile.Compile(tree); p != nil || findings != nil {
		t.Errorf("%v %v", p, findings)
	}
}

// TestPingCheck: the static reading of ping-check and its timeouts.
func TestPingCheck(t *testing.T) {
	for _, c := range []struct {
		name, outside, inside string
		check                 bool
		nanos                 int64
	}{
		{"default", "", "", true, 1e9},
		{"off outside", "ping-check off;", "", false, 1e9},
		{"off, then on inside", "ping-check off;", "ping-check on;", true, 1e9},
		{"on, then off inside", "ping-check on;", "ping-check off;", false, 1e9},
		{"guide's form", "ping-check = 1;", "", true, 1e9},
		{"zero in that form", "ping-check = 0;", "", false, 1e9},
		{"on under a condition", "ping-check off;", "if known { ping-check on; }", true, 1e9},
		{"another condition", "ping-check off;", "if known { min-secs 1; }", false, 1e9},
		{"computed", "ping-check = option host-name;", "", true, 1e9},
		{"on in a class", "ping-check off; class \"a\" { ping-check on; }", "", true, 1e9},
		{"on for a host", "ping-check off; host h { ping-check on; }", "", true, 1e9},
		{"timeout", "ping-timeout 3;", "", true, 3e9},
		{"milliseconds win", "ping-timeout 3;", "ping-timeout-ms 250;", true, 250e6},
	} {
		for _, form := range []string{"range 10.0.0.10 10.0.0.20;", "pool { range 10.0.0.10 10.0.0.20; }"} {
			p, _ := compileText(t, c.outside+" subnet 10.0.0.0 netmask 255.255.255.0 { "+c.inside+" "+form+" }")
			if got := p.Pools[0]; got.PingCheck != c.check || got.PingTimeout != c.nanos {
				t.Errorf("%s, %s: %v %d", c.name, form, got.PingCheck, got.PingTimeout)
			}
		}
	}
}

// TestAbandonTime: abandon-lease-time as the pools have it.
func TestAbandonTime(t *testing.T) {
	for _, c := range []struct {
		name, outside, inside string
		seconds               int64
	}{
		{"default", "", "", 86400},
		{"outside", "abandon-lease-time 600;", "", 600},
		{"inside wins", "abandon-lease-time 600;", "abandon-lease-time 60;", 60},
		{"computed: not known before a message", "abandon-lease-time = option host-name;", "", 86400},
	} {
		for _, form := range []string{"range 10.0.0.10 10.0.0.20;", "pool { range 10.0.0.10 10.0.0.20; }"} {
			p, _ := compileText(t, c.outside+" subnet 10.0.0.0 netmask 255.255.255.0 { "+c.inside+" "+form+" }")
			if got := p.Pools[0].AbandonTime; got != c.seconds {
				t.Errorf("%s, %s: %d s", c.name, form, got)
			}
		}
	}
}

// TestNetworks: networks, pools and ranges as the core meets them.
func TestNetworks(t *testing.T) {
	p, _ := compileText(t, `authoritative;
		shared-network both { subnet 10.0.0.0 netmask 255.255.255.0 { not authoritative; range 10.0.0.50 10.0.0.40; }
			subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.1.10; pool { range 10.0.1.20 10.0.1.29; } } pool { range 10.0.0.10 10.0.0.12; } }
		subnet 192.168.0.0 netmask 255.255.0.0 { interface "eth7"; }`)
	if len(p.Networks) != 2 || p.Networks[0].Name != "both" || p.Networks[1].Name != "192.168.0.0/16" {
		t.Fatalf("networks %+v", p.Networks)
	}
	if len(p.Pools) != 3 || p.Pools[0].Size != 12 || p.Pools[1].Size != 10 || p.Pools[2].Size != 3 || len(p.Networks[0].Pools) != 3 {
		t.Errorf("pools %+v", p.Pools)
	}
	for i := 1; i < len(p.Ranges); i++ {
		if p.Ranges[i-1].Last >= p.Ranges[i].First {
			t.Errorf("range %d is not before the next", i-1)
		}
	}
	if p.Subnets[0].Authoritative || !p.Subnets[1].Authoritative || p.Subnets[2].Interface != "eth7" {
		t.Errorf("subnets %+v", p.Subnets)
	}
	if r := p.Ranges[p.RangeOf(proto.AddrOf(10, 0, 0, 11))]; r.Pool != 2 || r.Subnet != 0 {
		t.Errorf("the range of the shared network's pool: %+v", r)
	}
}

// TestOverlapSplit: a later range keeps what no earlier one has.
func TestOverlapSplit(t *testing.T) {
	p, _ := compileText(t, `subnet 10.0.0.0 netmask 255.255.255.0 { pool { range 10.0.0.20 10.0.0.29; range 10.0.0.40 10.0.0.49; } pool { range 10.0.0.10 10.0.0.60; } }`)
	if p.Pools[0].Size != 20 || p.Pools[1].Size != 31 || len(p.Ranges) != 5 {
		t.Errorf("sizes %d and %d, %d ranges", p.Pools[0].Size, p.Pools[1].Size, len(p.Ranges))
	}
	if at := p.RangeOf(proto.AddrOf(10, 0, 0, 25)); p.Ranges[at].Pool != 0 {
		t.Error("the second declaration has the addresses")
	}
}

// TestForeignTree: what the parser rules out is an error here too, not a plan
// that leads nowhere.
func TestForeignTree(t *testing.T) {
	parse := func() *config.Tree {
		return config.ParseText("test.conf", []byte(`class "a" { } subnet 10.0.0.0 netmask 255.255.255.0 { pool { allow members of "a"; range 10.0.0.10 10.0.0.20; } add "a"; }`), config.Options{})
	}
	pool := func(t *config.Tree) *config.Pool { return t.Networks[0].Children[0].Pool }
	for name, change := range map[string]func(*config.Tree){
		"in one subnet":  func(t *config.Tree) { pool(t).Ranges[0].High = proto.AddrOf(10, 0, 1, 0) },
		`no class "b"`:   func(t *config.Tree) { pool(t).Permit[0].Class = "b" },
		`no class "c"`:   func(t *config.Tree) { t.Networks[0].Statements[0].Name = "c" },
		"not in one sub": func(t *config.Tree) { pool(t).Ranges[0].Low, pool(t).Ranges[0].High = 1, 2 },
	} {
		tree := parse()
		change(tree)
		p, findings := compile.Compile(tree)
		if p != nil || len(findings) != 1 || !strings.Contains(findings[0].Message, name) {
			t.Errorf("%s: plan %v, %v", name, p != nil, findings)
		}
	}
}

// TestRepeats: three warnings of a kind, and how many more.
func TestRepeats(t *testing.T) {
	text := "subnet 10.0.0.0 netmask 255.255.255.0 { }\n"
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		text += "host " + name + " { fixed-address 10.9.9.9; }\n"
	}
	_, findings := compileText(t, text)
	if len(findings) != 3 || !strings.HasSuffix(findings[2].Message, "(and 2 more like it)") {
		t.Errorf("%v", findings)
	}
}

// TestGuard: the statements that protect the server, and where they have no
// effect.
func TestGuard(t *testing.T) {
	const subnet = "\nsubnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20; }\n"
	p, findings := compileText(t, subnet)
	if g := p.Guard; !g.KnownFirst || g.Messages != 8 || g.Requests != 64 || g.Servers != nil || len(findings) != 0 {
		t.Errorf("defaults: %+v, %v", g, findings)
	}
	p, findings = compileText(t, "known-clients-first off; dhcp-rate-limit 0; tftp-rate-limit 4294967295; permitted-servers 10.0.0.2, 10.0.0.3;"+subnet)
	if g := p.Guard; g.KnownFirst || g.Messages != 0 || g.Requests != 1e9 || len(g.Servers) != 2 || g.Servers[1] != proto.AddrOf(10, 0, 0, 3) || len(findings) != 0 {
		t.Errorf("set: %+v, %v", g, findings)
	}
	for _, text := range []string{
		"subnet 10.1.0.0 netmask 255.255.255.0 { range 10.1.0.10; dhcp-rate-limit 5; }",
		"host a { hardware ethernet 02:00:00:00:00:01; known-clients-first off; }",
		"if known { tftp-rate-limit 1; }",
		"option arch code 93 = unsigned integer 16; dhcp-rate-limit = option arch;",
	} {
		p, findings = compileText(t, text+subnet)
		if g := p.Guard; !g.KnownFirst || g.Messages != 8 || g.Requests != 64 {
			t.Errorf("%s: %+v", text, g)
		}
		if len(findings) != 1 || !strings.Contains(findings[0].Message, "no effect") {
			t.Errorf("%s: %v", text, findings)
		}
	}
}
