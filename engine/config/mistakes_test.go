package config

import (
	"strings"
	"testing"
)

// mark stands in the texts below where the finding must point.
const mark = "§"

// TestMistakes: one finding for one mistake, at the right place, saying what is
// wrong and what to do. Each text goes on after the mistake, so that the rest
// of the file must be read without further findings.
func TestMistakes(t *testing.T) {
	const after = "\noption domain-name \"after\";\n"
	for _, c := range []struct{ name, text, message, remedy string }{
		{"semicolon at the end of a line", "default-lease-time 600§\nmax-lease-time 7200;", "a semicolon is missing here", "add a ;"},
		{"semicolon before a brace", "group { default-lease-time 600§ }", "a semicolon is missing here", "add a ;"},
		{"semicolon after a comment", "default-lease-time 600§ # seconds\nmax-lease-time 7200;", "a semicolon is missing here", "add a ;"},
		{"semicolon after a string", "filename \"a\"§\nnext-server 10.0.0.1;", "a semicolon is missing here", "add a ;"},
		{"semicolon within a line", "filename \"a\" §next-server 10.0.0.1;", "expected a semicolon", "end the statement"},
		{"colon for a semicolon", "default-lease-time 600§:\nmax-lease-time 7200;", "expected a semicolon, found \":\"", "end the statement"},
		{"semicolon after an include", "include \"/dev/null\"§\ndefault-lease-time 5;", "a semicolon is missing here", "add a ;"},
		{"semicolon after a space", "option space s§\noption s.a code 1 = text;", "a semicolon is missing here", "add a ;"},
		{"semicolon after a definition", "option space s;\noption s.a code 1 = text§\noption s.b code 2 = text;", "a semicolon is missing here", "add a ;"},
		{"semicolon after a brace", "group { }§;", "a semicolon without a statement", "delete it"},
		{"string over the end of its line", "filename §\"a;\nnext-server 10.0.0.1;\nserver-name \"b\";", "runs over the end of its line", "close the string"},
		{"brace of a host", "host a {\n hardware ethernet 2:0:0:0:0:1;\n§host b { }", "a } is missing before this host", "close host a"},
		{"brace of a class", "class \"c\" {\n match if known;\n§host b { }", "a } is missing before this host", "close class"},
		{"brace of a condition", "group {\n if known {\n  filename \"a\";\n §host b { }\n}", "a } is missing before this host", "close the if"},
		{"brace of a pool", "subnet 10.0.0.0 netmask 255.255.255.0 {\n pool {\n  range 10.0.0.5;\n}\n§subnet 10.0.1.0 netmask 255.255.255.0 { }", "a } is missing before this subnet", "close subnet 10.0.0.0/24"},
		{"opening brace", "shared-network x §subnet 10.0.0.0 netmask 255.0.0.0;", "expected \"{\" after shared-network x", "open the body"},
		{"word for an opening brace", "if known §then { }", "expected \"{\"", "open the body"},
		{"a brace too many", "group { }\n§}", "closes nothing", "delete it"},
		{"misspelt declaration", "§subent 10.0.0.0 netmask 255.0.0.0 { }", "no parameter or statement \"subent\"", "did you mean subnet?"},
		{"misspelt parameter", "§max-leese-time 600;", "no parameter or statement", "did you mean max-lease-time?"},
		{"misspelt option", "option §domain-name-sever 10.0.0.1;", "no option \"domain-name-sever\"", "did you mean domain-name-servers?"},
		{"misspelt space", "option space ipxe;\noption §ipxee.x 1;", "no option space", "did you mean ipxe?"},
		{"misspelt word of option", "§opton routers 10.0.0.1;", "no parameter or statement", "did you mean option?"},
		{"misspelt value", "ddns-update-style §intrim;", "does not know the value", "did you mean interim?"},
		{"misspelt type", "option x code 222 = §txet;", "no type", "did you mean text?"},
		{"misspelt policy", "allow §boting;", "expected what to allow", "did you mean booting?"},
		{"misspelt class", "class \"voip\" { match if known; }\nsubnet 10.0.0.0 netmask 255.255.255.0 { pool { range 10.0.0.5; allow members of §\"viop\"; } }", "no class", "did you mean voip?"},
		{"misspelt elsif", "if known { }\n§elseif static { }", "no parameter or statement", "did you mean elsif?"},
		{"option of a space that is not declared", "option §ipxe.no-pxedhcp 1;", "no option space \"ipxe\"", "option space ipxe;"},
		{"option that must be defined", "option §arch 00:07;", "no option \"arch\"", "option arch code 222 = text;"},
		{"placeholder of the guide", "host a { hardware ethernet §xx:xx:xx:xx:xx:xx; }", "placeholder of the guide", "ip link"},
		{"address with dashes", "host a { hardware ethernet §02-00-00-00-00-01; }", "expected a hexadecimal octet", "02:00:00:00:00:01"},
		{"address without colons", "host a { hardware ethernet §020000000001; }", "does not fit into 8 bits", "255"},
		{"address with a letter", "host a { hardware ethernet 02:§0g; }", "expected a hexadecimal octet", "hexadecimal digits"},
		{"address in quotes", "host a { hardware ethernet §\"02:00:00:00:00:01\"; }", "expected a hexadecimal octet", "colons"},
		{"hardware without its type", "host a { hardware §02:00:00:00:00:01; }", "expected the type", "hardware ethernet"},
		{"host twice", "host a { }\nhost §a { }", "the host a is declared twice: first at test.conf:1", "rename or delete"},
		{"host with a quoted name", "host §\"a\" { }", "expected a name for the host", "without quotes"},
		{"two fixed addresses", "host a { fixed-address 10.0.0.1; §fixed-address 10.0.0.2; }", "one fixed-address statement", "A, B"},
		{"range outside its subnet", "subnet 10.0.0.0 netmask 255.255.255.0 { range §10.0.0.5 10.0.1.5; }", "10.0.1.5 is outside the subnet 10.0.0.0/24", "from 10.0.0.1 to 10.0.0.254"},
		{"range in no subnet of its network", "shared-network x { subnet 10.0.0.0 netmask 255.255.255.0 { } pool { range §10.0.1.5; range 10.0.0.5; } }", "none of the subnets", "after the subnets"},
		{"host bits", "subnet §10.0.0.1 netmask 255.255.255.0 { }", "host bits are set", "subnet 10.0.0.0 netmask 255.255.255.0"},
		{"no netmask", "subnet 10.0.0.0 netmask §255.255.0.255 { }", "is no netmask", "did you mean 255.255.0.0?"},
		{"prefix length", "subnet 10.0.0.0§/24 { }", "a prefix length", "netmask"},
		{"the word mask", "subnet 10.0.0.0 §mask 255.255.255.0 { }", "expected \"netmask\"", "netmask"},
		{"pool without range", "subnet 10.0.0.0 netmask 255.255.255.0 { §pool { } }", "no range", "give it a range"},
		{"network without subnet", "§shared-network x { }", "has no subnet", "declare its subnets"},
		{"range at the top level", "§range 10.0.0.5;", "range is not possible at the top level", "directly in a subnet or pool"},
		{"pool at the top level", "§pool { range 10.0.0.5; }", "pool is not possible at the top level", "directly in a subnet"},
		{"host in a class", "class \"c\" { §host a { } }", "host is not possible in a class", "outside"},
		{"subnet in a host", "host a { §subnet 10.0.0.0 netmask 255.0.0.0 { } }", "subnet is not possible in a host", "top level"},
		{"permit outside a pool", "allow §known-clients;", "possible in a pool only", "pool {"},
		{"definition inside a scope", "group { option §x code 222 = text; }", "at the top level only, not in a group", "top of the file"},
		{"space inside a scope", "group { option §space x; }", "at the top level only, not in a group", "top of the file"},
		{"number for a boolean", "ping-check §1;", "takes true or false", "ping-check = 1;"},
		{"octal", "default-lease-time §0900;", "not a number in base 8", "leave the 0 out"},
		{"unit", "default-lease-time §10m;", "takes a number", "decimal"},
		{"unit that is hexadecimal", "default-lease-time §1d;", "not a number in base 10", "decimal"},
		{"no comma between addresses", "option routers 10.0.0.1 §10.0.0.2;", "expected a comma or a semicolon", "commas"},
		{"quoted address", "option routers §\"10.0.0.1\";", "expected an IP address", "without quotes"},
		{"text without quotes", "option domain-name example§.org;", "expected a semicolon after \"example\"", "double quotes"},
		{"path without quotes", "filename pxelinux§/grub;", "expected a semicolon after", "double quotes"},
		{"domain list without quotes", "option domain-search §example.org;", "domain names in double quotes", "\"example.com\""},
		{"value missing", "option routers§;", "has no value", "write its value"},
		{"else alone", "§else { }", "else without an if", "directly after"},
		{"parenthesis in front only", "if §(known) and static { }", "begins with a parenthesis", "if ((A) and (B))"},
		{"comparison after not", "if not §option host-name = \"a\" { }", "not takes a condition", "not (A = B)"},
		{"number against text", "if option host-name = §lease-time { }", "different types", "extract-int"},
		{"declaration in a condition", "if known { §host a { } }", "cannot stand inside a condition", "outside"},
		{"class without quotes", "class §c { }", "name of the class in quotes", "class \"NAME\""},
		{"subclass of nothing", "subclass §\"c\" 1:2;", "no class", "declare the class first"},
		{"quotation marks of a word processor", "filename §“a”;", "typographic quotation mark", "write"},
		{"group that is not there", "host a { group §g; }", "no group", "group NAME"},
		{"interface with a dot", "subnet 10.0.0.0 netmask 255.0.0.0 { interface eth0§.5; }", "expected a semicolon", "end the statement"},
		{"identifier that is computed", "host a { option §dhcp-client-identifier = option host-name; }", "is a constant", "class"},
		{"space that is computed", "§vendor-option-space = option host-name;", "name of an option space", "vendor-option-space NAME"},
		{"variable without parentheses", "if defined §name { }", "after defined", "defined (NAME)"},
		{"reserved word in defined", "if defined (§state) { }", "name of a variable", "defined (NAME)"},
		{"own name with an argument", "set name = gethostname (§\"a\");", "after gethostname (", "gethostname ()"},
		{"look-up without quotes", "set name = gethostbyname (§localhost);", "host name in quotes", "gethostbyname"},
		{"option without a name", "option §5 1;", "expected the name of an option", "dhcp-options(5)"},
		{"option without a name in its space", "option agent.§5 1;", "after agent.", "SPACE.NAME"},
		{"space without a name", "option space §5;", "name of the space", "option space NAME"},
		{"built-in space", "option space §agent;", "built-in option space", "another name"},
		{"space in itself", "option space s;\noption s.a code 1 = §encapsulate s;", "its own space", "another space"},
		{"width that does not exist", "option space s code width §3;", "3 is not possible", "[1 2 4]"},
		{"no width", "option space s code §5;", "after code", "code width 1"},
		{"hash without size", "option space s hash §5;", "after hash", "hash size N"},
		{"array of nothing", "option x code 222 = array §text;", "after array", "array of TYPE"},
		{"array of text", "option x code 222 = array of §text;", "an array of this type", "without array"},
		{"array in an array", "option x code 222 = array of { §array of boolean };", "an array inside an array", "leave one"},
		{"text within a record", "option x code 222 = { §text, boolean };", "only be the last", "to the end"},
		{"options within a record", "option space s;\noption x code 222 = { boolean, §encapsulate s };", "inside a record", "option of their own"},
		{"record without a comma", "option x code 222 = { boolean §boolean };", "expected \",\"", "commas"},
		{"integer without a width", "option x code 222 = integer§;", "width of an integer", "decimal"},
		{"server identifier that was redefined", "option dhcp-server-identifier code 222 = text;\noption x code 54 = text;\nserver-identifier §10.0.0.1;", "takes text", "quotes"},
		{"long hardware address", "host a { hardware infiniband §1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:10:11; }", "more than 16 octets", "correct"},
		{"identifier twice", "host a { uid 1; §uid 2; }", "client identifier already", "delete"},
		{"host-identifier twice", "host a { host-identifier option host-name \"a\"; §host-identifier option host-name \"b\"; }", "one host-identifier", "delete"},
		{"host-identifier without option", "host a { host-identifier §\"a\"; }", "after host-identifier", "host-identifier option"},
		{"match if twice", "class \"c\" { match if known; §match if static; }", "one match if", "and or or"},
		{"match and spawn", "class \"c\" { match hardware; §spawn with hardware; }", "one match or spawn", "delete"},
		{"limit without a number", "class \"c\" { lease limit §many; }", "a number of leases", "decimal"},
		{"option code out of range", "option x code §999 = text;", "cannot be sent", "1 to 254"},
		{"date", "subnet 10.0.0.0 netmask 255.0.0.0 { pool { range 10.0.0.5; allow after 2026§/01/01 00:00:00; } }", "expected a part of a date", "decimal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _, _ := strings.Cut(c.text, mark)
			line := 1 + strings.Count(before, "\n")
			col := len(before) - strings.LastIndexByte(before, '\n')
			tree := parse(strings.Replace(c.text, mark, "", 1) + after)
			text := render(tree)
			if len(tree.Findings) == 0 {
				t.Fatal("no finding")
			}
			f := tree.Findings[0]
			if len(tree.Findings) > 1 {
				t.Errorf("%d findings for one mistake:\n%s", len(tree.Findings), text)
			}
			if f.Line != line || f.Col != col {
				t.Errorf("at %d:%d, want %d:%d:\n%s", f.Line, f.Col, line, col, text)
			}
			if !strings.Contains(f.Message, c.message) || !strings.Contains(f.Remedy, c.remedy) {
				t.Errorf("want %q and %q, got:\n%s", c.message, c.remedy, text)
			}
			last := len(tree.Root.Statements) - 1
			if last < 0 || tree.Root.Statements[last].Expr == nil || string(tree.Root.Statements[last].Expr.Data) != "after" {
				t.Error("the rest of the file was not read")
			}
		})
	}
}

