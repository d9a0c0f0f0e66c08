package plan_test

import (
	"testing"

	"bootstorm/proto/dhcp"
)

// TestSending compares the options of an OFFER with those of dhcpd 4.4.3 for
// the same configuration and DISCOVER: which are sent, in which order, and the
// value of one of them.
func TestSending(t *testing.T) {
	const prl = "\x01\x03\xc8\xc9\xca\xcb\x2b\x0f\x06\x0c\x33"
	for _, c := range []struct {
		name, statements, outside, prl, codes string
		code                                  byte
		want                                  string
	}{
		{"encapsulated spaces", `option alpha.two 7; option alpha.one "un"; option alpha.f "eff"; option alpha.three 1.2.3.4; option beta.y "why"; option beta.x "ex";`, "",
			prl, "53,54,51,1,201,15,82", 201, "\x12\x03eff\x01\x02un\x02\x02\x00\x07\x03\x04\x01\x02\x03\x04\xaf\x09\x05\x02ex\x16\x03why"},
		{"the enclosing option's own value wins", `option alpha.two 7; option enc = "abc";`, "", prl, "53,54,51,1,201,15,82", 201, "abc"},
		{"wide codes and lengths", `option wide.a "aaa";`, "", prl, "53,54,51,1,203,15,82", 203, "\x01\x04\x00\x03aaa"},
		{"a space that nothing encloses", `option gamma.x "gee";`, "", prl, "53,54,51,1,15,82", 201, null},
		{"vendor-option-space", `vendor-option-space gamma; option gamma.x "un";`, "", prl, "53,54,51,1,43,15,82", 43, "\x01\x02un"},
		{"option 43 itself wins over it", `vendor-option-space gamma; option gamma.x "un"; option vendor-encapsulated-options 1:2:3;`, "", prl, "53,54,51,1,43,15,82", 43, "\x01\x02\x03"},
		{"no request list: dhcpd's hash order", `option routers 192.168.1.1; option domain-name-servers 1.1.1.1; option host-name "hh"; option r "r";
			option broadcast-address 192.168.1.255; option ntp-servers 2.2.2.2; option nis-domain "nis"; option nds-context "q"; option alpha.one "un";
			option time-offset 5; option tftp-server-name "t"; option bootfile-name "b"; option vendor-class-identifier "PXEClient"; option interface-mtu 1400;`,
			"", "", "53,54,51,1,3,6,12,2,66,67,87,26,40,42,28,60,200,15,201,82", 2, "\x00\x00\x00\x05"},
		{"no request list: vendor options", `vendor-option-space alpha; option alpha.one "un"; option gamma.x "g";`, "", "", "53,54,51,1,15,201,43,82", 43, "\x01\x02un"},
		{"request list with repetitions, mask after routers", `option routers 192.168.1.1; option domain-name-servers 1.1.1.1; option r "r";`, "",
			"\x06\x03\xc8\x0f\x03\x01\x06", "53,54,51,6,1,200,15,3,82", 200, "r"},
		{"request list without mask", `option routers 192.168.1.1; option domain-name-servers 1.1.1.1;`, "", "\x06\x03\x0f", "53,54,51,6,1,15,3,82", 3, "\xc0\xa8\x01\x01"},
		{"renewal and rebinding time are sent unasked", `option dhcp-renewal-time 100; option dhcp-rebinding-time 200;`, "", prl, "53,54,51,58,59,1,15,82", 58, "\x00\x00\x00\x64"},
		{"renewal after rebinding is dropped", `option dhcp-renewal-time 300; option dhcp-rebinding-time 200;`, "", prl, "53,54,51,59,1,15,82", 59, "\x00\x00\x00\xc8"},
		{"rebinding after the lease is dropped", `option dhcp-renewal-time 300; option dhcp-rebinding-time 700;`, "", prl, "53,54,51,58,1,15,82", 59, null},
		{"the configuration's request list", `option dhcp-parameter-request-list 15,200; option r "r";`, "", prl, "53,54,51,15,200,1,82", 200, "r"},
		{"the mask of the configuration", `option subnet-mask 255.255.0.0;`, "", "\x01", "53,54,51,1,82", 1, "\xff\xff\x00\x00"},
		{"site-option-space", `site-option-space "local"; option local.aa "x"; option r "r";`, "option space local; option local.aa code 230 = text;",
			"\xe6\xc8", "53,54,51,230,200,1,82", 230, "x"},
		{"site-option-space without request list", `site-option-space "local"; option local.aa "x"; option r "r";`, "option space local; option local.aa code 230 = text;",
			"", "53,54,51,1,200,15,230,82", 230, "x"},
		{"lists of names are joined and compressed anew", `option domain-search "a.x.org", "b.x.org"; append domain-search "c.x.org";`, "",
			"\x77", "53,54,51,119,1,82", 119, "\x01a\x01x\x03org\x00\x01b\xc0\x02\x01c\xc0\x02"},
		{"fqdn", `option fqdn.fqdn "aa.bb"; option fqdn.encoded on; option fqdn.server-update on;`, "", "\x51", "53,54,51,81,1,82", 81, "\x05\x00\x00\x02aa\x02bb\x00"},
		{"fqdn unasked, because the client sent one", `option fqdn.fqdn "aa.bb";`, "", "\x01", "53,54,51,1,81,82", 81, "\x00\x00\x00aa.bb"},
		{"use-host-decl-names", `use-host-decl-names on;`, thisHost, "\x0c", "53,54,51,12,1,82", 12, "n1"},
		{"host-name wins over it", `use-host-decl-names on; option host-name "hh";`, thisHost, "\x0c", "53,54,51,12,1,82", 12, "hh"},
		{"a number where data is wanted", `option ip-forwarding = 1;`, "", "\x13", "53,54,51,19,1,82", 19, "\x01"},
		{"vendor-specific information of two enterprises", `option docsis.one "un"; option vendor.other "oo";`,
			"option space docsis; option docsis.one code 1 = text; option vendor.docsis code 4491 = encapsulate docsis; option vendor.other code 99 = text;",
			"\x7d", "53,54,51,125,1,82", 125, "\x00\x00\x00\x63\x02oo\x00\x00\x11\x8b\x04\x01\x02un"},
		{"a space with nothing but a space inside it is not sent", `option docsis.one "un";`,
			"option space docsis; option docsis.one code 1 = text; option vendor.docsis code 4491 = encapsulate docsis;",
			"\x7d", "53,54,51,1,82", 125, null},
	} {
		t.Run(c.name, func(t *testing.T) {
			var list []option
			if c.prl != "" {
				list = append(list, option{dhcp.OptParameterList, c.prl})
			}
			e := decide(load(t, inSubnet(c.statements, c.outside)), client(list...))
			core(e)
			got := reply(e, dhcp.Offer, 548)
			if codesOf(got) != c.codes {
				t.Errorf("sends %s, want %s", codesOf(got), c.codes)
			}
			if v := valueOf(got, c.code); v != c.want {
				t.Errorf("option %d is %q, want %q", c.code, v, c.want)
			}
		})
	}
}

