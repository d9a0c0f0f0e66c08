package config

import (
	"strings"
	"testing"
)

// peer writes a failover peer with some settings more.
func peer(settings string) string {
	return "failover peer \"p\" { address 10.0.0.1; peer address 10.0.0.2; " + settings + " }\n" +
		"subnet 10.0.0.0 netmask 255.255.255.0 { pool { failover peer \"p\"; range 10.0.0.9; } }"
}

// TestUnused checks what has no effect as strictly as dhcpd does: message "" is
// right, to both.
func TestUnused(t *testing.T) {
	const secret = "algorithm hmac-md5; secret aGVsbG8=;"
	for _, c := range []struct{ name, text, message string }{
		{"primary", peer("primary; mclt 60; split 128; port 647; peer port 647; load balance max seconds 3;"), ""},
		{"secondary", peer("secondary; max-response-delay 5; max-unacked-updates 5; max-balance 5; min-balance 5;"), ""},
		{"hba", peer("primary; mclt 60; hba " + strings.Repeat("ff:", 31) + "00;"), ""},
		{"hba too short", peer("primary; mclt 60; hba ff:00;"), "32 octets"},
		{"hba of no octets", peer("primary; mclt 60; hba x;"), "not a number in base 16"},
		{"no mclt", peer("primary; split 128;"), "needs mclt"},
		{"no split", peer("primary; mclt 60;"), "needs split or hba"},
		{"split too large", peer("primary; mclt 60; split 300;"), "at most 256"},
		{"secondary with split", peer("secondary; split 128;"), "secondary failover server has no split"},
		{"split, then secondary", peer("split 128; secondary;"), "secondary failover server has no split"},
		{"word for a number", peer("secondary; port x;"), "expected a number"},
		{"unknown setting", peer("secondary; colour 5;"), "no setting \"colour\""},
		{"half of load balance", peer("secondary; load balance 5;"), "in load balance"},
		{"no peer address", "failover peer \"p\" { secondary; address 10.0.0.1; }", "no peer address"},
		{"twice", peer("secondary;") + peer("secondary;"), "declared twice"},
		{"no name", "failover peer { }", "name of the peer"},
		{"no peer", "failover \"p\" { }", "after failover"},
		{"state", "failover peer \"p\" state { }", "dhcpd.leases"},
		{"body missing", "failover peer \"p\";", "body of the failover peer"},
		{"in a group", "group { failover peer \"p\" { } }", "failover is not possible in a group"},
		{"reference to nothing", inPool + "failover peer \"p\"; } }", "no failover peer \"p\""},
		{"reference in a shared network", peer("secondary;") + "shared-network x { failover peer \"p\"; subnet 10.1.0.0 netmask 255.255.0.0 { } }", ""},
		{"no and something else", inPool + "no route; } }", "after no"},
		{"zone with everything", "key k { " + secret + " }\nzone a.example { primary 127.0.0.1, localhost; secondary 10.0.0.1; primary6 ::1; secondary6 ::2, ::3; key \"k\"; }", ""},
		{"zone with two primaries", "zone a. { primary 127.0.0.1; primary 127.0.0.2; }", "second primary"},
		{"zone with an unknown setting", "zone a. { master 127.0.0.1; }", "no setting \"master\""},
		{"zone with an unknown key", "zone a. { primary 127.0.0.1; key k; }", "no key \"k\""},
		{"zone with a bad address", "zone a. { primary6 127.0.0.1; }", "IPv6"},
		{"zone without a name", "zone { primary 127.0.0.1; }", "name of the zone"},
		{"zone without a body", "zone a.;", "expected \"{\""},
		{"keys", "key \"a\" { " + secret + " };\nkey b.c { secret aGVsbG8=; algorithm HMAC-SHA256.; }", ""},
		{"key with two secrets", "key k { " + secret + " secret aGVsbG8=; }", "second secret"},
		{"key with an unknown setting", "key k { " + secret + " size 5; }", "no setting \"size\""},
		{"key that is no base64", "key k { algorithm hmac-md5; secret ***; }", "not base64"},
		{"key without a name", "key { " + secret + " }", "name of the key"},
		{"format of times", "db-time-format local;", ""},
		{"another format of times", "db-time-format utc;", "expected default or local"},
		{"format of identifiers", "lease-id-format octal;", ""},
		{"another format of identifiers", "lease-id-format text;", "expected octal or hex"},
		{"key of OMAPI", "key k { " + secret + " }\nomapi-key k;", ""},
		{"events", "on commit or release or expiry { set name = \"x\"; }", ""},
		{"no event", "on boot { }", "expected an event"},
		{"programs", "if known { execute (\"/bin/true\", option host-name, \"x\"); }", ""},
		{"program without quotes", "if known { execute (true); }", "program in quotes"},
		{"program with a condition", "if known { execute (\"/bin/true\", known); }", "expected data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(c.text)
			text := render(tree)
			if tree.HasErrors() != (c.message != "") || !strings.Contains(text, c.message) {
				t.Errorf("want %q, got:\n%s", c.message, text)
			}
			if theirs := dhcpd(t, c.text); theirs != crashes && (theirs == rejects) != tree.HasErrors() {
				t.Errorf("dhcpd rejects it: %v\n%s", theirs == rejects, c.text)
			}
			for _, f := range tree.Findings {
				if c.message == "" && !strings.Contains(f.Message, "without effect") {
					t.Errorf("more than a warning of no effect:\n%s", text)
				}
			}
			if n := len(tree.Root.Statements); n > 1 {
				t.Errorf("%d statements in the tree", n)
			}
		})
	}
}

