package config

import "testing"

// TestDeclarations: what a file defines is written as a text that defines the same,
// built-in options and statements left out.
func TestDeclarations(t *testing.T) {
	const want = `option space site;
option space W code width 2 length width 2;
option space V;
option rack code 224 = unsigned integer 16;
option vlans code 225 = array of unsigned integer 16;
option rec code 227 = { ip-address, signed integer 8, text };
option encap code 228 = encapsulate site;
option pairs code 230 = array of { ip-address, boolean };
option names code 231 = domain-list compressed;
option mixed code 232 = { signed integer 32, array of ip-address };
option flag code 233 = zerolen;
option six code 234 = ip6-address;
option site.level code 1 = signed integer 16;
option site.mode code 2 = string;
option W.x code 300 = domain-name;
vendor-option-space V;
`
	text := want + "host h { vendor-option-space site; option rack 7; } if known { vendor-option-space V; } option host-name \"x\";"
	tree := ParseText("t", []byte(text), Options{})
	for _, f := range tree.Findings {
		if f.Severity == Error {
			t.Error(tree.Render(f))
		}
	}
	got := tree.Declarations()
	if got != want+"vendor-option-space site;\n" {
		t.Errorf("%s", got)
	}
	if again := ParseText("t", []byte(got), Options{}).Declarations(); again != got {
		t.Errorf("read again: %s", again)
	}
	if got := ParseText("t", []byte("default-lease-time 600; option host-name \"x\";"), Options{}).Declarations(); got != "" {
		t.Errorf("nothing defined: %q", got)
	}
}