type setter interface {
	DefaultOption(byte, []byte)
	SetOption(byte, []byte)
}

// core sets what the core sets in an OFFER to a relayed client.
func core(e setter) {
	e.DefaultOption(dhcp.OptServerID, []byte{192, 168, 1, 1})
	e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 2, 0x58})
	e.SetOption(dhcp.OptRelayAgent, []byte("\x01\x03abc"))
}

// TestCoreOptions: what the core sets is sent unasked, before the request list;
// defaults give way to the configuration.
func TestCoreOptions(t *testing.T) {
	p := load(t, inSubnet(`option dhcp-server-identifier 10.0.0.9; option dhcp-client-identifier "conf";`, ""))
	e := decide(p, client(option{dhcp.OptParameterList, "\x0f"}))
	core(e)
	e.SetOption(dhcp.OptClientUUID, []byte("\x00uuid"))
	e.SetOption(dhcp.OptClientID, []byte("first"))
	e.SetOption(dhcp.OptClientID, []byte("id"))
	got := reply(e, dhcp.Offer, 548)
	if codesOf(got) != "53,54,51,97,61,15,1,82" {
		t.Errorf("sends %s", codesOf(got))
	}
	if v := valueOf(got, dhcp.OptServerID); v != "\x0a\x00\x00\x09" {
		t.Errorf("server identifier %x: the configuration's is 10.0.0.9", v)
	}
	if v := valueOf(got, dhcp.OptClientID); v != "id" {
		t.Errorf("client identifier %q: the core's is the last word", v)
	}
}

