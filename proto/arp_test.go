package proto

import (
	"bytes"
	"slices"
	"testing"
)

const goldenARP = `
	ff ff ff ff ff ff  52 54 00 12 34 01  08 06
	00 01 08 00 06 04 00 01
	52 54 00 12 34 01  c0 a8 01 02
	00 00 00 00 00 00  c0 a8 01 01`

func TestARPGolden(t *testing.T) {
	b := fromHex(t, goldenARP)
	want := ARP{Op: ARPRequest, SenderMAC: clientMAC, SenderAddr: clientAddr, TargetAddr: serverAddr}
	var p Packet
	if d := ParseFrame(&p, b, true); d != OK || p.Kind != KindARP || p.ARP != want {
		t.Fatalf("%s: kind %d, %+v", d, p.Kind, p.ARP)
	}
	var out [EthernetLen + ARPLen]byte
	PutARP(&out, clientMAC, Broadcast, &want)
	if !bytes.Equal(out[:], b) {
		t.Errorf("got  % x\nwant % x", out, b)
	}
}

func TestARPRefused(t *testing.T) {
	golden := fromHex(t, goldenARP)
	for _, c := range []struct {
		name string
		edit edit
		want Drop
	}{
		{"padded to the ethernet minimum", func(b []byte) []byte { return append(b, make([]byte, 18)...) }, OK},
		{"one byte short", cut(41), DropShort},
		{"no body", cut(14), DropShort},
		{"hardware type InfiniBand", poke(15, 32), DropARP},
		{"hardware type high byte", poke(14, 1), DropARP},
		{"protocol not IPv4", poke(16, 0x86), DropARP},
		{"hardware length 20", poke(18, 20), DropARP},
		{"hardware length 0", poke(18, 0), DropARP},
		{"protocol length 16", poke(19, 16), DropARP},
		{"unknown operation is for the caller", poke(21, 9), OK},
	} {
		var p Packet
		if d := ParseFrame(&p, c.edit(slices.Clone(golden)), true); d != c.want {
			t.Errorf("%s: %s, want %s", c.name, d, c.want)
		}
	}
}

// poke writes one byte and repairs nothing.
func poke(off int, v byte) edit {
	return func(b []byte) []byte {
		b[off] = v
		return b
	}
}

func TestARPRoundTrip(t *testing.T) {
	for _, a := range []ARP{
		{},
		{Op: ARPReply, SenderMAC: serverMAC, SenderAddr: serverAddr, TargetMAC: clientMAC, TargetAddr: clientAddr},
		{Op: 0xffff, SenderMAC: Broadcast, SenderAddr: Limited, TargetMAC: Broadcast, TargetAddr: Limited},
	} {
		var b [EthernetLen + ARPLen]byte
		PutARP(&b, serverMAC, clientMAC, &a)
		var p Packet
		if d := ParseFrame(&p, b[:], true); d != OK || p.ARP != a || p.SrcMAC != serverMAC || p.DstMAC != clientMAC {
			t.Errorf("%+v became %+v (%s)", a, p.ARP, d)
		}
	}
}
