package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestScopes: an inner statement overrides an outer one. Each case was asked of
// dhcpd 4.4.3, but for those that say otherwise.
func TestScopes(t *testing.T) {
	const subnet = "subnet 192.168.1.0 netmask 255.255.255.0 { "
	const ranges = "range 192.168.1.10 192.168.1.200; "
	const host = "hardware ethernet 02:00:00:00:0c:01; "
	for _, c := range []struct{ name, text, want string }{
		{"global", `option r "g"; ` + subnet + ranges + `}`, "g"},
		{"subnet over global", `option r "g"; ` + subnet + ranges + `option r "s"; }`, "s"},
		{"shared-network over global", `option r "g"; shared-network n { option r "n"; ` + subnet + ranges + `} }`, "n"},
		{"subnet over shared-network", `shared-network n { option r "n"; ` + subnet + ranges + `option r "s"; } }`, "s"},
		{"pool over subnet", subnet + `option r "s"; pool { ` + ranges + `option r "p"; } }`, "p"},
		{"group around a subnet", `option r "g"; group { option r "G"; ` + subnet + ranges + `} }`, "G"},
		{"class over pool", `class "a" { match if exists host-name; option r "a"; } ` + subnet + `pool { ` + ranges + `option r "p"; } }`, "a"},
		{"the class declared first has the last word", `class "a" { match if exists host-name; append r "a"; } class "b" { match if exists host-name; append r "b"; } ` + subnet + ranges + `}`, "ba"},
		{"subclass over class", `class "k" { match hardware; option r "k"; } subclass "k" 1:02:00:00:00:0c:01 { append r "s"; } ` + subnet + ranges + `}`, "ks"},
		{"subclass without a body", `class "k" { match hardware; option r "k"; } subclass "k" 1:02:00:00:00:0c:01; ` + subnet + ranges + `}`, "k"},
		{"no subclass, no member", `class "k" { match hardware; option r "k"; } option r "g"; ` + subnet + ranges + `}`, "g"},
		{"spawning class", `class "k" { spawn with hardware; option r "k"; } ` + subnet + ranges + `}`, "k"},
		{"match if and match", `class "k" { match if exists root-path; match hardware; option r "k"; } subclass "k" 1:02:00:00:00:0c:01; option r "g"; ` + subnet + ranges + `}`, "g"},
		{"host over class", `class "a" { match if exists host-name; option r "a"; } host h { ` + host + `option r "h"; } ` + subnet + ranges + `}`, "h"},
		{"host over its group", `group { option r "G"; host h { ` + host + `append r "h"; } } ` + subnet + ranges + `}`, "Gh"},
		{"groups outermost first", `group { append r "1"; group { append r "2"; host h { ` + host + `append r "3"; } } } ` + subnet + ranges + `}`, "123"},
		{"group over subnet", `group { option r "G"; host h { ` + host + `} } ` + subnet + ranges + `option r "s"; }`, "G"},
		{"global is not executed again for a host", `append r "g"; host h { ` + host + `} ` + subnet + ranges + `}`, "g"},
		{"nor is the subnet, for a host declared inside it", subnet + `append r "s"; pool { ` + ranges + `append r "p"; } host h { ` + host + `append r "h"; } }`, "sph"},
		{"but it is in a shared-network", `shared-network n { append r "n"; ` + subnet + `append r "s"; pool { ` + ranges + `append r "p"; } host h { ` + host + `append r "h"; } } }`, "nspsh"},
		{"and there with ranges of its own", `shared-network n { append r "n"; ` + subnet + `append r "s"; ` + ranges + `host h { ` + host + `append r "h"; } } }`, "nssh"},
		{"group in a subnet", subnet + `append r "s"; pool { ` + ranges + `append r "p"; } group { append r "g"; host h { ` + host + `append r "h"; } } }`, "spgh"},
		{"fixed-address in a subnet", subnet + `append r "s"; ` + ranges + `host h { ` + host + `fixed-address 192.168.1.9; append r "h"; } }`, "sh"},
		{"class in a subnet", subnet + `append r "s"; pool { ` + ranges + `append r "p"; } class "k" { match if exists host-name; append r "k"; } }`, "spk"},
		{"add", `class "k" { option r "k"; } ` + subnet + ranges + `add "k"; }`, "k"},
		{"known in a class (dhcpd classifies before it knows)", `class "k" { match if known; option r "k"; } host h { ` + host + `} option r "g"; ` + subnet + ranges + `}`, "k"},
		{"if at top level", `if exists host-name { option r "y"; } ` + subnet + ranges + `}`, "y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := decide(load(t, preamble+c.text), client())
			if v, _ := e.Option(200); string(v) != c.want {
				t.Errorf("%q, want %q", v, c.want)
			}
		})
	}
}

