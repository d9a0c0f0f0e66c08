package conform

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"bootstorm/pcap"
)

// madeUp is the name of its cases in the list of differences.
const madeUp = "random"

// TestRandom makes configurations and conversations up and compares the answers.
// CONFORM=200 SEED=1000 go test -run Random ./tools/conform has 200 of them.
func TestRandom(t *testing.T) {
	needDhcpd(t)
	list := review(t)
	count, seed := number("CONFORM", 0), number("SEED", 1)
	var mu sync.Mutex
	for n := range count {
		t.Run(strconv.Itoa(seed+n), func(t *testing.T) {
			t.Parallel()
			m := &maker{rand.New(rand.NewPCG(uint64(seed+n), 0)), 0}
			conf, conversation := m.conf(), m.conversation()
			twice(t, &mu, list, func(w waits) ([]pcap.Difference, *site) { return converse(t, w, madeUp, conf, conversation) })
			if t.Failed() {
				t.Logf("%s----\n%s", conf, conversation)
			}
		})
	}
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// maker makes text up: valid dhcpd.conf whose meaning is anybody's guess.
type maker struct {
	*rand.Rand
	names int
}

// one returns one of some texts.
func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

// often tells the outcome of a throw: true n times of 100.
func (m *maker) often(n int) bool { return m.IntN(100) < n }

// some joins up to n texts.
func (m *maker) some(n int, f func() string) string {
	var b strings.Builder
	for range m.IntN(n + 1) {
		b.WriteString(f() + "\n")
	}
	return b.String()
}

func (m *maker) conf() string {
	var b strings.Builder
	for code := 201; code <= 208; code++ {
		fmt.Fprintf(&b, "option s%d code %d = string;\n", code, code)
	}
	b.WriteString("option n1 code 211 = unsigned integer 32; option arch code 93 = unsigned integer 16;\n")
	b.WriteString("option space sp; option sp.a code 1 = text; option sp.b code 2 = unsigned integer 16; option encl code 210 = encapsulate sp;\n")
	if m.often(50) {
		b.WriteString("authoritative;\n")
	}
	b.WriteString(m.some(4, m.statement))
	for i := range 3 {
		fmt.Fprintf(&b, "class \"c%d\" { match if %s;\n%s}\n", i, m.test(2), m.some(3, m.statement))
	}
	fmt.Fprintf(&b, "class \"sub\" { match %s; %s}\n", m.data(1), m.some(1, m.statement))
	for _, key := range []string{`"a"`, "00:07", `"x"`} {
		fmt.Fprintf(&b, "subclass \"sub\" %s { %s}\n", key, m.some(2, m.statement))
	}
	for i := 1; i <= 6; i++ {
		b.WriteString(m.host(i))
	}
	b.WriteString(m.subnet("192.168.1", ""))
	b.WriteString(m.subnet("10.1.0", m.one("", "authoritative; ", "not authoritative; ")))
	return b.String()
}

func (m *maker) host(i int) string {
	key := fmt.Sprintf("hardware ethernet 02:00:00:00:0c:%02x; ", i)
	if m.often(20) {
		key = fmt.Sprintf("option dhcp-client-identifier \"id%d\"; ", i)
	}
	if m.often(40) {
		key += m.one("fixed-address 192.168.1.20%d; ", "fixed-address 10.1.0.20%d; ", "fixed-address 10.1.0.20%[1]d, 192.168.1.20%[1]d; ")
		if strings.Contains(key, "%") {
			key = fmt.Sprintf(key, i)
		}
	}
	text := fmt.Sprintf("host h%d { %s\n%s}\n", i, key, m.some(3, m.statement))
	if m.often(20) {
		text = fmt.Sprintf("group { %s%s}\n", m.some(2, m.statement), text)
	}
	return text
}

func (m *maker) subnet(net, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "subnet %s.0 netmask 255.255.255.0 { %s\noption routers %s.1;\n%s", net, more, net, m.some(4, m.statement))
	if m.often(40) {
		fmt.Fprintf(&b, "range %s %s.10 %s.60;\n", m.one("", "dynamic-bootp"), net, net)
	} else {
		// No client has a choice of pools: which one it gets is the server's own affair.
		for i, permits := range []string{`allow members of "c0";`, `deny members of "c0"; allow known-clients;`, `deny members of "c0"; allow unknown-clients;`} {
			fmt.Fprintf(&b, "pool { range %s.%d0 %s.%d9; %s %s\n%s}\n", net, i+1, net, i+1, permits, m.one("", "deny dynamic bootp clients;"), m.some(2, m.statement))
		}
	}
	return b.String() + "}\n"
}

