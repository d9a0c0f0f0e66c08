package migrate

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/config"
)

// look takes over a tree of files.
func look(t *testing.T, files map[string]string, addresses ...string) *Result {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Root: root}
	for _, a := range addresses {
		o.Addresses = append(o.Addresses, netip.MustParsePrefix(a))
	}
	r, err := Look(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fate finds what became of a line, by a part of its text or its reason.
func fate(r *Result, part string) (list []Fate) {
	for _, n := range r.Notes {
		if strings.Contains(n.Text, part) || strings.Contains(n.Why, part) {
			list = append(list, n.Fate)
		}
	}
	return list
}

const oneRange = "dhcp-range=10.0.0.10,10.0.0.20,255.255.255.0,1h\n"

// Lines of dnsmasq and what they become. Every result is one that the parser of
// the configuration accepts.
func TestDnsmasqLines(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		want, not   []string
	}{
		{"lease times", "dhcp-range=10.0.0.10,10.0.0.20,255.255.255.0,infinite\ndhcp-range=10.1.0.10,10.1.0.20,255.255.0.0,7d\ndhcp-range=10.2.0.10,10.2.0.20\n",
			[]string{"default-lease-time 4294967295;", "subnet 10.1.0.0 netmask 255.255.0.0 {\n    default-lease-time 604800;", "subnet 10.2.0.0 netmask 255.255.255.0 {\n    default-lease-time 3600;"}, nil},
		{"reserved addresses only", "dhcp-range=10.0.0.0,static,255.255.255.0\ndhcp-host=2:0:0:0:0:1,10.0.0.5\n",
			[]string{"subnet 10.0.0.0 netmask", "hardware ethernet 02:00:00:00:00:01;", "fixed-address 10.0.0.5;"}, []string{"    range "}},
		{"several ranges are pools", oneRange + "dhcp-range=10.0.0.30,10.0.0.40,255.255.255.0,2h\n",
			[]string{"pool {\n        default-lease-time 3600;\n        max-lease-time 3600;\n        range 10.0.0.10 10.0.0.20;", "range 10.0.0.30 10.0.0.40;"}, nil},
		{"a range for some", "dhcp-vendorclass=set:pxe,PXEClient\ndhcp-range=tag:pxe,10.0.0.10,10.0.0.20,255.255.255.0\n",
			[]string{"class \"dnsmasq pxe\" {\n    match if option vendor-class-identifier ~= \"PXEClient\";", "allow members of \"dnsmasq pxe\";"}, nil},
		{"options of a range with a tag", "dhcp-range=set:a,10.0.0.10,10.0.0.20,255.255.255.0\ndhcp-range=set:b,10.1.0.10,10.1.0.20,255.255.255.0\n" +
			"dhcp-boot=tag:a,a.efi\ndhcp-boot=tag:!a,other.efi\n", []string{"subnet 10.0.0.0", "filename \"a.efi\";", "filename \"other.efi\";"}, []string{"if "}},
		{"the last line with a tag counts", oneRange + "dhcp-match=set:x,option:client-arch,7\ndhcp-boot=tag:x,first.efi\ndhcp-boot=plain.efi\ndhcp-boot=tag:x,second.efi\n",
			[]string{"if option pxe-system-type = 00:07 {\n        filename \"second.efi\";", "else {\n        filename \"plain.efi\";"}, nil},
		{"server of a boot file", oneRange + "dhcp-boot=pxelinux.0,boot,10.0.0.9\n", []string{`filename "pxelinux.0"; server-name "boot"; next-server 10.0.0.9;`}, nil},
		{"options by name and number", oneRange + "dhcp-option=3,10.0.0.254\ndhcp-option=option:ntp-server,10.0.0.7,10.0.0.8\ndhcp-option=66,\"boot server\"\ndhcp-option=200,hello\ndhcp-option=option:domain-search,a.example,b.example\n",
			[]string{"option routers 10.0.0.254;", "option ntp-servers 10.0.0.7, 10.0.0.8;", `option tftp-server-name "boot server";`, "option dnsmasq-200 code 200 = string;", `option dnsmasq-200 "hello";`, `option domain-search "a.example", "b.example";`}, nil},
		{"what is sent without being told", oneRange, []string{"option routers 10.0.0.1;", "option domain-name-servers 10.0.0.1;", "option broadcast-address 10.0.0.255;"}, nil},
		{"no name server", "port=0\n" + oneRange + "dhcp-option=3\n", nil, []string{"domain-name-servers", "routers"}},
		{"unknown clients", oneRange + "dhcp-ignore=tag:!known\ndhcp-authoritative\n", []string{"authoritative;", "deny unknown-clients;"}, nil},
		{"comments and quotes", "# dhcp-range=1.2.3.4\n\t" + oneRange + "dhcp-boot=\"a#b.efi\"   # why\n", []string{`filename "a#b.efi";`}, []string{"why"}},
		{"services", oneRange + "pxe-service=x86PC,\"Install\",pxelinux\npxe-service=X86-64_EFI,EFI,grubx64.efi,10.0.0.3\n",
			[]string{"if option pxe-system-type = 00:00 {\n        filename \"pxelinux.0\";", "filename \"grubx64.efi\"; next-server 10.0.0.3;"}, nil},
		{"text that means something to an expression", oneRange + "dhcp-userclass=set:u,a.b+c\ndhcp-boot=tag:u,x.efi\n", []string{`option user-class ~= "a\\.b\\+c"`}, nil},
		{"old spelling", oneRange + "dhcp-match=ipxe,175\ndhcp-boot=net:#ipxe,undionly.kpxe\n", []string{"if not (exists ipxe-encap-opts) {"}, nil},
	} {
		r := look(t, map[string]string{"etc/dnsmasq.conf": c.lines}, "10.0.0.1/24")
		text := string(r.Config)
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is missing in\n%s", c.name, w, text)
			}
		}
		for _, w := range c.not {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q is in\n%s", c.name, w, text)
			}
		}
		tree := config.ParseText("result", r.Config, config.Options{})
		for _, f := range tree.Findings {
			if f.Severity == config.Error {
				t.Errorf("%s: %s\n%s", c.name, tree.Render(f), text)
			}
		}
	}
}

