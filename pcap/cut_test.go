package pcap

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"bootstorm/proto"
)

// ipFrame makes an IPv4 frame with that protocol and fragment field.
func ipFrame(protocol byte, fragment uint16, body []byte) []byte {
	b := make([]byte, proto.EthernetLen+proto.IPv4Len+len(body))
	copy(b[12:], []byte{8, 0, 0x45, 0})
	binary.BigEndian.PutUint16(b[16:], uint16(proto.IPv4Len+len(body)))
	binary.BigEndian.PutUint16(b[20:], fragment)
	b[23] = protocol
	copy(b[34:], body)
	return b
}

// ipv6Frame makes an IPv6 frame.
func ipv6Frame(next byte, body []byte) []byte {
	b := make([]byte, proto.EthernetLen+ipv6Len+len(body))
	copy(b[12:], []byte{0x86, 0xdd, 0x60})
	b[20] = next
	copy(b[54:], body)
	return b
}

// tagged puts an 802.1Q tag into a frame.
func tagged(b []byte) []byte {
	t := append(bytes.Clone(b[:12]), 0x81, 0, 0, 5)
	return append(t, b[12:]...)
}

func tcp(payload string) []byte {
	h := make([]byte, 32)
	h[0], h[1], h[12] = 0, 80, 0x80 // port 80, header of 32 bytes
	return append(h, payload...)
}

func udp(dst uint16, payload string) []byte {
	h := make([]byte, 8)
	binary.BigEndian.PutUint16(h[2:], dst)
	binary.BigEndian.PutUint16(h[4:], uint16(8+len(payload)))
	return append(h, payload...)
}

