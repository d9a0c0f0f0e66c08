package config

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"bootstorm/proto"
)

// definitions are the options that the tables below use besides the built-in.
const definitions = `
option space s code width 2 length width 2;
option s.b8 code 1 = integer 8;
option s.b16 code 2 = signed integer 16;
option s.b32 code 3 = unsigned integer 32;
option s.flag code 4 = zerolen;
option s.rec code 5 = array of { ip-address, unsigned integer 8 };
option s.tail code 6 = { boolean, array of unsigned integer 16 };
option s.six code 7 = array of ip6-address;
option s.name code 8 = domain-name;
option s.plain code 9 = domain-list;
option s.short code 10 = domain-list compressed;
option s.mixed code 11 = { unsigned integer 8, string };
option s.big code 300 = text;
option enc code 222 = encapsulate s;
`

// TestValues encodes one value per row and compares bytes.
func TestValues(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"address", "option subnet-mask 255.255.255.0", "ffffff00"},
		{"addresses", "option routers 10.0.0.1, 10.0.0.2", "0a0000010a000002"},
		{"octets of an address are decimal", "option routers 010.0.0.08", "0a000008"},
		{"host name", "option routers two.example", "0a0000070a000008"},
		{"host name for one address", "next-server two.example", "0a000007"},
		{"host name that begins with a number", "option routers 2.example", "0a000009"},
		{"known and unknown host names", "option routers none.example, 10.0.0.1, none.example", "0a000001"},
		{"pairs with an unknown host name", "option static-routes 10.0.0.1 10.0.0.2, none.example 10.0.0.3, 10.0.0.4 10.0.0.5", "0a0000010a0000020a0000040a000005"},
		{"signed", "option time-offset -18000", "ffffb9b0"},
		{"hexadecimal", "option interface-mtu 0x5dc", "05dc"},
		{"octal", "option interface-mtu 02734", "05dc"},
		{"negative where unsigned is meant", "option default-ip-ttl -1", "ff"},
		{"infinite", "default-lease-time infinite", "ffffffff"},
		{"boolean", "option ip-forwarding On", "01"},
		{"policy as a boolean", "boot-unknown-clients ignore", "02"},
		{"text", `option host-name "a\x00b"`, "610062"},
		{"bare word as text", "option host-name node", hex.EncodeToString([]byte("node"))},
		{"text where octets may stand", `option vendor-class-identifier "PXE"`, "505845"},
		{"octets", "option vendor-class-identifier 1:a:0B:ff", "010a0bff"},
		{"octets of encapsulated options", "option vendor-encapsulated-options 06:01:08:ff", "060108ff"},
		{"number without a name", "option unknown-223 01:02", "0102"},
		{"number with a name", "option unknown-3 10.0.0.1", "0a000001"},
		{"record with a list", "option slp-directory-agent true 10.0.0.1, 10.0.0.2", "010a0000010a000002"},
		{"optional text", `option slp-service-scope false "x"`, "0078"},
		{"optional text left out", "option slp-service-scope true", "01"},
		{"octet and bytes", "option pxe-client-id 0 aa:bb", "00aabb"},
		{"IPv6 prefix", "option option-6rd 14 32 2001:db8:: 192.0.2.1", "0e2020010db8000000000000000000000000c0000201"},
		{"8 bits", "option s.b8 -3", "fd"},
		{"16 bits", "option s.b16 -2", "fffe"},
		{"32 bits", "option s.b32 4294967295", "ffffffff"},
		{"no value", "option s.flag", ""},
		{"list of records", "option s.rec 10.0.0.1 1, 10.0.0.2 2", "0a000001010a00000202"},
		{"record with a list at its end", "option s.tail on 1, 2, 3", "01000100020003"},
		{"IPv6 addresses", "option s.six 2001:db8::1, ::ffff:10.0.0.1", "20010db8000000000000000000000001" + "00000000000000000000ffff0a000001"},
		{"domain name", "option s.name a.example", "016107" + hex.EncodeToString([]byte("example")) + "00"},
		{"domain names", `option s.plain "a.b", "c.b."`, "01610162000163016200"},
		{"compressed", `option s.short "a.b", "c.B", "b", "x.a.b"`, "0161016200" + "0163c002" + "c002" + "0178c000"},
		{"the root", `option s.plain "."`, "00"},
		{"escapes in a name", `option s.plain "a\\.b\\065"`, "04612e624100"},
		{"octet and text", `option s.mixed 7 "x"`, "0778"},
		{"bytes for a whole space", "option enc 00:01:00:00", "00010000"},
		{"option of the parameters' own space", `option server.filename "f"`, "66"},
		{"allow", "allow booting", "01"},
		{"ignore", "ignore bootp", "02"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := ParseText("t", []byte(definitions+c.text+";\n"), Options{Resolve: someNames})
			if tree.HasErrors() {
				t.Fatal(render(tree))
			}
			if n := len(tree.Root.Statements); n != 1 {
				t.Fatalf("%d statements\n%s", n, render(tree))
			}
			e := tree.Root.Statements[0].Expr
			want, err := hex.DecodeString(c.want)
			if err != nil {
				t.Fatal(err)
			}
			if e.Op != OpConst || !bytes.Equal(e.Data, want) {
				t.Errorf("got %x, want %x", e.Data, want)
			}
		})
	}
}