func (m *maker) option() string { return "s" + strconv.Itoa(201+m.IntN(8)) }

func (m *maker) statement() string {
	switch m.IntN(16) {
	case 0, 1, 2:
		return fmt.Sprintf("option %s = %s;", m.option(), m.data(3))
	case 3:
		return fmt.Sprintf("%s %s = %s;", m.one("append", "prepend", "default", "supersede"), m.option(), m.data(2))
	case 4, 5:
		text := fmt.Sprintf("if %s { %s}", m.test(2), m.some(2, m.statement))
		if m.often(40) {
			text += fmt.Sprintf(" elsif %s { %s}", m.test(2), m.some(1, m.statement))
		}
		if m.often(50) {
			text += fmt.Sprintf(" else { %s}", m.some(2, m.statement))
		}
		return text
	case 6:
		return m.one("filename \"file\";", "filename = concat(\"f\", "+m.data(2)+");", "server-name \"name\";", "next-server 192.168.1.9;", "next-server = leased-address;")
	case 7:
		return fmt.Sprintf("%s-lease-time %d;", m.one("default", "max", "min"), 100+m.IntN(9000))
	case 8:
		return m.one("option domain-name \"example.org\";", "option domain-name-servers 1.1.1.1, 2.2.2.2;", "option host-name \"named\";", "option time-offset -3600;",
			"option dhcp-renewal-time 77;", "option dhcp-rebinding-time 88;", "option domain-search \"a.example.org\", \"b.example.org\";", "option broadcast-address 192.168.1.255;",
			"option subnet-mask 255.255.0.0;", "option root-path \"/r\";", "option ntp-servers 3.3.3.3;", "option vendor-class-identifier \"PXEClient\";")
	case 9:
		return m.one("use-host-decl-names on;", "always-broadcast on;", "vendor-option-space sp;", "always-reply-rfc1048 on;", "option dhcp-parameter-request-list 201,202,3;")
	case 10:
		return fmt.Sprintf("option sp.%s;", m.one("a \"sub\"", "b 513", "a = "+m.data(2)))
	case 11:
		return fmt.Sprintf("option n1 = encode-int(%s, 32);", m.num(2))
	case 12:
		m.names++
		name := fmt.Sprintf("var-%d", m.names)
		return fmt.Sprintf("set %s = %s; filename = concat(\"f\", %s, \"!\");", name, m.data(2), name)
	case 13:
		return fmt.Sprintf("switch (option %s) { case \"a\": %s break; case \"x\": %s default: %s }", m.one("host-name", "user-class"), m.statement(), m.statement(), m.statement())
	case 14:
		if m.often(25) {
			return fmt.Sprintf("if %s { %s %s; }", m.test(1), m.one("deny", "ignore", "allow"), m.one("booting", "bootp", "unknown-clients"))
		}
	}
	return fmt.Sprintf("option %s \"%s\";", m.option(), m.one("text", "", "a", "longer text"))
}

func (m *maker) data(depth int) string {
	if depth == 0 || m.often(25) {
		return m.one(`"a"`, `"Const"`, "00:07", `""`, "option host-name", "option user-class", "option vendor-class-identifier", "option arch", "hardware",
			"leased-address", "option dhcp-client-identifier", "option agent.circuit-id", "config-option "+m.option(), "packet(28, 6)", "option dhcp-parameter-request-list")
	}
	d := depth - 1
	switch m.IntN(9) {
	case 0:
		return fmt.Sprintf("substring(%s, %d, %d)", m.data(d), m.IntN(4), m.IntN(6))
	case 1:
		return fmt.Sprintf("suffix(%s, %d)", m.data(d), m.IntN(5))
	case 2:
		return fmt.Sprintf("%s(%s)", m.one("lcase", "ucase"), m.data(d))
	case 3:
		return fmt.Sprintf("binary-to-ascii(%s, %s, %s, %s)", m.one("16", "10", "8", "2"), m.one("8", "8", "16", "32"), m.one(`":"`, `"."`, `""`), m.data(d))
	case 4:
		return fmt.Sprintf("encode-int(%s, %s)", m.num(d), m.one("8", "16", "32"))
	case 5:
		return fmt.Sprintf("reverse(%d, %s)", 1+m.IntN(2), m.data(d))
	case 6:
		return fmt.Sprintf("pick-first-value(%s, %s)", m.data(d), m.data(d))
	}
	return fmt.Sprintf("concat(%s, %s)", m.data(d), m.data(d))
}