func TestKeep(t *testing.T) {
	const secret = "bytes of a file that may not be published"
	data := "\x00\x03\x00\x01" + secret
	quote := func(kind byte) []byte {
		return append([]byte{kind, 3, 0, 0, 0, 0, 0, 0}, ipFrame(17, 0, udp(2000, data))[14:]...)
	}
	arp := append(make([]byte, 12), append([]byte{8, 6}, make([]byte, 46)...)...)
	for _, k := range []struct {
		name  string
		frame []byte
		want  int // bytes kept; 0: all
	}{
		{"DATA", ipFrame(17, 0, udp(2000, data)), 34 + 8 + 4},
		{"DATA from a client that writes", ipFrame(17, 0, udp(4000, data)), 34 + 8 + 4},
		{"DATA to port 69", ipFrame(17, 0, udp(69, data)), 34 + 8 + 4},
		{"DATA, tagged", tagged(ipFrame(17, 0, udp(2000, data))), 38 + 8 + 4},
		{"DATA, empty", ipFrame(17, 0, udp(2000, "\x00\x03\x00\x01")), 0},
		{"DATA, first fragment", ipFrame(17, 0x2000, udp(2000, data)), 34 + 8 + 4},
		{"DATA, further fragment", ipFrame(17, 0x2005, []byte(secret)), 34},
		{"DATA, last fragment", ipFrame(17, 0x000a, []byte(secret)), 34},
		{"DATA over IPv6", ipv6Frame(17, udp(2000, data)), 54 + 8 + 4},
		{"IPv6 fragment", ipv6Frame(44, append([]byte{17, 0, 0, 8, 0, 0, 0, 0}, secret...)), 62},
		{"HTTP", ipFrame(6, 0, tcp(secret)), 34 + 32},
		{"HTTP over IPv6", ipv6Frame(6, tcp(secret)), 54 + 32},
		{"unknown UDP", ipFrame(17, 0, udp(5000, secret)), 34 + 8},
		{"unknown IP protocol", ipFrame(47, 0, []byte(secret)), 34},
		{"unknown EtherType", append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0xcc}, secret...), 14},
		{"ICMP error quoting DATA", ipFrame(1, 0, quote(3)), 34 + 8 + 20 + 8},
		{"ICMPv6 error quoting DATA", ipv6Frame(58, append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, ipv6Frame(17, udp(2000, data))[14:]...)), 54 + 8 + 40 + 8},
		{"ICMP echo", ipFrame(1, 0, append([]byte{8, 0}, "ping"...)), 0},
		{"neighbour solicitation", ipv6Frame(58, append([]byte{135, 0}, make([]byte, 30)...)), 0},
		{"listener report behind hop-by-hop options", ipv6Frame(0, append([]byte{58, 0, 5, 2, 0, 0, 1, 0, 143}, make([]byte, 27)...)), 0},
		{"ARP", arp, 0},
		{"DHCP", ipFrame(17, 0, udp(67, strings.Repeat("d", 300))), 0},
		{"DHCPv6", ipv6Frame(17, udp(547, secret)), 0},
		{"RRQ", ipFrame(17, 0, udp(69, "\x00\x01ipxe.efi\x00octet\x00")), 0},
		{"odd packet to port 69", ipFrame(17, 0, udp(69, "\x00\x07abc")), 0},
		{"OACK", ipFrame(17, 0, udp(2000, "\x00\x06blksize\x001024\x00")), 0},
		{"ACK", ipFrame(17, 0, udp(4000, "\x00\x04\x00\x01")), 0},
		{"what looks like a long ACK", ipFrame(17, 0, udp(4000, "\x00\x04\x00\x01"+secret)), 34 + 8},
		{"ERROR", ipFrame(17, 0, udp(2000, "\x00\x05\x00\x01no\x00")), 0},
		{"UDP header cut off", ipFrame(17, 0, []byte{0, 69, 0}), 34 - 20},
		{"IP header cut off", ipFrame(17, 0, nil)[:30], 14},
		{"shorter than an Ethernet header", make([]byte, 9), 0},
	} {
		t.Run(k.name, func(t *testing.T) {
			want := k.want
			if want == 0 {
				want = len(k.frame)
			}
			got := keep(k.frame)
			if k.name == "shorter than an Ethernet header" {
				want = 0
			}
			if got != want {
				t.Errorf("%d of %d bytes kept, want %d", got, len(k.frame), want)
			}
			if bytes.Contains(k.frame[:got], []byte("a file that may not")) && !strings.HasPrefix(k.name, "DHCP") {
				t.Error("contents of a file stay")
			}
		})
	}
}

func TestCut(t *testing.T) {
	c := sample()
	c.Records[1] = conversation(fromServer(4000, []byte("\x00\x03\x00\x01hello"))).Records[0]
	before := append([]Record(nil), c.Records...)
	if n := c.Cut(); n != 1 {
		t.Errorf("%d frames cut, want 1", n)
	}
	for i, r := range c.Records {
		if r.Length != before[i].Length || r.Time != before[i].Time || !bytes.HasPrefix(before[i].Data, r.Data) {
			t.Errorf("record %d changed more than its end: %+v", i, r)
		}
	}
	if len(c.Records[1].Data) != 46 {
		t.Errorf("the block keeps %d bytes, want its 46 bytes of headers", len(c.Records[1].Data))
	}
}

// The repository's captures hold no contents of files: no block longer than its
// header, no TCP payload, nothing behind an unknown header.
func TestTestdataIsCut(t *testing.T) {
	for _, name := range captures(t) {
		c := testdata(t, name)
		for i := range c.Records {
			b := c.Records[i].Data
			if keep(b) < len(b) {
				t.Fatalf("%s, frame %d: %d bytes where %d may stay", name, i+1, len(b), keep(b))
			}
			v := look(b)
			if v.transport == 0 || v.protocol != proto.ProtocolUDP || v.rest || openPorts[v.srcPort] || openPorts[v.dstPort] {
				continue
			}
			if body := v.body(b); len(body) > 4 && body[0] == 0 && body[1] == tftpData {
				t.Fatalf("%s, frame %d: a block of %d bytes", name, i+1, len(body))
			}
		}
	}
}
