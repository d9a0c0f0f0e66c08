package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckCases are findings beyond those of the parser: files, roots, leases.
func TestCheckCases(t *testing.T) {
	const good = "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20; filename \"a.efi\"; }\n"
	for _, c := range []struct {
		name   string
		files  map[string]string // below the working directory of the case; the root is "root"
		flags  []string
		status int
		want   []string
		not    []string
	}{
		{"all is well", map[string]string{"root/a.efi": "x"}, nil, 0, []string{"dhcpd.conf: 0 errors, 0 warnings; 1 subnet, 0 hosts\n"}, []string{"warning:"}},
		{"other case of the name", map[string]string{"root/A.EFI": "x"}, nil, 0, []string{"0 errors, 0 warnings"}, nil},
		{"file lacking", map[string]string{"root/b": ""}, nil, 0, []string{`warning: the boot file "a.efi" is not below `, "filename \"a.efi\"", "^~~~~~~", "1 warning;"}, nil},
		{"root lacking", nil, nil, 0, []string{"root: warning: the TFTP root cannot be read: no such file or directory", `the boot file "a.efi" is not below `, "2 warnings;"}, nil},
		{"root is a file", map[string]string{"root": ""}, nil, 1, []string{"root: error: ", "not a directory"}, nil},
		{"file in two cases", map[string]string{"root/a.efi": "", "root/A.efi": ""}, nil, 0, []string{"only in case"}, nil},
		{"include lacking", map[string]string{"root/a.efi": "", "dhcpd.conf": good + "include \"/nonexistent/more.conf\";\n"}, nil, 1, []string{"dhcpd.conf:2:", "/nonexistent/more.conf", "1 error"}, nil},
		{"error in an include", map[string]string{"root/a.efi": "", "more.conf": "subnet;\n", "dhcpd.conf": good + "include \"DIR/more.conf\";\n"}, nil, 1, []string{"more.conf:1:"}, nil},
		{"overlapping ranges", map[string]string{"root/a.efi": "", "dhcpd.conf": good + "subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.0.15; }\n"}, nil, 1, []string{"dhcpd.conf:2:"}, nil},
		{"leases", map[string]string{"root/a.efi": "", "l": "lease 10.0.0.10 { binding state active; }\n"}, []string{"--lease-file", "DIR/l"}, 0,
			[]string{"l: 1 leases from 1 records", "0 errors, 0 warnings"}, nil},
		{"leases of OMAPI", map[string]string{"root/a.efi": "", "l": "host x { dynamic; }\n"}, []string{"--lease-file", "DIR/l"}, 0, []string{"l:1: warning: host declared in the lease file", "1 warning;"}, nil},
		{"ruined leases", map[string]string{"root/a.efi": "", "l": strings.Repeat("lease 10.0.0.10 { x; }\n", 99) + "lease 10.0.0.10 { binding state free; }\n"}, []string{"--lease-file", "DIR/l"}, 0,
			[]string{"49 more places like these", "l: 1 leases from 1 records"}, nil},
		{"no lease file", map[string]string{"root/a.efi": ""}, []string{"--lease-file", "DIR/none"}, 1, []string{"error: lease file ", "no such file or directory", "1 error"}, nil},
	} {
		dir := t.TempDir()
		if c.files["dhcpd.conf"] == "" {
			if c.files == nil {
				c.files = map[string]string{}
			}
			c.files["dhcpd.conf"] = good
		}
		for name, text := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"check", filepath.Join(dir, "dhcpd.conf"), "--tftp-root", filepath.Join(dir, "root")}
		for _, f := range c.flags {
			args = append(args, strings.ReplaceAll(f, "DIR", dir))
		}
		status, out, errs := call(args...)
		if status != c.status {
			t.Errorf("%s: status %d, want %d\n%s%s", c.name, status, c.status, out, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: lacks %q\n%s%s", c.name, want, out, errs)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out, not) {
				t.Errorf("%s: has %q\n%s", c.name, not, out)
			}
		}
	}
}

// TestCheckWithoutFile says what could be done when there is nothing to check.
func TestCheckWithoutFile(t *testing.T) {
	var b strings.Builder
	err := check(&b, files{config: filepath.Join(t.TempDir(), "dhcpd.conf"), root: "/"})
	if err == nil || !strings.Contains(err.Error(), "check the path") || b.Len() != 0 {
		t.Errorf("%v\n%s", err, &b)
	}
}