// TestDefineAgain: a new definition takes over the code, and the name if it is
// the same; the old name of a code that was taken can still be used.
func TestDefineAgain(t *testing.T) {
	tree := parse(`option domain-search code 119 = text;
option boot-list code 150 = array of ip-address;
option user-class code 222 = ip-address;
option domain-search "a.example";
option tftp-server-address 10.0.0.1;
option boot-list 10.0.0.2, 10.0.0.3;
option user-class 10.0.0.4;
option unknown-150 10.0.0.5;
`)
	if len(tree.Findings) > 0 {
		t.Fatal(render(tree))
	}
	want := []struct {
		name, data string
		code       uint32
	}{
		{"domain-search", "a.example", 119},
		{"tftp-server-address", "\x0a\x00\x00\x01", 150},
		{"boot-list", "\x0a\x00\x00\x02\x0a\x00\x00\x03", 150},
		{"user-class", "\x0a\x00\x00\x04", 222},
		{"boot-list", "\x0a\x00\x00\x05", 150},
	}
	for i, w := range want {
		s := tree.Root.Statements[i]
		if s.Option.Name != w.name || s.Option.Code != w.code || string(s.Expr.Data) != w.data {
			t.Errorf("statement %d: %s code %d %q, want %+v", i, s.Option.Name, s.Option.Code, s.Expr.Data, w)
		}
	}
	space := tree.Universe.Space("DHCP")
	if d := space.ByCode(77); d != nil {
		t.Errorf("code 77 is still %s after user-class was defined anew", d.Name)
	}
	if d := space.ByCode(150); d == nil || d.Name != "boot-list" {
		t.Errorf("code 150 is %+v", d)
	}
	if tree.Universe.Space("no-such-space") != nil {
		t.Error("a space out of nothing")
	}
}

// TestInterfaces: a network is on one interface, wherever it says so.
func TestInterfaces(t *testing.T) {
	const one, two = "subnet 10.0.0.0 netmask 255.255.255.0 { ", "subnet 10.0.1.0 netmask 255.255.255.0 { "
	for _, c := range []struct{ name, text, want string }{
		{"none", "shared-network x { " + one + "} " + two + "} }", ""},
		{"of the network", "shared-network x { interface eth0; " + one + "} " + two + "} }", "eth0"},
		{"after the subnets", "shared-network x { " + one + "} " + two + "} interface eth0; }", "eth0"},
		{"of a subnet", "shared-network x { " + one + "} " + two + "interface \"eth0.7\"; } }", "eth0.7"},
		{"of two subnets", "shared-network x { " + one + "interface eth0; } " + two + "interface eth1; } }", "error"},
		{"of network and subnet", "shared-network x { interface eth0; " + one + "interface eth0; } }", "error"},
		{"twice", "shared-network x { interface eth0; interface eth0; " + one + "} }", "error"},
		{"no name", "shared-network x { interface ; " + one + "} }", "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(c.text)
			if tree.HasErrors() != (c.want == "error") {
				t.Fatal(render(tree))
			}
			if theirs := dhcpd(t, c.text); theirs != crashes && (theirs == rejects) != tree.HasErrors() {
				t.Errorf("dhcpd rejects it: %v", theirs == rejects)
			}
			if c.want == "error" {
				return
			}
			for _, s := range tree.Networks[0].subnets() {
				if s.Subnet.Interface != c.want {
					t.Errorf("%s is on %q, want %q", s.Subnet.Net, s.Subnet.Interface, c.want)
				}
			}
		})
	}
}
