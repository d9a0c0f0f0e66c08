package proto

import (
	"slices"
	"testing"
)

// icmpOff is where the ICMP message of unreachable begins; quoteOff its quoted
// IPv4 header.
const (
	icmpOff  = EthernetLen + IPv4Len
	quoteOff = icmpOff + ICMPLen
)

func TestUnreachableNamesOurDatagram(t *testing.T) {
	b := unreachable(udpFrame([]byte{0, 3, 0, 1, 'x'}))
	p := Packet{Payload: []byte("from the frame before")}
	if d := ParseFrame(&p, b, true); d != OK {
		t.Fatalf("dropped: %s", d)
	}
	if p.Kind != KindUnreachable || p.Src != serverAddr || p.SrcPort != PortTFTP || p.Dst != clientAddr ||
		p.DstPort != 2070 || p.Payload != nil || p.SrcMAC != clientMAC {
		t.Errorf("wrong reading: %+v", p)
	}
}

func TestUnreachableRefused(t *testing.T) {
	sound := unreachable(udpFrame([]byte{0, 3, 0, 1, 'x'}))
	repaired := func(off int, v byte) edit {
		return func(b []byte) []byte {
			b[off] = v
			finishICMP(b)
			return b
		}
	}
	short := func(n int) edit {
		return func(b []byte) []byte {
			b = b[:n]
			finishICMP(b)
			return b
		}
	}
	for _, c := range []struct {
		name string
		edit edit
		want Drop
	}{
		{"as it is", func(b []byte) []byte { return b }, OK},
		{"ports alone quoted", short(quoteOff + IPv4Len + 4), OK},
		{"quote ends in the ports", short(quoteOff + IPv4Len + 3), DropICMP},
		{"quote ends before the ports", short(quoteOff + IPv4Len), DropICMP},
		{"quote cut", short(quoteOff + 10), DropICMP},
		{"no quote", short(quoteOff), DropICMP},
		{"type alone", short(icmpOff + 4), DropICMP},
		{"echo request", repaired(icmpOff, 8), DropICMP},
		{"time exceeded", repaired(icmpOff, 11), DropICMP},
		{"host unreachable", repaired(icmpOff+1, 1), DropICMP},
		{"fragmentation needed", repaired(icmpOff+1, 4), DropICMP},
		{"checksum wrong", poke(icmpOff+2, 0xee), DropICMP},
		{"quoted version 6", repaired(quoteOff, 0x65), DropICMP},
		{"quoted header length 16", repaired(quoteOff, 0x44), DropICMP},
		{"quoted header length beyond the message", repaired(quoteOff, 0x4f), DropICMP},
		{"quoted TCP", repaired(quoteOff+9, 6), DropICMP},
		{"quoted fragment", repaired(quoteOff+7, 1), DropICMP},
		{"quoted fragment far in", repaired(quoteOff+6, 0x10), DropICMP},
		{"from a third host", repaired(29, 77), DropICMP},
		{"to a third host", repaired(33, 77), DropICMP},
		{"about a datagram to somebody else", repaired(quoteOff+19, 77), DropICMP},
		{"about a datagram from somebody else", repaired(quoteOff+15, 77), DropICMP},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			if d := ParseFrame(&p, c.edit(slices.Clone(sound)), true); d != c.want {
				t.Errorf("%s, want %s", d, c.want)
			}
		})
	}
}

// A quoted header with options puts the ports further back.
func TestUnreachableQuotesOptions(t *testing.T) {
	b := slices.Insert(unreachable(udpFrame([]byte("abcd"))), quoteOff+IPv4Len, 1, 1, 1, 1)
	b[quoteOff] = 0x46
	finishICMP(b)
	var p Packet
	if d := ParseFrame(&p, b, true); d != OK || p.SrcPort != PortTFTP || p.DstPort != 2070 {
		t.Errorf("%s: ports %d and %d", d, p.SrcPort, p.DstPort)
	}
}