func (m *maker) num(depth int) string {
	if depth == 0 || m.often(30) {
		return strconv.Itoa(1 + m.IntN(300))
	}
	if m.often(50) {
		width := 1 << m.IntN(3)
		return fmt.Sprintf("extract-int(substring(concat(%s, 01:02:03:04), 0, %d), %d)", m.data(depth-1), width, 8*width)
	}
	return fmt.Sprintf("%d %s %d", 1+m.IntN(300), m.one("+", "*", "/", "%", "&", "|", "^"), 1+m.IntN(300))
}

func (m *maker) test(depth int) string {
	if depth == 0 || m.often(20) {
		return m.one("known", "static", "exists user-class", "exists agent.circuit-id", "option arch = 00:07", "exists host-name", `option user-class = "a"`,
			`substring(option vendor-class-identifier, 0, 9) = "PXEClient"`)
	}
	d := depth - 1
	switch m.IntN(6) {
	case 0:
		return "not (" + m.test(d) + ")"
	case 1:
		return fmt.Sprintf("%s %s %s", m.test(0), m.one("and", "or"), m.test(0))
	case 2:
		return fmt.Sprintf("extract-int(concat(%s, 01), 8) = %d", m.data(d), m.IntN(256))
	case 3:
		return fmt.Sprintf("%s %s %s", m.data(d), m.one("~=", "~~"), m.one(`"^a"`, `"[a-c]+$"`, `"PXE.*UNDI"`, `"^$"`))
	}
	return fmt.Sprintf("%s %s %s", m.data(d), m.one("=", "!="), m.data(d))
}

func (m *maker) conversation() string {
	var b strings.Builder
	for range 14 {
		client := 1 + m.IntN(9)
		words := ""
		if m.often(60) {
			words += " " + m.one("edk2", "ipxe", "rom", "uboot", "linux", "http", "win")
		} else {
			words += m.one("", " 55=1,3,201,202,203,204,205,206,207,208,210,211,43,12,15", " 55=201,3,1,15,66,67,51,58,59", " 93=0,7", ` 60="PXEClient:Arch:00000"`)
		}
		if m.often(30) {
			words += m.one(` 77="a"`, ` 77="b"`)
		}
		if m.often(20) && !strings.Contains(words, "win") {
			words += m.one(` 12="a"`, ` 12="Name"`)
		}
		if m.often(25) {
			words += fmt.Sprintf(` 61="id%d"`, client)
		}
		if m.often(15) {
			words += m.one(" 51=0,0,1,0", " 51=0,1,0,0", " 57=0x0400")
		}
		if m.often(25) {
			words += " giaddr=10.1.0.1" + m.one("", ` 82=0x0104636972`+"63", ` 82=0x010161`)
		}
		kind := m.one("dora", "dora", "dora", "discover", "request", "request", "inform", "bootp", "release")
		switch kind {
		case "request":
			words += m.one(" want=given", " unicast ciaddr=given", " ciaddr=given", " want=192.168.1.77", " want=10.1.0.12", " want=172.16.0.1")
		case "inform":
			net := "192.168.1.2"
			if strings.Contains(words, "giaddr") {
				net = "10.1.0.2"
			}
			client += 30 // declared nowhere
			words += " ciaddr=" + net + strconv.Itoa(client)
		case "bootp": // without options of DHCP, for which dhcpd has several answers
			client += 20 // that speaks nothing else
			words = m.one("", " none", " bcast", ` 60="PXEClient:Arch:00000"`, ` 77="a"`, " giaddr=10.1.0.1")
		case "release":
			words = " unicast ciaddr=given server=192.168.1.1"
		}
		fmt.Fprintf(&b, "%s %d%s\n", kind, client, words)
	}
	return b.String()
}