// TestNak: a DHCPNAK carries its type, the server and what the core sets, and
// nothing of the configuration.
func TestNak(t *testing.T) {
	e := decide(load(t, inSubnet(`option routers 192.168.1.1; option dhcp-renewal-time 100;`, "")), client(option{dhcp.OptParameterList, "\x01\x03\x0f"}))
	e.DefaultOption(dhcp.OptServerID, []byte{192, 168, 1, 1})
	e.SetOption(dhcp.OptMessage, []byte("wrong network"))
	if got := codesOf(reply(e, dhcp.Nak, 548)); got != "53,54,56" {
		t.Errorf("sends %s", got)
	}
}

// TestBOOTPReply: no message type, and everything, since there is no list.
func TestBOOTPReply(t *testing.T) {
	p := load(t, "subnet 192.168.1.0 netmask 255.255.255.0 { range dynamic-bootp 192.168.1.10 192.168.1.20; option routers 192.168.1.1; }")
	if got := codesOf(reply(decide(p, newMessage(dhcp.BOOTP)), dhcp.BOOTP, 548)); got != "1,3" {
		t.Errorf("sends %s", got)
	}
}

// TestInform: the mask is sent only if asked for.
func TestInform(t *testing.T) {
	p := load(t, inSubnet(`option routers 192.168.1.1;`, ""))
	e := decide(p, newMessage(dhcp.Inform, option{dhcp.OptParameterList, "\x03"}))
	if got := codesOf(reply(e, dhcp.Ack, 548)); got != "53,3" {
		t.Errorf("sends %s", got)
	}
}

// TestNoRoom: what does not fit is left out, what follows is tried, and the
// relay's option keeps its place.
func TestNoRoom(t *testing.T) {
	long := `option r "` + string(make120()) + `";`
	e := decide(load(t, inSubnet(long+` option routers 192.168.1.1;`, "")), client(option{dhcp.OptParameterList, "\xc8\x03\x0f\x01"}))
	core(e)
	got := reply(e, dhcp.Offer, 300)
	if codesOf(got) != "53,54,51,1,15,3,82" {
		t.Errorf("sends %s", codesOf(got))
	}
	if v := valueOf(got, dhcp.OptRelayAgent); v != "\x01\x03abc" {
		t.Errorf("option 82 is %q", v)
	}
}

func make120() []byte {
	b := make([]byte, 120)
	for i := range b {
		b[i] = 'x'
	}
	return b
}

// TestLongOption: more than 255 bytes are split (RFC 3396).
func TestLongOption(t *testing.T) {
	x := string(make120())
	e := decide(load(t, inSubnet(`option r "`+x+`"; append r "`+x+`"; append r "`+x+`";`, "")), client(option{dhcp.OptParameterList, "\xc8"}))
	total := 0
	for _, o := range reply(e, dhcp.Offer, 1400) {
		if o.code == 200 {
			total += len(o.value)
		}
	}
	if total != 360 {
		t.Errorf("%d bytes of option 200, want 360", total)
	}
}

// TestTerminatedTexts: a client that ends its host name with NUL gets the same.
func TestTerminatedTexts(t *testing.T) {
	p := load(t, inSubnet(`option root-path "/r"; option r "r";`, ""))
	e := decide(p, newMessage(dhcp.Discover, option{dhcp.OptHostName, "pc\x00"}, option{dhcp.OptParameterList, "\x11\x0f\xc8\x01"}))
	got := reply(e, dhcp.Offer, 548)
	for code, want := range map[byte]string{17: "/r\x00", 15: "x.org\x00", 200: "r", 1: "\xff\xff\xff\x00"} {
		if v := valueOf(got, code); v != want {
			t.Errorf("option %d is %q, want %q", code, v, want)
		}
	}
}
