package plan_test

import (
	"testing"

	"bootstorm/proto/dhcp"
)

// preamble defines what the tables below use; "r" is option 200.
const preamble = `
option r code 200 = string;
option space alpha; option space beta; option space gamma;
option alpha.one code 1 = text; option alpha.two code 2 = unsigned integer 16;
option alpha.three code 3 = ip-address; option alpha.f code 18 = text;
option alpha.enc code 175 = encapsulate beta;
option beta.x code 5 = text; option beta.y code 22 = text;
option enc code 201 = encapsulate alpha;
option gamma.x code 1 = text;
option space wide code width 2 length width 2;
option wide.a code 260 = text; option wide-enc code 203 = encapsulate wide;
option domain-name "x.org";
`

// inSubnet is a configuration with statements in its only subnet and more
// outside.
func inSubnet(body, outside string) string {
	return preamble + outside + "\nsubnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.200; " + body + " }\n"
}

const thisHost = "host n1 { hardware ethernet 02:00:00:00:0c:01; }\n"

// client is the DISCOVER that dhcpd 4.4.3 was asked with when the facts below
// were recorded.
func client(more ...option) *message {
	return newMessage(dhcp.Discover, append([]option{
		{dhcp.OptHostName, "Node-1"}, {dhcp.OptClientArch, "\x00\x07"}, {dhcp.OptRelayAgent, "\x01\x03abc"},
		{dhcp.OptFQDN, "\x04\x00\x00\x04node\x01x\x03org\x00"}}, more...)...)
}

const null = "(absent)"

// fact is what dhcpd 4.4.3 sends as option 200 after some statements in the
// subnet, except where the name says what differs and why.
type fact struct{ name, statements, want string }

// yes makes option 200 tell whether a condition holds.
func yes(condition string) string {
	return `if ` + condition + ` { option r "y"; } else { option r "n"; }`
}

// dataFacts: operations that yield data or numbers.
var dataFacts = []fact{
	{"substring behind the end is empty", `option r = concat("<", substring(option host-name, 20, 3), ">");`, "<>"},
	{"substring is cut", `option r = substring(option host-name, 2, 100);`, "de-1"},
	{"suffix", `option r = suffix(option host-name, 3);`, "e-1"},
	{"suffix longer than the data", `option r = suffix(option host-name, 300);`, "Node-1"},
	{"ucase", `option r = ucase(option host-name);`, "NODE-1"},
	{"lcase", `option r = lcase(option host-name);`, "node-1"},
	{"binary-to-ascii, hexadecimal", `option r = binary-to-ascii(16, 8, ":", hardware);`, "1:2:0:0:0:c:1"},
	{"binary-to-ascii, 16 bits", `option r = binary-to-ascii(10, 16, ".", option pxe-system-type);`, "7"},
	{"binary-to-ascii, binary", `option r = binary-to-ascii(2, 32, "-", packet(4, 4));`, "0"},
	{"binary-to-ascii, octal, no separator", `option r = binary-to-ascii(8, 8, "", substring(hardware, 1, 6));`, "2000141"},
	{"binary-to-ascii, large decimal numbers have a leading zero", `option r = binary-to-ascii(10, 32, ".", leased-address);`, "03232235786"},
	{"binary-to-ascii, large octal", `option r = binary-to-ascii(8, 32, ".", 81:00:00:00);`, "20100000000"},
	{"binary-to-ascii, half a number", `option r = binary-to-ascii(16, 16, ":", substring(hardware, 0, 3));`, null},
	{"binary-to-ascii, base 17", `option r = binary-to-ascii(17, 8, ":", hardware);`, null},
	{"reverse", `option r = reverse(1, option host-name);`, "1-edoN"},
	{"reverse pairs", `option r = reverse(2, substring(option host-name, 0, 4));`, "deNo"},
	{"reverse, half a pair", `option r = reverse(2, substring(option host-name, 0, 3));`, null},
	{"encode-int 8 keeps the low byte", `option r = encode-int(300, 8);`, ","},
	{"encode-int 16", `option r = encode-int(300 + 1, 16);`, "\x01-"},
	{"encode-int 32", `option r = encode-int(extract-int(option pxe-system-type, 16) * 1000, 32);`, "\x00\x00\x1bX"},
	{"extract-int 8", `option r = encode-int(extract-int(hardware, 8), 32);`, "\x00\x00\x00\x01"},
	{"extract-int of too little", `option r = pick-first-value(encode-int(extract-int(substring(hardware, 0, 3), 32), 8), "null");`, "null"},
	{"division by zero", `option r = pick-first-value(encode-int(4 / 0, 8), "null");`, "null"},
	{"remainder", `option r = encode-int(17 % 5, 8);`, "\x02"},
	{"remainder by zero", `option r = pick-first-value(encode-int(4 % 0, 8), "null");`, "null"},
	{"and, or, xor", `option r = concat(encode-int(12 & 10, 8), encode-int(12 | 3, 8), encode-int(12 ^ 10, 8));`, "\x08\x0f\x06"},
	{"negative numbers wrap", `option r = encode-int(5 + -7, 16);`, "\xff\xfe"},
	{"pick-first-value", `option r = pick-first-value(option nis-domain, option host-name);`, "Node-1"},
	{"pick-first-value takes what is empty", `option r = concat("<", pick-first-value(substring(option host-name, 99, 1), option host-name), ">");`, "<>"},
	{"pick-first-value of nothing", `option r = pick-first-value(option nis-domain, option root-path);`, null},
	{"packet", `option r = packet(28, 6);`, "\x02\x00\x00\x00\x0c\x01"},
	{"packet behind the end", `option r = pick-first-value(packet(5000, 4), "null");`, "null"},
	{"config-option", `option nis-domain "late"; option r = config-option nis-domain;`, "late"},
	{"config-option sees what is set later", `option r = concat(config-option nis-domain, "!"); option nis-domain "late";`, "late!"},
	{"config-option of itself", `option r = config-option r;`, null},
	{"leased-address", `option r = binary-to-ascii(10, 8, ".", leased-address);`, "192.168.1.10"},
	{"lease-time without a lease", `option r = pick-first-value(encode-int(lease-time, 32), "null");`, "null"},
	{"host-decl-name in a value", `option r = pick-first-value(host-decl-name, "null");`, "n1"},
	{"null", `option r = null;`, null},
	{"empty text", `option r "";`, null},
	{"concat with null", `option r = concat("a", option nis-domain);`, null},
}

