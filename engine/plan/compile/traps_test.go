package compile_test

import (
	"strings"
	"testing"

	"bootstorm/engine/config"
)

// TestTraps: what is valid, and at which clients are known to stop, is warned of
// where it stands; what they take is not.
func TestTraps(t *testing.T) {
	const ok = "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.20; }\n"
	const pxe = "option vendor-class-identifier \"PXEClient\";\n"
	const space = "option space V; option V.ip code 1 = ip-address; option V.c code 2 = integer 16; option V.s code 3 = integer 16;" +
		"option V.t code 4 = integer 8; option V.d code 5 = integer 8; option V.control code 6 = integer 8;\n"
	const mtftp = "option V.ip 224.0.0.1; option V.c 1758; option V.s 1759; option V.t 1; option V.d 1; vendor-option-space V;\n"
	for _, c := range []struct {
		name, text, message string // message "": no finding
		line                int
	}{
		{"boot-size 0", ok + "option boot-size 0;", "PXE-E99", 2},
		{"boot-size = 0 for some", ok + "if known {\n option boot-size = 0; }", "PXE-E99", 3},
		{"boot-size of a file", ok + "option boot-size 40;", "", 0},
		{"computed boot-size", ok + "option boot-size = option host-name;", "", 0},
		{"mask 0", ok + "option subnet-mask 0.0.0.0;", "declines", 2},
		{"another mask", ok + "option subnet-mask 255.255.0.0;", "", 0},
		{"half a minute, raised to the minimum", ok + "default-lease-time 30;", "", 0},
		{"half a minute without minimum", ok + "default-lease-time 30; min-lease-time 0;", "default-lease-time 30: iPXE never renews", 2},
		{"half a minute at most", ok + "max-lease-time 30;", "max-lease-time 30: iPXE never renews", 2},
		{"half a minute at most, a minute at least", ok + "max-lease-time 30; min-lease-time 60;", "", 0},
		{"a minute", ok + "default-lease-time 60; max-lease-time 60;", "", 0},
		{"server in the range", ok + "next-server 10.0.0.11;", "10.0.0.11 is in the range at line 1", 2},
		{"server beside the range", ok + "next-server 10.0.0.1;", "", 0},
		{"60, and a 43 that says nothing", ok + pxe + "option vendor-encapsulated-options 0b:01:00;", "without the sub-options 6 to 10", 2},
		{"60, and a space that nothing sets", ok + space + pxe + "vendor-option-space V;", "without the sub-options 6 to 10", 3},
		{"60, and multicast TFTP", ok + space + pxe + mtftp, "discards such an offer", 3},
		{"60, multicast TFTP and control", ok + space + pxe + mtftp + "option V.control 8;", "", 0},
		{"60, and a computed 43", ok + pxe + "option vendor-encapsulated-options = option host-name;", "", 0},
		{"60, and a 43 behind a pad", ok + pxe + "option vendor-encapsulated-options 00:06:01:08:ff;", "", 0},
		{"43 without 60", ok + "option vendor-encapsulated-options 0b:01:00;", "", 0},
		{"a server's name instead of its address", ok + "filename \"a.efi\";\nserver-name \"files\";", "from next-server alone", 3},
		{"option 66 instead of an address", ok + "option bootfile-name \"a.efi\";\noption tftp-server-name \"files\";", "from next-server alone", 3},
		{"a server's name and its address", ok + "filename \"a.efi\"; server-name \"files\"; next-server 10.0.0.1;", "", 0},
		{"a server's name without files", ok + "server-name \"files\";", "", 0},
		{"a server's name and a URL", ok + "filename \"http://10.0.0.1/a.efi\"; server-name \"files\";", "", 0},
		{"iPXE loads itself", ok + "filename \"boot/iPXE.efi\";", "loads \"boot/iPXE.efi\", itself, again", 2},
		{"undionly loads itself on BIOS", "option arch code 93 = integer 16;\n" + ok + "if option arch = 00:00 {\n filename \"undionly.kpxe\"; } else { filename \"grubx64.efi\"; }", "itself, again", 4},
		{"user-class tells iPXE", ok + "if option user-class = \"iPXE\" { filename \"a.ipxe\"; } else { filename \"ipxe.efi\"; }", "", 0},
		{"a class tells iPXE", ok + "class \"i\" { match if exists user-class; filename \"a.ipxe\"; } filename \"ipxe.efi\";", "", 0},
		{"subclasses tell iPXE", ok + "class \"i\" { match option user-class; } subclass \"i\" \"iPXE\" { filename \"a.ipxe\"; } filename \"ipxe.efi\";", "", 0},
		{"a feature tells iPXE", "option space ipxe; option encap code 175 = encapsulate ipxe; option ipxe.bzimage code 24 = integer 8;\n" + ok +
			"if exists ipxe.bzimage { filename \"a.ipxe\"; } else { filename \"ipxe.efi\"; }", "", 0},
		{"packet tells iPXE", ok + "if packet (300, 4) = \"iPXE\" { filename \"a.ipxe\"; } else { filename \"ipxe.efi\"; }", "", 0},
		{"no program of iPXE", ok + "filename \"ipxelinux.0\";", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, findings := compileText(t, c.text)
			if c.message == "" {
				for _, f := range findings {
					t.Errorf("line %d: %s", f.Line, f.Message)
				}
				return
			}
			if len(findings) != 1 {
				t.Fatalf("%d findings: %v", len(findings), findings)
			}
			if f := findings[0]; f.Severity != config.Warning || f.Line != c.line || f.Remedy == "" || !strings.Contains(f.Message, c.message) {
				t.Errorf("line %d: %q, remedy %q", f.Line, f.Message, f.Remedy)
			}
		})
	}
}

// TestTrapsOfManyHosts: a file with a trap for each of a thousand hosts gives three
// warnings, and the last says how many more there are.
func TestTrapsOfManyHosts(t *testing.T) {
	text := "subnet 10.0.0.0 netmask 255.255.0.0 { }\n" + strings.Repeat("group { option boot-size 0; }\n", 1000)
	_, findings := compileText(t, text)
	if len(findings) != 3 || !strings.Contains(findings[2].Message, "(and 997 more like it)") {
		t.Errorf("%d findings: %v", len(findings), findings)
	}
}
