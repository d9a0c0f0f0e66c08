package proto

import (
	"bytes"
	"slices"
	"testing"
)

// goldenRequest is a read request for ipxe.efi with both checksums computed by
// another program; goldenData is a DATA block of odd length, likewise.
const (
	goldenRequest = `
	02 00 00 00 00 01  52 54 00 12 34 01  08 00
	45 00 00 2d 00 07 40 00  40 11 b7 65  c0 a8 01 02  c0 a8 01 01
	08 16 00 45 00 19 34 10
	00 01 69 70 78 65 2e 65 66 69 00 6f 63 74 65 74 00`
	goldenData = `
	52 54 00 12 34 01  02 00 00 00 00 01  08 00
	45 00 00 23 00 07 40 00  40 11 b7 6f  c0 a8 01 01  c0 a8 01 02
	00 45 08 16 00 0f 74 1a
	00 03 00 01 01 02 ff`
)

func TestParseGoldenRequest(t *testing.T) {
	b := fromHex(t, goldenRequest)
	var p Packet
	if d := ParseFrame(&p, b, true); d != OK {
		t.Fatalf("dropped: %s", d)
	}
	if p.Kind != KindUDP || p.SrcMAC != clientMAC || p.DstMAC != serverMAC || p.Src != clientAddr ||
		p.Dst != serverAddr || p.SrcPort != 2070 || p.DstPort != PortTFTP {
		t.Errorf("wrong headers: %+v", p)
	}
	if want := b[HeadersLen:]; !bytes.Equal(p.Payload, want) || cap(p.Payload) != len(want) {
		t.Errorf("payload %q (capacity %d), want %q", p.Payload, cap(p.Payload), want)
	}
}

func TestBuildGoldenData(t *testing.T) {
	want := fromHex(t, goldenData)
	if got := udpFrame(want[HeadersLen:]); !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
}

// The checksum does not depend on where the payload is cut, as long as the
// first part is even.
func TestFinishUDPInParts(t *testing.T) {
	want := fromHex(t, goldenData)
	for cut := 0; cut <= 6; cut += 2 {
		b := slices.Clone(want)
		FinishUDP((*[HeadersLen]byte)(b), want[HeadersLen:HeadersLen+cut], want[HeadersLen+cut:])
		if !bytes.Equal(b, want) {
			t.Errorf("cut at %d: % x", cut, b[34:42])
		}
	}
}

// A sum of zero is sent as ffff, because zero means that there is none (RFC
// 768), and the receiver accepts it.
func TestFinishUDPNeverWritesZero(t *testing.T) {
	for v := range 1 << 16 {
		b := udpFrame([]byte{byte(v >> 8), byte(v)})
		if b[40] == 0 && b[41] == 0 {
			t.Fatalf("payload %#04x gives a checksum of zero", v)
		}
		var p Packet
		if d := ParseFrame(&p, b, true); d != OK {
			t.Fatalf("payload %#04x is refused: %s", v, d)
		}
	}
}

// SetPayloadLen leaves the same bytes as PutHeaders with that length.
func TestSetPayloadLen(t *testing.T) {
	for _, n := range []int{0, 1, 300, 1472, 65507} {
		var a, b [HeadersLen]byte
		PutHeaders(&a, serverMAC, clientMAC, serverAddr, clientAddr, 67, 68, 1, n)
		PutHeaders(&b, serverMAC, clientMAC, serverAddr, clientAddr, 67, 68, 1, 4)
		FinishUDP(&b, []byte("abcd"), nil)
		SetPayloadLen(&b, n)
		if a != b {
			t.Errorf("%d bytes:\n% x\n% x", n, a, b)
		}
		if total := int(a[16])<<8 | int(a[17]); total != n+28 {
			t.Errorf("%d bytes: total length %d", n, total)
		}
	}
}

// edit is a change to a sound frame, for the tables below.
type edit func(b []byte) []byte

// set writes v at off and repairs the IPv4 header checksum, so that the test
// reaches what it is about.
func set(off int, v ...byte) edit {
	return func(b []byte) []byte {
		copy(b[off:], v)
		finishIPv4(b)
		return b
	}
}

func cut(n int) edit { return func(b []byte) []byte { return b[:n] } }