// combiningFacts: option, append, prepend, default.
var combiningFacts = []fact{
	{"append, prepend, default", `option r "a"; append r "b"; prepend r "c"; default r "d";`, "cab"},
	{"append to nothing", `append r "b"; default r "d";`, "b"},
	{"option after default", `default r "d"; option r "e";`, "e"},
	{"supersede, send", `send r "d"; supersede r "e";`, "e"},
	{"append null", `option r "a"; append r = option nis-domain;`, null},
}

// truthFacts: comparisons, and, or, not, exists.
var truthFacts = []fact{
	{"equal to null", yes(`option nis-domain = "x"`), "n"},
	{"null equals null", yes(`option nis-domain = option root-path`), "y"},
	{"null differs from a value", yes(`option nis-domain != "x"`), "y"},
	{"not of a comparison with null", yes(`not (option nis-domain = "x")`), "y"},
	{"not of (false and …) is null", yes(`not (exists root-path and exists host-name)`), "n"},
	{"null or true", yes(`lcase(option nis-domain) = "x" or exists host-name`), "y"},
	{"false or false", yes(`exists root-path or exists nis-domain`), "n"},
	{"exists", yes(`exists host-name`), "y"},
	{"known", yes(`known`), "y"},
	{"static, address from a pool", yes(`static`), "n"},
	{"filename of the request", yes(`filename = "x"`), "n"},
	{"host-decl-name in a condition (null in dhcpd until the lease is renewed)", yes(`host-decl-name = "n1"`), "y"},
	{"numbers compared", yes(`extract-int(option pxe-system-type, 16) = 7`), "y"},
}

// regexFacts: ~= and ~~.
var regexFacts = []fact{
	{"regex", yes(`option host-name ~= "^N.de-[0-9]$"`), "y"},
	{"regex minds case", yes(`option host-name ~= "^n"`), "n"},
	{"regex ~~ does not", yes(`option host-name ~~ "^n"`), "y"},
	{"regex alternatives", yes(`option host-name ~= "(x|de)-"`), "y"},
	{"regex class", yes(`"a b" ~= "a[[:space:]]b"`), "y"},
	{"regex of nothing", yes(`"" ~= "^$"`), "n"},
	{"regex of what is behind the end", yes(`substring(option host-name, 20, 1) ~= "^$"`), "n"},
	{"regex of computed emptiness", yes(`reverse(2, "") ~= "^$"`), "y"},
	{"regex of null is null", yes(`option nis-domain ~= "x"`), "n"},
	{"not of it is null too", yes(`not (option nis-domain ~= "x")`), "n"},
}

