package migrate

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"bootstorm/engine/config"
)

// FuzzDnsmasq: whatever stands in dnsmasq's files, what they become is a
// configuration that is understood, or an error.
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
			if x.Severity == config.Error {
				t.Fatalf("%s\nfrom\n%s\nbecame\n%s", tree.Render(x), lines, r.Config)
			}
		}
	})
}
