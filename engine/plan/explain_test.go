package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// TestOrigins: every value names the statement that decided it.
func TestOrigins(t *testing.T) {
	p := guide(t)
	e := decide(p, newMessage(dhcp.Discover, option{dhcp.OptClientArch, "\x00\x07"}, option{dhcp.OptUserClass, "iPXE"}))
	e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 0, 1})
	for _, c := range []struct {
		name   string
		origin int32
		text   string
	}{
		{"filename, through two ifs", e.OriginOf(plan.Filename), `filename "refind.pxe";`},
		{"next-server", e.OriginOf(plan.NextServer), "next-server 192.168.1.1;"},
		{"server-name, of the host", e.OriginOf(plan.ServerName), `server-name "node_1";`},
		{"routers", e.OriginOfOption(dhcp.OptRouters), "option routers 192.168.1.1;"},
		{"default-lease-time, global", e.OriginOf(plan.DefaultLeaseTime), "default-lease-time 7200;"},
		{"the mask, of the subnet", e.OriginOfOption(dhcp.OptSubnetMask), "subnet 192.168.1.0 netmask 255.255.255.240 {"},
		{"what the core set", e.OriginOfOption(dhcp.OptLeaseTime), ""},
		{"what is not set", e.OriginOfOption(dhcp.OptHostName), ""},
		{"a parameter that is not set", e.OriginOf(plan.MinSecs), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := ""
			if c.origin >= 0 {
				text = p.Origins[c.origin].Text
			}
			if text != c.text {
				t.Errorf("%q, want %q", text, c.text)
			}
		})
	}
}

// TestOriginPositions: file, line and column, with comments left out.
func TestOriginPositions(t *testing.T) {
	p := load(t, "subnet 192.168.1.0 netmask 255.255.255.0 {\n\toption routers 192.168.1.1; # the gateway\n  option root-path \"a;#b\"  # why\n;}\n")
	e := decide(p, client())
	o := p.Origins[e.OriginOfOption(dhcp.OptRouters)]
	if o.File != "test.conf" || o.Line != 2 || o.Col != 2 || o.Text != "option routers 192.168.1.1;" {
		t.Errorf("%+v", o)
	}
	if o := p.Origins[e.OriginOfOption(17)]; o.Text != `option root-path "a;#b"` {
		t.Errorf("%+v", o)
	}
}

// TestOriginOfSpace: an option that is made of another space's options is
// decided where the first of them is.
func TestOriginOfSpace(t *testing.T) {
	p := load(t, inSubnet(`option alpha.one "ex";`, ""))
	e := decide(p, client())
	if at := e.OriginOfOption(201); at < 0 || p.Origins[at].Text != `option alpha.one "ex";` {
		t.Errorf("origin %d", at)
	}
	if at := e.OriginOfOption(203); at >= 0 {
		t.Errorf("an empty space has the origin %q", p.Origins[at].Text)
	}
}
