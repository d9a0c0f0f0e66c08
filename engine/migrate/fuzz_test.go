package migrate

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/config"
)

// FuzzDnsmasq: whatever stands in dnsmasq's files, what they become is a
// configuration that is understood, or said to need a hand; a range never is one
// that does not fit its network.
func FuzzDnsmasq(f *testing.F) {
	f.Add("dhcp-range=10.0.0.10,10.0.0.20,255.255.255.0,1h\ndhcp-host=2:0:0:0:0:1,n1,10.0.0.5\ndhcp-option=option:router,10.0.0.1\n", "1700000000 02:00:00:00:00:01 10.0.0.5 n1 *\n")
	f.Add("dhcp-range=set:a,10.0.0.0,static,infinite\ndhcp-match=set:ipxe,175\ndhcp-boot=tag:ipxe,tag:!x,script,srv,10.0.0.1\nenable-tftp\ntftp-root=/srv\n", "")
	f.Add("conf-file=/etc/dnsmasq.conf\nconf-dir=/etc,*.conf\ndhcp-option=6,1.1.1.1,\"a,b\"\npxe-service=x86PC,\"x\",f\ninterface=eth0\n", "duid x\n0 x y z\n")
	f.Add("dhcp-vendorclass=set:v,PXE\ndhcp-mac=set:m,02:*:*:*:*:*\ndhcp-option=vendor:PXEClient,6,2b\ndhcp-option-force=option:150,\\\ndomain=x.y,10.0.0.0/8\n", "1 1 1 1 1\n")
	addresses := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}
	f.Fuzz(func(t *testing.T, lines, leases string) {
		if len(lines) > 4096 || len(leases) > 4096 {
			return
		}
		root := t.TempDir()
		for name, text := range map[string]string{"etc/dnsmasq.conf": lines, "var/lib/misc/dnsmasq.leases": leases} {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Look(Options{Root: root, Addresses: addresses})
		if err != nil || len(r.Config) == 0 {
			return
		}
		tree := config.ParseText("dhcpd.conf", r.Config, config.Options{})
		for _, x := range tree.Findings {
			if x.Severity == config.Error && (len(fate(r, "not accepted")) == 0 || strings.Contains(x.Message, "outside the subnet")) {
				t.Fatalf("%s\nfrom\n%s\nbecame\n%s", tree.Render(x), lines, r.Config)
			}
		}
	})
}

// A range without a mask that is longer than 256 addresses has a network with room
// for it, and one that ends elsewhere is not taken over.
func TestRangesFitTheirNetworks(t *testing.T) {
	r := look(t, map[string]string{"etc/dnsmasq.conf": "dhcp-range=10.0.0.10,10.0.5.20\ndhcp-range=10.9.0.10,10.9.1.20,255.255.255.0\ndhcp-range=10.8.0.10,10.8.0.9\n"})
	if text := string(r.Config); !strings.Contains(text, "subnet 10.0.0.0 netmask 255.255.248.0 {") || strings.Contains(text, "10.9.") || strings.Contains(text, "10.8.") {
		t.Errorf("became\n%s", text)
	}
	for _, end := range []string{"10.9.1.20", "10.8.0.9"} {
		if got := fate(r, "its last address, "+end); len(got) != 1 || got[0] != Lost {
			t.Errorf("%s: %v", end, got)
		}
	}
}

// What the server would not accept is told of, with its line.
func TestResultIsReadBack(t *testing.T) {
	h := &host{Result: Result{ConfigName: dnsmasqConf, Config: []byte("subnet 10.0.0.0 netmask 255.255.255.0 {\n    range 10.0.0.10 10.0.9.9;\n}\n")}}
	h.readBack()
	if len(h.Notes) != 1 || h.Notes[0].Fate != Lost || h.Notes[0].Text != "range 10.0.0.10 10.0.9.9;" || !strings.Contains(h.Notes[0].Why, "is not accepted: 10.0.9.9 is outside the subnet") {
		t.Errorf("%+v", h.Notes)
	}
}
