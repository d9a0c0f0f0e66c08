package pcap

import (
	"strings"
	"testing"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// dhcpMessage makes a message of that type with options added.
func dhcpMessage(t dhcp.Type, xid uint32, set func(h *dhcp.Header, w *dhcp.Writer)) []byte {
	var w dhcp.Writer
	b := make([]byte, 600)
	h := w.Reset(b)
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6
	h.SetXID(xid)
	copy(h.CHAddr()[:], clientMAC[:])
	if t != dhcp.BOOTP {
		w.Option(dhcp.OptMessageType, []byte{byte(t)})
	}
	if set != nil {
		set(h, &w)
	}
	return b[:w.End()]
}

func TestParseDHCP(t *testing.T) {
	b := dhcpMessage(dhcp.Offer, 0x1234abcd, func(h *dhcp.Header, w *dhcp.Writer) {
		h.SetOp(dhcp.BootReply)
		h.SetYIAddr(client)
		h.SetSecs(4)
		copy(h.File()[:], "ipxe.efi")
		w.Option(dhcp.OptServerID, []byte{192, 168, 1, 1})
		w.Option(dhcp.OptLeaseTime, []byte{0, 0, 0x1c, 0x20})
		w.Option(dhcp.OptPad, nil)
		w.Option(dhcp.OptVendorClass, []byte("PXEClient"))
		w.Option(200, []byte{1, 2})
	})
	m, ok := parseDHCP(b)
	if !ok || m.typ != dhcp.Offer || m.xid != 0x1234abcd || m.yiaddr != client || m.secs != 4 || m.mac() != clientMAC || m.op != 2 {
		t.Fatalf("parsed as %+v", m)
	}
	for name, want := range map[string]string{
		"yiaddr": "192.168.1.2", "file": `"ipxe.efi"`, "sname": `""`, "secs": "4", "flags": "0000", "chaddr": "525400123401",
		"option 54 dhcp-server-identifier": "192.168.1.1", "option 51 dhcp-lease-time": "7200", "option 60 vendor-class-identifier": "PXEClient",
		"option 200": "0x0102", "order of options": "53,54,51,60,200",
	} {
		if got, ok := m.field(name); !ok || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, ok := m.field("option 1 subnet-mask"); ok {
		t.Error("an option that is not there was found")
	}
	if m.addr(dhcp.OptServerID) != server.Addr || m.addr(dhcp.OptVendorClass) != 0 || m.get(77) != nil {
		t.Error("options are not read by their code")
	}
	if _, ok := parseDHCP(b[:200]); ok {
		t.Error("half a header passes as a message")
	}
}

func TestDescribeDHCP(t *testing.T) {
	b := dhcpMessage(dhcp.Discover, 1, func(h *dhcp.Header, w *dhcp.Writer) {
		h.SetFlags(0x8000)
		h.SetSecs(9)
		w.Option(dhcp.OptClientArch, []byte{0, 7, 0, 9})
		w.Option(dhcp.OptUserClass, []byte("iPXE"))
		w.Option(dhcp.OptRequestedAddr, []byte{192, 168, 1, 5})
	})
	m, _ := parseDHCP(b)
	if got, want := m.describe(), "DISCOVER flags=8000 arch=7,9 user-class=iPXE dhcp-requested-address=192.168.1.5"; got != want {
		t.Errorf("described as %q, want %q", got, want)
	}
	b[dhcp.CookieOff] = 0
	if m, _ = parseDHCP(b); m.describe() != "BOOTP flags=8000" || len(m.options) != 0 {
		t.Errorf("without a cookie it is described as %q", m.describe())
	}
}

// Options end where the message ends, whatever their length bytes say.
func TestScanOptions(t *testing.T) {
	base := dhcpMessage(dhcp.Discover, 1, nil)[:dhcp.OptionsOff]
	for _, k := range []struct {
		name, options, want string
	}{
		{"none", "", ""},
		{"no end", "\x35\x01\x01", "53"},
		{"pads", "\x00\x00\x35\x01\x01\x00\x0c\x00\xff\x0c\x00", "53,12"},
		{"runs past the end", "\x35\x01\x01\x3c\x40abc", "53"},
		{"no length", "\x35\x01\x01\x3c", "53"},
	} {
		list := optionFields(scanOptions(append(base[:len(base):len(base)], k.options...)))
		if got := list[len(list)-1].Value; got != k.want {
			t.Errorf("%s: order %q, want %q", k.name, got, k.want)
		}
	}
}

func TestOptionValue(t *testing.T) {
	for _, k := range []struct {
		code byte
		in   string
		want string
	}{
		{3, "\xc0\xa8\x01\x01\xc0\xa8\x01\x02", "192.168.1.1,192.168.1.2"}, {3, "\x01", "0x01"}, {93, "\x00\x07", "7"}, {93, "\x07", "0x07"},
		{55, "\x01\x03", "1,3"}, {51, "\x00\x00\x00\x14", "20"}, {53, "\x05", "5"}, {51, "", "0x"}, {12, "node 1", `"node 1"`}, {43, "\x06\x01\x08", "0x060108"},
	} {
		if got := optionValue(k.code, []byte(k.in)); got != k.want {
			t.Errorf("option %d %q reads %s, want %s", k.code, k.in, got, k.want)
		}
	}
	if optionLabel(93) != "arch" || optionLabel(222) != "222" || optionName(222) != "option 222" {
		t.Error("names of options are wrong")
	}
}

// Every field of every DHCP message in the captures has a value, and the
// message's own decoder agrees with the engine's.
func TestDecodersAgree(t *testing.T) {
	messages := 0
	for _, name := range captures(t) {
		for i, r := range testdata(t, name).Records {
			v := look(r.Data)
			if !v.udp() || v.srcPort != 67 && v.dstPort != 67 {
				continue
			}
			m, ok := parseDHCP(v.body(r.Data))
			if !ok {
				t.Fatalf("%s, frame %d: not a message", name, i+1)
			}
			messages++
			var o dhcp.Options
			if !o.Parse(v.body(r.Data)) {
				continue // damaged on purpose
			}
			for _, f := range m.options {
				if got, has := o.Get(f.code); !has || !strings.Contains(string(got), string(f.data)) {
					t.Errorf("%s, frame %d: option %d is %x here and %x there", name, i+1, f.code, f.data, got)
				}
			}
		}
	}
	if messages < 250 {
		t.Errorf("%d messages compared, want 250 and more", messages)
	}
}

func TestDelivery(t *testing.T) {
	reply := func(set func(h *dhcp.Header)) []byte {
		return dhcpMessage(dhcp.Ack, 1, func(h *dhcp.Header, _ *dhcp.Writer) { h.SetOp(2); set(h) })
	}
	for _, k := range []struct {
		name string
		mac  proto.MAC
		to   proto.Addr
		body []byte
		want string
	}{
		{"broadcast", proto.Broadcast, proto.Limited, reply(func(h *dhcp.Header) { h.SetYIAddr(client) }), "broadcast 255.255.255.255:68"},
		{"to a new address", clientMAC, client, reply(func(h *dhcp.Header) { h.SetYIAddr(client) }), "chaddr yiaddr:68"},
		{"to a known address", clientMAC, client, reply(func(h *dhcp.Header) { h.SetCIAddr(client) }), "chaddr ciaddr:68"},
		{"to a relay", serverMAC, client, reply(func(h *dhcp.Header) { h.SetGIAddr(client) }), "02:00:00:00:00:01 giaddr:68"},
		{"elsewhere", clientMAC, client, reply(func(*dhcp.Header) {}), "chaddr 192.168.1.2:68"},
	} {
		b := udpFrame(serverMAC, k.mac, endpoint{server.Addr, 67}, endpoint{k.to, 68}, k.body)
		v := look(b)
		m, _ := parseDHCP(v.body(b))
		f := delivery(b, &v, &m)
		if f[0] != (Field{"sent to", k.want}) || f[1] != (Field{"sent from", "192.168.1.1:67"}) || f[2] != (Field{"length", "300"}) {
			t.Errorf("%s: %v, want %s", k.name, f, k.want)
		}
	}
}