var parseCases = []struct {
	name string
	edit edit
	want Drop
}{
	{"as it is", cut(59), OK},
	{"ethernet padding behind the datagram", func(b []byte) []byte { return append(b, 1, 2, 3) }, OK},
	{"empty", cut(0), DropShort},
	{"half an ethernet header", cut(13), DropShort},
	{"ethernet header alone", cut(14), DropShort},
	{"half an IPv4 header", cut(33), DropShort},
	{"IPv4 header alone", cut(34), DropIPLength},
	{"one byte of payload missing", cut(58), DropIPLength},
	{"VLAN tag", set(12, 0x81, 0x00), DropEtherType},
	{"IPv6", set(12, 0x86, 0xdd), DropEtherType},
	{"IEEE 802.3 length field", set(12, 0x00, 0x2d), DropEtherType},
	{"version 6", set(14, 0x65), DropIPHeader},
	{"version 0", set(14, 0x05), DropIPHeader},
	{"header length 0", set(14, 0x40), DropIPHeader},
	{"header length 16", set(14, 0x44), DropIPHeader},
	{"header length beyond the frame", set(14, 0x4f), DropIPHeader},
	{"header checksum wrong", func(b []byte) []byte { b[24] ^= 1; return b }, DropIPChecksum},
	{"header checksum zero", func(b []byte) []byte { b[24], b[25] = 0, 0; return b }, DropIPChecksum},
	{"total length 0", set(16, 0, 0), DropIPLength},
	{"total length below the header", set(16, 0, 19), DropIPLength},
	{"total length of the header", set(16, 0, 20), DropUDPLength},
	{"total length ends in the UDP header", set(16, 0, 27), DropUDPLength},
	{"total length 65535", set(16, 0xff, 0xff), DropIPLength},
	{"more fragments", set(20, 0x20, 0), DropFragment},
	{"last fragment", set(20, 0x00, 0x01), DropFragment},
	{"offset in the high bits", set(20, 0x10, 0), DropFragment},
	{"may be fragmented, is not", set(20, 0, 0), OK},
	{"reserved flag", set(20, 0x80, 0), OK},
	{"time to live 0", set(22, 0), OK},
	{"TCP", set(23, 6), DropProtocol},
	{"IGMP", set(23, 2), DropProtocol},
	{"UDP length 0", set(38, 0, 0), DropUDPLength},
	{"UDP length 7", set(38, 0, 7), DropUDPLength},
	{"UDP length one above the datagram", set(38, 0, 26), DropUDPLength},
	{"UDP length 65535", set(38, 0xff, 0xff), DropUDPLength},
	{"UDP shorter than IPv4, no checksum", set(38, 0, 8, 0, 0), OK},
	{"UDP checksum wrong", set(40, 0x34, 0x11), DropUDPChecksum},
	{"no UDP checksum", set(40, 0, 0), OK},
	{"payload damaged", set(50, 'X'), DropUDPChecksum},
	{"source address damaged", set(29, 9), DropUDPChecksum},
}

func TestParseFrame(t *testing.T) {
	golden := fromHex(t, goldenRequest)
	for _, c := range parseCases {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			if d := ParseFrame(&p, c.edit(slices.Clone(golden)), true); d != c.want {
				t.Fatalf("%s, want %s", d, c.want)
			}
			if kind := map[bool]Kind{true: KindUDP}[c.want == OK]; p.Kind != kind {
				t.Errorf("kind %d after %s", p.Kind, c.want)
			}
		})
	}
}

// A checksum that the kernel has not finished is not looked at; lengths are.
func TestParseUnfinishedChecksum(t *testing.T) {
	for _, c := range []struct {
		name string
		edit edit
		want Drop
	}{
		{"pseudo header sum only", set(40, 0x83, 0x9d), OK},
		{"sound", set(40, 0x34, 0x10), OK},
		{"IPv4 header checksum is always finished", func(b []byte) []byte { b[24] ^= 1; return b }, DropIPChecksum},
		{"UDP length beyond the datagram", set(38, 0, 99), DropUDPLength},
	} {
		var p Packet
		if d := ParseFrame(&p, c.edit(fromHex(t, goldenRequest)), false); d != c.want {
			t.Errorf("%s: %s, want %s", c.name, d, c.want)
		}
	}
}

// IPv4 options are stepped over (RFC 791 section 3.1).
func TestParseIPv4Options(t *testing.T) {
	golden := fromHex(t, goldenRequest)
	for words := 1; words <= 10; words++ {
		b := slices.Insert(slices.Clone(golden), 34, bytes.Repeat([]byte{1}, 4*words)...)
		b[14] += byte(words)
		put16(b[16:], uint16(len(b)-EthernetLen))
		finishIPv4(b)
		var p Packet
		if d := ParseFrame(&p, b, true); d != OK || !bytes.Equal(p.Payload, golden[HeadersLen:]) {
			t.Errorf("%d words of options: %s, payload %q", words, d, p.Payload)
		}
	}
}

// What is behind the UDP length is no payload even if it is inside the IPv4
// datagram.
func TestParsePayloadEndsAtUDPLength(t *testing.T) {
	b := append(fromHex(t, goldenRequest), "padding"...)
	put16(b[16:], uint16(len(b)-EthernetLen))
	finishIPv4(b)
	var p Packet
	if d := ParseFrame(&p, b, true); d != OK || len(p.Payload) != 17 || cap(p.Payload) != 17 {
		t.Errorf("%s, payload %q of capacity %d", d, p.Payload, cap(p.Payload))
	}
}

func TestDropNames(t *testing.T) {
	seen := map[string]bool{}
	for d := range Drops {
		name := d.String()
		if name == "" || name == "unknown" || seen[name] {
			t.Errorf("reason %d has the name %q", d, name)
		}
		seen[name] = true
	}
	if Drops.String() != "unknown" {
		t.Errorf("a value outside is called %q", Drops)
	}
}