// TestSubnetOfAddress: in a shared network the statements and the mask are
// those of the subnet that the address belongs to.
func TestSubnetOfAddress(t *testing.T) {
	p := load(t, preamble+`shared-network n {
		subnet 192.168.1.0 netmask 255.255.255.0 { option r "one"; }
		subnet 10.0.0.0 netmask 255.255.0.0 { option r "two"; range 10.0.0.5 10.0.0.9; } }`)
	e := decide(p, client())
	if v, _ := e.Option(200); string(v) != "two" {
		t.Errorf("statements of %q", v)
	}
	if v, _ := e.Option(dhcp.OptSubnetMask); string(v) != "\xff\xff\x00\x00" {
		t.Errorf("mask %x", v)
	}
}

// TestStatic: the address of a host declaration is static.
func TestStatic(t *testing.T) {
	p := load(t, inSubnet(`if static { option r "y"; } else { option r "n"; }`,
		"host h { hardware ethernet 02:00:00:00:0c:01; fixed-address 192.168.1.9; }"))
	if v, _ := decide(p, client()).Option(200); string(v) != "y" {
		t.Errorf("static is %q", v)
	}
}

// TestLogs: texts and priorities in the order of execution.
func TestLogs(t *testing.T) {
	e := decide(load(t, inSubnet(`log("a"); log(debug, concat("b", option host-name)); log(fatal, option nis-domain);`, "")), client())
	for i, want := range []struct {
		text     string
		priority byte
	}{{"a", plan.LogInfo}, {"bNode-1", plan.LogDebug}} {
		text, priority, ok := e.NextLog(i)
		if !ok || string(text) != want.text || priority != want.priority {
			t.Errorf("log %d: %q %d %v", i, text, priority, ok)
		}
	}
	if _, _, ok := e.NextLog(2); ok {
		t.Error("a null text was logged")
	}
}

// TestParameters reads what the core reads, in every form.
func TestParameters(t *testing.T) {
	e := decide(load(t, `default-lease-time 600; min-secs 3; allow booting; deny bootp; ignore unknown-clients;
		one-lease-per-client on; ignore-client-uids off; filename "f"; next-server 10.0.0.1; ping-check = 1; dhcp-cache-threshold 25;
		subnet 192.168.1.0 netmask 255.255.255.0 { if exists root-path { always-broadcast on; } server-name = option nis-domain; echo-client-id = option nis-domain; }`), client())
	for p, want := range map[plan.Param]uint32{plan.DefaultLeaseTime: 600, plan.MinSecs: 3, plan.CacheThreshold: 25, plan.NextServer: uint32(proto.AddrOf(10, 0, 0, 1))} {
		if got, ok := e.Uint32(p); !ok || got != want {
			t.Errorf("parameter %d is %d, %v", p, got, ok)
		}
	}
	if _, ok := e.Uint32(plan.MaxLeaseTime); ok {
		t.Error("max-lease-time is set")
	}
	if _, ok := e.Value(plan.ServerName); ok {
		t.Error("a null server-name has a value")
	}
	for p, want := range map[plan.Param]plan.Policy{plan.AllowBooting: plan.Allow, plan.AllowBOOTP: plan.Deny, plan.BootUnknownClients: plan.Ignore, plan.Declines: plan.Ignore} {
		if got := e.Policy(p, plan.Ignore); got != want {
			t.Errorf("policy %d is %d, want %d", p, got, want)
		}
	}
	for p, want := range map[plan.Param]bool{plan.OneLeasePerClient: true, plan.IgnoreClientUIDs: false, plan.PingCheck: true, plan.AlwaysBroadcast: true, plan.EchoClientID: false} {
		if got := e.Bool(p, true); got != want {
			t.Errorf("flag %d is %v, want %v", p, got, want)
		}
	}
	if e.Bool(plan.AlwaysBroadcast, false) {
		t.Error("a flag that nothing sets is on")
	}
}

// TestDecideAgain: a second decision about the same message starts afresh.
func TestDecideAgain(t *testing.T) {
	p := load(t, inSubnet(`append r "x"; set count = concat(pick-first-value(count, ""), "i"); log(count); option nis-domain = leased-address;`, ""))
	e := decide(p, client())
	e.SetOption(dhcp.OptClientID, []byte("id"))
	for range 2 {
		e.Decide(0, -1, proto.AddrOf(192, 168, 1, 77), 0)
		if v, _ := e.Option(200); string(v) != "x" {
			t.Errorf("appended to an earlier decision: %q", v)
		}
		if v, _ := e.Option(40); string(v) != "\xc0\xa8\x01\x4d" {
			t.Errorf("address %x", v)
		}
		if text, _, _ := e.NextLog(0); string(text) != "i" {
			t.Errorf("variable of an earlier decision: %q", text)
		}
		if _, ok := e.Option(dhcp.OptClientID); ok {
			t.Error("the core's option of an earlier decision")
		}
	}
}
