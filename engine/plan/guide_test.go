package plan_test

import (
	"os"
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// guide is the configuration of the OVHcloud OLA guide with a real MAC in its
// host declaration.
func guide(t testing.TB) *plan.Plan {
	t.Helper()
	text, err := os.ReadFile("testdata/guide.conf")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(text))
}

// TestGuideBootChain checks the answers that dhcpd 4.4.3 gave to the same
// questions: the file by architecture and user class, the options and their
// order.
func TestGuideBootChain(t *testing.T) {
	p := guide(t)
	const arch, user = dhcp.OptClientArch, dhcp.OptUserClass
	for _, c := range []struct {
		name    string
		options []option
		file    string
	}{
		{"no architecture", nil, ""},
		{"x64", []option{{arch, "\x00\x07"}}, "ipxe.efi"},
		{"ia32", []option{{arch, "\x00\x06"}}, "ipxe32.efi"},
		{"BIOS", []option{{arch, "\x00\x00"}}, ""},
		{"x64, other code", []option{{arch, "\x00\x09"}}, ""},
		{"a list of two architectures", []option{{arch, "\x00\x07\x00\x09"}}, ""},
		{"one byte", []option{{arch, "\x07"}}, ""},
		{"iPXE", []option{{arch, "\x00\x07"}, {user, "iPXE"}}, "refind.pxe"},
		{"iPXE on ia32", []option{{arch, "\x00\x06"}, {user, "iPXE"}}, "refind.pxe"},
		{"iPXE with a NUL", []option{{arch, "\x00\x07"}, {user, "iPXE\x00"}}, "refind.pxe"},
		{"iPXE in parts", []option{{arch, "\x00\x07"}, {user, "iP"}, {user, "XE"}}, "refind.pxe"},
		{"RFC 3004 form, which dhcpd takes for another class", []option{{arch, "\x00\x07"}, {user, "\x04iPXE"}}, "refind.pxe"},
		{"RFC 3004 form of two classes", []option{{arch, "\x00\x07"}, {user, "\x04iPXE\x01x"}}, "ipxe.efi"},
		{"lower case", []option{{arch, "\x00\x07"}, {user, "ipxe"}}, "ipxe.efi"},
		{"gPXE", []option{{arch, "\x00\x07"}, {user, "gPXE"}}, "ipxe.efi"},
		{"empty user class", []option{{arch, "\x00\x07"}, {user, ""}}, "ipxe.efi"},
		{"two user classes run together", []option{{arch, "\x00\x07"}, {user, "gPXE"}, {user, "iPXE"}}, "ipxe.efi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := decide(p, newMessage(dhcp.Discover, c.options...))
			if v, _ := e.Value(plan.Filename); string(v) != c.file {
				t.Errorf("file %q, want %q", v, c.file)
			}
			if v, _ := e.Value(plan.NextServer); string(v) != "\xc0\xa8\x01\x01" {
				t.Errorf("next server %x", v)
			}
			if v, _ := e.Value(plan.ServerName); string(v) != "node_1" {
				t.Errorf("server name %q", v)
			}
		})
	}
}

// TestGuideReply compares the options with the captures of dhcpd: 53, 54, 51,
// 1, 3, 28.
func TestGuideReply(t *testing.T) {
	e := decide(guide(t), newMessage(dhcp.Discover, option{dhcp.OptClientArch, "\x00\x07"}))
	e.DefaultOption(dhcp.OptServerID, []byte{192, 168, 1, 1})
	e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 0x1c, 0x20})
	got := reply(e, dhcp.Offer, 548)
	if codesOf(got) != "53,54,51,1,3,28" {
		t.Errorf("options %s", codesOf(got))
	}
	for code, want := range map[byte]string{53: "\x02", 54: "\xc0\xa8\x01\x01", 51: "\x00\x00\x1c\x20",
		1: "\xff\xff\xff\xf0", 3: "\xc0\xa8\x01\x01", 28: "\xc0\xa8\x01\x0f"} {
		if v := valueOf(got, code); v != want {
			t.Errorf("option %d is %x, want %x", code, v, want)
		}
	}
}