// What cannot be taken over is said, whatever is wrong with it.
func TestLostLinesAreSaid(t *testing.T) {
	for _, line := range []string{
		"dhcp-range=nonsense", "dhcp-range=10.0.0.1,proxy", "dhcp-range=::1,::2", "dhcp-range=10.0.0.9,what", "dhcp-host=", "dhcp-host=*:*:*:*:*:*,10.0.0.3",
		"dhcp-boot=", "dhcp-boot=tag:nobody,x.efi", "dhcp-option=", "dhcp-option=option:nothing,1", "dhcp-option=3,not-an-address", "dhcp-option=26,large",
		"dhcp-option=encap:60,1,2", "dhcp-option=vi-encap:9,1,2", "dhcp-match=", "dhcp-match=set:x,option:nothing", "dhcp-mac=set:x,1:2", "tag-if=set:x,tag:nobody",
		"pxe-service=", "pxe-service=Toaster,a,b", "pxe-service=x86PC,a,1", "dhcp-ignore=tag:x", "dhcp-relay=10.0.0.1,10.0.0.2", "interface=eth*", "domain=a.example,10.0.0.0/24",
		"conf-file=/nonexistent", "dhcp-script=/bin/true",
	} {
		r := look(t, map[string]string{"etc/dnsmasq.conf": oneRange + line + "\n"}, "10.0.0.1/24")
		key, _, _ := strings.Cut(line, "=")
		found := false
		for _, n := range r.Notes {
			found = found || n.Line == 2 && n.Fate == Lost && strings.HasPrefix(n.Text, key) && n.Why != ""
		}
		if !found {
			t.Errorf("%s: %+v", line, r.Notes)
		}
	}
}

// Debian's package names the directory of further files on the command line.
func TestFilesOfDnsmasq(t *testing.T) {
	r := look(t, map[string]string{
		"etc/default/dnsmasq":          "CONFIG_DIR=/etc/dnsmasq.d,.dpkg-dist,.dpkg-old\nDNSMASQ_OPTS=\"--dhcp-range=10.9.9.1\"\n",
		"etc/dnsmasq.conf":             "conf-dir=/etc/more,*.conf\nconf-file=/etc/dnsmasq.conf\ndhcp-hostsfile=/etc/hosts.dhcp\n",
		"etc/dnsmasq.d/range":          oneRange,
		"etc/dnsmasq.d/range.dpkg-old": "dhcp-range=10.8.0.1,10.8.0.9\n",
		"etc/more/a.conf":              "dhcp-boot=more.efi\n",
		"etc/more/b.txt":               "dhcp-boot=not.efi\n",
		"etc/hosts.dhcp":               "# nodes\n02:00:00:00:00:01,n1,10.0.0.2\n",
	})
	text := string(r.Config)
	for _, w := range []string{"range 10.0.0.10 10.0.0.20;", "more.efi", "host n1 {"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in\n%s", w, text)
		}
	}
	if strings.Contains(text, "10.8.0.") || strings.Contains(text, "not.efi") {
		t.Errorf("files that dnsmasq does not read were read:\n%s", text)
	}
	if !slices.Contains(fate(r, "DNSMASQ_OPTS"), Lost) {
		t.Error("flags of the command line are not mentioned")
	}
}

func TestAssignments(t *testing.T) {
	got := assignments("# A=1\n\nexport B='x y' # why\nC=\"a#b\"c\nif [ x = y ]; then\nD=e#f\n")
	want := []assignment{{3, "B", "x y", "B='x y' # why"}, {4, "C", "a#bc", `C="a#b"c`}, {6, "D", "e#f", "D=e#f"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// A lease file that is cut, or not one, gives notes and never a wrong lease.
func TestDnsmasqLeases(t *testing.T) {
	r := look(t, map[string]string{"etc/dnsmasq.conf": oneRange, "var/lib/misc/dnsmasq.leases": "1795850000 02:00:00:00:00:01 10.0.0.10 * *\n17958\n" +
		"1795850000 02:00:00:00:00:zz 10.0.0.11 * *\n99999999999999999 02:00:00:00:00:02 10.0.0.12 * zz\n-5 02:00:00:00:00:03 10.0.0.13 * *\n"})
	if r.LeaseCount != 2 || strings.Count(string(r.Leases), "binding state active") != 2 {
		t.Errorf("%d leases\n%s", r.LeaseCount, r.Leases)
	}
	lost := 0
	for _, n := range r.Notes {
		if n.File == dnsmasqLeases && n.Fate == Lost {
			lost++
		}
	}
	if lost != 3 {
		t.Errorf("%d lines are said to be lost", lost)
	}
}
