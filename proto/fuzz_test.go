package proto

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// FuzzParseFrame feeds arbitrary frames: no panic, every result inside the
// frame, what was accepted survives being built again, and gopacket sees the
// same datagram.
func FuzzParseFrame(f *testing.F) {
	for _, s := range []string{goldenRequest, goldenData, goldenARP} {
		f.Add(fromHex(f, s), true)
	}
	f.Add(unreachable(udpFrame([]byte{0, 3, 0, 1})), true)
	f.Fuzz(func(t *testing.T, frame []byte, checksum bool) {
		var p Packet
		d := ParseFrame(&p, frame, checksum)
		if (d == OK) != (p.Kind != KindNone) || d >= Drops {
			t.Fatalf("%s with kind %d", d, p.Kind)
		}
		switch p.Kind {
		case KindUDP:
			checkUDP(t, &p, frame)
		case KindARP:
			checkARP(t, &p, frame)
		}
	})
}

func checkUDP(t *testing.T, p *Packet, frame []byte) {
	if len(p.Payload) > len(frame)-HeadersLen || cap(p.Payload) != len(p.Payload) {
		t.Fatalf("payload of %d bytes (capacity %d) in a frame of %d", len(p.Payload), cap(p.Payload), len(frame))
	}
	packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if !ok {
		t.Fatalf("gopacket finds no UDP: %v", packet.ErrorLayer())
	}
	if uint16(udp.SrcPort) != p.SrcPort || uint16(udp.DstPort) != p.DstPort || !bytes.Equal(udp.Payload, p.Payload) {
		t.Fatalf("gopacket reads ports %d, %d and % x", udp.SrcPort, udp.DstPort, udp.Payload)
	}
	b := make([]byte, HeadersLen+len(p.Payload))
	h := (*[HeadersLen]byte)(b)
	copy(b[HeadersLen:], p.Payload)
	PutHeaders(h, p.SrcMAC, p.DstMAC, p.Src, p.Dst, p.SrcPort, p.DstPort, 1, len(p.Payload))
	FinishUDP(h, p.Payload, nil)
	var again Packet
	if d := ParseFrame(&again, b, true); d != OK {
		t.Fatalf("built again it is refused: %s", d)
	}
	if again.Src != p.Src || again.Dst != p.Dst || again.SrcPort != p.SrcPort || again.DstPort != p.DstPort ||
		again.SrcMAC != p.SrcMAC || again.DstMAC != p.DstMAC || !bytes.Equal(again.Payload, p.Payload) {
		t.Fatalf("built again it reads %+v, was %+v", again, *p)
	}
}

func checkARP(t *testing.T, p *Packet, frame []byte) {
	var b [EthernetLen + ARPLen]byte
	PutARP(&b, p.SrcMAC, p.DstMAC, &p.ARP)
	if !bytes.Equal(b[:], frame[:len(b)]) {
		t.Fatalf("built again: % x, was % x", b, frame[:len(b)])
	}
}
