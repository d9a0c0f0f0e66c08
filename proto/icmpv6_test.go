package proto

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// goldenSolicit is what Debian's iPXE sends right after its DISCOVER.
const goldenSolicit = `
33 33 00 00 00 02  52 54 00 12 34 01  86 dd
60 00 00 00 00 10 3a ff  fe 80 00 00 00 00 00 00 50 54 00 ff fe 12 34 01  ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 02
85 00 72 5f 00 00 00 00  01 01 52 54 00 12 34 01`

// Offsets in it.
const (
	srcOff6  = EthernetLen + 8
	icmpOff6 = EthernetLen + IPv6Len
	optOff6  = icmpOff6 + solicitLen
)

// finishICMPv6 makes the checksum right again.
func finishICMPv6(b []byte) []byte {
	end := min(len(b), icmpOff6+(int(b[18])<<8|int(b[19])))
	put16(b[icmpOff6+2:], 0)
	put16(b[icmpOff6+2:], ^Fold(sum6(b[srcOff6:icmpOff6], b[icmpOff6:end])))
	return b
}

func TestSolicitOfIPXE(t *testing.T) {
	var s Solicit
	if !ParseSolicit(&s, fromHex(t, goldenSolicit), true) {
		t.Fatal("refused")
	}
	if want := (Solicit{clientMAC, LinkLocal(clientMAC)}); s != want {
		t.Errorf("read %+v, want %+v", s, want)
	}
}

func TestSolicitRefused(t *testing.T) {
	anonymous := func(b []byte) []byte { // no address yet, and no option either
		clear(b[srcOff6 : srcOff6+16])
		b[19] = solicitLen
		return finishICMPv6(b[:optOff6])
	}
	repaired := func(off int, v byte) edit {
		return func(b []byte) []byte {
			b[off] = v
			return finishICMPv6(b)
		}
	}
	for _, c := range []struct {
		name string
		edit edit
		want bool
	}{
		{"as it is", func(b []byte) []byte { return b }, true},
		{"padding behind it", func(b []byte) []byte { return append(b, 1, 2, 3) }, true},
		{"without an address", anonymous, true},
		{"another option", repaired(optOff6, 14), true},
		{"empty", func(b []byte) []byte { return nil }, false},
		{"cut", func(b []byte) []byte { return b[:len(b)-1] }, false},
		{"cut in its header", func(b []byte) []byte { return b[:optOff6-1] }, false},
		{"not IPv6", set(12, 0x08, 0x00), false},
		{"version 4", set(14, 0x40), false},
		{"shorter than a solicitation", func(b []byte) []byte { b[19] = 7; return finishICMPv6(b) }, false},
		{"another protocol", set(20, ProtocolUDP), false},
		{"was routed", set(21, 254), false},
		{"an advertisement", repaired(icmpOff6, routerAdvertisement), false},
		{"code", repaired(icmpOff6+1, 1), false},
		{"wrong checksum", set(icmpOff6+4, 1), false},
		{"option of length 0", repaired(optOff6+1, 0), false},
		{"option longer than the message", repaired(optOff6+1, 2), false},
		{"half an option", func(b []byte) []byte { b[19] = 12; return finishICMPv6(b) }, false},
		{"link address without an address", func(b []byte) []byte {
			clear(b[srcOff6 : srcOff6+16])
			return finishICMPv6(b)
		}, false},
		{"from a group", repaired(srcOff6, 0xff), false},
		{"from a group of Ethernet", set(6, 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Solicit
			if got := ParseSolicit(&s, c.edit(fromHex(t, goldenSolicit)), true); got != c.want {
				t.Errorf("accepted: %v", got)
			}
		})
	}
	var s Solicit
	if !ParseSolicit(&s, set(icmpOff6+2, 0, 0)(fromHex(t, goldenSolicit)), false) {
		t.Error("a checksum that is not finished was verified")
	}
}

// TestAdvert has gopacket read what is sent.
func TestAdvert(t *testing.T) {
	var b [AdvertLen]byte
	to := LinkLocal(clientMAC)
	for i := range b { // left by another frame
		b[i] = 0xff
	}
	PutAdvert(&b, serverMAC, clientMAC, to)
	packet := gopacket.NewPacket(b[:], layers.LayerTypeEthernet, gopacket.Default)
	ip := packet.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
	if ip.SrcIP.String() != "fe80::ff:fe00:1" || Addr6(ip.DstIP) != to || ip.HopLimit != 255 || int(ip.Length) != AdvertLen-EthernetLen-IPv6Len {
		t.Errorf("IPv6 %+v", ip)
	}
	a, ok := packet.Layer(layers.LayerTypeICMPv6RouterAdvertisement).(*layers.ICMPv6RouterAdvertisement)
	if !ok {
		t.Fatalf("no advertisement: %v", packet.ErrorLayer())
	}
	if a.HopLimit != 0 || a.Flags != 0 || a.RouterLifetime != 0 || a.ReachableTime != 0 || a.RetransTimer != 0 || len(a.Options) != 1 ||
		a.Options[0].Type != layers.ICMPv6OptSourceAddress || MAC(a.Options[0].Data) != serverMAC {
		t.Errorf("advertisement %+v", a)
	}
	if Fold(sum6(b[srcOff6:icmpOff6], b[icmpOff6:])) != 0xffff {
		t.Error("wrong checksum")
	}
	if MAC(b[0:6]) != clientMAC || MAC(b[6:12]) != serverMAC {
		t.Errorf("from % x to % x", b[6:12], b[0:6])
	}
}

func TestGroupMAC(t *testing.T) {
	for a, want := range map[Addr6]string{AllNodes: "33:33:00:00:00:01", AllRouters: "33:33:00:00:00:02"} {
		if got := GroupMAC(a).String(); got != want {
			t.Errorf("%x: %s, want %s", a, got, want)
		}
	}
}

func TestNoAllocationsForIPv6(t *testing.T) {
	var s Solicit
	var b [AdvertLen]byte
	frame := fromHex(t, goldenSolicit)
	gate(t, "ParseSolicit", func() { ParseSolicit(&s, frame, true) })
	gate(t, "PutAdvert", func() { PutAdvert(&b, serverMAC, GroupMAC(AllNodes), AllNodes) })
}

// FuzzSolicit feeds arbitrary frames: no panic, and what is accepted is what
// gopacket takes for a solicitation.
func FuzzSolicit(f *testing.F) {
	f.Add(fromHex(f, goldenSolicit), true)
	f.Add(fromHex(f, goldenSolicit)[:70], false)
	f.Fuzz(func(t *testing.T, frame []byte, checksum bool) {
		var s Solicit
		if !ParseSolicit(&s, frame, checksum) {
			return
		}
		packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
		if packet.Layer(layers.LayerTypeICMPv6RouterSolicitation) == nil {
			t.Fatalf("gopacket finds no solicitation: %v", packet.ErrorLayer())
		}
	})
}