// TestWarnings lists what is accepted with a doubt.
func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, text, message string }{
		{"unknown word", "autoritative;", "did you mean authoritative?"},
		{"short Ethernet address", "host a { hardware ethernet 02:00; }", "matches no node"},
		{"address in two hosts", "host a { hardware ethernet 2:0:0:0:0:1; } host b { hardware ethernet 2:0:0:0:0:1; }", "has this hardware address too"},
		{"address twice in a host", "host a { hardware ethernet 2:0:0:0:0:1; hardware ethernet 02:00:00:00:00:01; }", "in this host already"},
		{"fixed address in two hosts", "host a { fixed-address 10.0.0.1; } host b { fixed-address 10.0.0.1; }", "has the address 10.0.0.1 too"},
		{"host name without address", "next-server boot.invalid;", "no address that can be found now"},
		{"look-up without address", "set name = gethostbyname (\"boot.invalid\");", "no address that can be found now"},
		{"blanks in a domain list", "option domain-search \"a.example b.example\";", "sent as one name"},
		{"two bytes for one", "ping-check = 00:01;", "takes 1 bytes; this value has 2"},
		{"space that does not exist", "vendor-option-space nothing;", "no option space"},
		{"site space that does not exist", "site-option-space \"nothing\";", "no option space"},
		{"space declared again", "option space s; option space s;", "declared again"},
		{"function that is not defined", "nothing (\"a\");", "no function nothing"},
		{"statements before the first case", "switch (option host-name) { filename \"x\"; case \"a\": break; }", "never executed"},
		{"two client identifiers", "host a { uid 1; option dhcp-client-identifier 2; }", "the first one counts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(c.text)
			if tree.HasErrors() || len(tree.Findings) != 1 || !strings.Contains(strings.ReplaceAll(render(tree), "\"", ""), strings.ReplaceAll(c.message, "\"", "")) {
				t.Errorf("want one warning with %q, got:\n%s", c.message, render(tree))
			}
		})
	}
}
