package proto

import (
	"encoding/hex"
	"strings"
	"testing"
)

var (
	serverMAC  = MAC{0x02, 0, 0, 0, 0, 1}
	clientMAC  = MAC{0x52, 0x54, 0, 0x12, 0x34, 1}
	serverAddr = AddrOf(192, 168, 1, 1)
	clientAddr = AddrOf(192, 168, 1, 2)
)

// fromHex reads bytes written as hexadecimal with spaces and line ends.
func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("bad hexadecimal in the test: %v", err)
	}
	return b
}

// udpFrame builds a complete datagram from the server to the client.
func udpFrame(payload []byte) []byte {
	b := make([]byte, HeadersLen+len(payload))
	copy(b[HeadersLen:], payload)
	h := (*[HeadersLen]byte)(b)
	PutHeaders(h, serverMAC, clientMAC, serverAddr, clientAddr, PortTFTP, 2070, 7, len(payload))
	FinishUDP(h, payload, nil)
	return b
}

// unreachable builds an ICMP port unreachable from the client that quotes the
// datagram of quoted, which begins with the Ethernet header.
func unreachable(quoted []byte) []byte {
	q := quoted[EthernetLen:min(len(quoted), EthernetLen+IPv4Len+8)]
	b := make([]byte, EthernetLen+IPv4Len+ICMPLen+len(q))
	h := (*[HeadersLen]byte)(append([]byte(nil), make([]byte, HeadersLen)...))
	PutHeaders(h, clientMAC, serverMAC, clientAddr, serverAddr, 0, 0, 0, 0)
	copy(b, h[:EthernetLen+IPv4Len])
	b[23] = ProtocolICMP
	icmp := b[EthernetLen+IPv4Len:]
	icmp[0], icmp[1] = 3, 3
	copy(icmp[ICMPLen:], q)
	finishICMP(b)
	return b
}

// finishICMP sets the IPv4 length and both checksums of an ICMP frame.
func finishICMP(b []byte) {
	icmp := b[EthernetLen+IPv4Len:]
	icmp[2], icmp[3] = 0, 0
	put16(icmp[2:], ^Fold(Sum(0, icmp)))
	put16(b[16:], uint16(len(b)-EthernetLen))
	finishIPv4(b)
}

// finishIPv4 sets the header checksum, whatever the header length says.
func finishIPv4(b []byte) {
	b[24], b[25] = 0, 0
	end := EthernetLen + max(IPv4Len, int(b[14]&15)*4)
	put16(b[24:], ^Fold(Sum(0, b[EthernetLen:min(end, len(b))])))
}

func put16(b []byte, v uint16) { b[0], b[1] = byte(v>>8), byte(v) }
