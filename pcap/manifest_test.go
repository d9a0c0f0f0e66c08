package pcap

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bootstorm/proto"
)

func writeManifest(t *testing.T, text string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ManifestName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestReadManifest(t *testing.T) {
	folder := writeManifest(t, `
# common
config conf/a.conf
server 02:00:00:00:00:01 192.168.1.1/28
hosts 52:54:00:12:34:01

capture a.pcap  # nothing special
capture b.pcap
    config conf/b.conf
    hosts
    differences list.txt
    file ipxe.efi 850528
`)
	got, err := ReadManifest(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := []Case{
		{Name: "a.pcap", Config: filepath.Join(folder, "conf/a.conf"), Hosts: []proto.MAC{clientMAC}, Server: server},
		{Name: "b.pcap", Config: filepath.Join(folder, "conf/b.conf"), Differences: filepath.Join(folder, "list.txt"), Server: server,
			Files: []Learned{{Name: "ipxe.efi", Size: 850528, Exact: true}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c, err := FindCase(filepath.Join(folder, "b.pcap")); err != nil || c == nil || !reflect.DeepEqual(*c, want[1]) {
		t.Errorf("b.pcap is found as %+v, %v", c, err)
	}
	if c, err := FindCase(filepath.Join(folder, "other.pcap")); c != nil || err != nil {
		t.Errorf("a capture that is not named is found as %+v, %v", c, err)
	}
	if c, err := FindCase(filepath.Join(t.TempDir(), "b.pcap")); c != nil || err != nil {
		t.Errorf("a folder without a manifest gives %+v, %v", c, err)
	}
}

func TestReadManifestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"capture\n":                   ":1: not understood: capture",
		"\nflavour vanilla\n":         ":2: not understood: flavour vanilla",
		"hosts 52:54:00\n":            "not a hardware address",
		"server 2:0:0:0:0:1 1.2.3\n":  "not an address with a prefix length",
		"server nonsense 1.2.3.4/8\n": "not a hardware address",
		"file a.efi big\n":            "not a size",
	} {
		folder := writeManifest(t, text)
		if _, err := ReadManifest(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
		if _, err := FindCase(filepath.Join(folder, "a.pcap")); err == nil {
			t.Errorf("%q: the error is lost", text)
		}
	}
}

func TestParseAddresses(t *testing.T) {
	if m, err := ParseMAC("52:54:00:12:34:01"); err != nil || m != clientMAC {
		t.Errorf("hardware address %v, %v", m, err)
	}
	for _, bad := range []string{"", "52:54:00:12:34", "52:54:00:12:34:01:02", "52:54:00:12:34:zz", "52:54:00:12:34:001", "xx:xx:xx:xx:xx:xx"} {
		if _, err := ParseMAC(bad); err == nil {
			t.Errorf("%q passes as a hardware address", bad)
		}
	}
	for text, want := range map[string][2]proto.Addr{
		"192.168.1.1/28": {server.Addr, 0xfffffff0}, "10.0.0.1/8": {proto.AddrOf(10, 0, 0, 1), 0xff000000}, "1.2.3.4/32": {0x01020304, 0xffffffff}, "0.0.0.0/0": {},
	} {
		if a, m, err := ParsePrefix(text); err != nil || a != want[0] || m != want[1] {
			t.Errorf("%q reads as %v %v, %v", text, a, m, err)
		}
	}
	for _, bad := range []string{"", "192.168.1.1", "192.168.1.1/33", "192.168.1.256/24", "192.168.1/24", "a.b.c.d/8", "1.2.3.4/x", "1.2.3.4.5/8"} {
		if _, _, err := ParsePrefix(bad); err == nil {
			t.Errorf("%q passes as an address", bad)
		}
	}
}

// The manifest of the repository names every capture, and every file that it
// names exists.
func TestManifestIsComplete(t *testing.T) {
	cases, err := ReadManifest("testdata")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, c := range cases {
		if named[c.Name] {
			t.Errorf("%s has two sections", c.Name)
		}
		named[c.Name] = true
		for _, f := range []string{filepath.Join("testdata", c.Name), c.Config, c.Differences} {
			if _, err := os.Stat(f); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	for _, f := range captures(t) {
		if !named[f] {
			t.Errorf("%s has no section", f)
		}
	}
}
