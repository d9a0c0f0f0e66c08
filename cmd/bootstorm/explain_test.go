package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine"
)

// parseSetup makes a setup from a text.
func parseSetup(t *testing.T, text string) *engine.Setup {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dhcpd.conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := engine.ParseConfig(path)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// vendorSpaces has a space for each of two vendor classes, which give one code
// different meanings.
const vendorSpaces = `option space acme;
option acme.server code 1 = ip-address;
option space zeta;
option zeta.text code 1 = text;
subnet 10.0.0.0 netmask 255.255.255.0 {
  range 10.0.0.10 10.0.0.11;
  class "acme" { match if option vendor-class-identifier = "Acme"; vendor-option-space acme; option acme.server 10.0.0.7; }
  class "zeta" { match if option vendor-class-identifier = "Zeta"; vendor-option-space zeta; option zeta.text "ten"; }
}
`

// TestExplainCases asks for the parts of an answer that depend on more than the
// guide's file has.
func TestExplainCases(t *testing.T) {
	subnet := func(body string) string {
		return "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.11; " + body + " }\n"
	}
	lease := func(n string, state string) string {
		return "lease 10.0.0." + n + " { starts never; ends never; binding state " + state + "; hardware ethernet 52:54:00:00:00:" + n + "; }\n"
	}
	for _, c := range []struct {
		name, conf, leases string
		flags              string
		status             int
		want               []string
	}{
		{"URL", subnet(`filename "http://10.0.0.7/a.efi";`), "", "--arch 7", 0, []string{`"http://10.0.0.7/a.efi"`}},
		{"option 67", subnet(`option bootfile-name "b.efi";`), "", "--arch 7", 0, []string{`NO FILE: "b.efi" is not below `}},
		{"no file for iPXE", subnet(""), "", "--arch 7 --user-class iPXE", 0, []string{"NO BOOT FILE: ", `add a "filename" for user class "iPXE"`}},
		{"no file for ARM", subnet(""), "", "--arch 11", 0, []string{"architecture 11 (UEFI, ARM 64 bits)", `for option arch 00:0b`}},
		{"unknown architecture", subnet(`filename "x";`), "", "--arch 300", 0, []string{"architecture 300, uefi"}},
		{"system needs no file", subnet(""), "", "", 0, []string{"OFFER"}},
		{"pool exhausted", subnet(""), lease("10", "active") + lease("11", "active"), "", 1,
			[]string{"NO REPLY: no address is free: all 2 of 10.0.0.10 to 10.0.0.11 (subnet 10.0.0.0/24) are leased"}},
		{"abandoned is taken back", subnet(""), lease("10", "active") + lease("11", "abandoned"), "", 0, []string{"10.0.0.11", "out of service until now, but no other is free"}},
		{"previous address", subnet(""), strings.ReplaceAll(lease("11", "free"), "52:54:00:00:00:11", "52:54:00:00:00:09"), "", 0, []string{"10.0.0.11", "the address it had before"}},
		{"unknown clients", subnet("deny unknown-clients;"), "", "", 1, []string{"NO REPLY: ", "dhcpd.conf:1: deny unknown-clients"}},
		{"ignored", subnet("ignore booting;"), "", "", 1, []string{"NO REPLY: the configuration tells to ignore it, by "}},
		{"max-lease-time", subnet("default-lease-time 9000; max-lease-time 600;"), "", "", 0, []string{"600", "max-lease-time 600"}},
		{"expression", subnet(`filename = concat("boot-", binary-to-ascii(16, 8, "", substring(hardware, 6, 1)));`), "", "--arch 7", 0, []string{`"boot-9"`, "filename = concat("}},
		{"vendor class", subnet(`if option vendor-class-identifier = "Acme" { filename "acme"; }`), "", "--vendor-class Acme", 0, []string{`"acme"`}},
		{"vendor spaces", vendorSpaces, "", "--arch 7 --vendor-class Acme", 0, []string{"43.1  acme.server ", " 10.0.0.7 "}},
		{"vendor spaces, the other", vendorSpaces, "", "--arch 7 --vendor-class Zeta", 0, []string{"43.1  zeta.text ", `"ten"`}},
		{"broken lease file", subnet(""), "garbage garbage", "", 0, []string{"warning: lease file ", "explained as if there were no leases"}},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"dhcpd.conf": c.conf, "dhcpd.leases": c.leases} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args := append([]string{"explain", "--config", filepath.Join(dir, "dhcpd.conf"), "--tftp-root", dir, "--lease-file", filepath.Join(dir, "dhcpd.leases"),
			"--mac", "52:54:00:00:00:09"}, strings.Fields(c.flags)...)
		status, out, errs := call(args...)
		if status != c.status {
			t.Errorf("%s: status %d\n%s%s", c.name, status, out, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out+errs, want) {
				t.Errorf("%s: lacks %q\n%s%s", c.name, want, out, errs)
			}
		}
	}
}

// TestExplainLeavesLeases changes neither lease file nor lock.
func TestExplainLeavesLeases(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dhcpd.leases")
	text, err := os.ReadFile("testdata/dhcpd.leases")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"explain --mac 52:54:00:12:34:09 --config testdata/guide.conf --lease-file " + path,
		"leases --config testdata/guide.conf --lease-file " + path, "check testdata/guide.conf --lease-file " + path} {
		call(strings.Fields(line)...)
	}
	after, _ := os.ReadFile(path)
	names, _ := os.ReadDir(dir)
	if string(after) != string(text) || len(names) != 1 {
		t.Errorf("the directory holds %v after reading", names)
	}
}

// Whoever has boot and capture in mind names a node alike here.
func TestExplainFindsANodeByEachOfItsNames(t *testing.T) {
	dir := t.TempDir()
	conf, leases := filepath.Join(dir, "dhcpd.conf"), filepath.Join(dir, "dhcpd.leases")
	for path, text := range map[string]string{
		conf: "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.11; filename \"x\"; }\n" +
			"host n1 { hardware ethernet 52:54:00:00:00:02; hardware ethernet 52:54:00:00:00:01; }\n",
		leases: "lease 10.0.0.11 { starts never; ends never; binding state active; hardware ethernet 52:54:00:00:00:01; }\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	explain := func(args ...string) (int, string, string) {
		return call(append([]string{"explain", "--config", conf, "--lease-file", leases, "--tftp-root", dir}, args...)...)
	}
	for _, who := range []string{"n1", "52:54:00:00:00:01", "10.0.0.11"} {
		status, out, errs := explain(who)
		if status != 0 || errs != "" || strings.Count(out, "DISCOVER of 52:54:00:00:00:01 (host n1)") != 3 || !strings.Contains(out, "10.0.0.11") {
			t.Errorf("%s: status %d\n%s%s", who, status, out, errs)
		}
		if _, out, _ := explain(who, "--arch", "0"); strings.Count(out, "DISCOVER of") != 1 {
			t.Errorf("%s with an architecture:\n%s", who, out)
		}
	}
	for who, want := range map[string]string{"n2": `no host is declared as "n2" in `, "10.0.0.10": "nobody has leased 10.0.0.10: "} {
		if status, _, errs := explain(who); status != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %s", who, status, errs)
		}
	}
	if status, _, errs := explain("n1", "--mac", "52:54:00:00:00:01"); status != exitUsage {
		t.Errorf("named twice: status %d, %s", status, errs)
	}
}
