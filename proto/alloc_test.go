package proto

import "testing"

// gate fails if f, run a thousand times, allocates at all. AllocsPerRun divides
// integers, so the loop is inside one run.
func gate(t *testing.T, name string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(1, func() {
		for range 1000 {
			f()
		}
	}); n != 0 {
		t.Errorf("%s: %v allocations in 1000 frames, want 0", name, n)
	}
}

// Everything that is called per frame works without allocating, whether the
// frame is sound or not.
func TestNoAllocations(t *testing.T) {
	var p Packet
	for _, c := range parseCases {
		b := c.edit(fromHex(t, goldenRequest))
		gate(t, "ParseFrame: "+c.name, func() { ParseFrame(&p, b, true) })
	}
	arp, icmp := fromHex(t, goldenARP), unreachable(udpFrame([]byte{0, 3, 0, 1}))
	gate(t, "ParseFrame: ARP", func() { ParseFrame(&p, arp, true) })
	gate(t, "ParseFrame: ICMP", func() { ParseFrame(&p, icmp, true) })

	frame, payload := make([]byte, 1514), randomPayload(1472)
	gate(t, "PutHeaders, FinishUDP", func() {
		h := (*[HeadersLen]byte)(frame)
		PutHeaders(h, serverMAC, clientMAC, serverAddr, clientAddr, 69, 2070, 1, len(payload))
		FinishUDP(h, payload[:4], payload[4:])
		SetPayloadLen(h, 4)
	})
	gate(t, "PutARP", func() {
		PutARP((*[EthernetLen + ARPLen]byte)(frame), serverMAC, clientMAC, &p.ARP)
	})
	text := make([]byte, 0, 64)
	gate(t, "AppendTo", func() { text = clientMAC.AppendTo(clientAddr.AppendTo(text[:0])) })
	var name string
	gate(t, "Drop.String", func() { name = DropFragment.String() })
	if string(text) != "192.168.1.252:54:00:12:34:01" || name != "fragment" {
		t.Errorf("wrote %q, %q", text, name)
	}
}