// switchFacts: switch and if.
var switchFacts = []fact{
	{"switch falls through", `switch (option host-name) { case "x": option r "x"; case "Node-1": append r "1"; case "z": append r "2"; break; case "y": append r "3"; default: append r "4"; }`, "12"},
	{"switch default", `switch (option host-name) { case "x": option r "x"; break; default: append r "4"; }`, "4"},
	{"switch on null", `switch (option nis-domain) { case "x": option r "x"; break; default: append r "4"; }`, "4"},
	{"switch without a match", `option r "0"; switch (option host-name) { case "x": option r "x"; }`, "0"},
	{"switch on a number", `switch (extract-int(option pxe-system-type, 16)) { case 6: option r "6"; break; case 7: option r "7"; }`, "7"},
	{"break ends only the innermost list", `switch (option host-name) { case "Node-1": if exists host-name { append r "1"; break; append r "2"; } append r "3"; break; default: append r "4"; }`, "13"},
	{"elsif", `if exists root-path { option r "1"; } elsif exists host-name { option r "2"; } else { option r "3"; }`, "2"},
}

// variableFacts: set, unset, define.
var variableFacts = []fact{
	{"a variable in a value (dhcpd forgets it before it sends an OFFER)", `set avar = option host-name; option r = concat(avar, "!");`, "Node-1!"},
	{"unset", `set avar = "1"; unset avar; option r = pick-first-value(avar, "null");`, "null"},
	{"defined", `set avar = "1"; ` + yes(`defined(avar)`), "y"},
	{"set to null is not defined", `set avar = option root-path; ` + yes(`defined(avar)`), "n"},
	{"a function compared", `define fun(one) { return concat(one, "-"); } ` + yes(`fun("xx") = "xx-"`), "y"},
	{"a function as a value (always null in dhcpd)", `define fun(one, two) { return concat(one, "-", two); } option r = fun(option host-name, "zz");`, "Node-1-zz"},
	{"arguments end with the call", `define fun(one) { return one; } set one = "a"; eval fun("b"); option r = one;`, "a"},
	{"variables of a function end with the call", `define fun(one) { set fresh = one; return one; } eval fun("b"); option r = pick-first-value(fresh, "null");`, "null"},
	{"endless recursion is null", `define fun(one) { return fun(one); } option r = pick-first-value(fun("x"), "null");`, "null"},
}

// requestFacts: options of the request that have parts.
var requestFacts = []fact{
	{"agent", `option r = option agent.circuit-id;`, "abc"},
	{"absent agent option", `option r = option agent.remote-id;`, null},
	{"exists agent", yes(`exists agent.circuit-id`), "y"},
	{"fqdn.hostname", `option r = option fqdn.hostname;`, "node"},
	{"fqdn.domainname of a wire-format name", `option r = option fqdn.domainname;`, ".x.org"},
	{"fqdn.fqdn", `option r = option fqdn.fqdn;`, "node.x.org"},
	{"fqdn flags", `option r = concat(option fqdn.encoded, option fqdn.server-update, option fqdn.no-client-update);`, "\x01\x00\x00"},
}

// TestExpressions asks for each fact.
func TestExpressions(t *testing.T) {
	for _, list := range [][]fact{dataFacts, combiningFacts, truthFacts, regexFacts, switchFacts, variableFacts, requestFacts} {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				e := decide(load(t, inSubnet(c.statements, thisHost)), client(option{dhcp.OptParameterList, "\x01\x03\xc8"}))
				if got := valueOf(reply(e, dhcp.Offer, 548), 200); got != c.want {
					t.Errorf("sends %q, want %q", got, c.want)
				}
			})
		}
	}
}

// TestCallerScope: a function sees its caller's variables and may change them.
func TestCallerScope(t *testing.T) {
	e := decide(load(t, inSubnet(`set outer = "a"; define fun(one) { set outer = concat(outer, one); return outer; } eval fun("b"); option r = outer;`, "")), client())
	if v, _ := e.Option(200); string(v) != "ab" {
		t.Errorf("outer is %q", v)
	}
}
