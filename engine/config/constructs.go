package config

import "slices"

// Pieces of the examples.
const (
	inSubnet = "subnet 10.0.0.0 netmask 255.255.255.0 {\n  range 10.0.0.10 10.0.0.20;\n  "
	inPool   = "class \"c\" { match if known; }\nsubnet 10.0.0.0 netmask 255.255.255.0 {\n  pool {\n    range 10.0.0.10 10.0.0.20;\n    "
	inHost   = "host a {\n  hardware ethernet 02:00:00:00:00:01;\n  "
	inClass  = "class \"c\" {\n  "
)

// Why things have no effect, where many have the same reason.
const (
	noDDNS   = "there are no dynamic DNS updates"
	noOMAPI  = "there is no OMAPI; the server is controlled by its command and signals"
	noV6     = "this is a DHCPv4 server"
	useDNS   = "let the nodes or another service update DNS"
	useUnit  = "set it where the service is started"
	v6Server = "remove it; a DHCPv6 server has its own configuration"
	ownRetry = "leases are always on disk before they are acknowledged"
)

// Constructs is every word of the language with what becomes of it. The parser
// takes its warnings and refusals from here, and a test holds the two together.
var Constructs = slices.Concat(statementConstructs, parameterConstructs)

// statementConstructs is the part of Constructs for declarations, executable
// statements and expressions.
var statementConstructs = []Construct{
	// Declarations.
	{"subnet", Supported, "subnet 10.0.0.0 netmask 255.255.255.0 { }", "", ""},
	{"shared-network", Supported, "shared-network x { subnet 10.0.0.0 netmask 255.255.255.0 { } }", "", ""},
	{"pool", Supported, inSubnet + "pool { range 10.0.0.30; } }", "", ""},
	{"range", Supported, inSubnet + "range dynamic-bootp 10.0.0.40 10.0.0.50; }", "at most 1,048,576 addresses in all pools together; as in dhcpd, BOOTP clients get addresses of a range with dynamic-bootp, and in a pool declaration of any range unless the pool denies them", ""},
	{"interface", Supported, inSubnet + "interface eth0; }", "", ""},
	{"group", Supported, "group { default-lease-time 600; }", "", ""},
	{"host", Supported, inHost + "}", "known on every network, wherever it is declared", ""},
	{"hardware", Supported, inHost + "hardware ethernet 02:00:00:00:00:02; }", "a host may have several: one node, several links (an extension)", ""},
	{"fixed-address", Supported, inHost + "fixed-address 10.0.0.5, 10.0.1.5; }", "host names are looked up at start and on reload", ""},
	{"uid", Supported, inHost + "uid 01:02:03; }", "", ""},
	{"host-identifier", Supported, "host a { host-identifier option host-name \"a\"; }", "", ""},
	{"class", Supported, inClass + "match if known; }", "as in dhcpd, BOOTP clients belong to none, and known is false where members are found", ""},
	{"subclass", Supported, "class \"c\" { match hardware; }\nsubclass \"c\" 1:2:3:4:5:6:7;", "", ""},
	{"match", Supported, inClass + "match option host-name; }", "", ""},
	{"spawn", Supported, inClass + "spawn with option host-name; }", "", ""},
	{"lease", Supported, inClass + "match if known; lease limit 4; }", "", ""},
	{"include", Supported, "include \"/dev/null\";", "", ""},
	{"authoritative", Supported, "authoritative;", "", ""},
	{"not", Supported, "not authoritative;", "", ""},
	{"server-identifier", Supported, "server-identifier 10.0.0.1;", "", ""},
	{"option", Supported, "option space s;\noption s.a code 1 = array of ip-address;\noption s.a 10.0.0.1;", "values, definitions and spaces; names of hosts are looked up at start and on reload", ""},
	{"no", Supported, inPool + "no failover peer } }", "there is no failover to begin with", ""},

	// Permits and policies.
	{"allow", Supported, inPool + "allow members of \"c\"; allow known-clients; allow after never; } }", "in pools all forms; elsewhere booting, bootp, unknown-clients, duplicates, declines", ""},
	{"deny", Supported, inPool + "deny unknown clients; deny dynamic bootp clients; } }", "as allow", ""},
	{"ignore", Supported, "ignore booting;", "as allow outside pools", ""},
	{"allow client-updates", Ignored, "allow client-updates;", noDDNS, useDNS},
	{"deny client-updates", Ignored, "deny client-updates;", noDDNS, useDNS},
	{"ignore client-updates", Ignored, "ignore client-updates;", noDDNS, useDNS},
	{"allow leasequery", Ignored, "allow leasequery;", "lease queries (RFC 4388) are not answered", "read the leases with bootstorm leases"},
	{"deny leasequery", Ignored, "deny leasequery;", "lease queries (RFC 4388) are never answered", "remove it"},
	{"ignore leasequery", Ignored, "ignore leasequery;", "lease queries (RFC 4388) are never answered", "remove it"},
	{"allow dynamic-bootp", Ignored, "allow dynamic-bootp;", "dhcpd ignores it too", "write range dynamic-bootp, or allow dynamic bootp clients in a pool"},
	{"deny dynamic-bootp", Ignored, "deny dynamic-bootp;", "dhcpd ignores it too", "write deny dynamic bootp clients in a pool"},
	{"ignore dynamic-bootp", Ignored, "ignore dynamic-bootp;", "dhcpd ignores it too", "write deny dynamic bootp clients in a pool"},

	// Executable statements.
	{"if", Supported, "if known { } elsif static { } else if known { } else { }", "", ""},
	{"switch", Supported, "switch (option host-name) { case \"a\": filename \"x\"; break; default: filename \"y\"; }", "", ""},
	{"break", Supported, "switch (option host-name) { case \"a\": break; }", "", ""},
	{"set", Supported, "set name = option host-name;", "", ""},
	{"define", Supported, "define join (one, two) { return concat (one, two); }", "", ""},
	{"unset", Supported, "unset name;", "", ""},
	{"return", Supported, "define same (one) { return one; }", "", ""},
	{"eval", Supported, "eval option host-name;", "", ""},
	{"log", Supported, "log (info, \"text\");", "", ""},
	{"add", Supported, inClass + "match if known; }\nadd \"c\";", "", ""},
	{"supersede", Supported, "supersede routers 10.0.0.1;", "", ""},
	{"default", Supported, "default routers 10.0.0.1;", "", ""},
	{"append", Supported, "append domain-name \".example\";", "", ""},
	{"prepend", Supported, "prepend domain-name-servers 10.0.0.1;", "", ""},
	{"send", Supported, "send routers 10.0.0.1;", "", ""},
	{"on", Ignored, "on commit or expiry { log (info, \"x\"); }", "nothing is executed when a lease changes", "follow the server's log, or bootstorm leases --json"},
	{"execute", Ignored, "execute (\"/bin/true\", \"x\");", "no program is started: it would stop the server while it runs", "follow the server's log, or bootstorm leases --json"},
	{"parse-vendor-option", Refused, "parse-vendor-option;", "option 43 of a request is not taken apart", "use substring (option vendor-encapsulated-options, …)"},

	// What belongs to failover, dynamic DNS, OMAPI and dhcpd's own files.
	{"failover", Supported, inPool + "no failover peer } }", "see failover peer", ""},
	{"failover peer", Ignored, "failover peer \"p\" { primary; address 10.0.0.1; peer address 10.0.0.2; mclt 60; split 128; }\nsubnet 10.0.0.0 netmask 255.255.255.0 { pool { failover peer \"p\"; range 10.0.0.10; } }", "there is no failover; this server serves all of its pools alone", "keep one server per network, and ranges apart where there are two"},
	{"zone", Ignored, "zone example.org. { primary 127.0.0.1; }", noDDNS, useDNS},
	{"key", Ignored, "key k { algorithm hmac-md5; secret aGVsbG8=; }", "there is neither OMAPI nor DNS updating to protect", "remove it"},
	{"lease-id-format", Ignored, "lease-id-format hex;", "identifiers are written as dhcpd writes them by default", "remove it"},
	{"db-time-format", Ignored, "db-time-format local;", "times in the lease file are UTC", "remove it"},
	{"dynamic", Ignored, "host a { dynamic; }", "it marks what came through OMAPI", "remove it"},
	{"static", Ignored, "group g { static; host a { } }", "it marks what did not come through OMAPI", "remove it"},
	{"deleted", Refused, "host a { deleted; }", "it is for dhcpd's lease file", "delete the declaration itself"},
	{"vendor-class", Refused, inClass + "}\nvendor-class \"c\" { }", "it is a form from before class", "write class \"NAME\" { match if option vendor-class-identifier = \"NAME\"; }"},
	{"user-class", Refused, inClass + "}\nuser-class \"c\" { }", "it is a form from before class", "write class \"NAME\" { match if option user-class = \"NAME\"; }"},

	// Expressions.
	{"substring", Supported, "set v = substring (option host-name, 0, 3);", "", ""},
	{"suffix", Supported, "set v = suffix (option host-name, 3);", "", ""},
	{"lcase", Supported, "set v = lcase (option host-name);", "", ""},
	{"ucase", Supported, "set v = ucase (option host-name);", "", ""},
	{"concat", Supported, "set v = concat (\"a\", \"b\", \"c\");", "", ""},
	{"reverse", Supported, "set v = reverse (1, \"abc\");", "", ""},
	{"binary-to-ascii", Supported, "set v = binary-to-ascii (16, 8, \":\", hardware);", "", ""},
	{"encode-int", Supported, "set v = encode-int (5, 16);", "", ""},
	{"extract-int", Supported, "set v = extract-int (option host-name, 8);", "", ""},
	{"pick-first-value", Supported, "set v = pick-first-value (option host-name, \"none\");", "", ""},
	{"pick", Supported, "set v = pick (option host-name, \"none\");", "short for pick-first-value", ""},
	{"packet", Supported, "set v = packet (28, 6);", "", ""},
	{"hardware address", Supported, "set v = hardware;", "the word hardware: type, then address", ""},
	{"leased-address", Supported, "set v = leased-address;", "", ""},
	{"host-decl-name", Supported, "set v = host-decl-name;", "", ""},
	{"null", Supported, "set v = null;", "", ""},
	{"lease-time", Supported, "set v = lease-time;", "", ""},
	{"client-state", Supported, "if client-state = booting { }", "as in dhcpd it has no value in a server", ""},
	{"known", Supported, "if known { }", "", ""},
	{"static address", Supported, "if static { }", "the word static: the address is a fixed one", ""},
	{"option value", Supported, "if option host-name = \"a\" { }", "option NAME, read from the request", ""},
	{"config-option", Supported, "set v = config-option routers;", "", ""},
	{"exists", Supported, "if exists user-class { }", "", ""},
	{"check", Supported, "if check \"default\" { }", "", ""},
	{"defined", Supported, "if defined (name) { }", "", ""},
	{"gethostname", Supported, "set v = gethostname ();", "taken at start and on reload", ""},
	{"gethostbyname", Supported, "set v = gethostbyname (\"localhost\");", "looked up at start and on reload, not per packet", ""},
	{"operators", Supported, "if not (option host-name ~= \"^a\" or option host-name ~~ \"b\") and known and 1 != 2 { set v = lease-time + 2 * 3 / 4 % 5 & 6 | 7 ^ 8; }", "= != ~= ~~ and or not + * / % & | ^, grouped as dhcpd groups them: and and or bind alike, + binds tighter than *", ""},
	{"a name alone", Ignored, "nothing-known;", "dhcpd takes an unknown word for the value of a variable and drops it", "delete it, or correct its spelling"},
	{"v6relay", Refused, "set v = v6relay (1, option host-name);", noV6, v6Server},
}
