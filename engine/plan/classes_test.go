package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// TestPermitted goes through the kinds of allow and deny.
func TestPermitted(t *testing.T) {
	const classes = `class "in" { match if exists host-name; } class "out" { match if exists root-path; }
		class "sub" { match hardware; } subclass "sub" 1:02:00:00:00:0c:01 { option nis-domain "x"; } `
	const known = "host h { hardware ethernet 02:00:00:00:0c:01; } "
	for _, c := range []struct {
		name, outside, lists string
		kind                 dhcp.Type
		ok                   bool
	}{
		{"no lists", "", "", dhcp.Discover, true},
		{"allow unknown", "", "allow unknown-clients;", dhcp.Discover, true},
		{"allow unknown, but known", known, "allow unknown-clients;", dhcp.Discover, false},
		{"deny unknown", "", "deny unknown-clients;", dhcp.Discover, false},
		{"deny unknown, but known", known, "deny unknown-clients;", dhcp.Discover, true},
		{"allow known", known, "allow known-clients;", dhcp.Discover, true},
		{"allow known, but unknown", "", "allow known-clients;", dhcp.Discover, false},
		{"allow members", "", `allow members of "in";`, dhcp.Discover, true},
		{"allow members, not one", "", `allow members of "out";`, dhcp.Discover, false},
		{"deny members", "", `deny members of "in";`, dhcp.Discover, false},
		{"members of a class by its subclass", "", `allow members of "sub";`, dhcp.Discover, true},
		{"deny wins over allow", "", `allow all clients; deny members of "in";`, dhcp.Discover, false},
		{"one of several", "", `allow members of "out"; allow members of "in";`, dhcp.Discover, true},
		{"allow all", "", "allow all clients;", dhcp.Discover, true},
		{"deny all", "", "deny all clients;", dhcp.Discover, false},
		{"deny BOOTP", "", "deny dynamic bootp clients;", dhcp.BOOTP, false},
		{"deny BOOTP, but DHCP", "", "deny dynamic bootp clients;", dhcp.Discover, true},
		{"allow BOOTP only", "", "allow dynamic bootp clients;", dhcp.Discover, false},
		{"after a moment past", "", "allow after 2 2026/01/06 00:00:00;", dhcp.Discover, true},
		{"after a moment to come", "", "allow after 2 2030/01/01 00:00:00;", dhcp.Discover, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := load(t, classes+c.outside+"subnet 192.168.1.0 netmask 255.255.255.0 { pool { range 192.168.1.10 192.168.1.20;\n"+c.lists+"\n} }")
			e := plan.NewEval(p)
			req := newMessage(c.kind, option{dhcp.OptHostName, "x"}).request()
			e.Begin(req, 0)
			e.FindHost()
			e.Classify()
			ok, rule := e.Permitted(0)
			if ok != c.ok {
				t.Errorf("permitted is %v", ok)
			}
			if ok != (rule < 0) {
				t.Fatalf("rule %d", rule)
			}
			if !ok && p.Origins[rule].Line != 3 {
				t.Errorf("refused by line %d, %q", p.Origins[rule].Line, p.Origins[rule].Text)
			}
		})
	}
}

// TestRangeForBOOTP: a range outside a pool is for BOOTP clients only if it
// says dynamic-bootp; both kinds make pools of their own.
func TestRangeForBOOTP(t *testing.T) {
	p := load(t, "subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.20; range dynamic-bootp 192.168.1.30 192.168.1.40; }")
	e := plan.NewEval(p)
	for kind, want := range map[dhcp.Type][2]bool{dhcp.BOOTP: {false, true}, dhcp.Discover: {true, true}} {
		e.Begin(newMessage(kind).request(), 0)
		for pool, ok := range want {
			if got, _ := e.Permitted(int32(pool)); got != ok {
				t.Errorf("%v, pool %d: %v", kind, pool, got)
			}
		}
	}
}

// TestLeaseLimit: what a limit counts is the class, the subclass or the spawned
// instance, and is the same in every message and plan.
func TestLeaseLimit(t *testing.T) {
	const subnet = "subnet 192.168.1.0 netmask 255.255.255.0 { } "
	text := `class "none" { match if exists host-name; }
		class "all" { match if exists host-name; lease limit 4; }
		class "each" { spawn with hardware; lease limit 2; }
		class "named" { match option user-class; lease limit 9; }
		subclass "named" "vip" { lease limit 7; }
		subclass "named" "common"; ` + subnet
	keys := func(p *plan.Plan, mac byte, class string) (found map[int32]uint64) {
		m := newMessage(dhcp.Discover, option{dhcp.OptHostName, "x"}, option{dhcp.OptUserClass, class})
		m.payload[33] = mac
		e := plan.NewEval(p)
		e.Begin(m.request(), 0)
		e.FindHost()
		e.Classify()
		found = map[int32]uint64{}
		for i := 0; ; i++ {
			key, limit, ok := e.Limit(i)
			if !ok {
				return found
			}
			found[limit] = key
		}
	}
	a, b := keys(load(t, text), 1, "vip"), keys(load(t, text+"default-lease-time 5;"), 2, "common")
	if len(a) != 3 || len(b) != 3 {
		t.Fatalf("limits %v and %v", a, b)
	}
	if a[4] != b[4] {
		t.Error("the class as a whole has two identities")
	}
	if a[2] == b[2] {
		t.Error("two spawned instances share an identity")
	}
	if a[7] == 0 || b[9] == 0 || a[7] == b[9] {
		t.Errorf("subclasses: %v and %v", a, b)
	}
	if again := keys(load(t, text), 1, "vip"); again[2] != a[2] {
		t.Error("an instance changes its identity")
	}
}

// TestSubclassOfUserClass: option 77 selects a subclass with and without its
// length byte.
func TestSubclassOfUserClass(t *testing.T) {
	p := load(t, preamble+`class "u" { match option user-class; } subclass "u" "iPXE" { option r "yes"; } subnet 192.168.1.0 netmask 255.255.255.0 { }`)
	for class, want := range map[string]string{"iPXE": "yes", "\x04iPXE": "yes", "\x05iPXE": ""} {
		if v, _ := decide(p, newMessage(dhcp.Discover, option{dhcp.OptUserClass, class})).Option(200); string(v) != want {
			t.Errorf("%q: %q", class, v)
		}
	}
}

// TestMember: add and check.
func TestMember(t *testing.T) {
	p := load(t, inSubnet(`add "later"; add "later";`, `class "later" { } class "never" { } `))
	e := decide(p, client())
	if !e.Member(0) || e.Member(1) {
		t.Errorf("member of later %v, of never %v", e.Member(0), e.Member(1))
	}
}
