package optiontext

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/config"
)

// TestDecode shows values as an operator reads them: by the type of the option,
// and in hexadecimal where they do not have its form.
func TestDecode(t *testing.T) {
	tree := config.ParseText("t.conf", []byte(`
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;
option ipxe.username code 190 = text;
option pairs code 200 = array of { ip-address, unsigned integer 16 };
option flags code 201 = array of boolean;
option mixed code 202 = { integer 8, integer 16, integer 32, text };
option blob code 203 = string;
option name code 204 = text;
option six code 205 = ip6-address;
option lists code 206 = domain-list;
option space wide code width 2 length width 2;
option wide.x code 300 = text;
option in-wide code 207 = encapsulate wide;
option space V;
option V.control code 6 = unsigned integer 8;
host h { if known { vendor-option-space V; } }
`), config.Options{})
	if tree.HasErrors() {
		t.Fatal(tree.Findings)
	}
	names := New(tree)
	for _, c := range []struct {
		name  string
		code  byte
		value string
		want  string
	}{
		{"type", 53, "\x02", "53 dhcp-message-type OFFER"},
		{"address", 54, "\xc0\xa8\x01\x01", "54 dhcp-server-identifier 192.168.1.1"},
		{"short address", 54, "\xc0\xa8", "54 dhcp-server-identifier c0:a8"},
		{"addresses", 6, "\x0a\x00\x00\x01\x0a\x00\x00\x02", "6 domain-name-servers 10.0.0.1, 10.0.0.2"},
		{"addresses and a bit", 6, "\x0a\x00\x00\x01\x0a", "6 domain-name-servers 0a:00:00:01:0a"},
		{"seconds", 51, "\x00\x00\x1c\x20", "51 dhcp-lease-time 7200"},
		{"for ever", 51, "\xff\xff\xff\xff", "51 dhcp-lease-time for ever"},
		{"negative", 2, "\xff\xff\xf1\xf0", "2 time-offset -3600"},
		{"text", 15, "example.org", `15 domain-name "example.org"`},
		{"text with a zero", 15, "a\x00\x1b", `15 domain-name "a??"`},
		{"empty text", 15, "", "15 domain-name "},
		{"boolean", 19, "\x01", "19 ip-forwarding true"},
		{"unknown", 224, "\x01\xff", "224 option-224 01:ff"},
		{"encapsulated", 175, "\xb0\x01\x01\xbe\x02me", "175 ipxe-encap-opts |175.176 ipxe.no-pxedhcp 1|175.190 ipxe.username \"me\""},
		{"encapsulated unknown", 175, "\x00\x63\x01\x05\xff\x63", "175 ipxe-encap-opts |175.99  05"},
		{"encapsulated cut", 175, "\xb0\x05\x01", "175 ipxe-encap-opts b0:05:01"},
		{"of iPXE, which the configuration lacks", 175, "\x11\x01\x01", "175 ipxe-encap-opts |175.17 ipxe.iscsi 1"},
		{"vendor", 43, "\x06\x01\x08\x07\x01\x09\xff", "43 vendor-encapsulated-options |43.6 V.control 8|43.7  09"},
		{"IPv6", 205, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "205 six 2001:db8::1"},
		{"names", 206, "\x07example\x03org\x00\x01a\xc0\x08\x00", `206 lists "example.org", "a.org", ""`},
		{"names that lead forward", 206, "\x01a\xc0\x05\x00\x00", "206 lists 01:61:c0:05:00:00"},
		{"names that lead round", 206, "\x01a\xc0\x00", "206 lists 01:61:c0:00"},
		{"names cut", 206, "\x05ab", "206 lists 05:61:62"},
		{"wide", 207, "\x01\x2c\x00\x02hi\x00\x01\x00\x00", "207 in-wide |207.300 wide.x \"hi\"|207.1  "},
		{"wide cut", 207, "\x01\x2c\x00\x03hi", "207 in-wide 01:2c:00:03:68:69"},
		{"vendor of another make", 43, "PXE", "43 vendor-encapsulated-options 50:58:45"},
		{"records", 200, "\x0a\x00\x00\x01\x00\x50\x0a\x00\x00\x02\x01\x00", "200 pairs 10.0.0.1, 80, 10.0.0.2, 256"},
		{"flags", 201, "\x01\x00\x01", "201 flags true, false, true"},
		{"mixed", 202, "\xff\xff\xfe\xff\xff\xff\xfdabc", `202 mixed -1, -2, -3, "abc"`},
		{"printable string", 203, "abc", `203 blob "abc"`},
		{"binary string", 203, "a\x00", "203 blob 61:00"},
	} {
		var got []string
		for _, d := range names.Decode(c.code, []byte(c.value)) {
			got = append(got, fmt.Sprintf("%s %s %s", d.Code, d.Name, d.Value))
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
	two := New(config.ParseText("t", []byte("option space V; option space W; group { vendor-option-space V; } group { vendor-option-space W; }"), config.Options{}))
	if got := two.Decode(43, []byte("\x06\x01\x08")); len(got) != 2 || got[1].Name != "" {
		t.Errorf("two spaces for option 43: %v", got)
	}
	if got := two.Decode(175, []byte("\xb0\x01\x01")); len(got) != 2 || got[1].Name != "ipxe.no-pxedhcp" {
		t.Errorf("iPXE, which no configuration defines: %v", got)
	}
	if got := (Names{}).Decode(1, []byte{1}); len(got) != 1 || got[0].Value != "01" {
		t.Errorf("without definitions: %v", got)
	}
}

// TestOrder lists the options of a message as they stand there.
func TestOrder(t *testing.T) {
	message := append(make([]byte, 240), 53, 1, 2, 0, 0, 43, 2, 1, 2, 43, 1, 3, 54, 0, 255, 1, 1)
	if got := fmt.Sprint(Order(message)); got != "[53 43 54]" {
		t.Error(got)
	}
	if got := Order(message[:241]); got != nil {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	tree := config.ParseText("t.conf", []byte("option space s; option e code 175 = encapsulate s; option s.a code 1 = array of { ip-address, text };"), config.Options{})
	names := New(tree)
	f.Add(byte(175), []byte("\x01\x05abcde"))
	f.Add(byte(121), []byte{24, 10, 0, 0, 10, 0, 0, 1})
	f.Fuzz(func(t *testing.T, code byte, v []byte) {
		for _, d := range names.Decode(code, v) {
			if strings.ContainsAny(d.Code+d.Name+d.Value, "\x00\n\x1b") {
				t.Errorf("unprintable: %q", d)
			}
		}
		Order(v)
	})
}

// TestPlain writes what a template fills in: bare text, several values with a space.
func TestPlain(t *testing.T) {
	field := func(k config.FieldKind) config.Format { return config.Format{Fields: []config.Field{{Kind: k}}} }
	for _, c := range []struct {
		kind  config.FieldKind
		value string
		want  string
		ok    bool
	}{
		{config.FieldIP, "\x0a\x00\x00\x01\x0a\x00\x00\x02", "10.0.0.1 10.0.0.2", true},
		{config.FieldInt32, "\xff\xff\xf1\xf0", "-3600", true},
		{config.FieldInt8, "\xff", "-1", true},
		{config.FieldUint16, "\x00\x50\x01\xbb", "80 443", true},
		{config.FieldBoolean, "\x01", "true", true},
		{config.FieldText, "node_1\x00", "node_1", true},
		{config.FieldIP, "\x0a\x00", "", false},
		{config.FieldString, "abc", "", false},
		{config.FieldUint8, "", "", false},
	} {
		if text, ok := Plain(field(c.kind), []byte(c.value)); text != c.want || ok != c.ok {
			t.Errorf("%v %q: %q, %v", c.kind, c.value, text, ok)
		}
	}
	if text, ok := Plain(config.Format{}, []byte("x")); ok {
		t.Errorf("an option without a format: %q", text)
	}
}
