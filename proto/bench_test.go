package proto

import "testing"

func BenchmarkParseFrame(b *testing.B) {
	for _, c := range []struct {
		name  string
		frame []byte
	}{
		{"ACK of 4 bytes", udpFrame([]byte{0, 4, 0, 1})},
		{"DHCP of 300 bytes", udpFrame(randomPayload(300))},
		{"DATA of 1472 bytes", udpFrame(randomPayload(1472))},
		{"ARP", fromHex(b, goldenARP)},
		{"unreachable", unreachable(udpFrame([]byte{0, 3, 0, 1}))},
	} {
		b.Run(c.name, func(b *testing.B) {
			var p Packet
			b.SetBytes(int64(len(c.frame)))
			for b.Loop() {
				if ParseFrame(&p, c.frame, true) != OK {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkFinishUDP(b *testing.B) {
	frame := udpFrame(randomPayload(1472))
	b.SetBytes(1472)
	for b.Loop() {
		FinishUDP((*[HeadersLen]byte)(frame), frame[HeadersLen:], nil)
	}
}

func BenchmarkPutHeaders(b *testing.B) {
	var h [HeadersLen]byte
	for b.Loop() {
		PutHeaders(&h, serverMAC, clientMAC, serverAddr, clientAddr, 69, 2070, 1, 1472)
	}
}