// someNames resolves the names of the tables.
func someNames(name string) ([]proto.Addr, error) {
	switch name {
	case "two.example":
		return []proto.Addr{proto.AddrOf(10, 0, 0, 7), proto.AddrOf(10, 0, 0, 8)}, nil
	case "2.example":
		return []proto.Addr{proto.AddrOf(10, 0, 0, 9)}, nil
	}
	return nil, errNoName
}

// TestValueLeftOut: a statement whose only value is a name without addresses is
// a warning and no statement.
func TestValueLeftOut(t *testing.T) {
	tree := parse("option routers none.example;\nnext-server none.example;\n")
	if tree.HasErrors() || len(tree.Root.Statements) != 0 || len(tree.Findings) != 2 {
		t.Errorf("%d statements\n%s", len(tree.Root.Statements), render(tree))
	}
}

// TestValueErrors lists values that their options cannot take.
func TestValueErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"number too large", "option default-ip-ttl 256", "does not fit into 8 bits"},
		{"number too small", "option time-offset -2147483649", "does not fit into 32 bits"},
		{"no octal digit", "option default-ip-ttl 09", "base 8"},
		{"a sign alone", "option default-ip-ttl -", "not a number"},
		{"word for a number", "option default-ip-ttl many", "takes a number"},
		{"three parts", "option routers 10.0.0", "after 3 of them"},
		{"five parts", "option routers 10.0.0.1.5", "semicolon"},
		{"no comma", "option routers 10.0.0.1 10.0.0.2", "comma"},
		{"comma at the end", "option routers 10.0.0.1,", "IP address"},
		{"quoted address", `option routers "10.0.0.1"`, "IP address"},
		{"bare name with a dot", "option domain-name a.b", "quotes"},
		{"bare path", "filename a/b", "quotes"},
		{"two dots", `option s.plain "a..b"`, "two dots"},
		{"long label", `option s.plain "` + strings.Repeat("a", 64) + `"`, "63 bytes"},
		{"long name", `option s.plain "` + strings.Repeat("abc.", 64) + `"`, "255 bytes"},
		{"escape beyond a byte", `option s.plain "\\256"`, "backslash"},
		{"names without quotes", "option s.plain a.b", "double quotes"},
		{"IPv4 for IPv6", "option s.six 10.0.0.1", "IPv6"},
		{"value where none is", "option s.flag 1", "no value"},
		{"unknown word", "ddns-update-style sometimes", "does not know the value"},
		{"code that is too large", "option unknown-256 1", "no option code"},
		{"code of the end", "option unknown-255 1", "no option code"},
		{"code zero", "option unknown-0 1", "no option code"},
		{"equals without data", "filename = known", "expected data"},
		{"decimal after equals", "max-lease-time = 7200", "8 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(definitions + c.text + ";\n")
			text := render(tree)
			if !tree.HasErrors() || !strings.Contains(text, c.want) {
				t.Errorf("want an error with %q, got:\n%s", c.want, text)
			}
			if n := len(tree.Findings); n != 1 {
				t.Errorf("%d findings for one mistake:\n%s", n, text)
			}
		})
	}
}
